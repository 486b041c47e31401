# What the cases share: a tiny project is copied to a scratch folder, configured and built there,
# and the runs of lwbuild are counted. A case is run as
#
#   cmake -D CASE=... -D GENERATOR=... -D LWBUILD=... -D ROOT=... -D SCRATCH=... -D NINJA=...
#       -D MAKE=... -P harness.cmake
#
# and the first expectation that does not hold ends it. This CMake, NINJA and MAKE are what is run.
# LWBUILD is the fake, or a wrapper that counts the calls of the real one (REAL), which then has the
# echo host: both reject a file with the line ${broken}.
cmake_minimum_required(VERSION 3.20)

set(work "${SCRATCH}")
set(source "${work}/source")
set(build "${work}/build")
set(log "${work}/runs.log")
set(ENV{FAKE_LWBUILD_LOG} "${log}")
set(ENV{LWBUILD_CACHE_DIR} "${work}/cache")
set(ENV{HOME} "${work}/home")
foreach(variable IN ITEMS ELAN_HOME ELAN_TOOLCHAIN LEAN_SYSROOT MAKEFLAGS MAKELEVEL DESTDIR)
  unset(ENV{${variable}})
endforeach()
set(broken "-- echo: error 1:0 BROKEN\n")
set(flags "")
if(REAL)
  set(ENV{COUNTED_LWBUILD} "${REAL}")
  set(ENV{LWBUILD_CHILD} "${ECHO_CHILD}")
  set(flags "set(LWBUILD_FLAGS --host echo)")
endif()
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${source}" "${work}/home" "${work}/tools")

# By all the names that CMake looks for, in front of what else is in PATH.
function(provide program)
  if(NOT program)
    return() # this machine has none, and no case for it
  endif()
  foreach(name IN LISTS ARGN)
    file(CREATE_LINK "${program}" "${work}/tools/${name}" SYMBOLIC)
  endforeach()
endfunction()
provide("${NINJA}" ninja ninja-build)
provide("${MAKE}" make gmake)
provide("${CMAKE_COMMAND}" cmake)
provide("${CMAKE_CTEST_COMMAND}" ctest)
set(ENV{PATH} "${work}/tools:$ENV{PATH}")
file(TOUCH "${log}")

function(fail)
  list(JOIN ARGN "" text)
  message(FATAL_ERROR "${CASE}, ${GENERATOR}: ${text}\n---- last output:\n${output}")
endfunction()

# project(<lines>...): CMakeLists.txt of the project under test, behind the usual first lines.
function(project)
  list(JOIN ARGN "\n" text)
  file(WRITE "${source}/CMakeLists.txt"
      "cmake_minimum_required(VERSION 3.10)\nproject(case LANGUAGES NONE)\nenable_testing()\n"
      "include(\"${ROOT}/cmake-module/LWBuild.cmake\")\n${flags}\n${text}\n")
endfunction()

# run([FAILS] <command>...): the output is in ${output}.
macro(run)
  set(command ${ARGN})
  set(should_fail FALSE)
  if("${ARGV0}" STREQUAL "FAILS")
    list(POP_FRONT command)
    set(should_fail TRUE)
  endif()
  execute_process(COMMAND ${command} WORKING_DIRECTORY "${work}"
      RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(should_fail AND result EQUAL 0)
    fail("this should have failed: ${command}")
  elseif(NOT should_fail AND NOT result EQUAL 0)
    fail("failed (${result}): ${command}")
  endif()
endmacro()

macro(configure)
  run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}"
      "-DLWBUILD_EXECUTABLE=${LWBUILD}" ${ARGN})
endmacro()

macro(configure_fails)
  run(FAILS "${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}"
      "-DLWBUILD_EXECUTABLE=${LWBUILD}" ${ARGN})
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
endmacro()

# Until the file system's clock has moved on from the newest output: the edit that follows must be
# newer than it for every build tool. (IS_NEWER_THAN is also true of equal times.)
function(let_the_clock_tick)
  file(TOUCH "${work}/built" "${work}/later")
  while("${work}/built" IS_NEWER_THAN "${work}/later")
    file(TOUCH "${work}/later")
  endwhile()
endfunction()

macro(build)
  run("${CMAKE_COMMAND}" --build "${build}" ${ARGN})
  let_the_clock_tick()
endmacro()

macro(build_fails)
  run(FAILS "${CMAKE_COMMAND}" --build "${build}" ${ARGN})
endmacro()

function(expect_output regex)
  if(NOT output MATCHES "${regex}")
    fail("expected output that matches: ${regex}")
  endif()
endfunction()

function(expect_no_output regex)
  if(output MATCHES "${regex}")
    fail("expected no output that matches: ${regex}")
  endif()
endfunction()

# How often lwbuild was run since the last call; forgets them.
function(expect_runs number)
  file(STRINGS "${log}" runs REGEX "^run")
  list(LENGTH runs count)
  if(NOT count EQUAL number)
    file(READ "${log}" text)
    fail("expected ${number} runs of lwbuild, not ${count}:\n${text}")
  endif()
  file(WRITE "${log}" "")
endfunction()

# expect_arguments(<argument>...): they were given in this order, with nothing between them.
function(expect_arguments)
  file(READ "${log}" text)
  list(JOIN ARGN "\n  " arguments)
  string(FIND "${text}" "  ${arguments}\n" at)
  if(at EQUAL -1)
    fail("expected the arguments\n  ${arguments}\nin\n${text}")
  endif()
endfunction()

function(expect_no_argument argument)
  file(READ "${log}" text)
  string(FIND "${text}" "  ${argument}\n" at)
  if(NOT at EQUAL -1)
    fail("did not expect the argument ${argument} in\n${text}")
  endif()
endfunction()

# A folder that looks like an installed Lean, in elan's place for it.
function(install_fake_lean name)
  set(folder "${work}/home/.elan/toolchains/${name}")
  file(WRITE "${folder}/bin/lean"
      "#!/bin/sh\necho 'Lean (version 4.9.0, commit 0123456789ab, Release)'\n")
  file(MAKE_DIRECTORY "${folder}/lib/lean")
  file(CHMOD "${folder}/bin/lean" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

include("${ROOT}/tests/cmake/cases/${CASE}.cmake")
