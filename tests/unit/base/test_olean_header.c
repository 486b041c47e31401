#include "tests/support/test.h"

#include <endian.h>
#include <string.h>

#include "lwbuild/base/attributes.h"
#include "lwbuild/base/olean_header.h"

static const char commit[] = "0123456789012345678901234567890123456789";

static void append_word(struct lwb_buf *out, uint64_t word)
{
    word = htole64(word);
    lwb_buf_append(out, &word, sizeof(word));
}

static void append_field(struct lwb_buf *out, const char *text, size_t len)
{
    static const char zeros[64];

    lwb_buf_append_text(out, text);
    lwb_buf_append(out, zeros, len - strlen(text));
}

static void append_layout(struct lwb_buf *out, enum lwb_olean_layout layout, char version,
                          uint64_t base)
{
    switch (layout) {
    case LWB_OLEAN_UNKNOWN:
        break;
    case LWB_OLEAN_A:
        lwb_buf_append_text(out, "oleanfile!!!!!!!");
        break;
    case LWB_OLEAN_B:
        lwb_buf_append_text(out, "oleanfile!!!!!!!");
        append_word(out, base);
        break;
    case LWB_OLEAN_C:
        lwb_buf_append_text(out, "olean\1");
        append_field(out, commit, 42);
        append_word(out, base);
        break;
    case LWB_OLEAN_D:
        lwb_buf_append_text(out, "olean");
        lwb_buf_append_char(out, version);
        lwb_buf_append_char(out, '\0');
        append_field(out, "4.21.0-rc1", 33);
        append_field(out, commit, 40);
        append_word(out, base);
        break;
    }
}

static void every_layout_is_told_by_its_first_bytes(void **state)
{
    static const struct {
        enum lwb_olean_layout layout;
        char version;
        uint64_t size;
        const char *made_by;
        const char *githash;
    } cases[] = {
        { LWB_OLEAN_A, 0, 16, "", "" },
        { LWB_OLEAN_B, 0, 24, "", "" },
        { LWB_OLEAN_C, 0, 56, "", commit },
        { LWB_OLEAN_D, 2, 88, "4.21.0-rc1", commit },
        { LWB_OLEAN_D, 3, 88, "4.21.0-rc1", commit },
    };
    const uint64_t base = 0x123450000;

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(200);
        struct lwb_olean_header header;

        append_layout(&text, cases[i].layout, cases[i].version, base);
        append_word(&text, UINT64_C(0xf900000000000001)); /* a string: tag 249 */
        assert_int_equal(lwb_olean_header_parse(&header, lwb_buf_bytes(&text)), 1);
        assert_int_equal(header.layout, cases[i].layout);
        assert_int_equal(header.size, cases[i].size);
        assert_string_equal(header.version, cases[i].made_by);
        assert_string_equal(header.githash, cases[i].githash);
        /* In A, pointers count from the end of the header. */
        assert_int_equal(header.base, cases[i].layout == LWB_OLEAN_A ? (uint64_t)0 - 16 : base);
        for (size_t len = 0; len < cases[i].size; len++)
            assert_int_equal(lwb_olean_header_parse(&header, lwb_bytes(text.ptr, len)), -1);
    }
}

static void an_object_is_no_base_address(void **state)
{
    static const struct {
        uint64_t word;
        enum lwb_olean_layout layout;
    } cases[] = {
        { UINT64_C(0x10000), LWB_OLEAN_B },
        { UINT64_C(0x7fffffff0000), LWB_OLEAN_B },
        { UINT64_C(0x800000000000), LWB_OLEAN_A },
        { UINT64_C(0x0001000000000000), LWB_OLEAN_A }, /* a constructor with one field */
        { UINT64_C(0xf900000000000000), LWB_OLEAN_A },
        { 1, LWB_OLEAN_A },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(200);
        struct lwb_olean_header header;

        lwb_buf_append_text(&text, "oleanfile!!!!!!!");
        append_word(&text, cases[i].word);
        assert_int_equal(lwb_olean_header_parse(&header, lwb_buf_bytes(&text)), 1);
        assert_int_equal(header.layout, cases[i].layout);
    }
}

static void other_files_have_no_header(void **state)
{
    static const char *const others[] = { "# some other file, long enough",
                                          "olean\4 of another time",
                                          "oleanfile!!!!!!? and more of it" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(others); i++) {
        struct lwb_olean_header header = { .size = 77 };

        assert_int_equal(lwb_olean_header_parse(&header, lwb_bytes_text(others[i])), 0);
        assert_int_equal(header.size, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layout_is_told_by_its_first_bytes),
        cmocka_unit_test(an_object_is_no_base_address),
        cmocka_unit_test(other_files_have_no_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
