#pragma once

#include "lwbuild/pool/pool.h"

/*
 * A slot is one worker and what it is used for. It belongs to a key for as
 * long as it lives; another key gets another slot.
 */
enum slot_use {
    SLOT_FREE,    /* nobody's; its session may be warm, or its child gone */
    SLOT_OPENING, /* starting and opening a session for `ticket` */
    SLOT_LEASED,
    SLOT_ENDING, /* its child is being ended; then the slot is FREE again */
};

struct slot {
    struct lwb_pool *pool;
    struct lwb_worker *worker;
    struct lwb_session *session;
    struct lwb_session_config *config;
    struct lwb_digest key;
    char *scratch; /* private folder of the session, NULL if none is wanted */
    enum slot_use use;
    struct lwb_pool_ticket *ticket; /* OPENING; NULL when that one was given up meanwhile */
    struct lwb_lease *lease;        /* LEASED */
    uint64_t last_used_ms;
};

struct lwb_pool_ticket {
    struct lwb_pool *pool;
    struct lwb_pool_ticket *next;
    struct lwb_session_config *config;
    struct lwb_digest key;
    struct lwb_pool_waiter waiter;
    uint64_t deadline_ms; /* UINT64_MAX: none */
    unsigned overtaken;   /* by how many that came later */
    bool cancelled;
    bool short_of_memory; /* the last look found no memory for it, only */
};

struct lwb_lease {
    struct lwb_pool *pool;
    struct slot *slot; /* NULL once its child is somebody else's business */
    bool returned;     /* with a request in flight: freed when that is done */
    bool in_flight;
    struct lwb_hello_response hello; /* the worker's, without what tells workers apart */
    lwb_lease_checked_fn *checked;
    void *ctx;
};

struct lwb_pool {
    uv_loop_t *loop;
    struct lwb_pool_config config;
    struct lwb_worker_config *worker_config;
    uv_timer_t timer; /* one look at everything: soon, or at the next deadline */
    bool timer_closed;

    struct slot **slots;
    unsigned n_slots;
    struct lwb_pool_ticket *queue; /* waiting, oldest first */
    unsigned n_leases;
    uint64_t next_scratch;

    bool shutting_down;
    void (*shut_down)(void *ctx);
    void *shut_down_ctx;
    uint64_t shutdown_started_ms;
    struct lwb_pool_report report;

    struct lwb_worker_stats retired; /* of workers that are destroyed */
    uint64_t queue_timeouts, memory_rejections, evictions;
    uint64_t warm_grants, cold_grants;
};

/* Look at queue and slots on the loop's next turn. */
void lwb_pool_wake(struct lwb_pool *pool);

/* Give sessions to those who wait, as far as there are any. */
void lwb_pool_serve(struct lwb_pool *pool);

/* The slot leaves the pool; its numbers stay. */
void lwb_pool_discard(struct lwb_pool *pool, unsigned index);

int lwb_slot_create(struct slot **out, struct lwb_pool *pool, struct lwb_pool_ticket *ticket,
                    struct lwb_error *err);

/* Its worker must have no child. */
void lwb_slot_destroy(struct slot *slot);

bool lwb_slot_has_child(const struct slot *slot);
bool lwb_slot_is_warm(const struct slot *slot);
bool lwb_slot_is_idle(const struct slot *slot); /* with a child, warm or not */

/* Opening, though whoever asked for it has given up: whoever wants the same may have it. */
bool lwb_slot_is_unwanted(const struct slot *slot);

/* Start a child and open the session for the ticket, which is taken; it is told when that fails. */
void lwb_slot_open(struct slot *slot, struct lwb_pool_ticket *ticket);

/* Give the slot's open session to the ticket, which is taken. */
void lwb_slot_grant(struct slot *slot, struct lwb_pool_ticket *ticket);

/* End its child; the slot is free when that is gone. LWB_RESTART_NONE: the worker knows why. */
void lwb_slot_end(struct slot *slot, bool politely, enum lwb_restart_reason reason);

/* The news for one who has given up. */
int lwb_ticket_fail_cancelled(struct lwb_error *err);

/* Take the ticket out of the world, telling its waiter. */
void lwb_ticket_fail(struct lwb_pool_ticket *ticket, const struct lwb_error *err);
void lwb_ticket_destroy(struct lwb_pool_ticket *ticket);

/* Those that wait for a slot; tickets that are being opened for do not. */
unsigned lwb_pool_queue_depth(const struct lwb_pool *pool);

/*
 * Fail those that are cancelled or late, or all of them in a shutdown. One that a
 * session is being opened for is failed when it is cancelled; the opening goes on.
 */
void lwb_pool_drop_tickets(struct lwb_pool *pool);
