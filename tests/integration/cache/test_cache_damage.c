#include "tests/support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/cache_stats.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "tests/integration/cache/opened_cache.h"

/* What becomes of a cache whose file is not, or is no longer, what it should be. */

static size_t set_aside(const struct cache_fixture *fixture)
{
    glob_t found;
    size_t count = 0;

    (void)glob(file_in_cache(fixture, "cache.db.damaged-*"), 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++)
        count += !lwb_path_has_suffix(found.gl_pathv[i], "-wal") &&
                 !lwb_path_has_suffix(found.gl_pathv[i], "-shm");
    globfree(&found);
    return count;
}

static void run_sql(struct cache_fixture *fixture, const char *sql)
{
    sqlite3 *db;

    (void)lwb_file_make_dirs(fixture->dir, 0700, &(struct lwb_error){ 0 });
    assert_int_equal(sqlite3_open(file_in_cache(fixture, "cache.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* ---- the file ---------------------------------------------------------------------------- */

static void check_replaced(struct cache_fixture *fixture, const char *why)
{
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_cache_stats stats;
    struct lwb_error err;
    uint32_t n = 0;

    assert_non_null(strstr(lwb_buf_text(&fixture->warning), why));
    assert_null(strchr(lwb_buf_text(&fixture->warning), '\n'));
    assert_int_equal(set_aside(fixture), 1);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    cache_store_numbered(cache, 1, 11, false);
    lwb_cache_close(cache);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
    assert_int_equal(fixture->warning.len, 0);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(lwb_cache_read_stats(cache, &stats, &err), LWB_OK);
    assert_int_equal(stats.total[LWB_STAT_REPLACED], 1);
    lwb_cache_close(cache);
}

static void garbage_is_set_aside(void **state)
{
    struct cache_fixture *fixture = *state;
    LWB_AUTO(lwb_free_text) char *garbage = lwb_alloc(10001);

    memset(garbage, 'x', 10000);
    scratch_write(&fixture->scratch, "cache/cache.db", garbage);
    check_replaced(fixture, "damaged");
}

static void a_foreign_database_is_set_aside(void **state)
{
    struct cache_fixture *fixture = *state;

    run_sql(fixture, "CREATE TABLE mine(x); INSERT INTO mine VALUES(1)");
    check_replaced(fixture, "no cache of lwbuild");
}

static void an_older_version_is_set_aside(void **state)
{
    struct cache_fixture *fixture = *state;

    make_cache_with_one_entry(fixture);
    run_sql(fixture, "PRAGMA user_version=0");
    check_replaced(fixture, "older version");
}

static void a_newer_version_is_left_alone(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    struct lwb_digest before;
    struct lwb_digest after;
    struct lwb_error err;

    make_cache_with_one_entry(fixture);
    run_sql(fixture, "PRAGMA user_version=1000; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(lwb_digest_file(&before, file_in_cache(fixture, "cache.db"), &err), LWB_OK);
    assert_int_equal(try_open_cache(fixture, &cache, 0, &err), LWB_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "newer lwbuild"));
    assert_int_equal(lwb_digest_file(&after, file_in_cache(fixture, "cache.db"), &err), LWB_OK);
    assert_int_equal(lwb_digest_compare(&before, &after), 0);
    assert_int_equal(set_aside(fixture), 0);
}

static void what_a_kill_while_creating_leaves_is_finished(void **state)
{
    struct cache_fixture *fixture = *state;

    scratch_write(&fixture->scratch, "cache/cache.db", "");
    assert_false(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
    assert_int_equal(fixture->warning.len, 0);
    assert_int_equal(unlink(file_in_cache(fixture, "cache.db")), 0);
    run_sql(fixture, "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL;"
                     "PRAGMA journal_mode=WAL");
    make_cache_with_one_entry(fixture);
    assert_int_equal(fixture->warning.len, 0);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
}

static void a_cut_file_loses_entries_and_nothing_else(void **state)
{
    struct cache_fixture *fixture = *state;
    const char *path = file_in_cache(fixture, "cache.db");
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole = LWB_BUF(10000000);
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_error err;
    uint32_t n = 0;

    for (uint32_t key = 0; key < 300; key++)
        cache_store_numbered(cache, key, key, false);
    lwb_cache_close(cache);
    assert_int_equal(lwb_file_read(&whole, path, NULL, &err), LWB_OK);
    for (size_t len = 0; len < whole.len; len += 3001) {
        assert_int_equal(lwb_file_remove_tree(fixture->dir, &err), LWB_OK);
        assert_int_equal(lwb_file_make_dirs(fixture->dir, 0700, &err), LWB_OK);
        assert_int_equal(lwb_file_write(path, lwb_bytes(whole.ptr, len), 0600, &err), LWB_OK);
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        for (uint32_t key = 0; key < 300; key++)
            if (cache_lookup_numbered(cache, key, false, &n))
                assert_int_equal(n, key);
        cache_store_numbered(cache, 1000, 7, false);
        assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
        lwb_cache_close(cache);
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        assert_int_equal(cache_lookup_numbered(cache, 1000, false, &n), 1);
        lwb_cache_close(cache);
    }
}

/* ---- while it is open -------------------------------------------------------------------- */

static void damage_found_while_writing_is_recovered_from(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    struct lwb_error err;
    uint32_t n = 0;
    char page[8192];
    int fd;

    make_cache_with_one_entry(fixture);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    memset(page, 0x5a, sizeof(page));
    /* Not by this process: closing the file would drop SQLite's locks. */
    if (fork() == 0) {
        fd = open(file_in_cache(fixture, "cache.db"), O_WRONLY);
        for (int i = 1; i < 30; i++)
            if (pwrite(fd, page, sizeof(page), (off_t)i * (off_t)sizeof(page)) < 0)
                _exit(1);
        _exit(0);
    }
    (void)wait(NULL);
    cache_store_numbered(cache, 2, 22, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 0);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 1);
    lwb_cache_close(cache);
    assert_int_equal(set_aside(fixture), 1);
}

static void a_file_that_others_replaced_is_followed(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    struct lwb_error err;
    uint32_t n = 0;

    make_cache_with_one_entry(fixture);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    assert_int_equal(rename(file_in_cache(fixture, "cache.db"), file_in_cache(fixture, "old")), 0);
    make_cache_with_one_entry(fixture);
    cache_store_numbered(cache, 2, 22, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 1);
    lwb_cache_close(cache);
    assert_int_equal(set_aside(fixture), 0);
}

static void a_removed_directory_costs_entries_only(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache;
    struct lwb_error err;
    uint32_t n = 0;

    make_cache_with_one_entry(fixture);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(lwb_file_remove_tree(fixture->dir, &err), LWB_OK);
    cache_store_numbered(cache, 2, 22, false);
    assert_true(lwb_cache_commit(cache, &err) < 0);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 1); /* still pending */
    make_cache_with_one_entry(fixture);                              /* by somebody else */
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(cache_lookup_numbered(cache, 2, false, &n), 1);
    lwb_cache_close(cache);
}

static void a_lock_that_is_never_released_is_not_waited_for(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = NULL;
    struct lwb_cache *second = NULL;
    struct lwb_error err;
    uint32_t n = 0;
    int fd;

    assert_int_equal(try_open_cache(fixture, &cache, 30, &err), LWB_OK);
    fd = open(file_in_cache(fixture, "cache.lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(try_open_cache(fixture, &second, 30, &err), LWB_ERR_BUSY);
    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_ERR_BUSY);
    assert_int_equal(cache_lookup_numbered(cache, 1, false, &n), 1); /* kept */
    close(fd);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    lwb_cache_close(cache);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
}

static void after_closing_the_file_stands_alone(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_file_stat st;
    struct lwb_error err;
    int rc;

    make_cache_with_one_entry(fixture);
    rc = lwb_file_stat(&st, file_in_cache(fixture, "cache.db-wal"), &err);
    assert_true(rc == 0 || (rc == 1 && st.size == 0));
    assert_int_equal(mkdir(scratch_path(&fixture->scratch, "moved"), 0700), 0);
    assert_int_equal(rename(file_in_cache(fixture, "cache.db"),
                            scratch_path(&fixture->scratch, "moved/cache.db")),
                     0);
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "%s/moved", fixture->scratch.dir);
    assert_true(the_entry_is_there(fixture, LWB_CACHE_READ_WRITE));
}

/* A child process must not hold locks of ours, nor the database. */
static void no_descriptor_is_inherited(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf scratch = LWB_BUF(4096);
    struct dirent *entry;
    struct lwb_error err;
    unsigned ours = 0;
    DIR *dir;

    assert_int_equal(lwb_cache_scratch(cache, &scratch, &err), LWB_OK);
    cache_store_numbered(cache, 1, 11, false);
    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        char target[500] = "";
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1) < 0 ||
            strncmp(target, fixture->dir, strlen(fixture->dir)) != 0)
            continue;
        ours++;
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    closedir(dir);
    assert_true(ours >= 5);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(garbage_is_set_aside),
        CACHE_TEST(a_foreign_database_is_set_aside),
        CACHE_TEST(an_older_version_is_set_aside),
        CACHE_TEST(a_newer_version_is_left_alone),
        CACHE_TEST(what_a_kill_while_creating_leaves_is_finished),
        CACHE_TEST(a_cut_file_loses_entries_and_nothing_else),
        CACHE_TEST(damage_found_while_writing_is_recovered_from),
        CACHE_TEST(a_file_that_others_replaced_is_followed),
        CACHE_TEST(a_removed_directory_costs_entries_only),
        CACHE_TEST(a_lock_that_is_never_released_is_not_waited_for),
        CACHE_TEST(after_closing_the_file_stands_alone),
        CACHE_TEST(no_descriptor_is_inherited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
