# Debian package and self-contained archive. Both have one layout, and programs that look for libraries from their own place.
set(library_folder lib/kvasir)
foreach(program IN ITEMS kvasir kvasir-cli)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../${library_folder}")
  # DT_RPATH, which also holds for the libraries of libraries; DT_RUNPATH would not.
  target_link_options(${program} PRIVATE "LINKER:--disable-new-dtags")
endforeach()

# LibTorch's libraries without their symbol tables (90 MB), and with their own folder as the only search path.
set(libraries ${CMAKE_CURRENT_BINARY_DIR}/libraries)
foreach(name IN ITEMS libc10.so libtorch_cpu.so libgomp.so.1)
  add_custom_command(OUTPUT ${libraries}/${name}
    COMMAND ${CMAKE_COMMAND} -DSTRIP=${CMAKE_STRIP} -DFROM=${KVASIR_LIBTORCH}/lib/${name} -DTO=${libraries}/${name}
      -P ${CMAKE_CURRENT_LIST_DIR}/strip_library.cmake
    DEPENDS ${KVASIR_LIBTORCH}/lib/${name} ${CMAKE_CURRENT_LIST_DIR}/strip_library.cmake VERBATIM)
  list(APPEND package_files ${libraries}/${name})
endforeach()

# In place of NVIDIA's libraries, which the wheel's libtorch_cpu names but never calls without a GPU.
enable_language(C)
foreach(name IN ITEMS cudart cupti)
  add_library(kvasir_${name} SHARED EXCLUDE_FROM_ALL ${CMAKE_CURRENT_LIST_DIR}/${name}_stand_in.c)
  set_target_properties(kvasir_${name} PROPERTIES OUTPUT_NAME ${name} VERSION 13 SOVERSION 13
    LIBRARY_OUTPUT_DIRECTORY ${libraries})
  target_link_options(kvasir_${name} PRIVATE "LINKER:--version-script,${CMAKE_CURRENT_LIST_DIR}/${name}.map" LINKER:-s)
  set_property(TARGET kvasir_${name} PROPERTY LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${name}.map)
  install(FILES $<TARGET_FILE:kvasir_${name}> DESTINATION ${library_folder} COMPONENT program)
  list(APPEND package_files kvasir_${name})
endforeach()
install(FILES ${libraries}/libc10.so ${libraries}/libtorch_cpu.so ${libraries}/libgomp.so.1
  DESTINATION ${library_folder} COMPONENT program)

foreach(size IN ITEMS 16 22 24 32 48 64 128 256 512)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/icons/${size}.png RENAME kvasir.png
    DESTINATION share/icons/hicolor/${size}x${size}/apps COMPONENT program)
endforeach()
install(FILES ${icon} DESTINATION share/icons/hicolor/scalable/apps COMPONENT program)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/kvasir.desktop DESTINATION share/applications COMPONENT program)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/kvasir.metainfo.xml DESTINATION share/metainfo COMPONENT program)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${doc_folder} COMPONENT program)
find_program(GZIP gzip REQUIRED)
foreach(page IN ITEMS kvasir.1 kvasir-cli.1)
  set(packed ${CMAKE_CURRENT_BINARY_DIR}/${page}.gz)
  add_custom_command(OUTPUT ${packed} COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_LIST_DIR}/${page} > ${packed}
    DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${page} VERBATIM)
  list(APPEND package_files ${packed})
  install(FILES ${packed} DESTINATION share/man/man1 COMPONENT program)
endforeach()

# What the archive has beside: Qt and every other library of Debian, with their copyright files.
get_target_property(qmake Qt6::qmake IMPORTED_LOCATION)
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND bash \"${CMAKE_CURRENT_LIST_DIR}/bundle.sh\"
  \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\" \"${qmake}\" \"$<TARGET_FILE:kvasir>\" \"$<TARGET_FILE:kvasir-cli>\")"
  COMPONENT bundle)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/qt.conf DESTINATION bin COMPONENT bundle)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/READ_ME.txt DESTINATION . COMPONENT bundle)

set(CPACK_GENERATOR DEB TXZ)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/package_settings.cmake)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_ARCHIVE_COMPONENT_INSTALL ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION text)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${libraries})
set(CPACK_DEBIAN_PACKAGE_DEPENDS "poppler-data")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "fonts-dejavu-core, qt6-wayland")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
