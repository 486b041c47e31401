#pragma once

#include "lwbuild/worker/process.h"
#include "lwbuild/worker/row_ledger.h"
#include "lwbuild/worker/worker.h"

/* What the parts of the worker share: worker.c says how they work together. */
struct request {
    bool active;
    enum lwb_message_type type;
    uint64_t timeout_ms;
    uint64_t deadline_ms;
    uint64_t started_ns;
    uint64_t waits_before;
    struct lwb_sinks sinks;
    lwb_worker_accept_fn *accept;
    lwb_worker_done_fn *done;
    void *ctx;
    struct lwb_cancel_listener cancel;
};

/* The rows of a frame in the middle of which the sink has paused. */
struct held_rows {
    struct lwb_message message; /* holds what `rest` borrows */
    struct lwb_rows rest;       /* first: the next one; packed.len 0: none are held */
};

struct stop {
    bool active;
    lwb_worker_stopped_fn *stopped;
    void *ctx;
    enum lwb_stop_outcome outcome;
    uint64_t started_ms;
};

struct lwb_worker {
    uv_loop_t *loop;
    struct lwb_worker_config *config;
    struct lwb_worker_watcher watcher;

    enum lwb_worker_state state;
    struct lwb_process *process; /* the present or the last one */
    uint64_t generation;
    uint64_t last_request; /* id */
    uint32_t max_frame;    /* negotiated */
    struct lwb_message hello_message;
    struct lwb_hello_response hello;

    lwb_worker_started_fn *started;
    void *started_ctx;
    struct request request;
    struct lwb_row_ledger ledger;
    struct held_rows held;
    struct stop stop;

    /* Why the child is being ended; code 0: it is not, or it ended by itself. */
    struct lwb_error failure;
    struct lwb_restart_cause cause; /* of the next replacement */
    struct lwb_restart_cause due;   /* what the policy said last */

    struct lwb_exit last_exit;
    struct lwb_restart_window window;
    struct lwb_worker_stats stats;
    uint64_t requests_here; /* of this generation */
    uint64_t imports_here;
    uint64_t idle_since_ms;
};

/* The one way to another state; asserts that the table allows it. */
void lwb_worker_set_state(struct lwb_worker *worker, enum lwb_worker_state state);

/* The child is to go, and `err` is why; an earlier cause stays. */
void lwb_worker_fail(struct lwb_worker *worker, enum lwb_restart_reason reason,
                     const struct lwb_error *err);
void lwb_worker_fail_protocol(struct lwb_worker *worker, const struct lwb_error *err);
void lwb_worker_fail_timeout(struct lwb_worker *worker);

/* Of the request in flight. */
const char *lwb_worker_operation(const struct lwb_worker *worker);

/* Encode and write; the request is in flight when this returns LWB_OK. */
int lwb_worker_dispatch(struct lwb_worker *worker, const struct lwb_worker_request *request,
                        struct lwb_error *err);

/* What the child says: ctx is the worker. */
void lwb_worker_on_frame(void *ctx, struct lwb_bytes payload);
void lwb_worker_on_resumed(void *ctx);
void lwb_worker_on_tick(void *ctx);
void lwb_worker_drop_held_rows(struct lwb_worker *worker);

/* Terminal answers. */
void lwb_worker_answer_hello(struct lwb_worker *worker, struct lwb_message *message);
void lwb_worker_answer(struct lwb_worker *worker, struct lwb_message *message);

/* Exactly once per request; its `done` may send the next one. */
void lwb_worker_end_request(struct lwb_worker *worker, struct lwb_message *response,
                            const struct lwb_error *err);

/* What a caller is told when the child ends under its request. */
void lwb_worker_explain(struct lwb_worker *worker, const struct lwb_exit *status,
                        const struct lwb_error *cause, struct lwb_error *err);

/* The last thing that happens to a child that was stopped. */
void lwb_worker_report_stop(struct lwb_worker *worker);
