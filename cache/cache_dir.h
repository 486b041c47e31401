#pragma once

#include <stdbool.h>

/*
 * Where a cache lies when nobody says: $LWBUILD_CACHE_DIR, else
 * $XDG_CACHE_HOME/lwbuild, else $HOME/.cache/lwbuild, else `.lwbuild-cache` in
 * the folder `beside` (*fell_back then tells that no home was found). Empty
 * variables count as unset, and so does a relative XDG_CACHE_HOME, as its
 * specification demands. The caller frees the path; NULL when memory is out.
 */
char *lwb_cache_default_dir(const char *const *environment, const char *beside, bool *fell_back);

/*
 * A file in the cache directory that every `cache clear` replaces: who keeps
 * answers outside the cache binds them to what stat says of it. A cache that
 * was never cleared has none.
 */
#define LWB_CACHE_GENERATION_FILE "generation"
