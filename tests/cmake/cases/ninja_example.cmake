# examples/ninja: the real lwbuild in a plain Ninja file, without CMake.
foreach(example IN ITEMS ninja proofs lean-project)
  file(COPY "${ROOT}/examples/${example}" DESTINATION "${source}")
endforeach()
get_filename_component(folder "${LWBUILD_REAL}" DIRECTORY)
set(ENV{PATH} "${folder}:$ENV{PATH}")

run(ninja -C "${source}/ninja")
expect_output("\\[3/3\\]")
run(ninja -C "${source}/ninja")
expect_output("no work to do")

file(READ "${source}/proofs/Arith.ndjson" text)
string(REGEX REPLACE "(\"name\":106,[^\n]*\"value\":)[0-9]+" "\\1609" wrong "${text}")
file(WRITE "${source}/proofs/Arith.ndjson" "${wrong}")
run(FAILS ninja -C "${source}/ninja")
expect_output("N.mul_comm")
file(WRITE "${source}/proofs/Arith.ndjson" "${text}")
run(ninja -C "${source}/ninja")
expect_output("\\[1/1\\] lean arith.stamp")

# Lean modules, by a fake Lean.
set(lean "${work}/lean")
file(WRITE "${lean}/era" "2021-11")
file(WRITE "${lean}/lib/lean/Init.olean" "oleanfile!!!!!!! stands for Init")
file(WRITE "${lean}/include/lean/version.h" "#define LEAN_VERSION_STRING \"4.0.0-nightly-2021-11-30\"\n")
file(WRITE "${lean}/include/lean/githash.h" "#define LEAN_GITHASH \"0123456789\"\n")
file(MAKE_DIRECTORY "${lean}/bin")
file(CREATE_LINK "${FAKE_LEAN}" "${lean}/bin/lean" SYMBOLIC)
set(ENV{LEAN_SYSROOT} "${lean}")
set(ENV{LWBUILD_CACHE_DIR} "${work}/cache")

# total(<name>): a number of the statistics, in ${value}.
macro(total name)
  run("${LWBUILD_REAL}" --stats --format json)
  if(NOT output MATCHES "\"${name}\": ?{[^}]*\"total\": ?([0-9]+)" AND
     NOT output MATCHES "\"${name}\": ?([0-9]+)")
    fail("no ${name} in the statistics")
  endif()
  set(value "${CMAKE_MATCH_1}")
endmacro()

# One edge per library.
run(ninja -C "${source}/ninja" project)
expect_output("lean codec.stamp")
run(ninja -C "${source}/ninja" project)
expect_output("no work to do")

# Nothing but a date has changed: what depends on the copy is not made again.
file(APPEND "${source}/ninja/build.ninja"
    "rule after\n  command = touch $out\nbuild after: after codec.accepted\n")
run(ninja -C "${source}/ninja" after)
file(TOUCH "${source}/lean-project/Codec/Runs.lean")
run(ninja -C "${source}/ninja" after)
expect_output("lean codec.stamp")
expect_no_output("touch after")
run(ninja -C "${source}/ninja" after)
expect_output("no work to do")
file(APPEND "${source}/lean-project/Codec/Runs.lean" "\n-- more\n")
run(ninja -C "${source}/ninja" after)
expect_output("touch after")

# The plain form of a depfile, which Ninja reads at each start: the target is spelled as its output.
# What lwbuild leaves lies in the folder that it looked through. So it looks again, but not for ever:
# when nothing is new, it leaves nothing new.
file(WRITE "${work}/plain/A.lean" "theorem a : True := trivial\n")
file(WRITE "${work}/plain/lakefile.toml" "name = \"plain\"\n")
file(WRITE "${work}/plain/build.ninja" "
rule lean
  command = lwbuild check --stamp $out --depfile $out.d -- $in && eval \"$$EDIT_BEHIND_RUN\"
  depfile = $out.d
  restat = 1
build a.stamp | a.stamp.snapshot a.stamp.snapshot.keys: lean A.lean\n")
foreach(i RANGE 1 3)
  run(ninja -C "${work}/plain")
endforeach()
run(ninja -C "${work}/plain")
expect_output("no work to do")
# An edit when lwbuild has ended and Ninja has not yet heard of that; only a date had changed before.
file(TOUCH "${work}/plain/A.lean")
set(ENV{EDIT_BEHIND_RUN} "echo '--! error broken' >A.lean")
run(ninja -C "${work}/plain")
unset(ENV{EDIT_BEHIND_RUN})
run(FAILS ninja -C "${work}/plain")
expect_output("A.lean:[0-9]+:0: error: broken")

# And GNU make, with nothing of CMake.
file(WRITE "${work}/plain/A.lean" "theorem a : True := trivial\n")
file(WRITE "${work}/plain/Makefile"
    "a.stamp: A.lean\n\tlwbuild check --stamp $@ --depfile $@.d -- $<\n-include a.stamp.d\n")
foreach(i RANGE 1 3)
  run(make -C "${work}/plain")
endforeach()
run(make -C "${work}/plain")
expect_output("is up to date")
file(WRITE "${work}/plain/A.lean" "--! error broken\n")
run(FAILS make -C "${work}/plain")
expect_output("A.lean:[0-9]+:0: error: broken")

# One edge per module, all at once: none has a result yet, and all want the same imports compiled.
file(REMOVE_RECURSE "${work}/cache")
run(ninja -C "${source}/ninja" -j 8 modules)
expect_output("\\[3/3\\]")
run(ninja -C "${source}/ninja" -j 8 modules)
expect_output("no work to do")
file(GLOB_RECURSE objects "${work}/cache/objects/*")
list(LENGTH objects count)
if(NOT count EQUAL 1) # of Codec.Runs, by whoever was first
  fail("expected the artifact of one module, not ${count}: ${objects}")
endif()

# What is wrong with one does not keep the others back.
set(facts "${source}/lean-project/Codec/RoundTrip.lean")
file(READ "${facts}" text)
file(WRITE "${facts}" "${text}--! error broken\n")
run(FAILS ninja -C "${source}/ninja" -j 8 -k 0 modules proofs)
expect_output("RoundTrip.lean:[0-9]+:0: error: broken")
file(WRITE "${facts}" "${text}")
run(ninja -C "${source}/ninja" -j 8 modules proofs)
expect_output("lean Codec.RoundTrip")

# Cleaning costs hits. A second tree beside the same cache checks nothing either.
run(ninja -C "${source}/ninja" -t clean)
run(ninja -C "${source}/ninja" project modules)
file(GLOB stamps "${source}/ninja/*.stamp")
list(LENGTH stamps count)
run(ninja -C "${source}/ninja" -t clean)
file(GLOB left "${source}/ninja/*.stamp*")
if(left OR NOT count EQUAL 4)
  fail("expected 4 stamps before and nothing after, not ${count} and ${left}")
endif()
file(COPY "${source}" DESTINATION "${work}/second")
total(misses)
set(misses "${value}")
run(ninja -C "${source}/ninja" project modules)
run(ninja -C "${work}/second/source/ninja" project modules)
total(misses)
if(NOT value EQUAL misses)
  fail("expected no misses beyond ${misses}, not ${value}")
endif()
