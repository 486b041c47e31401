#pragma once

#include "cache/cache_internal.h"

/* The memory behind lwb_cache_file_digest, for those who hash by other means. */

/* Before a file is read: may its digest be remembered? */
bool lwb_digests_may_keep(struct lwb_cache *cache, const char *path,
                          const struct lwb_file_stat *st);

struct lwb_digest lwb_digests_key(struct lwb_cache *cache, const char *path);

/* Returns 1 and the digest, 0 when the file that looked like `st` is not known. */
int lwb_digests_recall(struct lwb_cache *cache, const struct lwb_digest *key,
                       const struct lwb_file_stat *st, struct lwb_digest *out,
                       struct lwb_error *err);
void lwb_digests_remember(struct lwb_cache *cache, const struct lwb_digest *key,
                          const struct lwb_file_stat *st, const struct lwb_digest *digest);
