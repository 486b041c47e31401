#pragma once

#include "cache/cache.h"
#include "lwbuild/base/error.h"

/*
 * A new private folder for what a run needs only while it lasts; the caller's to
 * remove, and *out to free. In `cache`, which may be NULL, so that files can be moved
 * into it; else in $TMPDIR/lwbuild-<user>, $TMPDIR being /tmp if it is not set.
 *
 * That folder of a user stays: a project may lie below $TMPDIR, and is searched for
 * upwards, so $TMPDIR counts as an input of such a check. If runs made and removed
 * folders right in it, each would make the next build ask again.
 */
int lwb_scratch_folder_make(char **out, struct lwb_cache *cache, struct lwb_error *err);
