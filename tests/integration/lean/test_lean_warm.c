#include "tests/support/test.h"

#include "child/lean/lean_host.h"
#include "lwbuild/base/clock.h"
#include "tests/support/fake_toolchain.h"
#include "tests/support/lean_session.h"

/* A warm worker: what it answers, what it survives, and what is left to a fresh process. */

static const char *const eras[] = { "2021-07", "2021-11", "4.8", "4.22" };

struct fixture {
    struct lean_session lean;
    struct fake_toolchain toolchain;
};

static void prepare(struct fixture *fixture, const char *era)
{
    lean_session_prepare(&fixture->lean, NULL, NULL);
    fake_toolchain_make(&fixture->toolchain, &fixture->lean.scratch, era);
    fixture->lean.open.toolchain = fixture->toolchain.prefix;
    fixture->lean.open.toolchain_version = fixture->toolchain.version;
}

static void open_era(struct fixture *fixture, const char *era)
{
    prepare(fixture, era);
    lean_session_open(&fixture->lean);
}

static void check(struct fixture *fixture, const char *source)
{
    if (lean_session_check(&fixture->lean, source) < 0)
        fail_msg("%s", fixture->lean.err.text);
}

static void assert_verdict(const struct fixture *fixture, enum lwb_verdict verdict,
                           enum lwb_reason reason, bool fresh)
{
    const struct lwb_check_response *response = &fixture->lean.response;

    assert_string_equal(lwb_verdict_name(response->verdict), lwb_verdict_name(verdict));
    assert_string_equal(lwb_reason_name(response->reason), lwb_reason_name(reason));
    assert_int_equal(response->fresh, fresh);
}

static void every_era_accepts_and_rejects(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct fixture fixture;

        open_era(&fixture, eras[i]);
        check(&fixture, "theorem fine : True := trivial\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        assert_true(fixture.lean.response.storable);
        assert_string_equal(lean_session_text(&fixture.lean), "");
        check(&fixture, "-- one\n  --! error type mismatch\\nhas type\\n  Nat\n"
                        "--! warning odd\n--! info 42\\n\n");
        assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_true(fixture.lean.response.storable);
        assert_string_equal(lean_session_text(&fixture.lean),
                            "A.lean:2:2: error: type mismatch\nhas type\n  Nat\n"
                            "A.lean:3:0: warning: odd\n42\n");
        assert_true(fixture.lean.response.check_ns > 0);
        lean_session_finish(&fixture.lean);
    }
}

static void one_worker_serves_all_modules_of_a_session(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! once ref\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    /* An `initialize` reference survives between documents: warm is not fresh. */
    check(&fixture, "\n--! once ref\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void columns_are_code_points(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "theorem 𝔸 (p ∧ q) --! error here\n");
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:18: error: here\n");
    assert_int_equal(fixture.lean.call.diagnostics[0].end_line, 2);
    assert_int_equal(fixture.lean.call.diagnostics[0].end_column, 0);
    lean_session_finish(&fixture.lean);
}

static void silent_messages_are_dropped(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "4.22");
    check(&fixture, "--! silent Goals accomplished!\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_int_equal(fixture.lean.call.n_diagnostics, 0);
    lean_session_finish(&fixture.lean);
}

static void sorry_has_one_code_in_all_versions(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-07");
    check(&fixture, "--! sorry\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_string_equal(fixture.lean.call.diagnostics[0].code.ptr, "hasSorry");
    lean_session_finish(&fixture.lean);
}

/* ---- headers
 * ------------------------------------------------------------------------------------- */

static void write_import(struct fixture *fixture, const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "lib/%s.olean", name);
    scratch_write(&fixture->lean.scratch, path, "oleanfile!!!!!!!provide it\n");
}

static void open_with_imports(struct fixture *fixture, const char *era)
{
    prepare(fixture, era);
    write_import(fixture, "B");
    write_import(fixture, "C");
    assert_int_equal(lwb_strvec_append(&fixture->lean.imports, "B"), 0);
    assert_int_equal(lwb_strvec_append(&fixture->lean.imports, "C"), 0);
    assert_int_equal(
        lwb_strvec_append(&fixture->lean.search_path, scratch_path(&fixture->lean.scratch, "lib")),
        0);
    lean_session_open(&fixture->lean);
}

static void spellings_of_one_header_share_a_worker(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct fixture fixture;

        open_with_imports(&fixture, eras[i]);
        check(&fixture, "import B\nimport C\n--! once x\n--! requires it\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        check(&fixture, "/- A\n   licence. -/\nimport   B\n\nimport C -- why\n/-! doc -/\n"
                        "   --! once x\n");
        assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean),
                            "A.lean:7:3: error: 'x' was here before\n");
        /* The body begins on the line of the last import. */
        check(&fixture, "import B\nimport C ⟨⟩ --! error here\n");
        assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:2:12: error: here\n");
        lean_session_finish(&fixture.lean);
    }
}

static void a_body_on_the_first_line_is_checked_fresh(void **state)
{
    struct fixture fixture;

    (void)state;
    open_with_imports(&fixture, "2021-11");
    check(&fixture, "import  B import C def x --! error here\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:25: error: here\n");
    lean_session_finish(&fixture.lean);
}

static void another_header_is_checked_fresh_and_not_kept(void **state)
{
    struct fixture fixture;

    (void)state;
    open_with_imports(&fixture, "2021-07");
    check(&fixture, "import B\n--! requires it\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    assert_false(fixture.lean.response.storable);
    lean_session_finish(&fixture.lean);
}

static void an_import_that_cannot_be_loaded_is_no_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct fixture fixture;

        prepare(&fixture, eras[i]);
        assert_int_equal(lwb_strvec_append(&fixture.lean.imports, "Does.Not.Exist"), 0);
        lean_session_open(&fixture.lean);
        check(&fixture, "import Does.Not.Exist\n--! info x\n");
        assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_IMPORT, true);
        assert_false(fixture.lean.response.storable);
        assert_non_null(strstr(lean_session_text(&fixture.lean), "A.lean:1:0: error: unknown "));
        lean_session_finish(&fixture.lean);
    }
}

static void a_worker_with_failed_imports_is_replaced(void **state)
{
    struct fixture fixture;

    (void)state;
    prepare(&fixture, "2021-07");
    assert_int_equal(lwb_strvec_append(&fixture.lean.imports, "B"), 0);
    assert_int_equal(
        lwb_strvec_append(&fixture.lean.search_path, scratch_path(&fixture.lean.scratch, "lib")),
        0);
    lean_session_open(&fixture.lean);
    check(&fixture, "import B\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_IMPORT, true);
    write_import(&fixture, "B");
    check(&fixture, "import B\n--! requires it\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

/* ---- misbehaviour
 * ------------------------------------------------------------------------------------ */

static void noise_on_stdout_is_tolerated(void **state)
{
    static const char *const noises[] = {
        "--! noise hello\n--! error x\n",
        "--! noise Content-Length: \n--! error x\n",
        "--! noise Content-Length: 99999999999999\\n--! error x\n--! error x\n",
        "--! noise {\"jsonrpc\":\"2.0\"}\n--! error x\n",
        "--! noise Content-Length: 7 and more\n--! error x\n",
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(noises); i++) {
        struct fixture fixture;

        open_era(&fixture, "2021-11");
        check(&fixture, noises[i]);
        assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        check(&fixture, "--! error y\n");
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: y\n");
        lean_session_finish(&fixture.lean);
    }
}

static void a_panic_in_a_worker_is_decided_by_a_fresh_process(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! panic worker\n--! error x\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    check(&fixture, "def fine := 1\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void a_panic_everywhere_keeps_leans_word_but_not_in_store(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! panic\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_PANIC, true);
    assert_false(fixture.lean.response.storable);
    assert_non_null(strstr(fixture.lean.response.detail, "PANIC at _eval"));
    lean_session_finish(&fixture.lean);
}

static void a_worker_that_dies_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct fixture fixture;

        open_era(&fixture, eras[i]);
        check(&fixture, "def a := 1\n");
        check(&fixture, "--! crash worker\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        check(&fixture, "def b := 1\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void a_crash_is_no_verdict(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "4.8");
    check(&fixture, "--! error x\n--! crash\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    assert_non_null(strstr(fixture.lean.response.detail, "signal 11"));
    check(&fixture, "--! overflow\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    assert_non_null(strstr(fixture.lean.response.detail, "signal 6"));
    assert_non_null(strstr(fixture.lean.response.detail, "Stack overflow detected"));
    check(&fixture, "--! exit 3\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    lean_session_finish(&fixture.lean);
}

static void exit_one_without_a_message_is_no_verdict(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! stderr out of luck\n--! exit 1\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
    assert_non_null(strstr(fixture.lean.response.detail, "out of luck"));
    lean_session_finish(&fixture.lean);
}

static void limits_are_leans_no_but_not_kept(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! limit\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_LIMIT, false);
    assert_false(fixture.lean.response.storable);
    lean_session_finish(&fixture.lean);
}

static void check_with_deadline(struct fixture *fixture, const char *source, uint64_t ms)
{
    struct lwb_check_request request = {
        .module = "A",
        .file = "A.lean",
        .source = lwb_bytes_text(source),
        .deadline_ms = ms,
    };

    if (lean_session_check_as(&fixture->lean, &request) < 0)
        fail_msg("%s", fixture->lean.err.text);
}

static void endless_elaboration_ends_at_the_deadline(void **state)
{
    static const char *const sources[] = { "--! hang\n", "--! mute\n" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(sources); i++) {
        struct fixture fixture;
        uint64_t start;

        open_era(&fixture, "2021-11");
        check(&fixture, "def warm := 1\n");
        start = lwb_clock_ms();
        check_with_deadline(&fixture, sources[i], 50);
        assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_TIME, false);
        assert_true(lwb_clock_ms() - start >= 50);
        check(&fixture, "def next := 1\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void floods_do_not_block(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! flood 8192\n--! steps 2000\n--! error x\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:3:0: error: x\n");
    lean_session_finish(&fixture.lean);
}

static void a_large_document_does_not_block(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(8 * 1024 * 1024);
    struct fixture fixture;

    (void)state;
    /* The worker talks while it is still being written to: more than both pipes hold. */
    for (int i = 0; i < 50000; i++)
        lwb_buf_append_text(&source, "-- a line that nobody will read, and more of it\n");
    lwb_buf_append_text(&source, "--! steps 500\n--! error x\n");
    open_era(&fixture, "2021-11");
    for (int i = 0; i < 2; i++) {
        check(&fixture, lwb_buf_text(&source));
        assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:50002:0: error: x\n");
    }
    lean_session_finish(&fixture.lean);
}

static void what_cannot_be_read_is_decided_by_a_fresh_process(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! nul\n"); /* an error must not get lost with its message */
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    check(&fixture, "def a := 1\n");
    check(&fixture, "--! error x\n--! again\n"); /* nor must an old version hide it */
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

static void text_that_json_cannot_carry_goes_to_a_fresh_process(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "-- \xff\xfe\n--! error x\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    check(&fixture, "#lang lean4\n--! error x\n");
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

static void a_worker_that_has_grown_is_replaced(void **state)
{
    struct fixture fixture;

    (void)state;
    prepare(&fixture, "2021-11");
    fixture.lean.open.max_memory = 96 * 1024 * 1024;
    lean_session_open(&fixture.lean);
    check(&fixture, "--! once ref\n");
    check(&fixture, "--! grow 48\n");
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    check(&fixture, "--! once ref\n"); /* a new process has not met it */
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void a_worker_does_not_serve_for_ever(void **state)
{
    struct fixture fixture;
    unsigned served = 1;

    (void)state;
    open_era(&fixture, "2021-11");
    check(&fixture, "--! once ref\n");
    do {
        check(&fixture, "--! once ref\n");
        served++;
        assert_true(served < 20000);
    } while (fixture.lean.response.verdict == LWB_VERDICT_REJECTED);
    assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_true(served > 1000);
    lean_session_finish(&fixture.lean);
}

/* ---- environment and options
 * ---------------------------------------------------------------------------- */

static const char *variable(struct fixture *fixture, const char *name)
{
    char source[100];

    (void)snprintf(source, sizeof(source), "--! env %s\n", name);
    check(fixture, source);
    assert_int_equal(fixture->lean.call.n_diagnostics, 1);
    return fixture->lean.call.diagnostics[0].message.ptr;
}

static void the_environment_is_a_constant_list(void **state)
{
    struct fixture fixture;

    (void)state;
    assert_int_equal(setenv("LEAN_ABORT_ON_PANIC", "1", 1), 0);
    assert_int_equal(setenv("LEAN_SYSROOT", "/somewhere", 1), 0);
    open_era(&fixture, "2021-11");
    assert_string_equal(variable(&fixture, "LAKE"), "/nonexistent");
    assert_string_equal(variable(&fixture, "LEAN_ABORT_ON_PANIC"), "unset");
    assert_string_equal(variable(&fixture, "LEAN_SYSROOT"), "unset");
    assert_string_equal(variable(&fixture, "HOME"), "/nonexistent");
    assert_string_equal(variable(&fixture, "LEAN_PATH"), "");
    /* Named by its mark: the text must not depend on where the tree lies. */
    assert_string_equal(variable(&fixture, "LEAN_SRC_PATH"), LWB_DIAGNOSTIC_ROOT);
    lean_session_finish(&fixture.lean);

    open_era(&fixture, "2021-07");
    assert_string_equal(variable(&fixture, "LEAN_SYSROOT"), "/nonexistent");
    lean_session_finish(&fixture.lean);
    assert_int_equal(unsetenv("LEAN_ABORT_ON_PANIC"), 0);
    assert_int_equal(unsetenv("LEAN_SYSROOT"), 0);
}

static void options_reach_the_worker_or_a_fresh_process(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        bool ignored = strcmp(eras[i], "2021-07") == 0; /* by a worker of that time */
        struct fixture fixture;

        prepare(&fixture, eras[i]);
        assert_int_equal(lwb_strvec_append(&fixture.lean.options, "fake.x=1"), 0);
        lean_session_open(&fixture.lean);
        check(&fixture, "--! needs fake.x=1\n");
        assert_verdict(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, ignored);
        lean_session_finish(&fixture.lean);
    }
}

static void an_option_that_lean_refuses_is_no_verdict(void **state)
{
    struct fixture fixture;

    (void)state;
    prepare(&fixture, "2021-11");
    assert_int_equal(lwb_strvec_append(&fixture.lean.options, "no.such=1"), 0);
    lean_session_open(&fixture.lean);
    check(&fixture, "def a := 1\n");
    assert_verdict(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
    assert_non_null(strstr(fixture.lean.response.detail, "unknown option 'no.such=1'"));
    lean_session_finish(&fixture.lean);
}

static void the_same_text_warm_and_fresh(void **state)
{
    static const char source[] = "--! where\n--! error open $\n--! info x\\ny\n";

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(eras); i++) {
        struct lwb_check_request request = { .module = "A",
                                             .file = "A.lean",
                                             .source = lwb_bytes_text(source),
                                             .isolation = LWB_ISOLATION_FRESH };
        struct fixture fixture;
        char *warm;

        open_era(&fixture, eras[i]);
        check(&fixture, source);
        warm = strdup(lean_session_text(&fixture.lean));
        assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
        assert_true(fixture.lean.response.fresh);
        assert_string_equal(lean_session_text(&fixture.lean), warm);
        assert_non_null(strstr(warm, "open '" LWB_DIAGNOSTIC_ROOT "' as a workspace"));
        free(warm);
        lean_session_finish(&fixture.lean);
    }
}

/* ---- the caller
 * -------------------------------------------------------------------------------------------- */

static void a_byte_limit_cuts_the_messages_and_says_so(void **state)
{
    struct lwb_check_request request = { .module = "A",
                                         .file = "A.lean",
                                         .source = lwb_bytes_text("--! error 12345\n--! error 6\n"),
                                         .max_diagnostic_bytes = 5 };
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
    assert_verdict(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_true(fixture.lean.response.truncated);
    assert_int_equal(fixture.lean.call.n_diagnostics, 1);
    lean_session_finish(&fixture.lean);
}

static void a_parent_that_is_gone_ends_the_check(void **state)
{
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    fixture.lean.call.fail_after = 1;
    assert_int_equal(lean_session_check(&fixture.lean, "--! error 1\n--! error 2\n"),
                     LWB_ERR_SHUTDOWN);
    lean_session_finish(&fixture.lean);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const names[] = { "/A.lean", "../A.lean", "a/../../A.lean", "A", "./A.lean",
                                         "-A.lean", "" };
    struct fixture fixture;

    (void)state;
    open_era(&fixture, "2021-11");
    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        struct lwb_check_request request = { .module = "A",
                                             .file = names[i],
                                             .source = lwb_bytes_text("") };

        assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_ERR_USAGE);
    }
    lean_session_finish(&fixture.lean);
}

static void a_session_without_a_lean_is_refused(void **state)
{
    struct lwb_open_response response;
    struct fixture fixture;
    struct lean_session *lean = &fixture.lean;

    (void)state;
    prepare(&fixture, "2021-11");
    lean->open.toolchain = "/nonexistent";
    assert_int_equal(lwb_host_lean.open(&lean->session, &lean->open, &response, &lean->err),
                     LWB_ERR_NO_TOOLCHAIN);
    lean->open.toolchain = fixture.toolchain.prefix;
    assert_int_equal(lwb_strvec_append(&lean->search_path, "/a:b"), 0);
    assert_int_equal(lwb_host_lean.open(&lean->session, &lean->open, &response, &lean->err),
                     LWB_ERR_USAGE);
    assert_null(lean->session);
    lean_session_finish(lean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_era_accepts_and_rejects),
        cmocka_unit_test(one_worker_serves_all_modules_of_a_session),
        cmocka_unit_test(columns_are_code_points),
        cmocka_unit_test(silent_messages_are_dropped),
        cmocka_unit_test(sorry_has_one_code_in_all_versions),
        cmocka_unit_test(spellings_of_one_header_share_a_worker),
        cmocka_unit_test(a_body_on_the_first_line_is_checked_fresh),
        cmocka_unit_test(another_header_is_checked_fresh_and_not_kept),
        cmocka_unit_test(an_import_that_cannot_be_loaded_is_no_verdict),
        cmocka_unit_test(a_worker_with_failed_imports_is_replaced),
        cmocka_unit_test(noise_on_stdout_is_tolerated),
        cmocka_unit_test(a_panic_in_a_worker_is_decided_by_a_fresh_process),
        cmocka_unit_test(a_panic_everywhere_keeps_leans_word_but_not_in_store),
        cmocka_unit_test(a_worker_that_dies_is_replaced),
        cmocka_unit_test(a_crash_is_no_verdict),
        cmocka_unit_test(exit_one_without_a_message_is_no_verdict),
        cmocka_unit_test(limits_are_leans_no_but_not_kept),
        cmocka_unit_test(endless_elaboration_ends_at_the_deadline),
        cmocka_unit_test(floods_do_not_block),
        cmocka_unit_test(a_large_document_does_not_block),
        cmocka_unit_test(what_cannot_be_read_is_decided_by_a_fresh_process),
        cmocka_unit_test(text_that_json_cannot_carry_goes_to_a_fresh_process),
        cmocka_unit_test(a_worker_that_has_grown_is_replaced),
        cmocka_unit_test(a_worker_does_not_serve_for_ever),
        cmocka_unit_test(the_environment_is_a_constant_list),
        cmocka_unit_test(options_reach_the_worker_or_a_fresh_process),
        cmocka_unit_test(an_option_that_lean_refuses_is_no_verdict),
        cmocka_unit_test(the_same_text_warm_and_fresh),
        cmocka_unit_test(a_byte_limit_cuts_the_messages_and_says_so),
        cmocka_unit_test(a_parent_that_is_gone_ends_the_check),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_session_without_a_lean_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
