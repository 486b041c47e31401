#pragma once

#include "cache/cache.h"

/*
 * Upkeep: staying below a size, starting again, and finding what disks did.
 * Closing a cache trims by itself when it is over its limit and tidies up once
 * a day; these are for `lwbuild cache trim|clear|verify`.
 */
struct lwb_trim_result {
    uint64_t entries; /* removed */
    uint64_t objects;
    uint64_t bytes; /* freed, as the size limit counts them */
    uint64_t left;  /* bytes that remain */
    bool in_use;    /* others have the cache open: what they may be using stayed */
};

/*
 * Evict the least recently used until 90% of `max_bytes` (0: the cache's own
 * limit) are left, if there is more than that limit; then remove objects that no
 * entry refers to, trees that were not used for a week and what dead processes
 * left behind. Evicted entries leave
 * tombstones for a month, so that a miss can say so.
 */
int lwb_cache_trim(struct lwb_cache *cache, uint64_t max_bytes, struct lwb_trim_result *out,
                   struct lwb_error *err);

/*
 * Remove all results, objects, trees and remembered digests; statistics stay. The
 * generation rises first: from then on no snapshot made before answers.
 */
int lwb_cache_clear(struct lwb_cache *cache, struct lwb_trim_result *out, struct lwb_error *err);

struct lwb_verify_result {
    uint64_t entries; /* looked at */
    uint64_t objects;
    uint64_t bad_entries; /* found to be damaged or without their objects, and removed */
    uint64_t bad_objects; /* content that is not what the name says, and removed */
    bool replaced;        /* the database itself was damaged and set aside */
};

/* Read everything there is and remove what is not as it was stored. */
int lwb_cache_verify(struct lwb_cache *cache, struct lwb_verify_result *out, struct lwb_error *err);
