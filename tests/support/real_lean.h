#pragma once

#include "lwbuild/plan/toolchain.h"

/*
 * The Lean that is installed here: LWBUILD_TEST_LEAN (a prefix), else the one
 * that lwbuild would find, else the last of elan's toolchains. Ends the program
 * with exit code 77 and a line where there is none.
 */
void real_lean_find(struct lwb_toolchain *toolchain);
