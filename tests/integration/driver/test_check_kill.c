#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"

/*
 * Killed at any moment: nothing stays behind, nothing is invented, and the next
 * run is right. LWB_KILLS sets how often (default 40), LWB_SEED which moments.
 */
enum { MODULES = 24, DEFAULT_KILLS = 40, MAX_DELAY_US = 120 * 1000 };

static unsigned long setting(const char *name, unsigned long fallback)
{
    const char *value = getenv(name);

    return value && *value ? strtoul(value, NULL, 10) : fallback;
}

static void write_modules(struct echo_project *project, unsigned round)
{
    for (int i = 0; i < MODULES; i++) {
        char name[32], text[256];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        if (i % 5 == 4) /* every fifth is imported by the next one */
            (void)snprintf(text, sizeof(text), "-- echo: spin 2\ndef m%d := %u\n", i, round);
        else
            (void)snprintf(text, sizeof(text),
                           "import M%02d\n-- echo: spin 2\n-- echo: warn 3:0 round %u\n",
                           i / 5 * 5 + 4 < MODULES ? i / 5 * 5 + 4 : 4, round);
        echo_project_write(project, name, text);
    }
}

static void wait_a_moment(unsigned *seed)
{
    struct timespec moment = { 0, (long)(rand_r(seed) % MAX_DELAY_US) * 1000 };

    (void)nanosleep(&moment, NULL);
}

static void expect_right_answers(struct echo_project *project, unsigned round)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    char expected[64];
    size_t warnings = 0;

    echo_project_check(&run, project, "--jobs", "2", "@list.rsp", NULL);
    if (run.exit_code != 0)
        fail_msg("exit %d: %s%s", run.exit_code, lwb_buf_text(&run.out), lwb_buf_text(&run.err));
    (void)snprintf(expected, sizeof(expected), ":3:0: warning: round %u\n", round);
    for (const char *at = lwb_buf_text(&run.out); (at = strstr(at, expected)); at++)
        warnings++;
    assert_int_equal(warnings, MODULES - MODULES / 5);
}

static void killed_at_any_moment_the_next_run_is_right(void **state)
{
    struct echo_project *project = *state;
    const char *words[] = { "--jobs", "2", "@list.rsp", NULL };
    unsigned long kills = setting("LWB_KILLS", DEFAULT_KILLS);
    unsigned seed = (unsigned)setting("LWB_SEED", (unsigned long)time(NULL));
    char list[MODULES * 16] = "";

    print_message("LWB_SEED=%u\n", seed);
    for (int i = 0; i < MODULES; i++)
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "M%02d.lean\n", i);
    echo_project_write(project, "list.rsp", list);
    for (unsigned round = 0; round < kills; round++) {
        LWB_AUTO(program_run_release) struct program_run killed = { 0 };
        struct program_handle handle;

        write_modules(project, round);
        echo_project_start(&handle, project, words);
        wait_a_moment(&seed);
        (void)kill(handle.pid, SIGKILL);
        program_wait(&killed, &handle);
        while (program_has_child_of(handle.pid)) /* bounded by the test's time-out */
            wait_a_moment(&seed);
        if (round % 4 == 3)
            expect_right_answers(project, round);
    }
    expect_right_answers(project, (unsigned)kills - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_any_moment_the_next_run_is_right,
                                        echo_project_setup, echo_project_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
