#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/driver/module_table.h"
#include "lwbuild/driver/options.h"
#include "lwbuild/driver/snapshot_file.h"
#include "lwbuild/driver/world.h"

/*
 * The no-op path: when the last run with the same arguments was accepted
 * without a message, and nothing that it looked at has changed, this run has
 * the same answer. Decided by stat alone: no hashing, no SQLite, no child.
 *
 * And the short path: when only the sources of some modules have changed, the
 * snapshot answers for the rest. Those and all that import them are planned
 * and run as ever; what they import, as long as their headers import what they
 * did, is what it was.
 *
 * A snapshot is a flat file beside the stamp (or in the cache directory when
 * there is none), unless no date is to be relied on. It is bound to the arguments, this program and
 * its child, the environment that is consulted and the cache's generation, and lists what
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

    /* Of the short path, see snapshot_rest.c. */
    struct lwb_snapshot_file file;
    struct lwb_module_table table;
    struct lwb_witness_changes changed;
    struct lwb_witness_changes last_look; /* taken behind the run, of lwb_snapshot_check_rest */
    size_t *affected; /* numbers of the changed modules and of all that import them, ascending */
    size_t n_affected;
    size_t *numbers; /* by index of the new plan: the module's number, SIZE_MAX for its imports */
};

enum lwb_snapshot_says {
    LWB_SNAPSHOT_NOTHING,
    LWB_SNAPSHOT_ALL,  /* the run is over, and accepted */
    LWB_SNAPSHOT_REST, /* lwb_snapshot_plan tells which modules are to be looked at */
};

/* What it says about this run. Prepares snapshot for a later write in any case. */
enum lwb_snapshot_says lwb_snapshot_ask(struct lwb_snapshot *snapshot,
                                        const struct lwb_options *options);

/*
 * Plan the modules that the snapshot does not answer for: 1 and world->rest is
 * set, or 0 when all have to be planned, because a header or more has changed.
 */
int lwb_snapshot_plan(struct lwb_snapshot *snapshot, struct lwb_world *world);

/* How many modules the snapshot answers for: those that are not in the plan of the short path. */
uint64_t lwb_snapshot_rest(const struct lwb_snapshot *snapshot, const struct lwb_plan *plan);

/* What these cost to check, and a note in the cache that they were used. */
uint64_t lwb_snapshot_use_rest(const struct lwb_snapshot *snapshot, const struct lwb_world *world,
                               const struct lwb_run *run);

/* LWB_ERR_SYSTEM when more has changed since. One stat for everything that the snapshot lists. */
int lwb_snapshot_check_rest(struct lwb_snapshot *snapshot, struct lwb_error *err);

/* Take over the results of an accepted run of the modules that were affected. */
void lwb_snapshot_renew(struct lwb_snapshot *snapshot, const struct lwb_world *world,
                        const struct lwb_run *run);

/*
 * After an accepted run without messages; of the short path behind
 * lwb_snapshot_renew. Trouble is not told: the snapshot is then empty and
 * answers nothing.
 */
void lwb_snapshot_write(struct lwb_snapshot *snapshot, struct lwb_world *world,
                        const struct lwb_run *run);

/*
 * Make sure that the files of a snapshot beside this stamp exist, if only
 * empty: a build tool lists them as outputs so that it can clean them, and
 * takes an output that is not there for a reason to run again.
 */
void lwb_snapshot_reserve(const char *stamp);

/*
 * Before the outputs of an accepted run are written: a snapshot beside the stamp that
 * is of other arguments speaks of other outputs, and is emptied. Sizes would not tell
 * them from these, and this run may leave none of its own.
 */
void lwb_snapshot_make_way(const struct lwb_snapshot *snapshot, const char *stamp);

/*
 * A run that was not accepted takes back what an earlier one left beside the
 * same stamp, whatever its arguments were: --recache may know better. What the
 * snapshot says of another content of the modules that failed is still true.
 */
void lwb_snapshot_drop(const struct lwb_snapshot *snapshot, const struct lwb_world *world,
                       const struct lwb_run *run);

/*
 * A warm verdict did not stand in a batch of which the snapshot answers for a
 * part: drop what the cache has of all its modules.
 */
void lwb_snapshot_disown(const struct lwb_snapshot *snapshot, struct lwb_cache *cache);

void lwb_snapshot_release(struct lwb_snapshot *snapshot);
LWB_DEFINE_AUTO(struct lwb_snapshot, lwb_snapshot_release);
