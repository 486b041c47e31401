# The installed package, moved after installing: programs, functions and both C libraries.
run("${CMAKE_COMMAND}" --install "${LWBUILD_BUILD}" --prefix "${work}/installed")
file(RENAME "${work}/installed" "${work}/moved to here")
file(COPY "${ROOT}/examples/proofs/Arith.ndjson" DESTINATION "${source}")
file(WRITE "${source}/parent.c" "
    #include \"lwbuild/lwbuild.h\"
    int main(void) { return lwb_code_name(LWB_OK)[0] == 0; }\n")
file(WRITE "${source}/child.c" "
    #include \"lwbuild/child.h\"
    int main(int argc, char **argv)
    {
        static const struct lwb_host *const hosts[] = { &lwb_host_capability, 0 };
        return lwb_child_run(hosts, argc, argv);
    }\n")
file(WRITE "${source}/CMakeLists.txt" "
    cmake_minimum_required(VERSION 3.10)
    project(user LANGUAGES C)
    enable_testing()
    find_package(LWBuild 0.1 REQUIRED COMPONENTS parent child capability)
    find_package(Lean QUIET)
    add_lean_check(proofs ALL TEST EXPORTS Arith.ndjson EXPECT N.mul_comm)
    add_executable(parent parent.c)
    target_link_libraries(parent LWBuild::parent)
    add_executable(child child.c)
    target_link_libraries(child LWBuild::child)\n")

run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}"
    "-DCMAKE_PREFIX_PATH=${work}/moved to here" "-DCMAKE_C_FLAGS=${LWBUILD_C_FLAGS}")
build()
expect_output("Checking Lean proofs: proofs")
build()
expect_no_output("Checking Lean proofs")
run(ctest --test-dir "${build}" -C Debug -L lean)
file(GLOB_RECURSE child_program "${build}/child")
run("${child_program}" --version)
expect_output("host capability ")

# Another one in the same place, with the time of its own build, as packages of systems come.
foreach(program IN ITEMS lwbuild lwbuild-child)
  file(COPY "${work}/moved to here/bin/${program}" DESTINATION "${work}/upgrade")
  execute_process(COMMAND touch -d 2001-01-01 "${work}/upgrade/${program}" COMMAND_ERROR_IS_FATAL ANY)
  file(RENAME "${work}/upgrade/${program}" "${work}/moved to here/bin/${program}")
  build()
  expect_output("Checking Lean proofs")
  build()
  expect_no_output("Checking Lean proofs")
endforeach()

# A version that is too new, and a component that is not there.
file(WRITE "${source}/CMakeLists.txt" "cmake_minimum_required(VERSION 3.10)\n"
    "project(user LANGUAGES NONE)\nfind_package(LWBuild 0.2)\n"
    "message(STATUS \"found \${LWBuild_FOUND}\")\nfind_package(LWBuild COMPONENTS nothing)\n"
    "message(STATUS \"component \${LWBuild_FOUND}\")\n")
run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}2"
    "-DCMAKE_PREFIX_PATH=${work}/moved to here")
expect_output("found 0")
expect_output("components parent, child and capability, not nothing.*component 0")
