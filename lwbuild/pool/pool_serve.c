#include "lwbuild/pool/pool_internal.h"

#include "lwbuild/base/clock.h"

/*
 * Who of those that wait gets a session, and which one is ended for it: first
 * whoever finds its session warm, then oldest first, further sessions of a key
 * last. A waiter that cannot be served does not hold up others.
 */

/* ---- slots ----------------------------------------------------------------------------------- */

/* A warm session with this key. One that its policy wants replaced is ended on the way. */
static struct slot *find_warm(struct lwb_pool *pool, const struct lwb_digest *key)
{
    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct slot *slot = pool->slots[i];
        struct lwb_error ignored;

        if (!lwb_slot_is_warm(slot) || lwb_digest_compare(&slot->key, key) != 0)
            continue;
        if (lwb_session_check_valid(slot->session, &ignored) == LWB_OK)
            return slot;
        lwb_slot_end(slot, true, LWB_RESTART_NONE);
    }
    return NULL;
}

/* One that gave up is forgotten when its restart window is over. */
static bool is_forgiven(const struct lwb_pool *pool, const struct slot *slot)
{
    return lwb_worker_state(slot->worker) == LWB_WORKER_EXHAUSTED &&
           lwb_clock_ms() - slot->last_used_ms >= pool->worker_config->policy.window_ms;
}

/* A worker with this key whose child is gone: it may be started again. */
static struct slot *find_cold(struct lwb_pool *pool, const struct lwb_digest *key)
{
    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct slot *slot = pool->slots[i];

        if (slot->use != SLOT_FREE || lwb_slot_has_child(slot) ||
            lwb_digest_compare(&slot->key, key) != 0)
            continue;
        if (!is_forgiven(pool, slot))
            return slot;
        lwb_pool_discard(pool, i--);
    }
    return NULL;
}

/* Room in the table: slots of other keys without a child do not count. */
static bool make_room(struct lwb_pool *pool)
{
    if (pool->n_slots < pool->config.max_workers)
        return true;
    for (unsigned i = 0; i < pool->n_slots; i++) {
        if (pool->slots[i]->use == SLOT_FREE && !lwb_slot_has_child(pool->slots[i])) {
            lwb_pool_discard(pool, i);
            return true;
        }
    }
    return false;
}

/* One that opens for nobody any more, with this key (NULL: any). */
static struct slot *find_unwanted(struct lwb_pool *pool, const struct lwb_digest *key)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (lwb_slot_is_unwanted(pool->slots[i]) &&
            (!key || lwb_digest_compare(&pool->slots[i]->key, key) == 0))
            return pool->slots[i];
    return NULL;
}

static struct slot *least_recently_used(const struct lwb_pool *pool)
{
    struct slot *oldest = NULL;

    for (unsigned i = 0; i < pool->n_slots; i++)
        if (lwb_slot_is_idle(pool->slots[i]) &&
            (!oldest || pool->slots[i]->last_used_ms < oldest->last_used_ms))
            oldest = pool->slots[i];
    return oldest;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static uint64_t total_memory(struct lwb_pool *pool)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        uint64_t bytes;

        if (lwb_slot_has_child(pool->slots[i]) &&
            lwb_worker_memory(pool->slots[i]->worker, &bytes) == 1)
            total += bytes;
    }
    return total;
}

/*
 * How large a session is shows when it is open, so they open one after the
 * other: the limit is passed by one of them at most.
 */
static bool must_open_alone(const struct lwb_pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots && pool->config.max_total_memory; i++)
        if (pool->slots[i]->use == SLOT_OPENING)
            return true;
    return false;
}

static bool has_memory(struct lwb_pool *pool)
{
    return !pool->config.max_total_memory || total_memory(pool) < pool->config.max_total_memory;
}

/* ---- serving --------------------------------------------------------------------------------- */

static void evict(struct lwb_pool *pool, struct slot *slot)
{
    pool->evictions++;
    lwb_slot_end(slot, true, LWB_RESTART_EXPLICIT);
}

/*
 * Make room by ending a worker that nobody wants or uses, unless enough are on
 * their way out already.
 */
static void evict_for(struct lwb_pool *pool, unsigned waiting)
{
    struct slot *slot = find_unwanted(pool, NULL);
    unsigned leaving = 0;

    if (!slot)
        slot = least_recently_used(pool);
    for (unsigned i = 0; i < pool->n_slots; i++)
        leaving += pool->slots[i]->use == SLOT_ENDING;
    if (slot && leaving < waiting)
        evict(pool, slot);
}

/* Openings that are in nobody's interest hold nobody up. */
static void evict_unwanted(struct lwb_pool *pool)
{
    struct slot *slot = find_unwanted(pool, NULL);

    if (slot)
        evict(pool, slot);
}

/* The slot for a ticket that must start a child, or NULL: it waits. */
static struct slot *cold_slot(struct lwb_pool *pool, struct lwb_pool_ticket *ticket,
                              unsigned waiting, struct lwb_error *err)
{
    struct slot *slot = find_cold(pool, &ticket->key);

    err->code = LWB_OK;
    ticket->short_of_memory = false;
    if (must_open_alone(pool)) {
        evict_unwanted(pool);
        return NULL;
    }
    if (!slot && !make_room(pool)) {
        evict_for(pool, waiting);
        return NULL;
    }
    if (!has_memory(pool)) {
        ticket->short_of_memory = true;
        evict_for(pool, waiting);
        return NULL;
    }
    if (!slot && lwb_slot_create(&slot, pool, ticket, err) == LWB_OK)
        pool->slots[pool->n_slots++] = slot;
    return slot;
}

static struct lwb_pool_ticket *take(struct lwb_pool *pool, struct lwb_pool_ticket **at)
{
    struct lwb_pool_ticket *ticket = *at;

    pool->queue->overtaken++; /* of no account when this is the oldest */
    *at = ticket->next;
    return ticket;
}

static bool has_been_patient(const struct lwb_pool_ticket *ticket)
{
    return ticket->overtaken >= LWB_POOL_MAX_OVERTAKEN;
}

/* Returns whether the ticket has left the queue; then it must not be touched. */
static bool serve_warm(struct lwb_pool *pool, struct lwb_pool_ticket **at)
{
    struct slot *slot = find_warm(pool, &(*at)->key);
    struct lwb_pool_ticket *ticket;

    if (!slot)
        return false;
    ticket = take(pool, at);
    pool->warm_grants++;
    lwb_slot_grant(slot, ticket);
    return true;
}

/* The same of a session that is being opened for nobody any more. */
static bool serve_opening(struct lwb_pool *pool, struct lwb_pool_ticket **at)
{
    struct slot *slot = find_unwanted(pool, &(*at)->key);

    if (!slot)
        return false;
    slot->ticket = take(pool, at);
    return true;
}

/*
 * What is warm goes to whoever waits for it, before anything is ended to make
 * room: so a queue is served key by key, and most of it costs no import.
 */
static void serve_warm_first(struct lwb_pool *pool)
{
    struct lwb_pool_ticket **at = &pool->queue;

    while (*at && !pool->shutting_down) {
        if (serve_warm(pool, at) || serve_opening(pool, at))
            continue;
        if (has_been_patient(pool->queue))
            return; /* its turn has come: what is idle may be ended for it */
        at = &(*at)->next;
    }
}

/* The same of a ticket for which a child may be started. */
static bool serve(struct lwb_pool *pool, struct lwb_pool_ticket **at, unsigned waiting)
{
    struct lwb_pool_ticket *ticket = *at;
    struct lwb_error err = { 0 };
    struct slot *slot;

    if (serve_warm(pool, at) || serve_opening(pool, at))
        return true;
    slot = cold_slot(pool, ticket, waiting, &err);
    if (!slot && err.code == LWB_OK)
        return false;
    (void)take(pool, at);
    if (slot)
        lwb_slot_open(slot, ticket);
    else
        lwb_ticket_fail(ticket, &err);
    return true;
}

/* Whether somebody else has, or is about to have, a session with this key. */
static bool is_held(const struct lwb_pool *pool, const struct lwb_digest *key)
{
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct slot *slot = pool->slots[i];

        if ((slot->use == SLOT_LEASED || slot->use == SLOT_OPENING) &&
            lwb_digest_compare(&slot->key, key) == 0)
            return true;
    }
    return false;
}

/* Without `further`, only the first session of each key: a second one is an import more. */
static void serve_rest(struct lwb_pool *pool, bool further)
{
    struct lwb_pool_ticket **at = &pool->queue;
    unsigned waiting = 0;

    while (*at && !pool->shutting_down) {
        bool skipped = !further && !has_been_patient(*at) && is_held(pool, &(*at)->key);

        if (!skipped && serve(pool, at, waiting + 1))
            continue;
        at = &(*at)->next;
        waiting += !skipped;
    }
}

void lwb_pool_serve(struct lwb_pool *pool)
{
    serve_warm_first(pool);
    serve_rest(pool, false);
    serve_rest(pool, true);
}
