#include "tests/support/worker_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"
#include "lwbuild/base/alloc.h"

enum { BACKSTOP_MS = 20 * 1000 };

unsigned open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* The parent's pid in a line of /proc/<pid>/stat: behind the name, which may hold anything. */
static pid_t parent_of(const char *pid)
{
    char path[300];
    char line[600];
    FILE *file;
    char *end;
    int parent = 0;

    (void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "r");
    if (!file)
        return 0;
    end = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    if (!end || sscanf(end + 1, " %*c %d", &parent) != 1)
        parent = 0;
    fclose(file);
    return parent;
}

unsigned child_processes(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            parent_of(entry->d_name) == getpid())
            count++;
    closedir(dir);
    return count;
}

static bool take_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct worker_fixture *fixture = ctx;
    size_t len = strlen(fixture->row_log);

    fixture->events_after_done += fixture->done_calls != 0;
    fixture->rows++;
    fixture->row_bytes += row.len;
    if (len + 40 < sizeof(fixture->row_log))
        (void)snprintf(fixture->row_log + len, sizeof(fixture->row_log) - len, "%s%llu ", stream,
                       (unsigned long long)sequence);
    return sequence != fixture->stop_at_row;
}

static bool take_progress(void *ctx, const struct lwb_progress *progress)
{
    struct worker_fixture *fixture = ctx;

    assert_string_equal("working", progress->phase);
    fixture->events_after_done += fixture->done_calls != 0;
    fixture->progresses++;
    return !fixture->stop_progress;
}

static bool take_diagnostic(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    struct worker_fixture *fixture = ctx;

    assert_true(lwb_bytes_is(diagnostic->message, "look out"));
    fixture->events_after_done += fixture->done_calls != 0;
    fixture->diagnostics++;
    return !fixture->stop_diagnostic;
}

/* libuv opens descriptors of its own for good, once. */
static void warm_up(void)
{
    uv_loop_t loop;

    assert_int_equal(0, uv_loop_init(&loop));
    assert_int_equal(0, uv_loop_close(&loop));
}

void fixture_init(struct worker_fixture *fixture)
{
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(0, child_processes());
    warm_up();
    fixture->descriptors_before = open_descriptors();
    assert_int_equal(0, uv_loop_init(&fixture->loop));
    assert_int_equal(0, uv_timer_init(&fixture->loop, &fixture->backstop));
    assert_int_equal(0, uv_prepare_init(&fixture->loop, &fixture->prepare));
    fixture->config = LWB_WORKER_CONFIG_DEFAULTS;
    fixture->config.executable = FAKE_CHILD;
    fixture->config.arguments = &fixture->arguments;
    fixture->host = "fake";
    fixture->stop_at_row = UINT64_MAX;
    fixture->sinks = (struct lwb_sinks){
        .progress = take_progress,
        .diagnostic = take_diagnostic,
        .row = take_row,
        .ctx = fixture,
    };
}

int fixture_setup(void **state)
{
    struct worker_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture_init(fixture);
    *state = fixture;
    return 0;
}

void fixture_release(struct worker_fixture *fixture)
{
    if (fixture->worker && lwb_worker_state_has_child(lwb_worker_state(fixture->worker)))
        fixture_stop(fixture, false);
    lwb_session_destroy(fixture->session);
    lwb_worker_destroy(fixture->worker);
    lwb_strvec_release(&fixture->arguments);
    uv_close((uv_handle_t *)&fixture->backstop, NULL);
    uv_close((uv_handle_t *)&fixture->prepare, NULL);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT); /* what tests have closed */
    assert_int_equal(0, uv_loop_close(&fixture->loop));
    assert_int_equal(0, child_processes());
    assert_int_equal(0, fixture->events_after_done); /* R7 */
    assert_int_equal(fixture->descriptors_before, open_descriptors());
}

int fixture_teardown(void **state)
{
    fixture_release(*state);
    free(*state);
    return 0;
}

static void on_backstop(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

struct goal {
    const unsigned *counter;
    unsigned value;
};

/* Timers run before the loop blocks: what one of them has reached must not wait for an event. */
static void on_prepare(uv_prepare_t *prepare)
{
    const struct goal *goal = prepare->data;

    if (*goal->counter >= goal->value)
        uv_stop(prepare->loop);
}

void run_until(struct worker_fixture *fixture, const unsigned *counter, unsigned value)
{
    struct goal goal = { counter, value };
    bool late = false;

    uv_update_time(&fixture->loop);
    fixture->backstop.data = &late;
    fixture->prepare.data = &goal;
    assert_int_equal(0, uv_timer_start(&fixture->backstop, on_backstop, BACKSTOP_MS, 0));
    assert_int_equal(0, uv_prepare_start(&fixture->prepare, on_prepare));
    while (*counter < value && !late)
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    (void)uv_timer_stop(&fixture->backstop);
    (void)uv_prepare_stop(&fixture->prepare);
    if (late)
        fail_msg("nothing came within %d s", BACKSTOP_MS / 1000);
}

/* ---- worker and session ------------------------------------------------------------------- */

static void on_gone(void *ctx)
{
    ((struct worker_fixture *)ctx)->gone_calls++;
}

static void on_started(void *ctx, const struct lwb_error *err)
{
    struct worker_fixture *fixture = ctx;

    fixture->started = err ? *err : (struct lwb_error){ 0 };
    fixture->started_calls++;
}

static void on_done(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    struct worker_fixture *fixture = ctx;
    struct lwb_bytes json = { "", 0 };

    fixture->done = err ? *err : (struct lwb_error){ 0 };
    fixture->done_calls++;
    if (!reply)
        return;
    fixture->reply = *reply;
    if (reply->type == LWB_MSG_COMMAND || reply->type == LWB_MSG_METADATA ||
        reply->type == LWB_MSG_DOCTOR)
        json = reply->answer.json;
    (void)snprintf(fixture->answer, sizeof(fixture->answer), "%.*s", (int)json.len, json.ptr);
}

static void on_stopped(void *ctx, const struct lwb_stop_report *report)
{
    struct worker_fixture *fixture = ctx;

    fixture->report = *report;
    fixture->stopped_calls++;
}

void fixture_create(struct worker_fixture *fixture, const char *scenario)
{
    const struct lwb_worker_watcher watcher = { on_gone, fixture };
    struct lwb_error err;

    if (scenario)
        assert_int_equal(0, lwb_strvec_append(&fixture->arguments, scenario));
    assert_int_equal(LWB_OK,
                     lwb_worker_create(&fixture->worker, &fixture->loop, &fixture->config, &err));
    assert_int_equal(LWB_OK, lwb_session_create(&fixture->session, fixture->worker, &err));
    lwb_worker_watch(fixture->worker, &watcher);
}

void fixture_start(struct worker_fixture *fixture)
{
    unsigned calls = fixture->started_calls;
    struct lwb_error err;

    assert_int_equal(LWB_OK, lwb_worker_start(fixture->worker, on_started, fixture, &err));
    assert_int_equal(calls, fixture->started_calls); /* never from inside the call */
    run_until(fixture, &fixture->started_calls, calls + 1);
}

struct lwb_session_call fixture_call(struct worker_fixture *fixture)
{
    return (struct lwb_session_call){
        .sinks = &fixture->sinks,
        .done = on_done,
        .ctx = fixture,
    };
}

static void reset(struct worker_fixture *fixture)
{
    fixture->done_calls = 0;
    fixture->done = (struct lwb_error){ 0 };
    fixture->rows = fixture->row_bytes = 0;
    fixture->progresses = fixture->diagnostics = 0;
    fixture->row_log[0] = '\0';
}

void fixture_reopen(struct worker_fixture *fixture)
{
    const struct lwb_open_request request = { .host = fixture->host };
    const struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err;

    fixture_start(fixture);
    assert_int_equal(LWB_OK, fixture->started.code);
    reset(fixture);
    assert_int_equal(LWB_OK, lwb_session_open(fixture->session, &request, &call, &err));
    run_until(fixture, &fixture->done_calls, 1);
}

void fixture_open(struct worker_fixture *fixture, const char *scenario)
{
    fixture_create(fixture, scenario);
    fixture_reopen(fixture);
    assert_int_equal(LWB_OK, fixture->done.code);
    assert_true(lwb_session_is_valid(fixture->session));
}

int fixture_request(struct worker_fixture *fixture, enum lwb_message_type type, const char *name,
                    const char *json, struct lwb_session_call *call, struct lwb_error *err)
{
    const struct lwb_export_request request = { name, lwb_bytes_text(json) };

    reset(fixture);
    switch (type) {
    case LWB_MSG_STREAM:
        return lwb_session_stream(fixture->session, &request, call, err);
    case LWB_MSG_METADATA:
        return lwb_session_metadata(fixture->session, &request, call, err);
    case LWB_MSG_DOCTOR:
        return lwb_session_doctor(fixture->session, &request, call, err);
    default:
        return lwb_session_command(fixture->session, &request, call, err);
    }
}

enum lwb_code fixture_run(struct worker_fixture *fixture, enum lwb_message_type type,
                          const char *name, const char *json)
{
    struct lwb_session_call call = fixture_call(fixture);
    struct lwb_error err = { 0 };

    if (fixture_request(fixture, type, name, json, &call, &err) < 0)
        fail_msg("refused: %s", err.text);
    assert_int_equal(0, fixture->done_calls);
    run_until(fixture, &fixture->done_calls, 1);
    return fixture->done.code;
}

void fixture_stop(struct worker_fixture *fixture, bool politely)
{
    unsigned calls = fixture->stopped_calls;

    assert_int_equal(1, lwb_worker_stop(fixture->worker, politely, on_stopped, fixture));
    run_until(fixture, &fixture->stopped_calls, calls + 1);
}
