# lwbuild as a part of another project, by FetchContent: it is built when a check needs it, brings
# no tests and installs nothing.
file(COPY "${ROOT}/examples/proofs/Arith.ndjson" DESTINATION "${source}")
file(WRITE "${source}/CMakeLists.txt" "
    cmake_minimum_required(VERSION 3.14)
    project(user LANGUAGES C)
    enable_testing()
    include(FetchContent)
    FetchContent_Declare(lwbuild SOURCE_DIR \"${ROOT}\")
    FetchContent_MakeAvailable(lwbuild)
    add_lean_check(proofs TEST EXPORTS Arith.ndjson EXPECT N.mul_comm)\n")
run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${source}" -B "${build}" -DCMAKE_C_FLAGS=-O0)
build(--target proofs --parallel 2)
expect_output("Checking Lean proofs: proofs")
build(--target proofs)
expect_no_output("Checking Lean proofs")
run(ctest --test-dir "${build}" -C Debug)
expect_output("1 tests passed|100% tests passed, 0 tests failed out of 1")
file(STRINGS "${build}/cmake_install.cmake" installs REGEX "lwbuild.*cmake_install")
