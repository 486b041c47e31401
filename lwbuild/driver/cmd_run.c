/*
 * One child, one session, one request. Each step is started by the call-back
 * of the one before, and every way out goes through stop(), so that the child
 * is reaped and the loop can be closed.
 */
#include "lwbuild/driver/cmd_run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/capability_environment.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/driver/exit_code.h"
#include "lwbuild/driver/json_schema.h"
#include "lwbuild/protocol/frame.h"
#include "lwbuild/session/capability_preflight.h"
#include "lwbuild/session/capability_report.h"
#include "lwbuild/session/session.h"

enum { DEFAULT_TIMEOUT_S = 600, STDERR_MAX = 64 * 1024 };

struct runner {
    const struct lwb_options *options;
    bool json;
    char *capability;
    char *project;

    uv_loop_t loop;
    uv_signal_t on_int, on_term;
    struct lwb_worker *worker;
    struct lwb_session *session;

    struct lwb_buf line; /* that is printed; kept for the next one */
    bool is_open;        /* what fails now is the command's failure */
    struct lwb_error failure;
    enum lwb_exit_code exit_code;
};

/* ---- printing ------------------------------------------------------------------------------ */

/* A JSON text on one line: line breaks in it are white space, since strings have none. */
static void append_json(struct lwb_buf *out, struct lwb_bytes json)
{
    size_t start = out->len;

    lwb_buf_append(out, json.ptr, json.len);
    if (!lwb_buf_ok(out))
        return;
    for (char *c = out->ptr + start; (c = memchr(c, '\n', out->len - (size_t)(c - out->ptr)));)
        *c = ' ';
}

static void begin_object(struct lwb_buf *out, bool *first, const char *type)
{
    lwb_buf_clear(out);
    *first = true;
    lwb_buf_append_char(out, '{');
    lwb_json_member_int(out, first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(out, first, "type", type);
}

/* Returns false when stdout takes no more. */
static bool print(struct lwb_buf *line)
{
    return lwb_buf_ok(line) && fwrite(lwb_buf_text(line), 1, line->len, stdout) == line->len;
}

/*
 * Whoever reads has gone, or the disk is full: that the sink said stop is only how
 * it was noticed.
 */
static void explain_output(struct lwb_error *err)
{
    if (!ferror(stdout) || (err->code != LWB_ERR_ROW_SINK && err->code != LWB_ERR_PROGRESS_SINK &&
                            err->code != LWB_ERR_DIAGNOSTIC_SINK))
        return;
    (void)lwb_fail(err, LWB_ERR_SYSTEM, "the output is not taken: the rest was not asked for");
}

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct runner *runner = ctx;
    struct lwb_buf *line = &runner->line;
    bool first;

    if (runner->json) {
        begin_object(line, &first, "row");
        lwb_json_member_text(line, &first, "stream", stream);
        lwb_json_member_int(line, &first, "sequence", (int64_t)sequence);
        lwb_json_member(line, &first, "row");
    } else {
        lwb_buf_clear(line);
    }
    append_json(line, row);
    lwb_buf_append_text(line, runner->json ? "}\n" : "\n");
    return print(line);
}

static bool on_diagnostic(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    static const char *const words[] = {
        [LWB_SEVERITY_INFORMATION] = "info",
        [LWB_SEVERITY_WARNING] = "warning",
        [LWB_SEVERITY_ERROR] = "error",
    };
    struct runner *runner = ctx;
    struct lwb_buf *line = &runner->line;
    bool first;

    if (!runner->json) {
        fprintf(stderr, "%s: %.*s [%.*s]\n", words[diagnostic->severity],
                (int)diagnostic->message.len, diagnostic->message.ptr, (int)diagnostic->code.len,
                diagnostic->code.ptr);
        return true;
    }
    begin_object(line, &first, "diagnostic");
    lwb_json_member_text(line, &first, "severity", words[diagnostic->severity]);
    lwb_json_member_bytes(line, &first, "code", diagnostic->code);
    lwb_json_member_bytes(line, &first, "message", diagnostic->message);
    lwb_buf_append_text(line, "}\n");
    return print(line);
}

static bool on_progress(void *ctx, const struct lwb_progress *progress)
{
    struct runner *runner = ctx;
    struct lwb_buf *line = &runner->line;
    bool first;

    if (!runner->json)
        return true;
    begin_object(line, &first, "progress");
    lwb_json_member_text(line, &first, "phase", progress->phase);
    lwb_json_member_int(line, &first, "current", (int64_t)progress->current);
    if (progress->has_total)
        lwb_json_member_int(line, &first, "total", (int64_t)progress->total);
    lwb_buf_append_text(line, "}\n");
    return print(line);
}

static void print_answer(struct runner *runner, struct lwb_bytes json)
{
    struct lwb_buf *line = &runner->line;
    bool first;

    if (runner->json) {
        begin_object(line, &first, "answer");
        lwb_json_member(line, &first, "answer");
    } else {
        lwb_buf_clear(line);
    }
    append_json(line, json);
    lwb_buf_append_text(line, runner->json ? "}\n" : "\n");
    (void)print(line);
}

/* What says that the rows before it are all there are. */
static void print_summary(struct runner *runner, const struct lwb_stream_summary *summary)
{
    struct lwb_buf *line = &runner->line;
    bool first;

    if (!runner->json)
        return;
    begin_object(line, &first, "summary");
    lwb_json_member_int(line, &first, "rows", (int64_t)summary->total_rows);
    if (summary->metadata.len) {
        lwb_json_member(line, &first, "answer");
        append_json(line, summary->metadata);
    }
    lwb_buf_append_text(line, "}\n");
    (void)print(line);
}

/* ---- the steps ----------------------------------------------------------------------------- */

/* The library's no is an answer; a child that died, or was ended, gave none. */
static enum lwb_exit_code exit_code_of(const struct runner *runner, const struct lwb_error *err)
{
    switch (err->code) {
    case LWB_ERR_CANCELLED:
    case LWB_ERR_SHUTDOWN:
        return LWB_EXIT_CANCELLED;
    case LWB_ERR_UNSUPPORTED:
        return LWB_EXIT_USAGE;
    case LWB_ERR_WORKER:
    case LWB_ERR_STREAM_FAILED:
    case LWB_ERR_STREAM_CALLBACK:
    case LWB_ERR_ROW_MALFORMED:
    case LWB_ERR_METADATA_MALFORMED:
    case LWB_ERR_DOCTOR_MALFORMED:
        return runner->is_open ? LWB_EXIT_REJECTED : LWB_EXIT_ENVIRONMENT;
    default:
        return runner->is_open ? LWB_EXIT_NO_VERDICT : LWB_EXIT_ENVIRONMENT;
    }
}

static void close_signals(struct runner *runner)
{
    uv_close((uv_handle_t *)&runner->on_int, NULL);
    uv_close((uv_handle_t *)&runner->on_term, NULL);
}

static void on_stopped(void *ctx, const struct lwb_stop_report *report)
{
    (void)report;
    close_signals(ctx);
}

/* err is NULL when all went well. */
static void stop(struct runner *runner, const struct lwb_error *err)
{
    if (err) {
        runner->failure = *err;
        explain_output(&runner->failure);
        runner->exit_code = exit_code_of(runner, err);
    }
    if (lwb_worker_stop(runner->worker, !err, on_stopped, runner) == 0)
        close_signals(runner);
}

static void on_answered(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct runner *runner = ctx;

    if (!err && reply->type == LWB_MSG_STREAM)
        print_summary(runner, &reply->summary);
    else if (!err)
        print_answer(runner, reply->answer.json);
    stop(runner, err);
}

static int ask(struct runner *runner, struct lwb_error *err)
{
    const char *request = runner->options->json ? runner->options->json : "{}";
    struct lwb_sinks sinks = {
        .progress = on_progress,
        .diagnostic = on_diagnostic,
        .row = on_row,
        .ctx = runner,
    };
    struct lwb_session_call call = { .sinks = &sinks, .done = on_answered, .ctx = runner };
    struct lwb_export_request export = {
        .name = runner->options->targets.items[1],
        .json = lwb_bytes_text(request),
    };

    if (runner->options->rows)
        return lwb_session_stream(runner->session, &export, &call, err);
    if (strcmp(export.name, "metadata") == 0)
        return lwb_session_metadata(runner->session, &export, &call, err);
    if (strcmp(export.name, "doctor") == 0)
        return lwb_session_doctor(runner->session, &export, &call, err);
    return lwb_session_command(runner->session, &export, &call, err);
}

/* From here on what fails is the command. */
static void call_command(struct runner *runner)
{
    struct lwb_error refused;

    runner->is_open = true;
    if (ask(runner, &refused) < 0)
        stop(runner, &refused);
}

static int compare_metadata(const struct lwb_options *options, struct lwb_bytes json,
                            struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_metadata_release) struct lwb_capability_metadata metadata = { 0 };

    if (lwb_capability_metadata_parse(&metadata, json, err) < 0)
        return err->code;
    return lwb_capability_metadata_expect(&metadata, lwb_bytes_text(options->expect_metadata), err);
}

static void on_metadata(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct runner *runner = ctx;
    struct lwb_error refused;

    if (!err && compare_metadata(runner->options, reply->answer.json, &refused) < 0)
        err = &refused;
    if (err)
        stop(runner, err);
    else
        call_command(runner);
}

static void on_opened(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct runner *runner = ctx;
    const struct lwb_export_request metadata = { "metadata", { "{}", 2 } };
    struct lwb_session_call call = { .done = on_metadata, .ctx = runner };
    struct lwb_error refused;

    (void)reply;
    if (err)
        stop(runner, err);
    else if (!runner->options->expect_metadata)
        call_command(runner);
    else if (lwb_session_metadata(runner->session, &metadata, &call, &refused) < 0)
        stop(runner, &refused);
}

static void on_started(void *ctx, const struct lwb_error *err)
{
    struct runner *runner = ctx;
    struct lwb_open_request request = {
        .host = "capability",
        .project_root = runner->project,
        .package = runner->options->package,
        .library = runner->options->library,
        .capability = runner->capability,
    };
    struct lwb_session_call call = { .done = on_opened, .ctx = runner };
    struct lwb_error refused;

    if (err || lwb_session_open(runner->session, &request, &call, &refused) < 0)
        stop(runner, err ? err : &refused);
}

/* A request in flight ends with LWB_ERR_CANCELLED; a child that is still starting is stopped. */
static void on_signal(uv_signal_t *handle, int number)
{
    struct runner *runner = handle->data;

    (void)number;
    runner->exit_code = LWB_EXIT_CANCELLED;
    (void)lwb_worker_stop(runner->worker, false, NULL, NULL);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int create_worker(struct runner *runner, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_free_text) char *child = NULL;
    struct lwb_worker_config config = LWB_WORKER_CONFIG_DEFAULTS;
    uint64_t timeout_s = runner->options->timeout_s;

    if (lwb_child_program_find(&child, err) < 0 ||
        lwb_capability_environment(&environment, err) < 0)
        return err->code;
    config.executable = child;
    config.environment = &environment;
    config.request_timeout_ms = (timeout_s ? timeout_s : DEFAULT_TIMEOUT_S) * 1000;
    config.policy.hard_memory = runner->options->max_rss_mib * 1024 * 1024;
    if (lwb_worker_create(&runner->worker, &runner->loop, &config, err) < 0)
        return err->code;
    return lwb_session_create(&runner->session, runner->worker, err);
}

static void watch_signals(struct runner *runner)
{
    uv_signal_init(&runner->loop, &runner->on_int);
    uv_signal_init(&runner->loop, &runner->on_term);
    runner->on_int.data = runner->on_term.data = runner;
    uv_signal_start(&runner->on_int, on_signal, SIGINT);
    uv_signal_start(&runner->on_term, on_signal, SIGTERM);
}

/* What the library and Lean have printed; that is all there is when the child died. */
static void print_stderr(const struct runner *runner)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(STDERR_MAX + 4096);

    lwb_worker_stderr(runner->worker, STDERR_MAX, &text);
    if (text.len)
        (void)fwrite(lwb_buf_text(&text), 1, text.len, stderr);
}

static int run(struct runner *runner, struct lwb_error *err)
{
    int rc;

    if (uv_loop_init(&runner->loop) != 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "cannot make an event loop");
    rc = create_worker(runner, err);
    if (rc == LWB_OK)
        rc = lwb_worker_start(runner->worker, on_started, runner, err);
    if (rc == LWB_OK) {
        watch_signals(runner);
        (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
        print_stderr(runner);
    }
    lwb_session_destroy(runner->session);
    lwb_worker_destroy(runner->worker);
    (void)uv_loop_close(&runner->loop);
    return rc;
}

static int prepare(struct runner *runner, struct lwb_error *err)
{
    const struct lwb_options *options = runner->options;
    struct lwb_preflight preflight = { .is_stream = options->rows };
    LWB_AUTO(lwb_free_text) char *cwd = getcwd(NULL, 0);

    if (options->targets.count != 2)
        return lwb_fail(err, LWB_ERR_USAGE,
                        "lwbuild run wants a capability (its library or manifest) and a command");
    if (options->expect_metadata &&
        lwb_capability_expectation_check(lwb_bytes_text(options->expect_metadata), err) < 0)
        return err->code;
    if (!cwd)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot find the current directory");
    runner->capability = lwb_path_absolute(cwd, options->targets.items[0]);
    runner->project = options->project ? lwb_path_absolute(cwd, options->project) : NULL;
    if (!runner->capability || (options->project && !runner->project))
        return lwb_fail_memory(err);
    preflight.path = runner->capability;
    if (strcmp(options->targets.items[1], "metadata") != 0 &&
        strcmp(options->targets.items[1], "doctor") != 0)
        preflight.command = options->targets.items[1];
    return lwb_capability_preflight(&preflight, err);
}

static void report_failure(struct runner *runner)
{
    const struct lwb_error *err = &runner->failure;
    const char *code = *err->facts.child_code ? err->facts.child_code : lwb_code_name(err->code);
    bool first;

    fprintf(stderr, "lwbuild: error: %s [%s]\n", err->text, code);
    if (!runner->json)
        return;
    begin_object(&runner->line, &first, "error");
    lwb_json_member_text(&runner->line, &first, "code", code);
    lwb_json_member_text(&runner->line, &first, "message", err->text);
    lwb_buf_append_text(&runner->line, "}\n");
    (void)print(&runner->line);
}

int lwb_cmd_run(const struct lwb_options *options)
{
    struct runner runner = {
        .options = options,
        .json = options->format && strcmp(options->format, "json") == 0,
        .line = LWB_BUF(LWB_FRAME_MAX_LIMIT * 2ull),
        .failure = { .code = LWB_OK },
        .exit_code = LWB_EXIT_ACCEPTED,
    };
    int rc = prepare(&runner, &runner.failure);

    if (rc == LWB_OK)
        rc = run(&runner, &runner.failure);
    if (rc == LWB_OK && runner.failure.code == LWB_OK && fflush(stdout) != 0)
        rc = lwb_fail_errno(&runner.failure, LWB_ERR_SYSTEM, "cannot write the answer");
    if (rc < 0)
        runner.exit_code =
            rc == LWB_ERR_USAGE || strcmp(runner.failure.facts.child_code, "export-missing") == 0
                ? LWB_EXIT_USAGE
                : LWB_EXIT_ENVIRONMENT;
    if (runner.failure.code != LWB_OK)
        report_failure(&runner);
    lwb_buf_release(&runner.line);
    lwb_free(runner.capability);
    lwb_free(runner.project);
    return runner.exit_code;
}
