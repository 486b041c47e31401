#include "lwbuild/worker/cancel_token.h"

#include <assert.h>
#include <stdatomic.h>

#include "lwbuild/base/alloc.h"

struct lwb_cancel_token {
    uv_async_t async;
    atomic_bool fired;
    struct lwb_cancel_listener *listeners;
};

/* A listener may detach itself and others: start over after each. */
static void on_fired(uv_async_t *async)
{
    struct lwb_cancel_token *token = async->data;

    while (token->listeners) {
        struct lwb_cancel_listener *listener = token->listeners;

        lwb_cancel_detach(listener);
        listener->cancelled(listener);
    }
}

int lwb_cancel_token_create(struct lwb_cancel_token **out, uv_loop_t *loop, struct lwb_error *err)
{
    struct lwb_cancel_token *token = lwb_alloc(sizeof(*token));
    int rc;

    if (!token)
        return lwb_fail_memory(err);
    rc = uv_async_init(loop, &token->async, on_fired);
    if (rc < 0) {
        lwb_free(token);
        return lwb_fail(err, LWB_ERR_SYSTEM, "cancel token: %s", uv_strerror(rc));
    }
    token->async.data = token;
    uv_unref((uv_handle_t *)&token->async); /* waiting for a cancel is no reason to run */
    *out = token;
    return LWB_OK;
}

static void on_closed(uv_handle_t *handle)
{
    lwb_free(handle->data);
}

void lwb_cancel_token_close(struct lwb_cancel_token *token)
{
    if (!token)
        return;
    assert(!token->listeners);
    uv_close((uv_handle_t *)&token->async, on_closed);
}

void lwb_cancel_token_fire(struct lwb_cancel_token *token)
{
    atomic_store(&token->fired, true);
    (void)uv_async_send(&token->async);
}

bool lwb_cancel_token_is_fired(const struct lwb_cancel_token *token)
{
    return atomic_load(&token->fired);
}

void lwb_cancel_attach(struct lwb_cancel_listener *listener, struct lwb_cancel_token *token)
{
    listener->token = token;
    if (!token)
        return;
    listener->next = token->listeners;
    token->listeners = listener;
}

void lwb_cancel_detach(struct lwb_cancel_listener *listener)
{
    struct lwb_cancel_listener **at;

    if (!listener->token)
        return;
    at = &listener->token->listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    listener->token = NULL;
}
