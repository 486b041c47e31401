#pragma once

#include "child/lean/lean_message.h"
#include "lwbuild/protocol/message.h"

/*
 * Questions to a session beyond "is this module right?", as texts for its
 * worker and answers read from its messages. Pure.
 *
 * Every document has the session's header and what the question needs on line
 * 1, and its own text from line 2 on.
 */
enum {
    LWB_LEAN_QUERY_LINES = 1,          /* that stand before the caller's text */
    LWB_LEAN_HEARTBEATS_MAX = 4000000, /* value of maxHeartbeats, at most */
};

/* LWB_ERR_USAGE for a name space that is no name, LWB_ERR_FORMAT for text that cannot travel. */
int lwb_lean_query_elaborate(struct lwb_buf *out, struct lwb_bytes header,
                             const struct lwb_elaborate_request *request, struct lwb_error *err);

/* Does the text begin with a declaration, something a kernel could be asked about? */
bool lwb_lean_query_is_declaration(struct lwb_bytes source);

/* What elaboration says about the kernel: checked only without any error or `sorry`. */
enum lwb_kernel_status lwb_lean_query_kernel_status(struct lwb_bytes source,
                                                    const struct lwb_lean_messages *messages);

/* Whether Lean itself is among the imports, so that a document may look at its environment. */
bool lwb_lean_query_is_supported(const struct lwb_strvec *imports);

int lwb_lean_query_kinds(struct lwb_buf *out, struct lwb_bytes header,
                         const struct lwb_strvec *names, struct lwb_error *err);
int lwb_lean_query_names(struct lwb_buf *out, struct lwb_bytes header, const char *prefix,
                         struct lwb_error *err);

/* The lines that the document printed. LWB_ERR_UNSUPPORTED if it did not get that far. */
int lwb_lean_query_read(struct lwb_strvec *lines, const struct lwb_lean_messages *messages,
                        struct lwb_error *err);
