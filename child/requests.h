#pragma once

#include "child/call.h"
#include "child/host.h"

/*
 * The requests that a host answers. There is at most one session; opening
 * another one closes it first, whether or not the new one can be opened.
 */
struct lwb_requests {
    const struct lwb_host *const *hosts;
    const struct lwb_host *host; /* NULL: no session */
    void *session;
};

/*
 * Decode the request, let the host do it and append the response's frame to
 * `frame`, which is empty. Failure becomes a refusal: LWB_ERR_UNSUPPORTED,
 * LWB_ERR_SESSION_INVALID when none is open, LWB_ERR_LIMIT when the answer
 * does not fit a frame, else the host's own.
 */
int lwb_requests_answer(struct lwb_requests *requests, struct lwb_message *message,
                        struct lwb_outlet *outlet, struct lwb_buf *frame, struct lwb_error *err);

void lwb_requests_close_session(struct lwb_requests *requests);
