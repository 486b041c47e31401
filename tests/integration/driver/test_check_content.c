#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"

/*
 * --by-content, on a file system whose dates stand still (still_dates.c): an
 * edit in place, to as many bytes, shows in nothing but the content.
 */
#define GOOD "-- all is well in this\n"
#define BAD "-- echo: error 1:0 no\n\n"

static int with_still_dates(void **state)
{
    const char *options = getenv("ASAN_OPTIONS");
    char more[4096];

    (void)snprintf(more, sizeof(more), "%s:verify_asan_link_order=0", options ? options : "");
    assert_int_equal(0, setenv("ASAN_OPTIONS", more, 1));
    return echo_project_setup(state);
}

static void edit_in_place(struct echo_project *project, const char *name, const char *content)
{
    int fd = open(scratch_path(&project->scratch, name), O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(strlen(content), write(fd, content, strlen(content)));
    close(fd);
}

static void check(struct program_run *run, struct echo_project *project, const char *option)
{
    assert_int_equal(0, setenv("LD_PRELOAD", STILL_DATES, 1));
    echo_project_check(run, project, "--input", "input.lean", "A.lean", "B.lean", "--format",
                       "json", option, NULL);
    assert_int_equal(0, unsetenv("LD_PRELOAD"));
}

/* How many of the modules had to be checked, and how that ended. */
static void expect(struct echo_project *project, const char *option, int code, long checked)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    check(&run, project, option);
    ASSERT_RUN(run, code);
    assert_int_equal(checked, echo_project_total(&run, "checked"));
}

static void make_project(struct echo_project *project)
{
    echo_project_write(project, "A.lean", GOOD);
    echo_project_write(project, "B.lean", "def b := 1\n");
    echo_project_write(project, "input.lean", "one");
}

static void a_source_is_read_whatever_its_dates_say(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    expect(project, "--by-content", 0, 2);
    expect(project, "--by-content", 0, 0);
    edit_in_place(project, "src/A.lean", BAD);
    expect(project, "--by-content", 1, 1);
    edit_in_place(project, "src/A.lean", GOOD);
    expect(project, "--by-content", 0, 0);
}

/* Of which a run by dates remembers what its content was. */
static void other_inputs_are_read_too(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    expect(project, NULL, 0, 2);
    edit_in_place(project, "src/input.lean", "two");
    expect(project, NULL, 0, 0);
    expect(project, "--by-content", 0, 2);
}

/* The snapshot of a run by dates answers no run by content, and such a run leaves none. */
static void no_snapshot_answers(void **state)
{
    static const struct {
        const char *content;
        const char *option;
        int code;
    } rounds[] = {
        { GOOD, NULL, 0 },           { BAD, NULL, 0 },
        { BAD, "--by-content", 1 },  { GOOD, NULL, 0 },
        { GOOD, "--by-content", 0 }, { BAD, NULL, 1 },
    };
    struct echo_project *project = *state;

    make_project(project);
    for (size_t i = 0; i < LWB_COUNT(rounds); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        edit_in_place(project, "src/A.lean", rounds[i].content);
        assert_int_equal(0, setenv("LD_PRELOAD", STILL_DATES, 1));
        echo_project_check(&run, project, "A.lean", "--stamp",
                           scratch_path(&project->scratch, "build/stamp"), rounds[i].option, NULL);
        assert_int_equal(0, unsetenv("LD_PRELOAD"));
        ASSERT_RUN(run, rounds[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_source_is_read_whatever_its_dates_say, with_still_dates,
                                        echo_project_teardown),
        cmocka_unit_test_setup_teardown(other_inputs_are_read_too, with_still_dates,
                                        echo_project_teardown),
        cmocka_unit_test_setup_teardown(no_snapshot_answers, with_still_dates,
                                        echo_project_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
