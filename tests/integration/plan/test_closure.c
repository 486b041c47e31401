#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"
#include "tests/support/fake_olean.h"

#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lwbuild/base/path.h"

/* What external modules contribute to keys: everything that importing them loads. */

static int setup(void **state)
{
    struct plan_fixture *f;

    (void)plan_fixture_setup(state);
    f = *state;
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib"), 0);
    plan_fixture_target(f, "X.lean");
    return 0;
}

static void olean(struct plan_fixture *f, const char *name, const char *imports, const char *extra)
{
    const struct fake_olean fake = { .layout = LWB_OLEAN_D, .imports = imports, .extra = extra };

    fake_olean_write(scratch_path(&f->scratch, name), &fake);
}

static struct lwb_digest key(struct plan_fixture *f)
{
    plan_fixture_make(f);
    return plan_fixture_key(f, "X");
}

static void fail_key(struct plan_fixture *f, enum lwb_code code, const char *text)
{
    const struct lwb_key_context context = { .host_digest = "00" };
    struct lwb_digest ignored;
    int rc;

    plan_fixture_make(f);
    rc = lwb_plan_key(&ignored, f->plan, 0, &context, NULL, NULL, &f->err);
    assert_int_equal(rc, code);
    if (!strstr(f->err.text, text))
        print_error("%s\n", f->err.text);
    assert_non_null(strstr(f->err.text, text));
}

static void assert_same(struct lwb_digest a, struct lwb_digest b)
{
    assert_int_equal(lwb_digest_compare(&a, &b), 0);
}

static void assert_other(struct lwb_digest a, struct lwb_digest b)
{
    assert_int_not_equal(lwb_digest_compare(&a, &b), 0);
}

static void make_small_world(struct plan_fixture *f)
{
    olean(f, "lib/A.olean", "B C.D", NULL);
    olean(f, "lib/B.olean", "C.D", NULL);
    olean(f, "lib/C/D.olean", "", NULL);
    olean(f, "lib/Other.olean", "", NULL);
    scratch_write(&f->scratch, "X.lean", "import A\n");
}

static void any_file_of_the_closure_changes_the_key(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    assert_same(before, key(f));
    olean(f, "lib/C/D.olean", "", "changed");
    assert_other(before, key(f));
    olean(f, "lib/C/D.olean", "", NULL);
    assert_same(before, key(f));
    olean(f, "lib/B.olean", "C.D", "changed");
    assert_other(before, key(f));
}

static void files_outside_of_the_closure_do_not(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    olean(f, "lib/Other.olean", "", "changed");
    olean(f, "lib/New.olean", "", NULL);
    assert_same(before, key(f));
}

static void where_the_files_lie_does_not_matter(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    assert_int_equal(rename(scratch_path(&f->scratch, "lib"), scratch_path(&f->scratch, "lib2")),
                     0);
    lwb_strvec_release(&f->import_paths);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib2"), 0);
    assert_same(before, key(f));
}

static void a_file_that_shadows_another_counts(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    lwb_strvec_release(&f->import_paths);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "first"), 0);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib"), 0);
    assert_same(before, key(f));
    olean(f, "first/C/D.olean", "", "shadow");
    assert_other(before, key(f));
}

static void the_parts_of_a_module_count(void **state)
{
    static const char *const parts[] = { "lib/B.olean.private", "lib/B.olean.server", "lib/B.ir",
                                         "lib/B.ir.sig" };
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    for (size_t i = 0; i < LWB_COUNT(parts); i++) {
        scratch_write(&f->scratch, parts[i], "part");
        assert_other(before, key(f));
        assert_int_equal(unlink(scratch_path(&f->scratch, parts[i])), 0);
    }
    assert_same(before, key(f));
}

static void what_cannot_be_read_might_load_anything(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    scratch_write(&f->scratch, "lib/B.olean", "what is this");
    before = key(f);
    assert_same(before, key(f));
    olean(f, "lib/Other.olean", "", "changed");
    assert_other(before, key(f));
}

static void a_missing_file_of_the_closure_names_who_asks(void **state)
{
    struct plan_fixture *f = *state;

    make_small_world(f);
    assert_int_equal(unlink(scratch_path(&f->scratch, "lib/C/D.olean")), 0);
    fail_key(f, LWB_ERR_MISSING_IMPORT, "/lib/A.olean: imports C.D, for which there is no .olean");
}

static void files_that_import_each_other_are_an_error(void **state)
{
    struct plan_fixture *f = *state;

    make_small_world(f);
    olean(f, "lib/C/D.olean", "B", NULL);
    fail_key(f, LWB_ERR_CYCLE, "import each other");
    /* And once they do not any more, there is a key. */
    olean(f, "lib/C/D.olean", "", NULL);
    (void)key(f);
}

static void a_file_of_another_lean_is_stale(void **state)
{
    struct plan_fixture *f = *state;
    char prefix[300];
    const struct lwb_toolchain toolchain = { .prefix = prefix };
    struct fake_olean other = {
        .layout = LWB_OLEAN_D,
        .imports = "",
        .version = "4.19.0",
        .githash = "1111111111111111111111111111111111111111",
    };

    make_small_world(f);
    (void)snprintf(prefix, sizeof(prefix), "%s", scratch_path(&f->scratch, "tc"));
    olean(f, "tc/lib/lean/Init.olean", "", NULL);
    f->config.toolchain = &toolchain;
    (void)key(f);
    fake_olean_write(scratch_path(&f->scratch, "lib/C/D.olean"), &other);
    fail_key(f, LWB_ERR_STALE_IMPORT,
             "C.D was built by another Lean (4.19.0, commit 111111111111) than the one in use");
    other.layout = LWB_OLEAN_B;
    fake_olean_write(scratch_path(&f->scratch, "lib/C/D.olean"), &other);
    fail_key(f, LWB_ERR_STALE_IMPORT, "C.D was built by another Lean (commit unknown)");
}

/* ---- memory ---- */

static int64_t much_later(void *ctx)
{
    (void)ctx;
    return (int64_t)time(NULL) + 1000;
}

static void an_unchanged_world_is_not_read_again(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    f->digests.source.now_s = much_later;
    before = key(f);
    assert_int_equal(f->digests.n_files, 3 + 3 * 4);
    f->digests.n_files = 0;
    assert_same(before, key(f));
    assert_int_equal(f->digests.n_files, 0);
    assert_int_equal(f->digests.n_recalled, 1);
    olean(f, "lib/C/D.olean", "", "changed");
    assert_other(before, key(f));
    assert_true(f->digests.n_files > 0);
}

/* It may refuse what the other one had made. */
static void another_toolchain_is_asked_anew(void **state)
{
    struct plan_fixture *f = *state;
    char prefix[300];
    struct lwb_toolchain toolchain = { .prefix = prefix };
    const struct fake_olean other = {
        .layout = LWB_OLEAN_D,
        .imports = "",
        .githash = "1111111111111111111111111111111111111111",
    };

    make_small_world(f);
    (void)snprintf(prefix, sizeof(prefix), "%s", scratch_path(&f->scratch, "tc"));
    olean(f, "tc/lib/lean/Init.olean", "", NULL);
    f->config.toolchain = &toolchain;
    f->digests.source.now_s = much_later;
    (void)key(f);
    assert_true(f->digests.n_memory > 0);
    fake_olean_write(scratch_path(&f->scratch, "tc/lib/lean/Init.olean"), &other);
    toolchain.identity.bytes[0] = 1;
    fail_key(f, LWB_ERR_STALE_IMPORT, "was built by another Lean");
}

static void an_edit_with_its_time_put_back_is_seen(void **state)
{
    struct plan_fixture *f = *state;
    struct timespec times[2];
    struct lwb_digest before;
    struct stat st;

    make_small_world(f);
    olean(f, "lib/C/D.olean", "", "one");
    f->digests.source.now_s = much_later;
    before = key(f);
    assert_int_equal(stat(scratch_path(&f->scratch, "lib/C/D.olean"), &st), 0);
    olean(f, "lib/C/D.olean", "", "two");
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, scratch_path(&f->scratch, "lib/C/D.olean"), times, 0), 0);
    assert_other(before, key(f));
}

static void a_world_that_was_just_touched_is_not_remembered(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest before;

    make_small_world(f);
    before = key(f);
    assert_int_equal(f->digests.n_memory, 0);
    assert_same(before, key(f));
    assert_int_equal(f->digests.n_recalled, 0);
}

static void one_source_without_memory_gives_the_same_keys(void **state)
{
    struct plan_fixture *f = *state;
    struct lwb_digest with;

    make_small_world(f);
    with = key(f);
    f->digests.source.recall = NULL;
    f->digests.source.remember = NULL;
    assert_same(with, key(f));
}

static void a_deep_closure_needs_no_deep_stack(void **state)
{
    enum { DEPTH = 20000 };
    struct plan_fixture *f = *state;
    char name[32];
    char imports[32];

    for (int i = 0; i < DEPTH; i++) {
        (void)snprintf(name, sizeof(name), "lib/M%d.olean", i);
        imports[0] = '\0';
        if (i)
            (void)snprintf(imports, sizeof(imports), "M%d", i - 1);
        olean(f, name, imports, NULL);
    }
    scratch_write(&f->scratch, "X.lean", "import M19999\n");
    (void)key(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(any_file_of_the_closure_changes_the_key),
        TEST(files_outside_of_the_closure_do_not),
        TEST(where_the_files_lie_does_not_matter),
        TEST(a_file_that_shadows_another_counts),
        TEST(the_parts_of_a_module_count),
        TEST(what_cannot_be_read_might_load_anything),
        TEST(a_missing_file_of_the_closure_names_who_asks),
        TEST(files_that_import_each_other_are_an_error),
        TEST(a_file_of_another_lean_is_stale),
        TEST(an_unchanged_world_is_not_read_again),
        TEST(another_toolchain_is_asked_anew),
        TEST(an_edit_with_its_time_put_back_is_seen),
        TEST(a_world_that_was_just_touched_is_not_remembered),
        TEST(one_source_without_memory_gives_the_same_keys),
        TEST(a_deep_closure_needs_no_deep_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
