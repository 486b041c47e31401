#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/integration/driver/echo_project.h"

/*
 * Many drivers at once, as one Ninja edge per module starts them: same cache,
 * same shared import. LWB_DRIVERS sets how many (default 24).
 */
enum { LEAVES = 12, MAX_DRIVERS = 256 };

static size_t driver_count(void)
{
    const char *value = getenv("LWB_DRIVERS");
    unsigned long wanted = value && *value ? strtoul(value, NULL, 10) : 24;

    return wanted < MAX_DRIVERS ? wanted : MAX_DRIVERS;
}

static void write_project(struct echo_project *project, int round)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "-- echo: spin 20\ndef base := %d\n", round);
    echo_project_write(project, "Base.lean", text);
    for (int i = 0; i < LEAVES; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "L%02d.lean", i);
        (void)snprintf(text, sizeof(text), "import Base\n-- echo: warn 2:0 leaf %d round %d\n", i,
                       round);
        echo_project_write(project, name, text);
    }
}

static void many_drivers_agree(void **state)
{
    struct echo_project *project = *state;
    struct program_handle handles[MAX_DRIVERS];
    size_t drivers = driver_count();

    for (int round = 0; round < 3; round++) {
        LWB_AUTO(program_run_release) struct program_run all = { 0 };

        write_project(project, round);
        for (size_t i = 0; i < drivers; i++) {
            char name[32];
            const char *words[] = { "--jobs", "1", name, NULL };

            (void)snprintf(name, sizeof(name), "L%02zu.lean", i % LEAVES);
            echo_project_start(&handles[i], project, words);
        }
        for (size_t i = 0; i < drivers; i++) {
            LWB_AUTO(program_run_release) struct program_run run = { 0 };
            char expected[128];

            program_wait(&run, &handles[i]);
            (void)snprintf(expected, sizeof(expected),
                           "L%02zu.lean:2:0: warning: leaf %zu round %d\n", i % LEAVES, i % LEAVES,
                           round);
            if (run.exit_code != 0)
                fail_msg("exit %d: %s%s", run.exit_code, lwb_buf_text(&run.out),
                         lwb_buf_text(&run.err));
            assert_string_equal(lwb_buf_text(&run.out), expected);
            assert_string_equal(lwb_buf_text(&run.err), "");
        }
        /* Every result of theirs is there for the next one. */
        echo_project_check(&all, project, "--format", "json", "L00.lean", "L05.lean", "L11.lean",
                           NULL);
        assert_int_equal(echo_project_total(&all, "cached"), 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_drivers_agree, echo_project_setup,
                                        echo_project_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
