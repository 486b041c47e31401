#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/driver/options.h"
#include "lwbuild/driver/world.h"

/*
 * The no-op path: when the last run with the same arguments was accepted
 * without a message, and nothing that it looked at has changed, this run has
 * the same answer. Decided by stat alone: no hashing, no SQLite, no child.
 *
 * A snapshot is a flat file beside the stamp (or in the cache directory when
 * there is none). It is bound to the arguments, this program and its child,
 * the environment that is consulted and the cache's generation, and lists what
 * stat said of every file, folder and absent path that the run consulted
 * (design rule T7). It is only ever a short cut: deleting it costs time.
 *
 * Its use is noted in the cache directory: it counts in the statistics and keeps
 * the entries behind it from being evicted as unused.
 */
struct lwb_snapshot {
    char *path;             /* NULL: this run neither uses nor writes one */
    struct lwb_buf binding; /* what it is bound to, compared byte by byte */
    uint64_t generation;    /* of the cache when the binding was made; 0: there was none */
};

/* Whether the snapshot answers for this run. Prepares snapshot for a later write in any case. */
bool lwb_snapshot_answers(struct lwb_snapshot *snapshot, const struct lwb_options *options);

/*
 * After an accepted run without messages. `keys` are those of its modules, 32
 * bytes each; cost_ns is what they cost to check. Trouble is not told: the
 * snapshot is then empty and answers nothing.
 */
void lwb_snapshot_write(struct lwb_snapshot *snapshot, struct lwb_world *world,
                        struct lwb_bytes keys, uint64_t cost_ns);

/*
 * Make sure that the files of a snapshot beside this stamp exist, if only
 * empty: a build tool lists them as outputs so that it can clean them, and
 * takes an output that is not there for a reason to run again.
 */
void lwb_snapshot_reserve(const char *stamp);

/*
 * A run that was not accepted takes back what an earlier one left beside the
 * same stamp, whatever its arguments were: --recache may know better.
 */
void lwb_snapshot_drop(const struct lwb_options *options);

void lwb_snapshot_release(struct lwb_snapshot *snapshot);
LWB_DEFINE_AUTO(struct lwb_snapshot, lwb_snapshot_release);
