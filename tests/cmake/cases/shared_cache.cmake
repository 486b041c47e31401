# What one build tree has checked, another takes from the cache; so does a tree that is configured anew.
foreach(name IN ITEMS A B C)
  file(WRITE "${source}/${name}.ndjson" "${name}\n")
endforeach()
project("add_lean_check(proofs ALL EXPORTS A.ndjson B.ndjson C.ndjson)")

# Modules that had to be checked so far, and those that were not.
function(expect_checked misses hits)
  execute_process(COMMAND "${REAL}" --stats --format json OUTPUT_VARIABLE output)
  string(REGEX MATCH "\"misses\": *([0-9]+)" match "${output}")
  if(NOT CMAKE_MATCH_1 STREQUAL misses)
    fail("expected ${misses} checks")
  endif()
  string(REGEX MATCH "\"hits\": *([0-9]+)" match "${output}")
  if(NOT CMAKE_MATCH_1 STREQUAL hits)
    fail("expected ${hits} hits")
  endif()
endfunction()

configure()
build()
expect_runs(1)
expect_checked(3 0)

set(build "${work}/build2")
configure()
build()
expect_runs(1)
expect_checked(3 3)

file(REMOVE_RECURSE "${build}")
configure()
build()
expect_checked(3 6)

# Another folder altogether, as a second checkout is.
file(RENAME "${source}" "${work}/elsewhere")
set(source "${work}/elsewhere")
set(build "${work}/build3")
configure()
build()
expect_checked(3 9)

file(WRITE "${source}/B.ndjson" "B, changed\n")
build()
expect_checked(4 11)
