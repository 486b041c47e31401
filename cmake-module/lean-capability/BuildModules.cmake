# Builds the Lean modules of a capability, when the build says so:
#
#   cmake -D SETTINGS=<settings.cmake> -P BuildModules.cmake
#
# makes, beside the settings, liblean_modules.a (the compiled modules), lean_exports.h (what the adaptor
# must know of them) and modules.d (what they were made from). Modules that are up to date are left alone.
cmake_minimum_required(VERSION 3.20)
include("${SETTINGS}")
include("${CMAKE_CURRENT_LIST_DIR}/LeanExports.cmake")

set(ENV{PATH} "${PREFIX}/bin:$ENV{PATH}")

function(fail)
  list(JOIN ARGN "" text)
  message(FATAL_ERROR "${NAME}: ${text}")
endfunction()

function(run folder)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${folder}" RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    fail("this failed (${result}): ${command}")
  endif()
endfunction()

# ---- which modules -----------------------------------------------------------------------------

# The modules that a file imports. Lines that look like an import further down, in a comment for example,
# count too: they name a module that is built in vain, or nothing of this project.
function(read_imports out file)
  set(found "")
  file(STRINGS "${file}" lines REGEX "^ *((public|meta) +)*import +")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "--.*$" "" line "${line}")
    string(REGEX REPLACE "(^| )(public|meta|import|all|runtime)( +(all|runtime))?( |$)" " " line "${line}")
    string(REGEX MATCHALL "[^ \t]+" modules "${line}")
    list(APPEND found ${modules})
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# Sets <out> to the file below the first folder that has it, else to "".
function(find_module out module suffix)
  string(REPLACE "." "/" path "${module}")
  set(${out} "" PARENT_SCOPE)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${folder}/${path}${suffix}")
      set(${out} "${folder}/${path}${suffix}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# Puts a module behind all that it imports into the global list MODULES; a source is in SOURCE_<module>.
function(visit module)
  get_property(seen GLOBAL PROPERTY SEEN)
  if(module IN_LIST seen)
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY SEEN "${module}")
  find_module(source "${module}" .lean ${source_folders})
  if(NOT source)
    set_property(GLOBAL APPEND PROPERTY FOREIGN "${module}")
    return()
  endif()
  set_property(GLOBAL PROPERTY SOURCE_${module} "${source}")
  read_imports(imports "${source}")
  foreach(import IN LISTS imports)
    visit("${import}")
  endforeach()
  set_property(GLOBAL APPEND PROPERTY MODULES "${module}")
endfunction()

# ---- without Lake ------------------------------------------------------------------------------

# Makes <module>.c, unless it is newer than all that it comes from. `made` is the list of modules that
# were compiled in this run: what imports them is compiled too.
function(compile_to_c module)
  get_property(source GLOBAL PROPERTY SOURCE_${module})
  string(REPLACE "." "/" path "${module}")
  set(stem "${FOLDER}/modules/${path}")
  read_imports(imports "${source}")
  foreach(import IN LISTS imports)
    if(import IN_LIST made)
      set(stale TRUE)
    endif()
  endforeach()
  foreach(input IN ITEMS "${source}" "${SETTINGS}" "${PREFIX}/bin/lean")
    if("${input}" IS_NEWER_THAN "${stem}.c")
      set(stale TRUE)
    endif()
  endforeach()
  if(NOT stale AND EXISTS "${stem}.olean")
    return()
  endif()
  get_filename_component(parent "${stem}" DIRECTORY)
  file(MAKE_DIRECTORY "${parent}")
  file(RELATIVE_PATH relative "${PROJECT}" "${source}")
  file(REMOVE "${stem}.c")
  run("${PROJECT}" "${CMAKE_COMMAND}" -E env "LEAN_PATH=${FOLDER}/modules" "${PREFIX}/bin/lean" -R "${PROJECT}"
      -o "${stem}.olean" -c "${stem}.c.new" "${relative}")
  file(RENAME "${stem}.c.new" "${stem}.c") # with this the module is there
  list(APPEND made "${module}")
  set(made "${made}" PARENT_SCOPE)
endfunction()

# ---- with Lake ---------------------------------------------------------------------------------

# The C of modules that are only imported is made for a static library, by any Lake. Before the first
# release of Lean 4 it was a package that had one.
function(run_lake)
  set(targets "${LAKE_TARGETS}")
  if(NOT targets)
    execute_process(COMMAND "${PREFIX}/bin/lake" help build OUTPUT_VARIABLE help ERROR_QUIET)
    if(help MATCHES "staticLib")
      set(targets ":staticLib")
    else()
      set(targets "${LIBRARY}:static")
    endif()
  endif()
  run("${PROJECT}" "${PREFIX}/bin/lake" build ${targets})
endfunction()

# The project and its packages, where the Lakes of all years put them.
function(list_packages out)
  file(GLOB packages LIST_DIRECTORIES true
      "${PROJECT}/lean_packages/*" "${PROJECT}/lake-packages/*" "${PROJECT}/.lake/packages/*")
  set(${out} "${PROJECT};${packages}" PARENT_SCOPE)
endfunction()

# ---- to machine code ---------------------------------------------------------------------------

function(compile_to_object module c object)
  if(NOT "${c}" IS_NEWER_THAN "${object}" AND EXISTS "${object}")
    return()
  endif()
  run("${PROJECT}" "${PREFIX}/bin/leanc" -c -O3 -DNDEBUG -fPIC -o "${object}.new" "${c}")
  file(RENAME "${object}.new" "${object}")
endfunction()

function(write_archive objects)
  file(REMOVE "${FOLDER}/liblean_modules.a")
  run("${FOLDER}" "${AR}" qc "${FOLDER}/liblean_modules.a" ${objects})
endfunction()

# A blank, a number sign and a dollar mean something to the reader of this file.
function(write_depfile inputs)
  set(text "")
  foreach(input IN LISTS inputs)
    string(REPLACE "$" "$$" input "${input}")
    string(REPLACE "#" "\\#" input "${input}")
    string(REPLACE " " "\\ " input "${input}")
    string(APPEND text " \\\n  ${input}")
  endforeach()
  string(REPLACE " " "\\ " target "${FOLDER}/liblean_modules.a")
  file(WRITE "${FOLDER}/modules.d" "${target}:${text}\n")
endfunction()

# ---- all of it ---------------------------------------------------------------------------------

set(use_lake FALSE)
if(NOT NO_LAKE AND EXISTS "${PREFIX}/bin/lake"
    AND (EXISTS "${PROJECT}/lakefile.lean" OR EXISTS "${PROJECT}/lakefile.toml"))
  set(use_lake TRUE)
  run_lake()
  list_packages(packages)
else()
  set(packages "${PROJECT}")
endif()

set(source_folders "${packages}")
foreach(package IN LISTS packages)
  list(APPEND source_folders "${package}/src")
endforeach()
visit("${LIBRARY}")
get_property(modules GLOBAL PROPERTY MODULES)
if(NOT modules)
  fail("there is no module ${LIBRARY} in ${PROJECT}")
endif()

set(c_folders "${FOLDER}/modules")
if(use_lake)
  set(c_folders "")
  foreach(package IN LISTS packages)
    list(APPEND c_folders "${package}/.lake/build/ir" "${package}/build/ir")
  endforeach()
endif()

set(made "")
set(c_files "")
set(objects "")
set(inputs "")
foreach(module IN LISTS modules)
  if(NOT use_lake)
    compile_to_c("${module}")
  endif()
  find_module(c "${module}" .c ${c_folders})
  if(NOT c)
    fail("Lake has built no C for ${module}; name the target that does with LAKE_TARGETS")
  endif()
  string(MAKE_C_IDENTIFIER "${module}" stem)
  file(MAKE_DIRECTORY "${FOLDER}/objects")
  compile_to_object("${module}" "${c}" "${FOLDER}/objects/${stem}.o")
  get_property(source GLOBAL PROPERTY SOURCE_${module})
  list(APPEND c_files "${c}")
  list(APPEND objects "${FOLDER}/objects/${stem}.o")
  list(APPEND inputs "${source}")
endforeach()

foreach(file IN ITEMS lakefile.lean lakefile.toml lake-manifest.json lean-toolchain)
  if(EXISTS "${PROJECT}/${file}")
    list(APPEND inputs "${PROJECT}/${file}")
  endif()
endforeach()

get_property(foreign GLOBAL PROPERTY FOREIGN)
write_lean_exports("${c_files}" "${foreign}")
write_archive("${objects}")
write_depfile("${inputs}")
