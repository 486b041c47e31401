#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "tests/support/cache_fixture.h"

/*
 * A cache directory that says it is on NFS: no write-ahead log, which takes
 * memory shared between processes, and nothing else changes.
 */
static long pretended_type; /* 0: what the file system says */

/* In the place of libc's, for this program. */
int statfs(const char *path, struct statfs *out)
{
    int rc = (int)syscall(SYS_statfs, path, out);

    if (rc == 0 && pretended_type)
        out->f_type = pretended_type;
    return rc;
}

static bool is_there(const struct cache_fixture *fixture, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    return access(path, F_OK) == 0;
}

static void network_file_systems_are_known(void **state)
{
    static const long types[] = { 0x6969, 0xff534d42, 0xfe534d42, 0x65735546, 0x01021997 };
    struct cache_fixture *fixture = *state;

    assert_false(lwb_path_is_on_network(fixture->scratch.dir));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        pretended_type = types[i];
        assert_true(lwb_path_is_on_network(fixture->scratch.dir));
    }
    pretended_type = 0;
}

static void there_is_no_write_ahead_log(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    struct lwb_error err;

    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_true(is_there(fixture, "cache.db-wal")); /* here it is */
    lwb_cache_close(cache);
    cache_fixture_teardown(state);

    cache_fixture_setup(state);
    fixture = *state;
    pretended_type = 0x6969;
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_false(is_there(fixture, "cache.db-wal"));
    assert_false(is_there(fixture, "cache.db-shm"));
    lwb_cache_close(cache);
    pretended_type = 0;
}

enum { PROCESSES = 8, OWN = 10 };

static int live(struct cache_fixture *fixture, uint32_t process)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    for (uint32_t i = 0; i < OWN; i++) {
        cache_store_numbered(cache, process * 100 + i, i, false);
        if (lwb_cache_commit(cache, &err) < 0)
            return 1;
        if (cache_lookup_numbered(cache, process * 100 + i, false, &n) != 1 || n != i)
            return 2;
    }
    lwb_cache_close(cache);
    return 0;
}

static void many_processes_share_it_all_the_same(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    uint32_t n = 0;

    pretended_type = 0x6969;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0)
            _exit(live(fixture, i));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    for (uint32_t process = 0; process < PROCESSES; process++)
        for (uint32_t i = 0; i < OWN; i++)
            assert_int_equal(cache_lookup_numbered(cache, process * 100 + i, false, &n), 1);
    lwb_cache_close(cache);
    pretended_type = 0;
}

int main(void)
{
#define WITH_FIXTURE(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, cache_fixture_setup, cache_fixture_teardown)
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(network_file_systems_are_known),
        WITH_FIXTURE(there_is_no_write_ahead_log),
        WITH_FIXTURE(many_processes_share_it_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
