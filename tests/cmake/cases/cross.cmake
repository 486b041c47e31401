# A build for another machine runs an lwbuild of this one.
file(WRITE "${source}/a.ndjson" "fine\n")
project("add_lean_check(proofs ALL EXPORTS a.ndjson)")
configure("-DCMAKE_SYSTEM_NAME=Generic")
build()
expect_runs(1)

# As if lwbuild itself were a part of such a build.
project("file(TOUCH \"\${CMAKE_BINARY_DIR}/main.c\")
  add_executable(lwbuild \"\${CMAKE_BINARY_DIR}/main.c\")
  add_executable(LWBuild::lwbuild ALIAS lwbuild)
  add_lean_check(proofs ALL EXPORTS a.ndjson)")
configure_fails("-DCMAKE_SYSTEM_NAME=Generic" "-DLWBUILD_EXECUTABLE=")
expect_output("this build compiles lwbuild for Generic and cannot run it; install lwbuild on this machine")
