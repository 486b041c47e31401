#pragma once

#include "cache/cache_internal.h"

/* Files in the cache directory that belong to nobody. Called under the lock. */

/* Visit every file below objects/; `digest` is what its name says, NULL if it says nothing. */
int lwb_objects_visit(struct lwb_cache *cache,
                      int (*visit)(void *ctx, const char *path, const struct lwb_digest *digest,
                                   struct lwb_error *err),
                      void *ctx, struct lwb_error *err);

/* Objects without a row, unless younger than `min_age_s`. */
int lwb_tidy_strays(struct lwb_cache *cache, int64_t min_age_s, struct lwb_error *err);

/* Scratch folders whose process is gone, database files set aside more than a week ago. */
void lwb_tidy_leftovers(struct lwb_cache *cache);

/* Trees that nobody has used for so long, and those that were never finished. */
void lwb_tidy_trees(struct lwb_cache *cache, int64_t min_age_s);
