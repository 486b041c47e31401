#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <string.h>
#include <unistd.h>

#include "lwbuild/base/path.h"

static void imports_come_before_those_who_import(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_plan_module *c;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "P/A.lean", "import P.B\nimport P.C\n");
    scratch_write(&f->scratch, "P/B.lean", "import P.C\n");
    scratch_write(&f->scratch, "P/C.lean", "theorem t : True := trivial\n");
    plan_fixture_target(f, "P.A");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "P.C P.B P.A");
    c = lwb_plan_module(f->plan, 0);
    assert_false(c->listed);
    assert_true(c->imported);
    assert_string_equal(c->label, "P/C.lean");
    assert_string_equal(c->source_root, f->scratch.dir);
    assert_string_equal(c->path, scratch_path(&f->scratch, "P/C.lean"));
    assert_int_equal(lwb_plan_module(f->plan, 2)->n_imports, 2);
    assert_int_equal(lwb_plan_module(f->plan, 2)->imports[0], 1);
    assert_int_equal(lwb_plan_module(f->plan, 2)->imports[1], 0);
    assert_true(lwb_plan_module(f->plan, 2)->listed);
    assert_false(lwb_plan_module(f->plan, 2)->imported);
}

static void a_file_without_a_project_is_named_after_its_stem(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "d/my-file.lean", "");
    scratch_write(&f->scratch, "X.lean", "");
    scratch_write(&f->scratch, "d/X.lean", "");
    plan_fixture_target(f, "d/my-file.lean");
    plan_fixture_target(f, "X.lean");
    plan_fixture_target(f, "d/X.lean");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "«my-file» X X");
    assert_string_equal(lwb_plan_module(f->plan, 0)->label, "d/my-file.lean");
    assert_string_equal(lwb_plan_module(f->plan, 0)->source_root, f->scratch.dir);
}

static void a_file_that_is_imported_has_the_name_it_is_imported_by(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "d/X.lean", "");
    scratch_write(&f->scratch, "Y.lean", "import d.X\n");
    plan_fixture_target(f, "d/X.lean");
    plan_fixture_target(f, "Y.lean");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "d.X Y");
}

static void files_in_a_project_get_their_names_from_its_roots(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A/B.lean", "");
    scratch_write(&f->scratch, "gen/G/C.lean", "import A.B\n");
    assert_int_equal(lwb_strvec_append(&f->source_roots, "gen"), 0);
    plan_fixture_target(f, "./gen/G/C.lean");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B G.C");
    assert_string_equal(lwb_plan_module(f->plan, 1)->label, "G/C.lean");
    assert_string_equal(lwb_plan_module(f->plan, 1)->source_root, scratch_path(&f->scratch, "gen"));
}

static void a_folder_without_a_lakefile_is_taken_whole(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "B.lean", "");
    scratch_write(&f->scratch, "A/Z.lean", "");
    scratch_write(&f->scratch, "A/C.lean", "import B\n");
    scratch_write(&f->scratch, ".git/X.lean", "");
    scratch_write(&f->scratch, "build/X.lean", "");
    scratch_write(&f->scratch, "lake-packages/X.lean", "");
    scratch_write(&f->scratch, "A/notes.txt", "");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "B A.C A.Z");
}

static void globs_and_folders_are_listed_in_a_stable_order(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "A/B.lean", "");
    scratch_write(&f->scratch, "A/B/C.lean", "");
    scratch_write(&f->scratch, "AB.lean", "");
    plan_fixture_target(f, "A.*");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A A.B.C A.B");
    lwb_strvec_release(&f->targets);
    plan_fixture_target(f, "A.+");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B.C A.B");
    lwb_strvec_release(&f->targets);
    plan_fixture_target(f, "A/B/");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B.C");
    lwb_strvec_release(&f->targets);
    plan_fixture_target(f, ".");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B.C A.B A AB");
}

static void a_link_in_a_circle_is_not_followed_for_ever(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A/B.lean", "");
    assert_int_equal(symlink("..", scratch_path(&f->scratch, "A/up")), 0);
    assert_int_equal(symlink("nowhere", scratch_path(&f->scratch, "A/gone.lean")), 0);
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B");
}

static void equal_imports_share_a_batch(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_plan_batch *batch;

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "B.lean", "import A");
    scratch_write(&f->scratch, "C.lean", "import A\ndef x := 1");
    scratch_write(&f->scratch, "D.lean", "module\npublic import A");
    scratch_write(&f->scratch, "E.lean", "import A\nimport B");
    scratch_write(&f->scratch, "F.lean", "import B\nimport A");
    scratch_write(&f->scratch, "G.lean", "prelude\nimport A");
    plan_fixture_make(f);
    assert_int_equal(lwb_plan_batch_count(f->plan), 6);
    batch = lwb_plan_batch(f->plan, lwb_plan_module(f->plan, plan_fixture_find(f, "B"))->batch);
    assert_int_equal(batch->n_modules, 2);
    assert_int_equal(batch->imports->count, 1);
    assert_string_equal(batch->imports->items[0], "A");
    assert_null(batch->imports->items[1]);
    assert_int_equal(batch->modules[1], plan_fixture_find(f, "C"));
    batch = lwb_plan_batch(f->plan, lwb_plan_module(f->plan, plan_fixture_find(f, "D"))->batch);
    assert_string_equal(batch->imports->items[0], "public A");
    assert_true(batch->module_system);
    batch = lwb_plan_batch(f->plan, lwb_plan_module(f->plan, plan_fixture_find(f, "G"))->batch);
    assert_true(batch->prelude);
}

static void exports_are_modules_of_the_kernel_host(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_plan_batch *batch;

    scratch_write(&f->scratch, "e/one.ndjson", "{}\n");
    scratch_write(&f->scratch, "two.ndjson", "{}\n");
    f->config.host = "auto";
    plan_fixture_target(f, "e/one.ndjson");
    plan_fixture_target(f, "two.ndjson");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "e/one.ndjson two.ndjson");
    assert_int_equal(lwb_plan_batch_count(f->plan), 1);
    batch = lwb_plan_batch(f->plan, 0);
    assert_string_equal(batch->host, "kernel");
    assert_int_equal(batch->n_modules, 2);
    assert_int_equal(batch->imports->count, 0);
    assert_string_equal(lwb_plan_module(f->plan, 0)->label, "e/one.ndjson");
}

static void foreign_modules_are_found_on_the_search_path(void **state)
{
    struct plan_fixture *f = *state;
    const struct lwb_plan_module *module;

    scratch_write(&f->scratch, "one/Lib/A.olean", "a");
    scratch_write(&f->scratch, "two/Lib/A.olean", "other");
    scratch_write(&f->scratch, "two/Init.olean", "init");
    scratch_write(&f->scratch, "X.lean", "import Lib.A\nimport Lib.A\n");
    assert_int_equal(lwb_strvec_append(&f->import_paths, "one"), 0);
    assert_int_equal(lwb_strvec_append(&f->import_paths, "two"), 0);
    plan_fixture_target(f, "X.lean");
    plan_fixture_make(f);
    module = lwb_plan_module(f->plan, 0);
    assert_int_equal(module->n_external, 2);
    assert_string_equal(module->external[0], scratch_path(&f->scratch, "two/Init.olean"));
    assert_string_equal(module->external[1], scratch_path(&f->scratch, "one/Lib/A.olean"));
    assert_int_equal(lwb_plan_search_path(f->plan)->count, 2);
}

struct seen {
    const char *path;
    enum lwb_witness kind;
    unsigned count;
};

static void note_witness(void *ctx, const struct lwb_plan_witness *witness)
{
    struct seen *seen = ctx;

    for (; seen->path; seen++)
        seen->count +=
            witness->kind == seen->kind && lwb_path_has_suffix(witness->path, seen->path);
}

static void what_was_looked_at_is_told(void **state)
{
    struct plan_fixture *f = *state;
    struct seen seen[] = {
        { "/P/A.lean", LWB_WITNESS_MODULE, 0 }, { "/P/B.lean", LWB_WITNESS_MODULE, 0 },
        { "/P", LWB_WITNESS_FOLDER, 0 },        { "/gen/P/B.lean", LWB_WITNESS_ABSENT, 0 },
        { "/Init", LWB_WITNESS_ABSENT, 0 },     { NULL, 0, 0 },
    };

    scratch_write(&f->scratch, "lean-toolchain", "x\n");
    scratch_write(&f->scratch, "P/A.lean", "import P.B\n");
    scratch_write(&f->scratch, "P/B.lean", "");
    scratch_write(&f->scratch, "gen/P/C.lean", "");
    assert_int_equal(lwb_strvec_append(&f->source_roots, "gen"), 0);
    plan_fixture_target(f, "P/A.lean");
    plan_fixture_target(f, "P/");
    plan_fixture_make(f);
    lwb_plan_witnesses(f->plan, note_witness, seen);
    for (size_t i = 0; seen[i].path; i++) {
        print_message("%s\n", seen[i].path);
        assert_true(seen[i].count > 0);
    }
    assert_int_equal(seen[0].count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plan_fixture_setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(imports_come_before_those_who_import),
        TEST(a_file_without_a_project_is_named_after_its_stem),
        TEST(a_file_that_is_imported_has_the_name_it_is_imported_by),
        TEST(files_in_a_project_get_their_names_from_its_roots),
        TEST(a_folder_without_a_lakefile_is_taken_whole),
        TEST(globs_and_folders_are_listed_in_a_stable_order),
        TEST(a_link_in_a_circle_is_not_followed_for_ever),
        TEST(equal_imports_share_a_batch),
        TEST(exports_are_modules_of_the_kernel_host),
        TEST(foreign_modules_are_found_on_the_search_path),
        TEST(what_was_looked_at_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
