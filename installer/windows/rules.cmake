# Windows: everything in one folder, as a .zip and, where NSIS is installed, as a set-up program. Not yet run: nobody has built
# Kvasir on Windows so far. Icons in the .exe and the file types it opens are still to come.
file(GLOB torch_libraries "${KVASIR_LIBTORCH}/lib/*.dll")
list(FILTER torch_libraries EXCLUDE REGEX "torch_python|shm\\.dll")
install(FILES ${torch_libraries} DESTINATION . COMPONENT bundle)
# Qt's libraries, plug-ins and what else vcpkg built.
install(CODE "execute_process(COMMAND_ERROR_IS_FATAL ANY COMMAND windeployqt --no-translations --no-opengl-sw --compiler-runtime
  \"\${CMAKE_INSTALL_PREFIX}/kvasir.exe\")" COMPONENT bundle)
if(DEFINED VCPKG_INSTALLED_DIR)
  install(CODE "file(GLOB libraries \"${VCPKG_INSTALLED_DIR}/${VCPKG_TARGET_TRIPLET}/bin/*.dll\")
file(INSTALL \${libraries} DESTINATION \"\${CMAKE_INSTALL_PREFIX}\")" COMPONENT bundle)
endif()

set(CPACK_GENERATOR ZIP)
find_program(NSIS makensis)
if(NSIS)
  list(APPEND CPACK_GENERATOR NSIS)
endif()
# One staging folder for all, so that windeployqt finds the program.
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_PACKAGE_INSTALL_DIRECTORY Kvasir)
set(CPACK_PACKAGE_EXECUTABLES kvasir Kvasir)
set(CPACK_NSIS_DISPLAY_NAME Kvasir)
set(CPACK_NSIS_ENABLE_UNINSTALL_BEFORE_INSTALL ON)
