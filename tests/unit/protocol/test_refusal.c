#include "tests/support/test.h"

#include "lwbuild/protocol/message.h"

/* R4: what a child says can never be confused with what its parent has seen. */
static void a_child_may_claim_only_what_it_can_know(void **state)
{
    static const struct {
        const char *word;
        enum lwb_code code;
    } cases[] = {
        { "unsupported", LWB_ERR_UNSUPPORTED },
        { "stream-failed", LWB_ERR_STREAM_FAILED },
        { "row-malformed", LWB_ERR_ROW_MALFORMED },
        { "missing-import", LWB_ERR_MISSING_IMPORT },
        { "timeout", LWB_ERR_WORKER },
        { "cancelled", LWB_ERR_WORKER },
        { "ok", LWB_ERR_WORKER },
        { "pool-exhausted", LWB_ERR_WORKER },
        { "my-own-word", LWB_ERR_WORKER },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_refusal refusal = { .code = cases[i].word, .text = "why" };
        struct lwb_error err;

        assert_int_equal(cases[i].code, lwb_refusal_to_error(&refusal, &err));
        assert_int_equal(cases[i].code, err.code);
        assert_string_equal(cases[i].word, err.facts.child_code);
        assert_string_equal("why", err.text);
        assert_true(err.facts.work_entered_child);
    }
}

static void an_error_keeps_its_facts_as_a_refusal(void **state)
{
    struct lwb_error in = { 0 };
    struct lwb_error out;
    struct lwb_refusal refusal;

    (void)state;
    (void)lwb_fail(&in, LWB_ERR_ROW_MALFORMED, "row 3");
    in.facts.sequence = 3;
    in.facts.status = -7;
    memcpy(in.facts.stream, "rows", sizeof("rows"));
    lwb_refusal_from_error(&refusal, &in);
    assert_int_equal(LWB_ERR_ROW_MALFORMED, lwb_refusal_to_error(&refusal, &out));
    assert_int_equal(3, out.facts.sequence);
    assert_int_equal(-7, out.facts.status);
    assert_string_equal("rows", out.facts.stream);
}

static void a_host_has_words_of_its_own(void **state)
{
    struct lwb_error in = { 0 };
    struct lwb_refusal refusal;

    (void)state;
    (void)lwb_fail(&in, LWB_ERR_WORKER, "no");
    memcpy(in.facts.child_code, "out-of-ink", sizeof("out-of-ink"));
    lwb_refusal_from_error(&refusal, &in);
    assert_string_equal("out-of-ink", refusal.code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_may_claim_only_what_it_can_know),
        cmocka_unit_test(an_error_keeps_its_facts_as_a_refusal),
        cmocka_unit_test(a_host_has_words_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
