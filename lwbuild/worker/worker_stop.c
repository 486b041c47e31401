#include "lwbuild/worker/worker_internal.h"

#include <stdio.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/worker/exit_status.h"

/* How a child ends: on request, and what is said about it. */

enum { LAST_WORDS = 300 };

static void append_text(struct lwb_error *err, const char *text)
{
    size_t len = strlen(err->text);

    (void)snprintf(err->text + len, sizeof(err->text) - len, "; %s", text);
}

/* The last words of a child that died are often the reason. */
static void append_last_words(const struct lwb_worker *worker, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf words = LWB_BUF(4 * LAST_WORDS);

    lwb_worker_stderr(worker, LAST_WORDS, &words);
    while (words.len && words.ptr[words.len - 1] == '\n')
        words.ptr[--words.len] = '\0';
    for (size_t i = 0; i < words.len; i++)
        if ((unsigned char)words.ptr[i] < 0x20)
            words.ptr[i] = ' ';
    if (words.len && lwb_buf_ok(&words)) {
        append_text(err, "it said: ");
        (void)snprintf(err->text + strlen(err->text), sizeof(err->text) - strlen(err->text), "%s",
                       words.ptr);
    }
}

void lwb_worker_explain(struct lwb_worker *worker, const struct lwb_exit *status,
                        const struct lwb_error *cause, struct lwb_error *err)
{
    bool started = worker->request.type != LWB_MSG_HELLO;

    if (worker->failure.code != LWB_OK) {
        *err = worker->failure;
        if (!status->known)
            append_text(err, "and the child cannot be waited for");
        return;
    }
    if (cause->code != LWB_OK && !status->known) { /* it was never started, or not waited for */
        *err = *cause;
        return;
    }
    (void)lwb_exit_fail(status, err);
    (void)lwb_error_context(err, started ? "child" : "child, before it said hello");
    if (cause->code != LWB_OK)
        append_text(err, cause->text);
    append_last_words(worker, err);
    err->facts.operation = worker->request.active ? lwb_worker_operation(worker) : NULL;
    err->facts.work_entered_child = worker->request.active && started;
}

/* ---- on request ------------------------------------------------------------------------- */

static const char *const outcome_names[] = {
    [LWB_STOP_GRACEFUL] = "graceful",
    [LWB_STOP_TIMED_OUT] = "timed-out",
    [LWB_STOP_PROTOCOL_FAILED] = "protocol-failed",
    [LWB_STOP_KILLED] = "killed",
    [LWB_STOP_ALREADY_EXITED] = "already-exited",
    [LWB_STOP_NOT_REAPED] = "not-reaped",
};

const char *lwb_stop_outcome_name(enum lwb_stop_outcome outcome)
{
    return outcome_names[outcome];
}

static void ask_to_terminate(struct lwb_worker *worker)
{
    const struct lwb_worker_request request = {
        .type = LWB_MSG_TERMINATE,
        .timeout_ms = worker->config->stop_grace_ms,
    };
    struct lwb_error ignored;

    worker->stop.outcome = LWB_STOP_GRACEFUL;
    lwb_worker_set_state(worker, LWB_WORKER_STOPPING);
    if (lwb_worker_dispatch(worker, &request, &ignored) <
        0) /* without memory the end of input has to do */
        lwb_process_set_deadline(worker->process, worker->config->stop_grace_ms);
    lwb_process_close_input(worker->process);
}

static void stop_by_force(struct lwb_worker *worker)
{
    struct lwb_error err;

    worker->stop.outcome = LWB_STOP_KILLED;
    (void)lwb_fail(&err, LWB_ERR_SHUTDOWN, "worker is being shut down");
    err.facts.operation = worker->request.active ? lwb_worker_operation(worker) : NULL;
    err.facts.work_entered_child = worker->request.active;
    lwb_worker_fail(worker, worker->cause.reason, &err);
}

int lwb_worker_stop(struct lwb_worker *worker, bool politely, lwb_worker_stopped_fn *stopped,
                    void *ctx)
{
    if (!lwb_worker_state_has_child(worker->state))
        return 0;
    if (!worker->stop.active)
        worker->stop = (struct stop){
            .active = true,
            .outcome = LWB_STOP_ALREADY_EXITED,
            .started_ms = lwb_clock_ms(),
        };
    if (!worker->stop.stopped) {
        worker->stop.stopped = stopped;
        worker->stop.ctx = ctx;
    }
    if (worker->state == LWB_WORKER_REAPING || worker->state == LWB_WORKER_KILLING ||
        (worker->state == LWB_WORKER_STOPPING && politely))
        return 1;
    if (worker->state == LWB_WORKER_IDLE && politely && worker->config->stop_grace_ms)
        ask_to_terminate(worker);
    else
        stop_by_force(worker);
    return 1;
}

void lwb_worker_report_stop(struct lwb_worker *worker)
{
    struct lwb_stop_report report = {
        .outcome = worker->stop.outcome,
        .exit = worker->last_exit,
        .ms = lwb_clock_ms() - worker->stop.started_ms,
    };
    lwb_worker_stopped_fn *stopped = worker->stop.stopped;

    if (!report.exit.known)
        report.outcome = LWB_STOP_NOT_REAPED;
    lwb_trace("worker_stopped", LWB_TRACE_INT("generation", worker->generation),
              LWB_TRACE_TEXT("outcome", lwb_stop_outcome_name(report.outcome)),
              LWB_TRACE_INT("ms", report.ms));
    worker->stop.active = false;
    if (stopped)
        stopped(worker->stop.ctx, &report);
}
