#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/rest_project.h"

/* The short path under random edits: the answer is that of a run without a snapshot. */

enum { MODULES = 14, STEPS = 60 };

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* The module itself or one that it imports, directly or not. */
static unsigned some_import(const unsigned *imports, unsigned module, unsigned *random)
{
    while (imports[module] && next_random(random) % 3) {
        unsigned import;

        do
            import = next_random(random) % module;
        while (!(imports[module] >> import & 1));
        module = import;
    }
    return module;
}

/*
 * A module that imports some of those before it. Its artifact is one of two, and
 * at times it is only accepted if one of those below is of a certain kind; rarely
 * it is rejected in any case, or warns.
 */
static void write_module(struct echo_project *project, unsigned module, unsigned *random,
                         const unsigned *imports)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);
    unsigned below = some_import(imports, module, random);
    char name[32];

    for (unsigned i = 0; i < module; i++)
        if (imports[module] >> i & 1)
            lwb_buf_format(&text, "import R%02u\n", i);
    lwb_buf_format(&text, "-- echo: artifact kind%u\n-- %u\n", next_random(random) % 2,
                   next_random(random) % 3);
    if (below != module && next_random(random) % 4 == 0)
        lwb_buf_format(&text, "-- echo: require R%02u kind%u\n", below, next_random(random) % 2);
    if (next_random(random) % 24 == 0)
        lwb_buf_append_text(&text, "-- echo: error 1:0 no\n");
    if (next_random(random) % 24 == 0)
        lwb_buf_append_text(&text, "-- echo: warn 1:0 look\n");
    (void)snprintf(name, sizeof(name), "R%02u.lean", module);
    echo_project_write(project, name, lwb_buf_text(&text));
}

/* Another module that nobody imports comes, goes, or is called something else. */
static void change_others(struct echo_project *project, unsigned *random)
{
    static const char *const names[] = { "N00.lean", "N01.lean", "Below/N02.lean" };
    const char *name = names[next_random(random) % 3];
    char path[64];

    (void)snprintf(path, sizeof(path), "src/%s", name);
    if (access(scratch_path(&project->scratch, path), F_OK) != 0)
        echo_project_write(project, name, next_random(random) % 6 ? "" : "-- echo: error 1:0 no\n");
    else
        assert_int_equal(unlink(scratch_path(&project->scratch, path)), 0);
}

/* What editors and builds do beside the sources. */
static void litter(struct echo_project *project, unsigned *random)
{
    static const char *const names[] = { "R00.lean~", ".R01.lean.swp", "4913", "Below/notes",
                                         "empty/.keep" };
    const char *name = names[next_random(random) % 5];
    char path[64];

    (void)snprintf(path, sizeof(path), "src/%s", name);
    if (unlink(scratch_path(&project->scratch, path)) != 0)
        echo_project_write(project, name, "");
}

/* `imports`: of each module, as bits. */
static void edit_at_random(struct echo_project *project, unsigned *random, unsigned *imports)
{
    unsigned edits = next_random(random) % 3;

    for (unsigned i = 0; i <= edits; i++) {
        unsigned module = next_random(random) % MODULES;

        if (next_random(random) % 8 == 0)
            imports[module] ^= (1u << next_random(random) % MODULES) & ((1u << module) - 1);
        write_module(project, module, random, imports);
    }
    if (next_random(random) % 2)
        litter(project, random);
    if (project->by_folder && next_random(random) % 4 == 0)
        change_others(project, random);
}

static void come_to_the_answer_of_a_whole_run(struct echo_project *project)
{
    unsigned imports[MODULES] = { 0 };
    const char *given = getenv("LWB_SEED");
    size_t short_runs = 0;
    unsigned random = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();

    print_message("LWB_SEED=%u\n", random);
    for (unsigned i = 0; i < MODULES; i++) {
        imports[i] = next_random(&random) & next_random(&random) & ((1u << i) - 1);
        write_module(project, i, &random, imports);
    }
    rest_wait_for_the_clock(project);
    (void)rest_compare(project);
    for (unsigned step = 0; step < STEPS; step++) {
        edit_at_random(project, &random, imports);
        if (next_random(&random) % 4) /* else the edit is too fresh for a snapshot */
            rest_wait_for_the_clock(project);
        short_runs += rest_compare(project) < MODULES;
    }
    assert_true(short_runs > 0);
}

static void random_edits_of_named_sources(void **state)
{
    come_to_the_answer_of_a_whole_run(*state);
}

static void random_edits_in_a_listed_folder(void **state)
{
    struct echo_project *project = *state;

    project->by_folder = true;
    come_to_the_answer_of_a_whole_run(project);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(random_edits_of_named_sources),
        IN_A_PROJECT(random_edits_in_a_listed_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
