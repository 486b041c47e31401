#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"

/* What is not accepted: rejections, no verdicts, wrong input; and what is kept of them. */

static void a_rejection_is_replayed_with_the_same_bytes(void **state)
{
    LWB_AUTO(program_run_release) struct program_run miss = { 0 };
    LWB_AUTO(program_run_release) struct program_run hit = { 0 };
    LWB_AUTO(program_run_release) struct program_run json = { 0 };

    echo_project_write(*state, "dir/A.lean", "-- echo: warn 1:2 first\n-- echo: error 3:5 no\n");
    echo_project_check(&miss, *state, "dir/A.lean", NULL);
    ASSERT_RUN(miss, 1);
    assert_string_equal(lwb_buf_text(&miss.out),
                        "dir/A.lean:1:2: warning: first\ndir/A.lean:3:5: error: no\n");
    echo_project_check(&hit, *state, "dir/A.lean", NULL);
    ASSERT_RUN(hit, 1);
    assert_string_equal(lwb_buf_text(&hit.out), lwb_buf_text(&miss.out));
    echo_project_check(&json, *state, "--format", "json", "dir/A.lean", NULL);
    ASSERT_RUN(json, 1);
    assert_int_equal(echo_project_total(&json, "cached"), 1);
}

static void what_imports_a_rejected_module_is_blocked_and_named_once(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "A.lean", "-- echo: error 1:0 bad\n");
    echo_project_write(*state, "B.lean", "import A\n");
    echo_project_write(*state, "C.lean", "import B\n");
    echo_project_write(*state, "D.lean", "-- echo: warn 1:0 alive\n");
    echo_project_check(&run, *state, "A.lean", "B.lean", "C.lean", "D.lean", NULL);
    ASSERT_RUN(run, 1);
    ASSERT_SAYS(run.out, "A.lean:1:0: error: bad");
    ASSERT_SAYS(run.out, "D.lean:1:0: warning: alive");
    ASSERT_SAYS(run.err, "not checked, because A was not accepted: B, C\n");
}

static void no_verdict_is_exit_4_and_is_not_stored(void **state)
{
    static const char *const sources[] = { "-- echo: none time it took too long\n",
                                           "-- echo: crash\n", "-- echo: exit 3\n",
                                           "-- echo: signal 11\n" };

    for (size_t i = 0; i < LWB_COUNT(sources); i++) {
        for (int again = 0; again < 2; again++) {
            LWB_AUTO(program_run_release) struct program_run run = { 0 };

            echo_project_write(*state, "A.lean", sources[i]);
            echo_project_check(&run, *state, "--format", "json", "A.lean", NULL);
            ASSERT_RUN(run, 4);
            assert_int_equal(echo_project_total(&run, "cached"), 0);
            assert_int_equal(echo_project_total(&run, "no_verdict"), 1);
            ASSERT_SAYS(run.err, "A.lean: no verdict");
        }
    }
}

static void a_crash_costs_one_module(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "A.lean", "-- echo: warn 1:0 a\n");
    echo_project_write(*state, "B.lean", "-- echo: crash\n");
    echo_project_write(*state, "C.lean", "-- echo: warn 1:0 c\n");
    echo_project_write(*state, "D.lean", "-- echo: warn 1:0 d\n");
    echo_project_check(&run, *state, "--jobs", "1", "A.lean", "B.lean", "C.lean", "D.lean", NULL);
    ASSERT_RUN(run, 4);
    assert_string_equal(lwb_buf_text(&run.out), "A.lean:1:0: warning: a\nC.lean:1:0: warning: c\n"
                                                "D.lean:1:0: warning: d\n");
}

static void many_crashes_do_not_starve_the_healthy(void **state)
{
    enum { CRASHES = 40 };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    char list[CRASHES * 16 + 32] = "";

    for (int i = 0; i < CRASHES; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        echo_project_write(*state, name, "-- echo: exit 9\n");
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s\n", name);
    }
    echo_project_write(*state, "Z.lean", "-- echo: warn 1:0 alive\n");
    (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "Z.lean\n");
    echo_project_write(*state, "list.rsp", list);
    echo_project_check(&run, *state, "--format", "json", "@list.rsp", NULL);
    ASSERT_RUN(run, 4);
    assert_int_equal(echo_project_total(&run, "no_verdict"), CRASHES);
    assert_int_equal(echo_project_total(&run, "accepted"), 1);
}

static void a_rejection_outweighs_a_missing_verdict(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "A.lean", "-- echo: crash\n");
    echo_project_write(*state, "B.lean", "-- echo: error 1:0 no\n");
    echo_project_check(&run, *state, "A.lean", "B.lean", NULL);
    ASSERT_RUN(run, 1);
}

static void a_rejection_that_rests_on_a_limit_is_not_stored(void **state)
{
    echo_project_write(*state, "A.lean", "-- echo: error 1:0 heartbeats\n-- echo: unstorable\n");
    for (int again = 0; again < 2; again++) {
        LWB_AUTO(program_run_release) struct program_run each = { 0 };

        echo_project_check(&each, *state, "--format", "json", "A.lean", NULL);
        ASSERT_RUN(each, 1);
        assert_int_equal(echo_project_total(&each, "cached"), 0);
    }
}

static void an_acceptance_that_must_not_be_kept_is_not(void **state)
{
    echo_project_write(*state, "A.lean", "-- echo: unstorable\n");
    for (int again = 0; again < 2; again++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };

        echo_project_check(&run, *state, "--format", "json", "A.lean", NULL);
        ASSERT_RUN(run, 0);
        assert_int_equal(echo_project_total(&run, "cached"), 0);
    }
}

static void time_runs_out(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "A.lean", "-- echo: hang\n");
    echo_project_write(*state, "B.lean", "-- echo: warn 1:0 b\n");
    echo_project_check(&run, *state, "--timeout", "1", "A.lean", "B.lean", NULL);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.out, "B.lean:1:0: warning: b");
    ASSERT_SAYS(run.err, "A.lean: no verdict (time)");
}

static void policy_judges_hits_and_misses_alike(void **state)
{
    echo_project_write(*state, "A.lean", "-- echo: warn 1:0 declaration uses 'sorry'\n");
    for (int again = 0; again < 2; again++) {
        LWB_AUTO(program_run_release) struct program_run plain = { 0 };
        LWB_AUTO(program_run_release) struct program_run warning = { 0 };
        LWB_AUTO(program_run_release) struct program_run sorry = { 0 };

        echo_project_check(&plain, *state, "A.lean", NULL);
        ASSERT_RUN(plain, 0);
        echo_project_check(&warning, *state, "--fail-on", "warning", "A.lean", NULL);
        ASSERT_RUN(warning, 1);
        echo_project_check(&sorry, *state, "--fail-on", "sorry", "A.lean", NULL);
        ASSERT_RUN(sorry, 1);
        assert_string_equal(lwb_buf_text(&plain.out), lwb_buf_text(&sorry.out));
        ASSERT_SAYS(sorry.err, "A.lean: rejected by --fail-on sorry\n");
    }
}

/* One in eight is confirmed, chosen by key: among so many there is one (or once in 10^9 not). */
static void write_many(struct echo_project *project, const char *directive)
{
    enum { MODULES = 160 };
    char list[MODULES * 16] = "";

    for (int i = 0; i < MODULES; i++) {
        char name[16], text[64];
        size_t len = strlen(list);

        (void)snprintf(name, sizeof(name), "M%03d.lean", i);
        (void)snprintf(text, sizeof(text), "-- echo: %s 1:0 %d\n", directive, i);
        echo_project_write(project, name, text);
        (void)snprintf(list + len, sizeof(list) - len, "%s\n", name);
    }
    echo_project_write(project, "list.rsp", list);
}

static void confirm_confirms_what_is_in_the_cache_as_well(void **state)
{
    LWB_AUTO(program_run_release) struct program_run warm = { 0 };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    write_many(*state, "reject-when-fresh");
    echo_project_check(&warm, *state, "@list.rsp", NULL);
    ASSERT_RUN(warm, 0);
    echo_project_check(&run, *state, "--format", "json", "--isolation", "confirm", "@list.rsp",
                       NULL);
    assert_int_not_equal(run.exit_code, 0);
    ASSERT_SAYS(run.err, "a fresh process did not");

    /* None of the verdicts that the first run stored is trusted any more. */
    echo_project_check(&again, *state, "--format", "json", "@list.rsp", NULL);
    assert_int_equal(echo_project_total(&again, "cached"), echo_project_total(&run, "rejected"));
}

/* One worker is still at it when another one's verdict turns out not to stand. */
static void a_verdict_that_comes_after_the_trust_is_lost_is_not_kept(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    const char *go;
    char text[400];

    write_many(project, "reject-when-fresh");
    go = scratch_path(&project->scratch, "go");
    (void)snprintf(text, sizeof(text), "-- echo: wait %s\n-- echo: reject-when-fresh 1:0 A\n", go);
    echo_project_write(project, "A.lean", text);
    (void)snprintf(text, sizeof(text), "-- echo: touch %s\n", go);
    echo_project_write(project, "Z.lean", text);
    echo_project_check(&run, project, "--format", "json", "--jobs", "2", "--isolation", "confirm",
                       "A.lean", "@list.rsp", "Z.lean", NULL);
    assert_int_not_equal(run.exit_code, 0);
    ASSERT_SAYS(run.err, "a fresh process did not");

    /* What was checked fresh is kept: those that it rejected, and Z. */
    echo_project_check(&again, project, "--format", "json", "A.lean", "@list.rsp", "Z.lean", NULL);
    assert_int_equal(echo_project_total(&again, "cached"),
                     echo_project_total(&run, "rejected") + 1);
}

static void what_was_confirmed_is_not_confirmed_again(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    write_many(*state, "info");
    echo_project_check(&run, *state, "--isolation", "confirm", "@list.rsp", NULL);
    ASSERT_RUN(run, 0);
    echo_project_check(&again, *state, "--format", "json", "--isolation", "confirm", "@list.rsp",
                       NULL);
    ASSERT_RUN(again, 0);
    assert_int_equal(echo_project_total(&again, "checked"), 0);
}

static void a_no_replaces_the_yes_of_a_fresh_process(void **state)
{
    LWB_AUTO(program_run_release) struct program_run fresh = { 0 };
    LWB_AUTO(program_run_release) struct program_run recached = { 0 };
    LWB_AUTO(program_run_release) struct program_run after = { 0 };

    echo_project_write(*state, "A.lean", "-- echo: reject-when-warm 1:0 no\n");
    echo_project_check(&fresh, *state, "--isolation", "fresh", "A.lean", NULL);
    ASSERT_RUN(fresh, 0);
    echo_project_check(&recached, *state, "--recache", "A.lean", NULL);
    ASSERT_RUN(recached, 1);
    echo_project_check(&after, *state, "A.lean", NULL);
    ASSERT_RUN(after, 1);
}

static void confirm_catches_a_verdict_that_depends_on_the_worker(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };

    write_many(*state, "reject-when-fresh");
    echo_project_check(&run, *state, "--format", "json", "--jobs", "1", "--isolation", "confirm",
                       "@list.rsp", NULL);
    ASSERT_RUN(run, 1); /* what came after it was checked fresh, and rejected */
    ASSERT_SAYS(run.err, "a fresh process did not");
    assert_int_equal(echo_project_total(&run, "no_verdict"), 1);

    /* The warm verdicts from before were not kept, the fresh ones were. */
    echo_project_check(&again, *state, "--format", "json", "@list.rsp", NULL);
    assert_int_equal(echo_project_total(&again, "checked"),
                     echo_project_total(&run, "accepted") + 1);
    assert_int_equal(echo_project_total(&again, "cached"), echo_project_total(&run, "rejected"));
}

/* A fresh process that dies has confirmed nothing; the rest of the run goes on warm. */
static void what_no_fresh_process_could_confirm_is_not_accepted(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    long open;

    write_many(*state, "crash-when-fresh");
    echo_project_check(&run, *state, "--format", "json", "--isolation", "confirm", "@list.rsp",
                       NULL);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, "a fresh process came to no verdict: ");
    open = echo_project_total(&run, "no_verdict");
    assert_true(open >= 1);
    assert_int_equal(echo_project_total(&run, "rejected"), 0);

    echo_project_check(&again, *state, "--format", "json", "@list.rsp", NULL);
    ASSERT_RUN(again, 0);
    assert_int_equal(echo_project_total(&again, "checked"), open);
}

static void a_warning_behind_too_many_messages_is_not_overlooked(void **state)
{
    LWB_AUTO(program_run_release) struct program_run plain = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    LWB_AUTO(program_run_release) struct program_run sorry = { 0 };

    echo_project_write(*state, "A.lean",
                       "-- echo: flood 9000000\n"
                       "-- echo: flood 9000000\n"
                       "-- echo: warn 3:0 declaration uses 'sorry'\n");
    echo_project_check(&plain, *state, "A.lean", NULL);
    ASSERT_RUN(plain, 0);
    assert_null(strstr(lwb_buf_text(&plain.out), "sorry"));
    echo_project_check(&again, *state, "--format", "json", "A.lean", NULL);
    assert_int_equal(echo_project_total(&again, "cached"), 0); /* some of it is missing */
    echo_project_check(&sorry, *state, "--fail-on", "sorry", "A.lean", NULL);
    ASSERT_RUN(sorry, 4);
    ASSERT_SAYS(sorry.err, "too many");
}

static void a_cycle_is_named_by_its_path(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    echo_project_write(*state, "A.lean", "import B\n");
    echo_project_write(*state, "B.lean", "import C\n");
    echo_project_write(*state, "C.lean", "import A\n");
    echo_project_check(&run, *state, "A.lean", NULL);
    ASSERT_RUN(run, 3);
    ASSERT_SAYS(run.err, "A");
    ASSERT_SAYS(run.err, "B");
    ASSERT_SAYS(run.err, "C");
}

static void a_cache_that_cannot_be_used_does_not_fail_the_check(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    scratch_write(&project->scratch, "cache", "a file where the folder should be");
    echo_project_write(project, "A.lean", "-- echo: warn 1:0 a\n");
    echo_project_check(&run, project, "A.lean", NULL);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.out, "A.lean:1:0: warning: a");
    ASSERT_SAYS(run.err, "the cache is not used");
}

static void a_damaged_cache_is_replaced(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run first = { 0 };
    LWB_AUTO(program_run_release) struct program_run damaged = { 0 };
    LWB_AUTO(program_run_release) struct program_run after = { 0 };
    char garbage[8192];

    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_check(&first, project, "A.lean", NULL);
    ASSERT_RUN(first, 0);
    memset(garbage, 'x', sizeof(garbage) - 1);
    garbage[sizeof(garbage) - 1] = '\0';
    scratch_write(&project->scratch, "cache/cache.db", garbage);
    echo_project_check(&damaged, project, "--format", "json", "A.lean", NULL);
    ASSERT_RUN(damaged, 0);
    assert_int_equal(echo_project_total(&damaged, "checked"), 1);
    echo_project_check(&after, project, "--format", "json", "A.lean", NULL);
    ASSERT_RUN(after, 0);
    assert_int_equal(echo_project_total(&after, "cached"), 1);
}

static void what_was_checked_while_an_input_changed_is_not_kept(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    LWB_AUTO(program_run_release) struct program_run bare = { 0 };
    LWB_AUTO(program_run_release) struct program_run stampless = { 0 };
    const char *const without_cache[] = { "--no-cache", "--stamp",   "../build/stamp",
                                          "--input",    "table.txt", "A.lean",
                                          NULL };
    struct program_handle handle;
    char text[400];

    /* The check itself edits a file that its key was made from. */
    echo_project_write(project, "table.txt", "before");
    (void)snprintf(text, sizeof(text), "-- echo: touch %s\n",
                   scratch_path(&project->scratch, "src/table.txt"));
    echo_project_write(project, "A.lean", text);
    echo_project_check(&run, project, "--stamp", "../build/stamp", "--input", "table.txt", "A.lean",
                       NULL);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, "table.txt was changed during the run");
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    echo_project_write(project, "table.txt", "before");
    echo_project_start(&handle, project, without_cache);
    program_wait(&bare, &handle);
    ASSERT_RUN(bare, 4);
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    echo_project_write(project, "table.txt", "before");
    echo_project_check(&stampless, project, "--input", "table.txt", "A.lean", NULL);
    ASSERT_RUN(stampless, 4);
    echo_project_write(project, "table.txt", "before");
    echo_project_check(&again, project, "--format", "json", "--input", "table.txt", "A.lean", NULL);
    assert_int_equal(echo_project_total(&again, "cached"), 0);
}

/* Wait until a file is there; bounded by the test's time-out. */
static void wait_for(const char *path)
{
    while (access(path, F_OK) != 0)
        (void)usleep(1000);
}

static void an_interrupt_ends_everything(void **state)
{
    static const int signals[] = { SIGINT, SIGTERM };
    struct echo_project *project = *state;

    for (size_t i = 0; i < LWB_COUNT(signals); i++) {
        LWB_AUTO(program_run_release) struct program_run run = { 0 };
        const char *words[] = { "--stamp", "../build/stamp", "A.lean", "B.lean", NULL };
        const char *started = scratch_path(&project->scratch, "src/started");
        struct program_handle handle;
        char text[400];

        (void)unlink(started);
        (void)snprintf(text, sizeof(text), "-- echo: touch %s\n-- echo: hang\n", started);
        echo_project_write(project, "A.lean", text);
        echo_project_write(project, "B.lean", "-- echo: hang\n");
        echo_project_start(&handle, project, words);
        wait_for(started);
        assert_int_equal(kill(handle.pid, signals[i]), 0);
        program_wait(&run, &handle);
        ASSERT_RUN(run, 130);
        assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(a_rejection_is_replayed_with_the_same_bytes),
        IN_A_PROJECT(what_imports_a_rejected_module_is_blocked_and_named_once),
        IN_A_PROJECT(no_verdict_is_exit_4_and_is_not_stored),
        IN_A_PROJECT(a_crash_costs_one_module),
        IN_A_PROJECT(many_crashes_do_not_starve_the_healthy),
        IN_A_PROJECT(a_rejection_outweighs_a_missing_verdict),
        IN_A_PROJECT(a_rejection_that_rests_on_a_limit_is_not_stored),
        IN_A_PROJECT(an_acceptance_that_must_not_be_kept_is_not),
        IN_A_PROJECT(time_runs_out),
        IN_A_PROJECT(policy_judges_hits_and_misses_alike),
        IN_A_PROJECT(a_warning_behind_too_many_messages_is_not_overlooked),
        IN_A_PROJECT(confirm_confirms_what_is_in_the_cache_as_well),
        IN_A_PROJECT(a_verdict_that_comes_after_the_trust_is_lost_is_not_kept),
        IN_A_PROJECT(what_was_confirmed_is_not_confirmed_again),
        IN_A_PROJECT(a_no_replaces_the_yes_of_a_fresh_process),
        IN_A_PROJECT(confirm_catches_a_verdict_that_depends_on_the_worker),
        IN_A_PROJECT(what_no_fresh_process_could_confirm_is_not_accepted),
        IN_A_PROJECT(a_cycle_is_named_by_its_path),
        IN_A_PROJECT(a_cache_that_cannot_be_used_does_not_fail_the_check),
        IN_A_PROJECT(a_damaged_cache_is_replaced),
        IN_A_PROJECT(what_was_checked_while_an_input_changed_is_not_kept),
        IN_A_PROJECT(an_interrupt_ends_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
