#pragma once

#include "child/host.h"

/*
 * The host "lean": modules, and pieces of Lean text, checked by an installed
 * Lean of any version from 2021 on.
 *
 * A session is one header under one toolchain, search path and list of
 * options. Modules that nobody imports are answered by one warm `lean
 * --worker`, started with the first of them; others by a `lean` process each,
 * and so is every module whose warm answer is not sure. Before Lean 4.1 that is
 * also what is rejected, warned of or traced: verdict and text are those of
 * `lean FILE`, at the price of a process for each such module. (For text that
 * is elaborated there is no such file; it is answered in the worker's words.)
 */
extern const struct lwb_host lwb_host_lean;
