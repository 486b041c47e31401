# add_lean_capability() without a Lean: what is refused, in which words, and what OPTIONAL does.
file(WRITE "${source}/lean/Lib.lean" "@[export lib_f] def f (x : String) : IO String := return x\n")

# call(<arguments>...): a project with one capability.
function(call)
  list(JOIN ARGN " " arguments)
  file(WRITE "${source}/CMakeLists.txt"
      "cmake_minimum_required(VERSION 3.10)\nproject(case LANGUAGES C)\n"
      "include(\"${ROOT}/cmake-module/LWBuild.cmake\")\nadd_lean_capability(${arguments})\n")
endfunction()

function(expect_refusal regex)
  call(${ARGN})
  configure_fails()
  expect_output("${regex}")
endfunction()

set(given capability PROJECT lean LIBRARY Lib)
expect_refusal("add_lean_capability\\(capability\\): PROJECT is missing; give the folder" capability LIBRARY Lib JSON lib_f)
expect_refusal("LIBRARY is missing; give the library's root module" capability PROJECT lean JSON lib_f)
expect_refusal("nothing to call: give JSON or STREAM" ${given})
expect_refusal("unknown argument: JSONS" capability JSONS lib_f)
expect_refusal("no value behind STREAM" ${given} JSON lib_f STREAM)
expect_refusal("'lib-f' is not a name that @\\[export\\] takes" ${given} JSON lib-f)
expect_refusal("'a/b' is no name for a command" ${given} JSON a/b=lib_f)
expect_refusal("a name occurs twice: lib_f, lib_f" ${given} JSON lib_f STREAM g=lib_f)
expect_refusal("STREAMS stands among the exports and is no keyword" ${given} JSON lib_f STREAMS lib_g)
expect_refusal("a name occurs twice: a, a; give one of them" ${given} JSON a=lib_f STREAM a=lib_g)
expect_refusal("LIBRARY is a module's name, such as Survey, not 'Lib.lean'"
    capability PROJECT lean LIBRARY Lib.lean JSON lib_f)
expect_refusal("PROJECT [^ ]*/nowhere is no folder" capability PROJECT nowhere LIBRARY Lib JSON lib_f)
expect_refusal("no Lean toolchain: .*Install one with elan.*write OPTIONAL" ${given} JSON lib_f)

project("add_lean_capability(capability PROJECT lean LIBRARY Lib JSON lib_f)")
configure_fails()
expect_output("the project has not enabled C")

call(${given} OPTIONAL JSON lib_f)
configure()
expect_output("capability is skipped: no Lean toolchain")
build(--target capability)
expect_output("capability: skipped, no Lean toolchain")

# A folder that looks like a Lean, and has no library to link.
install_fake_lean(leanprover--lean4---v4.9.0)
file(WRITE "${source}/lean/lean-toolchain" "leanprover/lean4:v4.9.0\n")
expect_refusal("there is no libleanshared in" ${given} JSON lib_f)
