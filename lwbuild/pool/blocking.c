#include "lwbuild/pool/blocking.h"

#include <signal.h>

#include "lwbuild/base/alloc.h"

/*
 * Every call starts something on the loop, turns it until the call-back has
 * come and stops it there. Leases are counted by the pool; those that a caller
 * forgot are returned at the end.
 */
struct lwb_blocking {
    uv_loop_t loop;
    struct lwb_pool *pool;
    struct lwb_lease **leases;
    size_t n_leases;
    size_t cap;
};

/* What a call waits for. */
struct wait {
    struct lwb_blocking *client;
    bool over;
    struct lwb_error err; /* code 0: well */
    struct lwb_lease *lease;
    struct lwb_kept_reply *out;
};

static void finish(struct wait *wait, const struct lwb_error *err)
{
    wait->err = err ? *err : (struct lwb_error){ 0 };
    wait->over = true;
    uv_stop(&wait->client->loop);
}

static int turn_until_over(struct wait *wait, struct lwb_error *err)
{
    while (!wait->over)
        (void)uv_run(&wait->client->loop, UV_RUN_DEFAULT);
    if (wait->err.code == LWB_OK)
        return LWB_OK;
    *err = wait->err;
    return err->code;
}

static void ignore_sigpipe(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

int lwb_blocking_open(struct lwb_blocking **out, const struct lwb_pool_config *config,
                      struct lwb_error *err)
{
    struct lwb_blocking *client = lwb_alloc(sizeof(*client));
    int rc;

    if (!client)
        return lwb_fail_memory(err);
    rc = uv_loop_init(&client->loop);
    if (rc < 0) {
        lwb_free(client);
        return lwb_fail(err, LWB_ERR_SYSTEM, "event loop: %s", uv_strerror(rc));
    }
    if (lwb_pool_create(&client->pool, &client->loop, config, err) < 0) {
        (void)uv_loop_close(&client->loop);
        lwb_free(client);
        return err->code;
    }
    ignore_sigpipe();
    *out = client;
    return LWB_OK;
}

static void on_shut_down(void *ctx)
{
    finish(ctx, NULL);
}

void lwb_blocking_close(struct lwb_blocking *client)
{
    struct wait wait = { .client = client };
    struct lwb_error ignored;

    if (!client)
        return;
    while (client->n_leases)
        lwb_blocking_return(client, client->leases[client->n_leases - 1]);
    lwb_pool_shutdown(client->pool, on_shut_down, &wait);
    (void)turn_until_over(&wait, &ignored);
    lwb_pool_destroy(client->pool);
    (void)uv_run(&client->loop, UV_RUN_DEFAULT); /* what the caller has closed, such as tokens */
    (void)uv_loop_close(&client->loop);
    lwb_free(client->leases);
    lwb_free(client);
}

uv_loop_t *lwb_blocking_loop(struct lwb_blocking *client)
{
    return &client->loop;
}

struct lwb_pool *lwb_blocking_pool(struct lwb_blocking *client)
{
    return client->pool;
}

/* ---- leases --------------------------------------------------------------------------------- */

struct seeker {
    struct wait wait;
    struct lwb_pool_ticket *ticket;
    struct lwb_cancel_listener cancel;
};

static void on_granted(void *ctx, struct lwb_lease *lease)
{
    struct seeker *seeker = ctx;

    seeker->wait.lease = lease;
    finish(&seeker->wait, NULL);
}

static void on_refused(void *ctx, const struct lwb_error *err)
{
    struct seeker *seeker = ctx;

    finish(&seeker->wait, err);
}

static void on_cancelled(struct lwb_cancel_listener *listener)
{
    struct seeker *seeker = LWB_CONTAINER(listener, struct seeker, cancel);

    if (!seeker->wait.over)
        lwb_pool_ticket_cancel(seeker->ticket);
}

int lwb_blocking_acquire(struct lwb_blocking *client, const struct lwb_session_config *config,
                         struct lwb_cancel_token *cancel, struct lwb_lease **lease,
                         struct lwb_error *err)
{
    struct seeker seeker = { .wait.client = client, .cancel.cancelled = on_cancelled };
    const struct lwb_pool_waiter waiter = { on_granted, on_refused, &seeker };
    int rc;

    if (lwb_grow(&client->leases, &client->cap, client->n_leases, sizeof(struct lwb_lease *)))
        return lwb_fail_memory(err);
    if (cancel && lwb_cancel_token_is_fired(cancel))
        return lwb_fail(err, LWB_ERR_CANCELLED, "no session is wanted any more");
    if (lwb_pool_acquire(&seeker.ticket, client->pool, config, &waiter, err) < 0)
        return err->code;
    lwb_cancel_attach(&seeker.cancel, cancel);
    rc = turn_until_over(&seeker.wait, err);
    lwb_cancel_detach(&seeker.cancel);
    if (rc < 0)
        return rc;
    client->leases[client->n_leases++] = seeker.wait.lease;
    *lease = seeker.wait.lease;
    return LWB_OK;
}

void lwb_blocking_return(struct lwb_blocking *client, struct lwb_lease *lease)
{
    for (size_t i = 0; i < client->n_leases; i++) {
        if (client->leases[i] != lease)
            continue;
        client->leases[i] = client->leases[--client->n_leases];
        lwb_lease_return(lease);
        return;
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static void on_done(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct wait *wait = ctx;
    struct lwb_error own;

    if (!err && lwb_reply_take(wait->out, reply, &own) < 0)
        err = &own;
    finish(wait, err);
}

static struct lwb_session_call call_of(struct wait *wait,
                                       const struct lwb_blocking_options *options)
{
    static const struct lwb_blocking_options defaults;

    options = options ? options : &defaults;
    return (struct lwb_session_call){
        .sinks = options->sinks,
        .timeout_ms = options->timeout_ms,
        .cancel = options->cancel,
        .done = on_done,
        .ctx = wait,
    };
}

static int finish_call(struct wait *wait, int rc, struct lwb_error *err)
{
    rc = rc < 0 ? rc : turn_until_over(wait, err);
    if (rc == LWB_ERR_SESSION_INVALID)
        rc = err->code = LWB_ERR_LEASE_INVALID;
    return rc;
}

/* Each command is its session call and the wait for it. */
#define DEFINE_BLOCKING(command, type)                                                             \
    int lwb_blocking_##command(struct lwb_blocking *client, struct lwb_lease *lease, type request, \
                               const struct lwb_blocking_options *options,                         \
                               struct lwb_kept_reply *out, struct lwb_error *err)                  \
    {                                                                                              \
        struct wait wait = { .client = client, .out = out };                                       \
        const struct lwb_session_call call = call_of(&wait, options);                              \
                                                                                                   \
        return finish_call(                                                                        \
            &wait, lwb_session_##command(lwb_lease_session(lease), request, &call, err), err);     \
    }                                                                                              \
    struct lwb_expect_semicolon

DEFINE_BLOCKING(check, const struct lwb_check_request *);
DEFINE_BLOCKING(elaborate, const struct lwb_elaborate_request *);
DEFINE_BLOCKING(kernel_check, const struct lwb_elaborate_request *);
DEFINE_BLOCKING(declaration_kinds, const struct lwb_strvec *);
DEFINE_BLOCKING(declaration_names, const char *);
DEFINE_BLOCKING(command, const struct lwb_export_request *);
DEFINE_BLOCKING(stream, const struct lwb_export_request *);
DEFINE_BLOCKING(metadata, const struct lwb_export_request *);
DEFINE_BLOCKING(doctor, const struct lwb_export_request *);

int lwb_blocking_health(struct lwb_blocking *client, struct lwb_lease *lease,
                        const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                        struct lwb_error *err)
{
    struct wait wait = { .client = client, .out = out };
    const struct lwb_session_call call = call_of(&wait, options);

    return finish_call(&wait, lwb_session_health(lwb_lease_session(lease), &call, err), err);
}

static void on_typed_done(void *ctx, const struct lwb_error *err)
{
    finish(ctx, err);
}

static struct lwb_typed_call typed_call_of(struct wait *wait,
                                           const struct lwb_blocking_options *options)
{
    const struct lwb_session_call call = call_of(wait, options);

    return (struct lwb_typed_call){
        .sinks = call.sinks,
        .rows = options ? options->rows : (struct lwb_typed_rows){ 0 },
        .timeout_ms = call.timeout_ms,
        .cancel = call.cancel,
        .done = on_typed_done,
        .ctx = wait,
    };
}

int lwb_blocking_json(struct lwb_blocking *client, struct lwb_lease *lease,
                      const struct lwb_json_command *command, const void *request, void *response,
                      const struct lwb_blocking_options *options, struct lwb_error *err)
{
    struct wait wait = { .client = client };
    const struct lwb_typed_call call = typed_call_of(&wait, options);

    return finish_call(
        &wait,
        lwb_json_command_run(lwb_lease_session(lease), command, request, response, &call, err),
        err);
}

int lwb_blocking_rows(struct lwb_blocking *client, struct lwb_lease *lease,
                      const struct lwb_streaming_command *command, const void *request,
                      void *summary, const struct lwb_blocking_options *options,
                      struct lwb_error *err)
{
    struct wait wait = { .client = client };
    const struct lwb_typed_call call = typed_call_of(&wait, options);

    return finish_call(
        &wait,
        lwb_streaming_command_run(lwb_lease_session(lease), command, request, summary, &call, err),
        err);
}
