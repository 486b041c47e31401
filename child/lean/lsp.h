#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/json.h"

/*
 * The part of the language server protocol that `lean --worker` speaks, as
 * bytes in and bytes out. A worker ends with exit code 1 when it gets anything
 * but these messages, in all versions from 2021 on, so there are no others.
 */

/* Appends whole frames. A worker gets initialize and did_open first, and answers neither. */
void lwb_lsp_initialize(struct lwb_buf *out);
void lwb_lsp_did_open(struct lwb_buf *out, const char *uri, struct lwb_bytes text);
void lwb_lsp_did_change(struct lwb_buf *out, const char *uri, uint64_t version,
                        struct lwb_bytes text);

/* The barrier: answered when the diagnostics of `version` are complete. Sent behind the change. */
void lwb_lsp_wait_for_diagnostics(struct lwb_buf *out, const char *uri, uint64_t version,
                                  uint64_t id);

/* "file:///a/b%20c.lean". Returns memory of the caller's, NULL when there is none left. */
char *lwb_lsp_uri(const char *path);

/*
 * Frames out of a byte stream that may hold noise: native code of a checked
 * file can print to the same descriptor. What stands between frames is
 * skipped up to the next "Content-Length:".
 */
struct lwb_lsp_reader {
    struct lwb_buf pending;
    size_t at; /* what has been taken or skipped */
};

enum { LWB_LSP_FRAME_MAX = 256 * 1024 * 1024 };

void lwb_lsp_reader_init(struct lwb_lsp_reader *reader);
void lwb_lsp_reader_release(struct lwb_lsp_reader *reader);
LWB_DEFINE_AUTO(struct lwb_lsp_reader, lwb_lsp_reader_release);

/* Where to read into; NULL when memory is out or a frame is larger than can be. */
char *lwb_lsp_reader_room(struct lwb_lsp_reader *reader, size_t *room);
void lwb_lsp_reader_commit(struct lwb_lsp_reader *reader, size_t len);

/* Returns 1 and a body (borrowed until the next room call), 0 when more bytes are needed. */
int lwb_lsp_next(struct lwb_lsp_reader *reader, struct lwb_bytes *body);

enum lwb_lsp_kind {
    LWB_LSP_DIAGNOSTICS,      /* textDocument/publishDiagnostics; decode with lwb_lsp_diagnostics */
    LWB_LSP_MORE_DIAGNOSTICS, /* the same, but what was published before stays (isIncremental) */
    LWB_LSP_PROGRESS,         /* $/lean/fileProgress; decode with lwb_lsp_progress */
    LWB_LSP_DONE,             /* the same with nothing left to process; decode with lwb_lsp_done */
    LWB_LSP_FATAL,            /* progress of kind 2: the header could not be processed */
    LWB_LSP_REPLY,            /* an answer to a request; decode with lwb_lsp_reply */
    LWB_LSP_OTHER,            /* nothing that a check needs */
};

/* Which kind of message a body is, without parsing it: most are progress and are dropped. */
enum lwb_lsp_kind lwb_lsp_classify(struct lwb_bytes body);

/* Returns 1 with the id and whether it is an error, 0 when the body is not a reply after all. */
int lwb_lsp_reply(struct lwb_bytes body, uint64_t *id, bool *is_error);

/*
 * Returns 1 and the line (from 0) from which on the worker is still at it, 0 when
 * it does not say.
 */
int lwb_lsp_progress(struct lwb_bytes body, uint64_t *line);

/* Returns 1 and the version of the document that has been processed to its end. */
int lwb_lsp_done(struct lwb_bytes body, uint64_t *version);

/*
 * Whether a notification is about this document (as lwb_lsp_uri made it). Something that a checked
 * file starts may speak the same protocol on the same descriptor, about documents of its own.
 */
bool lwb_lsp_is_about(struct lwb_bytes body, const char *uri);

/* The version and the list of diagnostics, both of params; *json owns the list. */
int lwb_lsp_diagnostics(struct lwb_bytes body, cJSON **json, uint64_t *version, const cJSON **list,
                        struct lwb_error *err);
