#include "tests/support/test.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache_trim.h"
#include "tests/support/cache_fixture.h"
#include "tests/support/fault_vfs.h"

/*
 * Every operation on the database's files goes wrong once. Whatever happens:
 * no crash, no wrong result, nothing lost that was acknowledged before or under
 * the fault, and the next plain use works.
 */
enum {
    OLD = 1,    /* was there before */
    NEW = 1000, /* stored under the fault */
    NEW_COUNT = 3,
};

/* Tells `told` after each commit how many of NEW, NEW + 1, ... are acknowledged. */
static void use(struct cache_fixture *fixture, int told)
{
    const struct lwb_cache_config config = { .dir = fixture->dir,
                                             .clock = &fixture->clock,
                                             .busy_ms = 100 };
    LWB_AUTO(lwb_cache_close) struct lwb_cache *cache = NULL;
    struct lwb_trim_result trimmed;
    struct lwb_cache_entry entry;
    struct lwb_digest key;
    struct lwb_error err;

    lwb_buf_clear(&fixture->warning);
    if (lwb_cache_open(&cache, &config, &fixture->warning, &err) < 0)
        return;
    key = cache_key(OLD);
    if (lwb_cache_lookup(cache, &key, false, &entry, &err) > 0)
        assert_int_equal(entry.check_ns, OLD);
    for (uint32_t done = 1; done <= NEW_COUNT; done++) {
        cache_store_numbered(cache, NEW + done - 1, NEW + done - 1, false);
        if (lwb_cache_commit(cache, &err) == LWB_OK) /* with all that were kept before it */
            assert_int_equal(write(told, &done, sizeof(done)), sizeof(done));
    }
    key = cache_key(NEW);
    if (lwb_cache_lookup(cache, &key, false, &entry, &err) > 0)
        assert_int_equal(entry.check_ns, NEW);
    (void)lwb_cache_trim(cache, UINT64_C(1) << 40, &trimmed, &err);
}

static uint32_t last_told(int told)
{
    uint32_t acknowledged = 0;
    uint32_t next;

    while (read(told, &next, sizeof(next)) == (ssize_t)sizeof(next))
        acknowledged = next;
    close(told);
    return acknowledged;
}

static void check_after(struct cache_fixture *fixture, uint32_t acknowledged)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    assert_int_equal(fixture->warning.len, 0); /* nothing was set aside */
    assert_int_equal(cache_lookup_numbered(cache, OLD, false, &n), 1);
    assert_int_equal(n, OLD);
    for (uint32_t i = 0; i < NEW_COUNT; i++) {
        int rc = cache_lookup_numbered(cache, NEW + i, false, &n);

        assert_true(rc > 0 || i >= acknowledged);
        if (rc > 0)
            assert_int_equal(n, NEW + i);
    }
    cache_store_numbered(cache, 5, 55, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    lwb_cache_close(cache);
}

static void start_over(struct cache_fixture *fixture)
{
    struct lwb_cache *cache;
    struct lwb_error err;

    assert_int_equal(lwb_file_remove_tree(fixture->dir, &err), LWB_OK);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    cache_store_numbered(cache, OLD, OLD, false);
    lwb_cache_close(cache);
}

static long sweep(struct cache_fixture *fixture, enum fault_kind kind)
{
    uint32_t acknowledged;
    bool fired;
    long n = 0;

    fault_vfs_install();
    do {
        int told[2];

        start_over(fixture);
        assert_int_equal(pipe(told), 0);
        fault_vfs_arm(kind, n++);
        use(fixture, told[1]);
        fired = fault_vfs_disarm();
        close(told[1]);
        acknowledged = last_told(told[0]);
        check_after(fixture, acknowledged);
    } while (fired);
    assert_int_equal(acknowledged, NEW_COUNT); /* the last round had no fault */
    return n;
}

static void one_error_is_survived(void **state)
{
    assert_true(sweep(*state, FAULT_ONCE) > 60);
}

static void errors_from_then_on_are_survived(void **state)
{
    assert_true(sweep(*state, FAULT_FOR_GOOD) > 60);
}

static void a_full_disk_is_survived(void **state)
{
    assert_true(sweep(*state, FAULT_DISK_FULL) > 15);
}

/* As above in a process of its own, which dies. */
static long killing_sweep(struct cache_fixture *fixture, enum fault_kind kind)
{
    int status = 0;
    long n = 0;

    fault_vfs_install();
    do {
        int told[2];
        pid_t child;

        start_over(fixture);
        assert_int_equal(pipe(told), 0);
        child = fork();
        if (child == 0) {
            fault_vfs_arm(kind, n);
            use(fixture, told[1]);
            _exit(0);
        }
        close(told[1]);
        assert_int_equal(waitpid(child, &status, 0), child);
        check_after(fixture, last_told(told[0]));
        n++;
    } while (WIFSIGNALED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return n;
}

static void death_at_any_operation_is_survived(void **state)
{
    assert_true(killing_sweep(*state, FAULT_KILL) > 60);
}

static void death_in_the_middle_of_a_write_is_survived(void **state)
{
    assert_true(killing_sweep(*state, FAULT_KILL_TORN) > 10);
}

/* With a rollback journal, as where there is no shared memory. */
static void without_a_log_it_is_the_same(void **state)
{
    struct cache_fixture *fixture = *state;
    char journal[400];

    fault_vfs_install();
    fault_vfs_without_shared_memory(true);
    assert_true(sweep(fixture, FAULT_ONCE) > 30);
    assert_true(sweep(fixture, FAULT_DISK_FULL) > 10);
    assert_true(killing_sweep(fixture, FAULT_KILL) > 30);
    assert_true(killing_sweep(fixture, FAULT_KILL_TORN) > 10);
    fault_vfs_without_shared_memory(false);
    (void)snprintf(journal, sizeof(journal), "%s/cache.db-journal", fixture->dir);
    assert_int_equal(access(journal, F_OK), 0);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(one_error_is_survived),
        CACHE_TEST(errors_from_then_on_are_survived),
        CACHE_TEST(a_full_disk_is_survived),
        CACHE_TEST(death_at_any_operation_is_survived),
        CACHE_TEST(death_in_the_middle_of_a_write_is_survived),
        CACHE_TEST(without_a_log_it_is_the_same),
    };

    scratch_prefer_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
