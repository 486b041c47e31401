# A wrong call ends with a sentence that names the function, the target, the argument and what to
# do.
file(WRITE "${source}/a.ndjson" "a\n")
file(WRITE "${source}/A.lean" "\n")

function(expect_refusal call regex)
  project("${call}")
  configure_fails()
  expect_output("add_lean_check\\(t\\): ${regex}")
endfunction()

expect_refusal("add_lean_check(t EXPORTSS a.ndjson)"
    "unknown argument: EXPORTSS a.ndjson flags: ALL")
expect_refusal("add_lean_check(t EXPORTS a.ndjson EXPORT b.ndjson)"
    "EXPORT stands among the values of EXPORTS")
expect_refusal("add_lean_check(t EXPORTS a.ndjson JOBS ALL)" "no value behind JOBS")
expect_refusal("add_lean_check(t EXPORTS)" "no value behind EXPORTS")
expect_refusal("add_lean_check(t)" "nothing to check: give PROJECT, SOURCES or EXPORTS")
expect_refusal("add_lean_check(t MODULES A)" "nothing to check")
expect_refusal("add_lean_check(t EXPORTS a.ndjson EXPECT \"\")"
    "the argument behind EXPECT is empty \\(a variable that is not set\\?\\); give it a value")
expect_refusal("add_lean_check(t SOURCES A.lean FAIL_ON \"\${NO_SUCH_VARIABLE}\")" "the argument behind FAIL_ON is empty")
expect_refusal("set(names one two)\nadd_lean_check(t EXPORTS a.ndjson EXPECT \"\${names}\")"
    "'one;two' behind EXPECT is a list in quotes; leave them out")
foreach(keyword IN ITEMS PACKAGE LIBRARY OPTIONS SOURCE_ROOTS IMPORT_PATHS TOOLCHAIN)
  expect_refusal("add_lean_check(t EXPORTS a.ndjson ${keyword} x=y)"
      "${keyword} is for Lean modules; EXPORTS stand for themselves")
endforeach()
expect_refusal("add_lean_check(t SOURCES A.lean LIBRARY lib)" "LIBRARY chooses what to check, and so do")
expect_refusal("add_lean_check(t SOURCES A.lean SOURCE_ROOTS gen)"
    "SOURCE_ROOTS: there is no folder .*/gen")
expect_refusal("add_lean_check(t SOURCES A.lean IMPORT_PATHS a.ndjson)"
    "IMPORT_PATHS: there is no folder .*/a.ndjson")
expect_refusal("add_lean_check(t SOURCES A.lean DEPENDS .)" "DEPENDS '.' is a folder; name the files")
expect_refusal("add_lean_check(t SOURCES A.lean HOST leen)"
    "HOST is one of auto, lean, kernel, not 'leen'")
expect_refusal("add_lean_check(t SOURCES A.lean ISOLATION none)"
    "ISOLATION is one of warm, fresh, confirm")
expect_refusal("add_lean_check(t SOURCES A.lean FAIL_ON hint)"
    "FAIL_ON is one of error, warning, sorry")
expect_refusal("add_lean_check(t SOURCES A.lean JOBS 0)" "JOBS is a number from 1 on, not '0'")
expect_refusal("add_lean_check(t SOURCES A.lean TIMEOUT 5s)"
    "TIMEOUT is a number from 1 on, not '5s'")
expect_refusal("add_lean_check(t SOURCES A.lean OPTIONS autoImplicit)"
    "OPTIONS 'autoImplicit' has no value; write autoImplicit=true")
expect_refusal("add_lean_check(t MODULES A.lean)"
    "MODULES 'A.lean' is a file; write it behind SOURCES")
expect_refusal("add_lean_check(t SOURCES B.lean)"
    "SOURCES: there is no file .*/B.lean, and no command that makes it")
expect_refusal("add_lean_check(t EXPORTS A.lean)"
    "EXPORTS takes files that end in .ndjson, not '.*/A.lean'")
expect_refusal("add_lean_check(t SOURCES A.lean EXPORTS a.ndjson)"
    "EXPORTS are checked by the kernel, .* make two targets")
expect_refusal("add_lean_check(t EXPORTS a.ndjson HOST lean)"
    "EXPORTS are checked by the kernel; leave HOST lean out")
expect_refusal("add_lean_check(t SOURCES A.lean EXPECT thm)" "EXPECT is for EXPORTS only")
expect_refusal("add_lean_check(t SOURCES A.lean ALLOW_AXIOMS ax)"
    "ALLOW_AXIOMS is for EXPORTS only")
expect_refusal("add_lean_check(t PROJECT nowhere)" "PROJECT .*/nowhere is no folder")
expect_refusal("add_lean_check(t SOURCES A.lean DEPENDS nothing)"
    "DEPENDS 'nothing' is neither a target")
expect_refusal("add_lean_check(t EXPORTS a.ndjson)\nadd_lean_check(t EXPORTS a.ndjson)"
    "there is a target of this name already")
project("add_lean_check(t EXPORTS a.ndjson)")
configure_fails("-DLWBUILD_EXECUTABLE=")
expect_output("add_lean_check\\(t\\): there is no lwbuild to run; use find_package\\(LWBuild\\)")
configure_fails("-DLWBUILD_EXECUTABLE=${work}/nowhere")
expect_output("LWBUILD_EXECUTABLE is .*/nowhere, and there is no such file")

# What a right call says to lwbuild.
file(WRITE "${source}/p/lean-toolchain" "v4.9.0\n")
file(MAKE_DIRECTORY "${source}/gen" "${source}/o1" "${source}/o2")
project("
  set(LWBUILD_CACHE_DIR /tmp/some-cache)
  set(LWBUILD_FLAGS --verbose)
  add_lean_check(everything PROJECT p PACKAGE pkg LIBRARY lib SOURCE_ROOTS gen IMPORT_PATHS o1 o2
      HOST lean ISOLATION fresh FAIL_ON sorry JOBS 3 TIMEOUT 60 OPTIONS a=1 \"b=x y\" ASK_LAKE)
  add_lean_check(proofs EXPORTS a.ndjson EXPECT thm \"Foo.«bar baz»\" ALLOW_AXIOMS ax * NO_CACHE)")
install_fake_lean(leanprover--lean4---v4.9.0)
configure()
build(--target everything proofs)
expect_arguments(--project "${source}/p" --toolchain "${work}/home/.elan/toolchains/leanprover--lean4---v4.9.0"
    --package pkg --library lib --host lean --isolation fresh --fail-on sorry --jobs 3 --timeout 60
    --source-root "${source}/gen" --import-path "${source}/o1" --import-path "${source}/o2"
    -D a=1 -D "b=x y" --cache /tmp/some-cache --ask-lake --verbose --)
expect_arguments(--allow-axiom ax --allow-axiom * --expect thm --expect "Foo.«bar baz»"
    --no-cache --verbose -- "${source}/a.ndjson")
expect_runs(2)
