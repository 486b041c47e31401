#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * What a living child has started, and what those have: found by descent, so
 * that leaving the process group does not help, and held by descriptor, so
 * that nobody else is hit who gets one of their numbers later.
 */
enum { LWB_DESCENDANTS_MAX = 64 };

struct lwb_descendants {
    int fds[LWB_DESCENDANTS_MAX]; /* of those that were killed and not yet waited for */
    unsigned count;
};

/*
 * SIGKILL for everything below `root`, a child that has not been waited for and
 * is itself left alone. Descendants whose own parent has died are found if they
 * were handed to somebody below `root` or to `root` (child/guardian.h).
 */
void lwb_descendants_kill(struct lwb_descendants *descendants, pid_t root);

/*
 * By what descendants are known when the tree is broken: a variable of their
 * environment, which they inherit unless they clean it.
 */
enum { LWB_LINEAGE_SIZE = 64 };
void lwb_lineage_make(char lineage[LWB_LINEAGE_SIZE]);

/*
 * SIGKILL for those of our own children that are of this lineage, and for all
 * below them: the orphans of a process that was killed, if we are the reaper
 * of orphans (subreaper.h).
 */
void lwb_descendants_hunt(struct lwb_descendants *descendants, const char *lineage);

/* Wait for those that are ours to wait for. Returns whether none is left. */
bool lwb_descendants_reap(struct lwb_descendants *descendants);

/* Forget the others. */
void lwb_descendants_release(struct lwb_descendants *descendants);
