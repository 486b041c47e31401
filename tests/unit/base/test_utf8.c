#include "tests/support/test.h"

#include "lwbuild/base/utf8.h"

static void valid_prefixes_end_where_it_breaks(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        { "", 0 },
        { "ascii", 5 },
        { "\xCE\xB1", 2 },
        { "\xE2\x86\x92x", 4 },
        { "\xF0\x9F\x98\x80", 4 },
        { "a\x80", 1 },             /* a tail without a head */
        { "a\xC0\x80", 1 },         /* overlong NUL */
        { "a\xE0\x80\x80", 1 },     /* overlong */
        { "a\xED\xA0\x80", 1 },     /* surrogate */
        { "a\xF4\x90\x80\x80", 1 }, /* over U+10FFFF */
        { "a\xF8\x88\x80\x80", 1 },
        { "a\xE2\x86", 1 }, /* cut */
        { "a\xE2", 1 },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_utf8_valid_prefix(lwb_bytes_text(cases[i].text)), cases[i].valid);
}

static void repairing_replaces_each_bad_byte(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(100);

    (void)state;
    lwb_utf8_append_repaired(&out, lwb_bytes_text("a\xff\xCE\xB1\x80"));
    assert_string_equal(lwb_buf_text(&out), "a\xEF\xBF\xBD\xCE\xB1\xEF\xBF\xBD");
}

static void cutting_never_halves_a_character(void **state)
{
    struct lwb_bytes text = lwb_bytes_text("a\xE2\x86\x92z");

    (void)state;
    assert_int_equal(lwb_utf8_cut(text, 100), 5);
    assert_int_equal(lwb_utf8_cut(text, 4), 4);
    assert_int_equal(lwb_utf8_cut(text, 3), 1);
    assert_int_equal(lwb_utf8_cut(text, 2), 1);
    assert_int_equal(lwb_utf8_cut(text, 1), 1);
    assert_int_equal(lwb_utf8_cut(text, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_prefixes_end_where_it_breaks),
        cmocka_unit_test(repairing_replaces_each_bad_byte),
        cmocka_unit_test(cutting_never_halves_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
