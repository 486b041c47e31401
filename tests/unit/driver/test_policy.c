#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lwbuild/driver/policy.h"

static struct lwb_diagnostic message(enum lwb_severity severity, const char *code, const char *text)
{
    return (struct lwb_diagnostic){ .severity = severity,
                                    .line = 1,
                                    .end_line = -1,
                                    .code = lwb_bytes_text(code),
                                    .message = lwb_bytes_text(text) };
}

static void sorry_is_known_by_its_code_and_by_its_words(void **state)
{
    static const struct {
        enum lwb_severity severity;
        const char *code, *text;
        bool is;
    } cases[] = {
        { LWB_SEVERITY_WARNING, "", "declaration uses 'sorry'", true },
        { LWB_SEVERITY_WARNING, "", "declaration uses `sorry`", true },
        { LWB_SEVERITY_WARNING, "hasSorry", "anything", true },
        { LWB_SEVERITY_WARNING, "", "unused variable `sorry`", false },
        { LWB_SEVERITY_INFORMATION, "", "declaration uses 'sorry'", false },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_diagnostic d = message(cases[i].severity, cases[i].code, cases[i].text);

        assert_int_equal(lwb_policy_is_sorry(&d), cases[i].is);
    }
}

static void fail_on_decides_what_fails(void **state)
{
    struct lwb_diagnostic error = message(LWB_SEVERITY_ERROR, "", "e");
    struct lwb_diagnostic warning = message(LWB_SEVERITY_WARNING, "", "w");
    struct lwb_diagnostic sorry = message(LWB_SEVERITY_WARNING, "", "declaration uses 'sorry'");
    struct lwb_diagnostic info = message(LWB_SEVERITY_INFORMATION, "", "i");
    const struct lwb_policy on_error = { .fail_on = LWB_FAIL_ON_ERROR };
    const struct lwb_policy on_warning = { .fail_on = LWB_FAIL_ON_WARNING };
    const struct lwb_policy on_sorry = { .fail_on = LWB_FAIL_ON_SORRY };

    (void)state;
    assert_true(lwb_policy_objects(&on_error, &error));
    assert_false(lwb_policy_objects(&on_error, &warning));
    assert_true(lwb_policy_objects(&on_warning, &warning));
    assert_false(lwb_policy_objects(&on_warning, &info));
    assert_true(lwb_policy_objects(&on_sorry, &sorry));
    assert_false(lwb_policy_objects(&on_sorry, &warning));
    assert_true(lwb_policy_objects(&on_sorry, &error));
}

struct rejected {
    char texts[1024];
    int count;
};

static void on_reject(void *ctx, int64_t line, const char *text)
{
    struct rejected *rejected = ctx;
    size_t len = strlen(rejected->texts);

    rejected->count++;
    (void)snprintf(rejected->texts + len, sizeof(rejected->texts) - len, "%lld: %s\n",
                   (long long)line, text);
}

static const char facts[] =
    "{\"name\":\"f\",\"kind\":\"definition\",\"axioms\":[],\"line\":3}\n"
    "{\"name\":\"ax\",\"kind\":\"axiom\",\"axioms\":[\"ax\"],\"line\":4}\n"
    "{\"name\":\"t\",\"kind\":\"theorem\",\"axioms\":[\"propext\",\"ax\"],\"line\":5}\n"
    "{\"name\":\"u\",\"kind\":\"theorem\",\"axioms\":[\"Quot.sound\"],\"line\":6}\n";

static void axioms_beyond_the_allowed_are_named_with_who_uses_them(void **state)
{
    const struct lwb_policy policy = { 0 };
    struct rejected rejected = { 0 };
    struct lwb_facts_visitor visitor = { .reject = on_reject, .ctx = &rejected };
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_policy_apply_facts(&policy, lwb_bytes_text(facts), &visitor, &err),
                     LWB_OK);
    assert_int_equal(rejected.count, 2);
    assert_non_null(strstr(rejected.texts, "4: axiom 'ax' is not allowed"));
    assert_non_null(strstr(rejected.texts, "5: 't' depends on axiom 'ax'"));
    assert_int_equal(visitor.declarations, 4);
    assert_int_equal(visitor.theorems, 2);
    assert_int_equal(visitor.axioms, 1);
}

static void allowed_axioms_are_allowed(void **state)
{
    static const char *const ways[] = { "ax", "*" };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(ways); i++) {
        LWB_AUTO(lwb_strvec_release) struct lwb_strvec allow = { 0 };
        const struct lwb_policy policy = { .allow_axioms = &allow };
        struct rejected rejected = { 0 };
        struct lwb_facts_visitor visitor = { .reject = on_reject, .ctx = &rejected };
        struct lwb_error err;

        lwb_strvec_append(&allow, ways[i]);
        assert_int_equal(lwb_policy_apply_facts(&policy, lwb_bytes_text(facts), &visitor, &err),
                         LWB_OK);
        assert_int_equal(rejected.count, 0);
    }
}

static void only_a_theorem_proves_what_is_expected(void **state)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec expect = { 0 };
    const struct lwb_policy policy = { .expect = &expect };
    struct rejected rejected = { 0 };
    bool found[4] = { false };
    struct lwb_facts_visitor visitor = { .reject = on_reject, .ctx = &rejected, .found = found };
    struct lwb_error err;

    (void)state;
    lwb_strvec_append(&expect, "t");
    lwb_strvec_append(&expect, "f");
    lwb_strvec_append(&expect, "ax");
    lwb_strvec_append(&expect, "none");
    assert_int_equal(lwb_policy_apply_facts(&policy, lwb_bytes_text(facts), &visitor, &err),
                     LWB_OK);
    assert_true(found[0]);
    assert_false(found[1]);
    assert_false(found[2]);
    assert_false(found[3]);
}

static void damaged_facts_are_an_error(void **state)
{
    const struct lwb_policy policy = { 0 };
    struct rejected rejected = { 0 };
    struct lwb_facts_visitor visitor = { .reject = on_reject, .ctx = &rejected };
    struct lwb_error err;

    (void)state;
    assert_int_equal(
        lwb_policy_apply_facts(&policy, lwb_bytes_text("{\"name\":1}\n"), &visitor, &err),
        LWB_ERR_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorry_is_known_by_its_code_and_by_its_words),
        cmocka_unit_test(fail_on_decides_what_fails),
        cmocka_unit_test(axioms_beyond_the_allowed_are_named_with_who_uses_them),
        cmocka_unit_test(allowed_axioms_are_allowed),
        cmocka_unit_test(only_a_theorem_proves_what_is_expected),
        cmocka_unit_test(damaged_facts_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
