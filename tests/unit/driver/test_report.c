#include "tests/support/test.h"

#include <string.h>

#include "lwbuild/driver/diagnostics.h"
#include "lwbuild/driver/report.h"

static int print_one(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    lwb_diagnostic_print(ctx, "dir/A.lean", diagnostic, false);
    return 0;
}

static void append(struct lwb_buf *report, enum lwb_severity severity, int64_t line, int64_t column,
                   const char *text, const char *root)
{
    const struct lwb_diagnostic diagnostic = { .severity = severity,
                                               .line = line,
                                               .column = column,
                                               .end_line = -1,
                                               .end_column = -1,
                                               .message = lwb_bytes_text(text) };

    lwb_report_append(report, &diagnostic, root);
}

static void messages_read_as_lean_prints_them(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf report = LWB_BUF(10000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(10000);
    struct lwb_error err;

    (void)state;
    append(&report, LWB_SEVERITY_ERROR, 1, 23, "type mismatch\n  rfl", "/src");
    append(&report, LWB_SEVERITY_WARNING, 4, 0, "declaration uses 'sorry'", "/src");
    append(&report, LWB_SEVERITY_INFORMATION, 2, 0, "Nat : Type\n", "/src");
    assert_int_equal(lwb_report_visit(lwb_buf_bytes(&report), "/src", print_one, &out, &err), 0);
    assert_string_equal(lwb_buf_text(&out), "dir/A.lean:1:23: error: type mismatch\n  rfl\n"
                                            "dir/A.lean:4:0: warning: declaration uses 'sorry'\n"
                                            "Nat : Type\n");
}

static void a_moved_tree_replays_its_own_paths(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf report = LWB_BUF(10000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(10000);
    struct lwb_error err;

    (void)state;
    append(&report, LWB_SEVERITY_ERROR, 1, 0, "see /old/tree/A.lean and /old/tree", "/old/tree");
    assert_null(strstr(lwb_buf_text(&report), "/old/tree"));
    assert_int_equal(lwb_report_visit(lwb_buf_bytes(&report), "/new", print_one, &out, &err), 0);
    assert_string_equal(lwb_buf_text(&out), "dir/A.lean:1:0: error: see /new/A.lean and /new\n");
}

static void the_marker_itself_survives(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf report = LWB_BUF(10000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(10000);
    struct lwb_error err;

    (void)state;
    append(&report, LWB_SEVERITY_INFORMATION, 1, 0, "a\x1Ar b\x1A\x1A/r", "/r");
    assert_int_equal(lwb_report_visit(lwb_buf_bytes(&report), "/r", print_one, &out, &err), 0);
    assert_string_equal(lwb_buf_text(&out), "a\x1Ar b\x1A\x1A/r\n");
}

static void a_damaged_report_is_an_error(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(10000);
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_report_visit(lwb_bytes_text("{\"severity\":\"loud\",\"message\":\"\"}"),
                                      "/r", print_one, &out, &err),
                     LWB_ERR_FORMAT);
    assert_int_equal(lwb_report_visit(lwb_bytes_text("garbage"), "/r", print_one, &out, &err),
                     LWB_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_read_as_lean_prints_them),
        cmocka_unit_test(a_moved_tree_replays_its_own_paths),
        cmocka_unit_test(the_marker_itself_survives),
        cmocka_unit_test(a_damaged_report_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
