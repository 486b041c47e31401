#include "tests/support/test.h"

#include "tests/integration/cache/opened_cache.h"

#include <stdio.h>

const char *file_in_cache(const struct cache_fixture *fixture, const char *name)
{
    static char paths[4][400];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", fixture->dir, name);
    return path;
}

int try_open_cache(struct cache_fixture *fixture, struct lwb_cache **cache, int busy_ms,
                   struct lwb_error *err)
{
    const struct lwb_cache_config config = {
        .dir = fixture->dir,
        .busy_ms = busy_ms,
        .clock = &fixture->clock,
    };

    lwb_buf_clear(&fixture->warning);
    return lwb_cache_open(cache, &config, &fixture->warning, err);
}

void make_cache_with_one_entry(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);

    cache_store_numbered(cache, 1, 11, false);
    lwb_cache_close(cache);
}

bool the_entry_is_there(struct cache_fixture *fixture, enum lwb_cache_mode mode)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, mode);
    uint32_t n = 0;
    int rc = cache_lookup_numbered(cache, 1, false, &n);

    lwb_cache_close(cache);
    return rc > 0 && n == 11;
}
