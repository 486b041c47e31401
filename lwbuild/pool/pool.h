#pragma once

#include <uv.h>

#include "lwbuild/base/error.h"
#include "lwbuild/session/session.h"
#include "lwbuild/session/session_config.h"
#include "lwbuild/session/sink.h"
#include "lwbuild/worker/worker.h"
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
struct lwb_pool_ticket; /* a place in the queue, until a call-back comes */

struct lwb_pool_config {
    struct lwb_worker_config worker; /* template for every worker */
    unsigned max_workers;            /* >= 1 */
    unsigned max_queue; /* waiters beyond this are LWB_ERR_POOL_EXHAUSTED; 0: no limit */
    /*
     * Bytes over all children, 0: no limit. Another child is started only while
     * they have less, and with a limit sessions open one at a time: it is passed
     * by what one session takes to open at most, and by what sessions come to
     * take in use. (The Lean host imports with the first request; what a child
     * may take then is worker.policy.hard_memory.)
     */
    uint64_t max_total_memory;
    uint64_t wait_timeout_ms; /* 0: wait for ever */
    uint64_t idle_timeout_ms; /* idle workers are ended after this; 0: never */
    uint64_t open_timeout_ms; /* to open a session; 0: the worker's request timeout */
};

int lwb_pool_create(struct lwb_pool **out, uv_loop_t *loop, const struct lwb_pool_config *config,
                    struct lwb_error *err);

/*
 * Ask for a session. Exactly one of the call-backs comes, later: granted with a
 * lease whose session is open, or failed (LWB_ERR_POOL_*, start or open failure).
 * An idle worker with the same key is used again; else one is started, and if
 * there are max_workers already, the idle one that was used least recently is
 * ended for it. While all are leased, waiters queue; nobody is promised a turn
 * in order: a session that has come back warm goes to one who waits for it
 * before it is ended for another, and the first session of a key comes before a
 * second one of another, until the oldest waiter was overtaken
 * LWB_POOL_MAX_OVERTAKEN times. *out may be NULL when the ticket is not wanted.
 *
 * A session whose config->metadata says what is expected of it is asked for its
 * metadata before it is granted; one that differs fails with
 * LWB_ERR_METADATA_MISMATCH (lwb_capability_metadata_expect), one that makes no
 * sense with LWB_ERR_METADATA_MALFORMED, and its child is ended.
 *
 * config->open.scratch, if set, is a folder of the caller's that lives as long
 * as the pool. Each session gets a private folder in it, which is removed when
 * its child has been replaced or the pool shuts down, never while it is leased.
 */
#define LWB_POOL_MAX_OVERTAKEN 64
struct lwb_pool_waiter {
    void (*granted)(void *ctx, struct lwb_lease *lease);
    void (*failed)(void *ctx, const struct lwb_error *err);
    void *ctx;
};
int lwb_pool_acquire(struct lwb_pool_ticket **out, struct lwb_pool *pool,
                     const struct lwb_session_config *config, const struct lwb_pool_waiter *waiter,
                     struct lwb_error *err);

/*
 * Give a place in the queue up: `failed` comes with LWB_ERR_CANCELLED, on the
 * loop's next turn. A session that was being opened for it goes to whoever wants
 * the same, or stays warm when it is open; it is ended when it is in the way.
 */
void lwb_pool_ticket_cancel(struct lwb_pool_ticket *ticket);

/*
 * One request on a lease. The call-back comes exactly once: response, or err.
 * Copies the request's strings and the source before it returns. timeout_ms
 * covers writing, work and answer; 0 means the worker's default.
 *
 * LWB_ERR_LEASE_INVALID, at once and without any work, when the session behind
 * it has ended: by a timeout, a cancel, the child's death, or because the
 * restart policy wants a new child before the next request. Return the lease
 * and acquire again.
 */
typedef void lwb_lease_checked_fn(void *ctx, const struct lwb_check_response *response,
                                  const struct lwb_error *err);
int lwb_lease_check(struct lwb_lease *lease, const struct lwb_check_request *request,
                    const struct lwb_sinks *sinks, uint64_t timeout_ms, lwb_lease_checked_fn *done,
                    void *ctx, struct lwb_error *err);

/* Every other command: valid while the lease is held. */
struct lwb_session *lwb_lease_session(struct lwb_lease *lease);

/* Whether a request would be accepted now; restart policy included. */
bool lwb_lease_is_valid(struct lwb_lease *lease);

/* End the request in flight: its call-back gets LWB_ERR_CANCELLED; the child is replaced later. */
void lwb_lease_cancel(struct lwb_lease *lease);

/* End the child although it works; the lease is invalid from here on (reason: explicit). */
void lwb_lease_cycle(struct lwb_lease *lease);

/* For requests that name no timeout, as long as the lease is held; 0: the worker's default. */
void lwb_lease_set_timeout(struct lwb_lease *lease, uint64_t ms);

/*
 * What the worker behind it offers; valid while the lease is held. Which one it
 * is, is nobody's business: its pid is 0 here.
 */
const struct lwb_hello_response *lwb_lease_hello(const struct lwb_lease *lease);

/* How its worker is doing, and the end of what it said on stderr. */
void lwb_lease_snapshot(const struct lwb_lease *lease, struct lwb_worker_stats *out);
void lwb_lease_stderr(const struct lwb_lease *lease, size_t max, struct lwb_buf *out);

/*
 * Every lease comes back exactly once, also an invalid one; it is gone then. A
 * request in flight is cancelled; its call-back still comes.
 */
void lwb_lease_return(struct lwb_lease *lease);

struct lwb_pool_snapshot {
    unsigned max_workers;
    unsigned workers;     /* with a child */
    unsigned active;      /* leased, or starting for somebody */
    unsigned warm;        /* idle, with an open session */
    uint64_t queue_depth; /* waiting for a worker now */
    uint64_t total_memory;
    struct lwb_worker_stats sum; /* over all workers, also those that are gone */
    uint64_t queue_timeouts, memory_rejections, evictions;
    uint64_t warm_grants, cold_grants;
};
void lwb_pool_snapshot(const struct lwb_pool *pool, struct lwb_pool_snapshot *out);

/*
 * End all work (waiters and requests fail with LWB_ERR_SHUTDOWN), then all
 * children, politely where they are idle; then `done`. Leases that are still
 * held are invalid and must be returned before the pool is destroyed.
 */
struct lwb_pool_report {
    unsigned stopped[LWB_STOP_OUTCOMES]; /* children by how they ended */
    uint64_t ms;
};
void lwb_pool_shutdown(struct lwb_pool *pool, void (*done)(void *ctx), void *ctx);

/* How the shutdown went; after `done`. */
const struct lwb_pool_report *lwb_pool_report(const struct lwb_pool *pool);

/* Only after `done`. */
void lwb_pool_destroy(struct lwb_pool *pool);
