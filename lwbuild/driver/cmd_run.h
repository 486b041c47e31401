#pragma once

#include "lwbuild/driver/options.h"

/*
 * Call one command of a capability library in a child of its own. The answer
 * goes to stdout on a line; rows (--rows) are lines each, and count only if the exit
 * code is 0. What the library or Lean prints, and diagnostics, go to stderr.
 */
int lwb_cmd_run(const struct lwb_options *options);
