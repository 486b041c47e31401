#pragma once

#include "lwbuild/base/digest.h"

/*
 * A file of keys, 32 bytes each and nothing between them: what a run without a
 * look-up leaves to say which entries it rests on. One that is cut has the keys
 * that are whole, one that is not there has none.
 */
void lwb_cache_visit_keys(const char *path, void (*visit)(void *ctx, const struct lwb_digest *key),
                          void *ctx);
