#include "tests/support/test.h"

#include "lwbuild/base/clock.h"
#include "tests/support/fake_session.h"

/* A worker that misbehaves, or that nobody should rely on any longer. */

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
        struct fake_session fixture;

        fake_session_open(&fixture, "4.8");
        fake_session_check(&fixture, noises[i]);
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        fake_session_check(&fixture, "--! error y\n");
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: y\n");
        lean_session_finish(&fixture.lean);
    }
}

static void a_panic_in_a_worker_is_decided_by_a_fresh_process(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! panic worker\n--! error x\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    assert_true(fixture.lean.response.storable);
    fake_session_check(&fixture, "def fine := 1\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void a_panic_everywhere_keeps_leans_word_but_not_in_store(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    fake_session_check(&fixture, "--! panic\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_PANIC, true);
    assert_false(fixture.lean.response.storable);
    assert_non_null(strstr(fixture.lean.response.detail, "PANIC at _eval"));
    lean_session_finish(&fixture.lean);
}

static void a_worker_that_dies_is_replaced(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_check(&fixture, "--! crash worker\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        fake_session_check(&fixture, "def b := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void a_crash_is_no_verdict(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! error x\n--! crash\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    assert_non_null(strstr(fixture.lean.response.detail, "signal 11"));
    fake_session_check(&fixture, "--! overflow\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    assert_non_null(strstr(fixture.lean.response.detail, "signal 6"));
    assert_non_null(strstr(fixture.lean.response.detail, "Stack overflow detected"));
    fake_session_check(&fixture, "--! exit 3\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_CRASH, true);
    lean_session_finish(&fixture.lean);
}

static void exit_one_without_a_message_is_no_verdict(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "2021-11");
    fake_session_check(&fixture, "--! stderr out of luck\n--! exit 1\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
    assert_non_null(strstr(fixture.lean.response.detail, "out of luck"));
    lean_session_finish(&fixture.lean);
}

static void limits_are_leans_no_but_not_kept(void **state)
{
    static const char *const sources[] = {
        "--! limit\n",
        "--! error maximum recursion depth has been reached (use `set_option maxRecDepth <num>`)\n",
        "--! error deep recursion was detected at 'replace' (potential solution: more stack)\n",
        "--! error (kernel) deep recursion detected\n",
        "--! error (kernel) deterministic timeout\n",
    };
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    for (size_t i = 0; i < LWB_COUNT(sources); i++) {
        fake_session_check(&fixture, sources[i]);
        /* Whose stack it was, a worker cannot tell. */
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_LIMIT,
                            strstr(sources[i], "deep recursion") != NULL);
        assert_false(fixture.lean.response.storable);
    }
    lean_session_finish(&fixture.lean);
}

static void check_with_deadline(struct fake_session *fixture, const char *source, uint64_t ms)
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
        struct fake_session fixture;
        uint64_t start;

        fake_session_open(&fixture, "2021-11");
        fake_session_check(&fixture, "def warm := 1\n");
        start = lwb_clock_ms();
        check_with_deadline(&fixture, sources[i], 50);
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_TIME, false);
        assert_true(lwb_clock_ms() - start >= 50);
        fake_session_check(&fixture, "def next := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void floods_do_not_block(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! flood 8192\n--! steps 2000\n--! error x\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean), "A.lean:3:0: error: x\n");
    lean_session_finish(&fixture.lean);
}

static void a_large_document_does_not_block(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(8 * 1024 * 1024);
    struct fake_session fixture;

    (void)state;
    /* The worker talks while it is still being written to: more than both pipes hold. */
    for (int i = 0; i < 50000; i++)
        lwb_buf_append_text(&source, "-- a line that nobody will read, and more of it\n");
    lwb_buf_append_text(&source, "--! steps 500\n--! error x\n");
    fake_session_open(&fixture, "4.8");
    for (int i = 0; i < 2; i++) {
        fake_session_check(&fixture, lwb_buf_text(&source));
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:50002:0: error: x\n");
    }
    lean_session_finish(&fixture.lean);
}

static void what_cannot_be_read_is_decided_by_a_fresh_process(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! nul\n"); /* an error must not get lost with its message */
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    fake_session_check(&fixture, "def a := 1\n");
    fake_session_check(&fixture, "--! error x\n--! again\n"); /* nor must an old version hide it */
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
    lean_session_finish(&fixture.lean);
}

static void an_answer_before_the_end_is_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_check(&fixture, "--! early\n--! error x\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
        fake_session_check(&fixture, "def b := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void an_error_that_is_taken_back_is_not_forgotten(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_check(&fixture, "--! error x\n--! withdraw\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, true);
        /* Nothing is lost where there is none, and nothing is left for the next document. */
        fake_session_check(&fixture, "--! warning x\n--! withdraw\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        fake_session_check(&fixture, "def b := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

static void another_server_on_stdout_is_not_listened_to(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.8");
    for (int i = 0; i < 3; i++) {
        fake_session_check(&fixture, "--! error x\n--! stray\n");
        fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
        assert_string_equal(lean_session_text(&fixture.lean), "A.lean:1:0: error: x\n");
    }
    lean_session_finish(&fixture.lean);
    /* Its answers are not those that were waited for. */
    fake_session_open(&fixture, "4.8");
    check_with_deadline(&fixture, "--! stray\n--! mute\n", 50);
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_TIME, false);
    lean_session_finish(&fixture.lean);
}

static void a_worker_that_has_grown_is_replaced(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_prepare(&fixture, "2021-11");
    fixture.lean.open.max_memory = 96 * 1024 * 1024;
    lean_session_open(&fixture.lean);
    fake_session_check(&fixture, "--! once ref\n");
    fake_session_check(&fixture, "--! grow 48\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    fake_session_check(&fixture, "--! once ref\n"); /* a new process has not met it */
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    lean_session_finish(&fixture.lean);
}

static void a_worker_does_not_serve_for_ever(void **state)
{
    struct fake_session fixture;
    unsigned served = 1;

    (void)state;
    fake_session_open(&fixture, "4.8");
    fake_session_check(&fixture, "--! once ref\n");
    do {
        fake_session_check(&fixture, "--! once ref\n");
        served++;
        assert_true(served < 20000);
    } while (fixture.lean.response.verdict == LWB_VERDICT_REJECTED);
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_true(served > 1000);
    lean_session_finish(&fixture.lean);
}

static void diagnostics_that_add_do_not_replace(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.34");
    fake_session_check(&fixture, "--! partial\n--! error one\n--! steps 3\n--! warning two\n");
    fake_session_expect(&fixture, LWB_VERDICT_REJECTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean),
                        "A.lean:2:0: error: one\nA.lean:4:0: warning: two\n");
    /* Nothing of it is left for the next document. */
    fake_session_check(&fixture, "--! warning three\n--! partial\n--! warning four\n");
    fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
    assert_string_equal(lean_session_text(&fixture.lean),
                        "A.lean:1:0: warning: three\nA.lean:3:0: warning: four\n");
    lean_session_finish(&fixture.lean);
}

static void an_error_that_nobody_sees_is_no_acceptance(void **state)
{
    struct fake_session fixture;

    (void)state;
    fake_session_open(&fixture, "4.34");
    fake_session_check(&fixture, "--! hidden x\n");
    fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_NO_MESSAGE, true);
    lean_session_finish(&fixture.lean);
}

static void a_file_that_ends_lean_is_not_accepted(void **state)
{
    struct fake_session fixture;

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        fake_session_open(&fixture, fake_toolchain_era(i));
        /* #eval IO.Process.exit 0: what stands behind it was never looked at. */
        fake_session_check(&fixture, "--! exit 0\n--! error x\n");
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, true);
        assert_false(fixture.lean.response.storable);
        assert_int_equal(fixture.lean.response.n_artifacts, 0);
        lean_session_finish(&fixture.lean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(an_answer_before_the_end_is_not_believed),
        cmocka_unit_test(an_error_that_is_taken_back_is_not_forgotten),
        cmocka_unit_test(another_server_on_stdout_is_not_listened_to),
        cmocka_unit_test(a_worker_that_has_grown_is_replaced),
        cmocka_unit_test(a_worker_does_not_serve_for_ever),
        cmocka_unit_test(diagnostics_that_add_do_not_replace),
        cmocka_unit_test(an_error_that_nobody_sees_is_no_acceptance),
        cmocka_unit_test(a_file_that_ends_lean_is_not_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
