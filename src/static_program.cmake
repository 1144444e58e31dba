# Whether the program can be linked statically. Loading its shared libraries takes longer than the
# rest of a short run. A sanitizer's runtime has to be a shared one.
option(OSIISO_STATIC_PROGRAM "Link the program statically, where its libraries can be had so" ON)
if(NOT OSIISO_STATIC_PROGRAM OR OSIISO_SANITIZE)
  set(OSIISO_PROGRAM_IS_STATIC OFF)
  return()
endif()

include(CheckLinkerFlag)
find_library(OSIISO_YAML_CPP_ARCHIVE libyaml-cpp.a)
find_library(OSIISO_SQLITE3_ARCHIVE libsqlite3.a)
mark_as_advanced(OSIISO_YAML_CPP_ARCHIVE OSIISO_SQLITE3_ARCHIVE)
check_linker_flag(CXX -static-pie OSIISO_CAN_LINK_STATICALLY)
# It warns of functions that load shared libraries later. None of them is called here with what
# needs one: SQLite loads no extension, and a worker's host name is looked up without plugins.
check_linker_flag(CXX LINKER:--no-warnings OSIISO_LINKER_CAN_BE_QUIET)

set(OSIISO_PROGRAM_IS_STATIC OFF)
if(OSIISO_CAN_LINK_STATICALLY AND OSIISO_YAML_CPP_ARCHIVE AND OSIISO_SQLITE3_ARCHIVE)
  set(OSIISO_PROGRAM_IS_STATIC ON)
endif()
set(OSIISO_STATIC_OPTIONS -static-pie LINKER:--gc-sections)
if(OSIISO_LINKER_CAN_BE_QUIET)
  list(APPEND OSIISO_STATIC_OPTIONS LINKER:--no-warnings)
endif()
