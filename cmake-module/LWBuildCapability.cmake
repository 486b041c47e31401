#[=======================================================================[.rst:
LWBuildCapability
-----------------

Functions of a Lean library as commands that a C program, the shell or a build rule can call. Comes with
``LWBuild``.

.. command:: add_lean_capability

  Build a capability library (``lwbuild/capability.h``) from a Lean library::

    add_lean_capability(<target>
      [ALL] [OPTIONAL] [NO_LAKE]
      PROJECT <dir> [PACKAGE <name>] LIBRARY <name> [VERSION <version>]
      [METADATA <export>] [DOCTOR <export>] [JSON <export>...] [STREAM <export>...]
      [TOOLCHAIN <path-or-name>] [LAKE_TARGETS <target>...])

  What is built.

  ``PROJECT <dir>``, ``LIBRARY <name>``
    The folder of the Lean project, and the library's root module, such as ``Survey`` for ``Survey.lean``.
    With a lakefile, ``lake build`` builds it, in the project's own build folder and with everything that this
    implies, fetching packages for example. Without one, or with ``NO_LAKE``, the modules are compiled by ``lean``
    into the build folder; imports are then looked for in PROJECT.
  ``PACKAGE <name>``
    The package's name, for the record.
  ``LAKE_TARGETS <target>...``
    What Lake shall build, in place of the library.
  ``VERSION <version>``
    Of the capability; 1 by default.
  ``TOOLCHAIN <path-or-name>``
    Use this Lean and not the one that the project names. By default the variable ``LWBUILD_TOOLCHAIN``.

  What it offers. An export is the name in Lean's ``@[export name]``; ``command=name`` gives the command a
  name of its own.

  ``JSON <export>...``
    Commands: ``String -> IO String``, a JSON text for a JSON text.
  ``STREAM <export>...``
    Streams: ``String -> USize -> USize -> IO UInt8``, request, call-back and its context. The call-back is called
    by means of ``LWBuild.lean``, which examples/lean-capability has.
  ``METADATA <export>``, ``DOCTOR <export>``
    As JSON. Without them the capability lists its commands, and is well when Lean has started.

  The target is a CMake module library, built like C and installed with ``install(TARGETS)``. Beside it lies
  its manifest, ``$<TARGET_FILE_DIR:target>/<target>.json``: install it into the same folder. It names the
  library by a relative path, so the two can be moved together. It holds the library's digest: whatever
  changes the library behind the build's back, such as ``install/strip``, makes it worthless.

  ``ALL``
    The target is a part of the default build.
  ``OPTIONAL``
    Where no Lean toolchain is found, the target does nothing, until there is one.

  It is built again when a module of the library or of a package changes by content, the lakefile, the
  arguments of the call, or the toolchain: another one that the project names now, or other files in the same
  place. Two capabilities of one Lake project are built one after the other.

  ``lwbuild capability build`` builds the same without CMake in the build, C programs do by
  ``lwbuild/session/capability_build.h``; ``lwbuild doctor <manifest>`` says whether it works.

  The project must have enabled C. The modules are compiled by the toolchain's ``leanc``, the adaptor
  by the project's C compiler.
#]=======================================================================]
include_guard(GLOBAL)

include("${CMAKE_CURRENT_LIST_DIR}/LeanToolchain.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/lean-capability/LeanLibraries.cmake")

cmake_policy(PUSH)
cmake_policy(VERSION 3.20...3.31)

# The sentence may come in pieces. They are put together one by one since they may hold semicolons.
function(_lwbuild_capability_fail target)
  set(text "")
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE 1 ${last})
    string(APPEND text "${ARGV${i}}")
  endforeach()
  message(FATAL_ERROR "add_lean_capability(${target}): ${text}")
endfunction()

# ---- arguments ---------------------------------------------------------------------------------

# A macro: its results are variables arg_<KEYWORD> of add_lean_capability() itself.
macro(_lwbuild_capability_parse target)
  set(keyword_flags ALL OPTIONAL NO_LAKE)
  set(keyword_words PROJECT PACKAGE LIBRARY VERSION METADATA DOCTOR TOOLCHAIN)
  set(keyword_lists JSON STREAM LAKE_TARGETS)
  cmake_parse_arguments(PARSE_ARGV 1 arg "${keyword_flags}" "${keyword_words}" "${keyword_lists}")
  if(DEFINED arg_UNPARSED_ARGUMENTS)
    list(JOIN arg_UNPARSED_ARGUMENTS " " unknown)
    _lwbuild_capability_fail("${target}" "unknown argument: ${unknown}; see the head of LWBuildCapability.cmake")
  endif()
  if(DEFINED arg_KEYWORDS_MISSING_VALUES)
    list(JOIN arg_KEYWORDS_MISSING_VALUES " " empty)
    _lwbuild_capability_fail("${target}" "no value behind ${empty}; give one, or leave the keyword out")
  endif()
endmacro()

# "command=export" or "export" apart. Both end up in C, in JSON and in messages.
function(_lwbuild_capability_split out_command out_symbol target item)
  string(REGEX REPLACE "^.*=" "" symbol "${item}")
  string(REGEX REPLACE "=.*$" "" command "${item}")
  if(NOT symbol MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    _lwbuild_capability_fail("${target}" "'${symbol}' is not a name that @[export] takes: letters, digits and _")
  endif()
  if(NOT command MATCHES "^[A-Za-z0-9_.-]+$")
    _lwbuild_capability_fail("${target}" "'${command}' is no name for a command: letters, digits, _ . and -")
  endif()
  set(${out_command} "${command}" PARENT_SCOPE)
  set(${out_symbol} "${symbol}" PARENT_SCOPE)
endfunction()

function(_lwbuild_capability_validate target)
  set(symbols "")
  set(commands "")
  if(TARGET "${target}")
    _lwbuild_capability_fail("${target}" "there is a target of this name already; choose another")
  endif()
  set(what_PROJECT "the folder of the Lean project")
  set(what_LIBRARY "the library's root module, such as Survey for Survey.lean")
  foreach(keyword IN ITEMS PROJECT LIBRARY)
    if(NOT DEFINED arg_${keyword})
      _lwbuild_capability_fail("${target}" "${keyword} is missing; give ${what_${keyword}}")
    endif()
  endforeach()
  if(NOT arg_JSON AND NOT arg_STREAM)
    _lwbuild_capability_fail("${target}" "nothing to call: give JSON or STREAM")
  endif()
  if(NOT arg_LIBRARY MATCHES "^[^./][^/]*$" OR arg_LIBRARY MATCHES "\\.lean$")
    _lwbuild_capability_fail("${target}" "LIBRARY is a module's name, such as Survey, not '${arg_LIBRARY}'")
  endif()
  foreach(item IN LISTS arg_JSON arg_STREAM arg_METADATA arg_DOCTOR)
    # A mistyped keyword behind one that takes a list would become a value of that.
    if(item MATCHES "^(JSONS|STREAMS|COMMANDS?|EXPORTS?|PACKAGES|LIBRARIES|LAKE_TARGET|REQUIRED|DEPENDS)$")
      _lwbuild_capability_fail("${target}" "${item} stands among the exports and is no keyword; see the head "
          "of LWBuildCapability.cmake for those there are")
    endif()
    _lwbuild_capability_split(command symbol "${target}" "${item}")
    list(APPEND symbols "${symbol}")
  endforeach()
  foreach(item IN LISTS arg_JSON arg_STREAM)
    _lwbuild_capability_split(command symbol "${target}" "${item}")
    list(APPEND commands "${command}")
  endforeach()
  foreach(list IN ITEMS symbols commands)
    set(unique "${${list}}")
    list(REMOVE_DUPLICATES unique)
    if(NOT unique STREQUAL "${${list}}")
      list(JOIN ${list} ", " names)
      _lwbuild_capability_fail("${target}" "a name occurs twice: ${names}; give one of them a name of its "
          "own, as in other=symbol, or leave it out")
    endif()
  endforeach()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT "C" IN_LIST languages)
    _lwbuild_capability_fail("${target}" "the project has not enabled C; write project(... LANGUAGES C)")
  endif()
endfunction()

# ---- targets -----------------------------------------------------------------------------------

# Where lwbuild/capability.h is: beside this module in a source tree, or installed.
function(_lwbuild_capability_link_abi target)
  if(TARGET LWBuild::capability)
    target_link_libraries(${target} PRIVATE LWBuild::capability)
    return()
  endif()
  get_filename_component(root "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/.." ABSOLUTE)
  find_path(LWBUILD_INCLUDE_DIR lwbuild/capability.h HINTS "${root}" "${root}/../../include")
  mark_as_advanced(LWBUILD_INCLUDE_DIR)
  if(NOT LWBUILD_INCLUDE_DIR)
    _lwbuild_capability_fail("${target}" "lwbuild/capability.h is nowhere; set LWBUILD_INCLUDE_DIR")
  endif()
  target_include_directories(${target} PRIVATE "${LWBUILD_INCLUDE_DIR}")
endfunction()

# Makefiles keep what a depfile once named: a module that is deleted would make the command run for good.
# Without this file CMake reads the depfile afresh.
function(_lwbuild_capability_forget out target)
  set(${out} "" PARENT_SCOPE)
  if(CMAKE_GENERATOR MATCHES "Makefiles")
    set(${out} COMMAND "${CMAKE_COMMAND}" -E rm -f
        "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/compiler_depend.internal" PARENT_SCOPE)
  endif()
endfunction()

# Lean's modules as one archive, and what the adaptor must know of them. The scripts read their
# arguments from a file, so that a change of one of them is a reason to run again. A target of its own:
# else Make would run the command for everybody who depends on its outputs.
function(_lwbuild_capability_add_modules target folder settings)
  set(scripts "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lean-capability")
  lean_shared_libraries(libraries "${prefix}")
  _lwbuild_capability_forget(forget ${target}_modules)
  add_custom_command(
    OUTPUT "${folder}/liblean_modules.a"
    BYPRODUCTS "${folder}/lean_exports.h"
    COMMAND "${CMAKE_COMMAND}" -D "SETTINGS=${settings}" -P "${scripts}/BuildModules.cmake"
    ${forget}
    DEPENDS "${settings}" "${scripts}/BuildModules.cmake" "${scripts}/LeanExports.cmake"
        "${scripts}/Failure.cmake" "${prefix}/bin/lean" "${prefix}/include/lean/lean.h" ${libraries}
    DEPFILE "${folder}/modules.d"
    COMMENT "Building the Lean library ${arg_LIBRARY} for ${target}"
    VERBATIM)
  add_custom_target(${target}_modules DEPENDS "${folder}/liblean_modules.a")
endfunction()

function(_lwbuild_capability_link_lean target prefix)
  lean_shared_libraries(libraries "${prefix}")
  if(NOT libraries)
    _lwbuild_capability_fail("${target}" "there is no libleanshared in ${prefix}/lib/lean; give the folder "
        "of a whole Lean by TOOLCHAIN, or install this one again")
  endif()
  target_include_directories(${target} SYSTEM PRIVATE "${prefix}/include")
  target_link_libraries(${target} PRIVATE ${libraries})
  # Lean never ends, so the code that it runs must never be unmapped.
  if(NOT APPLE)
    target_link_options(${target} PRIVATE "LINKER:-z,nodelete")
  endif()
  set_target_properties(${target} PROPERTIES
      BUILD_WITH_INSTALL_RPATH TRUE INSTALL_RPATH "${prefix}/lib/lean")
endfunction()

function(_lwbuild_capability_add_library target folder settings)
  set(script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lean-capability/WriteManifest.cmake")
  set(all EXCLUDE_FROM_ALL)
  if(arg_ALL)
    set(all "")
  endif()
  add_library(${target} MODULE ${all}
      "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lean-capability/lean_capability.c")
  add_dependencies(${target} ${target}_modules)
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE "${folder}/liblean_modules.a")
  _lwbuild_capability_link_abi(${target})
  _lwbuild_capability_link_lean(${target} "${prefix}")
  set_target_properties(${target} PROPERTIES
      C_STANDARD 11 C_EXTENSIONS ON C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON
      LINK_DEPENDS "${folder}/liblean_modules.a;${script};${settings}")
  add_custom_command(TARGET ${target} POST_BUILD
      COMMAND "${CMAKE_COMMAND}" -D "SETTINGS=${settings}" -D "LIBRARY_FILE=$<TARGET_FILE:${target}>"
          -D "OUTPUT=$<TARGET_FILE_DIR:${target}>/${target}.json" -P "${script}"
      VERBATIM)
endfunction()

function(_lwbuild_capability_write_settings file target project prefix)
  foreach(variable IN ITEMS LIBRARY PACKAGE METADATA DOCTOR JSON STREAM LAKE_TARGETS NO_LAKE)
    set(${variable} "${arg_${variable}}")
  endforeach()
  set(NAME "${target}")
  set(PROJECT "${project}")
  set(PREFIX "${prefix}")
  set(VERSION 1)
  if(DEFINED arg_VERSION)
    set(VERSION "${arg_VERSION}")
  endif()
  set(AR "${CMAKE_AR}")
  set(TOUCH FALSE)
  if(CMAKE_GENERATOR MATCHES "Makefiles")
    set(TOUCH TRUE)
  endif()
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lean-capability/settings.cmake.in" "${file}" @ONLY)
endfunction()

function(_lwbuild_capability_add_skipped target why)
  message(STATUS "lwbuild: ${target} is skipped: no Lean toolchain (${why})")
  add_custom_target(${target} COMMAND "${CMAKE_COMMAND}" -E echo
      "${target}: skipped, no Lean toolchain (${why})" VERBATIM)
endfunction()

function(add_lean_capability target)
  _lwbuild_capability_parse("${target}" ${ARGN})
  _lwbuild_capability_validate("${target}")
  get_filename_component(project "${arg_PROJECT}" ABSOLUTE)
  if(NOT IS_DIRECTORY "${project}")
    _lwbuild_capability_fail("${target}" "PROJECT ${project} is no folder; give that of the Lean project")
  endif()
  if(NOT arg_TOOLCHAIN AND LWBUILD_TOOLCHAIN)
    set(arg_TOOLCHAIN "${LWBUILD_TOOLCHAIN}")
  endif()
  lean_toolchain(prefix why PROJECT "${project}" TOOLCHAIN "${arg_TOOLCHAIN}")
  lean_watch_toolchain("${project}")
  if(NOT prefix AND arg_OPTIONAL)
    _lwbuild_capability_add_skipped(${target} "${why}")
    return()
  elseif(NOT prefix)
    _lwbuild_capability_fail("${target}" "no Lean toolchain: ${why}\nInstall one with elan "
        "(https://leanprover-community.github.io), or write OPTIONAL to do without")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.lean")
  set(settings "${folder}/settings.cmake")
  _lwbuild_capability_write_settings("${settings}" "${target}" "${project}" "${prefix}")
  _lwbuild_capability_add_modules(${target} "${folder}" "${settings}")
  _lwbuild_capability_add_library(${target} "${folder}" "${settings}")
endfunction()

cmake_policy(POP)
