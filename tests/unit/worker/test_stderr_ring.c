#include "tests/support/test.h"

#include "lwbuild/worker/stderr_ring.h"

/* L18: the end of what was said, in whole lines and whole characters. */

static void put(struct lwb_stderr_ring *ring, const char *text)
{
    lwb_stderr_ring_put(ring, lwb_bytes_text(text));
}

static void expect_tail(const struct lwb_stderr_ring *ring, size_t max, const char *expected)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf tail = LWB_BUF(1000);

    lwb_stderr_ring_tail(ring, max, &tail);
    assert_string_equal(expected, lwb_buf_text(&tail));
}

static void what_fits_is_kept_whole(void **state)
{
    struct lwb_stderr_ring ring;

    (void)state;
    lwb_stderr_ring_init(&ring, 16);
    expect_tail(&ring, 100, "");
    put(&ring, "one\n");
    put(&ring, "two\n");
    expect_tail(&ring, 100, "one\ntwo\n");
    expect_tail(&ring, 5, "two\n");
    lwb_stderr_ring_release(&ring);
}

static void only_whole_lines_of_the_end_are_kept(void **state)
{
    struct lwb_stderr_ring ring;

    (void)state;
    lwb_stderr_ring_init(&ring, 12);
    put(&ring, "first line\nsecond\nthird\n");
    assert_int_equal(24, ring.total);
    expect_tail(&ring, 100, "third\n");
    put(&ring, "x");
    expect_tail(&ring, 100, "third\nx");
    lwb_stderr_ring_release(&ring);
}

static void one_long_line_is_cut_in_front(void **state)
{
    struct lwb_stderr_ring ring;

    (void)state;
    lwb_stderr_ring_init(&ring, 8);
    put(&ring, "0123456789abcdef");
    expect_tail(&ring, 100, "89abcdef");
    lwb_stderr_ring_release(&ring);
}

static void characters_are_not_cut(void **state)
{
    struct lwb_stderr_ring ring;

    (void)state;
    lwb_stderr_ring_init(&ring, 4);
    put(&ring, "abc\xe2\x88\x80z"); /* the ring starts inside the second character */
    put(&ring, "y");
    expect_tail(&ring, 100, "zy");
    lwb_stderr_ring_release(&ring);
}

static void colours_and_bad_bytes_are_removed(void **state)
{
    struct lwb_stderr_ring ring;

    (void)state;
    lwb_stderr_ring_init(&ring, 100);
    put(&ring, "\x1b[1;31merror\x1b[0m: \xff!\n");
    expect_tail(&ring, 100, "error: \xef\xbf\xbd!\n");
    lwb_stderr_ring_release(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_kept_whole),
        cmocka_unit_test(only_whole_lines_of_the_end_are_kept),
        cmocka_unit_test(one_long_line_is_cut_in_front),
        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test(colours_and_bad_bytes_are_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
