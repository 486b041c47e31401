# Digests of hosts' own sources. What a host is made of is part of every key of a cached result
# (a fixed bug must not leave wrong results behind), so no number kept by hand will do: the build
# hashes the files and writes a header.
#
#   lwb_host_digest(<target> <name> FILES <file or glob, from the root of the repository>...)
#
# makes generated/<name>_digest.h, which defines LWB_<NAME>_DIGEST as 64 hexadecimal digits, a
# SHA-256 over paths and contents of the files in the order of their paths, and makes <target>
# depend on it. Run with -P, this file is the script that does so.
cmake_minimum_required(VERSION 3.20)

function(lwb_host_digest target name)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "FILES")
  list(TRANSFORM arg_FILES PREPEND "${PROJECT_SOURCE_DIR}/")
  file(GLOB files CONFIGURE_DEPENDS LIST_DIRECTORIES false RELATIVE "${PROJECT_SOURCE_DIR}"
      ${arg_FILES})
  if(NOT files)
    message(FATAL_ERROR "lwb_host_digest: ${name} has no files")
  endif()
  list(SORT files)
  set(script "${PROJECT_SOURCE_DIR}/child/HostDigest.cmake")
  set(list "${PROJECT_BINARY_DIR}/generated/${name}_files.txt")
  set(header "${PROJECT_BINARY_DIR}/generated/${name}_digest.h")
  list(JOIN files "\n" lines)
  file(GENERATE OUTPUT "${list}" CONTENT "${lines}\n")
  set(inputs ${files})
  list(TRANSFORM inputs PREPEND "${PROJECT_SOURCE_DIR}/")
  add_custom_command(OUTPUT "${header}"
      COMMAND "${CMAKE_COMMAND}" -D "NAME=${name}" -D "ROOT=${PROJECT_SOURCE_DIR}"
          -D "LIST=${list}" -D "HEADER=${header}" -P "${script}"
      DEPENDS ${inputs} "${list}" "${script}"
      COMMENT "Hashing the sources of ${name}" VERBATIM)
  target_sources(${target} PRIVATE "${header}")
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  file(STRINGS "${LIST}" files)
  set(sums "")
  foreach(file IN LISTS files)
    file(SHA256 "${ROOT}/${file}" sum)
    string(APPEND sums "${sum}  ${file}\n")
  endforeach()
  string(SHA256 digest "${sums}")
  string(TOUPPER "${NAME}" macro)
  set(text "#pragma once\n\n#define LWB_${macro}_DIGEST \"${digest}\"\n")
  file(WRITE "${HEADER}" "${text}")
endif()
