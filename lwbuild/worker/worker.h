#pragma once

#include <uv.h>

#include "lwbuild/worker/cancel_token.h"
#include "lwbuild/worker/exit_status.h"
#include "lwbuild/worker/sinks.h"
#include "lwbuild/worker/worker_config.h"
#include "lwbuild/worker/worker_state.h"
#include "lwbuild/worker/worker_stats.h"

/*
 * One supervised child after the other. A worker has at most one child; each
 * is a generation, counted from 1. It starts a child, shakes hands, has one
 * request at a time in flight, and ends the child when it is told to or when
 * the child can no longer be trusted: then it is absent or crashed, and may be
 * started again as the next generation.
 *
 * A request that was accepted ends in exactly one call of `done`: a response,
 * or an error that says what happened (refusal by the child, exit, abort,
 * timeout, cancel, memory, protocol, sink, shutdown). By then a child that had
 * to be ended is reaped. Nothing of a request is delivered after its `done`.
 *
 * Functions that return an int refuse at once with a negative code: then no
 * call-back comes. Call-backs come from the loop, never from inside a call.
 * Programs must ignore SIGPIPE.
 */
struct lwb_worker;

int lwb_worker_create(struct lwb_worker **out, uv_loop_t *loop,
                      const struct lwb_worker_config *config, struct lwb_error *err);

/* Only while there is no child, and not from inside `done` or `started`. */
void lwb_worker_destroy(struct lwb_worker *worker);

/* Told about every child that is gone, after `done` or `started` of what it was doing. */
struct lwb_worker_watcher {
    void (*gone)(void *ctx);
    void *ctx;
};
void lwb_worker_watch(struct lwb_worker *worker, const struct lwb_worker_watcher *watcher);

/*
 * Start the next generation. `started` is called once: err is NULL when the
 * child has said an acceptable hello. LWB_ERR_RESTART_LIMIT at once when it
 * has been replaced too often; the worker is exhausted from then on.
 */
typedef void lwb_worker_started_fn(void *ctx, const struct lwb_error *err);
int lwb_worker_start(struct lwb_worker *worker, lwb_worker_started_fn *started, void *ctx,
                     struct lwb_error *err);

/* ---- requests ------------------------------------------------------------------------- */

/* response: borrowed for the call, NULL with err. */
typedef void lwb_worker_done_fn(void *ctx, struct lwb_message *response,
                                const struct lwb_error *err);

/*
 * Looks at a response before it counts as one: a negative code ends the child
 * as one that broke the protocol. Later `done` gets the same message.
 */
typedef int lwb_worker_accept_fn(void *ctx, struct lwb_message *response, struct lwb_error *err);

/* What lwb_<x>_encode is, seen from here. */
typedef int lwb_worker_encode_fn(struct lwb_buf *out, const struct lwb_message_head *head,
                                 const void *value, uint32_t limit, struct lwb_error *err);

struct lwb_worker_request {
    enum lwb_message_type type;
    lwb_worker_encode_fn *encode;    /* NULL: nothing but the head */
    const void *value;               /* used before the call returns */
    const struct lwb_sinks *sinks;   /* copied; NULL: no events are wanted */
    uint64_t timeout_ms;             /* covers writing, work and answer; 0: the configured one */
    struct lwb_cancel_token *cancel; /* NULL: none */
    lwb_worker_accept_fn *accept;    /* NULL: any response will do */
    lwb_worker_done_fn *done;
    void *ctx;
};

/*
 * LWB_ERR_BUSY unless idle; LWB_ERR_LIMIT when the request is larger than a
 * frame may be; LWB_ERR_CANCELLED when the token has fired. The child is as it
 * was then.
 */
int lwb_worker_send(struct lwb_worker *worker, const struct lwb_worker_request *request,
                    struct lwb_error *err);

/* End the request in flight, if any, and the child with it: LWB_ERR_CANCELLED. */
void lwb_worker_cancel(struct lwb_worker *worker);

/*
 * Hold the events of the request in flight: from inside a sink or later, on the
 * loop's thread. After the present one none comes until the resume, also not
 * the rest of the rows that have been read: at most one frame and one read are
 * kept here, the child waits in its pipe. Everything else goes on: the
 * deadline, the memory limit, a cancel. If the child ends while paused, the
 * request ends with that at once, and rows that were not delivered are dropped
 * (they were tentative). Nothing happens without a request in flight; the end
 * of the request ends a pause.
 */
void lwb_worker_pause(struct lwb_worker *worker);
void lwb_worker_resume(struct lwb_worker *worker);

/* ---- the end ---------------------------------------------------------------------------- */

enum lwb_stop_outcome {
    LWB_STOP_GRACEFUL,        /* it ended when asked */
    LWB_STOP_TIMED_OUT,       /* it did not within the grace period and was killed */
    LWB_STOP_PROTOCOL_FAILED, /* it answered wrongly and was killed */
    LWB_STOP_KILLED, /* killed without being asked: it was starting or busy, or it was wanted */
    LWB_STOP_ALREADY_EXITED, /* it was gone, or went before it could be asked */
    LWB_STOP_NOT_REAPED,     /* it could not be waited for */
    LWB_STOP_OUTCOMES,       /* how many there are */
};

struct lwb_stop_report {
    enum lwb_stop_outcome outcome;
    struct lwb_exit exit;
    uint64_t ms; /* how long it took */
};
const char *lwb_stop_outcome_name(enum lwb_stop_outcome outcome);

/*
 * End the child. An idle one is asked first (`politely`); a request in flight
 * ends with LWB_ERR_SHUTDOWN. Returns 1 when `stopped` (may be NULL) will be
 * called, 0 when there is no child. A second call hurries up (unless it is
 * polite) and replaces a `stopped` that was NULL.
 */
typedef void lwb_worker_stopped_fn(void *ctx, const struct lwb_stop_report *report);
int lwb_worker_stop(struct lwb_worker *worker, bool politely, lwb_worker_stopped_fn *stopped,
                    void *ctx);

/* ---- questions ------------------------------------------------------------------------------ */

enum lwb_worker_state lwb_worker_state(const struct lwb_worker *worker);
uint64_t lwb_worker_generation(const struct lwb_worker *worker);

/* Of the present generation; NULL before its hello. Borrowed until the next start. */
const struct lwb_hello_response *lwb_worker_hello(const struct lwb_worker *worker);

/* Of what was started (the guardian, for most children); 0 without one. For logs and tests. */
pid_t lwb_worker_pid(const struct lwb_worker *worker);

/* How the last child ended. */
const struct lwb_exit *lwb_worker_last_exit(const struct lwb_worker *worker);

/* The end of what the present child, or else the last one, said on stderr. */
void lwb_worker_stderr(const struct lwb_worker *worker, size_t max, struct lwb_buf *out);

void lwb_worker_stats(const struct lwb_worker *worker, struct lwb_worker_stats *out);

/* Sample the memory of the child's group now. Returns 1 and bytes, 0 when it cannot be read. */
int lwb_worker_memory(struct lwb_worker *worker, uint64_t *bytes);

/*
 * Should the child be replaced before its next request? Samples memory when
 * the policy has a limit for it. The caller stops the worker with that reason.
 */
enum lwb_restart_reason lwb_worker_is_due(struct lwb_worker *worker);

/* Why the next replacement happens, when the caller knows: LWB_RESTART_EXPLICIT is assumed. */
void lwb_worker_set_restart_reason(struct lwb_worker *worker, enum lwb_restart_reason reason);
