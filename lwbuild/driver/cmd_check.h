#pragma once

#include "lwbuild/driver/options.h"

/* Each command prints what it has to say and returns the exit code. */
int lwb_cmd_check(const struct lwb_options *options);
