#pragma once

#include "lwbuild/base/buf.h"

/*
 * The file of a snapshot: a head, what it is bound to, what the run looked at
 * (witness_list.h), what it knew of its modules (module_table.h). Written by
 * temporary file and rename, and with a checksum, since copies and crashes know
 * nothing of that; parts start at multiples of 8 bytes.
 *
 * Beside it <name>.keys: the keys of the modules, 32 bytes each, for the cache's
 * least-recently-used order.
 */
enum { LWB_SNAPSHOT_FILE_MAX = 512 * 1024 * 1024 };

struct lwb_snapshot_file {
    struct lwb_buf content; /* what the parts below lie in; not read when a file is printed */
    uint64_t modules;
    uint64_t saved_ns; /* what its modules cost to check */
    struct lwb_bytes binding;
    struct lwb_bytes witnesses;
    struct lwb_bytes table;
};

/* Whether there is one at `path` that is bound to just that. */
bool lwb_snapshot_file_open(struct lwb_snapshot_file *file, const char *path,
                            struct lwb_bytes binding);
void lwb_snapshot_file_close(struct lwb_snapshot_file *file);
LWB_DEFINE_AUTO(struct lwb_snapshot_file, lwb_snapshot_file_close);

/* The parts of `file` one behind the other. */
void lwb_snapshot_file_print(struct lwb_buf *out, const struct lwb_snapshot_file *file);

/* "<stamp>.snapshot", where the snapshot of a run with a stamp lies; NULL when memory is out. */
char *lwb_snapshot_file_beside(const char *stamp);

/* "<path>.keys"; NULL when memory is out. */
char *lwb_snapshot_file_keys(const char *path);
