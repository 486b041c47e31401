#pragma once

#include "lwbuild/driver/options.h"

/* Say what was found: child, hosts, toolchain, cache; what is missing, and what to do. */
int lwb_cmd_doctor(const struct lwb_options *options);
