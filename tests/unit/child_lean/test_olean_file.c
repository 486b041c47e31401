#include "tests/support/test.h"

#include <endian.h>

#include "child/lean/olean_file.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/file.h"
#include "tests/support/scratch.h"

/* Files of the four layouts: header, word for the root, some objects, the root. */
enum layout { LAYOUT_A, LAYOUT_B, LAYOUT_C, LAYOUT_D, N_LAYOUTS };

static const uint64_t base = 0x123450000;

static void append_u64(struct lwb_buf *out, uint64_t value)
{
    value = htole64(value);
    lwb_buf_append(out, &value, sizeof(value));
}

static void append_zeros(struct lwb_buf *out, size_t count)
{
    while (count-- > 0)
        lwb_buf_append_char(out, '\0');
}

static void append_header(struct lwb_buf *out, enum layout layout)
{
    static const size_t zeros[] = { 0, 0, 42, 33 + 40 };
    static const char *const marks[] = { "oleanfile!!!!!!!", "oleanfile!!!!!!!", "olean\1",
                                         "olean\2\1" };

    lwb_buf_append_text(out, marks[layout]);
    append_zeros(out, zeros[layout]);
    if (layout != LAYOUT_A)
        append_u64(out, base);
}

static void make(struct lwb_buf *out, enum layout layout)
{
    static const unsigned char text[16] = { [6] = 0, [7] = 249 }; /* some string */
    static const unsigned char root[8] = { [6] = 2, [7] = 0 };    /* a constructor, two fields */
    size_t place;
    uint64_t address;

    append_header(out, layout);
    place = out->len;
    if (layout != LAYOUT_A)
        append_u64(out, 0);
    lwb_buf_append(out, text, sizeof(text));
    address = layout == LAYOUT_A ? out->len - place : base + out->len;
    lwb_buf_append(out, root, sizeof(root));
    append_u64(out, 1);
    append_u64(out, 3);
    if (layout == LAYOUT_A) {
        append_u64(out, address);
    } else {
        address = htole64(address);
        memcpy(out->ptr + place, &address, sizeof(address));
    }
}

static int inspect_as(const struct scratch *scratch, struct lwb_bytes content,
                      enum lwb_olean_place place)
{
    const char *path = scratch_path(scratch, "x.olean");
    struct lwb_error err;

    assert_int_equal(lwb_file_write(path, content, 0600, &err), LWB_OK);
    return lwb_olean_inspect(path, place, &err);
}

static int inspect(const struct scratch *scratch, struct lwb_bytes content)
{
    return inspect_as(scratch, content, LWB_OLEAN_FIRST);
}

static void all_layouts_are_known_and_no_cut_passes(void **state)
{
    struct scratch scratch;

    (void)state;
    scratch_make(&scratch);
    for (int layout = 0; layout < N_LAYOUTS; layout++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1000);

        make(&content, (enum layout)layout);
        assert_int_equal(inspect(&scratch, lwb_buf_bytes(&content)), LWB_OLEAN_WHOLE);
        for (size_t len = 0; len < content.len; len++)
            if (inspect(&scratch, lwb_bytes(content.ptr, len)) == LWB_OLEAN_WHOLE)
                fail_msg("layout %d, %zu bytes of %zu", layout, len, content.len);
    }
    scratch_remove(&scratch);
}

/* What a part has in common with those before it is not written again, not even the root. */
static void a_later_part_may_hold_nothing_of_its_own(void **state)
{
    static const uint64_t roots[] = { base - 64, base + 64, base - 60, 0 };
    static const int states[] = { LWB_OLEAN_WHOLE, LWB_OLEAN_CUT, LWB_OLEAN_CUT, LWB_OLEAN_CUT };
    struct scratch scratch;

    (void)state;
    scratch_make(&scratch);
    for (size_t i = 0; i < LWB_COUNT(roots); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1000);

        append_header(&content, LAYOUT_D);
        append_u64(&content, roots[i]);
        assert_int_equal(inspect_as(&scratch, lwb_buf_bytes(&content), LWB_OLEAN_LATER), states[i]);
        assert_int_equal(inspect(&scratch, lwb_buf_bytes(&content)), LWB_OLEAN_CUT);
        assert_int_equal(
            inspect_as(&scratch, lwb_bytes(content.ptr, content.len - 1), LWB_OLEAN_LATER),
            LWB_OLEAN_CUT);
        append_zeros(&content, 16);
        assert_int_equal(inspect_as(&scratch, lwb_buf_bytes(&content), LWB_OLEAN_LATER),
                         LWB_OLEAN_CUT);
    }
    scratch_remove(&scratch);
}

static void no_cut_of_a_later_part_passes(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1000);
    struct scratch scratch;

    (void)state;
    scratch_make(&scratch);
    make(&content, LAYOUT_D);
    assert_int_equal(inspect_as(&scratch, lwb_buf_bytes(&content), LWB_OLEAN_LATER),
                     LWB_OLEAN_WHOLE);
    for (size_t len = 0; len < content.len; len++)
        if (inspect_as(&scratch, lwb_bytes(content.ptr, len), LWB_OLEAN_LATER) == LWB_OLEAN_WHOLE)
            fail_msg("%zu bytes of %zu", len, content.len);
    scratch_remove(&scratch);
}

static void other_files_are_told_apart(void **state)
{
    struct scratch scratch;
    struct lwb_error err;

    (void)state;
    scratch_make(&scratch);
    assert_int_equal(lwb_olean_inspect(scratch_path(&scratch, "none"), LWB_OLEAN_FIRST, &err),
                     LWB_OLEAN_ABSENT);
    assert_int_equal(inspect(&scratch, lwb_bytes_text("not an olean file at all")),
                     LWB_OLEAN_FOREIGN);
    assert_int_equal(inspect(&scratch, lwb_bytes_text("")), LWB_OLEAN_CUT);
    assert_int_equal(inspect(&scratch, lwb_bytes_text("olean\x09 of another time")),
                     LWB_OLEAN_FOREIGN);
    assert_string_equal(lwb_olean_describe(LWB_OLEAN_CUT), "is cut");
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_layouts_are_known_and_no_cut_passes),
        cmocka_unit_test(a_later_part_may_hold_nothing_of_its_own),
        cmocka_unit_test(no_cut_of_a_later_part_passes),
        cmocka_unit_test(other_files_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
