# install.cmake: the shared library, and what `cmake --install` puts where: program, libraries, headers, skipper.pc, the CMake package
# Skipper, model files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The same objects as the static one. All that is not skp_… is hidden. While the first number of the version is 0, another second one may mean
# another interface.
add_library(libskipper_shared SHARED $<TARGET_OBJECTS:libskipper>)
get_target_property(links libskipper LINK_LIBRARIES)
target_link_libraries(libskipper_shared PRIVATE ${links})
target_include_directories(libskipper_shared PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(libskipper_shared PROPERTIES OUTPUT_NAME skipper EXPORT_NAME skipper VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
add_library(Skipper::skipper ALIAS libskipper_shared)

# What users of the static library link beside it.
set(SKP_STATIC_LIBS "")
foreach(link IN LISTS links)
  if(link MATCHES "^PkgConfig::(.*)$")
    list(APPEND SKP_STATIC_LIBS ${${CMAKE_MATCH_1}_LDFLAGS})
  elseif(link MATCHES "/lib([^/]*)\\.(so|a)$")
    list(APPEND SKP_STATIC_LIBS -l${CMAKE_MATCH_1})
  else()
    string(REPLACE "ZLIB::ZLIB" "-lz" link "${link}")
    string(REPLACE "Threads::Threads" "-pthread" link "${link}")
    string(REGEX REPLACE "^([a-z])" "-l\\1" link "${link}")
    list(APPEND SKP_STATIC_LIBS ${link})
  endif()
endforeach()
list(REMOVE_DUPLICATES SKP_STATIC_LIBS)
list(FILTER SKP_STATIC_LIBS EXCLUDE REGEX "^-L/usr/lib(/[^/]*-linux-gnu(/.*)?)?$") # where linkers look anyway, and of MPI, of which they find a link there
list(JOIN SKP_STATIC_LIBS " " SKP_STATIC_FLAGS)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Skipper)
file(RELATIVE_PATH SKP_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/skipper.pc.in skipper.pc @ONLY)
configure_package_config_file(cmake/SkipperConfig.cmake.in SkipperConfig.cmake INSTALL_DESTINATION ${package}
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(SkipperConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS skipper)
install(TARGETS libskipper)
install(TARGETS libskipper_shared EXPORT SkipperTargets)
install(EXPORT SkipperTargets NAMESPACE Skipper:: DESTINATION ${package})
install(FILES ${CMAKE_BINARY_DIR}/SkipperConfig.cmake ${CMAKE_BINARY_DIR}/SkipperConfigVersion.cmake DESTINATION ${package})
install(FILES ${CMAKE_BINARY_DIR}/skipper.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY include/skipper TYPE INCLUDE)
install(DIRECTORY models DESTINATION ${CMAKE_INSTALL_DATADIR}/skipper)
install(FILES LICENSE README.md TYPE DOC)
install(DIRECTORY docs TYPE DOC)

# Manual pages and completions, told by the program itself; where it cannot run here they are left out.
if(NOT CMAKE_CROSSCOMPILING)
  set(told ${CMAKE_BINARY_DIR}/told)
  add_custom_command(OUTPUT ${told}/done DEPENDS skipper cmake/told.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:skipper> -DOUT=${told} -P ${CMAKE_SOURCE_DIR}/cmake/told.cmake)
  add_custom_target(told ALL DEPENDS ${told}/done)
  install(DIRECTORY ${told}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
  install(FILES ${told}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME skipper)
  install(FILES ${told}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _skipper)
  install(FILES ${told}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME skipper.fish)
endif()
