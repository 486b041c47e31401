#pragma once

#include "lwbuild/base/error.h"

/*
 * What a child does to itself before it touches anybody's data, so that its
 * death is quick and never goes unnoticed.
 */

/*
 * A signal for this process when the thread that started it ends. Returns 1, or
 * 0 when `parent_pid` is not the parent (any more): then it died before the
 * request was made, and nothing would ever be delivered. The pids are compared
 * because an orphan's parent is pid 1 only where there is no subreaper.
 */
int lwb_harden_die_with_parent(int parent_pid, int sig, struct lwb_error *err);

/* No core dumps, neither as a file nor through a pipe to a helper. */
void lwb_harden_no_core_dumps(void);

/* Close every descriptor from `first` on. */
void lwb_harden_close_from(int first);

/* A write to a process that is gone is an error to handle, not a death. */
void lwb_harden_ignore_sigpipe(void);
