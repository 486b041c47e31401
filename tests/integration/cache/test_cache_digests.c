#include "tests/support/test.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"

#include "tests/support/cache_fixture.h"

/* How many file digests are in the database. */
static unsigned remembered(struct cache_fixture *fixture, struct lwb_cache *cache)
{
    struct lwb_error err;
    unsigned count = 0;
    sqlite3 *sql;
    sqlite3_stmt *statement;
    char path[400];

    assert_int_equal(lwb_cache_commit(cache, &err), LWB_OK);
    (void)snprintf(path, sizeof(path), "%s/cache.db", fixture->dir);
    assert_int_equal(sqlite3_open_v2(path, &sql, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(sql, "SELECT count(*) FROM fact WHERE kind = 1", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    count = (unsigned)sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(sql);
    return count;
}

/* Makes a file look as if it had been left alone for a while; its ctime has to be waited for. */
static void settle(const char *path)
{
    struct stat probe;
    struct stat st;
    char name[1100];
    int fd;

    assert_int_equal(stat(path, &st), 0);
    (void)snprintf(name, sizeof(name), "%s.probe", path);
    do { /* until the file system's own time is past the tick that counts as racy */
        fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(fstat(fd, &probe), 0);
        close(fd);
    } while ((probe.st_mtim.tv_sec - st.st_ctim.tv_sec) * 1000000000L +
                 (probe.st_mtim.tv_nsec - st.st_ctim.tv_nsec) <
             100 * 1000000L);
    assert_int_equal(unlink(name), 0);
}

static void check_digest(struct lwb_cache *cache, const char *path, const char *content)
{
    struct lwb_digest expected;
    struct lwb_digest digest;
    struct lwb_file_stat st;
    struct lwb_file_stat now;
    struct lwb_error err;

    assert_int_equal(lwb_digest_bytes(&expected, lwb_bytes_text(content), &err), LWB_OK);
    assert_int_equal(lwb_cache_file_digest(cache, path, &digest, &st, &err), 1);
    assert_int_equal(lwb_digest_compare(&digest, &expected), 0);
    assert_int_equal(lwb_file_stat(&now, path, &err), 1);
    assert_true(lwb_file_stat_equal(&st, &now));
    assert_int_equal(lwb_cache_file_digest(cache, path, &digest, NULL, &err), 1);
    assert_int_equal(lwb_digest_compare(&digest, &expected), 0);
}

static void a_settled_file_is_hashed_once(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");

    scratch_write(&fixture->scratch, "file", "content");
    settle(path);
    check_digest(cache, path, "content");
    assert_int_equal(remembered(fixture, cache), 1);
    check_digest(cache, path, "content");
    lwb_cache_close(cache);
}

static void a_racy_file_is_hashed_and_not_remembered(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");
    struct timespec future[2] = { { 0, UTIME_OMIT }, { 0, 0 } };

    scratch_write(&fixture->scratch, "file", "content");
    settle(path);
    future[1].tv_sec = lwb_clock_wall_s() + 3600;
    assert_int_equal(utimensat(AT_FDCWD, path, future, 0), 0);
    settle(path);
    check_digest(cache, path, "content");
    assert_int_equal(remembered(fixture, cache), 0);
    lwb_cache_close(cache);
}

/* The edit that no other time shows than ctime. */
static void an_edit_with_the_time_put_back_is_seen(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");
    struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
    struct stat before;
    struct stat after;
    int fd;

    scratch_write(&fixture->scratch, "file", "content");
    settle(path);
    check_digest(cache, path, "content");
    assert_int_equal(remembered(fixture, cache), 1);

    assert_int_equal(stat(path, &before), 0);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "K", 1, 0), 1);
    close(fd);
    times[1] = before.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec && after.st_ino == before.st_ino &&
                after.st_size == before.st_size);
    check_digest(cache, path, "Kontent");
    settle(path);
    check_digest(cache, path, "Kontent");
    lwb_cache_close(cache);
}

/* Many files at once, by threads: each gets its own digest, and is remembered if it may be. */
static void many_files_are_hashed_ahead(void **state)
{
    enum { FILES = 12, SIZE = 512 * 1024 };
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };
    struct timespec future[2] = { { 0, UTIME_OMIT }, { lwb_clock_wall_s() + 3600, 0 } };
    static char content[SIZE + 1];
    char name[32];

    memset(content, 'x', SIZE);
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(name, sizeof(name), "file%d", i);
        content[0] = (char)('a' + i);
        scratch_write(&fixture->scratch, name, content);
        assert_int_equal(lwb_strvec_append(&paths, scratch_path(&fixture->scratch, name)), 0);
    }
    assert_int_equal(lwb_strvec_append(&paths, scratch_path(&fixture->scratch, "none")), 0);
    assert_int_equal(utimensat(AT_FDCWD, paths.items[FILES - 1], future, 0), 0);
    settle(paths.items[FILES - 1]);
    lwb_cache_file_digests_ahead(cache, &paths);
    assert_int_equal(remembered(fixture, cache), FILES - 1);
    for (int i = 0; i < FILES; i++) {
        content[0] = (char)('a' + i);
        check_digest(cache, paths.items[i], content);
    }
    assert_int_equal(remembered(fixture, cache), FILES - 1);
    lwb_cache_file_digests_ahead(cache, &paths); /* nothing is left to do */
    assert_int_equal(remembered(fixture, cache), FILES - 1);
    lwb_cache_close(cache);
}

static void a_few_bytes_are_not_hashed_ahead(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };

    scratch_write(&fixture->scratch, "file", "content");
    assert_int_equal(lwb_strvec_append(&paths, scratch_path(&fixture->scratch, "file")), 0);
    settle(paths.items[0]);
    lwb_cache_file_digests_ahead(cache, &paths);
    assert_int_equal(remembered(fixture, cache), 0);
    lwb_cache_close(cache);
}

static void a_replaced_file_is_seen(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");

    scratch_write(&fixture->scratch, "file", "one");
    settle(path);
    check_digest(cache, path, "one");
    scratch_write(&fixture->scratch, "file", "two");
    check_digest(cache, path, "two");
    lwb_cache_close(cache);
}

static void the_memory_outlives_the_process(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");

    scratch_write(&fixture->scratch, "file", "content");
    settle(path);
    check_digest(cache, path, "content");
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_ONLY);
    check_digest(cache, path, "content");
    lwb_cache_close(cache);
}

/* Bytes that this process has read so far, by any call; 0 if the system does not tell. */
static uint64_t bytes_read(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);
    struct lwb_error err;

    if (lwb_file_read(&text, "/proc/self/io", NULL, &err) < 0 ||
        strncmp(lwb_buf_text(&text), "rchar: ", 7) != 0)
        return 0;
    return strtoull(lwb_buf_text(&text) + 7, NULL, 10);
}

static void what_is_remembered_is_not_read_again(void **state)
{
    enum { SIZE = 10 * 1000 * 1000 };
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    const char *path = scratch_path(&fixture->scratch, "file");
    struct lwb_digest digest;
    struct lwb_error err;
    uint64_t before = bytes_read();

    scratch_write(&fixture->scratch, "file", "");
    assert_int_equal(truncate(path, SIZE), 0);
    settle(path);
    assert_int_equal(lwb_cache_file_digest(cache, path, &digest, NULL, &err), 1);
    if (before == 0) {
        lwb_cache_close(cache);
        skip();
    }
    assert_true(bytes_read() - before >= SIZE);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    before = bytes_read();
    assert_int_equal(lwb_cache_file_digest(cache, path, &digest, NULL, &err), 1);
    assert_true(bytes_read() - before < SIZE / 2);
    lwb_cache_close(cache);
}

static void no_file_is_no_digest(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest digest;
    struct lwb_error err;

    assert_int_equal(
        lwb_cache_file_digest(cache, scratch_path(&fixture->scratch, "none"), &digest, NULL, &err),
        0);
    assert_int_equal(lwb_cache_file_digest(cache, fixture->scratch.dir, &digest, NULL, &err),
                     LWB_ERR_SYSTEM);
    lwb_cache_close(cache);
}

static void derived_answers_are_remembered(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest question = cache_key(1);
    struct lwb_digest answer = cache_key(2);
    struct lwb_digest found;
    struct lwb_error err;

    assert_int_equal(lwb_cache_recall(cache, &question, &found, &err), 0);
    assert_int_equal(lwb_cache_remember(cache, &question, &answer, &err), LWB_OK);
    assert_int_equal(lwb_cache_recall(cache, &question, &found, &err), 1);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(lwb_cache_recall(cache, &question, &found, &err), 1);
    assert_int_equal(lwb_digest_compare(&found, &answer), 0);
    assert_int_equal(lwb_cache_recall(cache, &answer, &found, &err), 0);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(a_settled_file_is_hashed_once),
        CACHE_TEST(a_racy_file_is_hashed_and_not_remembered),
        CACHE_TEST(an_edit_with_the_time_put_back_is_seen),
        CACHE_TEST(many_files_are_hashed_ahead),
        CACHE_TEST(a_few_bytes_are_not_hashed_ahead),
        CACHE_TEST(a_replaced_file_is_seen),
        CACHE_TEST(the_memory_outlives_the_process),
        CACHE_TEST(what_is_remembered_is_not_read_again),
        CACHE_TEST(no_file_is_no_digest),
        CACHE_TEST(derived_answers_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
