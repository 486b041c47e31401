#include "tests/support/test.h"

#include <sys/stat.h>

#include "tests/support/cache_fixture.h"

static void what_is_stored_is_found(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    uint32_t n = 0;

    assert_int_equal(fixture->warning.len, 0);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    assert_int_equal(n, 11);
    lwb_cache_close(cache);

    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    assert_int_equal(n, 11);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 0);
    lwb_cache_close(cache);
}

static void others_see_what_is_committed_and_nothing_else(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *one = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache *two = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    cache_store_numbered(one, 1, 11, false);
    assert_int_equal(cache_lookup_numbered(two, 1, false, &n), 0);
    assert_int_equal(lwb_cache_commit(one, &err), LWB_OK);
    assert_int_equal(lwb_cache_tick(two, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(two, 1, false, &n), 1);
    lwb_cache_close(two);
    lwb_cache_close(one);
}

static void a_result_waits_a_second_at_most(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *one = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache *two = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    cache_store_numbered(one, 1, 11, false);
    fixture->monotonic_ns += 999 * UINT64_C(1000000);
    cache_store_numbered(one, 2, 22, false);
    assert_int_equal(cache_lookup_numbered(two, 1, false, &n), 0);
    fixture->monotonic_ns += 2 * UINT64_C(1000000);
    cache_store_numbered(one, 3, 33, false);
    assert_int_equal(lwb_cache_tick(two, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(two, 1, false, &n), 1);
    assert_int_equal(cache_lookup_numbered(two, 3, false, &n), 1);

    cache_store_numbered(one, 4, 44, false);
    fixture->monotonic_ns += 1000 * UINT64_C(1000000);
    assert_int_equal(lwb_cache_tick(one, &err), LWB_OK);
    assert_int_equal(lwb_cache_tick(two, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(two, 4, false, &n), 1);
    lwb_cache_close(two);
    lwb_cache_close(one);
}

static void fresh_replaces_warm_and_never_the_other_way(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    for (int committed = 0; committed < 2; committed++) {
        uint32_t key = (uint32_t)committed;

        cache_store_numbered(cache, key, 1, false);
        if (committed)
            assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        assert_int_equal(cache_lookup_numbered(cache, key, true, &n), 0);
        cache_store_numbered(cache, key, 2, true);
        if (committed)
            assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        assert_int_equal(cache_lookup_numbered(cache, key, true, &n), 1);
        assert_int_equal(n, 2);
        cache_store_numbered(cache, key, 3, false);
        assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        assert_int_equal(cache_lookup_numbered(cache, key, false, &n), 1);
        assert_int_equal(n, 2);
        cache_store_numbered(cache, key, 4, true);
        assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        assert_int_equal(cache_lookup_numbered(cache, key, false, &n), 1);
        assert_int_equal(n, 4);
    }
    lwb_cache_close(cache);
}

static void what_is_dropped_is_gone(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest key = cache_key(1);
    struct lwb_error err;
    uint32_t n = 0;

    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(lwb_cache_drop(cache, &key, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    lwb_cache_close(cache);
}

enum { MANY = 50 };

/* By key: how often it was found, and that it was found as itself. */
static void note_found(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    unsigned *times = ctx;

    assert_true(number < MANY);
    assert_int_equal(entry->check_ns, number);
    times[number]++;
}

/*
 * By number: those of 0 to 9 are committed, 10 to 19 pending, 20 to 29 dropped
 * again, 30 to 39 fresh and committed, 40 to 49 never stored.
 */
static void many_are_found_at_once(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest keys[MANY];
    struct lwb_error err;

    for (uint32_t i = 0; i < MANY; i++)
        keys[i] = cache_key(i);
    for (uint32_t i = 0; i < 40; i++)
        if (i < 10 || i >= 20)
            cache_store_numbered(cache, i, i, i >= 30);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    for (uint32_t i = 10; i < 20; i++)
        cache_store_numbered(cache, i, i, false);
    for (uint32_t i = 20; i < 30; i++)
        assert_int_equal(lwb_cache_drop(cache, &keys[i], &err), LWB_OK);
    for (size_t count = 0; count <= MANY; count++) { /* every way in which groups can end */
        for (int fresh_only = 0; fresh_only < 2; fresh_only++) {
            unsigned times[MANY] = { 0 };

            assert_int_equal(
                lwb_cache_lookup_many(cache, keys, count, fresh_only != 0, note_found, times, &err),
                LWB_OK);
            for (size_t i = 0; i < MANY; i++)
                assert_int_equal(times[i],
                                 i < count && i < 40 && (fresh_only ? i >= 30 : i < 20 || i >= 30));
        }
    }
    lwb_cache_close(cache);
}

static void reading_only_stores_nothing(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_ONLY);
    struct stat st;
    uint32_t n = 0;

    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    lwb_cache_close(cache);
    assert_int_not_equal(stat(fixture->dir, &st), 0);

    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    cache_store_numbered(cache, 1, 11, false);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_ONLY);
    assert_true(lwb_cache_is_read_only(cache));
    cache_store_numbered(cache, 2, 22, false);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 0);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 0);
    lwb_cache_close(cache);
}

static void a_result_that_is_too_large_is_refused(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_entry entry = { .verdict = LWB_CACHE_ACCEPTED };
    struct lwb_digest key = cache_key(1);
    struct lwb_error err;

    entry.report = lwb_bytes("", (size_t)1 << 40); /* never read */
    assert_int_equal(lwb_cache_store(cache, &key, &entry, &err), LWB_ERR_LIMIT);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_is_stored_is_found),
        CACHE_TEST(others_see_what_is_committed_and_nothing_else),
        CACHE_TEST(a_result_waits_a_second_at_most),
        CACHE_TEST(fresh_replaces_warm_and_never_the_other_way),
        CACHE_TEST(what_is_dropped_is_gone),
        CACHE_TEST(many_are_found_at_once),
        CACHE_TEST(reading_only_stores_nothing),
        CACHE_TEST(a_result_that_is_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
