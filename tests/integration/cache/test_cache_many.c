#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache_stats.h"
#include "cache/cache_trim.h"
#include "lwbuild/base/clock.h"
#include "tests/support/cache_fixture.h"

/*
 * Many processes on one cache, all starting at the same moment, some of them
 * killed. Nobody gets an error, nothing acknowledged is lost, no count is off.
 */
enum {
    PROCESSES = 64,
    OWN = 20,    /* results that one process alone has */
    SHARED = 20, /* results that all want */
    ROUNDS = 100,
    VICTIMS = 3, /* in each round */
    PATIENCE_MS = 120 * 1000,
};

static uint32_t own_key(uint32_t process, uint32_t i)
{
    return 10000 + process * 1000 + i;
}

static struct lwb_cache *open_patiently(const struct cache_fixture *fixture)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(10000);
    const struct lwb_cache_config config = { .dir = fixture->dir, .busy_ms = PATIENCE_MS };
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    if (lwb_cache_open(&cache, &config, &warning, &err) < 0)
        print_error("open: %s\n", err.text);
    else if (warning.len)
        print_error("open: %s\n", lwb_buf_text(&warning));
    return warning.len ? NULL : cache;
}

/* 1 found and right, 0 not found, -1 wrong or failed. */
static int look(struct lwb_cache *cache, uint32_t n)
{
    struct lwb_digest key = cache_key(n);
    struct lwb_cache_entry entry;
    struct lwb_error err;
    int rc = lwb_cache_lookup(cache, &key, false, &entry, &err);

    if (rc < 0)
        print_error("lookup: %s\n", err.text);
    if (rc <= 0)
        return rc < 0 ? -1 : 0;
    return entry.check_ns == n ? 1 : -1;
}

/* ---- drivers at once --------------------------------------------------------------------- */

/* One driver's life; returns its exit code. */
static int live(const struct cache_fixture *fixture, uint32_t process)
{
    struct lwb_cache *cache = open_patiently(fixture);
    struct lwb_error err;

    if (!cache)
        return 1;
    for (uint32_t i = 0; i < OWN; i++) {
        uint32_t shared = (i + process) % SHARED;
        int rc = look(cache, shared);

        if (rc < 0)
            return 2;
        if (rc == 0)
            cache_store_numbered(cache, shared, shared, false);
        cache_store_numbered(cache, own_key(process, i), own_key(process, i), false);
        lwb_cache_count(cache, LWB_STAT_MODULES, 1);
        if (i % 5 == 4 && lwb_cache_commit(cache, &err) < 0) {
            print_error("commit: %s\n", err.text);
            return 3;
        }
        if (look(cache, own_key(process, i)) <= 0)
            return 4;
    }
    (void)cache_adopt_text(cache, "the same for all");
    lwb_cache_close(cache);
    return 0;
}

static pid_t start_driver(const struct cache_fixture *fixture, uint32_t process, int go)
{
    pid_t child = fork();
    char byte;

    assert_true(child >= 0);
    if (child == 0)
        _exit(read(go, &byte, 1) == 1 ? live(fixture, process) : 9);
    return child;
}

static void check_all(struct cache_fixture *fixture)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_verify_result verified;
    struct lwb_cache_stats stats;
    struct lwb_error err;

    assert_int_equal(fixture->warning.len, 0);
    for (uint32_t process = 0; process < PROCESSES; process++)
        for (uint32_t i = 0; i < OWN; i++)
            assert_int_equal(look(cache, own_key(process, i)), 1);
    for (uint32_t i = 0; i < SHARED; i++)
        assert_int_equal(look(cache, i), 1);
    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    assert_int_equal(stats.total[LWB_STAT_MODULES], PROCESSES * OWN);
    assert_int_equal(stats.total[LWB_STAT_ENTRIES], PROCESSES * OWN + SHARED);
    assert_int_equal(stats.total[LWB_STAT_OBJECTS], 1);
    assert_int_equal(stats.total[LWB_STAT_REPLACED], 0);
    assert_int_equal(lwb_cache_verify(cache, &verified, &err), LWB_OK);
    assert_int_equal(verified.bad_entries + verified.bad_objects + verified.replaced, 0);
    assert_int_equal(verified.objects, 1);
    lwb_cache_close(cache);
}

static void many_drivers_at_once(void **state)
{
    struct cache_fixture *fixture = *state;
    pid_t children[PROCESSES];
    int go[2];

    assert_int_equal(pipe(go), 0);
    for (uint32_t i = 0; i < PROCESSES; i++)
        children[i] = start_driver(fixture, i, go[0]);
    for (uint32_t i = 0; i < PROCESSES; i++)
        assert_int_equal(write(go[1], "", 1), 1);
    close(go[0]);
    close(go[1]);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        int status = 0;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    check_all(fixture);
}

/* ---- killed at any moment ---------------------------------------------------------------- */

struct victim {
    pid_t pid;
    int told; /* one uint32_t after each commit: how many results are acknowledged */
    uint32_t first_key;
    uint32_t acknowledged;
};

/* Stores and commits until it is killed. */
static void store_for_ever(const struct cache_fixture *fixture, uint32_t first_key, int told)
{
    struct lwb_cache *cache = open_patiently(fixture);
    struct lwb_error err;
    char content[40];

    if (!cache)
        _exit(1);
    for (uint32_t i = 0;; i++) {
        uint32_t done = i + 1;

        cache_store_numbered(cache, first_key + i, first_key + i, false);
        if (i % 3 == 2) {
            (void)snprintf(content, sizeof(content), "artifact %u", first_key + i);
            (void)cache_adopt_text(cache, content);
        }
        lwb_cache_count(cache, LWB_STAT_STORED, 1);
        if (lwb_cache_commit(cache, &err) < 0) {
            print_error("commit: %s\n", err.text);
            _exit(2);
        }
        if (write(told, &done, sizeof(done)) != (ssize_t)sizeof(done))
            _exit(3);
        if (i % 7 == 6) { /* death while opening and closing counts too */
            lwb_cache_close(cache);
            cache = open_patiently(fixture);
            if (!cache)
                _exit(4);
        }
    }
}

static struct victim start_victim(const struct cache_fixture *fixture, uint32_t first_key)
{
    struct victim victim = { .first_key = first_key };
    int told[2];

    assert_int_equal(pipe(told), 0);
    victim.pid = fork();
    assert_true(victim.pid >= 0);
    if (victim.pid == 0) {
        close(told[0]);
        store_for_ever(fixture, first_key, told[1]);
    }
    close(told[1]);
    victim.told = told[0];
    return victim;
}

static bool hear(struct victim *victim)
{
    return read(victim->told, &victim->acknowledged, sizeof(victim->acknowledged)) ==
           (ssize_t)sizeof(victim->acknowledged);
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A moment counted from an acknowledgement, so that every step of storing is met. */
static void kill_at_some_moment(struct victim *victim, uint32_t *random)
{
    uint32_t wait_for = next_random(random) % 12;
    uint64_t until;
    int status = 0;

    for (uint32_t i = 0; i < wait_for; i++)
        assert_true(hear(victim));
    until = lwb_clock_ns() + next_random(random) % 2000000;
    while (lwb_clock_ns() < until)
        continue;
    assert_int_equal(kill(victim->pid, SIGKILL), 0);
    assert_int_equal(waitpid(victim->pid, &status, 0), victim->pid);
    assert_true(WIFSIGNALED(status)); /* it had not given up before */
    while (hear(victim))
        continue;
    close(victim->told);
}

static void check_victim(struct lwb_cache *cache, const struct victim *victim)
{
    for (uint32_t i = 0; i < victim->acknowledged; i++)
        assert_int_equal(look(cache, victim->first_key + i), 1);
    for (uint32_t i = 0; i < 10; i++)
        assert_true(look(cache, victim->first_key + victim->acknowledged + i) >= 0);
}

static uint32_t number_from_environment(const char *name, uint32_t otherwise)
{
    const char *text = getenv(name);

    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static void death_at_any_moment_loses_nothing_acknowledged(void **state)
{
    struct cache_fixture *fixture = *state;
    uint32_t rounds = number_from_environment("LWB_KILL_ROUNDS", ROUNDS);
    uint32_t random = number_from_environment("LWB_SEED", (uint32_t)lwb_clock_ns() | 1);
    uint32_t seed = random;
    uint64_t acknowledged = 0;
    struct lwb_verify_result verified;
    struct lwb_cache *cache;
    struct lwb_error err;

    print_message("LWB_SEED=%u\n", seed);
    for (uint32_t round = 0; round < rounds; round++) {
        struct victim victims[VICTIMS];

        for (uint32_t i = 0; i < VICTIMS; i++)
            victims[i] = start_victim(fixture, (round * VICTIMS + i) * 10000);
        for (uint32_t i = 0; i < VICTIMS; i++)
            kill_at_some_moment(&victims[i], &random);
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        assert_int_equal(fixture->warning.len, 0);
        for (uint32_t i = 0; i < VICTIMS; i++) {
            check_victim(cache, &victims[i]);
            acknowledged += victims[i].acknowledged;
        }
        lwb_cache_close(cache);
    }
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(lwb_cache_verify(cache, &verified, &err), LWB_OK);
    assert_true(verified.entries >= acknowledged && acknowledged >= rounds);
    assert_int_equal(verified.bad_entries + verified.bad_objects + verified.replaced, 0);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(many_drivers_at_once),
        CACHE_TEST(death_at_any_moment_loses_nothing_acknowledged),
    };

    scratch_prefer_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
