#include "tests/support/test.h"

#include "child/lean/lean_host.h"
#include "tests/support/fake_session.h"

/* What a session is asked beyond checks: there the worker has no fresh process behind it. */

static int elaborate(struct fake_session *fixture, const char *text, uint64_t max_bytes,
                     struct lwb_elaborate_response *response)
{
    struct lean_session *lean = &fixture->lean;
    struct lwb_elaborate_request request = { .label = "text",
                                             .max_diagnostic_bytes = max_bytes,
                                             .source = lwb_bytes_text(text) };

    recording_call_clear(&lean->call);
    *response = (struct lwb_elaborate_response){ 0 };
    return lwb_host_lean.elaborate(lean->session, &request, &lean->call, response, &lean->err);
}

static enum lwb_kernel_status ask_kernel(struct fake_session *fixture, const char *text)
{
    struct lean_session *lean = &fixture->lean;
    struct lwb_elaborate_request request = { .label = "text", .source = lwb_bytes_text(text) };
    struct lwb_kernel_response response = { 0 };

    recording_call_clear(&lean->call);
    if (lwb_host_lean.kernel_check(lean->session, &request, &lean->call, &response, &lean->err) < 0)
        fail_msg("%s", lean->err.text);
    return response.status;
}

static void a_text_has_its_own_lines(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct lwb_elaborate_response response;
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        assert_int_equal(elaborate(&fixture, "def a := 1\nab --! warning x\n", 0, &response),
                         LWB_OK);
        assert_true(response.success);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:2:3: warning: x\n");
        assert_int_equal(elaborate(&fixture, "--! error y\n", 0, &response), LWB_OK);
        assert_false(response.success);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: y\n");
        lean_session_finish(&fixture.lean);
    }
}

static void messages_are_cut_where_the_caller_says(void **state)
{
    struct lwb_elaborate_response response;
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    assert_int_equal(elaborate(&fixture, "--! warning 12345\n--! error 6789\n", 6, &response),
                     LWB_OK);
    assert_true(response.truncated);
    assert_false(response.success); /* whatever fits */
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: warning: 12345\n");
    lean_session_finish(&fixture.lean);
}

static void the_kernel_has_four_answers(void **state)
{
    static const struct {
        const char *text;
        enum lwb_kernel_status status;
    } cases[] = {
        { "theorem x : True := trivial\n", LWB_KERNEL_CHECKED },
        { "theorem x : True := y --! error unknown identifier 'y'\n", LWB_KERNEL_REJECTED },
        { "theorem x : True := --! error expected term\n", LWB_KERNEL_UNAVAILABLE },
        { "theorem x : True := sorry --! sorry\n", LWB_KERNEL_UNAVAILABLE },
        { "#check Nat\n", LWB_KERNEL_UNSUPPORTED },
    };

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        for (size_t k = 0; k < LWB_COUNT(cases); k++)
            assert_int_equal(ask_kernel(&fixture, cases[k].text), cases[k].status);
        lean_session_finish(&fixture.lean);
    }
}

/* An answer that is in doubt is none, and the next question has a worker again. */
static void doubt_is_a_refusal(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        { "--! panic\n", "lean reported a panic" },
        { "--! crash\n", "lean was killed by signal 11" },
        { "--! exit 0\n", "lean ended with exit code 0" },
        { "--! early\n", "lean --worker did not say that it had come to the end" },
        { "--! error x\n--! withdraw\n", "the answer of lean --worker could not be read" },
        { "--! refuse\n", "the answer of lean --worker could not be read" },
    };

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct lwb_elaborate_response response;
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        for (size_t k = 0; k < LWB_COUNT(cases); k++) {
            assert_int_equal(elaborate(&fixture, cases[k].text, 0, &response), LWB_ERR_WORKER);
            if (!strstr(fixture.lean.err.text, cases[k].why))
                fail_msg("%s: %s", fake_toolchain_era(i), fixture.lean.err.text);
            assert_int_equal(elaborate(&fixture, "def a := 1\n", 0, &response), LWB_OK);
            assert_true(response.success);
        }
        lean_session_finish(&fixture.lean);
    }
}

/* In 2021-07 nothing but the text of a message says so. */
static void imports_that_cannot_be_loaded_are_the_sessions_fault(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct lwb_elaborate_response response;
        struct fake_session fixture;

        fake_session_prepare(&fixture, fake_toolchain_era(i));
        assert_int_equal(lwb_strvec_append(&fixture.lean.imports, "Does.Not.Exist"), 0);
        lean_session_open(&fixture.lean);
        assert_int_equal(elaborate(&fixture, "def a := 1\n", 0, &response), LWB_ERR_SETUP);
        assert_string_equal(fixture.lean.err.text, "the imports could not be loaded");
        lean_session_finish(&fixture.lean);
    }
}

static void looking_up_needs_lean_and_an_answer_for_each_name(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec kinds = { 0 };
    struct fake_session fixture;
    struct lean_session *lean = &fixture.lean;

    (void)state;
    assert_int_equal(lwb_strvec_append(&names, "Nat.add"), 0);
    fake_session_open(&fixture, "4.8");
    assert_int_equal(
        lwb_host_lean.declaration_kinds(lean->session, &names, &lean->call, &kinds, &lean->err),
        LWB_ERR_UNSUPPORTED);
    assert_int_equal(
        lwb_host_lean.declaration_names(lean->session, "Nat", &lean->call, &kinds, &lean->err),
        LWB_ERR_UNSUPPORTED);
    lean_session_finish(lean);

    /* fake_lean evaluates nothing, so it leaves every question open. */
    fake_session_prepare(&fixture, "4.8");
    scratch_write(&lean->scratch, "toolchain-4.8/lib/lean/Lean.olean",
                  "olean\1 that stands for Lean");
    assert_int_equal(lwb_strvec_append(&lean->imports, "Lean"), 0);
    lean_session_open(lean);
    assert_int_equal(
        lwb_host_lean.declaration_kinds(lean->session, &names, &lean->call, &kinds, &lean->err),
        LWB_ERR_WORKER);
    assert_string_equal(lean->err.text, "Lean answered 0 of 1 names");
    assert_int_equal(kinds.count, 0);
    lean_session_finish(lean);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_has_its_own_lines),
        cmocka_unit_test(messages_are_cut_where_the_caller_says),
        cmocka_unit_test(the_kernel_has_four_answers),
        cmocka_unit_test(doubt_is_a_refusal),
        cmocka_unit_test(imports_that_cannot_be_loaded_are_the_sessions_fault),
        cmocka_unit_test(looking_up_needs_lean_and_an_answer_for_each_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
