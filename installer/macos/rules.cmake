# macOS: kvasir.app on a disk image, kvasir-cli inside it. Not yet run: nobody has built Kvasir on macOS so far. Signing and
# notarising are still to come.
set(bundle kvasir.app/Contents)
set(icon_set ${CMAKE_CURRENT_BINARY_DIR}/kvasir.iconset)
set(icns ${CMAKE_CURRENT_BINARY_DIR}/kvasir.icns)
add_custom_command(OUTPUT ${icns}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${icon_set}
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/icons/128.png ${icon_set}/icon_128x128.png
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/icons/256.png ${icon_set}/icon_256x256.png
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_CURRENT_BINARY_DIR}/icons/512.png ${icon_set}/icon_512x512.png
  COMMAND iconutil -c icns -o ${icns} ${icon_set}
  DEPENDS ${package_files} VERBATIM)
list(APPEND package_files ${icns})
set_target_properties(kvasir PROPERTIES MACOSX_BUNDLE ON MACOSX_BUNDLE_BUNDLE_NAME Kvasir
  MACOSX_BUNDLE_BUNDLE_VERSION ${PROJECT_VERSION} MACOSX_BUNDLE_SHORT_VERSION_STRING ${PROJECT_VERSION}
  MACOSX_BUNDLE_ICON_FILE kvasir.icns)
set_target_properties(kvasir kvasir-cli PROPERTIES INSTALL_RPATH "@executable_path/../Frameworks")
install(FILES ${icns} DESTINATION ${bundle}/Resources COMPONENT program)
foreach(name IN ITEMS libc10.dylib libtorch_cpu.dylib libomp.dylib)
  install(FILES ${KVASIR_LIBTORCH}/lib/${name} DESTINATION ${bundle}/Frameworks COMPONENT program)
endforeach()
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND macdeployqt
  \"\${CMAKE_INSTALL_PREFIX}/kvasir.app\" \"-executable=\${CMAKE_INSTALL_PREFIX}/${bundle}/MacOS/kvasir-cli\")" COMPONENT bundle)

set(CPACK_GENERATOR DragNDrop)
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_DMG_VOLUME_NAME Kvasir)
