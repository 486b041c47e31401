#pragma once

#include "lwbuild/base/error.h"

/*
 * The process that a parent sees is a guardian: it starts the one that does
 * the work, waits, and ends as that one did, with the same code or by the same
 * signal. But first it kills whatever is left of what the worker has started,
 * however often that has forked and whatever session it has moved to: orphans
 * come to their nearest reaper, and that is the guardian, which has no other
 * children. It runs nobody's code, so it survives what hosts do to themselves.
 *
 * When the parent dies, or SIGTERM comes, it ends everything at once. When it
 * is killed itself, so is the worker, and the orphans come to the parent if
 * that is a reaper (lwbuild/worker/subreaper.h), which knows them by the
 * LWBUILD_LINEAGE that they have inherited. So one thing can get away, from a
 * guardian that is killed: what has left the group and has not that variable,
 * because it cleaned its environment or was started by a Lean process, whose
 * environment is constant, so that no result depends on the run.
 *
 * To be called first thing, with no threads running. Returns 1 in the process
 * that does the work, 0 in the one that was started when `parent_pid` (0: no
 * matter) is not its parent any more. Linux only, like all of this.
 */
int lwb_guardian_start(int parent_pid, struct lwb_error *err);
