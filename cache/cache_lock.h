#pragma once

#include <stdbool.h>

#include "lwbuild/base/error.h"

/*
 * flock(2) with patience. Locks vanish with the process, whatever way it ends.
 */

/* The descriptor of a lock file, made when missing; LWB_ERR_SYSTEM if it cannot be. */
int lwb_lock_open(int *fd, const char *path, struct lwb_error *err);

/* LWB_ERR_BUSY after `ms` milliseconds. A lock of our own of the other kind is given up. */
int lwb_lock_take(int fd, int ms, struct lwb_error *err);
int lwb_lock_share(int fd, int ms, struct lwb_error *err);

/* Whether `path` still names the file that is open. */
bool lwb_lock_is_current(int fd, const char *path);

/* One try; false if somebody else has it. A shared lock of our own is lost then. */
bool lwb_lock_try(int fd);
void lwb_lock_release(int fd);

/* Network file systems: no shared memory between machines, another clock. */
bool lwb_path_is_on_network(const char *path);
