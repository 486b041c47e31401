#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/integration/driver/echo_project.h"

/*
 * The short path: after an edit only the edited modules and what imports them
 * are looked at; a snapshot answers for the rest. It must come to the answer to
 * which a run without a snapshot comes.
 */

/* One run with the stamp build/<stamp>, and how often it did what. */
struct traced {
    struct program_run run;
    struct lwb_buf trace;
};

static void release(struct traced *traced)
{
    program_run_release(&traced->run);
    lwb_buf_release(&traced->trace);
}
LWB_DEFINE_AUTO(struct traced, release);

/* All sources of the project by name: a listed folder would be another question. */
static const char *const *targets(const struct echo_project *project)
{
    static char names[32][16];
    static const char *list[33];
    size_t count = 0;

    for (char first = 'A'; first <= 'R'; first++) {
        for (int i = -1; i < 20 && count < 32; i++) {
            char below[32];

            (void)snprintf(names[count], sizeof(names[count]), i < 0 ? "%c.lean" : "%c%02d.lean",
                           first, i);
            (void)snprintf(below, sizeof(below), "src/%s", names[count]);
            if (access(scratch_path(&project->scratch, below), F_OK) == 0) {
                list[count] = names[count];
                count++;
            }
        }
    }
    list[count] = NULL;
    return list;
}

static void check_with(struct traced *traced, struct echo_project *project, const char *stamp,
                       const char *extra)
{
    const char *const *target = targets(project);
    const char *trace = scratch_path(&project->scratch, "trace");
    LWB_AUTO(lwb_buf_release) struct lwb_buf stamp_path = LWB_BUF(256);
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(256);
    const char *words[40] = { "--stamp", NULL, "--depfile", NULL };
    struct program_handle handle;
    struct lwb_error err;

    lwb_buf_format(&stamp_path, "../build/%s", stamp);
    lwb_buf_format(&depfile, "../build/%s.d", stamp);
    words[1] = lwb_buf_text(&stamp_path);
    words[3] = lwb_buf_text(&depfile);
    for (size_t i = extra ? 5 : 4; *target; i++)
        words[i] = *target++;
    if (extra)
        words[4] = extra;
    *traced = (struct traced){ .trace = LWB_BUF(1 << 22) };
    (void)unlink(trace);
    assert_int_equal(setenv("LWBUILD_TRACE", trace, 1), 0);
    echo_project_start(&handle, project, words);
    assert_int_equal(unsetenv("LWBUILD_TRACE"), 0);
    program_wait(&traced->run, &handle);
    assert_int_equal(lwb_file_read(&traced->trace, trace, NULL, &err), LWB_OK);
}

static void check_as(struct traced *traced, struct echo_project *project, const char *stamp)
{
    check_with(traced, project, stamp, NULL);
}

static size_t events(const struct traced *traced, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(256);
    const char *at = lwb_buf_text(&traced->trace);
    size_t count = 0;

    lwb_buf_format(&text, "\"event\":\"%s\"", name);
    while ((at = strstr(at, lwb_buf_text(&text))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static size_t looked_at(const struct traced *traced)
{
    return events(traced, "cache_hit") + events(traced, "cache_miss");
}

/* By the file system's own word: what was written by now is old. */
static void let_the_clock_move_on(struct echo_project *project)
{
    struct lwb_file_stat st = { 0 };
    struct lwb_error err;
    int64_t now;

    assert_int_equal(lwb_file_now(&st.mtime_ns, project->scratch.dir, &err), LWB_OK);
    do
        assert_int_equal(lwb_file_now(&now, project->scratch.dir, &err), LWB_OK);
    while (lwb_file_stat_is_racy(&st, now));
}

static void edit(struct echo_project *project, const char *name, const char *content)
{
    echo_project_write(project, name, content);
    let_the_clock_move_on(project);
}

#define EXPECT(project, code, n_looked_at, n_checked)                                              \
    do {                                                                                           \
        LWB_AUTO(release) struct traced traced_ = { 0 };                                           \
                                                                                                   \
        check_as(&traced_, (project), "stamp");                                                    \
        ASSERT_RUN(traced_.run, (code));                                                           \
        assert_int_equal(looked_at(&traced_), (n_looked_at));                                      \
        assert_int_equal(events(&traced_, "module_checked"), (n_checked));                         \
    } while (0)

/* C imports B imports A; twelve others import nobody. */
enum { OTHERS = 12, ALL = OTHERS + 3 };

static void make_project(struct echo_project *project)
{
    echo_project_write(project, "A.lean", "def a := 1\n");
    echo_project_write(project, "B.lean", "import A\ndef b := 1\n");
    echo_project_write(project, "C.lean", "import B\ndef c := 1\n");
    for (int i = 0; i < OTHERS; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        echo_project_write(project, name, "def m := 1\n");
    }
    let_the_clock_move_on(project);
    EXPECT(project, 0, ALL, ALL);
    EXPECT(project, 0, 0, 0);
}

/* What a run without a snapshot says; `same` is what one with it said. */
static void compare_with_whole(struct echo_project *project, const struct traced *same)
{
    LWB_AUTO(release) struct traced whole = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf stamp = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole_stamp = LWB_BUF(4096);
    struct lwb_error err;

    (void)unlink(scratch_path(&project->scratch, "build/whole.snapshot"));
    check_as(&whole, project, "whole");
    if (whole.run.exit_code != same->run.exit_code ||
        strcmp(lwb_buf_text(&whole.run.out), lwb_buf_text(&same->run.out)) != 0)
        fail_msg("exit %d, and without a snapshot %d; stdout: %s, and without: %s; stderr: %s, and "
                 "without: %s",
                 same->run.exit_code, whole.run.exit_code, lwb_buf_text(&same->run.out),
                 lwb_buf_text(&whole.run.out), lwb_buf_text(&same->run.err),
                 lwb_buf_text(&whole.run.err));
    if (same->run.exit_code != 0)
        return;
    assert_int_equal(
        lwb_file_read(&stamp, scratch_path(&project->scratch, "build/stamp"), NULL, &err), LWB_OK);
    assert_int_equal(
        lwb_file_read(&whole_stamp, scratch_path(&project->scratch, "build/whole"), NULL, &err),
        LWB_OK);
    assert_string_equal(lwb_buf_text(&stamp), lwb_buf_text(&whole_stamp));
}

/* Returns how many modules were looked at. */
static size_t run_and_compare(struct echo_project *project)
{
    LWB_AUTO(release) struct traced traced = { 0 };

    check_as(&traced, project, "stamp");
    assert_in_range(traced.run.exit_code, 0, 1);
    compare_with_whole(project, &traced);
    return looked_at(&traced);
}

/* ---- which modules are looked at ----------------------------------------------------------- */

static void an_edited_leaf_is_all_that_is_looked_at(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0); /* the snapshot knows the edit */
    edit(project, "M04.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    EXPECT(project, 0, 0, 0);
}

static void what_an_edited_module_imports_is_looked_up(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    edit(project, "C.lean", "import B\ndef c := 2\n");
    EXPECT(project, 0, 3, 1);
    EXPECT(project, 0, 0, 0);
}

static void dependents_are_looked_at_as_far_as_the_artifact_changes(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    edit(project, "A.lean", "def a := 2\n");
    EXPECT(project, 0, 3, 3);
    edit(project, "A.lean", "def a := 2\n-- only a comment\n");
    EXPECT(project, 0, 3, 1);
    EXPECT(project, 0, 0, 0);
}

static void the_stamp_is_that_of_a_whole_run(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    edit(project, "B.lean", "import A\ndef b := 2\n");
    assert_int_equal(run_and_compare(project), 3);
    edit(project, "B.lean", "import A\ndef b := 1\n");
    assert_int_equal(run_and_compare(project), 3);
}

static void an_edit_of_half_a_project_is_a_whole_run(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    for (int i = 0; i < ALL / 2 + 1; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "M%02d.lean", i);
        echo_project_write(project, name, "def m := 2\n");
    }
    let_the_clock_move_on(project);
    EXPECT(project, 0, ALL, ALL / 2 + 1);
}

/* ---- what is more than an edit of a source ------------------------------------------------- */

static void another_header_is_planned_as_a_whole(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf depfile = LWB_BUF(1 << 20);
    struct lwb_error err;

    make_project(project);
    edit(project, "M03.lean", "import C\ndef m := 1\n");
    EXPECT(project, 0, ALL, 2); /* and C, which now has to have an artifact */
    EXPECT(project, 0, 0, 0);
    edit(project, "A.lean", "def a := 3\n");
    EXPECT(project, 0, 4, 4);
    edit(project, "M03.lean", "import C\nimport New\ndef m := 1\n");
    EXPECT(project, 3, 0, 0);
    edit(project, "New.lean", "def n := 1\n");
    EXPECT(project, 0, ALL + 1, 2);
    assert_int_equal(
        lwb_file_read(&depfile, scratch_path(&project->scratch, "build/stamp.d"), NULL, &err),
        LWB_OK);
    assert_non_null(strstr(lwb_buf_text(&depfile), "/New.lean"));
}

static void a_cycle_through_an_edit_is_found(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(release) struct traced traced = { 0 };

    make_project(project);
    edit(project, "A.lean", "import C\ndef a := 1\n");
    check_as(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 3);
    ASSERT_SAYS(traced.run.err, "import cycle");
}

static void a_source_that_is_gone_is_missed(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(release) struct traced traced = { 0 };

    make_project(project);
    assert_int_equal(unlink(scratch_path(&project->scratch, "src/A.lean")), 0);
    check_as(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 3);
    ASSERT_SAYS(traced.run.err, "imports A");
}

static void a_project_that_appears_is_planned_as_a_whole(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    scratch_write(&project->scratch, "lakefile.toml", "name = \"p\"\nno_such_key = 1\n");
    edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 3, 0, 0);
}

/* Looked at with one more word, in the same way each time. */
static size_t looked_at_with(struct echo_project *project, const char *extra)
{
    LWB_AUTO(release) struct traced traced = { 0 };

    check_with(&traced, project, "stamp", extra);
    ASSERT_RUN(traced.run, 0);
    return looked_at(&traced);
}

/* All keys have it in them, not only that of the module. */
static void a_source_that_is_an_input_concerns_everybody(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    assert_int_equal(looked_at_with(project, "--input=M03.lean"), ALL);
    assert_int_equal(looked_at_with(project, "--input=M03.lean"), 0);
    edit(project, "M03.lean", "def m := 2\n");
    assert_int_equal(looked_at_with(project, "--input=M03.lean"), ALL);
}

/* `lwbuild check .` in a Lake project takes the lakefile for a module as well. */
static void a_lakefile_that_is_a_module_concerns_everybody(void **state)
{
    struct echo_project *project = *state;

    echo_project_write(project, "lakefile.lean",
                       "import Lake\nopen Lake DSL\npackage p {\n  moreLeanArgs := "
                       "#[\"-Dx=1\"]\n}\nlean_lib A\n");
    echo_project_write(project, "Lake.lean", "def lake := 1\n");
    make_project(project);
    assert_int_equal(looked_at_with(project, "lakefile.lean"), ALL + 2);
    assert_int_equal(looked_at_with(project, "lakefile.lean"), 0);
    edit(project, "lakefile.lean",
         "import Lake\nopen Lake DSL\npackage p {\n  moreLeanArgs := "
         "#[\"-Dx=2\"]\n}\nlean_lib A\n");
    assert_int_equal(looked_at_with(project, "lakefile.lean"), ALL + 2);
}

/* Every eighth byte in turn: a snapshot that is not what was written says nothing. */
static void a_damaged_snapshot_says_nothing(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(lwb_buf_release) struct lwb_buf whole = LWB_BUF(1 << 22);
    struct lwb_error err;

    make_project(project);
    assert_int_equal(
        lwb_file_read(&whole, scratch_path(&project->scratch, "build/stamp.snapshot"), NULL, &err),
        LWB_OK);
    echo_project_write(project, "A.lean", "def a := 2\n");
    let_the_clock_move_on(project);
    for (size_t i = 0; i < whole.len; i += whole.len / 40) {
        LWB_AUTO(release) struct traced traced = { 0 };
        size_t len = i % 3 ? whole.len : i;

        whole.ptr[i] ^= 1;
        assert_int_equal(lwb_file_write(scratch_path(&project->scratch, "build/stamp.snapshot"),
                                        lwb_bytes(whole.ptr, len), 0600, &err),
                         LWB_OK);
        whole.ptr[i] ^= 1;
        check_as(&traced, project, "stamp");
        ASSERT_RUN(traced.run, 0);
        assert_int_equal(looked_at(&traced), ALL);
    }
}

/* ---- runs that are not accepted ------------------------------------------------------------ */

static void a_rejected_edit_leaves_the_rest_answered(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(release) struct traced traced = { 0 };

    make_project(project);
    edit(project, "B.lean", "import A\n-- echo: error 1:0 no\n");
    check_as(&traced, project, "stamp");
    ASSERT_RUN(traced.run, 1);
    ASSERT_SAYS(traced.run.out, "B.lean:1:0: error: no");
    ASSERT_SAYS(traced.run.err, "15 modules: 13 accepted, 1 rejected, 1 not checked");
    assert_int_equal(looked_at(&traced), 2); /* A and B; C waits for B */
    EXPECT(project, 1, 2, 0);                /* the no is replayed */
    edit(project, "B.lean", "import A\ndef b := 3\n");
    EXPECT(project, 0, 3, 2);
    EXPECT(project, 0, 0, 0);
}

static void warnings_are_replayed_until_they_are_gone(void **state)
{
    struct echo_project *project = *state;

    make_project(project);
    edit(project, "M03.lean", "-- echo: warn 1:0 look\n");
    for (int i = 0; i < 3; i++) {
        LWB_AUTO(release) struct traced traced = { 0 };

        check_as(&traced, project, "stamp");
        ASSERT_RUN(traced.run, 0);
        ASSERT_SAYS(traced.run.out, "M03.lean:1:0: warning: look");
        assert_int_equal(looked_at(&traced), 1);
    }
    assert_int_equal(run_and_compare(project), 1);
    edit(project, "M03.lean", "def m := 3\n");
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

    make_project(project);
    target = targets(project);
    for (size_t i = 4; *target; i++)
        words[i] = *target++;
    started = scratch_path(&project->scratch, "started");
    lwb_buf_format(&text, "-- echo: touch %s\n-- echo: wait %s\n", started,
                   scratch_path(&project->scratch, "go"));
    edit(project, "M03.lean", lwb_buf_text(&text));
    echo_project_start(&handle, project, words);
    while (access(started, F_OK) != 0)
        (void)usleep(1000);
    echo_project_write(project, "M07.lean", "-- echo: error 1:0 no\n");
    scratch_write(&project->scratch, "go", "");
    program_wait(&run, &handle);
    ASSERT_RUN(run, 4);
    ASSERT_SAYS(run.err, "changed during the run");
    assert_int_equal(access(scratch_path(&project->scratch, "build/stamp"), F_OK), -1);
    let_the_clock_move_on(project);
    {
        LWB_AUTO(release) struct traced traced = { 0 };

        check_as(&traced, project, "stamp");
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
    let_the_clock_move_on(project);
    echo_project_check(&yes, project, "A.lean", NULL);
    ASSERT_RUN(yes, 0);
    echo_project_check(&no, project, "--recache", "--isolation", "fresh", "A.lean", NULL);
    ASSERT_RUN(no, 1);
    echo_project_check(&again, project, "A.lean", NULL);
    ASSERT_RUN(again, 1);
}

/* Then none of the batch's warm verdicts stands, also of those that the snapshot answered for. */
static void what_is_not_confirmed_spoils_the_rest_of_its_batch(void **state)
{
    struct echo_project *project = *state;
    int code = 0;

    make_project(project);
    assert_int_equal(looked_at_with(project, "--isolation=confirm"), ALL);
    /* One accepted result of eight is confirmed, by its key. */
    for (int i = 0; code == 0 && i < 200; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(256);
        LWB_AUTO(release) struct traced traced = { 0 };

        lwb_buf_format(&text, "-- echo: reject-when-fresh 1:0 no\n-- %d\n", i);
        edit(project, "M03.lean", lwb_buf_text(&text));
        check_with(&traced, project, "stamp", "--isolation=confirm");
        code = traced.run.exit_code;
    }
    assert_int_equal(code, 4);
    edit(project, "M03.lean", "def m := 7\n");
    {
        LWB_AUTO(release) struct traced traced = { 0 };

        check_with(&traced, project, "stamp", "--isolation=confirm");
        ASSERT_RUN(traced.run, 0);
        assert_true(events(&traced, "module_checked") >= OTHERS);
    }
}

static void such_runs_count(void **state)
{
    static const char *const words[] = { "--format", "tsv", NULL };
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    make_project(project);
    edit(project, "M03.lean", "def m := 2\n");
    EXPECT(project, 0, 1, 1);
    edit(project, "C.lean", "import B\ndef c := 2\n");
    EXPECT(project, 0, 3, 1);
    echo_project_command(&run, project, "--stats", words);
    ASSERT_RUN(run, 0);
    ASSERT_SAYS(run.out, "runs\t4\n");
    ASSERT_SAYS(run.out, "modules\t60\n"); /* four times fifteen */
    ASSERT_SAYS(run.out, "hits\t43\n");
}

/* ---- at random ----------------------------------------------------------------------------- */

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

static void random_edits_come_to_the_answer_of_a_whole_run(void **state)
{
    struct echo_project *project = *state;
    unsigned imports[MODULES] = { 0 };
    const char *given = getenv("LWB_SEED");
    size_t short_runs = 0;
    unsigned random = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();

    print_message("LWB_SEED=%u\n", random);
    for (unsigned i = 0; i < MODULES; i++) {
        imports[i] = next_random(&random) & next_random(&random) & ((1u << i) - 1);
        write_module(project, i, &random, imports);
    }
    let_the_clock_move_on(project);
    (void)run_and_compare(project);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned edits = next_random(&random) % 3;

        for (unsigned i = 0; i <= edits; i++) {
            unsigned module = next_random(&random) % MODULES;

            if (next_random(&random) % 8 == 0)
                imports[module] ^= (1u << next_random(&random) % MODULES) & ((1u << module) - 1);
            write_module(project, module, &random, imports);
        }
        if (next_random(&random) % 4) /* else the edit is too fresh for a snapshot */
            let_the_clock_move_on(project);
        short_runs += run_and_compare(project) < MODULES;
    }
    assert_true(short_runs > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(an_edited_leaf_is_all_that_is_looked_at),
        IN_A_PROJECT(what_an_edited_module_imports_is_looked_up),
        IN_A_PROJECT(dependents_are_looked_at_as_far_as_the_artifact_changes),
        IN_A_PROJECT(the_stamp_is_that_of_a_whole_run),
        IN_A_PROJECT(an_edit_of_half_a_project_is_a_whole_run),
        IN_A_PROJECT(another_header_is_planned_as_a_whole),
        IN_A_PROJECT(a_cycle_through_an_edit_is_found),
        IN_A_PROJECT(a_source_that_is_gone_is_missed),
        IN_A_PROJECT(a_project_that_appears_is_planned_as_a_whole),
        IN_A_PROJECT(a_source_that_is_an_input_concerns_everybody),
        IN_A_PROJECT(a_lakefile_that_is_a_module_concerns_everybody),
        IN_A_PROJECT(a_damaged_snapshot_says_nothing),
        IN_A_PROJECT(a_rejected_edit_leaves_the_rest_answered),
        IN_A_PROJECT(warnings_are_replayed_until_they_are_gone),
        IN_A_PROJECT(an_edit_during_the_run_takes_the_stamp_back),
        IN_A_PROJECT(a_no_takes_back_snapshots_without_a_stamp),
        IN_A_PROJECT(what_is_not_confirmed_spoils_the_rest_of_its_batch),
        IN_A_PROJECT(such_runs_count),
        IN_A_PROJECT(random_edits_come_to_the_answer_of_a_whole_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
