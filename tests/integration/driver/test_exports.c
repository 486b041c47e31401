#include "tests/support/test.h"

#include <stdio.h>

#include "tests/integration/driver/echo_project.h"

/*
 * What is judged of export files, by the real kernel: axioms and expected
 * theorems. Facts are stored, judgement is not, so each judgement must be the
 * same for a result from the kernel, from the cache and from a snapshot.
 */

#define HEAD                                                                                       \
    "{\"meta\":{\"format\":{\"version\":\"3.1.0\"}}}\n"                                            \
    "{\"in\":1,\"str\":{\"pre\":0,\"str\":\"P\"}}\n"                                               \
    "{\"in\":2,\"str\":{\"pre\":0,\"str\":\"trust_me\"}}\n"                                        \
    "{\"in\":3,\"str\":{\"pre\":0,\"str\":\"goal\"}}\n"                                            \
    "{\"ie\":0,\"sort\":0}\n"

/* axiom P : Prop; axiom trust_me : P; theorem goal : P := trust_me */
static const char on_axioms[] =
    HEAD "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":1,\"type\":0}}\n"
         "{\"const\":{\"name\":1,\"us\":[]},\"ie\":1}\n"
         "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":2,\"type\":1}}\n"
         "{\"const\":{\"name\":2,\"us\":[]},\"ie\":2}\n"
         "{\"thm\":{\"all\":[3],\"levelParams\":[],\"name\":3,\"type\":1,\"value\":2}}\n";

/* theorem goal : forall a : Prop, a -> a := fun a h => h; def P : Prop := the type of that */
static const char on_nothing[] =
    HEAD "{\"bvar\":0,\"ie\":1}\n"
         "{\"bvar\":1,\"ie\":2}\n"
         "{\"forallE\":{\"binderInfo\":\"default\",\"body\":2,\"name\":0,\"type\":1},\"ie\":3}\n"
         "{\"forallE\":{\"binderInfo\":\"default\",\"body\":3,\"name\":0,\"type\":0},\"ie\":4}\n"
         "{\"lam\":{\"binderInfo\":\"default\",\"body\":1,\"name\":0,\"type\":1},\"ie\":5}\n"
         "{\"lam\":{\"binderInfo\":\"default\",\"body\":5,\"name\":0,\"type\":0},\"ie\":6}\n"
         "{\"thm\":{\"all\":[3],\"levelParams\":[],\"name\":3,\"type\":4,\"value\":6}}\n"
         "{\"def\":{\"all\":[1],\"hints\":\"abbrev\",\"levelParams\":[],\"name\":1,"
         "\"safety\":\"safe\",\"type\":0,\"value\":4}}\n";

static int setup(void **state)
{
    struct echo_project *project;

    (void)echo_project_setup(state);
    project = *state;
    (void)snprintf(project->child, sizeof(project->child), "%s", LWB_REAL_CHILD);
    echo_project_write(project, "axioms.ndjson", on_axioms);
    echo_project_write(project, "nothing.ndjson", on_nothing);
    return 0;
}

#define JUDGED(test) cmocka_unit_test_setup_teardown(test, setup, echo_project_teardown)

static void check(struct program_run *run, struct echo_project *project, const char *const *words)
{
    echo_project_command(run, project, "check", words);
}

/* Three times: by the kernel, from the cache, and once more, which a snapshot may answer. */
static void expect_code(struct echo_project *project, const char *const *words, int code,
                        const char *text)
{
    for (int i = 0; i < 3; i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        check(&run, project, words);
        ASSERT_RUN(run, code);
        ASSERT_SAYS(run.out, text);
    }
}

static void an_axiom_is_refused_however_it_is_known(void **state)
{
    expect_code(
        *state, (const char *const[]){ "axioms.ndjson", NULL }, 1,
        "axioms.ndjson:6:0: error: axiom 'P' is not allowed (allow it with --allow-axiom P)");
}

static void an_axiom_counts_where_it_is_used(void **state)
{
    expect_code(*state,
                (const char *const[]){ "--allow-axiom", "P", "--allow-axiom", "trust",
                                       "axioms.ndjson", NULL },
                1, "error: 'goal' depends on axiom 'trust_me', which is not allowed");
}

static void axioms_that_are_allowed_are(void **state)
{
    expect_code(*state,
                (const char *const[]){ "--allow-axiom", "P", "--allow-axiom", "trust_me",
                                       "axioms.ndjson", NULL },
                0, "");
    expect_code(*state, (const char *const[]){ "--allow-axiom", "*", "axioms.ndjson", NULL }, 0,
                "");
    expect_code(*state, (const char *const[]){ "nothing.ndjson", NULL }, 0, "");
}

/* What one run was allowed, the next one is not. */
static void what_was_allowed_once_is_refused_the_next_time(void **state)
{
    expect_code(*state, (const char *const[]){ "--allow-axiom", "*", "axioms.ndjson", NULL }, 0,
                "");
    expect_code(*state, (const char *const[]){ "axioms.ndjson", NULL }, 1, "axiom 'P'");
}

static void a_theorem_that_is_expected_must_be_there(void **state)
{
    expect_code(*state, (const char *const[]){ "--expect", "goal", "nothing.ndjson", NULL }, 0, "");
    expect_code(
        *state,
        (const char *const[]){ "--expect", "goal", "--expect", "more", "nothing.ndjson", NULL }, 1,
        "error: the expected theorem 'more' is not proved by any accepted export");
}

static void only_a_theorem_is_what_is_expected(void **state)
{
    expect_code(*state, (const char *const[]){ "--expect", "P", "nothing.ndjson", NULL }, 1,
                "the expected theorem 'P' is not proved");
    expect_code(*state,
                (const char *const[]){ "--allow-axiom", "*", "--expect", "trust_me",
                                       "axioms.ndjson", NULL },
                1, "the expected theorem 'trust_me' is not proved");
}

/* It would be ignored, and somebody believes that it is not. */
static void what_only_lean_understands_is_refused(void **state)
{
    static const char *const cases[][4] = {
        { "-D", "a=1", "nothing.ndjson", NULL },
        { "--source-root", ".", "nothing.ndjson", NULL },
        { "--import-path", ".", "nothing.ndjson", NULL },
    };

    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        check(&run, *state, cases[i]);
        ASSERT_RUN(run, 2);
        ASSERT_SAYS(run.err, cases[i][0]);
        ASSERT_SAYS(run.err, "is for Lean modules; export files stand for themselves");
    }
}

static void an_export_of_nothing_is_no_proof(void **state)
{
    echo_project_write(*state, "empty.ndjson", "");
    expect_code(*state, (const char *const[]){ "empty.ndjson", NULL }, 1, "empty.ndjson:1");
    echo_project_write(*state, "head.ndjson", HEAD);
    expect_code(*state, (const char *const[]){ "head.ndjson", NULL }, 1, "head.ndjson:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        JUDGED(an_axiom_is_refused_however_it_is_known),
        JUDGED(an_axiom_counts_where_it_is_used),
        JUDGED(axioms_that_are_allowed_are),
        JUDGED(what_was_allowed_once_is_refused_the_next_time),
        JUDGED(a_theorem_that_is_expected_must_be_there),
        JUDGED(only_a_theorem_is_what_is_expected),
        JUDGED(what_only_lean_understands_is_refused),
        JUDGED(an_export_of_nothing_is_no_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
