/* What is known of a capability before anything is started. */
#include "tests/support/test.h"

#include <string.h>
#include <unistd.h>

#include "lwbuild/base/digest.h"
#include "lwbuild/base/json.h"
#include "lwbuild/session/capability_preflight.h"
#include "tests/support/scratch.h"

/* A library, a toolchain's header, and the digests of both. */
struct place {
    struct scratch scratch;
    char library[LWB_DIGEST_HEX + 1];
    char header[LWB_DIGEST_HEX + 1];
};

static void write_and_digest(struct place *place, const char *name, char hex[LWB_DIGEST_HEX + 1])
{
    struct lwb_digest digest;
    struct lwb_error err;

    scratch_write(&place->scratch, name, name);
    assert_int_equal(lwb_digest_file(&digest, scratch_path(&place->scratch, name), &err), LWB_OK);
    lwb_digest_hex(&digest, hex);
}

static int setup(void **state)
{
    static struct place place;

    scratch_make(&place.scratch);
    write_and_digest(&place, "libx.so", place.library);
    write_and_digest(&place, "lean/include/lean/lean.h", place.header);
    *state = &place;
    return 0;
}

static int teardown(void **state)
{
    scratch_remove(&((struct place *)*state)->scratch);
    return 0;
}

/* Writes a manifest with the usual members, `more` behind them: of equal keys the first counts. */
static const char *write_manifest(struct place *place, const char *first)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 16);

    lwb_buf_format(&text,
                   "{%s\"schema\":1,\"abi\":1,\"name\":\"x\",\"version\":\"2\",\"library\":"
                   "\"libx.so\",\"digest\":\"%s\",\"toolchain\":{\"prefix\":\"%s/lean\","
                   "\"version\":\"Lean (version 4.9.0)\",\"lean_h\":\"%s\"},"
                   "\"commands\":[\"a\",\"b\"],\"streams\":[\"s\"]}",
                   first, place->library, place->scratch.dir, place->header);
    scratch_write(&place->scratch, "x.json", lwb_buf_text(&text));
    return scratch_path(&place->scratch, "x.json");
}

struct heard {
    unsigned findings;
    enum lwb_preflight_severity worst;
    char text[1024];
};

static void on_finding(void *ctx, const struct lwb_preflight_finding *finding)
{
    struct heard *heard = ctx;

    heard->findings++;
    if (finding->severity > heard->worst)
        heard->worst = finding->severity;
    (void)snprintf(heard->text, sizeof(heard->text), "%s: %s", finding->code, finding->message);
}

static void expect_failure(const struct lwb_preflight *preflight, const char *code,
                           const char *words)
{
    struct lwb_error err = { .code = LWB_OK };

    assert_int_equal(lwb_capability_preflight(preflight, &err), LWB_ERR_BOOTSTRAP);
    if (strcmp(err.facts.child_code, code) != 0 || !strstr(err.text, words))
        print_error("%s: %s\n", err.facts.child_code, err.text);
    assert_string_equal(err.facts.child_code, code);
    assert_non_null(strstr(err.text, words));
}

static void a_whole_one_is_described(void **state)
{
    struct heard heard = { 0 };
    struct lwb_preflight preflight = {
        .path = write_manifest(*state, ""), .command = "b", .found = on_finding, .ctx = &heard
    };
    struct lwb_error err;

    assert_int_equal(lwb_capability_preflight(&preflight, &err), LWB_OK);
    assert_int_equal(heard.findings, 1);
    assert_string_equal(heard.text, "capability-found: x 2; commands a, b; streams s");
    preflight.path = scratch_path(&((struct place *)*state)->scratch, "libx.so");
    assert_int_equal(lwb_capability_preflight(&preflight, &err), LWB_OK);
}

static void what_is_wrong_has_a_code_and_a_hint(void **state)
{
    static const struct {
        const char *first; /* members */
        const char *code, *words;
    } cases[] = {
        { "\"schema\":2,", "manifest-schema", "has schema 2, this lwbuild knows 1; use the" },
        { "\"schema\":\"1\",", "manifest-malformed", "schema" },
        { "\"abi\":2,", "capability-abi", "has capability ABI 2, this lwbuild 1; build the" },
        { "\"library\":\"liby.so\",", "library-missing", "liby.so; build it; library and" },
        { "\"library\":1,", "manifest-malformed", "library" },
        { "\"digest\":\"12\",", "manifest-malformed", "64 hexadecimal digits" },
        { "\"library\":\"x.json\",", "library-changed", "is not the library that the" },
        { "\"toolchain\":{\"prefix\":\"/nowhere\",\"lean_h\":\"\"},", "toolchain-missing",
          "is not in /nowhere: of unknown version; install it again" },
        { "\"toolchain\":{\"prefix\":\"/nowhere\"},", "manifest-malformed", "lean_h" },
        { "\"toolchain\":1,", "manifest-malformed", "toolchain" },
    };

    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        expect_failure(&(struct lwb_preflight){ .path = write_manifest(*state, cases[i].first) },
                       cases[i].code, cases[i].words);
    scratch_write(&((struct place *)*state)->scratch, "x.json", "{");
    expect_failure(&(struct lwb_preflight){ .path = scratch_path(&((struct place *)*state)->scratch,
                                                                 "x.json") },
                   "manifest-malformed", "build the capability again");
    expect_failure(&(struct lwb_preflight){ .path = "nowhere.json" }, "manifest-unreadable",
                   "build the target that makes it");
    expect_failure(&(struct lwb_preflight){ .path = "nowhere.so" }, "library-missing",
                   "nowhere.so");
}

static void another_lean_in_the_same_place_is_noticed(void **state)
{
    struct place *place = *state;
    struct lwb_preflight preflight = { .path = write_manifest(place, "") };

    scratch_write(&place->scratch, "lean/include/lean/lean.h", "another");
    expect_failure(&preflight, "toolchain-changed", "build the capability again");
    scratch_write(&place->scratch, "lean/include/lean/lean.h", "lean/include/lean/lean.h");
}

static void an_export_that_is_not_there_is_named_beside_those_that_are(void **state)
{
    struct lwb_preflight preflight = { .path = write_manifest(*state, ""), .command = "c" };
    struct lwb_error err;

    expect_failure(&preflight, "export-missing", "there is no command \"c\"; there is a, b");
    preflight.command = "s";
    expect_failure(&preflight, "export-missing", "one of the other kind; call it with --rows");
    preflight.command = "a";
    preflight.is_stream = true;
    expect_failure(&preflight, "export-missing", "one of the other kind; call it without --rows");
    preflight.command = "s";
    assert_int_equal(lwb_capability_preflight(&preflight, &err), LWB_OK);
}

/* All that is wrong is said at once, and the first of it is the error. */
static void checking_goes_on(void **state)
{
    struct heard heard = { 0 };
    struct lwb_preflight preflight = { .command = "c", .found = on_finding, .ctx = &heard };

    preflight.path = write_manifest(*state, "\"abi\":7,\"library\":\"gone.so\",");
    expect_failure(&preflight, "capability-abi", "ABI 7");
    assert_int_equal(heard.findings, 3);
    assert_int_equal(heard.worst, LWB_PREFLIGHT_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_one_is_described),
        cmocka_unit_test(what_is_wrong_has_a_code_and_a_hint),
        cmocka_unit_test(another_lean_in_the_same_place_is_noticed),
        cmocka_unit_test(an_export_that_is_not_there_is_named_beside_those_that_are),
        cmocka_unit_test(checking_goes_on),
    };

    lwb_json_init();
    return cmocka_run_group_tests(tests, setup, teardown);
}
