#include "lwbuild/worker/worker_internal.h"

#include <stdio.h>

#include "lwbuild/base/clock.h"

/* What a child says between a request and its answer. */

static void refuse_by_sink(struct lwb_worker *worker, enum lwb_code code, const char *sink)
{
    struct lwb_error err;

    (void)lwb_fail(&err, code, "%s sink stopped the %s request", sink,
                   lwb_worker_operation(worker));
    err.facts.operation = lwb_worker_operation(worker);
    err.facts.work_entered_child = true;
    lwb_worker_fail(worker, LWB_RESTART_SINK, &err);
}

/* Until the sink refuses, cancels or pauses; `rows` is then what is left. */
static void hand_out_rows(struct lwb_worker *worker, struct lwb_rows *rows)
{
    const struct lwb_sinks *sinks = &worker->request.sinks;
    struct lwb_bytes row;

    while (worker->failure.code == LWB_OK && !lwb_process_is_paused(worker->process) &&
           lwb_rows_next(&rows->packed, &row) == 1) {
        if (!sinks->row(sinks->ctx, rows->stream, rows->first, row)) {
            refuse_by_sink(worker, LWB_ERR_ROW_SINK, "row");
            (void)snprintf(worker->failure.facts.stream, sizeof(worker->failure.facts.stream), "%s",
                           rows->stream);
            worker->failure.facts.sequence = rows->first;
            rows->packed.len = 0;
            return;
        }
        rows->first++;
    }
}

static int deliver_rows(struct lwb_worker *worker, struct lwb_message *message,
                        struct lwb_error *err)
{
    struct lwb_rows rows;

    if (lwb_rows_decode(&rows, message, err) < 0 ||
        lwb_row_ledger_enter(&worker->ledger, &rows, err) < 0)
        return err->code;
    if (worker->state == LWB_WORKER_BUSY)
        lwb_worker_set_state(worker, LWB_WORKER_STREAMING);
    worker->stats.rows += rows.count;
    worker->stats.row_bytes += rows.packed.len - 4 * rows.count;
    if (!worker->request.sinks.row)
        return LWB_OK;
    hand_out_rows(worker, &rows);
    if (rows.packed.len) { /* its bytes stay where they are: nothing is read while paused */
        worker->held = (struct held_rows){ *message, rows };
        *message = (struct lwb_message){ .head = message->head };
    }
    return LWB_OK;
}

void lwb_worker_drop_held_rows(struct lwb_worker *worker)
{
    lwb_message_release(&worker->held.message);
    worker->held.rest = (struct lwb_rows){ 0 };
}

static int deliver_progress(struct lwb_worker *worker, struct lwb_message *message,
                            struct lwb_error *err)
{
    const struct lwb_sinks *sinks = &worker->request.sinks;
    struct lwb_progress progress;
    int rc = lwb_progress_decode(&progress, message, err);

    if (rc == LWB_OK && sinks->progress && !sinks->progress(sinks->ctx, &progress))
        refuse_by_sink(worker, LWB_ERR_PROGRESS_SINK, "progress");
    return rc;
}

static int deliver_diagnostic(struct lwb_worker *worker, struct lwb_message *message,
                              struct lwb_error *err)
{
    const struct lwb_sinks *sinks = &worker->request.sinks;
    struct lwb_diagnostic diagnostic;
    int rc = lwb_diagnostic_decode(&diagnostic, message, err);

    if (rc == LWB_OK && sinks->diagnostic && !sinks->diagnostic(sinks->ctx, &diagnostic))
        refuse_by_sink(worker, LWB_ERR_DIAGNOSTIC_SINK, "diagnostic");
    return rc;
}

static int deliver_event(struct lwb_worker *worker, struct lwb_message *message,
                         struct lwb_error *err)
{
    switch (message->head.type) {
    case LWB_MSG_ROWS:
        return deliver_rows(worker, message, err);
    case LWB_MSG_PROGRESS:
        return deliver_progress(worker, message, err);
    case LWB_MSG_DIAGNOSTIC:
        return deliver_diagnostic(worker, message, err);
    default:
        return lwb_fail(err, LWB_ERR_PROTOCOL, "child sent a request: %s",
                        lwb_message_type_name(message->head.type));
    }
}

/* R8: what belongs to another generation or request is never delivered. */
static int check_ids(const struct lwb_worker *worker, const struct lwb_message_head *head,
                     struct lwb_error *err)
{
    const char *type = lwb_message_type_name(head->type);

    if (head->generation != worker->generation)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "%s of generation %llu in generation %llu", type,
                        (unsigned long long)head->generation,
                        (unsigned long long)worker->generation);
    if (!worker->request.active)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "%s for request %llu, which has ended", type,
                        (unsigned long long)head->request);
    if (head->request != worker->last_request)
        return lwb_fail(err, LWB_ERR_PROTOCOL, "%s for request %llu during request %llu", type,
                        (unsigned long long)head->request,
                        (unsigned long long)worker->last_request);
    return LWB_OK;
}

/* A slow sink keeps the loop from noticing. */
static void look_at_the_clock(struct lwb_worker *worker)
{
    if (worker->failure.code == LWB_OK && lwb_clock_ms() > worker->request.deadline_ms)
        lwb_worker_fail_timeout(worker);
}

void lwb_worker_on_frame(void *ctx, struct lwb_bytes payload)
{
    struct lwb_worker *worker = ctx;
    LWB_AUTO(lwb_message_release) struct lwb_message message = { 0 };
    struct lwb_error err;
    int rc = lwb_message_decode(&message, payload, &err);

    if (rc == LWB_OK)
        rc = check_ids(worker, &message.head, &err);
    if (rc < 0) {
        lwb_worker_fail_protocol(worker, &err);
    } else if (message.head.type != LWB_MSG_RESPONSE && message.head.type != LWB_MSG_REFUSAL) {
        if (deliver_event(worker, &message, &err) < 0)
            lwb_worker_fail_protocol(worker, &err);
        else
            look_at_the_clock(worker);
    } else if (worker->request.type == LWB_MSG_HELLO) {
        lwb_worker_answer_hello(worker, &message);
    } else {
        lwb_worker_answer(worker, &message);
    }
}

/* ---- pause ------------------------------------------------------------------------------- */

void lwb_worker_pause(struct lwb_worker *worker)
{
    if (worker->state == LWB_WORKER_BUSY || worker->state == LWB_WORKER_STREAMING)
        lwb_process_pause(worker->process);
}

void lwb_worker_resume(struct lwb_worker *worker)
{
    if (worker->state == LWB_WORKER_BUSY || worker->state == LWB_WORKER_STREAMING)
        lwb_process_resume(worker->process);
}

void lwb_worker_on_resumed(void *ctx)
{
    struct lwb_worker *worker = ctx;

    hand_out_rows(worker, &worker->held.rest);
    if (!worker->held.rest.packed.len)
        lwb_worker_drop_held_rows(worker);
    look_at_the_clock(worker);
}
