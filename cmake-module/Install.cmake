# Where things go: programs to bin, libraries to lib, headers to include/lwbuild, the package to
# share/cmake/LWBuild. Nothing in it names an absolute path, so it can be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package "${CMAKE_INSTALL_DATADIR}/cmake/LWBuild")

install(TARGETS lwbuild lwbuild-child lwb_capability_abi EXPORT LWBuildTargets
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS lwbuild_parent lwbuild_child EXPORT LWBuildLibraries
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
foreach(set IN ITEMS LWBuildTargets LWBuildLibraries)
  install(EXPORT ${set} NAMESPACE LWBuild:: DESTINATION "${package}")
endforeach()

foreach(folder IN ITEMS . base protocol worker session pool plan)
  file(GLOB headers "${PROJECT_SOURCE_DIR}/lwbuild/${folder}/*.h")
  list(FILTER headers EXCLUDE REGEX "(_internal|/banned)\\.h$")
  install(FILES ${headers} DESTINATION "include/lwbuild/${folder}")
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/child/host.h" "${PROJECT_SOURCE_DIR}/child/host_capability.h"
    DESTINATION include/lwbuild/child)

configure_package_config_file(LWBuildConfig.cmake.in
    "${CMAKE_CURRENT_BINARY_DIR}/LWBuildConfig.cmake"
    INSTALL_DESTINATION "${package}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/LWBuildConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
    "${CMAKE_CURRENT_BINARY_DIR}/LWBuildConfig.cmake"
    "${CMAKE_CURRENT_BINARY_DIR}/LWBuildConfigVersion.cmake"
    LWBuild.cmake LWBuildCapability.cmake LeanToolchain.cmake FindLean.cmake
    DESTINATION "${package}")
install(DIRECTORY lean-capability DESTINATION "${package}")
