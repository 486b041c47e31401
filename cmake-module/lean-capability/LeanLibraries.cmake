# lean_shared_libraries(<out> <prefix>): what everything that holds compiled Lean is linked with. Which
# files there are depends on the version; "" if there are none.
function(lean_shared_libraries out prefix)
  file(GLOB libraries
      "${prefix}/lib/lean/libleanshared*.so" "${prefix}/lib/lean/libleanshared*.dylib"
      "${prefix}/lib/lean/libInit_shared*.so" "${prefix}/lib/lean/libInit_shared*.dylib")
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()
