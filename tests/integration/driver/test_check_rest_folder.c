#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/rest_project.h"

/*
 * The short path where sources are named by their folder. Editors write in that
 * folder all the time; only which sources and folders are in it matters.
 */

static int setup(void **state)
{
    struct echo_project *project;

    (void)echo_project_setup(state);
    project = *state;
    project->by_folder = true;
    return 0;
}

static const char *source(const struct echo_project *project, const char *name)
{
    char below[64];

    (void)snprintf(below, sizeof(below), "src/%s", name);
    return scratch_path(&project->scratch, below);
}

/* Written at once, as by a program that waits for nobody. */
static void write_in_place(const struct echo_project *project, const char *name,
                           const char *content)
{
    FILE *file = fopen(source(project, name), "w");

    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- what does not matter ------------------------------------------------------------------ */

static void an_edit_that_dates_the_folder_costs_what_an_edit_costs(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0);
    write_in_place(project, "M03.lean", "def m := 3\n");
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0);
    rest_edit(project, "A.lean", "def a := 2\n");
    EXPECT(project, 0, 3, 3);
    EXPECT(project, 0, 0, 0);
}

static void what_editors_leave_beside_a_source_does_not_matter(void **state)
{
    static const char *const litter[] = { ".M03.lean.swp", "M03.lean~", "4913", "#M03.lean#",
                                          "notes.txt" };
    struct echo_project *project = *state;

    rest_make_project(project);
    for (size_t i = 0; i < sizeof(litter) / sizeof(litter[0]); i++) {
        echo_project_write(project, litter[i], "");
        rest_wait_for_the_clock(project);
        EXPECT(project, 0, 0, 0);
    }
    rest_edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    assert_int_equal(unlink(source(project, "M03.lean~")), 0);
    EXPECT(project, 0, 0, 0);
}

/* The folder is as new as its first run: there is no date to go by. */
static void a_folder_that_was_just_made_has_a_short_path(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run first = { 0 };
    LWB_AUTO(rest_run_release) struct rest_run second = { 0 };

    rest_make_project(project);
    echo_project_write(project, "N00.lean", "def n := 1\n");
    rest_check(&first, project, "stamp");
    ASSERT_RUN(first.run, 0);
    rest_check(&second, project, "stamp");
    ASSERT_RUN(second.run, 0);
    assert_true(rest_looked_at(&second) <= 1); /* at most the new source, if it was too new */
}

static void read_snapshot(struct lwb_buf *out, const struct echo_project *project)
{
    struct lwb_error err;

    lwb_buf_clear(out);
    assert_int_equal(
        lwb_file_read(out, scratch_path(&project->scratch, "build/stamp.snapshot"), NULL, &err),
        LWB_OK);
}

static void a_new_date_is_noted_by_a_run_without_changes(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf first = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_buf_release) struct lwb_buf second = LWB_BUF(1 << 20);
    LWB_AUTO(lwb_buf_release) struct lwb_buf third = LWB_BUF(1 << 20);

    rest_make_project(project);
    EXPECT(project, 0, 0, 0);
    read_snapshot(&first, project);
    rest_edit(project, "notes.txt", "");
    do { /* until the date is old enough by this machine's clock; the time-out is the limit */
        EXPECT(project, 0, 0, 0);
        read_snapshot(&second, project);
    } while (lwb_bytes_equal(lwb_buf_bytes(&first), lwb_buf_bytes(&second)));
    EXPECT(project, 0, 0, 0);
    read_snapshot(&third, project);
    assert_true(lwb_bytes_equal(lwb_buf_bytes(&second), lwb_buf_bytes(&third)));
    rest_edit(project, "New.lean", "def n := 1\n");
    EXPECT(project, 0, ALL + 1, 1);
}

/* ---- what does ----------------------------------------------------------------------------- */

static void a_source_that_comes_or_goes_is_a_whole_run(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "New.lean", "def n := 1\n");
    EXPECT(project, 0, ALL + 1, 1);
    EXPECT(project, 0, 0, 0);
    assert_int_equal(rename(source(project, "New.lean"), source(project, "Newer.lean")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL + 1, 1);
    EXPECT(project, 0, 0, 0);
    assert_int_equal(unlink(source(project, "Newer.lean")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, 0);
    EXPECT(project, 0, 0, 0);
}

static void two_sources_that_trade_places_are_two_edits(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "M03.lean", "def m := 3\n");
    EXPECT(project, 0, 1, 1);
    assert_int_equal(rename(source(project, "M03.lean"), source(project, "kept")), 0);
    assert_int_equal(rename(source(project, "M04.lean"), source(project, "M03.lean")), 0);
    assert_int_equal(rename(source(project, "kept"), source(project, "M04.lean")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, 2, 1); /* M03 as it was at first is known, M04 is not */
    EXPECT(project, 0, 0, 0);
}

static void a_folder_below_is_listed_as_well(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "Sub/S.lean", "def s := 1\n");
    EXPECT(project, 0, ALL + 1, 1);
    EXPECT(project, 0, 0, 0);
    rest_edit(project, "Sub/S.lean~", "");
    EXPECT(project, 0, 0, 0);
    rest_edit(project, "Sub/T.lean", "def t := 1\n");
    EXPECT(project, 0, ALL + 2, 1);
}

static void a_link_that_gets_a_target_is_noticed(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    assert_int_equal(symlink("../elsewhere", source(project, "linked")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, 0);
    EXPECT(project, 0, 0, 0);
    scratch_write(&project->scratch, "elsewhere/L.lean", "def l := 1\n");
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL + 1, 1);
}

static void a_link_that_leads_elsewhere_is_noticed(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    scratch_write(&project->scratch, "elsewhere/L.lean", "def l := 1\n");
    scratch_write(&project->scratch, "notes", "");
    assert_int_equal(symlink("../notes", source(project, "linked")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, 0);
    EXPECT(project, 0, 0, 0);
    assert_int_equal(unlink(source(project, "linked")), 0);
    assert_int_equal(symlink("../elsewhere", source(project, "linked")), 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL + 1, 1);
    EXPECT(project, 0, 0, 0);
}

/* ---- during a run -------------------------------------------------------------------------- */

/* Start a run that waits inside the child until `go` is written; it has read the folder by then. */
static void start_and_hold_with(struct program_handle *handle, struct echo_project *project,
                                const char *more)
{
    const char *const words[] = {
        "--stamp", "../build/stamp", "--depfile", "../build/stamp.d", ".", more, NULL
    };
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1024);
    const char *started = scratch_path(&project->scratch, "started");

    lwb_buf_format(&text, "-- echo: touch %s\n-- echo: wait %s\n", started,
                   scratch_path(&project->scratch, "go"));
    rest_edit(project, "M03.lean", lwb_buf_text(&text));
    echo_project_start(handle, project, words);
    while (access(started, F_OK) != 0)
        (void)usleep(1000);
}

static void start_and_hold(struct program_handle *handle, struct echo_project *project)
{
    start_and_hold_with(handle, project, NULL);
}

static void finish(struct program_run *run, struct program_handle *handle,
                   struct echo_project *project)
{
    scratch_write(&project->scratch, "go", "");
    program_wait(run, handle);
}

static void a_source_that_appears_meanwhile(struct echo_project *project)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;

    start_and_hold(&handle, project);
    echo_project_write(project, "New.lean", "-- echo: error 1:0 no\n");
    finish(&run, &handle, project);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, "during the run; run again");
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    rest_wait_for_the_clock(project);
    {
        LWB_AUTO(rest_run_release) struct rest_run again = { 0 };

        rest_check(&again, project, "stamp");
        ASSERT_RUN(again.run, 1);
        ASSERT_SAYS(again.run.out, "New.lean:1:0: error: no");
    }
}

static void a_source_that_appears_during_a_whole_run_takes_the_stamp_back(void **state)
{
    struct echo_project *project = *state;

    a_source_that_appears_meanwhile(project);
}

static void a_source_that_appears_during_a_short_run_takes_the_stamp_back(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    a_source_that_appears_meanwhile(project);
}

/* What a build tool goes by: is the stamp older than the folder, which the depfile names? */
static bool is_out_of_date(struct echo_project *project)
{
    struct lwb_file_stat stamp;
    struct lwb_file_stat folder;
    struct lwb_error err;

    assert_int_equal(lwb_file_stat(&stamp, scratch_path(&project->scratch, "build/stamp"), &err),
                     1);
    assert_int_equal(lwb_file_stat(&folder, scratch_path(&project->scratch, "src"), &err), 1);
    return stamp.mtime_ns < folder.mtime_ns;
}

/* Nobody has looked into it, so the build has to ask again, and then no more. */
static void a_folder_that_appears_meanwhile(struct echo_project *project)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(rest_run_release) struct rest_run again = { 0 };
    struct program_handle handle;

    start_and_hold(&handle, project);
    echo_project_write(project, "Sub/New.lean", "-- echo: error 1:0 no\n");
    finish(&run, &handle, project);
    ASSERT_RUN(run, 0);
    assert_true(is_out_of_date(project));
    rest_check(&again, project, "stamp");
    ASSERT_RUN(again.run, 1);
    ASSERT_SAYS(again.run.out, "New.lean:1:0: error: no");
    rest_edit(project, "Sub/New.lean", "def n := 1\n");
    EXPECT(project, 0, ALL + 1, 1);
    assert_false(is_out_of_date(project));
}

static void a_folder_that_appears_during_a_whole_run_is_asked_for(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    assert_int_equal(unlink(scratch_path(&project->scratch, "build/stamp.snapshot")), 0);
    a_folder_that_appears_meanwhile(project);
}

static void a_folder_that_appears_during_a_short_run_is_asked_for(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    a_folder_that_appears_meanwhile(project);
}

/* Its stamp is one that is left alone when it is equal; this one is not. */
static void a_folder_that_appears_during_a_run_with_restat_is_asked_for(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;

    rest_make_project(project);
    start_and_hold_with(&handle, project, "--stamp-mode=restat");
    echo_project_write(project, "Sub/New.lean", "-- echo: error 1:0 no\n");
    finish(&run, &handle, project);
    ASSERT_RUN(run, 0);
    assert_true(is_out_of_date(project));
}

static void litter_of_editors_and_builds_during_a_run_does_not(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;

    rest_make_project(project);
    start_and_hold(&handle, project);
    echo_project_write(project, "M05.lean~", "");
    assert_int_equal(mkdir(source(project, "made-by-the-build"), 0700), 0);
    finish(&run, &handle, project);
    ASSERT_RUN(run, 0);
    rest_wait_for_the_clock(project);
    EXPECT(project, 0, ALL, 0); /* there might be sources in that folder */
    assert_false(is_out_of_date(project));
    EXPECT(project, 0, 0, 0);
}

/* What lwbuild itself writes into a folder that it lists is not news. */
static void a_cache_in_the_listed_folder_is_no_change(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run first = { 0 };
    LWB_AUTO(program_run_release) struct program_run second = { 0 };

    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "import A\n");
    rest_wait_for_the_clock(project);
    echo_project_check(&first, project, "--cache", "cache", "--stamp", "../build/stamp", ".", NULL);
    ASSERT_RUN(first, 0);
    echo_project_check(&second, project, "--cache", "cache", "--stamp", "../build/stamp", ".",
                       NULL);
    ASSERT_RUN(second, 0);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, echo_project_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(an_edit_that_dates_the_folder_costs_what_an_edit_costs),
        IN_A_FOLDER(what_editors_leave_beside_a_source_does_not_matter),
        IN_A_FOLDER(a_folder_that_was_just_made_has_a_short_path),
        IN_A_FOLDER(a_new_date_is_noted_by_a_run_without_changes),
        IN_A_FOLDER(a_source_that_comes_or_goes_is_a_whole_run),
        IN_A_FOLDER(two_sources_that_trade_places_are_two_edits),
        IN_A_FOLDER(a_folder_below_is_listed_as_well),
        IN_A_FOLDER(a_link_that_gets_a_target_is_noticed),
        IN_A_FOLDER(a_link_that_leads_elsewhere_is_noticed),
        IN_A_FOLDER(a_source_that_appears_during_a_whole_run_takes_the_stamp_back),
        IN_A_FOLDER(a_source_that_appears_during_a_short_run_takes_the_stamp_back),
        IN_A_FOLDER(a_folder_that_appears_during_a_whole_run_is_asked_for),
        IN_A_FOLDER(a_folder_that_appears_during_a_short_run_is_asked_for),
        IN_A_FOLDER(a_folder_that_appears_during_a_run_with_restat_is_asked_for),
        IN_A_FOLDER(litter_of_editors_and_builds_during_a_run_does_not),
        IN_A_FOLDER(a_cache_in_the_listed_folder_is_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
