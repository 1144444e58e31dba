# What `cmake --install` puts where, so that find_package(osiiso) and pkg-config find it.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

install(TARGETS osiiso EXPORT osiiso-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS osiiso_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/osiiso DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT osiiso-targets NAMESPACE osiiso::
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/osiiso)

configure_package_config_file(osiiso-config.cmake.in osiiso-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/osiiso)
write_basic_package_version_file(osiiso-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/osiiso-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/osiiso-config-version.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/osiiso)

file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(osiiso.pc.in osiiso.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/osiiso.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Debian's zsh looks into share/zsh/vendor-completions instead.
set(OSIISO_ZSH_COMPLETIONS ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
    CACHE STRING "Where the completions for zsh are installed")
set(completions ${PROJECT_SOURCE_DIR}/src/cli/completions)
install(FILES ${completions}/osiiso.bash RENAME osiiso
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${completions}/_osiiso DESTINATION ${OSIISO_ZSH_COMPLETIONS})
install(FILES ${completions}/osiiso.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${PROJECT_SOURCE_DIR}/src/job/job.schema.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/osiiso)
install(FILES ${PROJECT_SOURCE_DIR}/docs/osiiso.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/CHANGELOG.md RENAME changelog
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}
        FILES_MATCHING PATTERN *.md PATTERN *.schema.json)
