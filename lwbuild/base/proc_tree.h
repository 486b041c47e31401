#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Who descends from whom, as /proc tells it. What is read is a moment that has
 * passed: a number may belong to somebody else by the time it is used, unless
 * the reader is its parent and has not waited for it.
 */

/* The children of a process, up to `max` of them; 0 also when it is gone. */
size_t lwb_proc_children(pid_t pid, pid_t *out, size_t max);

/* Its parent and state ('R', 'S', 'Z', ...); false when it is gone. */
bool lwb_proc_stat(pid_t pid, pid_t *parent, char *state);

/*
 * Did it, or the program that it was forked from, start with this variable
 * ("NAME=value")? false also when that cannot be read.
 */
bool lwb_proc_has_variable(pid_t pid, const char *variable);

/* Is anybody in the process group who is not merely waiting to be waited for? */
bool lwb_proc_group_lives(pid_t group);
