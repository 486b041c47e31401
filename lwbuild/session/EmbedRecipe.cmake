# Puts files into a C source, as capability_build_internal.h declares them:
#
#   cmake -D OUTPUT=<file.c> -P EmbedRecipe.cmake <name>=<path>...
cmake_minimum_required(VERSION 3.20)

set(arrays "")
set(table "")
set(count 0)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 1 ${last})
  if(NOT CMAKE_ARGV${i} MATCHES "^([^-=][^=]*)=(/.*)$")
    continue() # cmake's own
  endif()
  set(name "${CMAKE_MATCH_1}")
  file(READ "${CMAKE_MATCH_2}" hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR len "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n"
      bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${count}[] = {\n${bytes}\n};\n\n")
  string(APPEND table "    { \"${name}\", file_${count}, ${len} },\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by EmbedRecipe.cmake. */
#include \"lwbuild/session/capability_build_internal.h\"

${arrays}const struct lwb_recipe_file lwb_capability_recipe[] = {
${table}};
const size_t lwb_capability_recipe_count = ${count};
")
