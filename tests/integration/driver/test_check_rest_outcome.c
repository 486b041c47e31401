#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/rest_project.h"

/* The short path where a run is not accepted, or not without a word. */

static void a_rejected_edit_leaves_the_rest_answered(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

    rest_make_project(project);
    rest_edit(project, "B.lean", "import A\n-- echo: error 1:0 no\n");
    rest_check(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 1);
    ASSERT_SAYS(traced.run.out, "B.lean:1:0: error: no");
    ASSERT_SAYS(traced.run.err, "15 modules: 13 accepted, 1 rejected, 1 not checked");
    assert_int_equal(rest_looked_at(&traced), 2); /* A and B; C waits for B */
    EXPECT(project, 1, 2, 0);                     /* the no is replayed */
    rest_edit(project, "B.lean", "import A\ndef b := 3\n");
    EXPECT(project, 0, 3, 2);
    EXPECT(project, 0, 0, 0);
}

static void warnings_are_replayed_until_they_are_gone(void **state)
{
    struct echo_project *project = *state;

    rest_make_project(project);
    rest_edit(project, "M03.lean", "-- echo: warn 1:0 look\n");
    for (int i = 0; i < 3; i++) {
        LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

        rest_check(&traced, project, "stamp");
        ASSERT_RUN(traced.run, 0);
        ASSERT_SAYS(traced.run.out, "M03.lean:1:0: warning: look");
        assert_int_equal(rest_looked_at(&traced), 1);
    }
    assert_int_equal(rest_compare(project), 1);
    rest_edit(project, "M03.lean", "def m := 3\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0);
}

/* A module of the rest is edited while the child is busy with the one that was edited before. */
static void an_edit_during_the_run_takes_the_stamp_back(void **state)
{
    const char *words[40] = { "--stamp", "../build/stamp", "--depfile", "../build/stamp.d" };
    const char *const *target;
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1024);
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct program_handle handle;
    const char *started;

    rest_make_project(project);
    target = rest_targets(project);
    for (size_t i = 4; *target; i++)
        words[i] = *target++;
    started = scratch_path(&project->scratch, "started");
    lwb_buf_format(&text, "-- echo: touch %s\n-- echo: wait %s\n", started,
                   scratch_path(&project->scratch, "go"));
    rest_edit(project, "M03.lean", lwb_buf_text(&text));
    echo_project_start(&handle, project, words);
    while (access(started, F_OK) != 0)
        (void)usleep(1000);
    echo_project_write(project, "M07.lean", "-- echo: error 1:0 no\n");
    scratch_write(&project->scratch, "go", "");
    program_wait(&run, &handle);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, "changed during the run");
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    rest_wait_for_the_clock(project);
    {
        LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

        rest_check(&traced, project, "stamp");
        ASSERT_RUN(traced.run, 1);
    }
}

/* The no that --recache found counts against a snapshot that lies anywhere. */
static void a_no_takes_back_snapshots_without_a_stamp(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run yes = { 0 };
    LWB_AUTO(program_run_release) struct program_run no = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    echo_project_write(project, "A.lean", "-- echo: reject-when-fresh\n");
    rest_wait_for_the_clock(project);
    echo_project_check(&yes, project, "A.lean", NULL);
    ASSERT_RUN(yes, 0);
    echo_project_check(&no, project, "--recache", "--isolation", "fresh", "A.lean", NULL);
    ASSERT_RUN(no, 1);
    echo_project_check(&again, project, "A.lean", NULL);
    ASSERT_RUN(again, 1);
}

static void rest_check_plain(struct rest_run *run, struct echo_project *project)
{
    rest_check(run, project, "plain");
    ASSERT_RUN(run->run, 0);
}

/* A snapshot of other arguments rests on the same verdicts. */
static void what_is_not_confirmed_takes_back_all_snapshots(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run after = { 0 };
    int code = 0;

    rest_make_project(project);
    for (int i = 0; code == 0 && i < 200; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(256);
        LWB_AUTO(rest_run_release) struct rest_run plain = { 0 };
        LWB_AUTO(rest_run_release) struct rest_run again = { 0 };
        LWB_AUTO(rest_run_release) struct rest_run confirming = { 0 };

        lwb_buf_format(&text, "-- echo: reject-when-fresh 1:0 no\n-- %d\n", i);
        rest_edit(project, "M03.lean", lwb_buf_text(&text));
        rest_check_plain(&plain, project);
        rest_check_plain(&again, project);
        assert_int_equal(rest_looked_at(&again), 0);
        rest_check_with(&confirming, project, "stamp", "--isolation=confirm");
        code = confirming.run.exit_code;
    }
    assert_int_equal(code, 4);
    rest_check_plain(&after, project);
    assert_int_equal(rest_looked_at(&after), ALL);
}

/* Then none of the batch's warm verdicts stands, also of those that the snapshot answered for. */
static void what_is_not_confirmed_spoils_the_rest_of_its_batch(void **state)
{
    struct echo_project *project = *state;
    int code = 0;

    rest_make_project(project);
    assert_int_equal(rest_looked_at_with(project, "--isolation=confirm"), ALL);
    /* One accepted result of eight is confirmed, by its key. */
    for (int i = 0; code == 0 && i < 200; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(256);
        LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

        lwb_buf_format(&text, "-- echo: reject-when-fresh 1:0 no\n-- %d\n", i);
        rest_edit(project, "M03.lean", lwb_buf_text(&text));
        rest_check_with(&traced, project, "stamp", "--isolation=confirm");
        code = traced.run.exit_code;
    }
    assert_int_equal(code, 4);
    rest_edit(project, "M03.lean", "def m := 7\n");
    {
        LWB_AUTO(rest_run_release) struct rest_run traced = { 0 };

        rest_check_with(&traced, project, "stamp", "--isolation=confirm");
        ASSERT_RUN(traced.run, 0);
        assert_true(rest_events(&traced, "module_checked") >= OTHERS);
    }
}

static void such_runs_count(void **state)
{
    static const char *const words[] = { "--format", "tsv", NULL };
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    rest_make_project(project);
    rest_edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    rest_edit(project, "C.lean", "import B\ndef c := 2\n");
    EXPECT(project, 0, 3, 1);
    echo_project_command(&run, project, "--stats", words);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.out, "runs\t4\n");
    ASSERT_SAYS(run.out, "modules\t60\n"); /* four times fifteen */
    ASSERT_SAYS(run.out, "hits\t43\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(a_rejected_edit_leaves_the_rest_answered),
        IN_A_PROJECT(warnings_are_replayed_until_they_are_gone),
        IN_A_PROJECT(an_edit_during_the_run_takes_the_stamp_back),
        IN_A_PROJECT(a_no_takes_back_snapshots_without_a_stamp),
        IN_A_PROJECT(what_is_not_confirmed_takes_back_all_snapshots),
        IN_A_PROJECT(what_is_not_confirmed_spoils_the_rest_of_its_batch),
        IN_A_PROJECT(such_runs_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
