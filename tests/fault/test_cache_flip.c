#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cache/cache_trim.h"
#include "tests/support/cache_fixture.h"

/*
 * What disks and people do to a file: every so many bytes one is changed. A
 * result comes back as it was stored, or it is a miss. Never an error that the
 * caller could not go on from, never another result, and the cache can be
 * stored to afterwards.
 */
enum { ENTRIES = 40, STRIDE = 41 };

static void fill(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;

    for (uint32_t i = 0; i < ENTRIES; i++)
        cache_store_numbered(cache, i, i, i % 2);
    cache_store_numbered_batch(cache, 0, ENTRIES);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct lwb_digest question = cache_key(2000 + i);
        struct lwb_digest answer = cache_key(3000 + i);

        assert_int_equal(lwb_cache_remember(cache, &question, &answer, &err), LWB_OK);
    }
    lwb_cache_close(cache);
}

/* Returns how many results were found, all of them right. */
static uint32_t check(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t found = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct lwb_digest question = cache_key(2000 + i);
        struct lwb_digest expected = cache_key(3000 + i);
        struct lwb_digest answer;

        if (cache_lookup_numbered(cache, i, i % 2, &n) > 0) {
            assert_int_equal(n, i);
            found++;
        }
        if (cache_lookup_numbered(cache, i, true, &n) > 0)
            assert_true(i % 2); /* a warm one never becomes fresh */
        if (lwb_cache_recall(cache, &question, &answer, &err) > 0)
            assert_int_equal(lwb_digest_compare(&answer, &expected), 0);
    }
    (void)cache_lookup_numbered_batch(cache, 0, ENTRIES);
    lwb_cache_close(cache);
    return found;
}

static void check_usable(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_verify_result verified;
    struct lwb_error err;
    uint32_t n = 0;

    assert_int_equal(lwb_cache_verify(cache, &verified, &err), LWB_OK);
    cache_store_numbered(cache, 500, 55, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(cache, 500, false, &n), 1);
    assert_int_equal(n, 55);
    lwb_cache_close(cache);
}

static void a_flipped_byte_is_a_miss_at_most(void **state)
{
    struct cache_fixture *fixture = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole = LWB_BUF(10000000);
    const char *stride = getenv("LWB_FLIP_STRIDE");
    size_t step = stride ? strtoul(stride, NULL, 10) : STRIDE;
    unsigned rounds = 0;
    unsigned with_losses = 0;
    struct lwb_error err;
    char path[400];

    fill(fixture);
    assert_int_equal(check(fixture), ENTRIES);
    (void)snprintf(path, sizeof(path), "%s/cache.db", fixture->dir);
    assert_int_equal(lwb_file_read(&whole, path, NULL, &err), LWB_OK);
    for (size_t at = 0; at < whole.len; at += step) {
        assert_int_equal(lwb_file_remove_tree(fixture->dir, &err), LWB_OK);
        assert_int_equal(lwb_file_make_dirs(fixture->dir, 0700, &err), LWB_OK);
        whole.ptr[at] ^= (char)(1 + at % 255);
        assert_int_equal(lwb_file_write(path, lwb_buf_bytes(&whole), 0600, &err), LWB_OK);
        whole.ptr[at] ^= (char)(1 + at % 255);
        with_losses += check(fixture) < ENTRIES;
        if (rounds++ % 8 == 0)
            check_usable(fixture);
    }
    assert_true(with_losses > 0 && with_losses < rounds);
    print_message("%u flips, %u cost results\n", rounds, with_losses);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(a_flipped_byte_is_a_miss_at_most),
    };

    scratch_prefer_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
