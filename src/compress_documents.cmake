# Debian has its man pages and changelogs compressed, without a name or a time in them.
file(GLOB_RECURSE documents ${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/*.1
     ${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/osiiso/changelog)
foreach(document IN LISTS documents)
  execute_process(COMMAND gzip --best --no-name --force ${document} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
