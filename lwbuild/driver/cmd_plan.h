#pragma once

#include "lwbuild/driver/options.h"

/* Print batches, module order, keys and whether the cache has them; starts no check. */
int lwb_cmd_plan(const struct lwb_options *options);
