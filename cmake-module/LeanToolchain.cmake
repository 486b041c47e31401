#[=======================================================================[.rst:
LeanToolchain
-------------

.. command:: lean_toolchain

  Find the Lean that a project uses, by the rules of ``lwbuild`` itself
  (``lwbuild/plan/toolchain.h``), without running anything::

    lean_toolchain(<prefix-var> <why-var> [PROJECT <dir>] [TOOLCHAIN <path-or-name>])

  Sets ``<prefix-var>`` to the toolchain's folder, so that ``bin/lean`` lies in it, or to
  ``NOTFOUND``; and ``<why-var>`` to who said so, or to what was looked for. The first of these that
  says anything decides; one that names a toolchain which is not installed is not passed over:

  1. ``TOOLCHAIN``: a folder, or a name as elan takes it (``leanprover/lean4:v4.9.0``, ``v4.9.0``)
  2. the environment variable ``LEAN_SYSROOT``, a folder
  3. the environment variable ``ELAN_TOOLCHAIN``, a name
  4. in ``PROJECT`` and the folders above it, the nearest of: an override in elan's settings, the
     file ``lean-toolchain``, the file ``leanpkg.toml``
  5. elan's default toolchain
  6. a ``lean`` in ``PATH`` that is not elan's

  A channel (``stable``) is the newest of that channel that is installed: elan is never run, since
  it may start a download.

.. command:: lean_watch_toolchain

  Have the build run CMake again when another toolchain may be the project's::

    lean_watch_toolchain(<project-dir>)

  That is when one of the files above changes, comes or goes, or a toolchain is installed or removed.
#]=======================================================================]
include_guard(GLOBAL)

cmake_policy(PUSH)
cmake_policy(VERSION 3.20...3.31)

function(_lean_elan_home out)
  if(NOT "$ENV{ELAN_HOME}" STREQUAL "")
    set(home "$ENV{ELAN_HOME}")
  else()
    set(home "$ENV{HOME}/.elan")
  endif()
  set(${out} "${home}" PARENT_SCOPE)
endfunction()

# ---- names -------------------------------------------------------------------------------------

# The name in full, as elan completes it: "4.9.0" is leanprover/lean4:v4.9.0.
function(_lean_full_name out name)
  if(name MATCHES "^nightly")
    set(name "leanprover/lean4-nightly:${name}")
  elseif(NOT name MATCHES ":")
    string(REGEX REPLACE "^([0-9])" "v\\1" name "${name}")
    set(name "leanprover/lean4:${name}")
  endif()
  string(REGEX REPLACE "^leanprover/lean4:nightly" "leanprover/lean4-nightly:nightly" name "${name}")
  set(${out} "${name}" PARENT_SCOPE)
endfunction()

# The newest installed toolchain of a channel, by its folder's name, or "".
function(_lean_newest_of_channel out full_name home)
  set(start "leanprover--lean4---")
  if(full_name STREQUAL "leanprover/lean4:stable")
    set(pattern "^v[0-9.]+$")
  elseif(full_name STREQUAL "leanprover/lean4:beta")
    set(pattern "^v[0-9.]+(-rc[0-9]+)?$")
  elseif(full_name STREQUAL "leanprover/lean4-nightly:nightly")
    set(start "leanprover--lean4-nightly---")
    set(pattern "^nightly-")
  else()
    set(${out} "" PARENT_SCOPE)
    return()
  endif()
  file(GLOB versions RELATIVE "${home}/toolchains" "${home}/toolchains/${start}*")
  list(TRANSFORM versions REPLACE "^${start}" "")
  list(FILTER versions INCLUDE REGEX "${pattern}")
  # So that a candidate comes before its release.
  list(TRANSFORM versions APPEND "-rd" REGEX "^v[0-9.]+$")
  list(SORT versions COMPARE NATURAL)
  list(TRANSFORM versions REPLACE "-rd$" "")
  list(POP_BACK versions newest)
  set(${out} "" PARENT_SCOPE)
  if(newest)
    set(${out} "${start}${newest}" PARENT_SCOPE)
  endif()
endfunction()

# The folder of a toolchain given by folder or name; NOTFOUND if there is no bin/lean in it.
function(_lean_toolchain_folder out name base)
  set(candidates "")
  if(name MATCHES "^[/.]" OR NOT name MATCHES ":")
    get_filename_component(folder "${name}" ABSOLUTE BASE_DIR "${base}")
    list(APPEND candidates "${folder}")
  endif()
  if(NOT name MATCHES "^[/.]")
    _lean_elan_home(home)
    _lean_full_name(full_name "${name}")
    _lean_newest_of_channel(newest "${full_name}" "${home}")
    foreach(folder IN ITEMS "${name}" "${full_name}")
      string(REPLACE "/" "--" folder "${folder}")
      string(REPLACE ":" "---" folder "${folder}")
      list(APPEND candidates "${home}/toolchains/${folder}")
    endforeach()
    if(newest)
      list(APPEND candidates "${home}/toolchains/${newest}")
    endif()
  endif()
  set(${out} NOTFOUND PARENT_SCOPE)
  foreach(folder IN LISTS candidates)
    if(EXISTS "${folder}/bin/lean")
      get_filename_component(folder "${folder}" REALPATH)
      set(${out} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# ---- who names one -----------------------------------------------------------------------------

# What the first line of a file that matches has between quotes, or "".
function(_lean_quoted_value out file line_regex)
  set(${out} "" PARENT_SCOPE)
  if(EXISTS "${file}")
    file(STRINGS "${file}" line REGEX "${line_regex}" LIMIT_COUNT 1)
    if(line MATCHES "= *\"([^\"]*)\" *$")
      set(${out} "${CMAKE_MATCH_1}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(_lean_named_by_folder out_name out_who dir settings)
  string(REGEX REPLACE "([][+.*()^$?|\\])" "\\\\\\1" dir_regex "${dir}")
  _lean_quoted_value(override "${settings}" "^\"?${dir_regex}\"? *=")
  _lean_quoted_value(leanpkg "${dir}/leanpkg.toml" "^lean_version *=")
  if(override)
    set(name "${override}")
    set(who "${settings}")
  elseif(EXISTS "${dir}/lean-toolchain")
    file(STRINGS "${dir}/lean-toolchain" name LIMIT_COUNT 1)
    string(STRIP "${name}" name)
    set(who "${dir}/lean-toolchain")
  else()
    set(name "${leanpkg}")
    set(who "${dir}/leanpkg.toml")
  endif()
  set(${out_name} "${name}" PARENT_SCOPE)
  set(${out_who} "${who}" PARENT_SCOPE)
endfunction()

function(_lean_named_by_project out_name out_who project settings)
  get_filename_component(dir "${project}" REALPATH)
  set(name "")
  while(name STREQUAL "")
    _lean_named_by_folder(name who "${dir}" "${settings}")
    get_filename_component(parent "${dir}" DIRECTORY)
    if(parent STREQUAL dir)
      break()
    endif()
    set(dir "${parent}")
  endwhile()
  set(${out_name} "${name}" PARENT_SCOPE)
  set(${out_who} "${who}" PARENT_SCOPE)
endfunction()

# A lean in PATH, by the folder of its toolchain. elan's own bin folder holds proxies only.
function(_lean_in_path out)
  set(${out} NOTFOUND PARENT_SCOPE)
  string(REPLACE ":" ";" folders "$ENV{PATH}")
  foreach(folder IN LISTS folders)
    if(EXISTS "${folder}/lean" AND NOT EXISTS "${folder}/elan")
      get_filename_component(program "${folder}/lean" REALPATH)
      get_filename_component(bin "${program}" DIRECTORY)
      get_filename_component(prefix "${bin}" DIRECTORY)
      if(NOT program MATCHES "/elan$" AND EXISTS "${prefix}/lib/lean")
        set(${out} "${prefix}" PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# The list in the documentation above, up to elan's default.
function(_lean_toolchain_name out_name out_who project toolchain)
  _lean_elan_home(home)
  set(settings "${home}/settings.toml")
  set(name "${toolchain}")
  set(who "TOOLCHAIN")
  foreach(variable IN ITEMS LEAN_SYSROOT ELAN_TOOLCHAIN)
    if(name STREQUAL "")
      set(name "$ENV{${variable}}")
      set(who "${variable}")
    endif()
  endforeach()
  if(name STREQUAL "")
    _lean_named_by_project(name who "${project}" "${settings}")
  endif()
  if(name STREQUAL "")
    _lean_quoted_value(name "${settings}" "^default_toolchain *=")
    set(who "${settings}")
  endif()
  set(${out_name} "${name}" PARENT_SCOPE)
  set(${out_who} "${who}" PARENT_SCOPE)
endfunction()

function(lean_toolchain out_prefix out_why)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "PROJECT;TOOLCHAIN" "")
  if(NOT DEFINED arg_PROJECT)
    set(arg_PROJECT "${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  _lean_toolchain_name(name who "${arg_PROJECT}" "${arg_TOOLCHAIN}")
  if(NOT name STREQUAL "")
    set(base "${arg_PROJECT}")
    if(IS_ABSOLUTE "${who}")
      get_filename_component(base "${who}" DIRECTORY)
    endif()
    _lean_toolchain_folder(prefix "${name}" "${base}")
    set(why "${name}, from ${who}")
    if(NOT prefix)
      string(APPEND why ", is not installed")
    endif()
  else()
    set(who "")
    _lean_in_path(prefix)
    set(why "PATH")
    if(NOT prefix)
      set(why "no lean-toolchain file, no elan default and no lean in PATH")
    endif()
  endif()
  set(${out_prefix} "${prefix}" PARENT_SCOPE)
  set(${out_why} "${why}" PARENT_SCOPE)
endfunction()

# lean_watch_toolchain(<project>): a build runs CMake again when another toolchain may be the project's by now: a
# file that could name one has changed, comes or goes, or one was installed or removed. What is not
# there cannot be depended on, but a glob can find it later.
function(lean_watch_toolchain project)
  _lean_elan_home(home)
  get_filename_component(dir "${project}" REALPATH)
  set(files "${home}/settings.toml")
  set(parent "")
  while(NOT parent STREQUAL dir)
    list(APPEND files "${dir}/lean-toolchain" "${dir}/leanpkg.toml")
    set(parent "${dir}")
    get_filename_component(dir "${dir}" DIRECTORY)
  endwhile()
  set(patterns "${files}")
  list(TRANSFORM patterns REPLACE "([[*?])" "[\\1]")
  file(GLOB present CONFIGURE_DEPENDS ${patterns} "${home}/toolchains/*/bin/lean")
  foreach(file IN LISTS files)
    if(EXISTS "${file}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    endif()
  endforeach()
endfunction()

cmake_policy(POP)
