#include "tests/support/test.h"

#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache_stats.h"
#include "cache/cache_trim.h"
#include "lwbuild/base/alloc.h"
#include "tests/support/cache_fixture.h"
#include "tests/support/fault.h"

/*
 * Every allocation fails once, SQLite's own included: it is given the same
 * allocator. Failing is allowed, and getting by is; a crash, a leak, a wrong
 * result or a lost one is not.
 */
enum { OLD = 1, NEW = 2 };

/* Made before memory runs out. */
static struct lwb_digest old_key;
static struct lwb_digest new_key;

/* SQLite asks for the size of its blocks, so it stands in front of them. */
enum { HEAD = 16 };

static void *sqlite_resize(void *old, int size)
{
    char *block = lwb_realloc(old ? (char *)old - HEAD : NULL, (size_t)size + HEAD);

    if (!block)
        return NULL;
    memcpy(block, &size, sizeof(size));
    return block + HEAD;
}

static void *sqlite_alloc(int size)
{
    return sqlite_resize(NULL, size);
}

static void sqlite_release(void *block)
{
    if (block)
        lwb_free((char *)block - HEAD);
}

static int sqlite_size(void *block)
{
    int size = 0;

    if (block)
        memcpy(&size, (char *)block - HEAD, sizeof(size));
    return size;
}

static int sqlite_round(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_begin(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void sqlite_end(void *data)
{
    (void)data;
}

static void give_sqlite_our_memory(void)
{
    static const sqlite3_mem_methods methods = {
        sqlite_alloc, sqlite_release, sqlite_resize, sqlite_size,
        sqlite_round, sqlite_begin,   sqlite_end,    NULL,
    };

    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
}

static void check_old(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    (void)ctx;
    assert_int_equal(number, 0);
    assert_int_equal(entry->check_ns, OLD);
}

static void check_new(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    (void)ctx;
    assert_in_range(number, 0, LWB_CACHE_BATCH_MIN - 1);
    assert_int_equal(entry->check_ns, NEW);
}

/* A bit of everything. Returns whether the new result was acknowledged. */
static bool use(struct cache_fixture *fixture, struct lwb_buf *warning)
{
    const struct lwb_cache_config config = { .dir = fixture->dir, .clock = &fixture->clock };
    const struct lwb_cache_component components[] = { { "source", old_key },
                                                      { "import A", new_key } };
    const struct lwb_cache_entry entry = { .verdict = LWB_CACHE_ACCEPTED,
                                           .check_ns = NEW,
                                           .report = lwb_bytes_text("new") };
    LWB_AUTO(lwb_cache_close) struct lwb_cache *cache = NULL;
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1000);
    struct lwb_cache_entry found;
    struct lwb_trim_result trimmed;
    struct lwb_verify_result verified;
    struct lwb_cache_stats stats;
    struct lwb_digest digest = old_key;
    struct lwb_digest members[LWB_CACHE_BATCH_MIN];
    struct lwb_cache_entry entries[LWB_CACHE_BATCH_MIN];
    enum lwb_cache_why why;
    struct lwb_error err;
    bool stored;

    if (lwb_cache_open(&cache, &config, warning, &err) < 0)
        return false;
    if (lwb_cache_lookup(cache, &old_key, false, &found, &err) > 0)
        assert_int_equal(found.check_ns, OLD);
    stored = lwb_cache_store(cache, &new_key, &entry, &err) == LWB_OK;
    for (size_t i = 0; i < LWB_CACHE_BATCH_MIN; i++) {
        members[i] = i ? old_key : new_key;
        entries[i] = entry;
    }
    (void)lwb_cache_store_batch(cache, lwb_bytes_text("B"), members, entries, LWB_CACHE_BATCH_MIN,
                                &err);
    (void)lwb_cache_store_components(cache, lwb_bytes_text("M"), &new_key, components, 2, &err);
    stored = lwb_cache_commit(cache, &err) == LWB_OK && stored;
    (void)lwb_cache_lookup_many(cache, &old_key, 1, false, check_old, NULL, &err);
    (void)lwb_cache_explain(cache, lwb_bytes_text("M"), &old_key, components, 1, &why, &text, &err);
    (void)lwb_cache_lookup_batch(cache, members, LWB_CACHE_BATCH_MIN, false, check_new, NULL, &err);
    (void)lwb_cache_file_digest(cache, "/proc/self/exe", &digest, NULL, &err);
    lwb_cache_count(cache, LWB_STAT_HITS, 1);
    (void)lwb_cache_read_stats(cache, &stats, &err);
    (void)lwb_cache_trim(cache, 0, &trimmed, &err);
    (void)lwb_cache_verify(cache, &verified, &err);
    return stored;
}

static void every_allocation_may_fail(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(10000);
    struct lwb_error err;
    uint32_t n = 0;
    bool stored;
    bool fired;
    long live;
    long step = 0;

    old_key = cache_key(OLD);
    new_key = cache_key(NEW);
    cache_store_numbered(cache, OLD, OLD, false);
    lwb_cache_close(cache);
    (void)use(fixture, &warning);       /* what libraries allocate once and keep */
    lwb_buf_append_text(&warning, "x"); /* and so does this buffer */
    do {
        lwb_buf_clear(&warning);
        live = fault_live_blocks();
        fault_arm(step++);
        stored = use(fixture, &warning);
        fired = fault_disarm();
        assert_int_equal(fault_live_blocks(), live);
        assert_int_equal(warning.len, 0);
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        assert_int_equal(fixture->warning.len, 0); /* nothing was set aside */
        assert_int_equal(cache_lookup_numbered(cache, OLD, false, &n), 1);
        if (stored) {
            struct lwb_cache_entry found;

            assert_int_equal(lwb_cache_lookup(cache, &new_key, false, &found, &err), 1);
            assert_true(lwb_bytes_is(found.report, "new"));
            assert_int_equal(lwb_cache_drop(cache, &new_key, &err), LWB_OK);
        }
        lwb_cache_close(cache);
    } while (fired);
    assert_true(stored);
    assert_true(step > 300);
    print_message("%ld allocations\n", step);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(every_allocation_may_fail),
    };
    int rc;

    scratch_prefer_memory();
    fault_begin();
    give_sqlite_our_memory();
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    (void)sqlite3_shutdown();
    fault_end();
    return rc;
}
