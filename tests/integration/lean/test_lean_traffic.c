#include "tests/support/test.h"

#include "tests/support/fake_session.h"

/* What a worker sends besides diagnostics, and answers that are none. */

static void check_for(struct fake_session *fixture, const char *source, uint64_t deadline_ms)
{
    struct lwb_check_request request = {
        .module = "A",
        .file = "A.lean",
        .source = lwb_bytes_text(source),
        .deadline_ms = deadline_ms,
    };

    if (lean_session_check_as(&fixture->lean, &request) < 0)
        fail_msg("%s", fixture->lean.err.text);
}

/* Workers number their own requests from 0, and since 4.8 they make some. */
static void a_request_of_the_worker_is_no_answer(void **state)
{
    static const char *const later[] = { "4.8", "4.12", "4.22", "4.34" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(later); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, later[i]);
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        check_for(&fixture, "--! mute\n", 50);
        fake_session_expect(&fixture, LWB_VERDICT_NONE, LWB_REASON_TIME, false);
        lean_session_finish(&fixture.lean);
    }
}

/* "File changed": what was published until then may not be all. */
static void a_refused_barrier_is_decided_by_a_fresh_process(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        fake_session_check(&fixture, "def a := 1\n");
        fake_session_check(&fixture, "--! refuse\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        fake_session_check(&fixture, "def b := 1\n");
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
        lean_session_finish(&fixture.lean);
    }
}

/*
 * Memory and stack of a worker hold what documents before have left; a process of
 * its own does not.
 */
static void a_limit_of_the_worker_is_no_limit_of_the_module(void **state)
{
    static const char *const limits[] = {
        "--! once excessive memory consumption detected\n",
        "--! once deep recursion was detected\n",
    };

    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct fake_session fixture;

        fake_session_open(&fixture, fake_toolchain_era(i));
        for (size_t k = 0; k < LWB_COUNT(limits); k++) {
            fake_session_check(&fixture, limits[k]);
            fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, false);
            fake_session_check(&fixture, limits[k]);
            fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        }
        lean_session_finish(&fixture.lean);
    }
}

/* What an import prints when it is initialized stands in front of the first message. */
static void noise_in_front_of_a_warning_does_not_hide_it(void **state)
{
    (void)state;
    for (size_t i = 0; fake_toolchain_era(i); i++) {
        struct lwb_check_request request = { .module = "A",
                                             .file = "A.lean",
                                             .source =
                                                 lwb_bytes_text("--! noise loading \n--! sorry\n"),
                                             .isolation = LWB_ISOLATION_FRESH };
        struct fake_session fixture;
        struct lwb_call *call = &fixture.lean.call;

        fake_session_open(&fixture, fake_toolchain_era(i));
        assert_int_equal(lean_session_check_as(&fixture.lean, &request), LWB_OK);
        fake_session_expect(&fixture, LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true);
        assert_true(call->n_diagnostics > 0);
        assert_string_equal(call->diagnostics[call->n_diagnostics - 1].code.ptr, "hasSorry");
        assert_int_equal(call->diagnostics[call->n_diagnostics - 1].line, 2);
        lean_session_finish(&fixture.lean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_of_the_worker_is_no_answer),
        cmocka_unit_test(a_refused_barrier_is_decided_by_a_fresh_process),
        cmocka_unit_test(a_limit_of_the_worker_is_no_limit_of_the_module),
        cmocka_unit_test(noise_in_front_of_a_warning_does_not_hide_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
