#include "lwbuild/pool/pool_internal.h"

#include <assert.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/*
 * All decisions are made in one place, look(), which runs from the loop:
 * whenever something changed (a ticket came, a lease went, a child is gone) and
 * when the next deadline has come. It drops what is over, then serves the
 * queue: first whoever finds its session warm, then oldest first. A waiter that
 * cannot be served does not hold up others.
 */
static void on_timer(uv_timer_t *timer);

void lwb_pool_wake(struct lwb_pool *pool)
{
    if (!pool->timer_closed)
        (void)uv_timer_start(&pool->timer, on_timer, 0, 0);
}

int lwb_pool_create(struct lwb_pool **out, uv_loop_t *loop, const struct lwb_pool_config *config,
                    struct lwb_error *err)
{
    struct lwb_pool *pool;

    if (config->max_workers < 1)
        return lwb_fail(err, LWB_ERR_USAGE, "a pool needs room for a worker");
    if (lwb_worker_config_check(&config->worker, err) < 0)
        return err->code;
    pool = lwb_alloc(sizeof(*pool));
    if (!pool)
        return lwb_fail_memory(err);
    pool->slots = lwb_alloc_array(config->max_workers, sizeof(struct slot *));
    if (!pool->slots) {
        lwb_free(pool);
        return lwb_fail_memory(err);
    }
    if (lwb_worker_config_copy(&pool->worker_config, &config->worker, err) < 0) {
        lwb_free(pool->slots);
        lwb_free(pool);
        return err->code;
    }
    pool->loop = loop;
    pool->config = *config;
    (void)uv_timer_init(loop, &pool->timer);
    pool->timer.data = pool;
    *out = pool;
    return LWB_OK;
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* The slot leaves the pool; its numbers stay. */
static void discard(struct lwb_pool *pool, unsigned index)
{
    struct slot *slot = pool->slots[index];
    struct lwb_worker_stats stats;

    lwb_worker_stats(slot->worker, &stats);
    stats.memory = 0;
    lwb_worker_stats_add(&pool->retired, &stats);
    lwb_slot_destroy(slot);
    pool->slots[index] = pool->slots[--pool->n_slots];
}

void lwb_pool_destroy(struct lwb_pool *pool)
{
    if (!pool)
        return;
    assert(pool->timer_closed && pool->n_leases == 0);
    while (pool->n_slots)
        discard(pool, pool->n_slots - 1);
    lwb_worker_config_destroy(pool->worker_config);
    lwb_free(pool->slots);
    lwb_free(pool);
}

static bool is_idle(const struct slot *slot)
{
    return slot->use == SLOT_FREE && lwb_slot_has_child(slot);
}

static struct slot *least_recently_used(const struct lwb_pool *pool)
{
    struct slot *oldest = NULL;

    for (unsigned i = 0; i < pool->n_slots; i++)
        if (is_idle(pool->slots[i]) &&
            (!oldest || pool->slots[i]->last_used_ms < oldest->last_used_ms))
            oldest = pool->slots[i];
    return oldest;
}

static void end_idle(struct lwb_pool *pool)
{
    uint64_t now = lwb_clock_ms();

    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct slot *slot = pool->slots[i];

        if (pool->config.idle_timeout_ms && is_idle(slot) &&
            now - slot->last_used_ms >= pool->config.idle_timeout_ms)
            lwb_slot_end(slot, true, LWB_RESTART_IDLE);
    }
}

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
        discard(pool, i--);
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
            discard(pool, i);
            return true;
        }
    }
    return false;
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

/* Make room by ending an idle worker, unless enough are on their way out already. */
static void evict_for(struct lwb_pool *pool, unsigned waiting)
{
    struct slot *slot = least_recently_used(pool);
    unsigned leaving = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        leaving += pool->slots[i]->use == SLOT_ENDING;
    if (!slot || leaving >= waiting)
        return;
    pool->evictions++;
    lwb_slot_end(slot, true, LWB_RESTART_EXPLICIT);
}

/* The slot for a ticket that must start a child, or NULL: it waits. */
static struct slot *cold_slot(struct lwb_pool *pool, struct lwb_pool_ticket *ticket,
                              unsigned waiting, struct lwb_error *err)
{
    struct slot *slot = find_cold(pool, &ticket->key);

    err->code = LWB_OK;
    ticket->short_of_memory = false;
    if (must_open_alone(pool))
        return NULL;
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

/*
 * What is warm goes to whoever waits for it, before anything is ended to make
 * room: so a queue is served key by key, and most of it costs no import.
 */
static void serve_warm_first(struct lwb_pool *pool)
{
    struct lwb_pool_ticket **at = &pool->queue;

    while (*at && !pool->shutting_down) {
        if (serve_warm(pool, at))
            continue;
        if (has_been_patient(pool->queue))
            return; /* its turn has come: what is idle may be ended for it */
        at = &(*at)->next;
    }
}

/* The same of a ticket for which a child may be started. */
static bool serve(struct lwb_pool *pool, struct lwb_pool_ticket **at, unsigned waiting)
{
    struct lwb_pool_ticket *ticket;
    struct lwb_error err = { 0 };
    struct slot *slot;

    if (serve_warm(pool, at))
        return true;
    slot = cold_slot(pool, *at, waiting, &err);
    if (!slot && err.code == LWB_OK)
        return false;
    ticket = take(pool, at);
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

static void serve_queue(struct lwb_pool *pool)
{
    serve_warm_first(pool);
    serve_rest(pool, false);
    serve_rest(pool, true);
}

static void set_timer(struct lwb_pool *pool)
{
    uint64_t now = lwb_clock_ms();
    uint64_t next = UINT64_MAX;
    bool starved = false;

    for (const struct lwb_pool_ticket *ticket = pool->queue; ticket; ticket = ticket->next) {
        next = ticket->deadline_ms < next ? ticket->deadline_ms : next;
        starved |= ticket->short_of_memory;
    }
    for (unsigned i = 0; i < pool->n_slots && pool->config.idle_timeout_ms; i++) {
        uint64_t end = pool->slots[i]->last_used_ms + pool->config.idle_timeout_ms;

        if (is_idle(pool->slots[i]) && end < next)
            next = end;
    }
    if (starved && next > now + pool->worker_config->memory_sample_ms)
        next = now + pool->worker_config->memory_sample_ms; /* memory comes back without a word */
    if (next == UINT64_MAX || uv_is_active((uv_handle_t *)&pool->timer))
        return; /* woken meanwhile: it looks again soon */
    uv_update_time(pool->loop);
    (void)uv_timer_start(&pool->timer, on_timer, next > now ? next - now : 0, 0);
}

/* ---- shutdown -------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct lwb_pool *pool = handle->data;

    pool->report.ms = lwb_clock_ms() - pool->shutdown_started_ms;
    pool->timer_closed = true;
    if (pool->shut_down)
        pool->shut_down(pool->shut_down_ctx);
}

static void on_stopped(void *ctx, const struct lwb_stop_report *report)
{
    struct lwb_pool *pool = ctx;

    pool->report.stopped[report->outcome]++;
}

/* Everything that has no child any more goes; leases keep their slot until they are returned. */
static void finish_shutdown(struct lwb_pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (lwb_slot_has_child(pool->slots[i]) || pool->slots[i]->use == SLOT_OPENING)
            return;
    if (!uv_is_closing((uv_handle_t *)&pool->timer))
        uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

void lwb_pool_shutdown(struct lwb_pool *pool, void (*done)(void *ctx), void *ctx)
{
    assert(!pool->shutting_down);
    pool->shutting_down = true;
    pool->shut_down = done;
    pool->shut_down_ctx = ctx;
    pool->shutdown_started_ms = lwb_clock_ms();
    for (unsigned i = 0; i < pool->n_slots; i++)
        (void)lwb_worker_stop(pool->slots[i]->worker, true, on_stopped, pool);
    lwb_pool_wake(pool);
}

const struct lwb_pool_report *lwb_pool_report(const struct lwb_pool *pool)
{
    return &pool->report;
}

/* ---- the look -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer)
{
    struct lwb_pool *pool = timer->data;

    lwb_pool_drop_tickets(pool);
    if (pool->shutting_down) {
        finish_shutdown(pool);
        return;
    }
    end_idle(pool);
    serve_queue(pool);
    set_timer(pool);
}

void lwb_pool_snapshot(const struct lwb_pool *pool, struct lwb_pool_snapshot *out)
{
    struct lwb_pool_snapshot snapshot = {
        .max_workers = pool->config.max_workers,
        .queue_depth = lwb_pool_queue_depth(pool),
        .sum = pool->retired,
        .queue_timeouts = pool->queue_timeouts,
        .memory_rejections = pool->memory_rejections,
        .evictions = pool->evictions,
        .warm_grants = pool->warm_grants,
        .cold_grants = pool->cold_grants,
    };

    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct slot *slot = pool->slots[i];
        struct lwb_worker_stats stats;

        lwb_worker_stats(slot->worker, &stats);
        if (!lwb_slot_has_child(slot))
            stats.memory = 0;
        lwb_worker_stats_add(&snapshot.sum, &stats);
        snapshot.workers += lwb_slot_has_child(slot);
        snapshot.active += slot->use == SLOT_LEASED || slot->use == SLOT_OPENING;
        snapshot.warm += lwb_slot_is_warm(slot);
    }
    snapshot.total_memory = snapshot.sum.memory;
    *out = snapshot;
}
