#pragma once

#include "child/host.h"
#include "child/lean/lean_document.h"
#include "child/lean/lean_once.h"
#include "child/lean/lean_worker.h"

/* What the files of the Lean host share: its session, and how it speaks to whoever asked. */

enum { LWB_LEAN_DOCUMENT_MAX = 64 * 1024 * 1024 };

struct lwb_lean_session {
    struct lwb_lean_setup setup;
    struct lwb_strvec imports;
    struct lwb_lean_session_header header;
    struct lwb_buf canonical; /* the header as text */
    uint64_t max_memory;
    struct lwb_lean_worker worker;
    uint64_t runs; /* fresh processes so far: names of their folders */
    char *folder;  /* of the last one, if it is there */
    struct lwb_lean_once once;
    char detail[600];
};

/*
 * Sends the messages, less those that would pass `max_bytes` (0: no limit),
 * with `lines` fewer lines before them than the document had.
 */
int lwb_lean_session_send(struct lwb_lean_session *session, struct lwb_call *call,
                          struct lwb_lean_messages *messages, int64_t lines, uint64_t max_bytes,
                          bool *truncated, struct lwb_error *err);

/* A lwb_lean_question.progress; ctx is the call. */
void lwb_lean_session_tell(void *call, uint64_t done, uint64_t lines);

/* Questions about texts and declarations: members of struct lwb_host. */
int lwb_lean_elaborate(void *session, const struct lwb_elaborate_request *request,
                       struct lwb_call *call, struct lwb_elaborate_response *response,
                       struct lwb_error *err);
int lwb_lean_kernel_check(void *session, const struct lwb_elaborate_request *request,
                          struct lwb_call *call, struct lwb_kernel_response *response,
                          struct lwb_error *err);
int lwb_lean_declaration_kinds(void *session, const struct lwb_strvec *names, struct lwb_call *call,
                               struct lwb_strvec *kinds, struct lwb_error *err);
int lwb_lean_declaration_names(void *session, const char *prefix, struct lwb_call *call,
                               struct lwb_strvec *names, struct lwb_error *err);
