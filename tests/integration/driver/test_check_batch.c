#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/driver/rest_project.h"

/*
 * Runs without a snapshot over modules that were all answered before: one
 * look-up for a batch of them, the same answer as one by one.
 */
enum { MODULES = 24 };

static void write_module(struct echo_project *project, unsigned module, const char *content)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%c%02u.lean", module < 20 ? 'M' : 'N', module % 20);
    echo_project_write(project, name, content);
}

/* Two with messages, one of which is rejected, so that it matters who answers. */
static void make_project(struct echo_project *project)
{
    for (unsigned i = 0; i < MODULES; i++)
        write_module(project, i, "def m := 1\n");
    write_module(project, 3, "-- echo: warn 1:0 look\n");
    write_module(project, 7, "-- echo: error 1:0 no\n");
    rest_wait_for_the_clock(project);
}

/* A run that has to ask the cache. */
static void check(struct rest_run *run, struct echo_project *project, const char *extra)
{
    (void)unlink(scratch_path(&project->scratch, "build/stamp.snapshot"));
    rest_check_with(run, project, "stamp", extra);
}

#define EXPECT_RUN(project, extra, n_batches, n_hits, n_checked)                                   \
    do {                                                                                           \
        LWB_AUTO(rest_run_release) struct rest_run run_ = { 0 };                                   \
                                                                                                   \
        check(&run_, (project), (extra));                                                          \
        ASSERT_RUN(run_.run, 1);                                                                   \
        ASSERT_SAYS(run_.run.out, "M03.lean:1:0: warning: look");                                  \
        ASSERT_SAYS(run_.run.out, "M07.lean:1:0: error: no");                                      \
        assert_int_equal(rest_events(&run_, "batch_hit"), (n_batches));                            \
        assert_int_equal(rest_events(&run_, "cache_hit"), (n_hits));                               \
        assert_int_equal(rest_events(&run_, "module_checked"), (n_checked));                       \
    } while (0)

static void what_was_answered_together_is_one_look_up(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run other = { 0 };

    make_project(project);
    EXPECT_RUN(project, NULL, 0, 0, MODULES);
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
    EXPECT_RUN(project, "--read-only", 1, MODULES, 0);
    rest_check(&other, project, "another-build-folder");
    assert_int_equal(rest_events(&other, "batch_hit"), 1);
}

static void one_edit_is_one_module_and_another_batch(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    EXPECT_RUN(project, NULL, 0, 0, MODULES);
    write_module(project, 5, "def m := 2\n");
    rest_wait_for_the_clock(project);
    EXPECT_RUN(project, NULL, 0, MODULES - 1, 1);
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
    write_module(project, 5, "def m := 1\n");
    rest_wait_for_the_clock(project);
    EXPECT_RUN(project, NULL, 0, MODULES, 0); /* all known, but its place was taken */
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
}

static void warm_results_are_no_batch_for_a_fresh_run(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    EXPECT_RUN(project, NULL, 0, 0, MODULES);
    EXPECT_RUN(project, "--isolation=fresh", 0, 0, MODULES);
    EXPECT_RUN(project, "--isolation=fresh", 0, MODULES, 0); /* stored when it replaced others */
    EXPECT_RUN(project, "--isolation=fresh", 1, MODULES, 0);
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
}

static void checking_again_on_demand_is_no_batch(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    EXPECT_RUN(project, NULL, 0, 0, MODULES);
    EXPECT_RUN(project, "--recache", 0, 0, MODULES);
    EXPECT_RUN(project, NULL, 0, MODULES, 0);
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
}

static void a_yes_that_is_not_confirmed_is_in_no_batch(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run confirm = { 0 };
    LWB_AUTO(rest_run_release) struct rest_run run = { 0 };

    make_project(project);
    for (unsigned i = 8; i < MODULES; i++) /* of so many some are confirmed */
        write_module(project, i, "-- echo: reject-when-fresh 1:0 not so\n");
    rest_wait_for_the_clock(project);
    EXPECT_RUN(project, NULL, 0, 0, MODULES);
    EXPECT_RUN(project, NULL, 1, MODULES, 0);
    check(&confirm, project, "--isolation=confirm");
    if (rest_events(&confirm, "module_checked") == 0)
        skip(); /* by their keys, none of these is one of those to confirm */
    check(&run, project, NULL);
    assert_int_equal(rest_events(&run, "batch_hit"), 0);
}

static void it_is_counted_and_explained(void **state)
{
    static const char *const words[] = { "--format", "tsv", NULL };
    struct echo_project *project = *state;
    LWB_AUTO(rest_run_release) struct rest_run first = { 0 };
    LWB_AUTO(rest_run_release) struct rest_run second = { 0 };
    LWB_AUTO(rest_run_release) struct rest_run third = { 0 };
    LWB_AUTO(program_run_release) struct program_run stats = { 0 };

    make_project(project);
    check(&first, project, "--explain");
    ASSERT_SAYS(first.run.err, "M00 and 23 more: looked up one by one because just these were "
                               "never answered together");
    check(&second, project, "--explain");
    ASSERT_SAYS(second.run.err, "M00 and 23 more: one look-up for all");
    check(&third, project, "--recache");
    rest_run_release(&second);
    check(&second, project, "--explain");
    ASSERT_SAYS(second.run.err, "M00 and 23 more: looked up one by one because results have been "
                                "evicted or replaced since they were");
    echo_project_command(&stats, project, "--stats", words);
    ASSERT_SAYS(stats.out, "hits\t48\n");
    ASSERT_SAYS(stats.out, "hits_batch\t24\n");
}

/* ---- at random ----------------------------------------------------------------------------- */

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static void edit_some(struct echo_project *project, unsigned *random)
{
    static const char *const contents[] = { "def m := ", "-- echo: warn 1:0 look ",
                                            "-- echo: error 1:0 no " };

    for (unsigned i = next_random(random) % 3; i > 0; i--) {
        const char *content = contents[next_random(random) % 3];
        char text[64];

        (void)snprintf(text, sizeof(text), "%s%u\n", content, next_random(random) % 3);
        write_module(project, next_random(random) % MODULES, text);
    }
}

static void trim_at_times(struct echo_project *project, unsigned *random)
{
    static const char *const none[] = { NULL };
    static const char *const small[] = { "--max-size", "1", NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    switch (next_random(random) % 12) {
    case 0:
        echo_project_command(&run, project, "cache clear", none);
        break;
    case 1:
        echo_project_command(&run, project, "cache trim", small);
        break;
    case 2:
        echo_project_command(&run, project, "cache verify", none);
        break;
    default:
        break;
    }
}

static void random_edits_come_to_the_answer_of_no_cache(void **state)
{
    static const char *const extra[] = { NULL, NULL, NULL, "--recache", "--isolation=fresh" };
    struct echo_project *project = *state;
    const char *given = getenv("LWB_SEED");
    unsigned random = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    size_t batches = 0;

    print_message("LWB_SEED=%u\n", random);
    make_project(project);
    for (unsigned step = 0; step < 40; step++) {
        LWB_AUTO(rest_run_release) struct rest_run with = { 0 };
        LWB_AUTO(rest_run_release) struct rest_run without = { 0 };

        edit_some(project, &random);
        trim_at_times(project, &random);
        check(&with, project, extra[next_random(&random) % 5]);
        rest_check_with(&without, project, "other", "--no-cache");
        assert_int_equal(with.run.exit_code, without.run.exit_code);
        assert_string_equal(lwb_buf_text(&with.run.out), lwb_buf_text(&without.run.out));
        batches += rest_events(&with, "batch_hit");
    }
    assert_true(batches > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(what_was_answered_together_is_one_look_up),
        IN_A_PROJECT(one_edit_is_one_module_and_another_batch),
        IN_A_PROJECT(warm_results_are_no_batch_for_a_fresh_run),
        IN_A_PROJECT(checking_again_on_demand_is_no_batch),
        IN_A_PROJECT(a_yes_that_is_not_confirmed_is_in_no_batch),
        IN_A_PROJECT(it_is_counted_and_explained),
        IN_A_PROJECT(random_edits_come_to_the_answer_of_no_cache),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
