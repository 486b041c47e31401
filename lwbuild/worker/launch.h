#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * A program in a process of its own, which leads a session and a process
 * group: nobody's terminal, nobody's signals, and it can be killed as a group.
 * Signals are as after boot: none blocked, none ignored. The caller is not
 * copied on the way, so starting costs the same however large the caller is.
 */
struct lwb_launch {
    const char *program; /* a path; with `search` also a name for PATH */
    char *const *argv;
    char *const *environment; /* all of it */
    const char *cwd;          /* NULL: ours; a relative path of the program starts there */
    int stdio[3];             /* what it has as 0, 1 and 2: none of ours below 3; -1: /dev/null */
    bool search;
};

/* Returns 0 and the pid, or the errno of what failed, exec included. */
int lwb_launch(pid_t *pid, const struct lwb_launch *launch);
