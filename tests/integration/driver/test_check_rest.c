#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/rest_project.h"

/*
 * The short path: after an edit only the edited modules and what imports them
 * are looked at; a snapshot answers for the rest. It must come to the answer to
 * which a run without a snapshot comes.
 */

/* ---- which modules are looked at ----------------------------------------------------------- */

static void an_edited_leaf_is_all_that_is_looked_at(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0); /* the snapshot knows the edit */
    rest_edit(project, "M04.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0);
}

static void what_an_edited_module_imports_is_looked_up(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "C.lean", "import B\ndef c := 2\n");
    EXPECT(project, 0, 3, 1);
    EXPECT(project, 0, 0, 0);
}

static void dependents_are_looked_at_as_far_as_the_artifact_changes(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "A.lean", "def a := 2\n");
    EXPECT(project, 0, 3, 3);
    rest_edit(project, "A.lean", "def a := 2\n-- only a comment\n");
    EXPECT(project, 0, 3, 1);
    EXPECT(project, 0, 0, 0);
}

static void the_stamp_is_that_of_a_whole_run(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "B.lean", "import A\ndef b := 2\n");
    assert_int_equal(rest_compare(project), 3);
    rest_edit(project, "B.lean", "import A\ndef b := 1\n");
    assert_int_equal(rest_compare(project), 3);
}

static void an_edit_of_half_a_project_is_a_whole_run(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    for (int i = 0; i < ALL / 2 + 1; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        echo_project_write(project, name, "def m := 2\n");
    }
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, ALL / 2 + 1);
}

/* ---- what is more than an edit of a source ------------------------------------------------- */

static void another_header_is_planned_as_a_whole(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);
    struct lwb_error err;

    rest_make_project(project);
    rest_edit(project, "M03.lean", "import C\ndef m := 1\n");
    EXPECT(project, 0, ALL, 2); /* and C, which now has to have an artifact */
    EXPECT(project, 0, 0, 0);
    rest_edit(project, "A.lean", "def a := 3\n");
    EXPECT(project, 0, 4, 4);
    rest_edit(project, "M03.lean", "import C\nimport New\ndef m := 1\n");
    EXPECT(project, 3, 0, 0);
    rest_edit(project, "New.lean", "def n := 1\n");
    EXPECT(project, 0, ALL + 1, 2);
    assert_int_equal(
        lwb_file_read(&depfile, scratch_path(&project->scratch, "build/stamp.d"), NULL, &err),
        LWB_OK);
    assert_non_null(strstr(lwb_buf_text(&depfile), "/New.lean"));
}

static void a_cycle_through_an_edit_is_found(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

    rest_make_project(project);
    rest_edit(project, "A.lean", "import C\ndef a := 1\n");
    rest_check(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 3);
    ASSERT_SAYS(traced.run.err, "import cycle");
}

static void a_source_that_is_gone_is_missed(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

    rest_make_project(project);
    assert_int_equal(unlink(scratch_path(&project->scratch, "src/A.lean")), 0);
    rest_check(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 3);
    ASSERT_SAYS(traced.run.err, "imports A");
}

static void a_project_that_appears_is_planned_as_a_whole(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    scratch_write(&project->scratch, "lakefile.toml", "name = \"p\"\nno_such_key = 1\n");
    rest_edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 3, 0, 0);
}

/* All keys have it in them, not only that of the module. */
static void a_source_that_is_an_input_concerns_everybody(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    assert_int_equal(rest_looked_at_with(project, "--input=M03.lean"), ALL);
    assert_int_equal(rest_looked_at_with(project, "--input=M03.lean"), 0);
    rest_edit(project, "M03.lean", "def m := 2\n");
    assert_int_equal(rest_looked_at_with(project, "--input=M03.lean"), ALL);
}

/* `lwbuild check .` in a Lake project takes the lakefile for a module as well. */
static void a_lakefile_that_is_a_module_concerns_everybody(void **state)
{
    struct echo_project *project = *state;

    echo_project_write(project, "lakefile.lean",
                       "import Lake\nopen Lake DSL\npackage p {\n  moreLeanArgs := "
                       "#[\"-Dx=1\"]\n}\nlean_lib A\n");
    echo_project_write(project, "Lake.lean", "def lake := 1\n");
    rest_make_project(project);
    assert_int_equal(rest_looked_at_with(project, "lakefile.lean"), ALL + 2);
    assert_int_equal(rest_looked_at_with(project, "lakefile.lean"), 0);
    rest_edit(project, "lakefile.lean",
              "import Lake\nopen Lake DSL\npackage p {\n  moreLeanArgs := "
              "#[\"-Dx=2\"]\n}\nlean_lib A\n");
    assert_int_equal(rest_looked_at_with(project, "lakefile.lean"), ALL + 2);
}

/* Every eighth byte in turn: a snapshot that is not what was written says nothing. */
static void a_damaged_snapshot_says_nothing(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole = LWB_BUF(1 << 22);
    struct lwb_error err;

    rest_make_project(project);
    assert_int_equal(
        lwb_file_read(&whole, scratch_path(&project->scratch, "build/stamp.snapshot"), NULL, &err),
        LWB_OK);
    echo_project_write(project, "A.lean", "def a := 2\n");
    rest_wait_for_the_clock(project);
    for (size_t i = 0; i < whole.len; i += whole.len / 40) {
        LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };
        size_t len = i % 3 ? whole.len : i;

        whole.ptr[i] ^= 1;
        assert_int_equal(lwb_file_write(scratch_path(&project->scratch, "build/stamp.snapshot"),
                                        lwb_bytes(whole.ptr, len), 0600, &err),
                         LWB_OK);
        whole.ptr[i] ^= 1;
        rest_check(&traced, project, "stamp");
        ASSERT_RUN(traced.run, 0);
        assert_int_equal(rest_looked_at(&traced), ALL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(an_edited_leaf_is_all_that_is_looked_at),
        IN_A_PROJECT(what_an_edited_module_imports_is_looked_up),
        IN_A_PROJECT(dependents_are_looked_at_as_far_as_the_artifact_changes),
        IN_A_PROJECT(the_stamp_is_that_of_a_whole_run),
        IN_A_PROJECT(an_edit_of_half_a_project_is_a_whole_run),
        IN_A_PROJECT(another_header_is_planned_as_a_whole),
        IN_A_PROJECT(a_cycle_through_an_edit_is_found),
        IN_A_PROJECT(a_source_that_is_gone_is_missed),
        IN_A_PROJECT(a_project_that_appears_is_planned_as_a_whole),
        IN_A_PROJECT(a_source_that_is_an_input_concerns_everybody),
        IN_A_PROJECT(a_lakefile_that_is_a_module_concerns_everybody),
        IN_A_PROJECT(a_damaged_snapshot_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
