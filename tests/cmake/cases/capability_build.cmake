# add_lean_capability() with a fake Lean (FAKE_LEAN, its folder): what is built when; then installed, moved,
# used by somebody else, and tampered with. The C of its modules is in the Lean files, as Lean would write it.
file(COPY "${FAKE_LEAN}/" DESTINATION "${work}/lean")
set(ENV{FAKE_LEAN_LOG} "${work}/lean.log")
set(ENV{LWBUILD_CHILD} "${CHILD}")

function(write_part answer)
  file(WRITE "${source}/my lean/Lib/Part.lean" "/-C\nconst char part[] = \"\\\"${answer}\\\"\";\n-/\n")
endfunction()
file(WRITE "${source}/my lean/Lib.lean" "import Lib.Part\n/-C
#include <lean/lean.h>
extern const char part[];
LEAN_EXPORT lean_object* lib_f(lean_object*, lean_object*);
LEAN_EXPORT lean_object* lib_f(lean_object* x, lean_object* w) {
  lean_dec_ref(x); return lean_io_result_mk_ok(lean_mk_string(part)); }
LEAN_EXPORT lean_object* initialize_Lib(lean_object* w) {
  return lean_io_result_mk_ok(lean_box(0)); }\n-/\n")
write_part(one)

function(call)
  list(JOIN ARGN " " arguments)
  file(WRITE "${source}/CMakeLists.txt"
      "cmake_minimum_required(VERSION 3.10)\nproject(case LANGUAGES C)\n"
      "include(\"${ROOT}/cmake-module/LWBuild.cmake\")\n"
      "add_lean_capability(lib ALL PROJECT \"my lean\" PACKAGE p LIBRARY Lib ${arguments})\n"
      "install(TARGETS lib LIBRARY DESTINATION lib)\n"
      "install(FILES $<TARGET_FILE_DIR:lib>/lib.json DESTINATION lib)\n")
endfunction()

# What is built in the configuration Debug, where there is more than one.
set(folder "${build}")
set(config "")
if(GENERATOR STREQUAL "Ninja Multi-Config")
  set(folder "${build}/Debug")
  set(config --config Debug)
endif()

function(expect_answer manifest command answer)
  run("${REAL}" run "${manifest}" ${command})
  expect_output("^\"${answer}\"\n$")
endfunction()

# What the fake Lean was called for since the last time.
function(expect_calls regex)
  file(READ "${work}/lean.log" text)
  file(WRITE "${work}/lean.log" "")
  if(NOT text MATCHES "${regex}")
    fail("expected calls that match ${regex}:\n${text}")
  endif()
endfunction()

macro(build_and_rest)
  build(${config} --verbose)
  file(READ "${work}/lean.log" text)
  build(${config} --verbose)
  expect_no_output("BuildModules.cmake")
  file(WRITE "${work}/lean.log" "${text}")
endmacro()

# --- what is built
call(JSON lib_f)
configure("-DLWBUILD_TOOLCHAIN=${work}/lean")
build_and_rest()
expect_answer("${folder}/lib.json" lib_f one)
if(config)
  build(--config Release)
  expect_answer("${build}/Release/lib.json" lib_f one)
  expect_answer("${folder}/lib.json" lib_f one)
endif()

write_part(two)
build_and_rest()
expect_answer("${folder}/lib.json" lib_f two)

call(JSON f=lib_f VERSION 2)
build_and_rest()
expect_answer("${folder}/lib.json" f two)
run("${REAL}" run "${folder}/lib.json" metadata)
expect_output("\"name\":\"lib\",\"version\":\"2\"")

# The same folder holds another Lean.
expect_calls("")
file(APPEND "${work}/lean/include/lean/lean.h" "/* of another build */\n")
build_and_rest()
expect_calls("Lib/Part.lean.*Lib.lean")
expect_answer("${folder}/lib.json" f two)

# A lakefile where there was none, and none again.
file(WRITE "${source}/my lean/lakefile.lean" "-- a package\n")
build_and_rest()
expect_calls("lake build")
file(REMOVE_RECURSE "${source}/my lean/lakefile.lean" "${source}/my lean/.lake")
write_part(three)
build_and_rest()
expect_answer("${folder}/lib.json" f three)

# Both are gone: who made them?
file(REMOVE "${folder}/lib.json" "${build}/CMakeFiles/lib.lean/liblean_modules.a")
build(${config})
expect_answer("${folder}/lib.json" f three)

# What Lean refuses fails the build, each time, until it is mended.
file(WRITE "${source}/my lean/Lib/Part.lean" "BROKEN\n")
build_fails(${config})
expect_output("Lib/Part.lean:1:0: error: BROKEN")
build_fails(${config})
write_part(four)
build_and_rest()
expect_answer("${folder}/lib.json" f four)

# --- installed, moved, and used by somebody else
run("${CMAKE_COMMAND}" --install "${build}" --prefix "${work}/installed" ${config})
file(RENAME "${work}/installed/lib" "${work}/moved to é")
set(moved "${work}/moved to é")
expect_answer("${moved}/lib.json" f four)
run("${REAL}" doctor "${moved}/lib.json")
expect_output("capability: lib 2; commands f.*Lean 4.0.0 is initialised")

execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
find_program(SETPRIV setpriv)
set(as_nobody "${SETPRIV}" --reuid=65534 --regid=65534 --clear-groups)
if(user EQUAL 0 AND SETPRIV)
  execute_process(COMMAND ${as_nobody} test -x "${CHILD}" -a -r "${moved}/lib.json" RESULT_VARIABLE hidden)
  if(NOT hidden)
    run(${as_nobody} env HOME=/nonexistent "${REAL}" run "${moved}/lib.json" f)
    expect_output("^\"four\"\n$")
    file(CHMOD "${work}/lean/include/lean/lean.h" PERMISSIONS OWNER_READ)
    run(FAILS ${as_nobody} env HOME=/nonexistent "${REAL}" run "${moved}/lib.json" f)
    expect_output("lean.h: Permission denied; make it readable for this user \\[toolchain-unreadable\\]")
    file(CHMOD "${work}/lean/include/lean/lean.h" PERMISSIONS OWNER_READ WORLD_READ)
    file(CHMOD "${moved}/lib.json" PERMISSIONS OWNER_READ)
    run(FAILS ${as_nobody} env HOME=/nonexistent "${REAL}" run "${moved}/lib.json" f)
    expect_output("lib.json: Permission denied; make it readable for this user \\[manifest-unreadable\\]")
    file(CHMOD "${moved}/lib.json" PERMISSIONS OWNER_READ OWNER_WRITE WORLD_READ)
  endif()
endif()

# --- tampered with: one line each, and exit code 3
file(READ "${moved}/lib.json" manifest)
function(expect_complaint text regex)
  file(WRITE "${moved}/lib.json" "${text}")
  run(FAILS "${REAL}" run "${moved}/lib.json" f)
  if(NOT result EQUAL 3)
    fail("exit code ${result}")
  endif()
  expect_output("^lwbuild: error: [^\n]*${regex}[^\n]*\n$")
endfunction()

function(expect_complaint_about from to regex)
  string(REGEX REPLACE "${from}" "${to}" text "${manifest}")
  if(text STREQUAL manifest)
    fail("${from} is not in the manifest")
  endif()
  expect_complaint("${text}" "${regex}")
endfunction()

expect_complaint("" "lib.json: [^\n]*\\[manifest-malformed\\]")
expect_complaint("[1]" "lib.json: not a JSON object; build .*\\[manifest-malformed\\]")
expect_complaint("${manifest}${manifest}" "lib.json: .*\\[manifest-malformed\\]")
expect_complaint_about("\"schema\": 1" "\"schema\": 9" "has schema 9, this lwbuild knows 1; .*\\[manifest-schema\\]")
expect_complaint_about("\"abi\": 1" "\"abi\": 9" "has capability ABI 9.*\\[capability-abi\\]")
expect_complaint_about("\"abi\": 1" "\"abi\": \"1\"" "\"abi\" .*\\[manifest-malformed\\]")
expect_complaint_about("\"library\": \"liblib" "\"library\": \"libother" "there is no library .*\\[library-missing\\]")
expect_complaint_about("\"library\": [^\n]*\n" "" "\"library\" is missing.*\\[manifest-malformed\\]")
expect_complaint_about("\"digest\": \"...." "\"digest\": \"0000" "is not the library that .*\\[library-changed\\]")
expect_complaint_about("\"digest\": \"...." "\"digest\": \"" "\"digest\" is not 64.*\\[manifest-malformed\\]")
expect_complaint_about("\"prefix\": \"" "\"prefix\": \"/nowhere" "is not in /nowhere.*\\[toolchain-missing\\]")
expect_complaint_about("\"lean_h\": \"...." "\"lean_h\": \"0000" "another Lean.*\\[toolchain-changed\\]")
expect_complaint_about("\"commands\": [^\n]*\n" "\"commands\": [7],\n" "\"commands\" .*\\[manifest-malformed\\]")
expect_complaint_about("\"commands\": [^\n]*\n" "\"commands\": [\"f\", \"g\"],\n" "lacks command g")
expect_complaint_about("\"streams\": [^\n]*\n" "\"streams\": {}\n" "\"streams\" .*\\[manifest-malformed\\]")
file(WRITE "${moved}/lib.json" "${manifest}")
file(GLOB library "${moved}/*lib.so")
file(APPEND "${library}" "more")
expect_complaint("${manifest}" "library-changed")
file(REMOVE "${library}")
expect_complaint("${manifest}" "library-missing")
