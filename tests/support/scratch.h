#pragma once

#include "lwbuild/base/error.h"

/*
 * A private folder for one test, removed with all that is in it by
 * scratch_remove. Fails the test when it cannot be made.
 */
struct scratch {
    char dir[256];
};

void scratch_make(struct scratch *scratch);
void scratch_remove(struct scratch *scratch);

/* The same as cmocka's fixture of a test that needs no more: its state is the scratch. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* <dir>/<name>; valid for the next 31 calls. */
const char *scratch_path(const struct scratch *scratch, const char *name);

/* Write a file below the folder, with its folders. */
void scratch_write(const struct scratch *scratch, const char *name, const char *content);

/*
 * From now on folders are made in memory, where the system has a place for
 * that: for tests that sync thousands of times and ask nothing of a disk.
 */
void scratch_prefer_memory(void);
