#include "tests/support/test.h"

#include "tests/integration/plan/plan_fixture.h"

#include <string.h>

#include "lwbuild/base/path.h"

static const struct lwb_plan_batch *batch_of(struct plan_fixture *f, const char *module)
{
    return lwb_plan_batch(f->plan, lwb_plan_module(f->plan, plan_fixture_find(f, module))->batch);
}

static void a_library_is_its_roots_and_what_they_import(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"A\"\n");
    scratch_write(&f->scratch, "A.lean", "import A.B\n");
    scratch_write(&f->scratch, "A/B.lean", "");
    scratch_write(&f->scratch, "A/Unused.lean", "");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A.B A");
    assert_string_equal(batch_of(f, "A")->package, "p");
    assert_string_equal(batch_of(f, "A")->library, "A");
}

static void globs_source_folders_and_options_are_the_librarys(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.lean",
                  "import Lake\nopen Lake DSL\npackage p where\n  srcDir := \"src\"\n"
                  "  leanOptions := #[⟨`autoImplicit, false⟩]\n"
                  "lean_lib A where\n  globs := #[.andSubmodules `A]\n"
                  "lean_lib B where\n  srcDir := \"b\"\n  moreLeanArgs := #[\"-Dx=1\"]\n"
                  "lean_exe tool where\n  root := `Main\n");
    scratch_write(&f->scratch, "src/A.lean", "");
    scratch_write(&f->scratch, "src/A/X.lean", "import B\n");
    scratch_write(&f->scratch, "src/b/B.lean", "");
    scratch_write(&f->scratch, "src/Main.lean", "import A\n");
    assert_int_equal(lwb_strvec_append(&f->options, "y=2"), 0);
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A B A.X");
    assert_string_equal(batch_of(f, "A.X")->source_root, scratch_path(&f->scratch, "src"));
    assert_int_equal(batch_of(f, "A.X")->options->count, 2);
    assert_string_equal(batch_of(f, "A.X")->options->items[0], "autoImplicit=false");
    assert_string_equal(batch_of(f, "A.X")->options->items[1], "y=2");
    assert_string_equal(batch_of(f, "B")->source_root, scratch_path(&f->scratch, "src/b"));
    assert_string_equal(batch_of(f, "B")->options->items[1], "x=1");
    f->config.library = "tool";
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "A Main");
    f->config.library = "C";
    plan_fixture_fail(f, LWB_ERR_TARGET, "which declares A, B, tool");
}

static void default_targets_are_what_is_checked(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml",
                  "name = \"p\"\ndefaultTargets = [\"tool\"]\n[[lean_lib]]\nname = \"A\"\n"
                  "[[lean_exe]]\nname = \"tool\"\nroot = \"Main\"\n");
    scratch_write(&f->scratch, "A.lean", "");
    scratch_write(&f->scratch, "Main.lean", "");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "Main");
}

static void a_lakefile_that_is_not_understood_names_file_and_line(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\nnonsense = 1\n");
    plan_fixture_fail(f, LWB_ERR_LAKEFILE, "lakefile.toml: line 2: lwbuild does not know nonsense");
    scratch_write(&f->scratch, "lakefile.lean", "package p where\n  leanOptions := x\n");
    plan_fixture_fail(f, LWB_ERR_LAKEFILE, "lakefile.lean: line 2: lwbuild cannot tell");
    scratch_write(&f->scratch, "lakefile.lean", "package p\nlean_lib A\n");
    scratch_write(&f->scratch, "lake-manifest.json", "{");
    plan_fixture_fail(f, LWB_ERR_LAKEFILE, "lake-manifest.json: ");
}

/* ---- packages ---- */

#define MANIFEST_7                                                                                 \
    "{\"version\":7,\"packagesDir\":\".lake/packages\",\"packages\":[{\"type\":\"git\","           \
    "\"name\":\"mathlib\",\"url\":\"u\",\"rev\":\"r\"},{\"type\":\"path\",\"name\":\"near\","      \
    "\"dir\":\"../near\"}],\"name\":\"p\"}"

static const char *external(struct plan_fixture *f, const char *module, size_t index)
{
    const struct lwb_plan_module *m = lwb_plan_module(f->plan, plan_fixture_find(f, module));

    assert_true(index < m->n_external);
    return m->external[index];
}

static void packages_are_found_where_each_year_puts_them(void **state)
{
    static const struct {
        const char *manifest;
        const char *olean;
        unsigned minor; /* of the toolchain; 0: none */
    } cases[] = {
        { MANIFEST_7, ".lake/packages/mathlib/.lake/build/lib/lean/M/A.olean", 18 },
        { MANIFEST_7, ".lake/packages/mathlib/.lake/build/lib/lean/M/A.olean", 0 },
        { MANIFEST_7, ".lake/packages/mathlib/.lake/build/lib/M/A.olean", 9 },
        { MANIFEST_7, ".lake/packages/mathlib/build/lib/M/A.olean", 2 },
        { "{\"version\":2,\"packages\":[{\"name\":\"mathlib\"}]}",
          "lean_packages/mathlib/build/lib/M/A.olean", 0 },
        { "{\"version\":4,\"packagesDir\":\"lake-packages\",\"packages\":[{\"git\":{\"name\":"
          "\"mathlib\",\"subDir?\":\"s\"}}]}",
          "lake-packages/mathlib/s/build/lib/M/A.olean", 0 },
        { NULL, "lake-packages/mathlib/build/lib/M/A.olean", 0 },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct plan_fixture fixture;
        struct plan_fixture *f = &fixture;
        struct lwb_toolchain toolchain = { .prefix = (char *)"/nonexistent", .major = 4 };

        print_message("%s\n", cases[i].olean);
        plan_fixture_init(f);
        scratch_write(&f->scratch, "lakefile.toml",
                      "name = \"p\"\n[[require]]\nname = \"mathlib\"\ngit = \"u\"\n"
                      "[[lean_lib]]\nname = \"P\"\n");
        scratch_write(&f->scratch, "P.lean", "import M.A\n");
        if (cases[i].manifest)
            scratch_write(&f->scratch, "lake-manifest.json", cases[i].manifest);
        scratch_write(&f->scratch, cases[i].olean, "x");
        toolchain.minor = cases[i].minor;
        f->config.toolchain = cases[i].minor ? &toolchain : NULL;
        plan_fixture_make(f);
        assert_string_equal(external(f, "P", 0), scratch_path(&f->scratch, cases[i].olean));
        plan_fixture_release(f);
    }
}

static void a_path_dependency_is_found_beside_the_project(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "p/lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    scratch_write(&f->scratch, "p/lake-manifest.json", MANIFEST_7);
    scratch_write(&f->scratch, "p/P.lean", "import Near\n");
    scratch_write(&f->scratch, "near/lakefile.toml", "name = \"near\"\nbuildDir = \"out\"\n");
    scratch_write(&f->scratch, "near/out/lib/Near.olean", "x");
    f->config.project = "p";
    plan_fixture_make(f);
    assert_string_equal(external(f, "P", 0), scratch_path(&f->scratch, "near/out/lib/Near.olean"));
}

static void a_package_that_was_not_built_is_named(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    scratch_write(&f->scratch, "lake-manifest.json", MANIFEST_7);
    scratch_write(&f->scratch, "P.lean", "import Mathlib\n");
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "imports Mathlib: no Mathlib.lean in ");
    assert_non_null(strstr(f->err.text, "/.lake/packages/mathlib/.lake/build/lib/lean"));
}

static void the_projects_own_build_folder_is_not_searched(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    scratch_write(&f->scratch, "P.lean", "import Old\n");
    scratch_write(&f->scratch, ".lake/build/lib/Old.olean", "x");
    plan_fixture_fail(f, LWB_ERR_MISSING_IMPORT, "imports Old");
}

static void a_package_of_the_manifest_can_be_checked(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    scratch_write(&f->scratch, "lake-manifest.json", MANIFEST_7);
    scratch_write(&f->scratch, ".lake/packages/mathlib/lakefile.toml",
                  "name = \"mathlib\"\n[[lean_lib]]\nname = \"M\"\n");
    scratch_write(&f->scratch, ".lake/packages/mathlib/M.lean", "");
    f->config.package = "mathlib";
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "M");
    assert_string_equal(batch_of(f, "M")->package, "mathlib");
    f->config.package = "p";
    scratch_write(&f->scratch, "P.lean", "");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "P");
    f->config.package = "q";
    plan_fixture_fail(f, LWB_ERR_TARGET, "no package q in ");
    assert_non_null(strstr(f->err.text, "which knows p, mathlib, near"));
}

static void a_leanpkg_project_is_its_files(void **state)
{
    struct plan_fixture *f = *state;

    scratch_write(&f->scratch, "leanpkg.toml",
                  "[package]\nname = \"p\"\nversion = \"0\"\npath = \"src\"\n");
    scratch_write(&f->scratch, "src/P.lean", "import P.Q\n");
    scratch_write(&f->scratch, "src/P/Q.lean", "");
    plan_fixture_make(f);
    assert_string_equal(plan_fixture_order(f), "P.Q P");
}

/* ---- what is looked at ---- */

struct seen {
    const char *path;
    enum lwb_witness kind;
    bool found;
};

static void note_witness(void *ctx, const struct lwb_plan_witness *witness)
{
    for (struct seen *seen = ctx; seen->path; seen++)
        seen->found |=
            witness->kind == seen->kind && lwb_path_has_suffix(witness->path, seen->path);
}

static void lakefiles_and_manifests_are_witnesses(void **state)
{
    struct plan_fixture *f = *state;
    struct seen seen[] = {
        { "/lakefile.toml", LWB_WITNESS_FILE, false },
        { "/lakefile.lean", LWB_WITNESS_ABSENT, false },
        { "/lake-manifest.json", LWB_WITNESS_FILE, false },
        { "/.lake/packages/mathlib/lakefile.toml", LWB_WITNESS_ABSENT, false },
        { "/.lake/packages/mathlib/.lake/build/lib/lean", LWB_WITNESS_ABSENT, false },
        { NULL, 0, false },
    };

    scratch_write(&f->scratch, "lakefile.toml", "name = \"p\"\n[[lean_lib]]\nname = \"P\"\n");
    scratch_write(&f->scratch, "lake-manifest.json", MANIFEST_7);
    scratch_write(&f->scratch, "P.lean", "");
    plan_fixture_make(f);
    lwb_plan_witnesses(f->plan, note_witness, seen);
    for (size_t i = 0; seen[i].path; i++) {
        print_message("%s\n", seen[i].path);
        assert_true(seen[i].found);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plan_fixture_setup, plan_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_library_is_its_roots_and_what_they_import),
        TEST(globs_source_folders_and_options_are_the_librarys),
        TEST(default_targets_are_what_is_checked),
        TEST(a_lakefile_that_is_not_understood_names_file_and_line),
        cmocka_unit_test(packages_are_found_where_each_year_puts_them),
        TEST(a_path_dependency_is_found_beside_the_project),
        TEST(a_package_that_was_not_built_is_named),
        TEST(the_projects_own_build_folder_is_not_searched),
        TEST(a_package_of_the_manifest_can_be_checked),
        TEST(a_leanpkg_project_is_its_files),
        TEST(lakefiles_and_manifests_are_witnesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
