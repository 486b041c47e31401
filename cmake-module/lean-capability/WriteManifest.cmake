# Writes the manifest of a capability, behind each link of its library:
#
#   cmake -D SETTINGS=<settings.cmake> -D LIBRARY_FILE=<file> -D OUTPUT=<manifest> -P WriteManifest.cmake
cmake_minimum_required(VERSION 3.20)
include("${SETTINGS}")
include("${CMAKE_CURRENT_LIST_DIR}/Failure.cmake")

function(json_names out)
  set(names "")
  foreach(item IN LISTS ARGN)
    string(REGEX REPLACE "=.*$" "" command "${item}")
    list(APPEND names "\"${command}\"")
  endforeach()
  list(JOIN names ", " names)
  set(${out} "[${names}]" PARENT_SCOPE)
endfunction()

# Another Lean in this place needs another library: lean.h tells them apart.
execute_process(COMMAND "${PREFIX}/bin/lean" --version OUTPUT_VARIABLE lean OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  lean_capability_fail(tool-missing "name the folder of a Lean that works"
      "${PREFIX}/bin/lean --version failed (${result})")
endif()

get_filename_component(file "${LIBRARY_FILE}" NAME)
file(SHA256 "${LIBRARY_FILE}" digest)
file(SHA256 "${PREFIX}/include/lean/lean.h" lean_h)
json_names(commands ${JSON})
json_names(streams ${STREAM})
foreach(variable IN ITEMS NAME VERSION PACKAGE LIBRARY PREFIX lean file)
  lean_capability_json_text(${variable}_json "${${variable}}")
endforeach()
file(WRITE "${OUTPUT}.new" "{
  \"schema\": 1,
  \"abi\": 1,
  \"name\": ${NAME_json},
  \"version\": ${VERSION_json},
  \"library\": ${file_json},
  \"digest\": \"${digest}\",
  \"package\": ${PACKAGE_json},
  \"module\": ${LIBRARY_json},
  \"toolchain\": { \"prefix\": ${PREFIX_json}, \"version\": ${lean_json},
                 \"lean_h\": \"${lean_h}\" },
  \"commands\": ${commands},
  \"streams\": ${streams}
}
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
