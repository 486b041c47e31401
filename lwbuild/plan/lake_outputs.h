#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * What Lake notes beside a module (A/B.trace, "outputs") about the files that
 * its build has made: the names under which they lie in Lake's artifact cache.
 * Pure.
 *
 *     4.22         { "o": ["10246413537216134913", ...], "i": "...", "c": "..." }
 *                  hashes of 64 bits in decimal, as text
 *     4.23         the same with "r", the .ir file
 *     2025-09-10   { "o": ["0123456789abcdef.olean", "....olean.server", ...], "r": "....ir",
 *                  "rs": "....ir.sig", "i": "....ilean", "c": "....c", ... }
 *                  file names, with hashes in hexadecimal ("schemaVersion" of the trace)
 *
 * "o" lists the .olean file and, for a module of the module system, its server
 * and private parts. Where the hash comes without a file name, that is the hash,
 * as it is written, and what kind of file it is. After src/lake/Lake/Build/
 * ModuleArtifacts.lean, Build/Trace.lean, Config/Artifact.lean of these versions.
 */
enum lwb_lake_part {
    LWB_LAKE_OLEAN,
    LWB_LAKE_SERVER,
    LWB_LAKE_PRIVATE,
    LWB_LAKE_IR,
    LWB_LAKE_IR_SIG,
};
enum { LWB_LAKE_PARTS = 5, LWB_LAKE_NAME_MAX = 48 };

/* "olean", "olean.server", ...: what follows the module's name and a dot. */
const char *lwb_lake_part_extension(enum lwb_lake_part part);

struct lwb_lake_outputs {
    char names[LWB_LAKE_PARTS][LWB_LAKE_NAME_MAX]; /* "": the build has made no such file */
};

/*
 * Returns 1, or 0 when the trace says nothing of the outputs of a module, or in
 * a way that is not known here.
 */
int lwb_lake_outputs_read(struct lwb_lake_outputs *out, struct lwb_bytes trace,
                          struct lwb_error *err);

/* Whether `name` is that of an artifact, and then the hash in it; false for anything else. */
bool lwb_lake_artifact_hash(const char *name, uint64_t *hash);
