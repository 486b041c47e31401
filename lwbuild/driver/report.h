#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/protocol/diagnostic.h"

/*
 * The messages of one module as they are kept in the cache: one JSON object
 * per line, in the order in which the host gave them, without any path of this
 * machine (design rule T9). A path of the source root inside a message's text
 * is stored as a marker and put back when printed, so that a tree that was
 * moved replays its own paths.
 *
 * A miss is printed from the encoded form as well: hit and miss give the same
 * bytes.
 */

/* Append one message. `root` is the source root's absolute path. */
void lwb_report_append(struct lwb_buf *report, const struct lwb_diagnostic *diagnostic,
                       const char *root);

/*
 * Visit the messages of a report. Bytes are borrowed for the call. Returns the
 * visitor's first non-zero answer, 0 at the end, or LWB_ERR_FORMAT when the
 * report is not one.
 */
int lwb_report_visit(struct lwb_bytes report, const char *root,
                     int (*visit)(void *ctx, const struct lwb_diagnostic *diagnostic), void *ctx,
                     struct lwb_error *err);
