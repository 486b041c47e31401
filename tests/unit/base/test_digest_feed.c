#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lwbuild/base/digest_feed.h"

/* Files in memory whose digests are compared with those of libcrypto, one by one. */
enum { MAX_FILES = 400 };

struct files {
    size_t sizes[MAX_FILES];
    size_t count, taken, unreadable;
    struct lwb_digest expected[MAX_FILES];
    unsigned done[MAX_FILES];
};

static const enum lwb_digest_lanes_by all_ways[] = { LWB_DIGEST_BY_NONE, LWB_DIGEST_BY_AVX2,
                                                     LWB_DIGEST_BY_AVX512 };

/* Bytes that differ from file to file and from place to place. */
static unsigned char *make_content(size_t file, size_t size)
{
    unsigned char *content = malloc(size + 1);
    uint32_t x = (uint32_t)file * 2654435761U + 1;

    assert_non_null(content);
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525U + 1013904223U;
        content[i] = (unsigned char)(x >> 24);
    }
    return content;
}

static int next_file(void *ctx, size_t *file)
{
    struct files *files = ctx;
    unsigned char *content;
    struct lwb_error err;
    int fd;

    if (files->taken == files->count)
        return -1;
    *file = files->taken++;
    if (*file == files->unreadable)
        return open("/dev/null", O_WRONLY | O_CLOEXEC);
    content = make_content(*file, files->sizes[*file]);
    fd = memfd_create("content", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, files->sizes[*file]), files->sizes[*file]);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(lwb_digest_bytes(&files->expected[*file],
                                      lwb_bytes((const char *)content, files->sizes[*file]), &err),
                     LWB_OK);
    free(content);
    return fd;
}

static void file_is_done(void *ctx, size_t file, int fd, const struct lwb_digest *digest)
{
    struct files *files = ctx;

    assert_true(file < files->taken);
    files->done[file]++;
    assert_int_equal(digest == NULL, file == files->unreadable);
    if (digest && lwb_digest_compare(digest, &files->expected[file]) != 0)
        fail_msg("file %zu of %zu bytes has another digest", file, files->sizes[file]);
    (void)close(fd);
}

static void expect_equal_digests(const size_t *sizes, size_t count, size_t unreadable)
{
    for (size_t way = 0; way < LWB_COUNT(all_ways) && all_ways[way] <= lwb_digest_lanes_has();
         way++) {
        struct files files = { .count = count, .unreadable = unreadable };
        struct lwb_digest_feed feed = { .next = next_file, .done = file_is_done, .ctx = &files };
        struct lwb_error err;

        memcpy(files.sizes, sizes, count * sizeof(*sizes));
        assert_int_equal(lwb_digest_feed_run(&feed, all_ways[way], &err), LWB_OK);
        assert_int_equal(files.taken, count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(files.done[i], 1);
    }
}

static void every_length_around_a_block_has_its_padding(void **state)
{
    size_t sizes[MAX_FILES];

    (void)state;
    for (size_t i = 0; i < MAX_FILES; i++)
        sizes[i] = i;
    expect_equal_digests(sizes, MAX_FILES, SIZE_MAX);
}

static void files_of_any_size_take_turns(void **state)
{
    static const size_t pieces[] = { 32767, 32768,  32769,  32832, 65535,  65536, 65537,
                                     98304, 100000, 500000, 1,     262144, 0,     33333 };
    size_t sizes[MAX_FILES];

    (void)state;
    for (size_t i = 0; i < 50; i++)
        sizes[i] = pieces[i * 5 % LWB_COUNT(pieces)] + i / LWB_COUNT(pieces);
    /* Fewer than there are lanes, as many, one more, and so many that each lane has several. */
    for (size_t count = 0; count <= LWB_DIGEST_LANES + 1; count++)
        expect_equal_digests(sizes, count, SIZE_MAX);
    expect_equal_digests(sizes, 50, SIZE_MAX);
}

static void a_file_that_cannot_be_read_stops_no_other(void **state)
{
    size_t sizes[20];

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(sizes); i++)
        sizes[i] = 1000 * i;
    for (size_t i = 0; i < LWB_COUNT(sizes); i++)
        expect_equal_digests(sizes, LWB_COUNT(sizes), i);
}

static void the_best_way_is_one_that_the_processor_has(void **state)
{
    (void)state;
    assert_true(lwb_digest_lanes_best() <= lwb_digest_lanes_has());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_around_a_block_has_its_padding),
        cmocka_unit_test(files_of_any_size_take_turns),
        cmocka_unit_test(a_file_that_cannot_be_read_stops_no_other),
        cmocka_unit_test(the_best_way_is_one_that_the_processor_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
