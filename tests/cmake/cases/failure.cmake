# A rejected proof fails the build, each time, until it is mended; other targets go on when asked
# to.
file(WRITE "${source}/good.ndjson" "good\n")
file(WRITE "${source}/bad.ndjson" "${broken}")
project("add_lean_check(bad ALL EXPORTS bad.ndjson)" "add_lean_check(good ALL EXPORTS good.ndjson)")

configure()
if(GENERATOR MATCHES "Ninja")
  build_fails(-- -k 0)
else()
  build_fails(-- -k)
endif()
expect_output("bad.ndjson:1:0: error: BROKEN")
expect_arguments(-- "${source}/good.ndjson")
expect_runs(2)

build_fails(--target bad)
expect_output("BROKEN")
expect_runs(1)
build(--target good)
expect_runs(0)

file(WRITE "${source}/bad.ndjson" "mended\n")
build()
expect_runs(1)
build()
expect_runs(0)

# What else happens in their folder is nothing to export files.
file(TOUCH "${source}/neighbour.txt")
build()
expect_runs(0)

file(WRITE "${source}/good.ndjson" "${broken}")
build_fails()
expect_runs(1)
build_fails()
expect_runs(1)
