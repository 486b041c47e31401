#include "tests/support/test.h"

#include <inttypes.h>

#include "lwbuild/plan/lake_trace.h"

/* Hashes of texts as Lean releases of 4.21 to 4.34 have written them into traces. */
static void texts_are_hashed_as_lake_does(void **state)
{
    static const struct {
        const char *text;
        uint64_t hash;
    } cases[] = {
        { "6741444a63eec253a7eae7a83f1beb3de015023d", UINT64_C(11123825329739276520) },
        { "797c613eb9b6d4ec95db23e3e00af9ac6657f24b", UINT64_C(1165570713881806064) },
        { "2fcce7258eeb6e324366bc25f9058293b04b7547", UINT64_C(0x6f43b597efea5d4c) },
        { "7e01a1bf5c70fc6167d49c345d3bf80596e9a79b", UINT64_C(0xa96bc04a2e5e9630) },
        { "v4.29.1", UINT64_C(0x3d61e039494cc2df) },
        { "293d5d0c0c3f3dded4688b3ccd6a33939ac5102b", UINT64_C(0xa1c6c7aa3e9abfe7) },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        assert_true(lwb_lake_text_hash(lwb_bytes_text(cases[i].text)) == cases[i].hash);
}

static void line_ends_do_not_count(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },
        { "a\nb", "a\r\nb" },
        { "\n", "\r\n" },
        { "0123456\n89012345\n", "0123456\r\n89012345\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(pairs); i++)
        assert_true(lwb_lake_text_hash(lwb_bytes_text(pairs[i][0])) ==
                    lwb_lake_text_hash(lwb_bytes_text(pairs[i][1])));
    assert_true(lwb_lake_text_hash(lwb_bytes_text("a\n")) !=
                lwb_lake_text_hash(lwb_bytes_text("a\r")));
    assert_true(lwb_lake_text_hash(lwb_bytes_text("a\n")) !=
                lwb_lake_text_hash(lwb_bytes_text("a\r\r\n")));
}

static const char source[] = "import Init\n\ntheorem one : 1 = 1 := rfl -- \xCE\xB1\n";

static enum lwb_trace_verdict judge(const char *trace, const char *label, const char *text)
{
    return lwb_lake_trace_judge(lwb_bytes_text(trace), label, lwb_bytes_text(text));
}

/* As Lake writes it; `hash` in the notation of the time. */
static const char *trace_with(const char *lean, const char *caption, const char *hash)
{
    static char trace[2000];

    (void)snprintf(trace, sizeof(trace),
                   "{\"synthetic\": false, \"schemaVersion\": \"2025-09-10\","
                   " \"log\": [{\"message\": \"A/B.lean:1:0: x\", \"level\": \"info\"}],"
                   " \"inputs\": [[\"A.B:deps\", [[\"deps\", [[\"p/p:extraDep\","
                   " [[\"@p:extraDep\", \"00000000000006bb\"]]], [\"imports\", []]]]]],"
                   " [\"Lean 4.29.1, commit v4.29.1\", \"%s\"], [\"%s\", \"%s\"],"
                   " [\"options\", \"00000000000006bb\"]], \"depHash\": \"226a1872e863ddf3\"}",
                   lean, caption, hash);
    return trace;
}

#define LEAN "3d61e039494cc2df"

static void the_source_is_compared(void **state)
{
    uint64_t hash = lwb_lake_text_hash(lwb_bytes_text(source));
    char hex[30];
    char decimal[30];

    (void)state;
    (void)snprintf(hex, sizeof(hex), "%016" PRIx64, hash);
    (void)snprintf(decimal, sizeof(decimal), "%" PRIu64, hash);
    assert_int_equal(judge(trace_with(LEAN, "/x/src/A/B.lean", hex), "A/B.lean", source),
                     LWB_TRACE_CURRENT);
    assert_int_equal(
        judge(trace_with("4423062845702062815", "/x/A/B.lean", decimal), "A/B.lean", source),
        LWB_TRACE_CURRENT);
    assert_int_equal(judge(trace_with(LEAN, "/x/src/A/B.lean", hex), "A/B.lean", "other"),
                     LWB_TRACE_STALE);
    assert_int_equal(judge(trace_with(LEAN, "/x/src/A/B.lean", hex), "A/B.lean", ""),
                     LWB_TRACE_STALE);
}

static void what_is_not_understood_says_nothing(void **state)
{
    static const char outputs_only[] =
        "{\"schemaVersion\": \"2025-09-10\", \"depHash\": \"0123456789abcdef\","
        " \"outputs\": {\"i\": \"0123456789abcdef.ilean\", \"o\": [\"0123456789abcdef.olean\"]}}";
    static const char *const traces[] = {
        "",
        "16412883946530287231",
        "{}",
        "{\"log\": [], \"depHash\": \"1688564305187956891\"}",
        outputs_only,
        "{\"inputs\": 1}",
        "{\"inputs\": [1, [], [2, 3], [\"a\"], [\"/A/B.lean\", 4], [\"Lean 4, commit x\", {}]]}",
        "{\"inputs\": [[\"/A/B.lean\", \"1\"]]}", /* no compiler to compare hashes with */
        "{\"inputs\": [",
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(traces); i++)
        assert_int_equal(judge(traces[i], "A/B.lean", source), LWB_TRACE_CANNOT_TELL);
    /* Another Lean that hashes otherwise; another module's source. */
    assert_int_equal(judge(trace_with("3d61e039494cc2de", "/x/A/B.lean", "1"), "A/B.lean", source),
                     LWB_TRACE_CANNOT_TELL);
    assert_int_equal(judge(trace_with(LEAN, "/x/A/C.lean", "1"), "A/B.lean", source),
                     LWB_TRACE_CANNOT_TELL);
    assert_int_equal(judge(trace_with(LEAN, "/x/AA/B.lean", "1"), "A/B.lean", source),
                     LWB_TRACE_CANNOT_TELL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_hashed_as_lake_does),
        cmocka_unit_test(line_ends_do_not_count),
        cmocka_unit_test(the_source_is_compared),
        cmocka_unit_test(what_is_not_understood_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
