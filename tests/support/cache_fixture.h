#pragma once

#include "cache/cache.h"
#include "tests/support/scratch.h"

/* A cache directory of its own and a clock that stands still, for one test. */
struct cache_fixture {
    struct scratch scratch;
    char dir[300];
    struct lwb_cache_clock clock; /* reads the two below */
    int64_t wall_s;
    uint64_t monotonic_ns;
    struct lwb_buf warning; /* of the last open */
};

/* cmocka set-up and tear-down: *state is the fixture. */
int cache_fixture_setup(void **state);
int cache_fixture_teardown(void **state);

/* Opens, or fails the test. */
struct lwb_cache *cache_fixture_open(struct cache_fixture *fixture, enum lwb_cache_mode mode);

struct lwb_digest cache_key(uint32_t n);

/* An accepted result whose report says `n`, so that a mix-up shows. */
void cache_store_numbered(struct lwb_cache *cache, uint32_t key, uint32_t n, bool fresh);

/* 1 and *n, or 0; fails the test on errors and on an entry that no test has stored. */
int cache_lookup_numbered(struct lwb_cache *cache, uint32_t key, bool fresh_only, uint32_t *n);

/* A batch of `count` of these, from `key` on, each with its number as its result. */
void cache_store_numbered_batch(struct lwb_cache *cache, uint32_t key, uint32_t count);

/* 1, or 0 and nothing found; fails the test on errors and on any other entry. */
int cache_lookup_numbered_batch(struct lwb_cache *cache, uint32_t key, uint32_t count);

/* Writes `content` to a private file and takes it into the cache; its digest. */
struct lwb_digest cache_adopt_text(struct lwb_cache *cache, const char *content);
