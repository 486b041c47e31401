# Builds a whole capability without a project in CMake: what add_lean_capability() does by targets, in one
# go. lwbuild runs it.
#
#   cmake -D SETTINGS=<settings.cmake> -P BuildCapability.cmake
#
# The settings also say COMPILER, for C; and TOOLCHAIN, a folder, a name, or "" for the project's own.
# <NAME>.so and <NAME>.json are put beside the settings.
cmake_minimum_required(VERSION 3.20)
include("${SETTINGS}")
include("${CMAKE_CURRENT_LIST_DIR}/Failure.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/../LeanToolchain.cmake")
file(LOCK "${FOLDER}/lock" GUARD PROCESS)
lean_toolchain(PREFIX why PROJECT "${PROJECT}" TOOLCHAIN "${TOOLCHAIN}")
if(NOT PREFIX)
  lean_capability_fail(toolchain-missing "install one with elan (https://leanprover-community.github.io)"
      "no Lean toolchain: ${why}")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/BuildModules.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/LeanLibraries.cmake")

set(LIBRARY_FILE "${FOLDER}/${NAME}.so")
set(OUTPUT "${FOLDER}/${NAME}.json")
set(adaptor "${CMAKE_CURRENT_LIST_DIR}/lean_capability.c")
get_filename_component(headers "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

lean_shared_libraries(libraries "${PREFIX}")
if(NOT libraries)
  lean_capability_fail(tool-missing "name the folder of a whole Lean, above bin/lean"
      "there is no libleanshared in ${PREFIX}/lib/lean")
endif()
set(command "${COMPILER}" -std=gnu11 -O2 -fPIC -fvisibility=hidden -shared
    -I "${FOLDER}" -I "${headers}" -isystem "${PREFIX}/include" -o "${LIBRARY_FILE}"
    "${adaptor}" "${FOLDER}/liblean_modules.a" ${libraries}
    "-Wl,-rpath,${PREFIX}/lib/lean" -pthread)
if(NOT CMAKE_HOST_APPLE)
  list(APPEND command -Wl,-z,nodelete) # Lean never ends, so the code that it runs must stay
endif()

set(key "${command}\n")
foreach(file IN ITEMS "${FOLDER}/liblean_modules.a" "${FOLDER}/lean_exports.h" "${SETTINGS}"
    "${adaptor}" "${CMAKE_CURRENT_LIST_DIR}/lean_abi.h" "${headers}/lwbuild/capability.h")
  file(SHA256 "${file}" digest)
  string(APPEND key "${digest}\n")
endforeach()
string(SHA256 key "${key} ${toolchain}")
has_key(made "${key}" "${LIBRARY_FILE}" "${OUTPUT}")
if(made)
  file(READ "${OUTPUT}" manifest)
  file(SHA256 "${LIBRARY_FILE}" digest)
  string(FIND "${manifest}" "${digest}" at)
  if(at EQUAL -1) # somebody has been at one of them
    set(made FALSE)
  endif()
endif()
if(NOT made)
  file(REMOVE "${LIBRARY_FILE}.key" "${OUTPUT}.key")
  # Whoever has the old one loaded keeps it.
  file(REMOVE "${LIBRARY_FILE}")
  run(compile-failed "${FOLDER}" ${command})
  include("${CMAKE_CURRENT_LIST_DIR}/WriteManifest.cmake")
  file(WRITE "${LIBRARY_FILE}.key" "${key}")
  file(WRITE "${OUTPUT}.key" "${key}")
endif()
