#pragma once

#include "tests/integration/driver/echo_project.h"

/*
 * For tests of the short path: runs of one project with a stamp, and how many
 * modules each of them looked at.
 */
struct rest_run {
    struct program_run run;
    struct lwb_buf trace;
};

void rest_run_release(struct rest_run *run);
LWB_DEFINE_AUTO(struct rest_run, rest_run_release);

/* A run with the stamp build/<stamp> over all sources of the project, in one more word. */
void rest_check(struct rest_run *run, struct echo_project *project, const char *stamp);
void rest_check_with(struct rest_run *run, struct echo_project *project, const char *stamp,
                     const char *extra);

/* How such a run names the sources: one by one, or by their folder (echo_project.by_folder). */
const char *const *rest_targets(const struct echo_project *project);

size_t rest_events(const struct rest_run *run, const char *name);
size_t rest_looked_at(const struct rest_run *run);

/* By the file system's word and by the clock, of which either may be behind: what was written by
 * now is old. */
void rest_wait_for_the_clock(struct echo_project *project);

/* Write a source, as editors do by a temporary file and a rename, and wait until that is old. */
void rest_edit(struct echo_project *project, const char *name, const char *content);

/* C imports B imports A; the others, M00.lean and so on, import nobody. Checked twice. */
enum { OTHERS = 12, ALL = OTHERS + 3 };
void rest_make_project(struct echo_project *project);

/*
 * A run that must come to the answer, and the stamp, of one without a snapshot.
 * Returns how many modules it looked at.
 */
size_t rest_compare(struct echo_project *project);

/* An accepted run with one more word; returns how many modules it looked at. */
size_t rest_looked_at_with(struct echo_project *project, const char *extra);

/* A run that ends with `code` after looking at so many modules and checking so many of them. */
void rest_expect(struct echo_project *project, int code, size_t n_looked_at, size_t n_checked,
                 int line);
#define EXPECT(project, code, n_looked_at, n_checked)                                              \
    rest_expect(project, code, n_looked_at, n_checked, __LINE__)
