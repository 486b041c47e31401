#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache_stats.h"
#include "cache/cache_trim.h"
#include "tests/support/cache_fixture.h"

/* One look-up for a batch: what it answers is what looking up its members one by one would. */

enum { MEMBERS = LWB_CACHE_BATCH_MIN };

static struct lwb_cache *open_with_batch(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;

    for (uint32_t i = 0; i < MEMBERS; i++)
        cache_store_numbered(cache, i, i, false);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    return cache;
}

static int why_missed(struct lwb_cache *cache, bool fresh_only)
{
    struct lwb_digest keys[MEMBERS];
    struct lwb_error err;

    for (uint32_t i = 0; i < MEMBERS; i++)
        keys[i] = cache_key(i);
    return lwb_cache_lookup_batch(cache, keys, MEMBERS, fresh_only, NULL, NULL, &err);
}

static void it_is_just_these_members_in_this_order(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = open_with_batch(fixture);

    cache_store_numbered(cache, MEMBERS, MEMBERS, false);
    assert_int_equal(cache_lookup_numbered_batch(cache, 1, MEMBERS), 0);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS - 1), 0);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS + 1), 0);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_ONLY);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    lwb_cache_close(cache);
}

static void few_members_are_not_worth_it(void **state)
{
    struct lwb_cache *cache = cache_fixture_open(*state, LWB_CACHE_READ_WRITE);
    struct lwb_error err;

    for (uint32_t i = 0; i < MEMBERS - 1; i++)
        cache_store_numbered(cache, i, i, false);
    cache_store_numbered_batch(cache, 0, MEMBERS - 1);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS - 1), 0);
    lwb_cache_close(cache);
}

static void a_warm_member_is_not_enough_for_fresh(void **state)
{
    struct lwb_cache *cache = open_with_batch(*state);

    assert_int_equal(why_missed(cache, true), LWB_BATCH_NOT_USABLE);
    lwb_cache_close(cache);
}

static void a_member_that_was_dropped_ends_it(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = open_with_batch(fixture);
    struct lwb_cache *other = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest key = cache_key(3);
    struct lwb_error err;

    assert_int_equal(lwb_cache_drop(cache, &key, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED); /* before it is committed */
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_OUTDATED);
    assert_int_equal(why_missed(other, false), LWB_BATCH_OUTDATED);
    /* Also when it comes back, until the batch is stored again by somebody who was there. */
    cache_store_numbered(cache, 3, 3, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_OUTDATED);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_OUTDATED);
    lwb_cache_close(cache);
    lwb_cache_close(other);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    lwb_cache_close(cache);
}

static void a_member_that_was_replaced_ends_it(void **state)
{
    struct lwb_cache *cache = open_with_batch(*state);
    struct lwb_error err;

    cache_store_numbered(cache, 3, 33, true);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_OUTDATED);
    lwb_cache_close(cache);
}

/* The warm result that this process believes to have stored gave way to a fresh one. */
static void a_result_that_was_not_taken_is_in_no_batch(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache *other = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    cache_store_numbered(other, 3, 33, true);
    assert_int_equal(lwb_cache_commit(other, &err), LWB_OK);
    for (uint32_t i = 0; i < MEMBERS; i++)
        cache_store_numbered(cache, i, i, false);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(cache, 3, false, &n), 1);
    assert_int_equal(n, 33);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED);
    lwb_cache_close(cache);
    lwb_cache_close(other);
}

static void the_next_of_its_subject_takes_its_place(void **state)
{
    struct lwb_cache *cache = open_with_batch(*state);
    struct lwb_error err;

    cache_store_numbered(cache, MEMBERS, MEMBERS, false);
    cache_store_numbered_batch(cache, 1, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered_batch(cache, 1, MEMBERS), 1);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED);
    lwb_cache_close(cache);
}

static void it_goes_before_entries_do_and_with_them(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = open_with_batch(fixture);
    struct lwb_trim_result trimmed;
    struct lwb_cache_stats stats;
    struct lwb_error err;
    uint64_t with;

    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    with = (uint64_t)stats.total[LWB_STAT_BYTES];
    assert_int_equal(lwb_cache_trim(cache, with - 1, &trimmed, &err), LWB_OK);
    assert_int_equal(trimmed.entries, 0);
    assert_true(trimmed.bytes > 0);
    assert_int_equal(trimmed.left, with - trimmed.bytes);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED);
    assert_int_equal(lwb_cache_trim(cache, trimmed.left, &trimmed, &err), LWB_OK);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    assert_int_equal(lwb_cache_clear(cache, &trimmed, &err), LWB_OK);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED);
    assert_int_equal(trimmed.left, 0);
    lwb_cache_close(cache);
}

static int64_t bytes_of(struct lwb_cache *cache)
{
    struct lwb_cache_stats stats;
    struct lwb_error err;

    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    return stats.total[LWB_STAT_BYTES];
}

static void one_that_nobody_used_for_months_goes_and_counts_no_longer(void **state)
{
    enum { MONTHS = 100 * 24 * 60 * 60 };
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    int64_t entries;

    for (uint32_t i = 0; i < MEMBERS; i++)
        cache_store_numbered(cache, i, i, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    entries = bytes_of(cache);
    cache_store_numbered_batch(cache, 0, MEMBERS);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_true(bytes_of(cache) > entries);
    lwb_cache_close(cache);

    fixture->wall_s += MONTHS;
    lwb_cache_close(cache_fixture_open(fixture, LWB_CACHE_READ_WRITE));
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(why_missed(cache, false), LWB_BATCH_NOT_STORED);
    assert_int_equal(bytes_of(cache), entries);
    lwb_cache_close(cache);
}

/* What was used as a batch an hour later is not older than what was used alone before that. */
static void its_use_is_one_of_all_members(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = open_with_batch(fixture);
    struct lwb_trim_result trimmed;
    struct lwb_cache_stats stats;
    struct lwb_error err;
    uint32_t n = 0;

    fixture->wall_s += 60 * 60;
    for (uint32_t i = 100; i < 100 + MEMBERS; i++)
        cache_store_numbered(cache, i, i, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    fixture->wall_s += 60 * 60;
    assert_int_equal(cache_lookup_numbered_batch(cache, 0, MEMBERS), 1);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    assert_int_equal(
        lwb_cache_trim(cache, (uint64_t)stats.total[LWB_STAT_BYTES] / 2, &trimmed, &err), LWB_OK);
    assert_in_range(trimmed.entries, MEMBERS / 2, MEMBERS);
    for (uint32_t i = 0; i < MEMBERS; i++)
        assert_int_equal(cache_lookup_numbered(cache, i, false, &n), 1);
    lwb_cache_close(cache);
}

/* ---- at random ----------------------------------------------------------------------------- */

/*
 * Two processes' worth of handles on one cache, a third one that is killed, and
 * all that can happen to entries. After each step every batch is asked through
 * both handles, and what it answers is compared with its members.
 */
enum { POOL = 24, LISTS = 4, STEPS = 400 };

struct differential {
    struct cache_fixture *fixture;
    struct lwb_cache *handles[2];
    uint32_t lists[LISTS][MEMBERS];
    unsigned random;
    size_t answered;
};

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static struct lwb_cache *some_handle(struct differential *d)
{
    return d->handles[next_random(&d->random) % 2];
}

static void list_members(const struct differential *d, unsigned list, struct lwb_digest *keys)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        keys[i] = cache_key(d->lists[list][i]);
}

/* A copy of what makes an entry one's own: its number, and what it was said to be. */
struct seen {
    uint64_t check_ns;
    enum lwb_cache_verdict verdict;
    bool fresh;
    size_t n_artifacts;
    char report[32];
};

static struct seen copy(const struct lwb_cache_entry *entry)
{
    struct seen seen = { entry->check_ns, entry->verdict, entry->fresh, entry->n_artifacts, "" };

    assert_true(entry->report.len < sizeof(seen.report));
    memcpy(seen.report, entry->report.ptr, entry->report.len);
    return seen;
}

static void store_some(struct lwb_cache *cache, uint32_t key, unsigned *random)
{
    struct lwb_digest digest = cache_key(key);
    struct lwb_digest object = { { 0 } };
    const struct lwb_cache_artifact artifact = { "olean", object, strlen("object 0") };
    struct lwb_cache_artifact artifacts[] = { artifact };
    char text[32];
    struct lwb_error err;
    bool with_object = next_random(random) % 3 == 0;

    if (with_object) {
        (void)snprintf(text, sizeof(text), "object %u", next_random(random) % 3);
        artifacts[0].digest = cache_adopt_text(cache, text);
    }
    (void)snprintf(text, sizeof(text), "%u", next_random(random));
    const struct lwb_cache_entry entry = {
        .verdict = next_random(random) % 4 ? LWB_CACHE_ACCEPTED : LWB_CACHE_REJECTED,
        .fresh = next_random(random) % 2,
        .check_ns = next_random(random),
        .report = lwb_bytes_text(text),
        .artifacts = artifacts,
        .n_artifacts = with_object,
    };
    assert_int_equal(lwb_cache_store(cache, &digest, &entry, &err), LWB_OK);
}

/* What a run does: look all up, check what is missing, remember all of them together. */
static void run_list(struct lwb_cache *cache, const struct differential *d, unsigned list,
                     unsigned *random)
{
    struct lwb_digest keys[MEMBERS];
    struct lwb_cache_entry entries[MEMBERS];
    struct lwb_cache_artifact artifacts[MEMBERS];
    char reports[MEMBERS][32];
    char subject[16];
    struct lwb_error err;

    list_members(d, list, keys);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if (lwb_cache_lookup(cache, &keys[i], false, &entries[i], &err) == 0) {
            store_some(cache, d->lists[list][i], random);
            if (lwb_cache_lookup(cache, &keys[i], false, &entries[i], &err) != 1)
                return; /* the object that it was stored with is gone */
        }
        memcpy(reports[i], entries[i].report.ptr, entries[i].report.len);
        entries[i].report.ptr = reports[i];
        entries[i].facts = lwb_bytes("", 0);
        if (entries[i].n_artifacts)
            artifacts[i] = (struct lwb_cache_artifact){ "olean", entries[i].artifacts[0].digest,
                                                        entries[i].artifacts[0].size };
        entries[i].artifacts = &artifacts[i];
    }
    (void)snprintf(subject, sizeof(subject), "list %u", list);
    assert_int_equal(
        lwb_cache_store_batch(cache, lwb_bytes_text(subject), keys, entries, MEMBERS, &err),
        LWB_OK);
}

static void drop_some(struct lwb_cache *cache, unsigned *random)
{
    struct lwb_digest key = cache_key(next_random(random) % POOL);
    struct lwb_error err;

    assert_int_equal(lwb_cache_drop(cache, &key, &err), LWB_OK);
}

static void condemn_some(struct lwb_cache *cache, unsigned *random)
{
    struct lwb_digest object;
    char text[32];
    struct lwb_error err;

    (void)snprintf(text, sizeof(text), "object %u", next_random(random) % 3);
    assert_int_equal(lwb_digest_bytes(&object, lwb_bytes_text(text), &err), LWB_OK);
    if (next_random(random) % 2) {
        assert_int_equal(lwb_cache_condemn(cache, &object, &err), LWB_OK);
    } else { /* by somebody who tells nobody */
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);

        assert_int_equal(lwb_cache_object_path(cache, &object, &path, &err), LWB_OK);
        (void)unlink(lwb_buf_text(&path));
    }
}

static void trim_some(struct lwb_cache *cache, unsigned *random)
{
    struct lwb_trim_result trimmed;
    struct lwb_cache_stats stats;
    struct lwb_error err;

    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    assert_int_equal(
        lwb_cache_trim(
            cache, (uint64_t)stats.total[LWB_STAT_BYTES] * (1 + next_random(random) % 9) / 10 + 1,
            &trimmed, &err),
        LWB_OK);
}

static void reopen(struct differential *d)
{
    unsigned which = next_random(&d->random) % 2;

    lwb_cache_close(d->handles[which]);
    d->handles[which] = cache_fixture_open(d->fixture, LWB_CACHE_READ_WRITE);
}

/* What the process that is killed does: all of the above, and a byte for each. */
static void live(const struct differential *d, int out)
{
    struct lwb_cache *cache = cache_fixture_open(d->fixture, LWB_CACHE_READ_WRITE);
    unsigned random = d->random ^ (unsigned)getpid();
    struct lwb_error err;

    for (;;) {
        switch (next_random(&random) % 4) {
        case 0:
            drop_some(cache, &random);
            break;
        case 1:
            store_some(cache, next_random(&random) % POOL, &random);
            break;
        default:
            run_list(cache, d, next_random(&random) % LISTS, &random);
            break;
        }
        if (next_random(&random) % 2)
            (void)lwb_cache_commit(cache, &err);
        if (write(out, "x", 1) != 1)
            _exit(1);
    }
}

static void kill_somebody(struct differential *d)
{
    unsigned steps = next_random(&d->random) % 30;
    int ends[2];
    pid_t child;
    char byte;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live(d, ends[1]);
    close(ends[1]);
    for (unsigned i = 0; i < steps; i++)
        assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
}

static void take_step(struct differential *d)
{
    struct lwb_cache *cache = some_handle(d);
    struct lwb_trim_result trimmed;
    struct lwb_error err;

    switch (next_random(&d->random) % 16) {
    case 0:
        drop_some(cache, &d->random);
        break;
    case 1:
        store_some(cache, next_random(&d->random) % POOL, &d->random);
        break;
    case 2:
        condemn_some(cache, &d->random);
        break;
    case 3:
        trim_some(cache, &d->random);
        break;
    case 4:
        d->fixture->wall_s += next_random(&d->random) % 5000;
        break;
    case 5:
        if (next_random(&d->random) % 4 == 0)
            assert_int_equal(lwb_cache_clear(cache, &trimmed, &err), LWB_OK);
        break;
    case 6:
        kill_somebody(d);
        break;
    case 7:
    case 8:
    case 9:
        reopen(d);
        break;
    default:
        run_list(cache, d, next_random(&d->random) % LISTS, &d->random);
        break;
    }
    if (next_random(&d->random) % 2) /* `cache` may have been opened anew */
        assert_int_equal(lwb_cache_commit(some_handle(d), &err), LWB_OK);
}

static void note_seen(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    struct seen *seen = ctx;

    seen[number] = copy(entry);
}

static void compare(struct differential *d, struct lwb_cache *cache, unsigned list, bool fresh_only)
{
    struct lwb_digest keys[MEMBERS];
    struct seen seen[MEMBERS];
    struct lwb_cache_entry entry;
    struct lwb_error err;
    int answer;

    list_members(d, list, keys);
    answer = lwb_cache_lookup_batch(cache, keys, MEMBERS, fresh_only, note_seen, seen, &err);
    assert_true(answer >= 0);
    for (uint32_t i = 0; answer == LWB_BATCH_FOUND && i < MEMBERS; i++) {
        struct seen alone;

        assert_int_equal(lwb_cache_lookup(cache, &keys[i], fresh_only, &entry, &err), 1);
        alone = copy(&entry);
        assert_int_equal(alone.check_ns, seen[i].check_ns);
        assert_int_equal(alone.verdict, seen[i].verdict);
        assert_int_equal(alone.fresh, seen[i].fresh);
        assert_int_equal(alone.n_artifacts, seen[i].n_artifacts);
        assert_string_equal(alone.report, seen[i].report);
    }
    d->answered += answer == LWB_BATCH_FOUND;
}

static void it_answers_what_its_members_answer(void **state)
{
    const char *given = getenv("LWB_SEED");
    struct differential d = { .fixture = *state,
                              .random =
                                  given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid() };
    struct lwb_error err;

    print_message("LWB_SEED=%u\n", d.random);
    for (unsigned list = 0; list < LISTS; list++)
        for (uint32_t i = 0; i < MEMBERS; i++)
            d.lists[list][i] = (list * 5 + i * (list % 2 ? 1 : 5)) % POOL;
    for (int i = 0; i < 2; i++)
        d.handles[i] = cache_fixture_open(d.fixture, LWB_CACHE_READ_WRITE);
    for (unsigned step = 0; step < STEPS; step++) {
        take_step(&d);
        for (unsigned i = 0; i < 2 * LISTS * 2; i++) {
            struct lwb_cache *cache = d.handles[i & 1];

            assert_int_equal(lwb_cache_tick(cache, &err), LWB_OK); /* see what is there now */
            compare(&d, cache, i / 4, i & 2);
        }
    }
    print_message("%zu batches answered\n", d.answered);
    assert_true(d.answered > STEPS / 40);
    lwb_cache_close(d.handles[0]);
    lwb_cache_close(d.handles[1]);
}

int main(void)
{
#define WITH_FIXTURE(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, cache_fixture_setup, cache_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(it_is_just_these_members_in_this_order),
        WITH_FIXTURE(few_members_are_not_worth_it),
        WITH_FIXTURE(a_warm_member_is_not_enough_for_fresh),
        WITH_FIXTURE(a_member_that_was_dropped_ends_it),
        WITH_FIXTURE(a_member_that_was_replaced_ends_it),
        WITH_FIXTURE(a_result_that_was_not_taken_is_in_no_batch),
        WITH_FIXTURE(the_next_of_its_subject_takes_its_place),
        WITH_FIXTURE(it_goes_before_entries_do_and_with_them),
        WITH_FIXTURE(one_that_nobody_used_for_months_goes_and_counts_no_longer),
        WITH_FIXTURE(its_use_is_one_of_all_members),
        WITH_FIXTURE(it_answers_what_its_members_answer),
    };

    scratch_prefer_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
