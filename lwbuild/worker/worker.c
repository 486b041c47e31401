#include "lwbuild/worker/worker_internal.h"

#include <assert.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/protocol/frame.h"

/*
 * What is in flight is `request`: the hello while starting, the terminate
 * while stopping, and the caller's in between. Every way of ending a child
 * goes through fail(): the first cause is kept, the group is killed, and the
 * caller hears of it in on_gone, when the child is reaped. So there is one
 * place where requests fail and one where they succeed (answer).
 */
void lwb_worker_set_state(struct lwb_worker *worker, enum lwb_worker_state state)
{
    assert(lwb_worker_state_allows(worker->state, state));
    lwb_trace("worker_state", LWB_TRACE_INT("pid", lwb_worker_pid(worker)),
              LWB_TRACE_INT("generation", worker->generation),
              LWB_TRACE_TEXT("from", lwb_worker_state_name(worker->state)),
              LWB_TRACE_TEXT("to", lwb_worker_state_name(state)));
    worker->state = state;
}

void lwb_worker_fail(struct lwb_worker *worker, enum lwb_restart_reason reason,
                     const struct lwb_error *err)
{
    if (worker->failure.code == LWB_OK) {
        worker->failure = *err;
        worker->cause = (struct lwb_restart_cause){
            .reason = reason,
            .operation = err->facts.operation,
            .current = err->facts.current,
            .limit = err->facts.limit ? err->facts.limit : err->facts.ms,
        };
    }
    lwb_process_kill(worker->process);
    if (worker->state != LWB_WORKER_KILLING && worker->state != LWB_WORKER_REAPING)
        lwb_worker_set_state(worker, LWB_WORKER_KILLING);
}

const char *lwb_worker_operation(const struct lwb_worker *worker)
{
    return lwb_message_type_name(worker->request.type);
}

void lwb_worker_fail_protocol(struct lwb_worker *worker, const struct lwb_error *err)
{
    struct lwb_error failure = *err;

    if (worker->request.active && worker->request.type == LWB_MSG_HELLO &&
        failure.code == LWB_ERR_PROTOCOL)
        failure.code = LWB_ERR_HANDSHAKE;
    failure.facts.operation = worker->request.active ? lwb_worker_operation(worker) : NULL;
    failure.facts.work_entered_child = worker->request.active;
    if (worker->stop.active)
        worker->stop.outcome = LWB_STOP_PROTOCOL_FAILED;
    lwb_worker_fail(worker, LWB_RESTART_PROTOCOL, &failure);
}

void lwb_worker_fail_timeout(struct lwb_worker *worker)
{
    uint64_t ms = worker->request.timeout_ms;
    struct lwb_error err;

    (void)lwb_fail(&err, LWB_ERR_TIMEOUT, "%s took longer than %llu ms",
                   lwb_worker_operation(worker), (unsigned long long)ms);
    err.facts.operation = lwb_worker_operation(worker);
    err.facts.ms = ms;
    err.facts.work_entered_child = true;
    lwb_worker_fail(
        worker, worker->state == LWB_WORKER_STARTING ? LWB_RESTART_STARTUP : LWB_RESTART_TIMEOUT,
        &err);
}

/* ---- create ----------------------------------------------------------------------------- */

int lwb_worker_create(struct lwb_worker **out, uv_loop_t *loop,
                      const struct lwb_worker_config *config, struct lwb_error *err)
{
    struct lwb_worker *worker;
    int rc = lwb_worker_config_check(config, err);

    if (rc < 0)
        return rc;
    worker = lwb_alloc(sizeof(*worker));
    if (!worker)
        return lwb_fail_memory(err);
    rc = lwb_worker_config_copy(&worker->config, config, err);
    if (rc < 0) {
        lwb_free(worker);
        return rc;
    }
    worker->loop = loop;
    *out = worker;
    return LWB_OK;
}

void lwb_worker_destroy(struct lwb_worker *worker)
{
    if (!worker)
        return;
    assert(!lwb_worker_state_has_child(worker->state));
    lwb_process_destroy(worker->process);
    lwb_message_release(&worker->hello_message);
    lwb_row_ledger_release(&worker->ledger);
    lwb_worker_drop_held_rows(worker);
    lwb_worker_config_destroy(worker->config);
    lwb_free(worker);
}

void lwb_worker_watch(struct lwb_worker *worker, const struct lwb_worker_watcher *watcher)
{
    worker->watcher = *watcher;
}

/* ---- gone ------------------------------------------------------------------------------- */

static void on_deadline(void *ctx)
{
    struct lwb_worker *worker = ctx;

    if (worker->state == LWB_WORKER_STOPPING) {
        worker->stop.outcome = LWB_STOP_TIMED_OUT;
        lwb_process_kill(worker->process);
        lwb_worker_set_state(worker, LWB_WORKER_KILLING);
    } else if (worker->request.active && worker->state != LWB_WORKER_REAPING) {
        lwb_worker_fail_timeout(worker);
    }
}

static void on_broken(void *ctx, const struct lwb_error *err)
{
    lwb_worker_fail_protocol(ctx, err);
}

static void on_exited(void *ctx)
{
    struct lwb_worker *worker = ctx;

    lwb_worker_set_state(worker, LWB_WORKER_REAPING);
}

static void on_gone(void *ctx, const struct lwb_exit *status, const struct lwb_error *cause)
{
    struct lwb_worker *worker = ctx;
    bool asked_for = worker->failure.code != LWB_OK || worker->stop.active;
    lwb_worker_started_fn *started = worker->started;
    bool stopping = worker->stop.active;
    struct lwb_error err;

    worker->last_exit = *status;
    worker->stats.exits++;
    worker->stats.stderr_bytes += lwb_process_stderr(worker->process)->total;
    if (!asked_for)
        worker->cause = (struct lwb_restart_cause){
            .reason = started ? LWB_RESTART_STARTUP : LWB_RESTART_DEATH,
            .operation = worker->request.active ? lwb_worker_operation(worker) : NULL,
        };
    lwb_worker_explain(worker, status, cause, &err);
    if (worker->state != LWB_WORKER_REAPING)
        lwb_worker_set_state(worker, LWB_WORKER_REAPING);
    lwb_worker_set_state(worker, asked_for ? LWB_WORKER_ABSENT : LWB_WORKER_CRASHED);
    lwb_trace("worker_gone", LWB_TRACE_INT("generation", worker->generation),
              LWB_TRACE_INT("code", status->code), LWB_TRACE_INT("signal", status->signal),
              LWB_TRACE_INT("ours", status->killed));
    worker->started = NULL;
    if (started) {
        worker->request.active = false;
        started(worker->started_ctx, &err);
    } else if (worker->request.active) {
        lwb_worker_end_request(worker, NULL, &err);
    }
    if (worker->watcher.gone)
        worker->watcher.gone(worker->watcher.ctx);
    if (stopping)
        lwb_worker_report_stop(worker); /* last: the worker may be destroyed in it */
}

/* ---- start ------------------------------------------------------------------------------ */

static int say_hello(struct lwb_buf *out, const struct lwb_message_head *head, const void *value,
                     uint32_t limit, struct lwb_error *err)
{
    return lwb_hello_request_encode(out, head, value, limit, err);
}

static void send_hello(struct lwb_worker *worker)
{
    const struct lwb_hello_request hello = {
        .max_frame = worker->config->max_frame,
        .parent = "lwbuild",
    };
    const struct lwb_worker_request request = {
        .type = LWB_MSG_HELLO,
        .encode = say_hello,
        .value = &hello,
        .timeout_ms = worker->config->startup_timeout_ms,
    };
    struct lwb_error err;

    if (lwb_worker_dispatch(worker, &request, &err) < 0)
        lwb_worker_fail(worker, LWB_RESTART_STARTUP, &err);
}

static void count_start(struct lwb_worker *worker)
{
    worker->stats.starts++;
    if (worker->generation == 0)
        return;
    worker->stats.restarts++;
    worker->stats.restarts_by[worker->cause.reason]++;
    worker->stats.last_restart = worker->cause;
}

static void begin_generation(struct lwb_worker *worker, struct lwb_process *process)
{
    count_start(worker);
    lwb_process_destroy(worker->process);
    worker->process = process;
    worker->generation++;
    worker->last_request = 0;
    worker->requests_here = 0;
    worker->imports_here = 0;
    worker->max_frame = LWB_FRAME_MIN_LIMIT;
    worker->hello = (struct lwb_hello_response){ 0 };
    worker->failure = (struct lwb_error){ 0 };
    worker->cause = (struct lwb_restart_cause){ .reason = LWB_RESTART_EXPLICIT };
    worker->due = (struct lwb_restart_cause){ 0 };
}

int lwb_worker_start(struct lwb_worker *worker, lwb_worker_started_fn *started, void *ctx,
                     struct lwb_error *err)
{
    const struct lwb_process_events events = {
        .frame = lwb_worker_on_frame,
        .broken = on_broken,
        .exited = on_exited,
        .deadline = on_deadline,
        .resumed = lwb_worker_on_resumed,
        .tick = lwb_worker_on_tick,
        .gone = on_gone,
        .ctx = worker,
    };
    struct lwb_process *process;

    if (worker->stop.active)
        return lwb_fail(err, LWB_ERR_SHUTDOWN, "worker is being shut down");
    if (worker->state == LWB_WORKER_EXHAUSTED)
        return lwb_fail(err, LWB_ERR_RESTART_LIMIT, "worker was replaced too often");
    if (lwb_worker_state_has_child(worker->state))
        return lwb_fail(err, LWB_ERR_BUSY, "worker is %s", lwb_worker_state_name(worker->state));
    if (lwb_process_create(&process, worker->loop, worker->config, &events, err) < 0)
        return err->code;
    if (worker->generation > 0 &&
        lwb_restart_admit(&worker->window, &worker->config->policy, lwb_clock_ms(), err) < 0) {
        lwb_process_destroy(process);
        lwb_worker_set_state(worker, LWB_WORKER_EXHAUSTED);
        return err->code;
    }
    begin_generation(worker, process);
    worker->started = started;
    worker->started_ctx = ctx;
    lwb_worker_set_state(worker, LWB_WORKER_STARTING);
    lwb_process_start(process);
    lwb_trace("worker_start", LWB_TRACE_INT("pid", lwb_worker_pid(worker)),
              LWB_TRACE_INT("generation", worker->generation));
    if (lwb_process_pid(process))
        send_hello(worker);
    return LWB_OK;
}

/* ---- questions -------------------------------------------------------------------------- */

enum lwb_worker_state lwb_worker_state(const struct lwb_worker *worker)
{
    return worker->state;
}

uint64_t lwb_worker_generation(const struct lwb_worker *worker)
{
    return worker->generation;
}

const struct lwb_hello_response *lwb_worker_hello(const struct lwb_worker *worker)
{
    return worker->hello.child ? &worker->hello : NULL;
}

pid_t lwb_worker_pid(const struct lwb_worker *worker)
{
    return worker->process && lwb_worker_state_has_child(worker->state)
               ? lwb_process_pid(worker->process)
               : 0;
}

const struct lwb_exit *lwb_worker_last_exit(const struct lwb_worker *worker)
{
    return &worker->last_exit;
}

void lwb_worker_stderr(const struct lwb_worker *worker, size_t max, struct lwb_buf *out)
{
    if (worker->process)
        lwb_stderr_ring_tail(lwb_process_stderr(worker->process), max, out);
}

void lwb_worker_stats(const struct lwb_worker *worker, struct lwb_worker_stats *out)
{
    *out = worker->stats;
    if (lwb_worker_state_has_child(worker->state))
        out->stderr_bytes += lwb_process_stderr(worker->process)->total;
    if (worker->request.active) /* visible before the request ends */
        out->backpressure_waits +=
            lwb_process_waits(worker->process) - worker->request.waits_before;
}

void lwb_worker_set_restart_reason(struct lwb_worker *worker, enum lwb_restart_reason reason)
{
    worker->cause = (struct lwb_restart_cause){ .reason = reason };
    if (worker->due.reason == reason)
        worker->cause = worker->due;
}
