#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "tests/support/cache_fixture.h"

static void path_of(struct lwb_cache *cache, const struct lwb_digest *digest, struct lwb_buf *out)
{
    struct lwb_error err;

    lwb_buf_clear(out);
    assert_int_equal(lwb_cache_object_path(cache, digest, out, &err), LWB_OK);
}

static void store_with_artifact(struct lwb_cache *cache, uint32_t n,
                                const struct lwb_digest *digest, uint64_t size)
{
    const struct lwb_cache_artifact artifact = { "olean", *digest, size };
    const struct lwb_cache_entry entry = {
        .verdict = LWB_CACHE_ACCEPTED,
        .artifacts = &artifact,
        .n_artifacts = 1,
    };
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;

    assert_int_equal(lwb_cache_store(cache, &key, &entry, &err), LWB_OK);
}

static int lookup(struct lwb_cache *cache, uint32_t n)
{
    struct lwb_cache_entry entry;
    struct lwb_digest key = cache_key(n);
    struct lwb_error err;
    int rc = lwb_cache_lookup(cache, &key, false, &entry, &err);

    if (rc > 0) {
        assert_int_equal(entry.n_artifacts, 1);
        assert_string_equal(entry.artifacts[0].part, "olean");
    }
    return rc;
}

static void a_file_becomes_an_object(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(100);
    struct lwb_digest digest = cache_adopt_text(cache, "an olean");
    char hex[LWB_DIGEST_HEX + 1];
    char expected[1000];
    struct lwb_error err;
    struct stat st;

    path_of(cache, &digest, &path);
    lwb_digest_hex(&digest, hex);
    (void)snprintf(expected, sizeof(expected), "%s/objects/%.2s/%s", fixture->dir, hex, hex);
    assert_string_equal(lwb_buf_text(&path), expected);
    assert_int_equal(stat(path.ptr, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    assert_int_equal(lwb_file_read(&content, path.ptr, NULL, &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&content), "an olean");
    lwb_cache_close(cache);
}

static void an_object_that_is_there_is_kept(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest = cache_adopt_text(cache, "an olean");
    struct lwb_file_stat before;
    struct lwb_file_stat after;
    struct lwb_error err;

    path_of(cache, &digest, &path);
    assert_int_equal(lwb_file_stat(&before, path.ptr, &err), 1);
    (void)cache_adopt_text(cache, "an olean");
    assert_int_equal(lwb_file_stat(&after, path.ptr, &err), 1);
    assert_true(lwb_file_stat_equal(&before, &after));
    lwb_cache_close(cache);
}

static void a_damaged_object_is_replaced_by_a_good_one(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(100);
    struct lwb_digest digest = cache_adopt_text(cache, "an olean");
    struct lwb_error err;

    path_of(cache, &digest, &path);
    assert_int_equal(lwb_file_write(path.ptr, lwb_bytes_text("an 0lean"), 0444, &err), LWB_OK);
    (void)cache_adopt_text(cache, "an olean");
    assert_int_equal(lwb_file_read(&content, path.ptr, NULL, &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&content), "an olean");
    lwb_cache_close(cache);
}

static void another_content_than_promised_is_refused(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest = cache_key(1);
    const char *file = scratch_path(&fixture->scratch, "file");
    struct lwb_error err;

    scratch_write(&fixture->scratch, "file", "something");
    assert_int_equal(lwb_cache_adopt(cache, file, &digest, &err), LWB_ERR_FORMAT);
    path_of(cache, &digest, &path);
    assert_int_not_equal(access(path.ptr, F_OK), 0);
    assert_int_not_equal(access(file, F_OK), 0); /* gone all the same */
    lwb_cache_close(cache);
}

static void only_plain_files_are_taken(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    struct lwb_digest digest = cache_key(1);
    const char *link = scratch_path(&fixture->scratch, "link");
    struct lwb_error err;

    scratch_write(&fixture->scratch, "file", "something");
    assert_int_equal(symlink("file", link), 0);
    assert_int_equal(lwb_cache_adopt(cache, link, &digest, &err), LWB_ERR_SYSTEM);
    assert_int_equal(access(scratch_path(&fixture->scratch, "file"), F_OK), 0);
    assert_int_equal(lwb_cache_adopt(cache, scratch_path(&fixture->scratch, "none"), &digest, &err),
                     LWB_ERR_SYSTEM);
    assert_int_equal(err.sys, ENOENT);
    lwb_cache_close(cache);
}

/* A temporary folder on another file system, or NULL. */
static char *make_other_folder(const struct cache_fixture *fixture)
{
    static char folder[] = "/dev/shm/lwb-test-XXXXXX";
    struct stat ours;
    struct stat other;

    (void)snprintf(folder, sizeof(folder), "/dev/shm/lwb-test-XXXXXX");
    if (stat(fixture->scratch.dir, &ours) != 0 || stat("/dev/shm", &other) != 0 ||
        ours.st_dev == other.st_dev)
        return NULL;
    return mkdtemp(folder);
}

static void a_file_from_another_file_system_is_copied(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(2000000);
    LWB_AUTO(lwb_free_text) char *big = lwb_alloc(1000000);
    char *folder = make_other_folder(fixture);
    char file[300];
    struct lwb_digest digest;
    struct lwb_error err;

    if (!folder) {
        lwb_cache_close(cache);
        skip();
    }
    (void)snprintf(file, sizeof(file), "%s/file", folder);
    memset(big, 'x', 999999);
    assert_int_equal(lwb_file_write(file, lwb_bytes_text(big), 0600, &err), LWB_OK);
    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text(big), &err), LWB_OK);
    assert_int_equal(lwb_cache_adopt(cache, file, &digest, &err), LWB_OK);
    assert_int_not_equal(access(file, F_OK), 0);
    path_of(cache, &digest, &path);
    assert_int_equal(lwb_file_read(&content, path.ptr, NULL, &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&content), big);
    assert_int_equal(lwb_file_remove_tree(folder, &err), LWB_OK);
    lwb_cache_close(cache);
}

static void without_its_object_an_entry_is_a_miss(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest = cache_adopt_text(cache, "an olean");

    store_with_artifact(cache, 1, &digest, 8);
    assert_int_equal(lookup(cache, 1), 1);
    lwb_cache_close(cache);
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    assert_int_equal(lookup(cache, 1), 1);
    path_of(cache, &digest, &path);
    assert_int_equal(unlink(path.ptr), 0);
    assert_int_equal(lookup(cache, 1), 0);

    /* It is dropped, and can be stored again. */
    (void)cache_adopt_text(cache, "an olean");
    assert_int_equal(lookup(cache, 1), 0);
    store_with_artifact(cache, 1, &digest, 8);
    assert_int_equal(lookup(cache, 1), 1);
    lwb_cache_close(cache);
}

static void an_object_of_another_size_is_a_miss(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest digest = cache_adopt_text(cache, "an olean");

    store_with_artifact(cache, 1, &digest, 8);
    path_of(cache, &digest, &path);
    assert_int_equal(truncate(path.ptr, 0), 0); /* what a power cut leaves */
    assert_int_equal(lookup(cache, 1), 0);
    lwb_cache_close(cache);
}

static void a_condemned_object_takes_its_entries_along(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_digest bad = cache_adopt_text(cache, "bad");
    struct lwb_digest good = cache_adopt_text(cache, "good");
    struct lwb_error err;

    for (uint32_t n = 0; n < 3; n++)
        store_with_artifact(cache, n, &bad, 3);
    store_with_artifact(cache, 3, &good, 4);
    assert_int_equal(lwb_cache_condemn(cache, &bad, &err), LWB_OK);
    path_of(cache, &bad, &path);
    assert_int_not_equal(access(path.ptr, F_OK), 0);
    (void)cache_adopt_text(cache, "bad"); /* the file comes back, the entries do not */
    for (uint32_t n = 0; n < 3; n++)
        assert_int_equal(lookup(cache, n), 0);
    assert_int_equal(lookup(cache, 3), 1);
    lwb_cache_close(cache);
}

static unsigned count_scratch(const struct cache_fixture *fixture)
{
    char path[400];
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "%s/scratch", fixture->dir);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void scratch_goes_with_its_process(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(4096);
    struct lwb_error err;
    pid_t child;

    assert_int_equal(lwb_cache_scratch(cache, &path, &err), LWB_OK);
    assert_int_equal(count_scratch(fixture), 1);
    lwb_cache_close(cache);
    assert_int_equal(count_scratch(fixture), 0);

    child = fork();
    if (child == 0) {
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        lwb_buf_clear(&path);
        _exit(lwb_cache_scratch(cache, &path, &err) == LWB_OK ? 0 : 1); /* no close: as if killed */
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(count_scratch(fixture), 1);

    /* Somebody who is alive keeps his, the dead one's goes with the next day's tidying. */
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    lwb_buf_clear(&path);
    assert_int_equal(lwb_cache_scratch(cache, &path, &err), LWB_OK);
    fixture->wall_s += 2 * 24 * 3600;
    lwb_cache_close(cache_fixture_open(fixture, LWB_CACHE_READ_WRITE));
    assert_int_equal(count_scratch(fixture), 1);
    assert_int_equal(access(path.ptr, F_OK), 0);
    lwb_cache_close(cache);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(a_file_becomes_an_object),
        CACHE_TEST(an_object_that_is_there_is_kept),
        CACHE_TEST(a_damaged_object_is_replaced_by_a_good_one),
        CACHE_TEST(another_content_than_promised_is_refused),
        CACHE_TEST(only_plain_files_are_taken),
        CACHE_TEST(a_file_from_another_file_system_is_copied),
        CACHE_TEST(without_its_object_an_entry_is_a_miss),
        CACHE_TEST(an_object_of_another_size_is_a_miss),
        CACHE_TEST(a_condemned_object_takes_its_entries_along),
        CACHE_TEST(scratch_goes_with_its_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
