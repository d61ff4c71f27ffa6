# package.cmake: what CPack makes: a Debian package, a tarball of what is installed, a tarball of the sources. See docs/packages.md.
set(SKP_MAINTAINER "Skipper developers <skipper@example.org>" CACHE STRING "Who answers for packages: NAME <ADDRESS>")
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME skipper)
set(CPACK_PACKAGE_VENDOR Skipper)
set(CPACK_PACKAGE_CONTACT "${SKP_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trainer for residual networks on any OpenCL device")
set(CPACK_PACKAGE_DESCRIPTION "Skipper trains image classifiers, residual networks above all,
on GPUs of any vendor and on CPUs through OpenCL, tests them, asks them,
and hands them on as safetensors and ONNX. It needs neither Python nor a
vendor's toolkit, and checks each kernel before it is used.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# Debian's: what libraries it needs is asked of the libraries, where dpkg-dev and file are there.
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
find_program(SKP_SHLIBDEPS dpkg-shlibdeps)
find_program(SKP_FILE file)
if(SKP_SHLIBDEPS AND SKP_FILE)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
file(WRITE ${CMAKE_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/debian/triggers)
if(SKP_FILE)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
endif()
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian.cmake)

set(CPACK_SOURCE_GENERATOR TGZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME skipper-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES "/\\\\.git" "/build[^/]*/" "/shared/" "/runs/" "/data/[^/]*/.*\\\\.gz$" "__pycache__")
include(CPack)
