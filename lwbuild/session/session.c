#include "lwbuild/session/session.h"

#include <assert.h>

#include "lwbuild/base/alloc.h"

/*
 * A response is decoded before the worker takes it for one (accept), so that a
 * child that answers nonsense is ended like any other that breaks the
 * protocol; `done` then finds the reply ready.
 */
struct lwb_session {
    struct lwb_worker *worker;
    uint64_t generation; /* 0: never opened */
    bool open;
    uint64_t timeout_ms;

    bool busy;
    struct lwb_reply reply;
    lwb_session_done_fn *done;
    void *ctx;
    size_t n_names; /* asked for kinds of */

    struct lwb_error ended; /* what made it invalid; code 0 if nothing did yet */
};

int lwb_session_create(struct lwb_session **out, struct lwb_worker *worker, struct lwb_error *err)
{
    struct lwb_session *session = lwb_alloc(sizeof(*session));

    if (!session)
        return lwb_fail_memory(err);
    session->worker = worker;
    *out = session;
    return LWB_OK;
}

void lwb_session_destroy(struct lwb_session *session)
{
    assert(!session || !session->busy);
    lwb_free(session);
}

void lwb_session_set_timeout(struct lwb_session *session, uint64_t ms)
{
    session->timeout_ms = ms;
}

void lwb_session_pause(struct lwb_session *session)
{
    if (session->busy)
        lwb_worker_pause(session->worker);
}

void lwb_session_resume(struct lwb_session *session)
{
    if (session->busy)
        lwb_worker_resume(session->worker);
}

/* ---- validity --------------------------------------------------------------------------- */

static bool has_live_child(const struct lwb_session *session)
{
    enum lwb_worker_state state = lwb_worker_state(session->worker);

    return lwb_worker_generation(session->worker) == session->generation &&
           (state == LWB_WORKER_IDLE || state == LWB_WORKER_BUSY || state == LWB_WORKER_STREAMING);
}

bool lwb_session_is_valid(const struct lwb_session *session)
{
    return session->open && has_live_child(session);
}

static int fail_invalid(const struct lwb_session *session, struct lwb_error *err)
{
    if (session->ended.code != LWB_OK)
        return lwb_fail(err, LWB_ERR_SESSION_INVALID, "session has ended: %s", session->ended.text);
    if (!session->open)
        return lwb_fail(err, LWB_ERR_SESSION_INVALID, "session is not open");
    return lwb_fail(err, LWB_ERR_SESSION_INVALID, "session has ended with its child");
}

int lwb_session_check_valid(struct lwb_session *session, struct lwb_error *err)
{
    enum lwb_restart_reason reason;

    if (!lwb_session_is_valid(session))
        return fail_invalid(session, err);
    reason = lwb_worker_is_due(session->worker);
    if (reason == LWB_RESTART_NONE)
        return LWB_OK;
    session->open = false;
    lwb_worker_set_restart_reason(session->worker, reason);
    (void)lwb_fail(&session->ended, LWB_ERR_SESSION_INVALID, "its child is to be replaced (%s)",
                   lwb_restart_reason_name(reason));
    return fail_invalid(session, err);
}

/* ---- answers ------------------------------------------------------------------------------ */

/* kinds[i] answers names[i]: another number of them answers nothing. */
static int accept_kinds(struct lwb_session *session, struct lwb_message *message,
                        struct lwb_error *err)
{
    struct lwb_strvec *kinds = &session->reply.strings.items;

    if (lwb_strings_response_decode(&session->reply.strings, message, err) < 0)
        return err->code;
    if (kinds->count != session->n_names)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "%zu kinds for %zu names", kinds->count,
                        session->n_names);
    return LWB_OK;
}

static int accept_response(void *ctx, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_session *session = ctx;
    struct lwb_reply *reply = &session->reply;

    switch (reply->type) {
    case LWB_MSG_OPEN:
        return lwb_open_response_decode(&reply->open, message, err);
    case LWB_MSG_CHECK:
        return lwb_check_response_decode(&reply->check, message, err);
    case LWB_MSG_ELABORATE:
        return lwb_elaborate_response_decode(&reply->elaborate, message, err);
    case LWB_MSG_KERNEL_CHECK:
        return lwb_kernel_response_decode(&reply->kernel, message, err);
    case LWB_MSG_DECLARATION_KINDS:
        return accept_kinds(session, message, err);
    case LWB_MSG_DECLARATION_NAMES:
        return lwb_strings_response_decode(&reply->strings, message, err);
    case LWB_MSG_COMMAND:
    case LWB_MSG_METADATA:
    case LWB_MSG_DOCTOR:
        return lwb_answer_decode(&reply->answer, message, err);
    case LWB_MSG_STREAM:
        return lwb_stream_summary_decode(&reply->summary, message, err);
    default: /* health: nothing but the head */
        return LWB_OK;
    }
}

static void on_done(void *ctx, struct lwb_message *response, const struct lwb_error *err)
{
    struct lwb_session *session = ctx;
    lwb_session_done_fn *done = session->done;

    session->busy = false;
    session->reply.message = response;
    if (session->reply.type == LWB_MSG_OPEN)
        session->open = !err;
    if (err && !has_live_child(session)) {
        session->open = false;
        session->ended = *err;
    }
    if (done)
        done(session->ctx, err ? NULL : &session->reply, err);
}

int lwb_reply_take(struct lwb_kept_reply *out, const struct lwb_reply *reply, struct lwb_error *err)
{
    struct lwb_bytes attachment = reply->message->attachment;
    struct lwb_buf copy = LWB_BUF(attachment.len + 1);
    struct lwb_bytes kept;

    lwb_buf_append_bytes(&copy, attachment);
    if (!lwb_buf_ok(&copy))
        return lwb_fail_memory(err);
    kept = lwb_bytes(attachment.ptr ? lwb_buf_text(&copy) : NULL, copy.len);
    *out = (struct lwb_kept_reply){ *reply, *reply->message, copy };
    *reply->message = (struct lwb_message){ .head = reply->message->head };
    out->message.attachment = kept;
    out->message.text = lwb_bytes(NULL, 0); /* it was read; the payload goes */
    out->reply.message = NULL;
    if (reply->type == LWB_MSG_STREAM)
        out->reply.summary.metadata = kept;
    else if (reply->type == LWB_MSG_COMMAND || reply->type == LWB_MSG_METADATA ||
             reply->type == LWB_MSG_DOCTOR)
        out->reply.answer.json = kept;
    return LWB_OK;
}

void lwb_kept_reply_release(struct lwb_kept_reply *kept)
{
    lwb_message_release(&kept->message);
    lwb_buf_release(&kept->attachment);
    kept->reply = (struct lwb_reply){ 0 };
}

static int transmit(struct lwb_session *session, enum lwb_message_type type,
                    lwb_worker_encode_fn *encode, const void *value,
                    const struct lwb_session_call *call, struct lwb_error *err)
{
    const struct lwb_worker_request request = {
        .type = type,
        .encode = encode,
        .value = value,
        .sinks = call->sinks,
        .timeout_ms = call->timeout_ms ? call->timeout_ms : session->timeout_ms,
        .cancel = call->cancel,
        .accept = accept_response,
        .done = on_done,
        .ctx = session,
    };
    int rc = lwb_worker_send(session->worker, &request, err);

    if (rc < 0)
        return rc;
    session->busy = true;
    session->reply = (struct lwb_reply){ .type = type };
    session->done = call->done;
    session->ctx = call->ctx;
    return LWB_OK;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* The typed encoders of the protocol as the worker knows them. */
#define DEFINE_ENCODE(name)                                                                        \
    static int encode_##name(struct lwb_buf *out, const struct lwb_message_head *head,             \
                             const void *value, uint32_t limit, struct lwb_error *err)             \
    {                                                                                              \
        return lwb_##name##_encode(out, head, value, limit, err);                                  \
    }                                                                                              \
    struct lwb_expect_semicolon

DEFINE_ENCODE(open_request);
DEFINE_ENCODE(check_request);
DEFINE_ENCODE(elaborate_request);
DEFINE_ENCODE(declaration_kinds_request);
DEFINE_ENCODE(declaration_names_request);
DEFINE_ENCODE(export_request);

static int run(struct lwb_session *session, enum lwb_message_type type,
               lwb_worker_encode_fn *encode, const void *value, const struct lwb_session_call *call,
               struct lwb_error *err)
{
    if (session->busy)
        return lwb_fail(err, LWB_ERR_BUSY, "one request at a time");
    if (lwb_session_check_valid(session, err) < 0)
        return err->code;
    return transmit(session, type, encode, value, call, err);
}

int lwb_session_open(struct lwb_session *session, const struct lwb_open_request *request,
                     const struct lwb_session_call *call, struct lwb_error *err)
{
    int rc;

    if (session->busy || lwb_session_is_valid(session))
        return lwb_fail(err, LWB_ERR_USAGE, "session is open");
    rc = transmit(session, LWB_MSG_OPEN, encode_open_request, request, call, err);
    if (rc < 0)
        return rc;
    session->open = false;
    session->generation = lwb_worker_generation(session->worker);
    session->ended = (struct lwb_error){ 0 };
    return LWB_OK;
}

int lwb_session_health(struct lwb_session *session, const struct lwb_session_call *call,
                       struct lwb_error *err)
{
    return run(session, LWB_MSG_HEALTH, NULL, NULL, call, err);
}

int lwb_session_check(struct lwb_session *session, const struct lwb_check_request *request,
                      const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_CHECK, encode_check_request, request, call, err);
}

int lwb_session_elaborate(struct lwb_session *session, const struct lwb_elaborate_request *request,
                          const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_ELABORATE, encode_elaborate_request, request, call, err);
}

int lwb_session_kernel_check(struct lwb_session *session,
                             const struct lwb_elaborate_request *request,
                             const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_KERNEL_CHECK, encode_elaborate_request, request, call, err);
}

int lwb_session_declaration_kinds(struct lwb_session *session, const struct lwb_strvec *names,
                                  const struct lwb_session_call *call, struct lwb_error *err)
{
    const struct lwb_declaration_kinds_request request = { names };

    session->n_names = session->busy ? session->n_names : names->count;
    return run(session, LWB_MSG_DECLARATION_KINDS, encode_declaration_kinds_request, &request, call,
               err);
}

int lwb_session_declaration_names(struct lwb_session *session, const char *prefix,
                                  const struct lwb_session_call *call, struct lwb_error *err)
{
    const struct lwb_declaration_names_request request = { prefix };

    return run(session, LWB_MSG_DECLARATION_NAMES, encode_declaration_names_request, &request, call,
               err);
}

int lwb_session_command(struct lwb_session *session, const struct lwb_export_request *request,
                        const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_COMMAND, encode_export_request, request, call, err);
}

int lwb_session_stream(struct lwb_session *session, const struct lwb_export_request *request,
                       const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_STREAM, encode_export_request, request, call, err);
}

int lwb_session_metadata(struct lwb_session *session, const struct lwb_export_request *request,
                         const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_METADATA, encode_export_request, request, call, err);
}

int lwb_session_doctor(struct lwb_session *session, const struct lwb_export_request *request,
                       const struct lwb_session_call *call, struct lwb_error *err)
{
    return run(session, LWB_MSG_DOCTOR, encode_export_request, request, call, err);
}
