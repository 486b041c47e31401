#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * What can be said of a cache directory without opening the cache: where it is,
 * its generation, and that a snapshot has answered. Nothing here touches SQLite
 * or hashes anything: the run that has nothing to do comes through here.
 */

/*
 * The cache directory, appended to `out`: `option` (--cache) if there is one,
 * else LWBUILD_CACHE_DIR, else $XDG_CACHE_HOME/lwbuild, else ~/.cache/lwbuild.
 * Returns 1, or 0 when none of these can be had and `fallback` (a directory
 * beside the build) was taken, which the user should be told once. The first
 * two may be relative. `environment` is a list of name=value, ended by NULL.
 */
int lwb_cache_default_dir(struct lwb_buf *out, const char *option, char *const *environment,
                          const char *fallback, struct lwb_error *err);

/*
 * A number that rises whenever the cache is cleared, and that a directory made
 * anew does not share with the one before. A snapshot made under another
 * generation answers nothing. 0 where there is no cache yet.
 */
int lwb_cache_generation(const char *dir, uint64_t *out, struct lwb_error *err);

/* A snapshot has answered for a run. */
struct lwb_cache_use {
    uint64_t modules;
    uint64_t saved_ns;
    const char *keys; /* absolute path of a file with the keys, 32 bytes each; NULL: none */
};

/*
 * Leave a note for the next process that opens the cache: it counts the run and
 * keeps the entries from being the least recently used. A note that cannot be
 * left is a run that is not counted; there is no way to fail.
 */
void lwb_cache_note_snapshot(const char *dir, const struct lwb_cache_use *use);
