#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"

/* What an ordinary life with lwbuild looks like: check, hit, edit, early cutoff. */

static void expect_totals(struct echo_project *project, int code, long cached, long checked)
{
    LWB_AUTO(program_run_release) struct program_run run;

    echo_project_check(&run, project, "--format", "json", "A.lean", "B.lean", "C.lean", NULL);
    ASSERT_RUN(run, code);
    assert_int_equal(echo_project_total(&run, "cached"), cached);
    assert_int_equal(echo_project_total(&run, "checked"), checked);
}

/* C imports B imports A. */
static void write_chain(struct echo_project *project)
{
    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "import A\ndef b := 1\n");
    echo_project_write(project, "C.lean", "import B\ndef c := 1\n");
}

static void the_first_run_checks_and_the_second_hits(void **state)
{
    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    expect_totals(*state, 0, 3, 0);
}

static void a_clean_check_says_nothing(void **state)
{
    LWB_AUTO(program_run_release) struct program_run miss = { 0 };
    LWB_AUTO(program_run_release) struct program_run hit = { 0 };

    write_chain(*state);
    echo_project_check(&miss, *state, "A.lean", "B.lean", "C.lean", NULL);
    ASSERT_RUN(miss, 0);
    assert_int_equal(miss.out.len, 0);
    assert_int_equal(miss.err.len, 0);
    echo_project_check(&hit, *state, "A.lean", "B.lean", "C.lean", NULL);
    ASSERT_RUN(hit, 0);
    assert_int_equal(hit.out.len, 0);
    assert_int_equal(hit.err.len, 0);
}

static void an_edit_checks_what_depends_on_it(void **state)
{
    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    echo_project_write(*state, "B.lean", "import A\ndef b := 2\n");
    expect_totals(*state, 0, 1, 2);
    echo_project_write(*state, "C.lean", "import B\ndef c := 2\n");
    expect_totals(*state, 0, 2, 1);
}

static void a_reverted_edit_hits(void **state)
{
    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    echo_project_write(*state, "A.lean", "def a := 2\n");
    expect_totals(*state, 0, 0, 3);
    echo_project_write(*state, "A.lean", "def a := 1\n");
    expect_totals(*state, 0, 3, 0);
}

static void an_artifact_that_stays_the_same_spares_the_dependents(void **state)
{
    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    /* The echo host's artifact leaves comments out, as .olean files mostly do. */
    echo_project_write(*state, "A.lean", "def a := 1\n-- a comment\n");
    expect_totals(*state, 0, 2, 1);
}

static void an_edit_deep_below_reaches_the_top_although_the_middle_is_the_same(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    /* B's artifact does not change with A, but C's verdict does: direct digests are not enough. */
    echo_project_write(project, "A.lean", "-- echo: artifact one\n");
    echo_project_write(project, "B.lean", "import A\n-- echo: artifact same\n");
    echo_project_write(project, "C.lean", "import B\n-- echo: require A one\n");
    expect_totals(project, 0, 0, 3);
    echo_project_write(project, "A.lean", "-- echo: artifact two\n");
    echo_project_check(&run, project, "A.lean", "B.lean", "C.lean", NULL);
    ASSERT_RUN(run, 1);
    assert_non_null(strstr(lwb_buf_text(&run.out), "C.lean:"));
}

static void a_moved_tree_hits(void **state)
{
    struct echo_project *project = *state;
    char elsewhere[300];

    write_chain(project);
    expect_totals(project, 0, 0, 3);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s-moved", project->scratch.dir);
    assert_int_equal(rename(project->scratch.dir, elsewhere), 0);
    (void)snprintf(project->scratch.dir, sizeof(project->scratch.dir), "%s", elsewhere);
    expect_totals(project, 0, 3, 0);
}

static void jobs_and_environment_are_not_in_the_key(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    assert_int_equal(setenv("SOMETHING", "else", 1), 0);
    echo_project_check(&run, *state, "--format", "json", "--jobs", "7", "A.lean", "B.lean",
                       "C.lean", NULL);
    ASSERT_RUN(run, 0);
    assert_int_equal(echo_project_total(&run, "cached"), 3);
}

/* A child that is the echo child but for one thing: what it says of its host's sources. */
static void write_other_child(struct echo_project *project, char digit)
{
    static const char script[] = "#!/bin/sh\n"
                                 "[ \"$1\" = --version ] || exec \"%s\" \"$@\"\n"
                                 "\"%s\" --version | sed 's/^\\(host echo\\) ./\\1 %c/'\n";
    char text[1500];

    (void)snprintf(text, sizeof(text), script, LWB_ECHO_CHILD, LWB_ECHO_CHILD, digit);
    scratch_write(&project->scratch, "child", text);
    (void)snprintf(project->child, sizeof(project->child), "%s",
                   scratch_path(&project->scratch, "child"));
    assert_int_equal(chmod(project->child, 0755), 0);
}

static void the_sources_of_the_host_are_in_the_key(void **state)
{
    struct echo_project *project = *state;

    write_chain(project);
    write_other_child(project, 'a');
    expect_totals(project, 0, 0, 3);
    write_other_child(project, 'b');
    expect_totals(project, 0, 0, 3);
    write_other_child(project, 'a');
    expect_totals(project, 0, 3, 0);
}

static void options_and_inputs_are_in_the_key(void **state)
{
    LWB_AUTO(program_run_release) struct program_run option = { 0 };
    LWB_AUTO(program_run_release) struct program_run input = { 0 };
    LWB_AUTO(program_run_release) struct program_run changed = { 0 };

    write_chain(*state);
    echo_project_write(*state, "table.txt", "1");
    expect_totals(*state, 0, 0, 3);
    echo_project_check(&option, *state, "--format", "json", "-Dx=1", "C.lean", NULL);
    assert_int_equal(echo_project_total(&option, "checked"), 3);
    echo_project_check(&input, *state, "--format", "json", "--input", "table.txt", "C.lean", NULL);
    assert_int_equal(echo_project_total(&input, "checked"), 3);
    echo_project_write(*state, "table.txt", "2");
    echo_project_check(&changed, *state, "--format", "json", "--input", "table.txt", "C.lean",
                       NULL);
    assert_int_equal(echo_project_total(&changed, "checked"), 3);
}

static void inputs_that_trade_places_are_a_change(void **state)
{
    LWB_AUTO(program_run_release) struct program_run before = { 0 };
    LWB_AUTO(program_run_release) struct program_run traded = { 0 };
    LWB_AUTO(program_run_release) struct program_run renamed = { 0 };

    echo_project_write(*state, "A.lean", "def a := 1\n");
    echo_project_write(*state, "one.txt", "1");
    echo_project_write(*state, "two.txt", "2");
    echo_project_check(&before, *state, "--input", "one.txt", "--input", "two.txt", "A.lean", NULL);
    ASSERT_RUN(before, 0);
    echo_project_write(*state, "one.txt", "2");
    echo_project_write(*state, "two.txt", "1");
    echo_project_check(&traded, *state, "--format", "json", "--input", "two.txt", "--input",
                       "one.txt", "A.lean", NULL);
    assert_int_equal(echo_project_total(&traded, "checked"), 1);
    /* A module that reads one.txt must not be told that it is still there. */
    echo_project_write(*state, "three.txt", "1");
    echo_project_check(&renamed, *state, "--format", "json", "--input", "three.txt", "--input",
                       "one.txt", "A.lean", NULL);
    assert_int_equal(echo_project_total(&renamed, "checked"), 1);
}

static void fresh_does_not_take_warm_results_but_warm_takes_fresh_ones(void **state)
{
    LWB_AUTO(program_run_release) struct program_run fresh = { 0 };

    write_chain(*state);
    expect_totals(*state, 0, 0, 3);
    echo_project_check(&fresh, *state, "--format", "json", "--isolation", "fresh", "A.lean",
                       "B.lean", "C.lean", NULL);
    ASSERT_RUN(fresh, 0);
    assert_int_equal(echo_project_total(&fresh, "checked"), 3);
    expect_totals(*state, 0, 3, 0);
}

static void many_modules_keep_their_order(void **state)
{
    enum { MODULES = 40 };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    char list[MODULES * 16] = "";
    const char *at;

    for (int i = 0; i < MODULES; i++) {
        char name[16], text[64];
        size_t len = strlen(list);

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        (void)snprintf(text, sizeof(text), "-- echo: spin %d\n-- echo: warn 1:0 number %d\n",
                       (MODULES - i) % 7, i);
        echo_project_write(*state, name, text);
        (void)snprintf(list + len, sizeof(list) - len, "%s\n", name);
    }
    echo_project_write(*state, "list.rsp", list);
    echo_project_check(&run, *state, "--jobs", "4", "@list.rsp", NULL);
    ASSERT_RUN(run, 0);
    at = lwb_buf_text(&run.out);
    for (int i = 0; i < MODULES; i++) {
        char expected[64];

        (void)snprintf(expected, sizeof(expected), "M%02d.lean:1:0: warning: number %d\n", i, i);
        assert_memory_equal(at, expected, strlen(expected));
        at += strlen(expected);
    }
    assert_string_equal(at, "");
}

static void explain_names_what_changed(void **state)
{
    LWB_AUTO(program_run_release) struct program_run first = { 0 };
    LWB_AUTO(program_run_release) struct program_run second = { 0 };

    write_chain(*state);
    echo_project_check(&first, *state, "--explain", "A.lean", NULL);
    assert_non_null(strstr(lwb_buf_text(&first.err), "A: checked because it was never seen"));
    echo_project_write(*state, "A.lean", "def a := 3\n");
    echo_project_check(&second, *state, "--explain", "A.lean", NULL);
    assert_non_null(strstr(lwb_buf_text(&second.err), "A: checked because this changed: source"));
}

static void a_trace_tells_of_a_child_from_start_to_end(void **state)
{
    static const char *const events[] = { "\"event\":\"worker_start\"",
                                          "\"event\":\"module_checked\",\"module\":\"A\"",
                                          "\"event\":\"worker_stopped\"",
                                          "\"outcome\":\"graceful\"" };
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace = LWB_BUF(1 << 20);
    struct lwb_error err;
    const char *at;

    write_chain(project);
    echo_project_check(&run, project, "--trace", "../trace", "A.lean", NULL);
    ASSERT_RUN(run, 0);
    assert_int_equal(lwb_file_read(&trace, scratch_path(&project->scratch, "trace"), NULL, &err),
                     LWB_OK);
    at = lwb_buf_text(&trace);
    for (size_t i = 0; i < LWB_COUNT(events); i++)
        assert_non_null(at = strstr(at, events[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(the_first_run_checks_and_the_second_hits),
        IN_A_PROJECT(a_clean_check_says_nothing),
        IN_A_PROJECT(an_edit_checks_what_depends_on_it),
        IN_A_PROJECT(a_reverted_edit_hits),
        IN_A_PROJECT(an_artifact_that_stays_the_same_spares_the_dependents),
        IN_A_PROJECT(an_edit_deep_below_reaches_the_top_although_the_middle_is_the_same),
        IN_A_PROJECT(a_moved_tree_hits),
        IN_A_PROJECT(jobs_and_environment_are_not_in_the_key),
        IN_A_PROJECT(the_sources_of_the_host_are_in_the_key),
        IN_A_PROJECT(options_and_inputs_are_in_the_key),
        IN_A_PROJECT(inputs_that_trade_places_are_a_change),
        IN_A_PROJECT(fresh_does_not_take_warm_results_but_warm_takes_fresh_ones),
        IN_A_PROJECT(many_modules_keep_their_order),
        IN_A_PROJECT(explain_names_what_changed),
        IN_A_PROJECT(a_trace_tells_of_a_child_from_start_to_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
