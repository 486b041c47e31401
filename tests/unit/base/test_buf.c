#include "tests/support/test.h"

#include "lwbuild/base/buf.h"

static void appends_end_with_a_nul(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(100);

    (void)state;
    lwb_buf_append_text(&buf, "a");
    lwb_buf_format(&buf, "%d", 42);
    assert_string_equal(lwb_buf_text(&buf), "a42");
    assert_int_equal(buf.len, 3);
}

static void a_failed_append_keeps_the_content_and_is_remembered(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(4);

    (void)state;
    lwb_buf_append_text(&buf, "abcd");
    assert_true(lwb_buf_ok(&buf));
    lwb_buf_append_char(&buf, 'e');
    assert_false(lwb_buf_ok(&buf));
    assert_string_equal(lwb_buf_text(&buf), "abcd");
    lwb_buf_clear(&buf);
    assert_true(lwb_buf_ok(&buf));
}

static void consuming_moves_the_rest_to_the_front(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(100);

    (void)state;
    lwb_buf_append_text(&buf, "hello world");
    lwb_buf_consume(&buf, 6);
    assert_string_equal(lwb_buf_text(&buf), "world");
    lwb_buf_consume(&buf, 100);
    assert_int_equal(buf.len, 0);
}

static void big_endian_is_big_endian(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(4);

    (void)state;
    lwb_buf_append_u32be(&buf, 0x01020304);
    assert_memory_equal(buf.ptr, "\1\2\3\4", 4);
}

static void room_that_was_not_used_is_no_text(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(100);

    (void)state;
    assert_non_null(lwb_buf_reserve(&buf, 50));
    assert_string_equal(lwb_buf_text(&buf), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_end_with_a_nul),
        cmocka_unit_test(a_failed_append_keeps_the_content_and_is_remembered),
        cmocka_unit_test(consuming_moves_the_rest_to_the_front),
        cmocka_unit_test(room_that_was_not_used_is_no_text),
        cmocka_unit_test(big_endian_is_big_endian),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
