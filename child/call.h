#pragma once

#include "child/host.h"
#include "child/outlet.h"

/*
 * The request that is being answered, as far as its events go: it numbers the
 * rows of each stream, keeps diagnostics within their limit and remembers the
 * first failure, which then decides how the request ends whatever the host
 * says (a host may overlook the result of a call-back, we may not).
 */
struct lwb_call {
    struct lwb_outlet *outlet;
    struct lwb_message_head head;
    uint64_t started_ns;
    uint64_t diagnostic_bytes; /* that may still be sent */
    bool truncated;            /* diagnostics were cut or dropped */
    bool said_error;
    struct lwb_stream_count *streams; /* in the order of their first rows; names are owned */
    size_t n_streams;
    size_t cap_streams;
    struct lwb_buf frame;
    struct lwb_error failure; /* code LWB_OK while there is none */
};

enum {
    LWB_CALL_MAX_STREAMS = 1024,                 /* of one request */
    LWB_CALL_MAX_DIAGNOSTICS = 16 * 1024 * 1024, /* bytes of messages of one request */
};

void lwb_call_begin(struct lwb_call *call, struct lwb_outlet *outlet,
                    const struct lwb_message_head *request);
void lwb_call_end(struct lwb_call *call);
LWB_DEFINE_AUTO(struct lwb_call, lwb_call_end);

/* What a request's own limit comes to: 0 asks for as much as there may be. */
uint64_t lwb_call_diagnostic_limit(uint64_t asked);

/* In all streams. */
uint64_t lwb_call_rows(const struct lwb_call *call);

/* A failure of a call-back that the host has found itself. Returns its code. */
int lwb_call_fail(struct lwb_call *call, const struct lwb_error *failure);
