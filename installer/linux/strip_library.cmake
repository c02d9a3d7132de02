# Copies a library FROM … TO …, stripped by STRIP, with its own folder as the only search path.
execute_process(COMMAND ${STRIP} --strip-unneeded -o ${TO} ${FROM} COMMAND_ERROR_IS_FATAL ANY)
file(READ_ELF ${TO} RPATH folders)
if(NOT folders STREQUAL "")
  string(REPLACE ";" ":" folders "${folders}")
  file(RPATH_CHANGE FILE ${TO} OLD_RPATH "${folders}" NEW_RPATH "$ORIGIN")
endif()
