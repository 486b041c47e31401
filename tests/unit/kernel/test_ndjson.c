#include "tests/support/test.h"

#include "child/kernel/kernel.h"

/* One line after the meta record and two good ones: the verdict and what it says. */
#define META "{\"meta\":{\"format\":{\"version\":\"3.1.0\"}}}\n"
#define NAME "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"a\"}}\n"
#define PROP "{\"ie\":0,\"sort\":0}\n"
#define AXIOM(type)                                                                                \
    "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":1,\"type\":" type "}}\n"

static enum lwb_kernel_verdict load(const char *text, struct lwb_kernel_summary *summary)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    struct lwb_kernel_limits limits = { 0 };
    struct lwb_kernel_request request = { .threads = 1 };
    struct lwb_error err;

    assert_int_equal(lwb_kernel_open(&kernel, &limits, &err), LWB_OK);
    if (lwb_kernel_load(kernel, lwb_bytes_text(text), summary) == LWB_KERNEL_ACCEPT)
        (void)lwb_kernel_check(kernel, &request, summary);
    return summary->verdict;
}

static const struct {
    const char *text;
    enum lwb_kernel_verdict verdict;
    uint32_t line;
    const char *reason;
} cases[] = {
    { "", LWB_KERNEL_MALFORMED, 0, "the file is empty" },
    { META, LWB_KERNEL_MALFORMED, 1, "the file declares nothing" },
    { "{}\n", LWB_KERNEL_MALFORMED, 1, "not an export file: the first line is not a meta record" },
    { "{\"meta\":{}}\n", LWB_KERNEL_MALFORMED, 1, "the meta record names no format version" },
    { "{\"meta\":{\"format\":{\"version\":\"4.0.0\"}}}\n", LWB_KERNEL_DECLINE, 1,
      "format version 4.0.0: only version 3 is known" },
    { "2.0.0\n", LWB_KERNEL_DECLINE, 1, "the text format 2.0.0 is not read; export as NDJSON 3.1" },
    { META NAME PROP AXIOM("0"), LWB_KERNEL_ACCEPT, 0, "" },
    { META NAME PROP "\n" AXIOM("0"), LWB_KERNEL_ACCEPT, 0, "" },
    { META " { \"in\" : 1 , \"str\" : { \"str\" : \"a\" , \"pre\" : 0 } } \r\n" PROP AXIOM("0"),
      LWB_KERNEL_ACCEPT, 0, "" },
    { META NAME PROP
      "{\"ie\":1,\"mdata\":{\"expr\":0,\"data\":{\"x\":[1,-2.5e3,null,\"\"]}}}\n" AXIOM("1"),
      LWB_KERNEL_ACCEPT, 0, "" },
    { META NAME NAME, LWB_KERNEL_MALFORMED, 3, "name 1 is defined twice" },
    { META "{\"in\":0,\"str\":{\"pre\":0,\"str\":\"a\"}}\n", LWB_KERNEL_MALFORMED, 2,
      "name 0 is defined twice" },
    { META PROP AXIOM("0"), LWB_KERNEL_MALFORMED, 3, "name 1 is not defined" },
    { META NAME AXIOM("0"), LWB_KERNEL_MALFORMED, 3, "expression 0 is not defined" },
    { META NAME "{\"ie\":0,\"sort\":0,\"ie\":1}\n", LWB_KERNEL_MALFORMED, 3,
      "a line with two indices" },
    { META NAME "{\"ie\":0,\"app\":{\"fn\":0,\"fn\":0}}\n", LWB_KERNEL_MALFORMED, 3,
      "expression 0 is not defined" },
    { META "{\"in\":1,\"str\":{\"pre\":0,\"pre\":0}}\n", LWB_KERNEL_MALFORMED, 2,
      "the key \"pre\" stands there twice" },
    { META "{\"in\":1,\"str\":{\"pre\":0}}\n", LWB_KERNEL_MALFORMED, 2, "a name lacks a member" },
    { META "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"a\"}} x\n", LWB_KERNEL_MALFORMED, 2,
      "text behind the record" },
    { META "{\"in\":01,\"str\":{\"pre\":0,\"str\":\"a\"}}\n", LWB_KERNEL_MALFORMED, 2,
      "a number with a leading zero" },
    { META "{\"in\":1.0,\"str\":{\"pre\":0,\"str\":\"a\"}}\n", LWB_KERNEL_MALFORMED, 2,
      "a number that is not a natural number" },
    { META "{\"in\":18446744073709551616,\"str\":{\"pre\":0,\"str\":\"a\"}}\n", LWB_KERNEL_DECLINE,
      2, "a number beyond 64 bits" },
    { META "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"\\ud800\"}}\n", LWB_KERNEL_MALFORMED, 2,
      "half of a surrogate pair" },
    { META "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"\xff\"}}\n", LWB_KERNEL_MALFORMED, 2,
      "a string is not UTF-8" },
    { META "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"a", LWB_KERNEL_MALFORMED, 2,
      "a string that does not end" },
    { META "{\"ie\":0,\"natVal\":\"012\"}\n", LWB_KERNEL_MALFORMED, 2,
      "a literal that is no natural number" },
    { META "{\"ie\":0,\"natVal\":\"\"}\n", LWB_KERNEL_MALFORMED, 2,
      "a literal that is no natural number" },
    { META "{\"ie\":0,\"novelty\":1}\n", LWB_KERNEL_DECLINE, 2, "an unknown record \"novelty\"" },
    { META NAME PROP "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":1,\"type\":0,"
                     "\"colour\":1}}\n",
      LWB_KERNEL_DECLINE, 4, "an unknown key \"colour\"" },
    { META "{\"ie\":0,\"bvar\":70000}\n", LWB_KERNEL_DECLINE, 2, "more than 8191 nested binders" },
    { META "{\"ie\":0}\n", LWB_KERNEL_MALFORMED, 2, "a line without a record" },
    { META NAME "{\"in\":2,\"sort\":0}\n", LWB_KERNEL_MALFORMED, 3, "a record without its index" },
    { META META, LWB_KERNEL_MALFORMED, 2, "a meta record that is not on the first line" },
};

static void lines_are_read_strictly(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_kernel_summary summary;

        assert_int_equal(load(cases[i].text, &summary), cases[i].verdict);
        assert_string_equal(summary.reason, cases[i].reason);
        assert_int_equal(summary.line, cases[i].line);
    }
}

static void a_kernel_is_used_once(void **state)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    struct lwb_kernel_limits limits = { 0 };
    struct lwb_kernel_request request = { .threads = 1 };
    struct lwb_kernel_summary summary;
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_kernel_open(&kernel, &limits, &err), LWB_OK);
    (void)memset(&summary, 0, sizeof(summary));
    assert_int_equal(lwb_kernel_check(kernel, &request, &summary), LWB_KERNEL_DECLINE);
    assert_int_equal(lwb_kernel_load(kernel, lwb_bytes_text(META NAME PROP AXIOM("0")), &summary),
                     LWB_KERNEL_ACCEPT);
    assert_int_equal(lwb_kernel_check(kernel, &request, &summary), LWB_KERNEL_ACCEPT);
    assert_int_equal(lwb_kernel_check(kernel, &request, &summary), LWB_KERNEL_DECLINE);
    assert_int_equal(lwb_kernel_load(kernel, lwb_bytes_text(META), &summary), LWB_KERNEL_DECLINE);
}

static int count_axioms(void *ctx, const struct lwb_kernel_row *row)
{
    *(size_t *)ctx += row->n_axioms;
    return 1; /* enough */
}

static void a_sink_that_says_stop_is_no_verdict(void **state)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    struct lwb_kernel_limits limits = { 0 };
    size_t axioms = 0;
    struct lwb_kernel_request request = { .threads = 1, .row = count_axioms, .ctx = &axioms };
    struct lwb_kernel_summary summary;
    struct lwb_error err;

    (void)state;
    assert_int_equal(lwb_kernel_open(&kernel, &limits, &err), LWB_OK);
    assert_int_equal(lwb_kernel_load(kernel, lwb_bytes_text(META NAME PROP AXIOM("0")), &summary),
                     LWB_KERNEL_ACCEPT);
    assert_int_equal(lwb_kernel_check(kernel, &request, &summary), LWB_KERNEL_DECLINE);
    assert_int_equal(axioms, 1);
    assert_true(lwb_bytes_is(lwb_kernel_axiom(kernel, 0), "a"));
    assert_int_equal(lwb_kernel_axiom(kernel, 7).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_strictly),
        cmocka_unit_test(a_kernel_is_used_once),
        cmocka_unit_test(a_sink_that_says_stop_is_no_verdict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
