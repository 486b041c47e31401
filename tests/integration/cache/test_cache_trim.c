#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_dir.h"
#include "cache/cache_stats.h"
#include "cache/cache_trim.h"
#include "lwbuild/base/alloc.h"
#include "tests/support/cache_fixture.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static struct lwb_cache *open_limited(struct cache_fixture *fixture, uint64_t max_bytes)
{
    const struct lwb_cache_config config = {
        .dir = fixture->dir,
        .max_bytes = max_bytes,
        .clock = &fixture->clock,
    };
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    if (lwb_cache_open(&cache, &config, &fixture->warning, &err) < 0)
        fail_msg("%s", err.text);
    return cache;
}

/* An entry of a good kilobyte. */
static void store_big(struct lwb_cache *cache, uint32_t n)
{
    LWB_AUTO(lwb_free_text) char *report = lwb_alloc(1001);
    struct lwb_cache_entry entry = { .verdict = LWB_CACHE_ACCEPTED };
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;

    memset(report, 'r', 1000);
    entry.report = lwb_bytes_text(report);
    assert_int_equal(lwb_cache_store(cache, &key, &entry, &err), LWB_OK);
}

static bool has(struct lwb_cache *cache, uint32_t n)
{
    struct lwb_cache_entry entry;
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;
    int rc = lwb_cache_lookup(cache, &key, false, &entry, &err);

    if (rc < 0)
        fail_msg("%s", err.text);
    return rc > 0;
}

static struct lwb_cache_stats stats_of(struct lwb_cache *cache)
{
    struct lwb_cache_stats stats;
    struct lwb_error err;

    if (lwb_cache_read_stats(cache, &stats, &err) < 0)
        fail_msg("%s", err.text);
    return stats;
}

static void the_least_recently_used_go_first(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_trim_result result;
    struct lwb_error err;

    for (uint32_t n = 0; n < 20; n++) {
        store_big(cache, n);
        assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        fixture->wall_s += 60;
    }
    fixture->wall_s += 2 * HOUR;
    assert_true(has(cache, 0)); /* used again */
    assert_int_equal(lwb_cache_trim(cache, 12000, &result, &err), LWB_OK);
    assert_false(result.in_use);
    assert_true(result.left <= 12000 * 9 / 10 && result.left > 12000 * 9 / 10 - 1200);
    assert_true(result.entries >= 9 && result.entries <= 12);
    assert_true(has(cache, 0));
    for (uint32_t n = 1; n < 20; n++)
        assert_int_equal(has(cache, n), n > result.entries);
    assert_int_equal(stats_of(cache).total[LWB_STAT_EVICTED], result.entries);
    assert_int_equal(stats_of(cache).total[LWB_STAT_BYTES], result.left);

    assert_int_equal(lwb_cache_trim(cache, 12000, &result, &err), LWB_OK);
    assert_int_equal(result.entries, 0); /* below the limit nothing happens */
    lwb_cache_close(cache);
}

static void closing_keeps_the_limit(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = open_limited(fixture, 100000);
    uint32_t kept = 0;

    for (uint32_t n = 0; n < 1500; n++)
        store_big(cache, n);
    lwb_cache_close(cache);
    cache = open_limited(fixture, 100000);
    assert_true(stats_of(cache).total[LWB_STAT_BYTES] <= 90000);
    for (uint32_t n = 0; n < 1500; n++)
        kept += has(cache, n);
    assert_true(kept >= 70 && kept <= 90);
    lwb_cache_close(cache);
}

static void a_miss_says_that_it_was_evicted(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const struct lwb_cache_component component = { "source", cache_key(7) };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(100);
    struct lwb_digest key = cache_key(1);
    struct lwb_trim_result result;
    enum lwb_cache_why why;
    struct lwb_error err;

    store_big(cache, 1);
    assert_int_equal(
        lwb_cache_store_components(cache, lwb_bytes_text("M"), &key, &component, 1, &err), LWB_OK);
    assert_int_equal(lwb_cache_trim(cache, 1, &result, &err), LWB_OK);
    assert_int_equal(result.entries, 1);
    lwb_cache_close(cache);

    fixture->wall_s += 2 * DAY + 5;
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    for (int i = 0; i < 3; i++) /* asked for three times, wanted once */
        assert_false(has(cache, 1));
    assert_int_equal(
        lwb_cache_explain(cache, lwb_bytes_text("M"), &key, &component, 1, &why, &text, &err),
        LWB_OK);
    assert_int_equal(why, LWB_WHY_EVICTED);
    assert_string_equal(lwb_buf_text(&text), "2 days ago");
    assert_int_equal(stats_of(cache).total[LWB_STAT_EVICTED_WANTED], 1);
    assert_false(has(cache, 1));
    assert_int_equal(stats_of(cache).total[LWB_STAT_EVICTED_WANTED], 1);
    lwb_cache_close(cache);

    fixture->wall_s += 40 * DAY; /* forgotten */
    lwb_cache_close(cache_fixture_open(fixture, LWB_CACHE_READ_WRITE));
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(
        lwb_cache_explain(cache, lwb_bytes_text("M"), &key, &component, 1, &why, &text, &err),
        LWB_OK);
    assert_int_equal(why, LWB_WHY_UNKNOWN);
    lwb_cache_close(cache);
}

static void store_object(struct lwb_cache *cache, uint32_t n, const char *content)
{
    struct lwb_digest digest = cache_adopt_text(cache, content);
    const struct lwb_cache_artifact artifact = { "olean", digest, strlen(content) };
    const struct lwb_cache_entry entry = {
        .verdict = LWB_CACHE_ACCEPTED,
        .artifacts = &artifact,
        .n_artifacts = 1,
    };
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;

    assert_int_equal(lwb_cache_store(cache, &key, &entry, &err), LWB_OK);
}

static bool object_is_there(struct lwb_cache *cache, const char *content)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest;
    struct lwb_error err;

    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text(content), &err), LWB_OK);
    assert_int_equal(lwb_cache_object_path(cache, &digest, &path, &err), LWB_OK);
    return access(path.ptr, F_OK) == 0;
}

static void objects_count_and_go_with_their_last_entry(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_free_text) char *big = lwb_alloc(50001);
    struct lwb_digest key = cache_key(1);
    struct lwb_trim_result result;
    struct lwb_error err;
    int64_t bytes;

    memset(big, 'b', 50000);
    store_object(cache, 1, big);
    store_object(cache, 2, big);
    store_object(cache, 3, "small");
    bytes = stats_of(cache).total[LWB_STAT_BYTES];
    assert_true(bytes > 50000 && bytes < 60000); /* once, not twice */
    assert_int_equal(stats_of(cache).total[LWB_STAT_OBJECTS], 2);

    assert_int_equal(lwb_cache_drop(cache, &key, &err), LWB_OK);
    assert_int_equal(lwb_cache_trim(cache, 0, &result, &err), LWB_OK);
    assert_int_equal(result.objects, 0);
    assert_true(object_is_there(cache, big));
    key = cache_key(2);
    assert_int_equal(lwb_cache_drop(cache, &key, &err), LWB_OK);
    assert_int_equal(lwb_cache_trim(cache, 0, &result, &err), LWB_OK);
    assert_int_equal(result.objects, 1);
    assert_int_equal(result.bytes, 50000);
    assert_false(object_is_there(cache, big));
    assert_true(object_is_there(cache, "small"));
    assert_true(has(cache, 3));
    lwb_cache_close(cache);
}

static void what_others_may_be_using_stays(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *one = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache *two = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_trim_result result;
    struct lwb_error err;

    store_object(one, 1, "old and unused");
    store_object(one, 2, "old but used now");
    assert_int_equal(lwb_cache_commit(one, &err), LWB_OK);
    fixture->wall_s += DAY;
    store_object(one, 3, "new");
    (void)cache_adopt_text(one, "no entry yet");
    assert_true(has(one, 2));
    assert_int_equal(lwb_cache_commit(one, &err), LWB_OK);

    assert_int_equal(lwb_cache_trim(two, 1, &result, &err), LWB_OK);
    assert_true(result.in_use);
    assert_int_equal(result.entries, 1);
    assert_false(object_is_there(two, "old and unused"));
    assert_true(object_is_there(two, "old but used now"));
    assert_true(object_is_there(two, "new"));
    assert_true(object_is_there(two, "no entry yet"));
    assert_true(has(one, 2) && has(one, 3));
    lwb_cache_close(one);

    assert_int_equal(lwb_cache_trim(two, 1, &result, &err), LWB_OK);
    assert_false(result.in_use);
    assert_false(object_is_there(two, "new"));
    assert_false(object_is_there(two, "no entry yet"));
    lwb_cache_close(two);
}

static void clearing_leaves_nothing_but_statistics(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_trim_result result;
    struct lwb_cache_stats stats;
    uint64_t before;
    uint64_t after;
    struct lwb_error err;

    assert_int_equal(lwb_cache_generation(fixture->dir, &before, &err), LWB_OK);
    assert_true(before > 0);
    store_big(cache, 1);
    store_object(cache, 2, "an olean");
    lwb_cache_count(cache, LWB_STAT_HITS, 5);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(lwb_cache_clear(cache, &result, &err), LWB_OK);
    assert_int_equal(result.entries, 2);
    assert_int_equal(result.objects, 1);
    assert_int_equal(result.left, 0);
    assert_true(result.bytes > 1000);
    assert_false(has(cache, 1) || has(cache, 2) || object_is_there(cache, "an olean"));
    stats = stats_of(cache);
    assert_int_equal(stats.total[LWB_STAT_HITS], 5);
    assert_int_equal(stats.total[LWB_STAT_BYTES], 0);
    assert_int_equal(stats.total[LWB_STAT_ENTRIES], 0);
    assert_int_equal(lwb_cache_generation(fixture->dir, &after, &err), LWB_OK);
    assert_true(after > before);
    store_big(cache, 1);
    assert_true(has(cache, 1));
    lwb_cache_close(cache);
}

/* Even twice within a second, and in a directory that was removed in between. */
static void the_generation_always_rises(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_trim_result result;
    struct lwb_error err;
    uint64_t last = 0;

    for (int i = 0; i < 6; i++) {
        struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        uint64_t now;

        assert_int_equal(lwb_cache_clear(cache, &result, &err), LWB_OK);
        assert_int_equal(lwb_cache_generation(fixture->dir, &now, &err), LWB_OK);
        assert_true(now > last);
        last = now;
        lwb_cache_close(cache);
        if (i == 3) {
            assert_int_equal(lwb_file_remove_tree(fixture->dir, &err), LWB_OK);
            fixture->wall_s += 60;
        }
    }
}

static void verify_finds_what_disks_do(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_verify_result result;
    struct lwb_digest digest;
    struct lwb_error err;

    store_object(cache, 1, "good");
    store_object(cache, 2, "soon bad");
    store_big(cache, 3);
    assert_int_equal(lwb_cache_verify(cache, &result, &err), LWB_OK);
    assert_int_equal(result.entries, 3);
    assert_int_equal(result.objects, 2);
    assert_int_equal(result.bad_entries + result.bad_objects, 0);
    assert_false(result.replaced);

    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text("soon bad"), &err), LWB_OK);
    assert_int_equal(lwb_cache_object_path(cache, &digest, &path, &err), LWB_OK);
    assert_int_equal(lwb_file_write(path.ptr, lwb_bytes_text("s00n bad"), 0444, &err), LWB_OK);
    assert_true(has(cache, 2)); /* the size is right: only reading tells */
    assert_int_equal(lwb_cache_verify(cache, &result, &err), LWB_OK);
    assert_int_equal(result.bad_objects, 1);
    assert_false(has(cache, 2));
    assert_false(object_is_there(cache, "soon bad"));
    assert_true(has(cache, 1) && has(cache, 3));
    lwb_cache_close(cache);
}

/* Entries 1 and 2, a day apart; the file `keys` is that of a snapshot that rests on 1. */
static void store_and_name_the_older(struct cache_fixture *fixture, const char *keys)
{
    struct lwb_digest key = cache_key(1);
    struct lwb_error err;

    for (unsigned i = 1; i <= 2; i++) {
        struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);

        store_big(cache, i);
        lwb_cache_close(cache);
        fixture->wall_s += DAY;
    }
    assert_int_equal(lwb_file_write(keys, lwb_bytes(key.bytes, sizeof(key.bytes)), 0600, &err),
                     LWB_OK);
}

static void notes_of_snapshots_count_and_keep_entries_young(void **state)
{
    struct cache_fixture *fixture = *state;
    const char *keys = scratch_path(&fixture->scratch, "keys");
    const struct lwb_cache_use use = { 3, 1000, keys };
    const struct lwb_cache_use without_keys = { 4, 500, NULL };
    struct lwb_trim_result result;
    struct lwb_cache_stats stats;
    struct lwb_cache *cache;
    struct lwb_error err;

    store_and_name_the_older(fixture, keys);
    lwb_cache_note_snapshot(fixture->dir, &use);
    lwb_cache_note_snapshot(fixture->dir, &use);
    lwb_cache_note_snapshot(fixture->dir, &without_keys);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    stats = stats_of(cache);
    assert_int_equal(stats.total[LWB_STAT_RUNS], 3);
    assert_int_equal(stats.total[LWB_STAT_SNAPSHOT], 10);
    assert_int_equal(stats.total[LWB_STAT_HITS], 10);
    assert_int_equal(stats.total[LWB_STAT_SAVED_NS], 2500);
    assert_int_equal(lwb_cache_trim(cache, 2000, &result, &err), LWB_OK);
    assert_true(has(cache, 1)); /* older, but used by the snapshot */
    assert_false(has(cache, 2));
    assert_int_equal(stats_of(cache).total[LWB_STAT_RUNS], 3); /* counted once */
    lwb_cache_close(cache);
}

/* Whoever wants to know takes the notes in; others leave them until they are many. */
static void a_few_notes_wait_and_many_do_not(void **state)
{
    struct cache_fixture *fixture = *state;
    const struct lwb_cache_use use = { 1, 1, scratch_path(&fixture->scratch, "keys") };
    const char *notes = scratch_path(&fixture->scratch, "cache/uses");
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);

    lwb_cache_note_snapshot(fixture->dir, &use);
    lwb_cache_close(cache);
    assert_int_equal(access(notes, F_OK), 0);
    for (int i = 0; i < 2000; i++)
        lwb_cache_note_snapshot(fixture->dir, &use);
    lwb_cache_close(cache_fixture_open(fixture, LWB_CACHE_READ_WRITE));
    assert_int_equal(access(notes, F_OK), -1);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(stats_of(cache).total[LWB_STAT_RUNS], 2001);
    lwb_cache_close(cache);
}

/* A limit that is reached evicts by what the notes say, however few they are. */
static void notes_count_before_something_is_evicted_at_close(void **state)
{
    struct cache_fixture *fixture = *state;
    const char *keys = scratch_path(&fixture->scratch, "keys");
    const struct lwb_cache_use use = { 1, 1, keys };
    struct lwb_cache *cache;

    store_and_name_the_older(fixture, keys);
    lwb_cache_note_snapshot(fixture->dir, &use);
    lwb_cache_close(open_limited(fixture, 2000));
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_true(has(cache, 1)); /* older, but used by the snapshot */
    assert_false(has(cache, 2));
    lwb_cache_close(cache);
}

static void odd_notes_count_for_nothing(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);

    scratch_write(&fixture->scratch, "cache/uses",
                  "\nx\n1\n1 \n1 2\n-\n7 7 relative\n1 1 /nowhere\n9 9 cut");
    assert_int_equal(stats_of(cache).total[LWB_STAT_RUNS], 2);
    assert_int_equal(stats_of(cache).total[LWB_STAT_HITS], 8);
    lwb_cache_close(cache);
    lwb_cache_note_snapshot("/does/not/exist", &(struct lwb_cache_use){ 1, 1, NULL });
}

static void counters_know_the_last_run_and_can_be_zeroed(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_stats stats;
    struct lwb_error err;

    lwb_cache_count(cache, LWB_STAT_HITS, 5);
    lwb_cache_count(cache, LWB_STAT_BATCHES, 1);
    store_big(cache, 1);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK); /* in two portions */
    lwb_cache_count(cache, LWB_STAT_HITS, 2);
    assert_int_equal(lwb_cache_counted(cache, LWB_STAT_HITS), 7);
    lwb_cache_close(cache);

    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    stats = stats_of(cache);
    assert_int_equal(stats.total[LWB_STAT_HITS], 7);
    assert_int_equal(stats.last[LWB_STAT_HITS], 7);
    assert_int_equal(stats.last[LWB_STAT_BATCHES], 1);
    lwb_cache_count(cache, LWB_STAT_HITS, 10);
    lwb_cache_close(cache);

    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    stats = stats_of(cache);
    assert_int_equal(stats.total[LWB_STAT_HITS], 17);
    assert_int_equal(stats.last[LWB_STAT_HITS], 10);
    assert_int_equal(stats.last[LWB_STAT_BATCHES], 0);
    assert_int_equal(stats.total[LWB_STAT_ENTRIES], 1);
    assert_int_equal(stats.total[LWB_STAT_ZEROED_AT], 0);
    assert_int_equal(lwb_cache_zero_stats(cache, &err), LWB_OK);
    stats = stats_of(cache);
    assert_int_equal(stats.total[LWB_STAT_HITS], 0);
    assert_int_equal(stats.total[LWB_STAT_ENTRIES], 1);
    assert_int_equal(stats.total[LWB_STAT_ZEROED_AT], fixture->wall_s);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(the_least_recently_used_go_first),
        CACHE_TEST(closing_keeps_the_limit),
        CACHE_TEST(a_miss_says_that_it_was_evicted),
        CACHE_TEST(objects_count_and_go_with_their_last_entry),
        CACHE_TEST(what_others_may_be_using_stays),
        CACHE_TEST(clearing_leaves_nothing_but_statistics),
        CACHE_TEST(the_generation_always_rises),
        CACHE_TEST(verify_finds_what_disks_do),
        CACHE_TEST(notes_of_snapshots_count_and_keep_entries_young),
        CACHE_TEST(a_few_notes_wait_and_many_do_not),
        CACHE_TEST(notes_count_before_something_is_evicted_at_close),
        CACHE_TEST(odd_notes_count_for_nothing),
        CACHE_TEST(counters_know_the_last_run_and_can_be_zeroed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
