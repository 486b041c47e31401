# What makes lwbuild run again, and what does not.
install_fake_lean(leanprover--lean4---v4.9.0)
file(WRITE "${source}/proofs/lean-toolchain" "leanprover/lean4:v4.9.0\n")
file(WRITE "${source}/proofs/lakefile.toml" "name = \"proofs\"\n")
file(WRITE "${source}/proofs/A.lean" "theorem a : True := trivial\n")
file(WRITE "${source}/proofs/B.lean" "import A\n")
file(WRITE "${source}/notes.txt" "an input\n")
file(WRITE "${source}/downstream/CMakeLists.txt" "
    get_target_property(stamp proofs LWBUILD_STAMP)
    add_custom_command(OUTPUT after COMMAND \${CMAKE_COMMAND} -E echo downstream
        COMMAND \${CMAKE_COMMAND} -E touch after DEPENDS \${stamp})
    add_custom_target(downstream ALL DEPENDS after)
    add_dependencies(downstream proofs)")
set(downstream "add_subdirectory(downstream)")
set(call "add_lean_check(proofs ALL PROJECT proofs MODULES B DEPENDS notes.txt")
project("${call})" ${downstream})

configure()
build()
expect_arguments(--toolchain "${work}/home/.elan/toolchains/leanprover--lean4---v4.9.0")
expect_arguments(--input "${source}/notes.txt")
expect_runs(1)
expect_output("downstream")

build()
expect_runs(0)

# A module that only the depfile knows.
file(WRITE "${source}/proofs/A.lean" "theorem a : 1 = 1 := rfl\n")
build()
expect_runs(1)
expect_output("downstream")
build()
expect_runs(0)

file(APPEND "${source}/notes.txt" "more\n")
build()
expect_runs(1)

# Touched, not changed: it is looked at, and with Ninja nothing behind it is made again.
file(TOUCH "${source}/proofs/A.lean")
build()
expect_runs(1)
if(GENERATOR MATCHES "Ninja")
  expect_no_output("downstream")
endif()
build()
expect_runs(0)

# Another command line, which Make does not notice by itself.
project("${call} FAIL_ON warning)" ${downstream})
build()
expect_arguments(--fail-on warning)
expect_runs(1)
build()
expect_runs(0)

# A module more, in a folder that was looked through.
file(WRITE "${source}/proofs/C.lean" "import B\n")
build()
expect_runs(1)
build()
expect_runs(0)

# A module less, which Make would ask for ever after.
file(REMOVE "${source}/proofs/C.lean")
build()
expect_runs(1)
build()
expect_runs(0)

# Another toolchain than the one that was written into the command.
install_fake_lean(leanprover--lean4---v4.10.0)
file(WRITE "${source}/proofs/lean-toolchain" "leanprover/lean4:v4.10.0\n")
build()
expect_arguments(--toolchain "${work}/home/.elan/toolchains/leanprover--lean4---v4.10.0")

# Another lwbuild.
get_filename_component(lwbuild_name "${LWBUILD}" NAME)
file(COPY "${LWBUILD}" DESTINATION "${work}/other")
configure("-DLWBUILD_EXECUTABLE=${work}/other/${lwbuild_name}")
build()
file(WRITE "${log}" "")
file(TOUCH "${work}/other/${lwbuild_name}")
build()
expect_runs(1)
