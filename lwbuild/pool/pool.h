#pragma once

#include <uv.h>

#include "lwbuild/base/error.h"
#include "lwbuild/session/session_config.h"
#include "lwbuild/session/sink.h"
#include "lwbuild/worker/worker_config.h"
#include "lwbuild/worker/worker_stats.h"

/*
 * Many workers, a few at a time. A lease is exclusive use of one warm session;
 * leases with different keys, and several with the same key, run at once up to
 * max_workers. Everything happens on the caller's loop; call-backs come from
 * the loop, never from inside a call.
 */
struct lwb_pool;
struct lwb_lease;
struct lwb_pool_ticket; /* a place in the queue */

struct lwb_pool_config {
    struct lwb_worker_config worker; /* template for every worker */
    unsigned max_workers;            /* >= 1 */
    uint64_t max_total_memory;       /* bytes over all children, 0: no limit */
    uint64_t wait_timeout_ms;        /* 0: wait for ever */
    uint64_t idle_timeout_ms;        /* idle workers are ended after this; 0: never */
};

int lwb_pool_create(struct lwb_pool **out, uv_loop_t *loop, const struct lwb_pool_config *config,
                    struct lwb_error *err);

/*
 * Ask for a session. Exactly one of the call-backs comes, later: granted with a
 * lease whose session is open, or failed (LWB_ERR_POOL_*, start or open failure).
 */
struct lwb_pool_waiter {
    void (*granted)(void *ctx, struct lwb_lease *lease);
    void (*failed)(void *ctx, const struct lwb_error *err);
    void *ctx;
};
int lwb_pool_acquire(struct lwb_pool_ticket **out, struct lwb_pool *pool,
                     const struct lwb_session_config *config, const struct lwb_pool_waiter *waiter,
                     struct lwb_error *err);

/* Give a place in the queue up: `failed` comes with LWB_ERR_CANCELLED. */
void lwb_pool_ticket_cancel(struct lwb_pool_ticket *ticket);

/*
 * One request on a lease. The call-back comes exactly once: response, or err.
 * Copies the request's strings and the source before it returns. timeout_ms
 * covers writing, work and answer; 0 means the worker's default.
 */
typedef void lwb_lease_checked_fn(void *ctx, const struct lwb_check_response *response,
                                  const struct lwb_error *err);
int lwb_lease_check(struct lwb_lease *lease, const struct lwb_check_request *request,
                    const struct lwb_sinks *sinks, uint64_t timeout_ms,
                    lwb_lease_checked_fn *done, void *ctx, struct lwb_error *err);

/* End the request in flight: its call-back gets LWB_ERR_CANCELLED; the child is replaced later. */
void lwb_lease_cancel(struct lwb_lease *lease);

/* What the worker behind it offers; valid while the lease is held. */
const struct lwb_hello_response *lwb_lease_hello(const struct lwb_lease *lease);

/* Every lease comes back exactly once, also an invalid one. */
void lwb_lease_return(struct lwb_lease *lease);

struct lwb_pool_snapshot {
    unsigned max_workers, workers, active, warm;
    uint64_t queue_depth;
    uint64_t total_memory;
    struct lwb_worker_stats sum; /* over all workers, also those that are gone */
    uint64_t queue_timeouts, memory_rejections, evictions;
};
void lwb_pool_snapshot(const struct lwb_pool *pool, struct lwb_pool_snapshot *out);

/* End all work (waiters and requests fail with LWB_ERR_SHUTDOWN), then all children; then `done`. */
void lwb_pool_shutdown(struct lwb_pool *pool, void (*done)(void *ctx), void *ctx);

/* Only after `done`. */
void lwb_pool_destroy(struct lwb_pool *pool);
