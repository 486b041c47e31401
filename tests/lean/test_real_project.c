#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/support/program.h"
#include "tests/support/real_lean.h"
#include "tests/support/scratch.h"

/*
 * Projects as a user has them, checked by the program with an installed Lean:
 * what runs again after which edit. LWBUILD_TEST_LEAN_SOURCES names the folder
 * with that Lean's own Std.lean, Std/, Init.lean and Init/, if it is there.
 * LWB_LONG_TESTS makes the generated project larger and takes Init along.
 */
static struct lwb_toolchain toolchain;

struct project {
    struct scratch scratch; /* src/ and cache/ */
};

static void make_project(struct project *project, const char *libraries)
{
    char text[400];

    scratch_make(&project->scratch);
    (void)snprintf(text, sizeof(text), "name = \"p\"\n%s", libraries);
    scratch_write(&project->scratch, "src/lakefile.toml", text);
}

static void write_module(struct project *project, const char *name, const char *text)
{
    char below[200];

    (void)snprintf(below, sizeof(below), "src/%s.lean", name);
    scratch_write(&project->scratch, below, text);
}

/* `words` end with NULL. What it comes to is for the caller to say. */
static void run_check(struct program_run *run, struct project *project, const char *const *words)
{
    const char *argv[32] = { LWB_PROGRAM,   "check",
                             "--toolchain", toolchain.prefix,
                             "--cache",     scratch_path(&project->scratch, "cache"),
                             "--jobs",      "2",
                             "--format",    "json" };
    const char *environment[] = { "LWBUILD_CHILD=" LWB_CHILD, "MAKEFLAGS=", NULL };
    size_t n = 10;

    while (*words)
        argv[n++] = *words++;
    program_run(run,
                &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

static long total(const struct program_run *run, const char *name)
{
    const char *summary = strstr(lwb_buf_text(&run->out), "\"type\":\"summary\"");
    char key[64];
    const char *at;

    (void)snprintf(key, sizeof(key), "\"%s\":", name);
    at = summary ? strstr(summary, key) : NULL;
    if (!at)
        fail_msg("no \"%s\"; stdout: %s; stderr: %s", name, lwb_buf_text(&run->out),
                 lwb_buf_text(&run->err));
    return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

/* All modules of the project; so many have to run, the others come from the cache. */
static void expect_checked(struct project *project, int exit_code, long checked)
{
    static const char *const none[] = { NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };

    run_check(&run, project, none);
    if (run.exit_code != exit_code || total(&run, "checked") != checked)
        fail_msg("exit %d, expected %d; %ld checked, expected %ld; stdout: %s; stderr: %s",
                 run.exit_code, exit_code, total(&run, "checked"), checked, lwb_buf_text(&run.out),
                 lwb_buf_text(&run.err));
}

/* ---- edits ------------------------------------------------------------------------------- */

#define LIBRARY "[[lean_lib]]\nname = \"P\"\n"

static void an_edit_that_lean_does_not_keep_stops_at_its_module(void **state)
{
    struct project project;

    (void)state;
    make_project(&project, LIBRARY);
    write_module(&project, "P", "import P.B\nimport P.C\n");
    write_module(&project, "P/A", "theorem two : 1 + 1 = 2 := rfl\n");
    write_module(&project, "P/B", "import P.A\nexample : 1 + 1 = 2 := two\n");
    write_module(&project, "P/C", "import P.A\nexample : 2 = 1 + 1 := two.symm\n");
    expect_checked(&project, 0, 4);
    expect_checked(&project, 0, 0);
    write_module(&project, "P/A", "theorem two : 1 + 1 = 2 := rfl\n-- a last word\n");
    expect_checked(&project, 0, 1);
    /* The .olean says on which line a declaration stands. */
    write_module(&project, "P/A", "-- a first word\ntheorem two : 1 + 1 = 2 := rfl\n");
    expect_checked(&project, 0, 4);
    write_module(&project, "P/A", "theorem two : 1 + 1 = 2 := rfl\n");
    expect_checked(&project, 0, 0);
    scratch_remove(&project.scratch);
}

/* B.olean holds nothing of A, and still what C may say depends on A. */
static void a_change_reaches_what_lies_behind_an_equal_olean(void **state)
{
    struct project project;

    (void)state;
    make_project(&project, LIBRARY);
    write_module(&project, "P", "import P.C\n");
    write_module(&project, "P/A", "def x := 1\n");
    write_module(&project, "P/B", "import P.A\n");
    write_module(&project, "P/C", "import P.B\nexample : x = 1 := rfl\n");
    expect_checked(&project, 0, 4);
    write_module(&project, "P/A", "def x := 2\n");
    expect_checked(&project, 1, 3); /* P is blocked by C */
    write_module(&project, "P/A", "def x := 1\n");
    expect_checked(&project, 0, 0);
    scratch_remove(&project.scratch);
}

/* Lean prints a warning behind what an import prints: on the same line, if that did not end one. */
static void what_an_import_prints_hides_no_warning(void **state)
{
    static const char *const words[] = { "--fail-on", "sorry", NULL };
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct project project;

    (void)state;
    make_project(&project, LIBRARY);
    write_module(&project, "P", "import P.B\n");
    write_module(&project, "P/A", "initialize (IO.print \"loading \")\n");
    write_module(&project, "P/B", "import P.A\ntheorem x : 1 = 2 := sorry\n");
    run_check(&run, &project, words);
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(lwb_buf_text(&run.out), "\"hasSorry\""));
    scratch_remove(&project.scratch);
}

/* Built beforehand, as a package is. */
static void build_dependency(struct project *project, const char *text)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    char lean[600];
    const char *argv[] = { lean, "-o", "Dep.olean", "Dep.lean", NULL };

    (void)snprintf(lean, sizeof(lean), "%s/bin/lean", toolchain.prefix);
    scratch_write(&project->scratch, "lib/Dep.lean", text);
    program_run(&run, &(struct program){ argv, NULL, scratch_path(&project->scratch, "lib") });
    if (run.exit_code != 0)
        fail_msg("%s", lwb_buf_text(&run.out));
}

/* The command line reads on behind a first line with `#lang`, so what is imported there counts. */
static void an_import_behind_lang_is_in_the_key(void **state)
{
    LWB_AUTO(program_run_release) struct program_run first = { 0 };
    LWB_AUTO(program_run_release) struct program_run second = { 0 };
    struct project project;
    char folder[300];
    const char *words[] = { "--import-path", folder, NULL };

    (void)state;
    make_project(&project, "[[lean_lib]]\nname = \"L\"\n");
    (void)snprintf(folder, sizeof(folder), "%s", scratch_path(&project.scratch, "lib"));
    write_module(&project, "L", "#lang lean4\nimport Dep\nexample : dep = 1 := rfl\n");
    build_dependency(&project, "def dep := 1\n");
    run_check(&first, &project, words);
    assert_int_equal(first.exit_code, 0);
    build_dependency(&project, "def dep := 2\n");
    run_check(&second, &project, words);
    assert_int_equal(second.exit_code, 1);
    scratch_remove(&project.scratch);
}

/* The module itself sees to it that its import is another file by the time it is done. */
static void an_import_that_changes_under_the_run_spoils_it(void **state)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    LWB_AUTO(program_run_release) struct program_run again = { 0 };
    struct project project;
    char text[800];

    (void)state;
    make_project(&project, "[[lean_lib]]\nname = \"L\"\n");
    build_dependency(&project, "def dep := 1\n");
    (void)snprintf(text, sizeof(text),
                   "import Dep\n#eval IO.Process.run { cmd := \"touch\", args := #[\"%s\"] }\n"
                   "theorem one : dep = 1 := rfl\n",
                   scratch_path(&project.scratch, "lib/Dep.olean"));
    write_module(&project, "L", text);
    {
        const char *words[] = { "--import-path", scratch_path(&project.scratch, "lib"), NULL };

        run_check(&run, &project, words);
        run_check(&again, &project, words);
    }
    assert_int_not_equal(run.exit_code, 0);
    if (!strstr(lwb_buf_text(&run.err), "Dep.olean was changed during the run"))
        fail_msg("nothing was noticed: %s%s", lwb_buf_text(&run.out), lwb_buf_text(&run.err));
    assert_int_equal(total(&again, "cached"), 0);
    scratch_remove(&project.scratch);
}

/* ---- isolation --------------------------------------------------------------------------- */

/*
 * Each module is content only if another one was there before it: accepted by a
 * warm worker but for the first, rejected by a process of its own.
 */
static void confirm_catches_a_verdict_that_depends_on_order(void **state)
{
    enum { MODULES = 100 }; /* one in eight is confirmed, by its key */
    static const char text[] = "import Counter\n"
                               "#eval show IO Unit from do\n"
                               "  let n <- counter.get\n"
                               "  counter.set (n + 1)\n"
                               "  if n == 0 then throw (IO.userError \"nobody was here\")\n";
    static const char *const warm[] = { "--jobs", "1", NULL };
    static const char *const confirm[] = { "--jobs",      "1",       "--recache",
                                           "--isolation", "confirm", NULL };
    LWB_AUTO(program_run_release) struct program_run trusting = { 0 };
    LWB_AUTO(program_run_release) struct program_run careful = { 0 };
    struct project project;

    (void)state;
    make_project(&project, "[[lean_lib]]\nname = \"L\"\nglobs = [\"L.+\"]\n");
    write_module(&project, "Counter", "initialize counter : IO.Ref Nat <- IO.mkRef 0\n");
    for (int i = 0; i < MODULES; i++) {
        char name[32], source[400];

        (void)snprintf(name, sizeof(name), "L/M%d", i);
        (void)snprintf(source, sizeof(source), "%s-- %d\n", text, i); /* a key of its own */
        write_module(&project, name, source);
    }
    run_check(&trusting, &project, warm);
    assert_int_equal(total(&trusting, "accepted"), MODULES); /* and Counter */
    assert_int_equal(total(&trusting, "rejected"), 1);
    run_check(&careful, &project, confirm);
    assert_int_not_equal(careful.exit_code, 0);
    if (!strstr(lwb_buf_text(&careful.err), "its verdict depends on what was checked before"))
        fail_msg("nothing was noticed: %s", lwb_buf_text(&careful.err));
    scratch_remove(&project.scratch);
}

/* ---- many modules ------------------------------------------------------------------------ */

/* Module i > 0 imports i / 2; the upper half is imported by nobody. */
static void write_tree(struct project *project, int modules)
{
    for (int i = 0; i < modules; i++) {
        char name[32], import[64] = "", text[400];

        (void)snprintf(name, sizeof(name), "P/M%d", i);
        if (i > 0)
            (void)snprintf(import, sizeof(import), "import P.M%d\n", i / 2);
        (void)snprintf(text, sizeof(text),
                       "%sdef f%d (n : Nat) : Nat := n + %d\n"
                       "theorem t%d (a b : Nat) : f%d a + b = b + f%d a := Nat.add_comm ..\n",
                       import, i, i, i, i, i);
        write_module(project, name, text);
    }
}

static long count_below(int modules, int top)
{
    long count = 0;

    for (int i = 0; i < modules; i++) {
        int at = i;

        while (at > top)
            at /= 2;
        count += at == top;
    }
    return count;
}

static void a_tree_of_modules_runs_what_an_edit_reaches(void **state)
{
    const int modules = getenv("LWB_LONG_TESTS") ? 500 : 80;
    struct project project;

    (void)state;
    make_project(&project, "[[lean_lib]]\nname = \"P\"\nglobs = [\"P.+\"]\n");
    write_tree(&project, modules);
    expect_checked(&project, 0, modules);
    expect_checked(&project, 0, 0);
    write_module(&project, "P/M9", "import P.M4\ndef f9 (n : Nat) : Nat := n + 10\n");
    expect_checked(&project, 0, count_below(modules, 9));
    write_module(&project, "P/M9", "import P.M4\ndef f9 (n : Nat) : Nat := n + 10\n-- so\n");
    expect_checked(&project, 0, 1);
    scratch_remove(&project.scratch);
}

/* ---- the standard library ---------------------------------------------------------------- */

static void copy_library(struct project *project, const char *sources, const char *name)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    const char *argv[] = {
        "/bin/sh", "-c", "cp -R \"$1\" \"$1.lean\" \"$0\"/", scratch_path(&project->scratch, "src"),
        name,      NULL
    };

    program_run(&run, &(struct program){ argv, NULL, sources });
    if (run.exit_code != 0)
        fail_msg("%s: %s", sources, lwb_buf_text(&run.err));
}

static void append_to_module(struct project *project, const char *name, const char *text)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf source = LWB_BUF(16 * 1024 * 1024);
    char below[200];
    struct lwb_error err;

    (void)snprintf(below, sizeof(below), "src/%s.lean", name);
    assert_int_equal(lwb_file_read(&source, scratch_path(&project->scratch, below), NULL, &err),
                     LWB_OK);
    lwb_buf_append_text(&source, text);
    write_module(project, name, lwb_buf_text(&source));
}

static void the_standard_library_is_a_project(void **state)
{
    static const char *const all[] = { NULL };
    const char *sources = getenv("LWBUILD_TEST_LEAN_SOURCES");
    bool with_init = getenv("LWB_LONG_TESTS") != NULL;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct project project;
    long modules;

    (void)state;
    if (!sources || access(sources, R_OK) < 0) {
        (void)printf("skipped: LWBUILD_TEST_LEAN_SOURCES names no folder\n");
        skip();
    }
    make_project(&project, with_init
                               ? "[[lean_lib]]\nname = \"Init\"\n[[lean_lib]]\nname = \"Std\"\n"
                               : "[[lean_lib]]\nname = \"Std\"\n");
    copy_library(&project, sources, "Std");
    if (with_init)
        copy_library(&project, sources, "Init");
    run_check(&run, &project, all);
    modules = total(&run, "modules");
    if (run.exit_code != 0 || modules < 10)
        fail_msg("exit %d: %s%s", run.exit_code, lwb_buf_text(&run.out), lwb_buf_text(&run.err));
    assert_int_equal(total(&run, "checked"), modules);
    expect_checked(&project, 0, 0);
    append_to_module(&project, "Std/Data/AssocList", "\n-- the end\n");
    expect_checked(&project, 0, 1);
    scratch_remove(&project.scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_that_lean_does_not_keep_stops_at_its_module),
        cmocka_unit_test(a_change_reaches_what_lies_behind_an_equal_olean),
        cmocka_unit_test(what_an_import_prints_hides_no_warning),
        cmocka_unit_test(an_import_behind_lang_is_in_the_key),
        cmocka_unit_test(an_import_that_changes_under_the_run_spoils_it),
        cmocka_unit_test(confirm_catches_a_verdict_that_depends_on_order),
        cmocka_unit_test(a_tree_of_modules_runs_what_an_edit_reaches),
        cmocka_unit_test(the_standard_library_is_a_project),
    };
    int failed;

    real_lean_find(&toolchain);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    lwb_toolchain_release(&toolchain);
    return failed;
}
