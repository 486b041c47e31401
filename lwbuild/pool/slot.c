#include "lwbuild/pool/pool_internal.h"

#include <assert.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/session/capability_report.h"

/*
 * One worker of a pool: OPENING (start, open, and where the key expects
 * something of it, the metadata), LEASED, FREE, ENDING. What
 * goes wrong while opening is the ticket's news; what goes wrong while leased
 * is the request's. Either way the pool looks at the slot again.
 */
static void remove_scratch(struct slot *slot)
{
    struct lwb_error ignored;

    if (slot->scratch)
        (void)lwb_file_remove_tree(slot->scratch, &ignored); /* it lies in the caller's folder */
    lwb_free(slot->scratch);
    slot->scratch = NULL;
}

static int make_scratch(struct slot *slot, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    remove_scratch(slot);
    if (!slot->config->open.scratch)
        return LWB_OK;
    lwb_buf_format(&path, "%s/session-%d-%llu", slot->config->open.scratch, (int)getpid(),
                   (unsigned long long)++slot->pool->next_scratch);
    slot->scratch = lwb_buf_take(&path);
    if (!slot->scratch)
        return lwb_fail_memory(err);
    return lwb_file_make_dirs(slot->scratch, 0700, err);
}

bool lwb_slot_has_child(const struct slot *slot)
{
    return lwb_worker_state_has_child(lwb_worker_state(slot->worker));
}

bool lwb_slot_is_warm(const struct slot *slot)
{
    return slot->use == SLOT_FREE && lwb_session_is_valid(slot->session);
}

bool lwb_slot_is_unwanted(const struct slot *slot)
{
    return slot->use == SLOT_OPENING && !slot->ticket;
}

bool lwb_slot_is_idle(const struct slot *slot)
{
    return slot->use == SLOT_FREE && lwb_slot_has_child(slot);
}

/* A child is gone, whatever it was doing. */
static void on_gone(void *ctx)
{
    struct slot *slot = ctx;

    if (slot->use == SLOT_ENDING)
        slot->use = SLOT_FREE;
    lwb_pool_wake(slot->pool);
}

int lwb_slot_create(struct slot **out, struct lwb_pool *pool, struct lwb_pool_ticket *ticket,
                    struct lwb_error *err)
{
    struct lwb_worker_watcher watcher = { .gone = on_gone };
    struct slot *slot = lwb_alloc(sizeof(*slot));

    if (!slot)
        return lwb_fail_memory(err);
    slot->pool = pool;
    slot->key = ticket->key;
    if (lwb_worker_create(&slot->worker, pool->loop, pool->worker_config, err) < 0 ||
        lwb_session_create(&slot->session, slot->worker, err) < 0 ||
        lwb_session_config_copy(&slot->config, ticket->config, err) < 0) {
        lwb_slot_destroy(slot);
        return err->code;
    }
    watcher.ctx = slot;
    lwb_worker_watch(slot->worker, &watcher);
    *out = slot;
    return LWB_OK;
}

void lwb_slot_destroy(struct slot *slot)
{
    remove_scratch(slot);
    lwb_session_destroy(slot->session);
    lwb_worker_destroy(slot->worker);
    lwb_session_config_destroy(slot->config);
    lwb_free(slot);
}

/* ---- opening ----------------------------------------------------------------------------- */

static void fail_opening(struct slot *slot, const struct lwb_error *err)
{
    struct lwb_pool_ticket *ticket = LWB_TAKE(slot->ticket);

    if (lwb_slot_has_child(slot))
        lwb_slot_end(slot, true, LWB_RESTART_EXPLICIT);
    else
        slot->use = SLOT_FREE;
    lwb_pool_wake(slot->pool);
    if (ticket)
        lwb_ticket_fail(ticket, err);
}

void lwb_slot_grant(struct slot *slot, struct lwb_pool_ticket *ticket)
{
    struct lwb_lease *lease = lwb_alloc(sizeof(*lease));
    struct lwb_pool_waiter waiter = ticket->waiter;
    struct lwb_error err;

    if (!lease) {
        (void)lwb_fail_memory(&err);
        slot->use = SLOT_FREE;
        lwb_ticket_fail(ticket, &err);
        return;
    }
    lease->pool = slot->pool;
    lease->slot = slot;
    lease->hello = *lwb_worker_hello(slot->worker);
    lease->hello.pid = 0;
    slot->pool->n_leases++;
    slot->use = SLOT_LEASED;
    slot->lease = lease;
    lwb_session_set_timeout(slot->session, 0);
    lwb_ticket_destroy(ticket);
    waiter.granted(waiter.ctx, lease);
}

static bool is_given_up(const struct slot *slot, struct lwb_error *err)
{
    if (!slot->ticket || slot->ticket->cancelled)
        (void)lwb_ticket_fail_cancelled(err);
    else if (slot->pool->shutting_down)
        (void)lwb_fail(err, LWB_ERR_SHUTDOWN, "pool is being shut down");
    else
        return false;
    return true;
}

/* The session is open and what was expected of it holds. */
static void finish_opening(struct slot *slot)
{
    struct lwb_error own;

    if (is_given_up(slot, &own)) {
        struct lwb_pool_ticket *ticket = LWB_TAKE(slot->ticket);

        slot->use = SLOT_FREE;
        slot->last_used_ms = lwb_clock_ms();
        lwb_pool_wake(slot->pool);
        if (ticket)
            lwb_ticket_fail(ticket, &own);
    } else {
        slot->pool->cold_grants++;
        lwb_pool_wake(slot->pool); /* others may have waited for it to be open */
        lwb_slot_grant(slot, LWB_TAKE(slot->ticket));
    }
}

static int compare_metadata(const struct slot *slot, struct lwb_bytes json, struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_metadata_release) struct lwb_capability_metadata metadata = { 0 };

    if (lwb_capability_metadata_parse(&metadata, json, err) < 0)
        return err->code;
    return lwb_capability_metadata_expect(&metadata, lwb_bytes_text(slot->config->metadata), err);
}

static void on_metadata(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct slot *slot = ctx;
    struct lwb_error own;

    if (err) {
        own = *err;
        (void)lwb_error_context(&own, "reading the metadata");
        fail_opening(slot, &own);
    } else if (compare_metadata(slot, reply->answer.json, &own) < 0) {
        fail_opening(slot, &own);
    } else {
        finish_opening(slot);
    }
}

static void ask_for_metadata(struct slot *slot)
{
    const struct lwb_export_request request = { "metadata", { "{}", 2 } };
    const struct lwb_session_call call = {
        .timeout_ms = slot->pool->config.open_timeout_ms,
        .done = on_metadata,
        .ctx = slot,
    };
    struct lwb_error err;

    if (lwb_session_metadata(slot->session, &request, &call, &err) < 0)
        fail_opening(slot, &err);
}

static void on_opened(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct slot *slot = ctx;
    struct lwb_error own;

    (void)reply;
    if (err) {
        own = *err;
        (void)lwb_error_context(&own, "opening a session");
        fail_opening(slot, &own);
    } else if (slot->config->metadata) {
        ask_for_metadata(slot);
    } else {
        finish_opening(slot);
    }
}

static void on_started(void *ctx, const struct lwb_error *err)
{
    struct slot *slot = ctx;
    const struct lwb_session_call call = {
        .timeout_ms = slot->pool->config.open_timeout_ms,
        .done = on_opened,
        .ctx = slot,
    };
    struct lwb_open_request request = slot->config->open;
    struct lwb_error own;

    if (err) {
        fail_opening(slot, err);
        return;
    }
    request.scratch = slot->scratch;
    if (is_given_up(slot, &own) || lwb_session_open(slot->session, &request, &call, &own) < 0)
        fail_opening(slot, &own);
}

void lwb_slot_open(struct slot *slot, struct lwb_pool_ticket *ticket)
{
    struct lwb_error err;

    slot->use = SLOT_OPENING;
    slot->ticket = ticket;
    if (make_scratch(slot, &err) < 0 || lwb_worker_start(slot->worker, on_started, slot, &err) < 0)
        fail_opening(slot, &err);
}

void lwb_slot_end(struct slot *slot, bool politely, enum lwb_restart_reason reason)
{
    if (reason != LWB_RESTART_NONE)
        lwb_worker_set_restart_reason(slot->worker, reason);
    slot->use = lwb_worker_stop(slot->worker, politely, NULL, NULL) ? SLOT_ENDING : SLOT_FREE;
}
