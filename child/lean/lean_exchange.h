#pragma once

#include "child/lean/lean_message.h"
#include "child/lean/lsp.h"
#include "lwbuild/base/strvec.h"

/*
 * What a worker says about one document, from when it is sent until the barrier
 * behind it is answered. Bodies in, messages out; nothing here knows of
 * processes.
 */
struct lwb_lean_exchange {
    /* What was asked; borrowed. */
    const char *uri;
    uint64_t version;
    uint64_t request; /* id of the barrier */
    struct lwb_bytes document;
    void (*progress)(void *ctx, uint64_t done, uint64_t lines); /* may be NULL */
    void *ctx;

    /* What has come so far. */
    struct lwb_buf diagnostics; /* body of the last publishDiagnostics that stands for itself */
    struct lwb_strvec more;     /* bodies of those behind it */
    uint64_t told_ns;           /* when progress was last told */
    bool header_failed;
    bool had_error; /* a set of this version, not necessarily the last */
    bool done;      /* the document has been processed to its end */
    bool answered;  /* the barrier */
    bool refused;   /* the barrier, with an error */
    bool lost;      /* something could not be kept */
};

void lwb_lean_exchange_release(struct lwb_lean_exchange *exchange);
LWB_DEFINE_AUTO(struct lwb_lean_exchange, lwb_lean_exchange_release);

void lwb_lean_exchange_take(struct lwb_lean_exchange *exchange, struct lwb_bytes body);

/*
 * All diagnostics. Returns 0 when they are not about this version or cannot be
 * read, or when there was an error and now there is none.
 */
int lwb_lean_exchange_read(const struct lwb_lean_exchange *exchange,
                           struct lwb_lean_messages *messages);
