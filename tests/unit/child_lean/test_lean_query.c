#include "tests/support/test.h"

#include "child/lean/lean_query.h"

static int elaborate(struct lwb_buf *out, const char *name_space, uint64_t heartbeats,
                     struct lwb_bytes source, struct lwb_error *err)
{
    const struct lwb_elaborate_request request = { .namespace_context = name_space,
                                                   .heartbeats = heartbeats,
                                                   .source = source };

    return lwb_lean_query_elaborate(out, lwb_bytes_text("import Lean"), &request, err);
}

static void a_text_starts_on_line_two(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf plain = LWB_BUF(1000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf full = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(elaborate(&plain, NULL, 0, lwb_bytes_text("x"), &err), LWB_OK);
    assert_string_equal(lwb_buf_text(&plain), "import Lean\nx");
    assert_int_equal(elaborate(&full, "A.«b c»", UINT64_MAX, lwb_bytes_text("x"), &err),
                     LWB_ERR_USAGE);
    lwb_buf_clear(&full);
    assert_int_equal(elaborate(&full, "A.B", UINT64_MAX, lwb_bytes_text("x"), &err), LWB_OK);
    /* The ceiling is the host's, whatever is asked for. */
    assert_string_equal(lwb_buf_text(&full),
                        "import Lean set_option maxHeartbeats 4000000 namespace A.B\nx");
}

static void names_cannot_carry_commands(void **state)
{
    static const char *const bad[] = { "", "A B", "A\nend", "A--", "A)", "\xff" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(bad); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
        struct lwb_error err;

        assert_int_equal(elaborate(&out, bad[i], 0, lwb_bytes_text("x"), &err), LWB_ERR_USAGE);
    }
}

static void text_must_reach_the_worker_as_it_is(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(1000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(elaborate(&out, NULL, 0, lwb_bytes("\xff", 1), &err), LWB_ERR_FORMAT);
    assert_int_equal(elaborate(&out, NULL, 0, lwb_bytes("a\0b", 3), &err), LWB_ERR_FORMAT);
    assert_int_equal(elaborate(&out, NULL, 0, lwb_bytes_text("\"\x0b\""), &err), LWB_ERR_FORMAT);
    assert_int_equal(elaborate(&out, NULL, 0, lwb_bytes_text("a\t\r\n"), &err), LWB_OK);
}

static void declarations_are_recognised(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        { "theorem x : True := trivial", true },
        { "  /-- doc -/ @[simp, ext (a[0])] private noncomputable def x := 1", true },
        { "-- why\n/- /- nested -/ -/\nexample : True := trivial", true },
        { "inductive T | a", true },
        { "#check Nat", false },
        { "open Nat", false },
        { "-- only a comment", false },
        { "/- not closed", false },
        { "theorems", false },
        { "private", false },
        { "@[simp", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_int_equal(lwb_lean_query_is_declaration(lwb_bytes_text(cases[i].text)), cases[i].is);
}

static void the_kernels_answer_follows_from_the_messages(void **state)
{
    static const struct {
        const char *source;
        const char *output;
        enum lwb_kernel_status status;
    } cases[] = {
        { "theorem x", "", LWB_KERNEL_CHECKED },
        { "theorem x", "A:1:0: warning: unused variable\n", LWB_KERNEL_CHECKED },
        { "theorem x", "A:1:0: warning: declaration uses 'sorry'\n", LWB_KERNEL_UNAVAILABLE },
        { "theorem x", "A:1:0: error: type mismatch\n", LWB_KERNEL_REJECTED },
        { "theorem x", "A:1:0: error: (kernel) declaration type mismatch\n", LWB_KERNEL_REJECTED },
        { "theorem x", "A:1:0: error: expected term\n", LWB_KERNEL_UNAVAILABLE },
        { "#eval 1", "1\n", LWB_KERNEL_UNSUPPORTED },
        { "theorem x\nset_option debug.skipKernelTC true\n", "", LWB_KERNEL_UNAVAILABLE },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages messages = { 0 };
        struct lwb_error err;

        assert_int_equal(
            lwb_lean_messages_add_text(&messages, lwb_bytes_text(cases[i].output), "A", true, &err),
            LWB_OK);
        assert_int_equal(lwb_lean_query_kernel_status(lwb_bytes_text(cases[i].source), &messages),
                         cases[i].status);
    }
}

static void looking_up_needs_lean(void **state)
{
    static const struct {
        const char *import;
        bool supported;
    } cases[] = { { "Lean", true },
                  { "public meta Lean", true },
                  { "Lean.Elab.Command", true },
                  { "Lean.Meta", true },
                  { "Init", false },
                  { "Leanness", false },
                  { "Lean.Data.Json", false } };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_strvec_release) struct lwb_strvec imports = { 0 };

        assert_false(lwb_lean_query_is_supported(&imports));
        assert_int_equal(lwb_strvec_append(&imports, cases[i].import), 0);
        assert_int_equal(lwb_lean_query_is_supported(&imports), cases[i].supported);
    }
}

static void names_travel_in_a_string(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec bad = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(10000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_strvec_append(&names, "A.«b.c»"), 0);
    assert_int_equal(lwb_strvec_append(&names, "x\"\\"), 0);
    assert_int_equal(lwb_lean_query_kinds(&out, lwb_bytes_text("import Lean"), &names, &err),
                     LWB_OK);
    assert_non_null(strstr(lwb_buf_text(&out), "(\"A\\tb.c\\nx\\\"\\\\\".splitOn")
                        ?: strstr(lwb_buf_text(&out), " \"A\\tb.c\\nx\\\"\\\\\".splitOn"));
    assert_int_equal(lwb_strvec_append(&bad, "a\nb"), 0);
    assert_int_equal(lwb_lean_query_kinds(&out, lwb_bytes_text(""), &bad, &err), LWB_ERR_USAGE);
    assert_int_equal(lwb_lean_query_names(&out, lwb_bytes_text(""), "a\nb", &err), LWB_ERR_USAGE);
}

static void answers_are_the_marked_lines(void **state)
{
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages good = { 0 };
    LWB_AUTO(lwb_lean_messages_release) struct lwb_lean_messages bad = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec lines = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        lwb_lean_messages_add_text(&good, lwb_bytes_text("hello\n=a\n=\n=b c\n"), "A", true, &err),
        LWB_OK);
    assert_int_equal(lwb_lean_query_read(&lines, &good, &err), LWB_OK);
    assert_int_equal(lines.count, 3);
    assert_string_equal(lines.items[0], "a");
    assert_string_equal(lines.items[1], "");
    assert_string_equal(lines.items[2], "b c");
    assert_int_equal(
        lwb_lean_messages_add_text(&bad, lwb_bytes_text("A:1:0: error: no\n"), "A", true, &err),
        LWB_OK);
    assert_int_equal(lwb_lean_query_read(&lines, &bad, &err), LWB_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_starts_on_line_two),
        cmocka_unit_test(names_cannot_carry_commands),
        cmocka_unit_test(text_must_reach_the_worker_as_it_is),
        cmocka_unit_test(declarations_are_recognised),
        cmocka_unit_test(the_kernels_answer_follows_from_the_messages),
        cmocka_unit_test(looking_up_needs_lean),
        cmocka_unit_test(names_travel_in_a_string),
        cmocka_unit_test(answers_are_the_marked_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
