#pragma once

#include "lwbuild/driver/snapshot.h"

/* What snapshot.c and snapshot_rest.c share. */

/* With more changed sources than this all modules are planned. */
enum { LWB_SNAPSHOT_MAX_CHANGED = 4096 };

/* The old one with the new results in it; 0, or -1 when that cannot be relied on. */
int lwb_snapshot_print_renewed(struct lwb_buf *text, struct lwb_buf *keys,
                               struct lwb_snapshot *snapshot, const struct lwb_world *world,
                               const struct lwb_run *run);

/*
 * The run counts, though it looks at few modules or none, and keeps entries from
 * being the oldest.
 */
void lwb_snapshot_note(const struct lwb_snapshot *snapshot, const char *cache_dir, uint64_t modules,
                       uint64_t saved_ns);
