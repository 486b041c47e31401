# add_lean_capability() with a real Lean (LEAN, its folder): what is built when, and what is refused.
# LAKE says whether the project has a lakefile.
file(WRITE "${source}/my lean/Lib.lean" "import Lib.Part\n
@[export lib_f] def f (x : String) : IO String := return part x
@[export lib_g] def g (_ : String) (_ _ : USize) : IO UInt8 := return (3 : UInt8)
@[export lib_pure] def pureOne (x : String) : String := x
@[export lib_two] def two (x _ : String) : IO String := return x
@[export lib_value] def value : String := \"a value\"\n")
file(WRITE "${source}/my lean/Lib/Part.lean" "def part (x : String) := x\n")
if(LAKE)
  file(WRITE "${source}/my lean/lakefile.lean"
      "import Lake\nopen Lake DSL\npackage lib {\n  libRoots := #[`Lib]\n}\n")
endif()

function(call)
  list(JOIN ARGN " " arguments)
  file(WRITE "${source}/CMakeLists.txt"
      "cmake_minimum_required(VERSION 3.10)\nproject(case LANGUAGES C)\n"
      "include(\"${ROOT}/cmake-module/LWBuild.cmake\")\n"
      "add_lean_capability(lib ALL PROJECT \"my lean\" PACKAGE lib LIBRARY Lib ${arguments})\n"
      "install(TARGETS lib LIBRARY DESTINATION lib)\n"
      "install(FILES $<TARGET_FILE_DIR:lib>/lib.json DESTINATION lib)\n")
endfunction()

# The library that a manifest names is beside it, and it is the one that was made.
function(expect_manifest folder)
  file(READ "${folder}/lib.json" text)
  string(JSON library GET "${text}" library)
  string(JSON digest GET "${text}" digest)
  file(SHA256 "${folder}/${library}" found)
  if(NOT digest STREQUAL found)
    fail("the digest in ${folder}/lib.json is not that of ${library}")
  endif()
endfunction()

function(expect_rebuild)
  build(--verbose)
  expect_output("BuildModules.cmake")
  build(--verbose)
  expect_no_output("BuildModules.cmake")
  expect_manifest("${build}")
endfunction()

# --- what is built
call(JSON f=lib_f STREAM g=lib_g)
configure("-DLWBUILD_TOOLCHAIN=${LEAN}")
expect_rebuild()

file(WRITE "${source}/my lean/Lib/Part.lean" "def part (x : String) := x ++ x\n")
file(READ "${build}/lib.json" before)
expect_rebuild()
file(READ "${build}/lib.json" after)
if(before STREQUAL after)
  fail("another import made no other library")
endif()

# A module more; it is noticed only if it is watched since it was imported.
file(WRITE "${source}/my lean/Lib/More.lean" "def more := 1\n")
file(WRITE "${source}/my lean/Lib/Part.lean" "import Lib.More\ndef part (x : String) := x ++ toString more\n")
expect_rebuild()
file(WRITE "${source}/my lean/Lib/More.lean" "def more := 2\n")
expect_rebuild()

# A module less: nobody may ask for it any more.
file(WRITE "${source}/my lean/Lib/Part.lean" "def part (x : String) := x\n")
file(REMOVE "${source}/my lean/Lib/More.lean")
expect_rebuild()
file(WRITE "${source}/my lean/Lib/Part.lean" "import Lib.More\ndef part (x : String) := x ++ toString more\n")
file(WRITE "${source}/my lean/Lib/More.lean" "def more := 2\n")
expect_rebuild()

# --- installed and moved
run("${CMAKE_COMMAND}" --install "${build}" --prefix "${work}/installed")
file(RENAME "${work}/installed/lib" "${work}/moved")
expect_manifest("${work}/moved")

# --- what is refused
function(expect_refusal regex)
  call(${ARGN})
  build_fails()
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  expect_output("${regex}")
endfunction()

set(command "does not have the type String -> IO String")
expect_refusal("no module of Lib exports lib_none; write @\\[export lib_none\\] above" JSON lib_none)
expect_refusal("lib_pure ${command}" JSON lib_pure)
expect_refusal("lib_two ${command}" JSON lib_two)
expect_refusal("lib_value ${command} \\(in C it is: value\\)" JSON lib_value)
expect_refusal("lib_g ${command}" JSON lib_g)
expect_refusal("lib_f does not have the type String -> USize -> USize -> IO UInt8" STREAM lib_f)

file(WRITE "${source}/my lean/Lib/More.lean" "def more : Nat := \"no number\"\n")
expect_refusal("More.lean:1:18: error: type mismatch" JSON f=lib_f)
file(WRITE "${source}/my lean/Lib/More.lean" "def more := 3\n")
call(JSON f=lib_f)
expect_rebuild()

# --- without CMake in the build
file(WRITE "${source}/my lean/Lib/Part.lean" "def part (x : String) := x\n")
set(ENV{LWBUILD_CHILD} "${CHILD}")
set(build_it "${REAL}" capability build --project "${source}/my lean" --library Lib --name lib --toolchain "${LEAN}"
    --stream g=lib_g "${work}/from the shell" --command)
run(${build_it} f=lib_f)
expect_output("${work}/from the shell/lib.json\n$")
run("${REAL}" run "${work}/from the shell/lib.json" f --json "{\"a\":1}")
expect_output("^{\"a\":1}\n$")
run("${REAL}" doctor "${work}/from the shell/lib.json")
expect_output("lib: Lean 4.*is initialised")
run(FAILS ${build_it} lib_none)
expect_output("write @\\[export lib_none\\] above a function of type String -> IO String \\[export-missing\\]")
file(WRITE "${source}/my lean/Lib/Part.lean" "def part (x : String) : Nat := x\n")
run(FAILS ${build_it} f=lib_f)
expect_output("Part.lean:1:[0-9]+: error: type mismatch.*\\[(lake|lean)-failed\\]\n$")
