#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static void a_cycle_names_its_path(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A.lean", "import B\n");
    scratch_write(&f->scratch, "B.lean", "import C\n");
    scratch_write(&f->scratch, "C.lean", "import B\n");
    plan_fixture_fail(f, LWB_ERR_CYCLE, "import cycle: B -> C -> B");
}

static void a_module_that_imports_itself_is_a_cycle(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "import A\n");
    plan_fixture_target(f, "A.lean");
    plan_fixture_fail(f, LWB_ERR_CYCLE, "import cycle: A -> A");
}

static void a_long_cycle_fits_in_one_line(void **state)
{
    struct plan_fixture *f = *state;
    char name[32];
    char text[64];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "M%d.lean", i);
        (void)snprintf(text, sizeof(text), "import M%d\n", (i + 1) % 40);
        scratch_write(&f->scratch, name, text);
    }
    plan_fixture_target(f, "M0.lean");
    plan_fixture_fail(f, LWB_ERR_CYCLE,
                      "M0 -> M1 -> M2 -> M3 -> M4 -> ... 30 more ... -> M35 -> M36 -> M37 -> "
                      "M38 -> M39 -> M0");
}

static void a_missing_import_names_who_asks_and_where_it_was_looked_for(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "import B\n\nimport X.Y\n");
    scratch_write(&f->scratch, "B.lean", "");
    scratch_write(&f->scratch, "lib/Z.olean", "");
    assert_int_equal(lwb_strvec_append(&f->import_paths, "lib"), 0);
    plan_fixture_target(f, "A.lean");
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "A.lean:3: imports X.Y: no X/Y.lean in ");
    assert_non_null(strstr(f->err.text, ", no X/Y.olean in "));
    assert_non_null(strstr(f->err.text, "/lib"));
}

static void the_first_entry_that_holds_the_prefix_is_the_only_one(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "one/Lib/A.olean", "a");
    scratch_write(&f->scratch, "two/Lib/B.olean", "b");
    scratch_write(&f->scratch, "X.lean", "import Lib.B\n");
    assert_int_equal(lwb_strvec_append(&f->import_paths, "one"), 0);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "two"), 0);
    plan_fixture_target(f, "X.lean");
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "/one, which holds Lib");
}

static void lean_without_init_is_an_error(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_toolchain toolchain = { .prefix = (char *)"/nonexistent" };

    scratch_write(&f->scratch, "A.lean", "");
    plan_fixture_target(f, "A.lean");
    f->config.host = "auto";
    plan_fixture_fail(f, LWB_ERR_NO_TOOLCHAIN, "A.lean needs a Lean toolchain");
    f->config.toolchain = &toolchain;
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "imports Init: ");
}

static void no_project_and_no_file_is_an_error(void **state)
{
    struct plan_fixture *f = *state;

    plan_fixture_fail(f, LWB_ERR_NO_PROJECT, "no lakefile.lean, lakefile.toml or lean-toolchain");
    f->config.project = "nowhere";
    plan_fixture_fail(f, LWB_ERR_NO_PROJECT, "nowhere");
}

static void nothing_to_check_is_an_error(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    plan_fixture_fail(f, LWB_ERR_NO_MODULES, "there are no modules to check");
    scratch_write(&f->scratch, "A/notes", "");
    plan_fixture_target(f, "A.*");
    plan_fixture_fail(f, LWB_ERR_NO_MODULES, "no module matches A.*");
}

static void names_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *target;
        enum lwb_code code;
        const char *text;
    } cases[] = {
        { "1A", LWB_ERR_MODULE_NAME, "'1A' is not a module name" },
        { "A..B", LWB_ERR_MODULE_NAME, "'A..B' is not a module name" },
        { "A", LWB_ERR_MODULE_NAME, "no module A: no such file" },
        { "A.lean", LWB_ERR_SYSTEM, "A.lean: No such file" },
        { "./notes", LWB_ERR_USAGE, "notes is neither a .lean nor a .ndjson file" },
    };
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "notes", "x\n");
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        lwb_strvec_release(&f->targets);
        plan_fixture_target(f, cases[i].target);
        plan_fixture_fail(f, cases[i].code, cases[i].text);
    }
}

static void one_name_for_two_files_is_an_error(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "gen/A.lean", "");
    assert_int_equal(lwb_strvec_append(&f->source_roots, "gen"), 0);
    plan_fixture_target(f, "A.lean");
    plan_fixture_target(f, "gen/A.lean");
    plan_fixture_fail(f, LWB_ERR_DUPLICATE_MODULE, "module A is both ");
}

static void text_that_is_no_utf8_names_the_line(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "def x := 1\n-- \xFF\n");
    plan_fixture_target(f, "A.lean");
    plan_fixture_fail(f, LWB_ERR_FORMAT, "A.lean:2: not valid UTF-8");
}

static void an_unreadable_file_is_named(void **state)
{
    struct plan_fixture *f = *state;

    if (geteuid() == 0)
        skip(); /* root reads everything */
    scratch_write(&f->scratch, "A.lean", "");
    assert_int_equal(chmod(scratch_path(&f->scratch, "A.lean"), 0), 0);
    plan_fixture_target(f, "A.lean");
    plan_fixture_fail(f, LWB_ERR_SYSTEM, "A.lean: Permission denied");
}

static void an_import_that_leaves_its_root_is_refused(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "import «..».«etc»\n");
    plan_fixture_target(f, "A.lean");
    plan_fixture_fail(f, LWB_ERR_MODULE_NAME, "A.lean:1: «..».«etc» cannot be a module name");
}

static void hosts_take_the_files_they_know(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "A.ndjson", "");
    plan_fixture_target(f, "A.lean");
    f->config.host = "kernel";
    plan_fixture_fail(f, LWB_ERR_USAGE, "the kernel host checks exports (.ndjson) only");
    lwb_strvec_release(&f->targets);
    plan_fixture_target(f, "A.ndjson");
    f->config.host = "lean";
    plan_fixture_fail(f, LWB_ERR_USAGE, "the lean host does not check it");
}

static void an_import_path_with_a_colon_is_refused(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "");
    plan_fixture_target(f, "A.lean");
    assert_int_equal(lwb_strvec_append(&f->import_paths, "a:b"), 0);
    plan_fixture_fail(f, LWB_ERR_USAGE, "import path with a colon");
}

static void more_source_roots_than_can_be_are_refused(void **state)
{
    enum { MOST = 32 };
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "A.lean", "");
    plan_fixture_target(f, "A.lean");
    for (int i = 0; i <= MOST; i++) {
        char folder[16];

        (void)snprintf(folder, sizeof(folder), "roots/%d", i);
        assert_int_equal(lwb_strvec_append(&f->source_roots, folder), 0);
    }
    plan_fixture_fail(f, LWB_ERR_LIMIT, "more than 32 source roots");
}

static void an_unknown_library_is_an_error(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    f->config.library = "Nope";
    plan_fixture_fail(f, LWB_ERR_TARGET, "no library Nope in ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plan_fixture_setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cycle_names_its_path),
        TEST(a_module_that_imports_itself_is_a_cycle),
        TEST(a_long_cycle_fits_in_one_line),
        TEST(a_missing_import_names_who_asks_and_where_it_was_looked_for),
        TEST(the_first_entry_that_holds_the_prefix_is_the_only_one),
        TEST(lean_without_init_is_an_error),
        TEST(no_project_and_no_file_is_an_error),
        TEST(nothing_to_check_is_an_error),
        TEST(names_that_are_none_are_refused),
        TEST(one_name_for_two_files_is_an_error),
        TEST(text_that_is_no_utf8_names_the_line),
        TEST(an_unreadable_file_is_named),
        TEST(an_import_that_leaves_its_root_is_refused),
        TEST(hosts_take_the_files_they_know),
        TEST(an_import_path_with_a_colon_is_refused),
        TEST(more_source_roots_than_can_be_are_refused),
        TEST(an_unknown_library_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
