#include "tests/bench/bench_child.h"

#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"

static void finish(struct bench_child *child, const struct lwb_error *err)
{
    child->over = true;
    child->err = err ? *err : (struct lwb_error){ 0 };
    child->over_ns = lwb_clock_ns();
    uv_stop(&child->loop);
}

static void on_started(void *ctx, const struct lwb_error *err)
{
    finish(ctx, err);
}

static void on_done(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    (void)reply;
    finish(ctx, err);
}

static void on_stopped(void *ctx, const struct lwb_stop_report *report)
{
    (void)report;
    finish(ctx, NULL);
}

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct bench_child *child = ctx;

    (void)stream;
    (void)sequence;
    (void)row;
    if (child->rows++ == 0)
        child->first_row_ns = lwb_clock_ns();
    return true;
}

void bench_child_create(struct bench_child *child, const char *program, const char *host,
                        const struct lwb_worker_config *config)
{
    struct lwb_worker_config mine = config ? *config : LWB_WORKER_CONFIG_DEFAULTS;
    struct lwb_error err;

    mine.executable = program;
    mine.policy.window_restarts = 64;
    mine.policy.window_ms = 1;
    *child = (struct bench_child){ .host = host };
    if (uv_loop_init(&child->loop) < 0 ||
        lwb_worker_create(&child->worker, &child->loop, &mine, &err) < 0 ||
        lwb_session_create(&child->session, child->worker, &err) < 0)
        bench_die("no worker");
}

void bench_child_destroy(struct bench_child *child)
{
    lwb_session_destroy(child->session);
    lwb_worker_destroy(child->worker);
    if (uv_loop_close(&child->loop) != 0)
        bench_die("handles are left");
}

void bench_child_wait(struct bench_child *child)
{
    while (!child->over)
        (void)uv_run(&child->loop, UV_RUN_DEFAULT);
    child->over = false;
}

void bench_child_launch(struct bench_child *child)
{
    struct lwb_error err;

    if (lwb_worker_start(child->worker, on_started, child, &err) < 0)
        bench_die("%s", err.text);
    bench_child_wait(child);
    if (child->err.code < 0)
        bench_die("the child does not start: %s", child->err.text);
}

void bench_child_begin_open(struct bench_child *child, const struct lwb_open_request *request,
                            uint64_t timeout_ms)
{
    const struct lwb_session_call call = {
        .timeout_ms = timeout_ms,
        .done = on_done,
        .ctx = child,
    };
    struct lwb_error err;

    if (lwb_session_open(child->session, request, &call, &err) < 0)
        bench_die("%s", err.text);
}

void bench_child_start(struct bench_child *child)
{
    const struct lwb_open_request request = { .host = child->host };

    bench_child_launch(child);
    bench_child_begin_open(child, &request, 0);
    bench_child_wait(child);
    if (child->err.code < 0)
        bench_die("the session does not open: %s", child->err.text);
}

void bench_child_stop(struct bench_child *child)
{
    if (lwb_worker_stop(child->worker, true, on_stopped, child))
        bench_child_wait(child);
}

static void begin(struct bench_child *child, bool stream, const char *name, const char *json,
                  uint64_t timeout_ms)
{
    const struct lwb_export_request request = { name, lwb_bytes_text(json) };
    const struct lwb_sinks sinks = { .row = on_row, .ctx = child };
    const struct lwb_session_call call = {
        .sinks = &sinks,
        .timeout_ms = timeout_ms,
        .done = on_done,
        .ctx = child,
    };
    struct lwb_error err;

    child->rows = 0;
    if ((stream ? lwb_session_stream : lwb_session_command)(child->session, &request, &call, &err) <
        0)
        bench_die("%s", err.text);
}

void bench_child_begin(struct bench_child *child, bool stream, const char *name, const char *json)
{
    begin(child, stream, name, json, 0);
}

void bench_child_begin_timed(struct bench_child *child, const char *name, uint64_t timeout_ms)
{
    begin(child, false, name, "{}", timeout_ms);
}
