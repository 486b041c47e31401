#include "lwbuild/pool/pool_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/* A place in the queue, from the asking to a lease or an error. */

void lwb_ticket_destroy(struct lwb_pool_ticket *ticket)
{
    lwb_session_config_destroy(ticket->config);
    lwb_free(ticket);
}

void lwb_ticket_fail(struct lwb_pool_ticket *ticket, const struct lwb_error *err)
{
    struct lwb_pool_waiter waiter = ticket->waiter;

    lwb_ticket_destroy(ticket);
    waiter.failed(waiter.ctx, err);
}

int lwb_ticket_fail_cancelled(struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_CANCELLED, "no session is wanted any more");
}

unsigned lwb_pool_queue_depth(const struct lwb_pool *pool)
{
    unsigned depth = 0;

    for (const struct lwb_pool_ticket *ticket = pool->queue; ticket; ticket = ticket->next)
        depth++;
    return depth;
}

static int refuse_at_once(struct lwb_pool *pool, struct lwb_error *err)
{
    if (pool->shutting_down)
        return lwb_fail(err, LWB_ERR_SHUTDOWN, "pool is being shut down");
    if (!pool->config.max_queue || lwb_pool_queue_depth(pool) < pool->config.max_queue)
        return LWB_OK;
    (void)lwb_fail(err, LWB_ERR_POOL_EXHAUSTED, "%u waiting for %u workers already",
                   lwb_pool_queue_depth(pool), pool->config.max_workers);
    err->facts.current = lwb_pool_queue_depth(pool);
    err->facts.limit = pool->config.max_queue;
    return err->code;
}

int lwb_pool_acquire(struct lwb_pool_ticket **out, struct lwb_pool *pool,
                     const struct lwb_session_config *config, const struct lwb_pool_waiter *waiter,
                     struct lwb_error *err)
{
    struct lwb_pool_ticket **end = &pool->queue;
    struct lwb_pool_ticket *ticket;
    struct lwb_digest key;

    if (refuse_at_once(pool, err) < 0 || lwb_session_key(&key, config, err) < 0)
        return err->code;
    ticket = lwb_alloc(sizeof(*ticket));
    if (!ticket)
        return lwb_fail_memory(err);
    if (lwb_session_config_copy(&ticket->config, config, err) < 0) {
        lwb_free(ticket);
        return err->code;
    }
    ticket->pool = pool;
    ticket->key = key;
    ticket->waiter = *waiter;
    ticket->deadline_ms =
        pool->config.wait_timeout_ms ? lwb_clock_ms() + pool->config.wait_timeout_ms : UINT64_MAX;
    while (*end)
        end = &(*end)->next;
    *end = ticket;
    lwb_pool_wake(pool);
    if (out)
        *out = ticket;
    return LWB_OK;
}

void lwb_pool_ticket_cancel(struct lwb_pool_ticket *ticket)
{
    ticket->cancelled = true;
    lwb_pool_wake(ticket->pool);
}

static int fail_waiting(struct lwb_pool *pool, const struct lwb_pool_ticket *ticket,
                        struct lwb_error *err)
{
    unsigned long long waited = pool->config.wait_timeout_ms;

    if (ticket->short_of_memory) {
        pool->memory_rejections++;
        (void)lwb_fail(err, LWB_ERR_POOL_MEMORY, "no memory for another worker within %llu ms",
                       waited);
        err->facts.limit = pool->config.max_total_memory;
    } else {
        pool->queue_timeouts++;
        (void)lwb_fail(err, LWB_ERR_POOL_TIMEOUT, "no worker was free within %llu ms", waited);
        err->facts.limit = pool->config.max_workers;
    }
    err->facts.ms = pool->config.wait_timeout_ms;
    return err->code;
}

/* Does the ticket leave the queue, and with what news? */
static bool is_over(struct lwb_pool *pool, const struct lwb_pool_ticket *ticket,
                    struct lwb_error *err)
{
    if (pool->shutting_down)
        (void)lwb_fail(err, LWB_ERR_SHUTDOWN, "pool is being shut down");
    else if (ticket->cancelled)
        (void)lwb_ticket_fail_cancelled(err);
    else if (ticket->deadline_ms <= lwb_clock_ms())
        (void)fail_waiting(pool, ticket, err);
    else
        return false;
    return true;
}

/* A session may take minutes to open; who has given up does not wait for that. */
static void drop_opening(struct lwb_pool *pool)
{
    struct lwb_error err;

    (void)lwb_ticket_fail_cancelled(&err);
    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct slot *slot = pool->slots[i];

        if (slot->use == SLOT_OPENING && slot->ticket && slot->ticket->cancelled)
            lwb_ticket_fail(LWB_TAKE(slot->ticket), &err);
    }
}

void lwb_pool_drop_tickets(struct lwb_pool *pool)
{
    struct lwb_pool_ticket **at = &pool->queue;
    struct lwb_error err;

    while (*at) {
        struct lwb_pool_ticket *ticket = *at;

        if (!is_over(pool, ticket, &err)) {
            at = &ticket->next;
            continue;
        }
        *at = ticket->next;
        lwb_ticket_fail(ticket, &err); /* may append to the queue, nothing else */
    }
    drop_opening(pool);
}
