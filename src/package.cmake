# What `cpack` makes of an installation: a Debian package.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME osiiso)
set(CPACK_PACKAGE_CONTACT "The osiiso maintainers <maintainers@users.noreply.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "queue library and command-line batch executor")
set(CPACK_PACKAGE_DESCRIPTION
    "osiiso runs batches of commands from a YAML job file, in parallel, with retries,
priorities and timeouts, and says exactly what failed. It comes with the C++20
queue library that it is built on.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/compress_documents.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For programs that are built with the library.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "nlohmann-json3-dev, libsqlite3-dev, libasio-dev")
include(CPack)
