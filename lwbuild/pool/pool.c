#include "lwbuild/pool/pool_internal.h"

#include <assert.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/*
 * All decisions are made in one place, look(), which runs from the loop:
 * whenever something changed (a ticket came, a lease went, a child is gone) and
 * when the next deadline has come. It drops what is over, then serves the queue
 * (pool_serve.c).
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

void lwb_pool_discard(struct lwb_pool *pool, unsigned index)
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
        lwb_pool_discard(pool, pool->n_slots - 1);
    lwb_worker_config_destroy(pool->worker_config);
    lwb_free(pool->slots);
    lwb_free(pool);
}

static void end_idle(struct lwb_pool *pool)
{
    uint64_t now = lwb_clock_ms();

    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct slot *slot = pool->slots[i];

        if (pool->config.idle_timeout_ms && lwb_slot_is_idle(slot) &&
            now - slot->last_used_ms >= pool->config.idle_timeout_ms)
            lwb_slot_end(slot, true, LWB_RESTART_IDLE);
    }
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

        if (lwb_slot_is_idle(pool->slots[i]) && end < next)
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
    lwb_pool_serve(pool);
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
