#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "tests/support/cache_fixture.h"

/* Descriptors that run out, one by one, and files that must not grow: a full disk, for objects. */

static unsigned open_descriptors(void)
{
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/fd");

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* the one that looks */
}

/* The number that the next descriptor gets. */
static unsigned next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    assert_true(fd >= 0);
    close(fd);
    return (unsigned)fd;
}

static void limit(int resource, rlim_t value, struct rlimit *old)
{
    struct rlimit now;

    assert_int_equal(getrlimit((__rlimit_resource_t)resource, old), 0);
    now = *old;
    now.rlim_cur = value;
    assert_int_equal(setrlimit((__rlimit_resource_t)resource, &now), 0);
}

static void lift(int resource, const struct rlimit *old)
{
    assert_int_equal(setrlimit((__rlimit_resource_t)resource, old), 0);
}

/* Returns whether everything went well. */
static bool use(struct cache_fixture *fixture)
{
    const struct lwb_cache_config config = { .dir = fixture->dir, .clock = &fixture->clock };
    LWB_AUTO(lwb_cache_close) struct lwb_cache *cache = NULL;
    LWB_AUTO(lwb_buf_release) struct lwb_buf scratch = LWB_BUF(4096);
    struct lwb_digest digest;
    struct lwb_cache_entry entry;
    struct lwb_digest key = cache_key(1);
    struct lwb_error err;
    bool well = true;

    lwb_buf_clear(&fixture->warning);
    if (lwb_cache_open(&cache, &config, &fixture->warning, &err) < 0)
        return false;
    if (lwb_cache_lookup(cache, &key, false, &entry, &err) > 0)
        assert_int_equal(entry.check_ns, 1);
    else
        well = false;
    cache_store_numbered(cache, 2, 2, false);
    well = lwb_cache_commit(cache, &err) == LWB_OK && well;
    well = lwb_cache_file_digest(cache, "/proc/self/exe", &digest, NULL, &err) > 0 && well;
    return lwb_cache_scratch(cache, &scratch, &err) == LWB_OK && well;
}

static void without_descriptors_nothing_is_lost(void **state)
{
    struct cache_fixture *fixture = *state;
    struct lwb_cache *cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    unsigned before;
    unsigned refused = 0;
    bool well = false;

    cache_store_numbered(cache, 1, 1, false);
    lwb_cache_close(cache);
    assert_true(use(fixture)); /* what libraries open once and keep */
    before = open_descriptors();
    for (unsigned allowed = 0; !well; allowed++) {
        struct rlimit old;

        limit(RLIMIT_NOFILE, next_descriptor() + allowed, &old);
        well = use(fixture);
        lift(RLIMIT_NOFILE, &old);
        refused += !well;
        assert_int_equal(open_descriptors(), before);
        assert_int_equal(fixture->warning.len, 0);
        cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
        assert_int_equal(fixture->warning.len, 0);
        assert_int_equal(cache_lookup_numbered(cache, 1, false, &(uint32_t){ 0 }), 1);
        lwb_cache_close(cache);
        assert_true(allowed < 100);
    }
    assert_true(refused >= 5);
}

/* A folder on another file system than the fixture's, or NULL. */
static const char *other_file_system(const struct cache_fixture *fixture)
{
    static char folder[40];
    struct stat ours;
    struct stat other;

    (void)snprintf(folder, sizeof(folder), "/dev/shm/lwb-test-XXXXXX");
    if (stat(fixture->scratch.dir, &ours) != 0 || stat("/dev/shm", &other) != 0 ||
        ours.st_dev == other.st_dev)
        return NULL;
    return mkdtemp(folder);
}

static void an_object_that_does_not_fit_is_none(void **state)
{
    struct cache_fixture *fixture = *state;
    const char *folder = other_file_system(fixture);
    LWB_AUTO(lwb_free_text) char *big = lwb_alloc(3000001);
    LWB_AUTO(lwb_buf_release) struct lwb_buf object = LWB_BUF(4096);
    struct lwb_cache *cache;
    struct lwb_digest digest;
    struct lwb_error err;
    struct rlimit old;
    char file[100];

    if (!folder)
        skip();
    cache = cache_fixture_open(fixture, LWB_CACHE_READ_WRITE);
    memset(big, 'b', 3000000);
    (void)snprintf(file, sizeof(file), "%s/file", folder);
    assert_int_equal(lwb_file_write(file, lwb_bytes_text(big), 0600, &err), LWB_OK);
    assert_int_equal(lwb_digest_bytes(&digest, lwb_bytes_text(big), &err), LWB_OK);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    limit(RLIMIT_FSIZE, 1000000, &old);
    assert_int_equal(lwb_cache_adopt(cache, file, &digest, &err), LWB_ERR_SYSTEM);
    assert_int_equal(err.sys, EFBIG);
    lift(RLIMIT_FSIZE, &old);
    assert_int_equal(lwb_cache_object_path(cache, &digest, &object, &err), LWB_OK);
    assert_int_not_equal(access(object.ptr, F_OK), 0);

    assert_int_equal(lwb_file_write(file, lwb_bytes_text(big), 0600, &err), LWB_OK);
    assert_int_equal(lwb_cache_adopt(cache, file, &digest, &err), LWB_OK);
    assert_int_equal(access(object.ptr, F_OK), 0);
    lwb_cache_close(cache);
    assert_int_equal(lwb_file_remove_tree(folder, &err), LWB_OK);
}

#define CACHE_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, cache_fixture_setup, cache_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(without_descriptors_nothing_is_lost),
        CACHE_TEST(an_object_that_does_not_fit_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
