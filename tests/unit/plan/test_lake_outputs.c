#include "tests/support/test.h"

#include <string.h>

#include "lwbuild/plan/lake_outputs.h"
#include "lwbuild/plan/lake_trace.h"

/* What a trace says of the artifacts of a module, in the notations of the years. */

static int read_trace(struct lwb_lake_outputs *out, const char *trace)
{
    struct lwb_error err;

    return lwb_lake_outputs_read(out, lwb_bytes_text(trace), &err);
}

static int read_outputs(struct lwb_lake_outputs *out, const char *outputs)
{
    char trace[2000];

    (void)snprintf(trace, sizeof(trace),
                   "{\"synthetic\": true, \"schemaVersion\": \"2025-09-10\",\n"
                   " \"outputs\": %s, \"depHash\": \"0123456789abcdef\"}",
                   outputs);
    return read_trace(out, trace);
}

static void names_of_files_are_taken_as_they_are(void **state)
{
    struct lwb_lake_outputs out;

    (void)state;
    assert_int_equal(read_outputs(&out, "{\"o\": [\"0123456789abcdef.olean\"], \"i\": \"x\"}"), 1);
    assert_string_equal(out.names[LWB_LAKE_OLEAN], "0123456789abcdef.olean");
    assert_string_equal(out.names[LWB_LAKE_SERVER], "");
    assert_string_equal(out.names[LWB_LAKE_IR], "");
    assert_int_equal(read_outputs(&out, "{\"m\": true, \"o\": [\"00000000000000aa.olean\","
                                        "\"00000000000000ab.olean.server\","
                                        "\"00000000000000ac.olean.private\"],"
                                        "\"rs\": \"00000000000000ad.ir.sig\","
                                        "\"r\": \"00000000000000ae.ir\", \"b\": null,"
                                        "\"l\": \"00000000000000af.ltar\"}"),
                     1);
    assert_string_equal(out.names[LWB_LAKE_SERVER], "00000000000000ab.olean.server");
    assert_string_equal(out.names[LWB_LAKE_PRIVATE], "00000000000000ac.olean.private");
    assert_string_equal(out.names[LWB_LAKE_IR_SIG], "00000000000000ad.ir.sig");
    assert_string_equal(out.names[LWB_LAKE_IR], "00000000000000ae.ir");
}

static void hashes_alone_are_names_without_their_extension(void **state)
{
    struct lwb_lake_outputs out;

    (void)state;
    assert_int_equal(read_trace(&out, "{\"depHash\": \"1\", \"outputs\": {\"o\": "
                                      "[\"10246413537216134913\", \"7\"], \"i\": \"5\","
                                      "\"c\": \"6\", \"r\": \"8\"}}"),
                     1);
    assert_string_equal(out.names[LWB_LAKE_OLEAN], "10246413537216134913.olean");
    assert_string_equal(out.names[LWB_LAKE_SERVER], "7.olean.server");
    assert_string_equal(out.names[LWB_LAKE_IR], "8.ir");
}

static void anything_else_says_nothing(void **state)
{
    static const char *const cases[] = {
        "null",
        "{}",
        "[\"0123456789abcdef.olean\"]",
        "\"0123456789abcdef.ltar\"",
        "{\"o\": []}",
        "{\"o\": \"0123456789abcdef.olean\"}",
        "{\"o\": [1234567890123]}",
        "{\"o\": [\"\"]}",
        "{\"o\": [\".olean\"]}",
        "{\"o\": [\"0123456789abcde.olean\"]}",
        "{\"o\": [\"0123456789abcdef0.olean\"]}",
        "{\"o\": [\"0123456789ABCDEF.olean\"]}",
        "{\"o\": [\"0123456789abcdef.olean.server\"]}",
        "{\"o\": [\"0123456789abcdef.art\"]}",
        "{\"o\": [\"../../../../etc/passwd\"]}",
        "{\"o\": [\"0123456789abcdef/x.olean\"]}",
        "{\"o\": [\"123456789012345678901\"]}",
        "{\"o\": [\"1\", \"2\", \"3\", \"4\"]}",
        "{\"o\": [\"1\"], \"r\": \"x\"}",
        "{\"o\": [\"1\"], \"r\": [\"2\"]}",
        "{\"O\": [\"1\"]}",
    };
    struct lwb_lake_outputs out = { .names = { "untouched" } };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        if (read_outputs(&out, cases[i]) != 0)
            fail_msg("%s was understood", cases[i]);
    assert_int_equal(read_trace(&out, "16412883946530287231"), 0);
    assert_int_equal(read_trace(&out, ""), 0);
    assert_int_equal(read_trace(&out, "{\"outputs\": {\"o\": [\"1\"]"), 0);
    assert_int_equal(read_trace(&out, "{\"outputs\": {\"o\": [\"1\"]}} and more"), 0);
    assert_string_equal(out.names[0], "untouched");
}

static void the_hash_of_a_name_is_read_back(void **state)
{
    static const char *const no_names[] = {
        "", "x.olean", "0123456789abcdef", "0123456789abcdeg.olean", "18446744073709551616.olean",
    };
    uint64_t hash = 0;

    (void)state;
    assert_true(lwb_lake_artifact_hash("0123456789abcdef.olean", &hash));
    assert_true(hash == UINT64_C(0x0123456789abcdef));
    assert_true(lwb_lake_artifact_hash("18446744073709551615.olean.server", &hash));
    assert_true(hash == UINT64_MAX);
    for (size_t i = 0; i < LWB_COUNT(no_names); i++)
        assert_false(lwb_lake_artifact_hash(no_names[i], &hash));
}

/* Lake's hash of a text is that of its bytes mixed with the hash of no name. */
static uint64_t as_text(uint64_t hash)
{
    const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);

    hash *= multiplier;
    hash = (hash ^ hash >> 47) ^ multiplier;
    return (1723 ^ hash) * multiplier;
}

/*
 * What Lean 4.29.1 made of these texts stands in test_lake_trace.c; here it is
 * what bytes must give.
 */
static void files_are_hashed_byte_by_byte(void **state)
{
    static const char text[] = "293d5d0c0c3f3dded4688b3ccd6a33939ac5102b";

    (void)state;
    assert_true(as_text(lwb_lake_file_hash(lwb_bytes_text("v4.29.1"))) ==
                UINT64_C(0x3d61e039494cc2df));
    assert_true(as_text(lwb_lake_file_hash(lwb_bytes_text(text))) == UINT64_C(0xa1c6c7aa3e9abfe7));
    for (size_t len = 0; len < sizeof(text); len++)
        assert_true(as_text(lwb_lake_file_hash(lwb_bytes(text, len))) ==
                    lwb_lake_text_hash(lwb_bytes(text, len)));
    assert_true(lwb_lake_file_hash(lwb_bytes_text("a\r\nb")) !=
                lwb_lake_file_hash(lwb_bytes_text("a\nb")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_files_are_taken_as_they_are),
        cmocka_unit_test(hashes_alone_are_names_without_their_extension),
        cmocka_unit_test(anything_else_says_nothing),
        cmocka_unit_test(the_hash_of_a_name_is_read_back),
        cmocka_unit_test(files_are_hashed_byte_by_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
