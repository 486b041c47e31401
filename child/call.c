#include "child/call.h"

#include <inttypes.h>
#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/utf8.h"
#include "lwbuild/protocol/frame.h"

enum {
    LEAST_OF_AN_ERROR = 1024,  /* of the first error's text, whatever the limit */
    EVENT_HEAD_ROOM = 8 * 1024 /* what an event's head may need of a frame */
};

void lwb_call_begin(struct lwb_call *call, struct lwb_outlet *outlet,
                    const struct lwb_message_head *request)
{
    *call = (struct lwb_call){
        .outlet = outlet,
        .head = *request,
        .started_ns = lwb_clock_ns(),
        .diagnostic_bytes = LWB_CALL_MAX_DIAGNOSTICS,
        .frame = LWB_BUF((size_t)LWB_FRAME_HEADER + lwb_outlet_limit(outlet)),
    };
}

void lwb_call_end(struct lwb_call *call)
{
    for (size_t i = 0; i < call->n_streams; i++)
        lwb_free((void *)call->streams[i].stream);
    lwb_free(call->streams);
    lwb_buf_release(&call->frame);
    call->streams = NULL;
    call->n_streams = call->cap_streams = 0;
}

uint64_t lwb_call_diagnostic_limit(uint64_t asked)
{
    return asked && asked < LWB_CALL_MAX_DIAGNOSTICS ? asked : LWB_CALL_MAX_DIAGNOSTICS;
}

uint64_t lwb_call_rows(const struct lwb_call *call)
{
    uint64_t total = 0;

    for (size_t i = 0; i < call->n_streams; i++)
        total += call->streams[i].rows;
    return total;
}

int lwb_call_fail(struct lwb_call *call, const struct lwb_error *failure)
{
    if (call->failure.code == LWB_OK)
        call->failure = *failure;
    return call->failure.code;
}

/* ---- progress and diagnostics ------------------------------------------------------------ */

static int send_frame(struct lwb_call *call, int encoded, struct lwb_error *err)
{
    int rc = encoded;

    if (rc == LWB_OK)
        rc = lwb_outlet_send(call->outlet, lwb_buf_bytes(&call->frame), err);
    lwb_buf_clear(&call->frame);
    return rc < 0 ? lwb_call_fail(call, err) : LWB_OK;
}

int lwb_call_progress(struct lwb_call *call, const char *phase, uint64_t current,
                      const uint64_t *total)
{
    struct lwb_progress progress = {
        .phase = phase,
        .current = current,
        .has_total = total != NULL,
        .total = total ? *total : 0,
        .elapsed_ns = lwb_clock_ns() - call->started_ns,
    };
    struct lwb_error err;
    int rc = call->failure.code;

    if (rc < 0)
        return rc;
    call->head.type = LWB_MSG_PROGRESS;
    rc = lwb_progress_encode(&call->frame, &call->head, &progress, lwb_outlet_limit(call->outlet),
                             &err);
    return send_frame(call, rc, &err);
}

/*
 * How much of a message may go out. The first error always does, if cut short:
 * it is what makes a rejection one.
 */
static size_t allowance(struct lwb_call *call, const struct lwb_diagnostic *diagnostic)
{
    size_t frame = lwb_outlet_limit(call->outlet) - EVENT_HEAD_ROOM;
    uint64_t left = call->diagnostic_bytes;
    bool first_error = diagnostic->severity == LWB_SEVERITY_ERROR && !call->said_error;

    if (first_error && left < LEAST_OF_AN_ERROR)
        left = LEAST_OF_AN_ERROR;
    return left < frame ? (size_t)left : frame;
}

static int send_diagnostic(struct lwb_call *call, const struct lwb_diagnostic *diagnostic)
{
    struct lwb_diagnostic cut = *diagnostic;
    size_t allowed = allowance(call, diagnostic);
    struct lwb_error err;
    int rc;

    cut.code.len = lwb_utf8_cut(cut.code, EVENT_HEAD_ROOM / 8);
    if (cut.message.len > allowed) {
        cut.message.len = lwb_utf8_cut(cut.message, allowed);
        call->truncated = true;
        if (!cut.message.len)
            return LWB_OK;
    }
    call->diagnostic_bytes -=
        cut.message.len < call->diagnostic_bytes ? cut.message.len : call->diagnostic_bytes;
    call->said_error |= cut.severity == LWB_SEVERITY_ERROR;
    call->head.type = LWB_MSG_DIAGNOSTIC;
    rc = lwb_diagnostic_encode(&call->frame, &call->head, &cut, lwb_outlet_limit(call->outlet),
                               &err);
    return send_frame(call, rc, &err);
}

int lwb_call_diagnostic(struct lwb_call *call, const struct lwb_diagnostic *diagnostic)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(SIZE_MAX / 2);
    struct lwb_diagnostic repaired = *diagnostic;
    struct lwb_error err;

    if (call->failure.code < 0)
        return call->failure.code;
    if (lwb_utf8_is_valid(diagnostic->message))
        return send_diagnostic(call, diagnostic);
    lwb_utf8_append_repaired(&text, diagnostic->message);
    if (!lwb_buf_ok(&text)) {
        (void)lwb_fail_memory(&err);
        return lwb_call_fail(call, &err);
    }
    repaired.message = lwb_buf_bytes(&text);
    return send_diagnostic(call, &repaired);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static int add_stream(struct lwb_call *call, const char *stream, struct lwb_error *err)
{
    char *name;

    if (call->n_streams == LWB_CALL_MAX_STREAMS)
        return lwb_fail(err, LWB_ERR_LIMIT, "more than %d streams in one request",
                        LWB_CALL_MAX_STREAMS);
    if (strlen(stream) >= sizeof(err->facts.stream) || !lwb_utf8_is_valid(lwb_bytes_text(stream)))
        return lwb_fail(err, LWB_ERR_STREAM_CALLBACK, "\"%.80s\" cannot be the name of a stream",
                        stream);
    name = lwb_strdup(stream);
    if (!name ||
        lwb_grow(&call->streams, &call->cap_streams, call->n_streams, sizeof(*call->streams))) {
        lwb_free(name);
        return lwb_fail_memory(err);
    }
    call->streams[call->n_streams++] = (struct lwb_stream_count){ .stream = name };
    return LWB_OK;
}

/* The latest stream first: rows mostly come in runs. */
static struct lwb_stream_count *find_stream(const struct lwb_call *call, const char *stream)
{
    for (size_t i = call->n_streams; i-- > 0;)
        if (strcmp(call->streams[i].stream, stream) == 0)
            return &call->streams[i];
    return NULL;
}

static int send_row(struct lwb_call *call, const char *stream, struct lwb_bytes row,
                    struct lwb_error *err)
{
    struct lwb_stream_count *count = find_stream(call, stream);
    int rc;

    if (!count) {
        if (add_stream(call, stream, err) < 0)
            return err->code;
        count = &call->streams[call->n_streams - 1];
    }
    rc = lwb_outlet_row(call->outlet, &call->head, count->stream, count->rows, row, err);
    if (rc == LWB_OK)
        count->rows++;
    return rc;
}

int lwb_call_row(struct lwb_call *call, const char *stream, struct lwb_bytes row)
{
    struct lwb_error err;

    if (call->failure.code < 0)
        return call->failure.code;
    if (send_row(call, stream, row, &err) < 0)
        return lwb_call_fail(call, &err);
    return LWB_OK;
}
