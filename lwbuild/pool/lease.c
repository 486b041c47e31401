#include "lwbuild/pool/pool_internal.h"

#include <assert.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/* Exclusive use of a slot's session, from grant to return. */

static int fail_invalid(struct lwb_error *err)
{
    if (err->code == LWB_ERR_SESSION_INVALID)
        err->code = LWB_ERR_LEASE_INVALID;
    return err->code;
}

static void release(struct lwb_lease *lease)
{
    lease->pool->n_leases--;
    lwb_free(lease);
}

static void on_checked(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct lwb_lease *lease = ctx;
    lwb_lease_checked_fn *checked = lease->checked;
    void *checked_ctx = lease->ctx;

    lease->in_flight = false;
    if (lease->returned)
        release(lease);
    checked(checked_ctx, reply ? &reply->check : NULL, err);
}

int lwb_lease_check(struct lwb_lease *lease, const struct lwb_check_request *request,
                    const struct lwb_sinks *sinks, uint64_t timeout_ms, lwb_lease_checked_fn *done,
                    void *ctx, struct lwb_error *err)
{
    const struct lwb_session_call call = {
        .sinks = sinks,
        .timeout_ms = timeout_ms,
        .done = on_checked,
        .ctx = lease,
    };

    if (lwb_session_check(lease->slot->session, request, &call, err) < 0)
        return fail_invalid(err);
    lease->in_flight = true;
    lease->checked = done;
    lease->ctx = ctx;
    return LWB_OK;
}

struct lwb_session *lwb_lease_session(struct lwb_lease *lease)
{
    return lease->slot->session;
}

bool lwb_lease_is_valid(struct lwb_lease *lease)
{
    struct lwb_error ignored;

    return lwb_session_check_valid(lease->slot->session, &ignored) == LWB_OK;
}

void lwb_lease_cancel(struct lwb_lease *lease)
{
    lwb_worker_cancel(lease->slot->worker);
}

void lwb_lease_cycle(struct lwb_lease *lease)
{
    lwb_worker_set_restart_reason(lease->slot->worker, LWB_RESTART_EXPLICIT);
    (void)lwb_worker_stop(lease->slot->worker, true, NULL, NULL);
}

void lwb_lease_set_timeout(struct lwb_lease *lease, uint64_t ms)
{
    lwb_session_set_timeout(lease->slot->session, ms);
}

const struct lwb_hello_response *lwb_lease_hello(const struct lwb_lease *lease)
{
    return &lease->hello;
}

void lwb_lease_snapshot(const struct lwb_lease *lease, struct lwb_worker_stats *out)
{
    lwb_worker_stats(lease->slot->worker, out);
}

void lwb_lease_stderr(const struct lwb_lease *lease, size_t max, struct lwb_buf *out)
{
    lwb_worker_stderr(lease->slot->worker, max, out);
}

void lwb_lease_return(struct lwb_lease *lease)
{
    struct slot *slot = lease->slot;

    assert(!lease->returned && slot->lease == lease);
    lwb_worker_cancel(slot->worker);
    slot->lease = NULL;
    slot->last_used_ms = lwb_clock_ms();
    slot->use = SLOT_FREE;
    if (!lwb_session_is_valid(slot->session))
        lwb_slot_end(slot, true, LWB_RESTART_NONE);
    lwb_pool_wake(slot->pool);
    if (lease->in_flight)
        lease->returned = true;
    else
        release(lease);
}
