#include "tests/support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/cache/opened_cache.h"

/* Where a cache lies: its directory, and whose that is. */

enum { NOBODY = 65534 };

static void a_directory_is_made_and_private(void **state)
{
    struct cache_fixture *fixture = *state;
    struct stat st;

    (void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/a/b", fixture->scratch.dir);
    make_cache_with_one_entry(fixture);
    assert_int_equal(stat(fixture->dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(file_in_cache(fixture, "cache.db"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(file_in_cache(fixture, "CACHEDIR.TAG"), F_OK), 0);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
}

static void a_relative_directory_survives_a_chdir(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    char *old = get_current_dir_name();
    struct lwb_error err;
    char expected[300];

    (void)snprintf(expected, sizeof(expected), "%s/cache", fixture->scratch.dir);
    assert_int_equal(chdir(fixture->scratch.dir), 0);
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "cache");
    assert_int_equal(try_open_cache(fixture, &cache, 0, &err), LWB_OK);
    assert_int_equal(chdir("/"), 0);
    assert_string_equal(lwb_cache_dir(cache), expected);
    cache_store_numbered(cache, 1, 11, false);
    lwb_cache_close(cache);
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "%s", expected);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
    assert_int_equal(chdir(old), 0);
    free(old);
}

static void what_is_no_directory_is_refused_in_one_line(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    scratch_write(&fixture->scratch, "cache", "a file");
    assert_int_equal(try_open_cache(fixture, &cache, 0, &err), LWB_ERR_SYSTEM);
    assert_non_null(strstr(err.text, fixture->dir));
    assert_null(strchr(err.text, '\n'));
    assert_null(cache);
}

static void a_directory_in_the_place_of_the_file_is_refused(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    scratch_write(&fixture->scratch, "cache/cache.db/something", "");
    assert_int_equal(try_open_cache(fixture, &cache, 0, &err), LWB_ERR_SYSTEM);
    assert_int_equal(access(file_in_cache(fixture, "cache.db/something"), F_OK), 0);
}

static void a_directory_of_another_user_is_only_read(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    uint32_t n = 0;

    if (geteuid() != 0)
        skip(); /* giving a directory away takes root */
    make_cache_with_one_entry(fixture);
    assert_int_equal(chown(fixture->dir, NOBODY, NOBODY), 0);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_true(lwb_cache_is_read_only(cache));
    assert_non_null(strstr(lwb_buf_text(&fixture->warning), "belongs to another user"));
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    cache_store_numbered(cache, 2, 22, false);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 0);
    lwb_cache_close(cache);
}

/*
 * What a user finds in a directory where he may only read: 0 the entry, 1
 * nothing, 2 not even a cache. Root may write everywhere, so a child gives that
 * up first.
 */
static int look_as_reader(struct cache_fixture *fixture)
{
    pid_t child;
    int status = 0;

    assert_int_equal(chmod(fixture->scratch.dir, 0755), 0);
    child = fork();
    if (child == 0) {
        struct lwb_cache *cache = NULL;
        struct lwb_cache_entry entry;
        struct lwb_digest key = cache_key(1);
        struct lwb_error err;
        int rc;

        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
            _exit(9);
        if (try_open_cache(fixture, &cache, 0, &err) < 0)
            _exit(2);
        if (!lwb_cache_is_read_only(cache) || fixture->warning.len == 0)
            _exit(3);
        rc = lwb_cache_lookup(cache, &key, false, &entry, &err);
        _exit(rc > 0 ? 0 : rc == 0 ? 1 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_directory_that_is_not_writable_is_only_read(void **state)
{
    struct cache_fixture *fixture = *state;

    make_cache_with_one_entry(fixture);
    assert_int_equal(chmod(file_in_cache(fixture, "cache.db"), 0444), 0);
    (void)unlink(file_in_cache(fixture, "cache.db-wal"));
    (void)unlink(file_in_cache(fixture, "cache.db-shm"));
    assert_int_equal(chmod(fixture->dir, 0555), 0);
    assert_int_equal(look_as_reader(fixture), 0);
    assert_int_equal(access(file_in_cache(fixture, "cache.db-shm"), F_OK), -1);

    /* A log that cannot be read may hold half of what the file needs. */
    assert_int_equal(chmod(fixture->dir, 0755), 0);
    scratch_write(&fixture->scratch, "cache/cache.db-wal", "not nothing");
    assert_int_equal(chmod(file_in_cache(fixture, "cache.db-wal"), 0000), 0);
    assert_int_equal(chmod(fixture->dir, 0555), 0);
    assert_int_equal(look_as_reader(fixture), 1);
    assert_int_equal(chmod(fixture->dir, 0700), 0);
}

static void a_directory_that_cannot_be_made_is_one_line(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    (void)snprintf(fixture->dir, sizeof(fixture->dir), "/proc/lwbuild-cache");
    assert_int_equal(try_open_cache(fixture, &cache, 0, &err), LWB_ERR_SYSTEM);
    assert_non_null(strstr(err.text, "/proc/lwbuild-cache"));
    assert_null(strchr(err.text, '\n'));
}

static void a_directory_open_to_all_is_warned_of(void **state)
{
    struct cache_fixture *fixture = *state;

    make_cache_with_one_entry(fixture);
    assert_int_equal(chmod(fixture->dir, 0777), 0);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
    assert_non_null(strstr(lwb_buf_text(&fixture->warning), "can be written by everybody"));
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(a_directory_is_made_and_private),
        CACHE_TEST(a_relative_directory_survives_a_chdir),
        CACHE_TEST(what_is_no_directory_is_refused_in_one_line),
        CACHE_TEST(a_directory_in_the_place_of_the_file_is_refused),
        CACHE_TEST(a_directory_of_another_user_is_only_read),
        CACHE_TEST(a_directory_that_is_not_writable_is_only_read),
        CACHE_TEST(a_directory_that_cannot_be_made_is_one_line),
        CACHE_TEST(a_directory_open_to_all_is_warned_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
