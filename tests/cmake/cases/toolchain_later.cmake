# Toolchains that come, go and change their mind after CMake was run: it is run again by itself.
install_fake_lean(linked)
install_fake_lean(leanprover--lean4---v4.9.0)
set(linked "${work}/home/.elan/toolchains/linked")
set(v4_9 "${work}/home/.elan/toolchains/leanprover--lean4---v4.9.0")
set(v4_10 "${work}/home/.elan/toolchains/leanprover--lean4---v4.10.0")
file(WRITE "${work}/home/.elan/settings.toml" "version = \"12\"\ndefault_toolchain = \"linked\"\n")
file(WRITE "${source}/p/lakefile.toml" "name = \"p\"\n")
file(WRITE "${source}/p/A.lean" "\n")
project("add_lean_check(proofs ALL OPTIONAL PROJECT p)")

function(expect_toolchain prefix)
  build()
  expect_arguments(--toolchain "${prefix}")
  file(WRITE "${log}" "")
  build()
  expect_runs(0)
endfunction()

configure()
expect_toolchain("${linked}")

# A file that was not there, nearer and nearer.
file(WRITE "${source}/lean-toolchain" "leanprover/lean4:v4.9.0\n")
expect_toolchain("${v4_9}")
file(WRITE "${source}/p/lean-toolchain" "linked\n")
expect_toolchain("${linked}")
file(REMOVE "${source}/p/lean-toolchain")
expect_toolchain("${v4_9}")

# One that is not installed yet, and then is.
file(WRITE "${source}/p/lean-toolchain" "leanprover/lean4:v4.10.0\n")
build()
expect_output("proofs is skipped: no Lean toolchain")
expect_runs(0)
install_fake_lean(leanprover--lean4---v4.10.0)
expect_toolchain("${v4_10}")
file(REMOVE_RECURSE "${v4_10}")
build()
expect_output("proofs is skipped: no Lean toolchain")
install_fake_lean(leanprover--lean4---v4.10.0)
build()
expect_no_output("skipped") # and what it has said before still holds
file(WRITE "${source}/p/A.lean" "-- changed\n")
expect_toolchain("${v4_10}")

# elan's default.
file(REMOVE "${source}/p/lean-toolchain" "${source}/lean-toolchain")
expect_toolchain("${linked}")
file(WRITE "${work}/home/.elan/settings.toml" "version = \"12\"\ndefault_toolchain = \"v4.9.0\"\n")
expect_toolchain("${v4_9}")
