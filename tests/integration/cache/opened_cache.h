#pragma once

#include "tests/support/cache_fixture.h"

/*
 * What tests of a cache's directory and of its file share: a cache with the entry
 * 1, which says 11.
 */

/* <cache>/<name>; four of them are good at a time. */
const char *file_in_cache(const struct cache_fixture *fixture, const char *name);

/* As cache_fixture_open, but what lwb_cache_open returns is for the test to judge. */
int try_open_cache(struct cache_fixture *fixture, struct lwb_cache **cache, int busy_ms,
                   struct lwb_error *err);

void make_cache_with_one_entry(struct cache_fixture *fixture);
bool the_entry_is_there(struct cache_fixture *fixture, enum lwb_cache_mode mode);
