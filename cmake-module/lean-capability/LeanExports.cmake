# write_lean_exports(<C files> <modules from elsewhere>): lean_exports.h, from the settings and from what is
# declared in the C that Lean wrote. The last C file is the root module's. An export that is not there, or
# that has another type, ends the build with the line to write.
#
# Lean's C declares each export on a line of its own,
#
#   LEAN_EXPORT lean_object* survey_statistics(lean_object*, lean_object*);
#
# where the last argument is the world (see lean_abi.h).

# Sets <out> to "result(arguments)", to "value" if it takes none, to "" if it is not declared.
function(_lean_read_signature out symbol)
  set(${out} "" PARENT_SCOPE)
  foreach(file IN LISTS ARGN)
    # Brackets in CMake lists hide semicolons: no line of interest has any.
    file(STRINGS "${file}" line LIMIT_COUNT 1
        REGEX "^(LEAN_EXPORT )?[A-Za-z0-9_]+[ *]* ${symbol}(\\([^)]*\\))?;")
    if(line MATCHES "([A-Za-z0-9_]+[ *]*) ${symbol}(\\([^)]*\\))")
      string(REPLACE " " "" signature "${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
      set(${out} "${signature}" PARENT_SCOPE)
      return()
    elseif(line)
      set(${out} "value" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()

# C does not tell all types apart: what is left, the adaptor finds out when the export is called.
function(_lean_demand_export symbol arguments type)
  _lean_read_signature(signature "${symbol}" ${ARGN})
  if(signature STREQUAL "")
    lean_capability_fail(export-missing "write @[export ${symbol}] above a function of type ${type}"
        "no module of ${LIBRARY} exports ${symbol}")
  elseif(NOT signature STREQUAL "lean_object*(${arguments})")
    lean_capability_fail(export-type "give it that type, or offer it as what it is"
        "${symbol} does not have the type ${type} (in C it is: ${signature})")
  endif()
endfunction()

# X("command", symbol) for each item.
function(_lean_table out fallback)
  set(text "")
  foreach(item IN LISTS ARGN)
    string(REGEX REPLACE "^.*=" "" symbol "${item}")
    string(REGEX REPLACE "=.*$" "" command "${item}")
    if(fallback)
      set(command "${fallback}")
    endif()
    string(APPEND text " X(\"${command}\", ${symbol})")
  endforeach()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# A JSON text with Lean's version left out, as C: the adaptor knows the version.
function(_lean_default_metadata out)
  lean_capability_json_text(name "${NAME}")
  lean_capability_json_text(version "${VERSION}")
  set(commands "")
  foreach(item IN LISTS JSON STREAM)
    string(REGEX REPLACE "=.*$" "" command "${item}")
    list(APPEND commands "{\"name\":\"${command}\",\"version\":${version}}")
  endforeach()
  list(JOIN commands "," commands)
  lean_capability_json_text(before "{\"name\":${name},\"version\":${version},\"lean_version\":\"")
  lean_capability_json_text(behind "\",\"commands\":[${commands}]}")
  set(${out} "${before} lean ${behind}" PARENT_SCOPE)
endfunction()

# The initialiser is defined in the root module's C, on one line.
function(_lean_read_initializer out_name out_builtin file)
  file(STRINGS "${file}" lines REGEX "^LEAN_EXPORT lean_object\\* initialize_[A-Za-z0-9_]+\\(.*\\) *{")
  if(NOT lines MATCHES "(initialize_[A-Za-z0-9_]+)\\(([^)]*)\\)")
    lean_capability_fail(lean-unknown "use a Lean that this lwbuild knows" "${file} defines no initialiser")
  endif()
  set(${out_name} "${CMAKE_MATCH_1}" PARENT_SCOPE)
  set(${out_builtin} 0 PARENT_SCOPE)
  if(CMAKE_MATCH_2 MATCHES "uint8_t")
    set(${out_builtin} 1 PARENT_SCOPE)
  endif()
endfunction()

# Up to v4.25, IO functions take the world as a last argument.
function(_lean_read_world out)
  file(STRINGS "${PREFIX}/include/lean/version.h" lines REGEX "#define LEAN_VERSION_M[A-Z]+ ")
  string(REGEX MATCH "MAJOR +([0-9]+)" ignored "${lines}")
  set(major "${CMAKE_MATCH_1}")
  string(REGEX MATCH "MINOR +([0-9]+)" ignored "${lines}")
  set(${out} "" PARENT_SCOPE)
  if("${major}.${CMAKE_MATCH_1}" VERSION_LESS 4.26)
    set(${out} ",lean_object*" PARENT_SCOPE)
  endif()
endfunction()

function(write_lean_exports c_files foreign)
  _lean_read_world(world)
  foreach(item IN LISTS JSON METADATA DOCTOR)
    string(REGEX REPLACE "^.*=" "" symbol "${item}")
    _lean_demand_export("${symbol}" "lean_object*${world}" "String -> IO String" ${c_files})
  endforeach()
  foreach(item IN LISTS STREAM)
    string(REGEX REPLACE "^.*=" "" symbol "${item}")
    _lean_demand_export("${symbol}" "lean_object*,size_t,size_t${world}"
        "String -> USize -> USize -> IO UInt8" ${c_files})
  endforeach()
  list(GET c_files -1 root)
  _lean_read_initializer(initializer builtin "${root}")
  set(uses_lean 0)
  if(foreign MATCHES "(^|;)(Lean|Lake)(\\.|;|$)")
    set(uses_lean 1)
  endif()
  _lean_table(metadata "metadata" ${METADATA})
  _lean_table(doctor "doctor" ${DOCTOR})
  _lean_table(commands "" ${JSON})
  _lean_table(streams "" ${STREAM})
  _lean_default_metadata(default)
  foreach(variable IN ITEMS NAME VERSION PREFIX) # C has the escapes of JSON
    lean_capability_json_text(${variable}_c "${${variable}}")
  endforeach()
  set(text "/* Made from what the Lean library ${LIBRARY} exports. */
#define LWB_LEAN_NAME ${NAME_c}
#define LWB_LEAN_CAPABILITY_VERSION ${VERSION_c}
#define LWB_LEAN_SYSROOT ${PREFIX_c}
#define LWB_LEAN_INITIALIZER ${initializer}
#define LWB_LEAN_BUILTIN_FLAG ${builtin}
#define LWB_LEAN_USES_LEAN ${uses_lean}
#define LWB_LEAN_METADATA(X)${metadata}
#define LWB_LEAN_DOCTOR(X)${doctor}
#define LWB_LEAN_COMMANDS(X)${commands}
#define LWB_LEAN_STREAMS(X)${streams}
#define LWB_LEAN_DEFAULT_METADATA(lean) ${default}
")
  set(before "")
  if(EXISTS "${FOLDER}/lean_exports.h")
    file(READ "${FOLDER}/lean_exports.h" before)
  endif()
  if(NOT before STREQUAL text) # the adaptor is compiled again only if it must be
    file(WRITE "${FOLDER}/lean_exports.h" "${text}")
  endif()
endfunction()
