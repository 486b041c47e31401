#include "lwbuild/session/command.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/protocol/frame.h"

/* One typed call in flight. */
struct typed {
    const struct lwb_json_command *json;
    const struct lwb_streaming_command *streaming;
    struct lwb_typed_call call;
    struct lwb_sinks sinks; /* the caller's, or none */
    void *out;              /* response or summary */
    void *row;
    struct lwb_error row_error; /* code 0: no row failed to decode */
};

static void typed_destroy(struct typed *typed)
{
    if (!typed)
        return;
    lwb_free(typed->row);
    lwb_free(typed);
}
LWB_DEFINE_AUTO_PTR(struct typed, typed_destroy);

/* The call-back's own words, under our code. */
static int fail_as(struct lwb_error *err, enum lwb_code code, const char *name, const char *what)
{
    err->code = code;
    return lwb_error_context(err, "%s: %s", name, what);
}

static int encode(struct lwb_buf *json,
                  int (*encoder)(struct lwb_buf *json, const void *request, struct lwb_error *err),
                  const char *name, const void *request, struct lwb_error *err)
{
    int rc = encoder(json, request, err);

    if (rc >= 0 && !lwb_buf_ok(json))
        rc = lwb_fail(err, LWB_ERR_LIMIT, "request is too large");
    return rc < 0 ? fail_as(err, LWB_ERR_ENCODE_REQUEST, name, "request") : LWB_OK;
}

/* ---- sinks that decode ----------------------------------------------------------------------- */

static bool on_progress(void *ctx, const struct lwb_progress *progress)
{
    const struct typed *typed = ctx;

    return !typed->sinks.progress || typed->sinks.progress(typed->sinks.ctx, progress);
}

static bool on_diagnostic(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    const struct typed *typed = ctx;

    return !typed->sinks.diagnostic || typed->sinks.diagnostic(typed->sinks.ctx, diagnostic);
}

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct typed *typed = ctx;
    const struct lwb_streaming_command *command = typed->streaming;
    const struct lwb_typed_rows *rows = &typed->call.rows;
    struct lwb_error *err = &typed->row_error;
    bool go_on;

    if (!command)
        return true;
    memset(typed->row, 0, command->row_size);
    if (command->decode_row(typed->row, row, err) < 0) {
        (void)fail_as(err, LWB_ERR_DECODE_ROW, command->name, "row");
        (void)snprintf(err->facts.stream, sizeof(err->facts.stream), "%s", stream);
        err->facts.sequence = sequence;
        return false;
    }
    go_on = !rows->row || rows->row(rows->ctx, stream, sequence, typed->row);
    if (command->release_row)
        command->release_row(typed->row);
    return go_on;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int decode_reply(const struct typed *typed, const struct lwb_reply *reply,
                        struct lwb_error *err)
{
    if (typed->json)
        return typed->json->decode(typed->out, reply->answer.json, err) < 0
                   ? fail_as(err, LWB_ERR_DECODE_RESPONSE, typed->json->name, "response")
                   : LWB_OK;
    if (typed->streaming->decode_summary &&
        typed->streaming->decode_summary(typed->out, &reply->summary, err) < 0)
        return fail_as(err, LWB_ERR_DECODE_SUMMARY, typed->streaming->name, "summary");
    return LWB_OK;
}

static void on_done(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    LWB_AUTO(typed_destroy) struct typed *typed = ctx;
    struct lwb_error own;

    if (err && err->code == LWB_ERR_ROW_SINK && typed->row_error.code != LWB_OK) {
        own = typed->row_error;
        own.facts.operation = err->facts.operation;
        own.facts.work_entered_child = true;
        err = &own;
    } else if (!err && decode_reply(typed, reply, &own) < 0) {
        err = &own;
    }
    typed->call.done(typed->call.ctx, err);
}

static struct typed *create(const struct lwb_typed_call *call, void *out, size_t row_size)
{
    LWB_AUTO(typed_destroy) struct typed *typed = lwb_alloc(sizeof(*typed));

    if (!typed)
        return NULL;
    typed->call = *call;
    if (call->sinks)
        typed->sinks = *call->sinks;
    typed->out = out;
    typed->row = lwb_alloc(row_size);
    return typed->row ? LWB_TAKE(typed) : NULL;
}

static struct lwb_session_call session_call(struct typed *typed, const struct lwb_sinks *sinks)
{
    return (struct lwb_session_call){
        .sinks = sinks,
        .timeout_ms = typed->call.timeout_ms,
        .cancel = typed->call.cancel,
        .done = on_done,
        .ctx = typed,
    };
}

int lwb_json_command_run(struct lwb_session *session, const struct lwb_json_command *command,
                         const void *request, void *response, const struct lwb_typed_call *call,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf json = LWB_BUF(LWB_FRAME_MAX_LIMIT);
    LWB_AUTO(typed_destroy) struct typed *typed = create(call, response, 1);
    const struct lwb_sinks sinks = { on_progress, on_diagnostic, on_row, typed };
    struct lwb_session_call inner;

    if (!typed)
        return lwb_fail_memory(err);
    typed->json = command;
    if (encode(&json, command->encode, command->name, request, err) < 0)
        return err->code;
    inner = session_call(typed, &sinks);
    if (lwb_session_command(session,
                            &(struct lwb_export_request){ command->name, lwb_buf_bytes(&json) },
                            &inner, err) < 0)
        return err->code;
    (void)LWB_TAKE(typed);
    return LWB_OK;
}

int lwb_streaming_command_run(struct lwb_session *session,
                              const struct lwb_streaming_command *command, const void *request,
                              void *summary, const struct lwb_typed_call *call,
                              struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf json = LWB_BUF(LWB_FRAME_MAX_LIMIT);
    LWB_AUTO(typed_destroy) struct typed *typed = create(call, summary, command->row_size);
    const struct lwb_sinks sinks = { on_progress, on_diagnostic, on_row, typed };
    struct lwb_session_call inner;

    if (!typed)
        return lwb_fail_memory(err);
    typed->streaming = command;
    if (encode(&json, command->encode, command->name, request, err) < 0)
        return err->code;
    inner = session_call(typed, &sinks);
    if (lwb_session_stream(session,
                           &(struct lwb_export_request){ command->name, lwb_buf_bytes(&json) },
                           &inner, err) < 0)
        return err->code;
    (void)LWB_TAKE(typed);
    return LWB_OK;
}
