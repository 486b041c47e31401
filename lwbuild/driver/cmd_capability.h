#pragma once

#include "lwbuild/driver/options.h"

/*
 * lwbuild capability build: a capability from a Lean project, without CMake in
 * the user's build. Prints the manifest's path; what the tools say goes to
 * stderr. Returns an exit code.
 */
int lwb_cmd_capability_build(const struct lwb_options *options);
