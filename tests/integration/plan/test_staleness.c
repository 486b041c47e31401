#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/plan/lake_trace.h"
#include "tests/support/fake_olean.h"

/*
 * Packages are taken as they were built, but not when Lake's trace says that
 * they were built from other sources.
 */
static int64_t later(void *ctx)
{
    (void)ctx;
    return lwb_clock_wall_s() + 3600;
}

static int setup(void **state)
{
    struct plan_fixture *f;

    (void)plan_fixture_setup(state);
    f = *state;
    plan_fixture_target(f, "X");
    f->digests.source.now_s = later;
    scratch_write(&f->scratch, "X.lean", "import A.B\n");
    return 0;
}

static void lakefile(struct plan_fixture *f, const char *package)
{
    char text[500];

    (void)snprintf(text, sizeof(text),
                   "name = \"x\"\n[[lean_lib]]\nname = \"X\"\n[[require]]\nname = \"p\"\n%s",
                   package);
    scratch_write(&f->scratch, "lakefile.toml", text);
}

/* <package>/A/B.lean with `text`, and what Lake makes of `compiled`. */
static void package(struct plan_fixture *f, const char *dir, const char *text, const char *compiled)
{
    const struct fake_olean olean = { .layout = LWB_OLEAN_D, .imports = "", .extra = compiled };
    char name[300];
    char trace[1000];

    (void)snprintf(name, sizeof(name), "%s/A/B.lean", dir);
    scratch_write(&f->scratch, name, text);
    (void)snprintf(name, sizeof(name), "%s/.lake/build/lib/A/B.olean", dir);
    fake_olean_write(scratch_path(&f->scratch, name), &olean);
    (void)snprintf(trace, sizeof(trace),
                   "{\"inputs\": [[\"Lean 4.29.1, commit v4.29.1\", \"3d61e039494cc2df\"],"
                   " [\"/elsewhere/A/B.lean\", \"%016" PRIx64 "\"]]}",
                   lwb_lake_text_hash(lwb_bytes_text(compiled)));
    (void)snprintf(name, sizeof(name), "%s/.lake/build/lib/A/B.trace", dir);
    scratch_write(&f->scratch, name, trace);
}

static int try_key(struct plan_fixture *f)
{
    const struct lwb_key_context context = { .host_digest = "00" };
    struct lwb_digest ignored;

    plan_fixture_make(f);
    return lwb_plan_key(&ignored, f->plan, 0, &context, NULL, NULL, &f->err);
}

static void assert_stale(struct plan_fixture *f)
{
    assert_int_equal(try_key(f), LWB_ERR_STALE_IMPORT);
    assert_non_null(strstr(f->err.text, "A.B was built from another source than "));
    assert_non_null(strstr(f->err.text, "A/B.lean is now: build its package again"));
}

static void a_path_dependency_that_was_edited_is_stale(void **state)
{
    struct plan_fixture *f = *state;

    lakefile(f, "path = \"p\"\n");
    package(f, "p", "-- one\n", "-- one\n");
    assert_int_equal(try_key(f), LWB_OK);
    assert_int_equal(try_key(f), LWB_OK);
    assert_true(f->digests.n_recalled > 0); /* the closure was remembered */
    scratch_write(&f->scratch, "p/A/B.lean", "-- two\n");
    assert_stale(f);
    assert_stale(f);
    package(f, "p", "-- two\n", "-- two\n");
    assert_int_equal(try_key(f), LWB_OK);
    scratch_write(&f->scratch, "p/A/B.lean", "-- two\r\n"); /* Lake sees no difference */
    assert_int_equal(try_key(f), LWB_OK);
}

static void a_fetched_package_is_looked_at_after_a_checkout(void **state)
{
    struct plan_fixture *f = *state;

    lakefile(f, "git = \"https://example.org/p\"\n");
    package(f, ".lake/packages/p", "-- one\n", "-- one\n");
    scratch_write(&f->scratch, ".lake/packages/p/.git/HEAD", "1111\n");
    assert_int_equal(try_key(f), LWB_OK);
    scratch_write(&f->scratch, ".lake/packages/p/A/B.lean", "-- two\n");
    scratch_write(&f->scratch, ".lake/packages/p/.git/HEAD", "2222\n");
    assert_stale(f);
}

static void where_sources_lie_is_read_from_the_package(void **state)
{
    struct plan_fixture *f = *state;

    lakefile(f, "path = \"p\"\n");
    package(f, "p", "-- not the source\n", "-- one\n");
    scratch_write(&f->scratch, "p/lakefile.toml", "name = \"p\"\nsrcDir = \"src\"\n");
    scratch_write(&f->scratch, "p/src/A/B.lean", "-- one\n");
    assert_int_equal(try_key(f), LWB_OK);
    scratch_write(&f->scratch, "p/src/A/B.lean", "-- two\n");
    assert_stale(f);
}

static void without_source_or_trace_there_is_nothing_to_compare(void **state)
{
    struct plan_fixture *f = *state;

    lakefile(f, "path = \"p\"\n");
    package(f, "p", "-- two\n", "-- one\n");
    assert_stale(f);
    assert_int_equal(unlink(scratch_path(&f->scratch, "p/A/B.lean")), 0);
    assert_int_equal(try_key(f), LWB_OK);
    scratch_write(&f->scratch, "p/A/B.lean", "-- two\n");
    assert_stale(f);
    scratch_write(&f->scratch, "p/.lake/build/lib/A/B.trace", "16412883946530287231");
    assert_int_equal(try_key(f), LWB_OK);
}

static void a_module_that_only_lakes_cache_has_is_told_so(void **state)
{
    struct plan_fixture *f = *state;
    const struct fake_olean other = { .layout = LWB_OLEAN_D, .imports = "A.C" };

    lakefile(f, "path = \"p\"\n");
    package(f, "p", "-- one\n", "-- one\n");
    assert_int_equal(unlink(scratch_path(&f->scratch, "p/.lake/build/lib/A/B.olean")), 0);
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "keeps it in its artifact cache only");
    fake_olean_write(scratch_path(&f->scratch, "p/.lake/build/lib/A/B.olean"), &other);
    assert_int_equal(try_key(f), LWB_ERR_MISSING_IMPORT);
    assert_null(strstr(f->err.text, "artifact cache"));
    scratch_write(&f->scratch, "p/.lake/build/lib/A/C.trace", "{}");
    assert_int_equal(try_key(f), LWB_ERR_MISSING_IMPORT);
    assert_non_null(strstr(f->err.text, "LAKE_RESTORE_ARTIFACTS=true"));
}

#define STALENESS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STALENESS_TEST(a_path_dependency_that_was_edited_is_stale),
        STALENESS_TEST(a_fetched_package_is_looked_at_after_a_checkout),
        STALENESS_TEST(where_sources_lie_is_read_from_the_package),
        STALENESS_TEST(without_source_or_trace_there_is_nothing_to_compare),
        STALENESS_TEST(a_module_that_only_lakes_cache_has_is_told_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
