#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/base/json.h"
#include "lwbuild/capability.h"
#include "lwbuild/session/session.h"
#include "tests/bench/bench.h"

/*
 * What does it cost that a command is written in Lean? A stream of rows through
 * a child, from Lean and from C that builds the same strings: "numbers" prints two
 * numbers in each (a Lean of 2021 does that by lists), "names" puts names into
 * them. A JSON command there and back, against the same function called in
 * this process.
 *
 *   bench_lean_capability [rows (100000)] [rounds (15)]
 */
enum { COMMANDS = 5000 };

struct side {
    const char *library;
    struct lwb_worker *worker;
    struct lwb_session *session;
};

static uv_loop_t loop;
static bool done;
static uint64_t rows_seen;

static void on_done(void *ctx, const struct lwb_reply *reply, const struct lwb_error *err)
{
    (void)ctx;
    (void)reply;
    if (err)
        bench_die("%s", err->text);
    done = true;
}

static void on_started(void *ctx, const struct lwb_error *err)
{
    on_done(ctx, NULL, err);
}

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    (void)ctx;
    (void)stream;
    (void)sequence;
    (void)row;
    rows_seen++;
    return true;
}

static void wait_until_done(int rc, const struct lwb_error *err)
{
    if (rc < 0)
        bench_die("%s", err->text);
    while (!done)
        (void)uv_run(&loop, UV_RUN_ONCE);
    done = false;
}

static void open_side(struct side *side)
{
    struct lwb_strvec environment = { 0 };
    struct lwb_worker_config config = LWB_WORKER_CONFIG_DEFAULTS;
    struct lwb_open_request request = { .host = "capability", .capability = side->library };
    struct lwb_session_call call = { .done = on_done };
    struct lwb_error err;

    if (lwb_worker_environment(&environment, &err) < 0)
        bench_die("%s", err.text);
    config.executable = LWBUILD_CHILD;
    config.environment = &environment;
    if (lwb_worker_create(&side->worker, &loop, &config, &err) < 0 ||
        lwb_session_create(&side->session, side->worker, &err) < 0)
        bench_die("%s", err.text);
    wait_until_done(lwb_worker_start(side->worker, on_started, NULL, &err), &err);
    wait_until_done(lwb_session_open(side->session, &request, &call, &err), &err);
    lwb_strvec_release(&environment);
}

static void on_stopped(void *ctx, const struct lwb_stop_report *report)
{
    (void)ctx;
    (void)report;
    done = true;
}

static void close_side(struct side *side)
{
    if (lwb_worker_stop(side->worker, true, on_stopped, NULL) == 1)
        wait_until_done(0, NULL);
    lwb_session_destroy(side->session);
    lwb_worker_destroy(side->worker);
}

static uint64_t stream_ns(struct side *side, const char *name, const char *count, uint64_t expected)
{
    struct lwb_sinks sinks = { .row = on_row };
    struct lwb_session_call call = { .sinks = &sinks, .done = on_done };
    struct lwb_export_request request = { .name = name, .json = lwb_bytes_text(count) };
    uint64_t start = lwb_clock_ns();
    struct lwb_error err;

    rows_seen = 0;
    wait_until_done(lwb_session_stream(side->session, &request, &call, &err), &err);
    if (rows_seen != expected)
        bench_die("%llu rows", (unsigned long long)rows_seen);
    return lwb_clock_ns() - start;
}

static const char request_text[] = "{\"declarations\":[\"Nat.add\",\"Nat.mul\",\"Nat.sub\"]}";

static uint64_t command_ns(struct side *side)
{
    struct lwb_session_call call = { .done = on_done };
    struct lwb_export_request request = { .name = "echo", .json = lwb_bytes_text(request_text) };
    uint64_t start = lwb_clock_ns();
    struct lwb_error err;

    wait_until_done(lwb_session_command(side->session, &request, &call, &err), &err);
    return lwb_clock_ns() - start;
}

/* ---- the same function without a child ------------------------------------------------------- */

static int on_reply(const struct lwb_capability_call *call, const char *json, size_t len)
{
    (void)call;
    return json[len] == '\0' ? 0 : 1;
}

static void bench_calls_in_process(struct bench_series *series)
{
    struct lwb_capability_call face = { .size = sizeof(face), .reply = on_reply };
    void *library = dlopen(LEAN_LIBRARY, RTLD_NOW);
    void *symbol = library ? dlsym(library, "lwb_capability_get") : NULL;
    const struct lwb_capability *(*get)(void);
    const struct lwb_capability_export *echo;
    void *session;

    if (!symbol)
        bench_die("%s", dlerror());
    memcpy(&get, &symbol, sizeof(get));
    if (get()->open(&session, &face, "{}", 2) != 0)
        bench_die("cannot start Lean");
    for (echo = get()->exports; strcmp(echo->name, "echo") != 0;)
        echo++;
    for (int i = 0; i < COMMANDS; i++) {
        uint64_t start = lwb_clock_ns();

        if (echo->run(session, &face, request_text, sizeof(request_text) - 1) != 0)
            bench_die("the call failed");
        bench_add(series, lwb_clock_ns() - start);
    }
}

int main(int argc, char **argv)
{
    const char *count = argc > 1 ? argv[1] : "100000";
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 15;
    uint64_t expected = strtoull(count, NULL, 10);
    struct side c = { .library = C_LIBRARY };
    struct side lean = { .library = LEAN_LIBRARY };
    struct bench_series numbers[2], names[2], commands[2], calls;

    if (!*LEAN_LIBRARY)
        bench_die("this build found no Lean");
    (void)signal(SIGPIPE, SIG_IGN);
    lwb_json_init();
    (void)uv_loop_init(&loop);
    bench_series_init(&numbers[0], "capability stream of numbers, C", rounds);
    bench_series_init(&numbers[1], "capability stream of numbers, Lean", rounds);
    bench_series_init(&names[0], "capability stream of names, C", rounds);
    bench_series_init(&names[1], "capability stream of names, Lean", rounds);
    bench_series_init(&commands[0], "capability command, C", COMMANDS);
    bench_series_init(&commands[1], "capability command, Lean", COMMANDS);
    bench_series_init(&calls, "capability command, Lean, without a child", COMMANDS);
    open_side(&c);
    open_side(&lean);
    for (unsigned i = 0; i < rounds; i++) {
        bench_add(&numbers[0], stream_ns(&c, "rows", count, expected));
        bench_add(&numbers[1], stream_ns(&lean, "rows", count, expected));
        bench_add(&names[0], stream_ns(&c, "names", count, expected));
        bench_add(&names[1], stream_ns(&lean, "names", count, expected));
    }
    for (int i = 0; i < COMMANDS; i++) {
        bench_add(&commands[0], command_ns(&c));
        bench_add(&commands[1], command_ns(&lean));
    }
    bench_calls_in_process(&calls);
    bench_print(&numbers[0], NULL, expected);
    bench_print(&numbers[1], &numbers[0], expected);
    bench_print(&names[0], NULL, expected);
    bench_print(&names[1], &names[0], expected);
    bench_print(&commands[0], NULL, 1);
    bench_print(&calls, NULL, 1);
    bench_print(&commands[1], &calls, 1);
    close_side(&c);
    close_side(&lean);
    for (int i = 0; i < 2; i++) {
        bench_series_release(&numbers[i]);
        bench_series_release(&names[i]);
        bench_series_release(&commands[i]);
    }
    bench_series_release(&calls);
    return uv_loop_close(&loop) == 0 ? 0 : 1;
}
