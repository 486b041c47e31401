#pragma once

#include <stdint.h>

#include "lwbuild/base/error.h"

/* The writing side of lwb_cache_generation (cache_dir.h); only ever called with a higher number. */
int lwb_cache_set_generation(const char *dir, uint64_t generation, struct lwb_error *err);
