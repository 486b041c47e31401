#include "lwbuild/worker/worker_internal.h"

#include "lwbuild/base/clock.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/worker/handshake.h"

/* A request from its sending to its terminal answer. */

static int encode_plain(struct lwb_buf *out, const struct lwb_message_head *head, const void *value,
                        uint32_t limit, struct lwb_error *err)
{
    (void)value;
    return lwb_plain_encode(out, head, limit, err);
}

static void on_cancelled(struct lwb_cancel_listener *listener)
{
    lwb_worker_cancel(LWB_CONTAINER(listener, struct lwb_worker, request.cancel));
}

int lwb_worker_dispatch(struct lwb_worker *worker, const struct lwb_worker_request *request,
                        struct lwb_error *err)
{
    uint64_t timeout_ms =
        request->timeout_ms ? request->timeout_ms : worker->config->request_timeout_ms;
    const struct lwb_message_head head = {
        .generation = worker->generation,
        .request = worker->last_request + 1,
        .type = request->type,
    };
    lwb_worker_encode_fn *encode = request->encode ? request->encode : encode_plain;
    int rc =
        encode(lwb_process_output(worker->process), &head, request->value, worker->max_frame, err);

    if (rc < 0)
        return rc;
    worker->last_request++;
    worker->request = (struct request){
        .active = true,
        .type = request->type,
        .timeout_ms = timeout_ms,
        .started_ns = lwb_clock_ns(),
        .waits_before = lwb_process_waits(worker->process),
        .accept = request->accept,
        .done = request->done,
        .ctx = request->ctx,
        .cancel.cancelled = on_cancelled,
    };
    if (request->sinks)
        worker->request.sinks = *request->sinks;
    worker->request.deadline_ms =
        timeout_ms ? worker->request.started_ns / 1000000 + timeout_ms : UINT64_MAX;
    lwb_cancel_attach(&worker->request.cancel, request->cancel);
    lwb_row_ledger_clear(&worker->ledger);
    uv_update_time(worker->loop); /* a timer counts from the loop's time, which may be old */
    lwb_process_set_deadline(worker->process, timeout_ms);
    lwb_process_flush(worker->process);
    return LWB_OK;
}

static int refuse_cancelled(const struct lwb_worker_request *request, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_CANCELLED, "%s cancelled before it was sent",
                   lwb_message_type_name(request->type));
    err->facts.operation = lwb_message_type_name(request->type);
    return err->code;
}

int lwb_worker_send(struct lwb_worker *worker, const struct lwb_worker_request *request,
                    struct lwb_error *err)
{
    int rc;

    if (worker->state != LWB_WORKER_IDLE)
        return lwb_fail(err, LWB_ERR_BUSY, "worker is %s, not idle",
                        lwb_worker_state_name(worker->state));
    if (request->cancel && lwb_cancel_token_is_fired(request->cancel))
        return refuse_cancelled(request, err);
    rc = lwb_worker_dispatch(worker, request, err);
    if (rc < 0)
        return lwb_error_context(err, "%s request", lwb_message_type_name(request->type));
    worker->stats.requests++;
    worker->requests_here++;
    if (request->type == LWB_MSG_OPEN) {
        worker->stats.imports++;
        worker->imports_here++;
    }
    if (worker->config->policy.hard_memory)
        lwb_process_set_tick(worker->process, worker->config->memory_sample_ms);
    lwb_worker_set_state(worker, LWB_WORKER_BUSY);
    return LWB_OK;
}

void lwb_worker_cancel(struct lwb_worker *worker)
{
    struct lwb_error err;

    if (worker->state != LWB_WORKER_BUSY && worker->state != LWB_WORKER_STREAMING)
        return;
    (void)lwb_fail(&err, LWB_ERR_CANCELLED, "%s cancelled", lwb_worker_operation(worker));
    err.facts.operation = lwb_worker_operation(worker);
    err.facts.work_entered_child = true;
    lwb_worker_fail(worker, LWB_RESTART_CANCELLED, &err);
}

/* ---- answers ---------------------------------------------------------------------------- */

static void count_stream(struct lwb_worker *worker, bool success)
{
    struct lwb_worker_stats *stats = &worker->stats;
    uint64_t waits = lwb_process_waits(worker->process) - worker->request.waits_before;

    stats->backpressure_waits += waits;
    if (worker->request.type != LWB_MSG_STREAM && !worker->ledger.rows)
        return;
    stats->stream_requests++;
    stats->stream_ns += lwb_clock_ns() - worker->request.started_ns;
    if (success)
        stats->stream_successes++;
    else
        stats->stream_failures++;
    if (!success && waits)
        stats->backpressure_failures++;
}

void lwb_worker_end_request(struct lwb_worker *worker, struct lwb_message *response,
                            const struct lwb_error *err)
{
    lwb_worker_done_fn *done = worker->request.done;
    void *ctx = worker->request.ctx;

    lwb_cancel_detach(&worker->request.cancel);
    lwb_worker_drop_held_rows(worker);
    count_stream(worker, !err);
    lwb_trace("request_done", LWB_TRACE_TEXT("operation", lwb_worker_operation(worker)),
              LWB_TRACE_TEXT("code", lwb_code_name(err ? err->code : LWB_OK)),
              LWB_TRACE_INT("us", (lwb_clock_ns() - worker->request.started_ns) / 1000));
    worker->request.active = false;
    if (done)
        done(ctx, response, err);
}

static int take_hello(struct lwb_worker *worker, struct lwb_message *message, struct lwb_error *err)
{
    struct lwb_hello_response hello;
    struct lwb_refusal refusal;
    int rc;

    if (message->head.type == LWB_MSG_REFUSAL) {
        rc = lwb_refusal_decode(&refusal, message, err);
        return rc < 0 ? rc : lwb_fail(err, LWB_ERR_HANDSHAKE, "child refused: %s", refusal.text);
    }
    rc = lwb_hello_response_decode(&hello, message, err);
    if (rc == LWB_OK)
        rc = lwb_handshake_accept(&hello, worker->config->max_frame, err);
    if (rc < 0)
        return rc;
    lwb_message_release(&worker->hello_message);
    worker->hello_message = *message;
    worker->hello_message.attachment = worker->hello_message.text = lwb_bytes(NULL, 0);
    *message = (struct lwb_message){ .head = message->head };
    worker->hello = hello;
    worker->max_frame = (uint32_t)hello.max_frame;
    return LWB_OK;
}

void lwb_worker_answer_hello(struct lwb_worker *worker, struct lwb_message *message)
{
    lwb_worker_started_fn *started = worker->started;
    struct lwb_error err;

    if (take_hello(worker, message, &err) < 0) {
        lwb_worker_fail_protocol(worker, &err);
        return;
    }
    worker->request.active = false;
    worker->started = NULL;
    lwb_process_set_limit(worker->process, worker->max_frame);
    worker->idle_since_ms = lwb_clock_ms();
    if (worker->state == LWB_WORKER_STARTING)
        lwb_worker_set_state(worker, LWB_WORKER_IDLE);
    if (started)
        started(worker->started_ctx, NULL);
}

/* The terminal answer, if its counts are those of the rows that came. */
void lwb_worker_answer(struct lwb_worker *worker, struct lwb_message *message)
{
    struct lwb_stream_count *streams;
    struct lwb_refusal refusal;
    struct lwb_error err;
    bool refused = message->head.type == LWB_MSG_REFUSAL;
    size_t n_streams;
    int rc;

    if (refused) {
        rc = lwb_refusal_decode(&refusal, message, &err);
    } else {
        rc = lwb_message_streams(message, &streams, &n_streams, &err);
        if (rc == LWB_OK)
            rc = lwb_row_ledger_close(&worker->ledger, streams, n_streams, &err);
        if (rc == LWB_OK && worker->request.accept)
            rc = worker->request.accept(worker->request.ctx, message, &err);
    }
    if (rc < 0) {
        lwb_worker_fail_protocol(worker, &err);
        return;
    }
    if (worker->state != LWB_WORKER_STOPPING) /* there it bounds the exit, not the answer */
        lwb_process_set_deadline(worker->process, 0);
    if (worker->config->policy.hard_memory)
        lwb_process_set_tick(worker->process, 0);
    worker->idle_since_ms = worker->config->policy.max_idle_ms ? lwb_clock_ms() : 0;
    if (worker->state == LWB_WORKER_BUSY || worker->state == LWB_WORKER_STREAMING)
        lwb_worker_set_state(worker, LWB_WORKER_IDLE);
    if (refused) {
        (void)lwb_refusal_to_error(&refusal, &err);
        err.facts.operation = lwb_worker_operation(worker);
        lwb_worker_end_request(worker, NULL, &err);
    } else {
        lwb_worker_end_request(worker, message, NULL);
    }
}
