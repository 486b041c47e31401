#pragma once

#include <stdint.h>

#include "lwbuild/base/buf.h"

/*
 * What Lake notes beside an .olean file (A/B.trace) about how it was made, as
 * far as it tells whether the source is still the one that was compiled. Pure.
 *
 *     to 4.8     one number: a hash of everything together           cannot tell
 *     4.9        { log, depHash }                                    cannot tell
 *     4.20       { ..., inputs }: each input with a hash of its own  can tell
 *
 * A trace that `lake cache` or Mathlib's cache has unpacked may come without
 * inputs, and cannot tell either.
 */
enum lwb_trace_verdict {
    LWB_TRACE_CANNOT_TELL,
    LWB_TRACE_CURRENT,
    LWB_TRACE_STALE, /* another source was compiled */
};

/* `label` is the path of the source below its root: "A/B.lean". */
enum lwb_trace_verdict lwb_lake_trace_judge(struct lwb_bytes trace, const char *label,
                                            struct lwb_bytes source);

/*
 * Lake's hash of a text, in which CR LF counts as LF: 64 bits, not
 * cryptographic. Equal hashes are no proof of anything; different ones are.
 */
uint64_t lwb_lake_text_hash(struct lwb_bytes text);

/* Lake's hash of a file as it is, byte by byte: what artifacts are named after. */
uint64_t lwb_lake_file_hash(struct lwb_bytes content);
