#include "tests/support/test.h"

#include "child/lean/lean_host.h"
#include "lwbuild/base/clock.h"
#include "tests/support/fake_session.h"

/* A warm worker: what it answers, which documents it gets, and what is left to a fresh process. */

static void every_era_accepts_and_rejects(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool fresh = !fake_toolchain_rejects_warm(fake_toolchain_era(i));
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "theorem fine : True := trivial\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        assert_true(fixture.lean.response.storable);
        assert_string_equal(lean_session_text(&fixture.lean), "");
        fake_session_check(&fixture, "-- one\n  --! error type mismatch\\nhas type\\n  Nat\n"
                                     "--! warning odd\n--! info 42\\n\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, fresh);
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
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! once ref\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    /* An `initialize` reference survives between documents: warm is not fresh. */
    fake_session_check(&fixture, "\n--! once ref\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

/* What the worker remembers can be seen in acceptances only: it has not the words to reject. */
static void one_worker_of_2021_serves_all_modules_as_well(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    fake_session_check(&fixture, "--! twice ref\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    fake_session_check(&fixture, "\n--! twice ref\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    fake_session_check(&fixture, "\n--! once ref\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

/* A worker of 2021 or 2022 leaves the mark out, so it is the fresh process that has the word. */
static void a_shadowed_name_has_its_mark_in_every_era(void **state)
{
    static const struct {
        const char *source, *text;
        enum lwb_verdict verdict;
    } cases[] = {
        { "--! marked error unknown x\n", "A.lean:1:0: error: unknown x\u271d\n",
          LWB_VERDICT_REJECTED },
        { "--! marked warning unused x\n", "A.lean:1:0: warning: unused x\u271d\n",
          LWB_VERDICT_ACCEPTED },
        { "--! marked info [Meta.debug] x\n", "[Meta.debug] x\u271d\n", LWB_VERDICT_ACCEPTED },
    };

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        for (size_t k = 0; k < LWB_COUNT(cases); k++) {
            fake_session_check(&fixture, cases[k].source);
            fake_session_expect(&fixture, cases[k].verdict, LWB_REASON_NONE,
                                !fake_toolchain_rejects_warm(fake_toolchain_era(i)));
            assert_string_equal(lean_session_text(&fixture.lean), cases[k].text);
        }
        lean_session_finish(&fixture.lean);
    }
}

/* Also where it is what the worker said, as a fresh process would come too late. */
static void a_verdict_that_was_in_time_stays(void **state)
{
    struct lwb_check_request request = {
        .module = "A",
        .file = "A.lean",
        .source = lwb_bytes_text("--! marked error unknown x\n--! hang alone\n"),
        .deadline_ms = 2000,
    };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    fake_session_check(&fixture, "def warm := 1\n");
    assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: unknown x\n");
    lean_session_finish(&fixture.lean);
}

static void columns_are_code_points(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "theorem 𝔸 (p ∧ q) --! error here\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:18: error: here\n");
    assert_int_equal(fixture.lean.call.diagnostics[0].end_line, 2);
    assert_int_equal(fixture.lean.call.diagnostics[0].end_column, 0);
    lean_session_finish(&fixture.lean);
}

static void silent_messages_are_dropped(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.22");
    fake_session_check(&fixture, "--! silent Goals accomplished!\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_int_equal(fixture.lean.call.n_diagnostics, 0);
    lean_session_finish(&fixture.lean);
}

static void sorry_has_one_code_in_all_versions(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-07");
    fake_session_check(&fixture, "--! sorry\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_string_equal(fixture.lean.call.diagnostics[0].code.ptr, "hasSorry");
    lean_session_finish(&fixture.lean);
}

static void write_import(struct fake_session *fixture, const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "lib/%s.olean", name);
    scratch_write(&fixture->lean.scratch, path, "oleanfile!!!!!!!provide it\n");
}

static void open_with_imports(struct fake_session *fixture, const char *era)
{
    fake_session_prepare(fixture, era);
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
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool fresh = !fake_toolchain_rejects_warm(fake_toolchain_era(i));
        struct fake_session fixture;

        open_with_imports(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "import B\nimport C\n--! once x\n--! requires it\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        fake_session_check(&fixture,
                           "/- A\n   licence. -/\nimport   B\n\nimport C -- why\n/-! doc -/\n"
                           "   --! twice x\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        fake_session_check(&fixture,
                           "/- A\n   licence. -/\nimport   B\n\nimport C -- why\n/-! doc -/\n"
                           "   --! error there\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, fresh);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:7:3: error: there\n");
        /* The body begins on the line of the last import. */
        fake_session_check(&fixture, "import B\nimport C ⟨⟩ --! error here\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, fresh);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:2:12: error: here\n");
        lean_session_finish(&fixture.lean);
    }
}

static void a_body_on_the_first_line_is_checked_fresh(void **state)
{
    struct fake_session fixture;

    (void)state;
    open_with_imports(&fixture, "2021-11");
    fake_session_check(&fixture, "import  B import C def x --! error here\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:25: error: here\n");
    lean_session_finish(&fixture.lean);
}

static void another_header_is_checked_fresh_and_not_kept(void **state)
{
    struct fake_session fixture;

    (void)state;
    open_with_imports(&fixture, "2021-07");
    fake_session_check(&fixture, "import B\n--! requires it\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    assert_false(fixture.lean.response.storable);
    lean_session_finish(&fixture.lean);
}

static void an_import_that_cannot_be_loaded_is_no_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        assert_int_equal(lwb_strvec_append(&fixture.lean.imports, "Does.Not.Exist"), 0);
        lean_session_open(&fixture.lean);
        fake_session_check(&fixture, "import Does.Not.Exist\n--! info x\n");
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_IMPORT, true);
        assert_false(fixture.lean.response.storable);
        assert_non_null(strstr(lean_session_text(&fixture.lean), "A.lean:1:0: error: unknown "));
        lean_session_finish(&fixture.lean);
    }
}

static void a_worker_with_failed_imports_is_replaced(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_prepare(&fixture, "2021-07");
    assert_int_equal(lwb_strvec_append(&fixture.lean.imports, "B"), 0);
    assert_int_equal(
        lwb_strvec_append(&fixture.lean.search_path, scratch_path(&fixture.lean.scratch, "lib")),
        0);
    lean_session_open(&fixture.lean);
    fake_session_check(&fixture, "import B\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_IMPORT, true);
    write_import(&fixture, "B");
    fake_session_check(&fixture, "import B\n--! requires it\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void text_that_json_cannot_carry_goes_to_a_fresh_process(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    fake_session_check(&fixture, "-- \xff\xfe\n--! error x\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    for (int c = 1; c < ' '; c++) { /* Leans of 2021 read "\\u000b" as another letter */
        char source[] = "def x := \"?\"\n";
        bool plain = c == '\t' || c == '\n' || c == '\r';

        *strchr(source, '?') = (char)c;
        fake_session_check(&fixture, source);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, !plain);
    }
    fake_session_check(&fixture, "#lang lean4\n--! error x\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

static void the_same_text_warm_and_fresh(void **state)
{
    static const char rejected[] = "--! where\n--! error open $\n--! info x\\ny\n";
    static const char accepted[] = "--! where\n--! info open $\n--! sorry\n--! info x\\ny\n";

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        bool rejects = fake_toolchain_rejects_warm(fake_toolchain_era(i));
        const char *source = rejects ? rejected : accepted;
        struct lwb_check_request request = { .module = "A",
                                             .file = "A.lean",
                                             .source = lwb_bytes_text(source),
                                             .isolation = LWB_ISOLATION_FRESH };
        struct fake_session fixture;
        char *warm;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, source);
        fake_session_expect(&fixture, rejects ? LWB_VERDICT_REJECTED : LWB_VERDICT_ACCEPTED,
                            LWB_REASON_NONE, false);
        warm = strdup(lean_session_text(&fixture.lean));
        assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
        assert_true(fixture.lean.response.fresh);
        assert_string_equal(lean_session_text(&fixture.lean), warm);
        assert_non_null(strstr(warm, "open '" LWB_DIAGNOSTIC_ROOT "' as a workspace"));
        free(warm);
        lean_session_finish(&fixture.lean);
    }
}

static void a_byte_limit_cuts_the_messages_and_says_so(void **state)
{
    struct lwb_check_request request = { .module = "A",
                                         .file = "A.lean",
                                         .source = lwb_bytes_text("--! error 12345\n--! error 6\n"),
                                         .max_diagnostic_bytes = 5 };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_true(fixture.lean.response.truncated);
    assert_int_equal(fixture.lean.call.n_diagnostics, 1);
    lean_session_finish(&fixture.lean);
}

static void a_parent_that_is_gone_ends_the_check(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fixture.lean.call.fail_after = 1;
    assert_int_equal(lean_session_check(&fixture.lean, "--! error 1\n--! error 2\n"),
                     LWB_ERR_SHUTDOWN);
    lean_session_finish(&fixture.lean);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const names[] = { "/A.lean", "../A.lean", "a/../../A.lean", "A", "./A.lean",
                                         "-A.lean", "" };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
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
    struct fake_session fixture;
    struct lean_session *lean = &fixture.lean;

    (void)state;
    fake_session_prepare(&fixture, "2021-11");
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

static void what_the_worker_calls_itself_is_not_asked_of_it(void **state)
{
    static const char *const sources[] = {
        "#eval do IO.println (\xe2\x86\x90 getEnv).mainModule\n",
        "run_cmd logInfo (toString (\xe2\x86\x90 getMainModule))\n",
        "#eval do IO.println (\xe2\x86\x90 getFileName)\n",
    };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    for (size_t i = 0; i < LWB_COUNT(sources); i++) {
        fake_session_check(&fixture, sources[i]);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
    }
    lean_session_finish(&fixture.lean);
}

/* `work` keeps elaborating for a while, as a long proof does. */
static void long_elaboration_tells_how_far_it_is(void **state)
{
    struct fake_session fixture;

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        uint64_t start = lwb_clock_ms();

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "def a := 1\ndef b := 2\n--! work 300\ndef c := 3\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        assert_string_equal(fixture.lean.call.progress, "lines 2 of 4");
        /* Ten a second at most, however often Lean says so. */
        assert_in_range(fixture.lean.call.n_progress, 1, (lwb_clock_ms() - start) / 100);
        lean_session_finish(&fixture.lean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_era_accepts_and_rejects),
        cmocka_unit_test(one_worker_serves_all_modules_of_a_session),
        cmocka_unit_test(one_worker_of_2021_serves_all_modules_as_well),
        cmocka_unit_test(a_shadowed_name_has_its_mark_in_every_era),
        cmocka_unit_test(a_verdict_that_was_in_time_stays),
        cmocka_unit_test(columns_are_code_points),
        cmocka_unit_test(silent_messages_are_dropped),
        cmocka_unit_test(sorry_has_one_code_in_all_versions),
        cmocka_unit_test(spellings_of_one_header_share_a_worker),
        cmocka_unit_test(a_body_on_the_first_line_is_checked_fresh),
        cmocka_unit_test(another_header_is_checked_fresh_and_not_kept),
        cmocka_unit_test(an_import_that_cannot_be_loaded_is_no_verdict),
        cmocka_unit_test(a_worker_with_failed_imports_is_replaced),
        cmocka_unit_test(text_that_json_cannot_carry_goes_to_a_fresh_process),
        cmocka_unit_test(the_same_text_warm_and_fresh),
        cmocka_unit_test(a_byte_limit_cuts_the_messages_and_says_so),
        cmocka_unit_test(a_parent_that_is_gone_ends_the_check),
        cmocka_unit_test(names_that_lead_elsewhere_are_refused),
        cmocka_unit_test(a_session_without_a_lean_is_refused),
        cmocka_unit_test(what_the_worker_calls_itself_is_not_asked_of_it),
        cmocka_unit_test(long_elaboration_tells_how_far_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
