# fake_lean_toolchain(<row> MINOR <n> VERSION <text>): a folder that is a toolchain as far as capabilities
# go, with the calling conventions of that version. Its compiler takes its C from the Lean files; its
# libleanshared is the stub runtime. The folder is FAKE_LEAN_<row>, the target fake_lean_<row>.
function(fake_lean_toolchain row)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MINOR;VERSION" "")
  set(prefix "${CMAKE_CURRENT_BINARY_DIR}/lean-${row}")
  foreach(program IN ITEMS lean leanc lake)
    configure_file("${PROJECT_SOURCE_DIR}/tests/support/fake_capability_${program}" "${prefix}/bin/${program}"
        @ONLY USE_SOURCE_PERMISSIONS)
  endforeach()
  configure_file(stub/lean/lean.h "${prefix}/include/lean/lean.h" COPYONLY)
  set(text "#pragma once\n#define STUB_MINOR ${arg_MINOR}\n#define LEAN_VERSION_MAJOR 4
#define LEAN_VERSION_MINOR ${arg_MINOR}\n#define LEAN_VERSION_PATCH 0\n")
  if(arg_MINOR GREATER_EQUAL 27)
    string(APPEND text "#define LEAN_VERSION_STRING \"${arg_VERSION}\"\n")
  endif()
  file(CONFIGURE OUTPUT "${prefix}/include/lean/version.h" CONTENT "${text}" @ONLY)
  add_library(fake_lean_${row} SHARED stub_runtime.c)
  target_include_directories(fake_lean_${row} PRIVATE "${prefix}/include" "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(fake_lean_${row} PRIVATE _GNU_SOURCE)
  set_target_properties(fake_lean_${row} PROPERTIES
      OUTPUT_NAME leanshared LIBRARY_OUTPUT_DIRECTORY "${prefix}/lib/lean")
  set(FAKE_LEAN_${row} "${prefix}" CACHE INTERNAL "A fake toolchain, for tests")
endfunction()
