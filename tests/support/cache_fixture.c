#include "tests/support/test.h"

#include "tests/support/cache_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"

static int64_t fixture_wall_s(void *ctx)
{
    return ((struct cache_fixture *)ctx)->wall_s;
}

static uint64_t fixture_monotonic_ns(void *ctx)
{
    return ((struct cache_fixture *)ctx)->monotonic_ns;
}

int cache_fixture_setup(void **state)
{
    struct cache_fixture *fixture = lwb_alloc(sizeof(*fixture));

    assert_non_null(fixture);
    scratch_make(&fixture->scratch);
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/cache", fixture->scratch.dir);
    fixture->clock = (struct lwb_cache_clock){ fixture_wall_s, fixture_monotonic_ns, fixture };
    fixture->wall_s = 1700000000;
    fixture->monotonic_ns = 1000000000;
    fixture->warning = LWB_BUF(10000);
    *state = fixture;
    return 0;
}

int cache_fixture_teardown(void **state)
{
    struct cache_fixture *fixture = *state;

    scratch_remove(&fixture->scratch);
    lwb_buf_release(&fixture->warning);
    lwb_free(fixture);
    return 0;
}

struct lwb_cache *cache_fixture_open(struct cache_fixture *fixture, enum lwb_cache_mode mode)
{
    const struct lwb_cache_config config = {
        .dir = fixture->dir,
        .mode = mode,
        .clock = &fixture->clock,
    };
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    lwb_buf_clear(&fixture->warning);
    if (lwb_cache_open(&cache, &config, &fixture->warning, &err) < 0)
        fail_msg("%s", err.text);
    return cache;
}

struct lwb_digest cache_key(uint32_t n)
{
    struct lwb_digest key;
    struct lwb_error err;

    assert_int_equal(lwb_digest_bytes(&key, lwb_bytes(&n, sizeof(n)), &err), LWB_OK);
    return key;
}

void cache_store_numbered(struct lwb_cache *cache, uint32_t key, uint32_t n, bool fresh)
{
    struct lwb_digest digest = cache_key(key);
    char report[40];
    struct lwb_error err;

    (void)snprintf(report, sizeof(report), "report %u", n);
    const struct lwb_cache_entry entry = {
        .verdict = LWB_CACHE_ACCEPTED,
        .fresh = fresh,
        .check_ns = n,
        .report = lwb_bytes_text(report),
        .facts = lwb_bytes(&digest, sizeof(digest)),
    };
    if (lwb_cache_store(cache, &digest, &entry, &err) < 0)
        fail_msg("%s", err.text);
}

int cache_lookup_numbered(struct lwb_cache *cache, uint32_t key, bool fresh_only, uint32_t *n)
{
    struct lwb_digest digest = cache_key(key);
    struct lwb_cache_entry entry;
    struct lwb_error err;
    char report[40];
    int rc = lwb_cache_lookup(cache, &digest, fresh_only, &entry, &err);

    if (rc < 0)
        fail_msg("%s", err.text);
    if (rc == 0)
        return 0;
    *n = (uint32_t)entry.check_ns;
    (void)snprintf(report, sizeof(report), "report %u", *n);
    assert_true(lwb_bytes_is(entry.report, report));
    assert_true(lwb_bytes_equal(entry.facts, lwb_bytes(&digest, sizeof(digest))));
    assert_int_equal(entry.verdict, LWB_CACHE_ACCEPTED);
    return 1;
}

enum { BATCH_MAX = 256 };

static void list_keys(struct lwb_digest *keys, uint32_t key, uint32_t count)
{
    assert_true(count <= BATCH_MAX);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = cache_key(key + i);
}

void cache_store_numbered_batch(struct lwb_cache *cache, uint32_t key, uint32_t count)
{
    struct lwb_digest keys[BATCH_MAX];
    struct lwb_cache_entry entries[BATCH_MAX];
    char reports[BATCH_MAX][40];
    struct lwb_error err;

    list_keys(keys, key, count);
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(reports[i], sizeof(reports[i]), "report %u", key + i);
        entries[i] = (struct lwb_cache_entry){
            .verdict = LWB_CACHE_ACCEPTED,
            .check_ns = key + i,
            .report = lwb_bytes_text(reports[i]),
            .facts = lwb_bytes(&keys[i], sizeof(keys[i])),
        };
    }
    if (lwb_cache_store_batch(cache, lwb_bytes_text("numbered"), keys, entries, count, &err) < 0)
        fail_msg("%s", err.text);
}

struct numbered {
    uint32_t key;
    uint32_t count; /* found so far */
};

static void check_numbered(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    struct numbered *numbered = ctx;
    struct lwb_digest key = cache_key(numbered->key + (uint32_t)number);

    assert_int_equal(number, numbered->count++);
    assert_int_equal(entry->check_ns, numbered->key + number);
    assert_int_equal(entry->verdict, LWB_CACHE_ACCEPTED);
    assert_true(lwb_bytes_equal(entry->facts, lwb_bytes(&key, sizeof(key))));
}

int cache_lookup_numbered_batch(struct lwb_cache *cache, uint32_t key, uint32_t count)
{
    struct numbered numbered = { key, 0 };
    struct lwb_digest keys[BATCH_MAX];
    struct lwb_error err;
    int answer;

    list_keys(keys, key, count);
    answer = lwb_cache_lookup_batch(cache, keys, count, false, check_numbered, &numbered, &err);
    if (answer < 0)
        fail_msg("%s", err.text);
    assert_int_equal(numbered.count, answer == LWB_BATCH_FOUND ? count : 0);
    return answer == LWB_BATCH_FOUND;
}

struct lwb_digest cache_adopt_text(struct lwb_cache *cache, const char *content)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest;
    struct lwb_error err;

    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text(content), &err), LWB_OK);
    assert_int_equal(lwb_cache_scratch(cache, &path, &err), LWB_OK);
    lwb_buf_append_text(&path, "/artifact");
    assert_int_equal(lwb_file_write(lwb_buf_text(&path), lwb_bytes_text(content), 0600, &err),
                     LWB_OK);
    if (lwb_cache_adopt(cache, lwb_buf_text(&path), &digest, &err) < 0)
        fail_msg("%s", err.text);
    return digest;
}
