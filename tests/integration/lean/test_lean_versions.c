#include "tests/support/test.h"

#include "child/lean/lean_host.h"
#include "tests/support/fake_session.h"

/* What the host does otherwise with another version of Lean. */

static const char *variable(struct fake_session *fixture, const char *name)
{
    char source[100];

    (void)snprintf(source, sizeof(source), "--! env %s\n", name);
    fake_session_check(fixture, source);
    assert_int_equal(fixture->lean.call.n_diagnostics, 1);
    return fixture->lean.call.diagnostics[0].message.ptr;
}

static void the_environment_is_a_constant_list(void **state)
{
    struct fake_session fixture;

    (void)state;
    assert_int_equal(setenv("LEAN_ABORT_ON_PANIC", "1", 1), 0);
    assert_int_equal(setenv("LEAN_SYSROOT", "/somewhere", 1), 0);
    assert_int_equal(setenv("LEAN_PATH", "/elsewhere", 1), 0);
    fake_session_open(&fixture, "2021-11");
    assert_string_equal(variable(&fixture, "LAKE"), "/nonexistent");
    assert_string_equal(variable(&fixture, "LEAN_ABORT_ON_PANIC"), "unset");
    assert_string_equal(variable(&fixture, "LEAN_SYSROOT"), "unset");
    assert_string_equal(variable(&fixture, "HOME"), "/nonexistent");
    assert_string_equal(variable(&fixture, "PATH"), "/usr/local/bin:/usr/bin:/bin");
    assert_string_equal(variable(&fixture, "LC_ALL"), "C.UTF-8");
    assert_string_equal(variable(&fixture, "LEAN_BACKTRACE"), "0");
    assert_string_equal(variable(&fixture, "LEAN_PATH"), "unset"); /* an empty one is the root */
    /* Named by its mark: the text must not depend on where the tree lies. */
    assert_string_equal(variable(&fixture, "LEAN_SRC_PATH"), LWB_DIAGNOSTIC_ROOT);
    lean_session_finish(&fixture.lean);

    fake_session_open(&fixture, "2021-07");
    assert_string_equal(variable(&fixture, "LEAN_SYSROOT"), "/nonexistent");
    lean_session_finish(&fixture.lean);
    assert_int_equal(unsetenv("LEAN_ABORT_ON_PANIC"), 0);
    assert_int_equal(unsetenv("LEAN_SYSROOT"), 0);
    assert_int_equal(unsetenv("LEAN_PATH"), 0);
}

static void folders_of_imports_are_absolute_and_hold_no_colon(void **state)
{
    static const struct {
        const char *folder;
        const char *complaint;
    } cases[] = {
        { "", "not an absolute folder of imports: \"\"" },
        { "lib", "not an absolute folder of imports: \"lib\"" },
        { "/a:b", "LEAN_PATH cannot hold a folder with a colon: /a:b" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct fake_session fixture;
        struct lwb_open_response response = { 0 };

        fake_session_prepare(&fixture, "4.8");
        assert_int_equal(lwb_strvec_append(&fixture.lean.search_path, cases[i].folder), 0);
        assert_int_equal(lwb_host_lean.open(&fixture.lean.session, &fixture.lean.open, &response,
                                            &fixture.lean.err),
                         LWB_ERR_USAGE);
        assert_string_equal(fixture.lean.err.text, cases[i].complaint);
        lean_session_finish(&fixture.lean);
    }
}

static void options_reach_the_worker_or_a_fresh_process(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool ignored = strcmp(fake_toolchain_era(i), "2021-07") == 0; /* by a worker of that time */
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        assert_int_equal(lwb_strvec_append(&fixture.lean.options, "fake.x=1"), 0);
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, "--! needs fake.x=1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, ignored);
        lean_session_finish(&fixture.lean);
    }
}

/* Before 4.11 at once, later behind the imports. */
static void an_option_that_lean_refuses_is_no_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        assert_int_equal(lwb_strvec_append(&fixture.lean.options, "no.such=1"), 0);
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
        assert_non_null(strstr(fixture.lean.response.detail, "option 'no.such=1'"));
        lean_session_finish(&fixture.lean);
    }
}

/* Since 4.8 a worker keeps every answer back for 200 ms, and before it does not know the option. */
static void reports_are_not_delayed(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool known = strncmp(fake_toolchain_era(i), "4.", 2) == 0;
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "--! needs server.reportDelayMs=0\n");
        fake_session_expect(&fixture, known ? LWB_VERDICT_ACCEPTED : LWB_VERDICT_REJECTED,
                            LWB_REASON_NONE, !known);
        lean_session_finish(&fixture.lean);
    }
}

/* From 4.12 to 4.19 fewer than four starve each other. */
static void four_threads_where_fewer_would_hang(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool needs_four = strcmp(fake_toolchain_era(i), "4.12") == 0;
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        fixture.lean.open.threads = 1;
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, "--! given -j\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), needs_four ? "-j4\n" : "-j1\n");
        lean_session_finish(&fixture.lean);
    }
}

/* -j0, -M0 and an empty plugin mean something else than nothing. */
static void what_is_not_asked_for_is_not_given(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.34");
    fake_session_check(&fixture, "--! given -j\n--! given -M\n--! given --plugin\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean), "nothing\nnothing\nnothing\n");
    lean_session_finish(&fixture.lean);
}

static void a_memory_limit_and_plugins_reach_lean(void **state)
{
    static const char source[] = "--! given -M\n--! given --plugin\n";

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        LWB_AUTO(lwb_strvec_release) struct lwb_strvec plugins = { 0 };
        struct lwb_check_request fresh = { .module = "A",
                                           .file = "A.lean",
                                           .source = lwb_bytes_text(source),
                                           .isolation = LWB_ISOLATION_FRESH };
        struct fake_session fixture;

        assert_int_equal(lwb_strvec_append(&plugins, "/p/libx.so"), 0);
        fake_session_prepare(&fixture, fake_toolchain_era(i));
        fixture.lean.open.max_memory = 3000 * UINT64_C(1024) * 1024;
        fixture.lean.open.plugins = &plugins;
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, source);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), "-M3001\n--plugin=/p/libx.so\n");
        assert_int_equal(lean_session_check_as(&fixture.lean, &fresh), LWB_OK);
        assert_string_equal(lean_session_text(&fixture.lean), "-M3001\n--plugin=/p/libx.so\n");
        lean_session_finish(&fixture.lean);
    }
}

/* In text what a file prints may look like an error; the exit code knows better. */
static void printed_text_is_not_an_error(void **state)
{
    static const char source[] = "--! info A.lean:1:0: error: made up\n";

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct lwb_check_request request = { .module = "A",
                                             .file = "A.lean",
                                             .source = lwb_bytes_text(source),
                                             .isolation = LWB_ISOLATION_FRESH };
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: made up\n");
        lean_session_finish(&fixture.lean);
    }
}

/* A worker of July 2021 goes on with the old environment, later ones end; we never ask. */
static void no_worker_is_told_of_another_header(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        scratch_write(&fixture.lean.scratch, "lib/B.olean", "oleanfile!!!!!!!provide it\n");
        assert_int_equal(lwb_strvec_append(&fixture.lean.search_path,
                                           scratch_path(&fixture.lean.scratch, "lib")),
                         0);
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, "--! once warm\n");
        fake_session_check(&fixture, "import B\n--! requires it\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        fake_session_check(&fixture, "--! twice warm\n"); /* the same worker is still there */
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_a_constant_list),
        cmocka_unit_test(folders_of_imports_are_absolute_and_hold_no_colon),
        cmocka_unit_test(options_reach_the_worker_or_a_fresh_process),
        cmocka_unit_test(an_option_that_lean_refuses_is_no_verdict),
        cmocka_unit_test(reports_are_not_delayed),
        cmocka_unit_test(four_threads_where_fewer_would_hang),
        cmocka_unit_test(what_is_not_asked_for_is_not_given),
        cmocka_unit_test(a_memory_limit_and_plugins_reach_lean),
        cmocka_unit_test(printed_text_is_not_an_error),
        cmocka_unit_test(no_worker_is_told_of_another_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
