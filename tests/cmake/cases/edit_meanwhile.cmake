# Somebody saves a file while the build runs. Whatever the moment: it is seen by this build or by the
# next, and the build after that has nothing to do. No clock may hide it, so nothing waits here.
file(WRITE "${source}/A.lean" "def a := 1\n")
file(WRITE "${source}/B.lean" "import A\n")
file(WRITE "${source}/C.lean" "import A\n")
file(WRITE "${source}/notes.txt" "an input\n")
project("add_lean_check(proofs ALL MODULES B C DEPENDS notes.txt PROJECT .)")
configure()
run("${CMAKE_COMMAND}" --build "${build}")

set(snapshot "${build}/proofs.lwb/stamp.snapshot")
set(good "printf 'def a := 1\\n'")
set(bad "printf -- '-- echo: error 1:0 BROKEN\\n'")
set(a "'${source}/A.lean'")

# A build after something was touched, during which A is broken; the next one must say so.
function(expect_seen moment touched)
  file(TOUCH "${source}/${touched}")
  set(ENV{EDIT_${moment}_RUN} "${bad} >${a}")
  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${build}" OUTPUT_VARIABLE output
      ERROR_VARIABLE output RESULT_VARIABLE result)
  set(ENV{EDIT_${moment}_RUN} "")
  if(moment STREQUAL "BEHIND" AND NOT result EQUAL 0)
    fail("the edit came after the check, and the build failed")
  endif()
  build_fails()
  expect_output("A.lean:1:0: error: BROKEN")

  # The same for the edit that puts it right.
  set(ENV{EDIT_${moment}_RUN} "${good} >${a}")
  execute_process(COMMAND "${CMAKE_COMMAND}" --build "${build}" OUTPUT_VARIABLE output
      ERROR_VARIABLE output)
  set(ENV{EDIT_${moment}_RUN} "")
  run("${CMAKE_COMMAND}" --build "${build}")
  file(WRITE "${log}" "")
  run("${CMAKE_COMMAND}" --build "${build}")
  expect_runs(0)
endfunction()

foreach(moment IN ITEMS BEFORE BEHIND)
  # Nothing but dates had changed: a snapshot answers, or the cache.
  expect_seen(${moment} A.lean)
  expect_seen(${moment} notes.txt)
  file(REMOVE "${snapshot}")
  expect_seen(${moment} notes.txt)
  # The content as well.
  file(WRITE "${source}/B.lean" "import A\n-- ${moment}\n")
  expect_seen(${moment} A.lean)
endforeach()

# A build tree that has never seen a check.
file(REMOVE_RECURSE "${build}")
configure()
expect_seen(BEHIND notes.txt)
