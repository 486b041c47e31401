#pragma once

#include <stdbool.h>

#include "tests/support/program.h"
#include "tests/support/scratch.h"

/*
 * A scratch folder with sources in src/, a cache in cache/ and a build folder
 * build/, in which the real lwbuild runs with the echo host.
 */
struct echo_project {
    struct scratch scratch;
    char child[1024]; /* the child to use, if not the echo child */
    bool by_folder;   /* for rest_project.h */
};

/* cmocka setup and teardown: *state is a struct echo_project. */
int echo_project_setup(void **state);
int echo_project_teardown(void **state);

/* src/<name> = content; edits are made old enough not to be racy. */
void echo_project_write(struct echo_project *project, const char *name, const char *content);

/* When <name> of the scratch was modified, as stat says. */
int64_t echo_project_date(struct echo_project *project, const char *name);

/* Until <name> of the scratch is not as new as a run is: snapshots refuse such files. */
void echo_project_let_age(struct echo_project *project, const char *name);

/*
 * Run `lwbuild check --host echo --cache <cache> <words...>` in src/; the words
 * end with NULL.
 */
void echo_project_check(struct program_run *run, struct echo_project *project, ...);

/* The same with an array of words, started only. */
void echo_project_start(struct program_handle *handle, struct echo_project *project,
                        const char *const *words);

/* `lwbuild <command> --cache <cache> <words...>`; the command may be two words. */
void echo_project_command(struct program_run *run, struct echo_project *project,
                          const char *command, const char *const *words);

/* The number behind "name": in the summary line of --format json. */
long echo_project_total(const struct program_run *run, const char *name);

/* A run must have ended with that code; else the test fails with what it said. */
void echo_assert_run(const struct program_run *run, int code, const char *file, int line);
#define ASSERT_RUN(run, code) echo_assert_run(&(run), code, __FILE__, __LINE__)

void echo_assert_says(const struct lwb_buf *buf, const char *text, const char *file, int line);
#define ASSERT_SAYS(buf, text) echo_assert_says(&(buf), text, __FILE__, __LINE__)

#define IN_A_PROJECT(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, echo_project_setup, echo_project_teardown)
