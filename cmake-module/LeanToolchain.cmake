#[=======================================================================[.rst:
LeanToolchain
-------------

.. command:: lean_toolchain

  Find the Lean that a project uses, by the rules that lwbuild follows, without running anything::

    lean_toolchain(<prefix-var> <why-var> [PROJECT <dir>] [TOOLCHAIN <path-or-name>])

  Sets ``<prefix-var>`` to the toolchain's folder, so that ``bin/lean`` lies in it, or to ``NOTFOUND``;
  and ``<why-var>`` to who said so, or to what was looked for. The first of these that says anything
  decides; one that names a toolchain which is not installed is not passed over:

  1. ``TOOLCHAIN``: a folder, or a name as elan takes it (``leanprover/lean4:v4.9.0``, ``v4.9.0``)
  2. the environment variable ``LEAN_SYSROOT``, a folder
  3. the environment variable ``ELAN_TOOLCHAIN``, a name
  4. the file ``lean-toolchain`` in ``PROJECT`` or the nearest folder above it
  5. elan's default toolchain
  6. a ``lean`` in ``PATH`` that is not elan's

  elan itself is never run, since it may start a download.
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

# The folder of a toolchain given by folder or name; NOTFOUND if there is no bin/lean in it.
function(_lean_toolchain_folder out name base)
  if(name MATCHES "^[/.]")
    get_filename_component(folder "${name}" ABSOLUTE BASE_DIR "${base}")
  else()
    _lean_elan_home(home)
    if(name MATCHES "^(v?[0-9]+\\.[0-9]|nightly|stable|beta)")
      string(REGEX REPLACE "^([0-9])" "v\\1" name "${name}")
      set(name "leanprover/lean4:${name}")
    endif()
    string(REGEX REPLACE "^(leanprover/lean4):nightly" "\\1-nightly:nightly" name "${name}")
    string(REPLACE "/" "--" name "${name}")
    string(REPLACE ":" "---" name "${name}")
    set(folder "${home}/toolchains/${name}")
  endif()
  if(EXISTS "${folder}/bin/lean")
    get_filename_component(folder "${folder}" REALPATH)
    set(${out} "${folder}" PARENT_SCOPE)
  else()
    set(${out} NOTFOUND PARENT_SCOPE)
  endif()
endfunction()

# The nearest file <name> in <dir> or above it, or "".
function(_lean_find_above out name dir)
  set(found "")
  while(dir AND NOT found)
    if(EXISTS "${dir}/${name}")
      set(found "${dir}/${name}")
    endif()
    get_filename_component(parent "${dir}" DIRECTORY)
    if(parent STREQUAL dir)
      break()
    endif()
    set(dir "${parent}")
  endwhile()
  set(${out} "${found}" PARENT_SCOPE)
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

# Who names a toolchain, and which: the list in the documentation above, up to elan's default.
function(_lean_toolchain_name out_name out_who project toolchain)
  set(name "")
  set(who "")
  _lean_find_above(file lean-toolchain "${project}")
  _lean_elan_home(home)
  if(NOT toolchain STREQUAL "")
    set(name "${toolchain}")
    set(who "TOOLCHAIN")
  elseif(NOT "$ENV{LEAN_SYSROOT}" STREQUAL "")
    set(name "$ENV{LEAN_SYSROOT}")
    set(who "LEAN_SYSROOT")
  elseif(NOT "$ENV{ELAN_TOOLCHAIN}" STREQUAL "")
    set(name "$ENV{ELAN_TOOLCHAIN}")
    set(who "ELAN_TOOLCHAIN")
  elseif(file)
    file(STRINGS "${file}" name LIMIT_COUNT 1)
    string(STRIP "${name}" name)
    set(who "${file}")
  elseif(EXISTS "${home}/settings.toml")
    file(STRINGS "${home}/settings.toml" name REGEX "^default_toolchain *=" LIMIT_COUNT 1)
    string(REGEX REPLACE "^[^\"]*\"([^\"]*)\".*$" "\\1" name "${name}")
    set(who "elan's default")
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
    get_filename_component(base "${who}" DIRECTORY)
    _lean_toolchain_folder(prefix "${name}" "${base}")
    set(why "${name}, from ${who}")
    if(NOT prefix)
      string(APPEND why ", is not installed")
    endif()
  else()
    _lean_in_path(prefix)
    set(why "PATH")
    if(NOT prefix)
      set(why "no lean-toolchain file, no elan default and no lean in PATH")
    endif()
  endif()
  set(${out_prefix} "${prefix}" PARENT_SCOPE)
  set(${out_why} "${why}" PARENT_SCOPE)
endfunction()

cmake_policy(POP)
