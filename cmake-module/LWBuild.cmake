#[=======================================================================[.rst:
LWBuild
-------

Check Lean 4 code and proofs as a part of the build. Comes with ``find_package(LWBuild)``,
``add_subdirectory(lwbuild)`` and FetchContent. CMake 3.20 or newer; Ninja, Ninja Multi-Config or
Unix Makefiles.

.. command:: add_lean_check

  Add a target that is up to date when lwbuild has accepted all of its modules::

    add_lean_check(<target>
      [ALL] [OPTIONAL] [TEST] [NO_CACHE] [ASK_LAKE]
      [PROJECT <dir>] [PACKAGE <name>] [LIBRARY <name>]
      [MODULES <module>...] [SOURCES <file.lean>...] [EXPORTS <file.ndjson>...]
      [SOURCE_ROOTS <dir>...] [IMPORT_PATHS <dir>...]
      [EXPECT <theorem>...] [ALLOW_AXIOMS <axiom>...]
      [TOOLCHAIN <path-or-name>] [OPTIONS <name=value>...] [HOST auto|lean|kernel]
      [ISOLATION warm|fresh|confirm] [FAIL_ON error|warning|sorry]
      [JOBS <n>] [TIMEOUT <seconds>] [DEPENDS <target-or-file>...])

  What to check. Relative paths start at the current source folder.

  ``PROJECT <dir>``
    A Lake project: a folder with a lakefile or a ``lean-toolchain`` file. Without MODULES and
    SOURCES all modules of its default targets are checked; PACKAGE and LIBRARY choose others. When
    PROJECT is missing, it is the nearest such folder upwards. The packages that it requires must be
    built, by ``lake build`` for example; those that Lake keeps in its artifact cache only are found
    there, where LAKE_CACHE_DIR, if it is needed at all, says the same in the environment of the build.
  ``MODULES <module>...``
    Modules of the project by name, such as ``Codec.Huffman``. What they import from the project is
    checked too.
  ``SOURCES <file.lean>...``
    Lean files by path. They may be made by the build; then the build makes them first. Files
    outside of a project are modules named after the file.
  ``EXPORTS <file.ndjson>...``
    Proofs in Lean's export format. lwbuild's own kernel checks them; no Lean is needed. See the
    README for what its "accepted" means.
  ``SOURCE_ROOTS <dir>...``
    Further folders of ``.lean`` files, searched before the project's own.
  ``IMPORT_PATHS <dir>...``
    Folders of ``.olean`` files to import from, for trees without Lake.

  What is demanded.

  ``EXPECT <theorem>...``
    With EXPORTS: theorems that the files must prove. Without it, a file that lost its end would
    still be a file of correct proofs.
  ``ALLOW_AXIOMS <axiom>...``
    With EXPORTS: axioms that may be used beside ``propext``, ``Classical.choice`` and
    ``Quot.sound``; ``*`` stands for any.
  ``FAIL_ON error|warning|sorry``
    What fails the check beside errors. ``sorry`` is about the checked modules themselves: Lean does
    not warn about a sorry in an import, and a module may keep its warning to itself (``#guard_msgs``,
    ``warn.sorry``). What was proved without is shown by an export file.
  ``OPTIONS <name=value>...``
    Lean options for all modules, behind those of the lakefile.
  ``ISOLATION warm|fresh|confirm``
    ``warm`` workers serve many modules (default); ``fresh`` starts a process for each; ``confirm``
    checks a share of the accepted ones again in fresh processes. Messages are those of ``lean
    FILE`` always: before Lean 4.1, whose workers have words of their own, a module with errors,
    warnings or traces is checked in a fresh process as well, after the worker (a sorry is not).

  How it fits into the build.

  ``ALL``
    The target is a part of the default build.
  ``OPTIONAL``
    Where no Lean toolchain is found, the target does nothing and its test is skipped, until there is
    one. Without OPTIONAL, building the target says how to install one.
  ``TEST``
    Also add the test ``lean.<target>`` with label ``lean``. It runs lwbuild itself, which answers
    from the cache after a build.
  ``TOOLCHAIN <path-or-name>``
    Use this toolchain and not the one that the project names.
  ``DEPENDS <target-or-file>...``
    Built first. Files are also a part of what the results depend on.
  ``JOBS <n>``, ``TIMEOUT <seconds>``
    Workers at once, and time per module.
  ``NO_CACHE``
    Neither look results up nor store them.
  ``ASK_LAKE``
    A ``lakefile.lean`` is a program. lwbuild reads the declarations that people write, and refuses one
    that computes what matters; with ASK_LAKE, the toolchain's own lake (Lean 4.8 and later) runs such
    a file, on a copy in a folder of its own, and says what it comes to. The answer is remembered
    until the file or the toolchain changes.

  The toolchain is found when CMake runs and is written into the command; CMake runs again when a file
  that could name one changes, comes or goes, such as the project's ``lean-toolchain``, and when
  a toolchain is installed or removed. Another lwbuild in the same place makes checks run again, too.
  Messages name files relative
  to the current source folder. The target property ``LWBUILD_STAMP`` is a file for commands that
  depend on the check: it changes when something else has been accepted, with Ninja only then. Their target then also needs ``add_dependencies()`` on
  this one, or Make runs the check in both.

  To see the arguments of a check, or to repeat it by hand in the current source folder::

    lwbuild check @<build-folder>/CMakeFiles/<target>.lwb/arguments --verbose

Variables that the functions read when they are called:

``LWBUILD_EXECUTABLE``
  The lwbuild to run, in place of the one that came with this module. Needed when cross-compiling
  with lwbuild as a subproject, as the build machine cannot run what is compiled then.
``LWBUILD_CACHE_DIR``
  The folder of the result cache; by default lwbuild chooses (see ``lwbuild --help``).
``LWBUILD_TOOLCHAIN``
  Default for TOOLCHAIN.
``LWBUILD_FLAGS``
  Further arguments for every check.
#]=======================================================================]
include_guard(GLOBAL)

if(CMAKE_VERSION VERSION_LESS 3.20)
  message(FATAL_ERROR "lwbuild needs CMake 3.20 or newer; this is ${CMAKE_VERSION}")
endif()

include("${CMAKE_CURRENT_LIST_DIR}/LeanToolchain.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/LWBuildCapability.cmake")

set(LWBUILD_EXECUTABLE "" CACHE FILEPATH "The lwbuild to run, in place of the one of the package")
mark_as_advanced(LWBUILD_EXECUTABLE)

# Functions keep the policies that hold where they are defined: those of the caller may be older.
# CMP0116, by which CMake rewrites depfiles for Ninja, matters most.
cmake_policy(PUSH)
cmake_policy(VERSION 3.20...3.31)

# The sentence may come in pieces. They are put together one by one since they may hold semicolons.
function(_lwbuild_fail target)
  set(text "")
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE 1 ${last})
    string(APPEND text "${ARGV${i}}")
  endforeach()
  message(FATAL_ERROR "add_lean_check(${target}): ${text}")
endfunction()

# ---- arguments ---------------------------------------------------------------------------------

# A macro: its results are variables arg_<KEYWORD> of add_lean_check() itself, where all helpers see
# them.
macro(_lwbuild_parse target)
  set(keyword_flags ALL OPTIONAL TEST NO_CACHE ASK_LAKE)
  set(keyword_words PROJECT PACKAGE LIBRARY TOOLCHAIN HOST ISOLATION FAIL_ON JOBS TIMEOUT)
  set(keyword_lists MODULES SOURCES EXPORTS SOURCE_ROOTS IMPORT_PATHS EXPECT ALLOW_AXIOMS OPTIONS
      DEPENDS)
  cmake_parse_arguments(PARSE_ARGV 1 arg "${keyword_flags}" "${keyword_words}" "${keyword_lists}")
  if(DEFINED arg_UNPARSED_ARGUMENTS)
    list(JOIN arg_UNPARSED_ARGUMENTS " " unknown)
    list(JOIN keyword_flags " " known_flags)
    list(JOIN keyword_words " " known_words)
    list(JOIN keyword_lists " " known_lists)
    _lwbuild_fail("${target}" "unknown argument: ${unknown}\nflags: ${known_flags}\n"
        "with a value: ${known_words}\nwith a list: ${known_lists}")
  endif()
  if(DEFINED arg_KEYWORDS_MISSING_VALUES)
    list(JOIN arg_KEYWORDS_MISSING_VALUES " " empty)
    _lwbuild_fail("${target}" "no value behind ${empty}; give one, or leave the keyword out")
  endif()
endmacro()

# A mistyped keyword behind one that takes a list would silently become a value of that.
function(_lwbuild_refuse_typing_errors target)
  set(mistakes MODULE SOURCE EXPORT SOURCE_ROOT IMPORT_PATH EXPECTS ALLOW_AXIOM OPTION DEPEND
      PROJECTS PACKAGES LIBRARIES TESTS JOB FILE FILES ROOT COMMAND COMMENT REQUIRED
      ${keyword_flags} ${keyword_words} ${keyword_lists})
  foreach(keyword IN LISTS keyword_words keyword_lists)
    foreach(value IN LISTS arg_${keyword})
      if(value MATCHES ";")
        _lwbuild_fail("${target}" "'${value}' behind ${keyword} is a list in quotes; leave them out")
      endif()
      if(value IN_LIST mistakes)
        _lwbuild_fail("${target}"
            "${value} stands among the values of ${keyword} and is no keyword; see the "
            "head of LWBuild.cmake for those there are")
      endif()
      if(value MATCHES "\\$<[^>]*CONFIG" AND CMAKE_CONFIGURATION_TYPES)
        _lwbuild_fail("${target}" "${value} behind ${keyword} depends on the configuration, and all share "
            "one check; make a target for each, or leave it out")
      endif()
      if(value MATCHES "\n")
        _lwbuild_fail("${target}" "a value of ${keyword} holds a line break")
      endif()
    endforeach()
  endforeach()
endfunction()

function(_lwbuild_demand_choice target keyword)
  if(DEFINED arg_${keyword} AND NOT arg_${keyword} IN_LIST ARGN)
    list(JOIN ARGN ", " choices)
    _lwbuild_fail("${target}" "${keyword} is one of ${choices}, not '${arg_${keyword}}'")
  endif()
endfunction()

function(_lwbuild_demand_number target keyword)
  if(DEFINED arg_${keyword} AND NOT arg_${keyword} MATCHES "^[1-9][0-9]*$")
    _lwbuild_fail("${target}" "${keyword} is a number from 1 on, not '${arg_${keyword}}'")
  endif()
endfunction()

function(_lwbuild_validate target)
  if(NOT CMAKE_GENERATOR MATCHES "^(Ninja|Ninja Multi-Config|Unix Makefiles)$")
    _lwbuild_fail("${target}"
        "the generator ${CMAKE_GENERATOR} is not supported; use Ninja, Ninja Multi-Config or Unix "
        "Makefiles")
  endif()
  if(TARGET "${target}")
    _lwbuild_fail("${target}" "there is a target of this name already; choose another")
  endif()
  _lwbuild_refuse_typing_errors("${target}")
  _lwbuild_demand_choice("${target}" HOST auto lean kernel)
  _lwbuild_demand_choice("${target}" ISOLATION warm fresh confirm)
  _lwbuild_demand_choice("${target}" FAIL_ON error warning sorry)
  _lwbuild_demand_number("${target}" JOBS)
  _lwbuild_demand_number("${target}" TIMEOUT)
  foreach(option IN LISTS arg_OPTIONS)
    if(NOT option MATCHES "^[^=]+=")
      _lwbuild_fail("${target}"
          "OPTIONS '${option}' has no value; write ${option}=true or the like")
    endif()
  endforeach()
  foreach(module IN LISTS arg_MODULES)
    if(module MATCHES "/|\\.lean$|\\.ndjson$")
      _lwbuild_fail("${target}" "MODULES '${module}' is a file; write it behind SOURCES or EXPORTS")
    endif()
  endforeach()
  if(arg_EXPORTS AND (arg_MODULES OR arg_SOURCES))
    _lwbuild_fail("${target}"
        "EXPORTS are checked by the kernel, MODULES and SOURCES by Lean; make two "
        "targets")
  endif()
  if(arg_EXPORTS AND "${arg_HOST}" STREQUAL "lean")
    _lwbuild_fail("${target}" "EXPORTS are checked by the kernel; leave HOST lean out")
  endif()
  foreach(keyword IN ITEMS PACKAGE LIBRARY OPTIONS SOURCE_ROOTS IMPORT_PATHS TOOLCHAIN)
    if(DEFINED arg_${keyword} AND arg_EXPORTS)
      _lwbuild_fail("${target}"
          "${keyword} is for Lean modules; EXPORTS stand for themselves, leave it out")
    endif()
  endforeach()
  if(DEFINED arg_LIBRARY AND (arg_MODULES OR arg_SOURCES))
    _lwbuild_fail("${target}"
        "LIBRARY chooses what to check, and so do MODULES and SOURCES; leave one of them out")
  endif()
  foreach(keyword IN ITEMS EXPECT ALLOW_AXIOMS)
    if(arg_${keyword} AND NOT arg_EXPORTS)
      _lwbuild_fail("${target}"
          "${keyword} is for EXPORTS only: Lean does not say which axioms a module "
          "uses")
    endif()
  endforeach()
endfunction()

function(_lwbuild_absolute_paths out keyword)
  set(paths "")
  foreach(path IN LISTS arg_${keyword})
    get_filename_component(path "${path}" ABSOLUTE)
    list(APPEND paths "${path}")
  endforeach()
  set(${out} "${paths}" PARENT_SCOPE)
endfunction()

function(_lwbuild_is_made_by_build out path)
  get_source_file_property(generated "${path}" GENERATED)
  string(FIND "${path}" "${CMAKE_BINARY_DIR}/" in_build)
  if(generated OR in_build EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# A file must exist, or be made by the build.
function(_lwbuild_demand_files target keyword suffix)
  foreach(path IN LISTS arg_${keyword})
    if(NOT path MATCHES "\\.${suffix}$")
      _lwbuild_fail("${target}" "${keyword} takes files that end in .${suffix}, not '${path}'")
    endif()
    _lwbuild_is_made_by_build(made "${path}")
    if(NOT EXISTS "${path}" AND NOT made)
      _lwbuild_fail("${target}"
          "${keyword}: there is no file ${path}, and no command that makes it")
    endif()
  endforeach()
endfunction()

# A folder must exist, or lie in the build tree, where the build may make it.
function(_lwbuild_demand_folders target keyword)
  foreach(path IN LISTS arg_${keyword})
    _lwbuild_is_made_by_build(made "${path}")
    if(NOT IS_DIRECTORY "${path}" AND NOT made)
      _lwbuild_fail("${target}" "${keyword}: there is no folder ${path}")
    endif()
  endforeach()
endfunction()

# <dir> or the nearest folder above it that holds one of the files, or "".
function(_lwbuild_find_above out dir)
  while(TRUE)
    foreach(name IN LISTS ARGN)
      if(EXISTS "${dir}/${name}")
        set(${out} "${dir}" PARENT_SCOPE)
        return()
      endif()
    endforeach()
    get_filename_component(parent "${dir}" DIRECTORY)
    if(parent STREQUAL dir)
      set(${out} "" PARENT_SCOPE)
      return()
    endif()
    set(dir "${parent}")
  endwhile()
endfunction()

# The project is given, or the nearest folder upwards that looks like one. Only a check by module,
# or of everything, cannot do without.
function(_lwbuild_find_project out target)
  if(DEFINED arg_PROJECT)
    get_filename_component(project "${arg_PROJECT}" ABSOLUTE)
    if(NOT IS_DIRECTORY "${project}")
      _lwbuild_fail("${target}" "PROJECT ${project} is no folder")
    endif()
  else()
    _lwbuild_find_above(project "${CMAKE_CURRENT_SOURCE_DIR}"
        lakefile.lean lakefile.toml lean-toolchain)
    if(arg_EXPORTS)
      set(project "")
    elseif(NOT project AND arg_SOURCES)
      # The files stand for themselves; what lies further up is none of their business.
      set(project "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    if(NOT project AND NOT arg_SOURCES AND NOT arg_EXPORTS)
      _lwbuild_fail("${target}"
          "nothing to check: give PROJECT, SOURCES or EXPORTS (there is no lakefile "
          "and no lean-toolchain in or above ${CMAKE_CURRENT_SOURCE_DIR})")
    endif()
  endif()
  set(${out} "${project}" PARENT_SCOPE)
endfunction()

# Files and targets of DEPENDS apart: both are built first, files are inputs of the results as well.
function(_lwbuild_split_depends out_all out_files target)
  set(all "")
  set(files "")
  foreach(item IN LISTS arg_DEPENDS)
    if(NOT TARGET "${item}")
      get_filename_component(path "${item}" ABSOLUTE)
      _lwbuild_is_made_by_build(made "${path}")
      if(NOT EXISTS "${path}" AND NOT made)
        _lwbuild_fail("${target}"
            "DEPENDS '${item}' is neither a target made before this call nor a file")
      endif()
      if(IS_DIRECTORY "${path}")
        _lwbuild_fail("${target}" "DEPENDS '${item}' is a folder; name the files in it that count")
      endif()
      list(APPEND files "${path}")
      set(item "${path}")
    endif()
    list(APPEND all "${item}")
  endforeach()
  set(${out_all} "${all}" PARENT_SCOPE)
  set(${out_files} "${files}" PARENT_SCOPE)
endfunction()

# ---- the program -------------------------------------------------------------------------------

# What to run, and what has to be there (and up to date) before it is run. An lwbuild that comes as a package
# may be older than the stamps that the one before has left; but its folder changes when it is put there.
function(_lwbuild_program out_command out_depends target)
  if(LWBUILD_EXECUTABLE)
    if(NOT EXISTS "${LWBUILD_EXECUTABLE}")
      _lwbuild_fail("${target}"
          "LWBUILD_EXECUTABLE is ${LWBUILD_EXECUTABLE}, and there is no such file")
    endif()
    set(command "${LWBUILD_EXECUTABLE}")
    get_filename_component(folder "${LWBUILD_EXECUTABLE}" DIRECTORY)
    set(depends "${LWBUILD_EXECUTABLE}" "${folder}")
    if(EXISTS "${folder}/lwbuild-child")
      list(APPEND depends "${folder}/lwbuild-child")
    endif()
  elseif(NOT TARGET LWBuild::lwbuild)
    _lwbuild_fail("${target}" "there is no lwbuild to run; use find_package(LWBuild), or set "
        "LWBUILD_EXECUTABLE")
  else()
    get_target_property(imported LWBuild::lwbuild IMPORTED)
    if(CMAKE_CROSSCOMPILING AND NOT imported AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
      _lwbuild_fail("${target}"
          "this build compiles lwbuild for ${CMAKE_SYSTEM_NAME} and cannot run it; "
          "install lwbuild on this machine and set LWBUILD_EXECUTABLE to it")
    endif()
    set(command LWBuild::lwbuild)
    set(depends LWBuild::lwbuild LWBuild::lwbuild-child)
    if(imported)
      get_target_property(location LWBuild::lwbuild LOCATION)
      get_filename_component(folder "${location}" DIRECTORY)
      list(APPEND depends "${folder}")
    endif()
  endif()
  set(${out_command} "${command}" PARENT_SCOPE)
  set(${out_depends} "${depends}" PARENT_SCOPE)
endfunction()

# ---- the command line --------------------------------------------------------------------------

# Everything that has a say in the result, one argument per line. It is in a file, since lists may
# be long, Ninja repeats the command when it fails, and Make does not notice that a command changed.
function(_lwbuild_write_arguments file project toolchain inputs)
  set(arguments "")
  if(project)
    list(APPEND arguments --project "${project}")
  endif()
  if(toolchain)
    list(APPEND arguments --toolchain "${toolchain}")
  endif()
  foreach(pair IN ITEMS
      PACKAGE=--package LIBRARY=--library HOST=--host ISOLATION=--isolation FAIL_ON=--fail-on
      JOBS=--jobs TIMEOUT=--timeout SOURCE_ROOTS=--source-root IMPORT_PATHS=--import-path
      OPTIONS=-D ALLOW_AXIOMS=--allow-axiom EXPECT=--expect)
    string(REGEX MATCH "^[^=]+" keyword "${pair}")
    string(REGEX MATCH "[^=]+$" option "${pair}")
    foreach(value IN LISTS arg_${keyword})
      list(APPEND arguments "${option}" "${value}")
    endforeach()
  endforeach()
  foreach(input IN LISTS inputs)
    list(APPEND arguments --input "${input}")
  endforeach()
  if(arg_NO_CACHE)
    list(APPEND arguments --no-cache)
  elseif(LWBUILD_CACHE_DIR)
    list(APPEND arguments --cache "${LWBUILD_CACHE_DIR}")
  endif()
  if(arg_ASK_LAKE)
    list(APPEND arguments --ask-lake)
  endif()
  if(CMAKE_COLOR_DIAGNOSTICS)
    list(APPEND arguments --color always)
  endif()
  list(APPEND arguments ${LWBUILD_FLAGS} -- ${arg_MODULES} ${arg_SOURCES} ${arg_EXPORTS})
  list(JOIN arguments "\n" text)
  file(GENERATE OUTPUT "${file}" CONTENT "${text}\n")
endfunction()

# ---- targets -----------------------------------------------------------------------------------

function(_lwbuild_add_skipped target why)
  message(STATUS "lwbuild: ${target} is skipped: no Lean toolchain (${why})")
  set(text "${target}: skipped, no Lean toolchain (${why})")
  add_custom_target(${target} COMMAND "${CMAKE_COMMAND}" -E echo "${text}" VERBATIM)
  set_target_properties(${target} PROPERTIES LWBUILD_STAMP "") # there is nothing to depend on
  if(arg_TEST)
    add_test(NAME lean.${target} COMMAND "${CMAKE_COMMAND}" -E echo "${text}")
    set_tests_properties(lean.${target} PROPERTIES LABELS lean SKIP_REGULAR_EXPRESSION "skipped")
  endif()
endfunction()

function(_lwbuild_add_test target command arguments)
  add_test(NAME lean.${target} COMMAND ${command} check "@${arguments}"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set_tests_properties(lean.${target} PROPERTIES LABELS lean SKIP_RETURN_CODE 77)
  if(DEFINED arg_JOBS)
    set_tests_properties(lean.${target} PROPERTIES PROCESSORS "${arg_JOBS}")
  endif()
endfunction()

# One run of lwbuild keeps all processors busy, so runs follow each other.
function(_lwbuild_define_pool)
  get_property(pools GLOBAL PROPERTY JOB_POOLS)
  if(NOT pools MATCHES "(^|;)lwbuild=")
    set_property(GLOBAL APPEND PROPERTY JOB_POOLS lwbuild=1)
  endif()
endfunction()

# Makefiles keep what a depfile once named: the list grows with each run, and a file that is deleted
# makes the check run for good. Without this file CMake reads the depfile afresh.
function(_lwbuild_forget_depends out target)
  set(${out} COMMAND "${CMAKE_COMMAND}" -E rm -f
      "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.dir/compiler_depend.internal" PARENT_SCOPE)
endfunction()

# The check dates its stamp anew each time: Ninja up to 1.11 takes an output that has kept its date for one
# as new as the inputs are by then, and an edit of that moment for checked (outputs.h). So that
# what depends on a check is not made again after each, a copy is left alone when it is equal.
function(_lwbuild_add_copy target copy stamp)
  add_custom_command(
      OUTPUT "${copy}"
      COMMAND "${CMAKE_COMMAND}" -E copy_if_different "${stamp}" "${copy}"
      DEPENDS "${stamp}"
      COMMENT "Lean proofs are accepted: ${target}"
      VERBATIM)
endfunction()

# --known-inputs keeps out of the depfile what stands in DEPENDS: Ninja reads depfiles anew at each
# start, and CMake cannot carry all file names through them.
function(_lwbuild_add_command target command depends arguments stamp)
  set(prepare "")
  set(more_commands "")
  set(more_arguments "")
  if(CMAKE_GENERATOR MATCHES "Ninja")
    _lwbuild_define_pool()
    set(more_arguments JOB_POOL lwbuild)
  else()
    _lwbuild_forget_depends(more_commands "${target}")
    get_filename_component(folder "${stamp}" DIRECTORY)
    set(prepare COMMAND "${CMAKE_COMMAND}" -E make_directory "${folder}") # Ninja does so by itself
    if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.28)
      set(more_arguments JOB_SERVER_AWARE TRUE)
    endif()
  endif()
  add_custom_command(
      OUTPUT "${stamp}"
      BYPRODUCTS "${stamp}.d" "${stamp}.snapshot" "${stamp}.snapshot.keys"
      ${prepare}
      COMMAND ${command} check --stamp "${stamp}" --depfile "${stamp}.d" --stamp-mode touch
          --known-inputs "@${arguments}"
      ${more_commands}
      DEPENDS ${depends} "${arguments}"
      DEPFILE "${stamp}.d"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
      COMMENT "Checking Lean proofs: ${target}"
      ${more_arguments}
      VERBATIM)
endfunction()

function(add_lean_check target)
  # CMake drops an empty value, and the keyword before it would silently mean nothing.
  set(before "add_lean_check(")
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE ${last})
    if("${ARGV${i}}" STREQUAL "")
      _lwbuild_fail("${target}"
          "the argument behind ${before} is empty (a variable that is not set?); give it a value, or "
          "leave it out")
    endif()
    set(before "${ARGV${i}}")
  endforeach()
  _lwbuild_parse("${target}")
  _lwbuild_validate("${target}")
  foreach(keyword IN ITEMS SOURCES EXPORTS SOURCE_ROOTS IMPORT_PATHS)
    _lwbuild_absolute_paths(arg_${keyword} ${keyword})
  endforeach()
  _lwbuild_demand_files("${target}" SOURCES lean)
  _lwbuild_demand_files("${target}" EXPORTS ndjson)
  _lwbuild_demand_folders("${target}" SOURCE_ROOTS)
  _lwbuild_demand_folders("${target}" IMPORT_PATHS)
  _lwbuild_find_project(project "${target}")
  _lwbuild_split_depends(depends inputs "${target}")

  set(toolchain "")
  if(NOT arg_EXPORTS)
    if(NOT DEFINED arg_TOOLCHAIN)
      set(arg_TOOLCHAIN "${LWBUILD_TOOLCHAIN}")
    endif()
    lean_toolchain(toolchain why PROJECT "${project}" TOOLCHAIN "${arg_TOOLCHAIN}")
    lean_watch_toolchain("${project}")
    if(NOT toolchain AND arg_OPTIONAL)
      _lwbuild_add_skipped("${target}" "${why}")
      return()
    endif()
    if(NOT toolchain)
      message(STATUS "lwbuild: ${target} cannot be checked yet: no Lean toolchain (${why})")
      set(toolchain "${arg_TOOLCHAIN}")
    endif()
  endif()

  _lwbuild_program(command program_depends "${target}")
  set(arguments "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${target}.lwb/arguments")
  _lwbuild_write_arguments("${arguments}" "${project}" "${toolchain}" "${inputs}")
  set(stamp "${CMAKE_CURRENT_BINARY_DIR}/${target}.lwb/stamp")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${target}.lwb")
  list(APPEND depends ${program_depends} ${arg_SOURCES} ${arg_EXPORTS})
  _lwbuild_add_command("${target}" "${command}" "${depends}" "${arguments}" "${stamp}")
  set(result "${stamp}")
  if(CMAKE_GENERATOR MATCHES "Ninja") # Make would run the copy each time that it is older
    set(result "${CMAKE_CURRENT_BINARY_DIR}/${target}.lwb/accepted")
    _lwbuild_add_copy("${target}" "${result}" "${stamp}")
  endif()

  set(all "")
  if(arg_ALL)
    set(all ALL)
  endif()
  add_custom_target(${target} ${all} DEPENDS "${result}")
  set_target_properties(${target} PROPERTIES LWBUILD_STAMP "${result}")
  if(arg_TEST)
    _lwbuild_add_test("${target}" "${command}" "${arguments}")
  endif()
endfunction()

cmake_policy(POP)
