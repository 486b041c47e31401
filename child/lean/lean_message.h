#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/json.h"
#include "lwbuild/protocol/message.h"

#include "child/lean/lean_document.h"

/*
 * What Lean said about a file, in the order in which it said it, from any of
 * its three mouths: the worker's diagnostics, --json lines, or plain text. Pure.
 */
struct lwb_lean_messages {
    struct lwb_diagnostic *items; /* code and message are owned */
    size_t count;
    size_t cap;
};

void lwb_lean_messages_release(struct lwb_lean_messages *messages);
LWB_DEFINE_AUTO(struct lwb_lean_messages, lwb_lean_messages_release);

/* Copies. Returns LWB_OK or LWB_ERR_MEMORY. */
int lwb_lean_messages_add(struct lwb_lean_messages *messages,
                          const struct lwb_diagnostic *diagnostic, struct lwb_error *err);

/*
 * The `diagnostics` of a publishDiagnostics; `lines` are those of the document
 * that was sent. Silent ones are dropped: the command line does not print them.
 * LWB_ERR_FORMAT for a silent error, which nobody can see and yet counts.
 */
int lwb_lean_messages_add_lsp(struct lwb_lean_messages *messages, const cJSON *list,
                              const struct lwb_lean_lines *lines, struct lwb_error *err);

/* The output of `lean --json`: lines that are no messages are what native code printed. */
int lwb_lean_messages_add_json(struct lwb_lean_messages *messages, struct lwb_bytes output,
                               struct lwb_error *err);

/*
 * The output of `lean FILE` before 4.8; `file` is the name that lean was given.
 * Errors and warnings begin with their position. Information does not, so it is
 * taken for a part of the message before it; printed again, the bytes are the
 * same. A run that `failed` has said why; in one that did not, what looks like
 * an error is something that the file printed.
 */
int lwb_lean_messages_add_text(struct lwb_lean_messages *messages, struct lwb_bytes output,
                               const char *file, bool failed, struct lwb_error *err);

/*
 * Replaces `from` (a folder that only this run knows) by `to` in all texts, so
 * that a message says the same wherever and however it was made.
 */
int lwb_lean_messages_reroot(struct lwb_lean_messages *messages, const char *from, const char *to,
                             struct lwb_error *err);

/*
 * Whether the words of a worker without LWB_LEAN_WORKER_TEXT may be others than
 * those of the command line: an error, a warning or a trace may name a local
 * name that is shadowed, and long traces are left for an editor to ask for.
 * What is said about sorry is one sentence that names nothing.
 */
bool lwb_lean_messages_may_be_reworded(const struct lwb_lean_messages *messages);

bool lwb_lean_messages_have_error(const struct lwb_lean_messages *messages);
