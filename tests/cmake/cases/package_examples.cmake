# The examples that say they can be built on their own, with nothing but the installed package.
run("${CMAKE_COMMAND}" --install "${LWBUILD_BUILD}" --prefix "${work}/installed")
foreach(example IN ITEMS capability embed)
  run("${CMAKE_COMMAND}" -G "${GENERATOR}" -S "${ROOT}/examples/${example}" -B "${work}/${example}"
      "-DCMAKE_PREFIX_PATH=${work}/installed" "-DCMAKE_C_FLAGS=${LWBUILD_C_FLAGS}")
  run("${CMAKE_COMMAND}" --build "${work}/${example}")
endforeach()
run("${work}/embed/embed")
expect_output("primes: 9592 below 100000.*never-end: cancelled.*crash: child-aborted.*pool: ")
