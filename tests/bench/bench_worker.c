/*
 * What supervision costs: each figure beside the floor that the machine sets,
 * measured in the same run, in turns. One JSON line per figure:
 *
 *     bench_worker [rounds [which]]   more rounds, steadier figures (default 5);
 *                                     which: round-trip, rows, ends or memory (default: all)
 *
 * The child is echo-child: the real child around a host that does no work.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/session/session.h"
#include "lwbuild/worker/subreaper.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_floor.h"

enum { PINGS = 2000, KILLS = 20 };

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < (int)sysconf(_SC_NPROCESSORS_ONLN); i++)
        if (cpu < 0 || i == cpu)
            CPU_SET(i, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

/* ---- a worker, waited for --------------------------------------------------------------------- */

struct bench {
    uv_loop_t loop;
    struct lwb_worker *worker;
    struct lwb_session *session;
    bool over;
    bool ok;
    uint64_t over_ns;
    uint64_t rows;
    uint64_t first_row_ns;
};

static void finish(struct bench *bench, const struct lwb_error *err)
{
    bench->over = true;
    bench->ok = !err;
    bench->over_ns = lwb_clock_ns();
    uv_stop(&bench->loop);
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
    struct bench *bench = ctx;

    (void)stream;
    (void)sequence;
    (void)row;
    if (bench->rows++ == 0)
        bench->first_row_ns = lwb_clock_ns();
    return true;
}

static void turn(struct bench *bench)
{
    while (!bench->over)
        (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    bench->over = false;
}

static void begin(struct bench *bench, bool stream, const char *name, const char *json)
{
    const struct lwb_export_request request = { name, lwb_bytes_text(json) };
    const struct lwb_sinks sinks = { .row = on_row, .ctx = bench };
    const struct lwb_session_call call = { .sinks = &sinks, .done = on_done, .ctx = bench };
    struct lwb_error err;

    bench->rows = 0;
    if ((stream ? lwb_session_stream : lwb_session_command)(bench->session, &request, &call, &err) <
        0)
        bench_die("bench_worker: %s", err.text);
}

static void start(struct bench *bench)
{
    const struct lwb_open_request request = { .host = "echo" };
    const struct lwb_session_call call = { .done = on_done, .ctx = bench };
    struct lwb_error err;

    if (lwb_worker_start(bench->worker, on_started, bench, &err) < 0)
        bench_die("bench_worker: %s", err.text);
    turn(bench);
    if (!bench->ok || lwb_session_open(bench->session, &request, &call, &err) < 0)
        bench_die("bench_worker: the child does not start");
    turn(bench);
    if (!bench->ok)
        bench_die("bench_worker: the session does not open");
}

static void stop(struct bench *bench)
{
    if (lwb_worker_stop(bench->worker, true, on_stopped, bench))
        turn(bench);
}

static void create(struct bench *bench)
{
    struct lwb_worker_config config = LWB_WORKER_CONFIG_DEFAULTS;
    struct lwb_error err;

    config.executable = ECHO_CHILD;
    config.policy.window_restarts = 64;
    config.policy.window_ms = 1;
    if (uv_loop_init(&bench->loop) < 0 ||
        lwb_worker_create(&bench->worker, &bench->loop, &config, &err) < 0 ||
        lwb_session_create(&bench->session, bench->worker, &err) < 0)
        bench_die("bench_worker: no worker");
}

/* ---- benchmarks --------------------------------------------------------------------------------------- */

static void bench_round_trip(struct bench *bench, unsigned rounds, int cpu)
{
    struct bench_series ours, floor;
    struct bench_raw raw;

    bench_series_init(&ours, cpu < 0 ? "round_trip_free" : "round_trip_same_cpu",
                      (size_t)rounds * PINGS);
    bench_series_init(&floor, "pipe", (size_t)rounds * PINGS);
    pin(cpu);
    raw = bench_raw_start(bench_raw_pong);
    start(bench);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < PINGS; i++)
            bench_add(&floor, bench_raw_ping(&raw));
        for (unsigned i = 0; i < PINGS; i++) {
            uint64_t start_ns = lwb_clock_ns();

            begin(bench, false, "echo", "{}");
            turn(bench);
            bench_add(&ours, bench->over_ns - start_ns);
        }
    }
    bench_print(&ours, &floor, 1);
    bench_series_release(&ours);
    bench_series_release(&floor);
    stop(bench);
    bench_raw_end(&raw);
    pin(-1);
}

static void bench_rows(struct bench *bench, unsigned rounds)
{
    struct bench_series ours, floor, first;
    struct bench_raw raw = bench_raw_start(bench_raw_pour);
    char json[80];

    bench_series_init(&ours, "rows_1m", rounds);
    bench_series_init(&floor, "pipe", rounds);
    bench_series_init(&first, "first_row", rounds);
    (void)snprintf(json, sizeof(json), "{\"rows\":%d,\"bytes\":%d}", BENCH_ROWS, BENCH_ROW);
    start(bench);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start_ns;

        bench_add(&floor, bench_raw_drink(&raw));
        start_ns = lwb_clock_ns();
        begin(bench, true, "rows", json);
        turn(bench);
        if (!bench->ok || bench->rows != BENCH_ROWS)
            bench_die("bench_worker: rows are missing");
        bench_add(&ours, bench->over_ns - start_ns);
        bench_add(&first, bench->first_row_ns - start_ns);
    }
    bench_print(&ours, &floor, BENCH_ROWS);
    printf("{\"name\":\"rows_per_second\",\"median\":%.0f,\"floor\":%.0f,\"row_bytes\":%d}\n",
           BENCH_ROWS * 1e9 / (double)bench_percentile(&ours, 50),
           BENCH_ROWS * 1e9 / (double)bench_percentile(&floor, 50), BENCH_ROW);
    bench_print(&first, NULL, 1);
    bench_series_release(&ours);
    bench_series_release(&floor);
    bench_series_release(&first);
    stop(bench);
    bench_raw_end(&raw);
}

static void bench_ends(struct bench *bench, unsigned rounds)
{
    struct bench_series killed, floor, cancelled, answered, spawned;
    uint64_t start_ns;

    bench_series_init(&killed, "kill_to_failure", (size_t)rounds * KILLS);
    bench_series_init(&floor, "kill", (size_t)rounds * KILLS);
    bench_series_init(&cancelled, "cancel_to_failure", (size_t)rounds * KILLS);
    bench_series_init(&answered, "kill_to_next_answer", (size_t)rounds * KILLS);
    bench_series_init(&spawned, "spawn", (size_t)rounds * KILLS);
    for (unsigned i = 0; i < rounds * KILLS; i++) {
        bench_add(&floor, bench_raw_kill());
        start(bench);
        begin(bench, false, "hang", "{}");
        (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        (void)kill(lwb_worker_pid(bench->worker), SIGKILL);
        turn(bench);
        bench_add(&killed, bench->over_ns - start_ns);
        start(bench);
        begin(bench, false, "echo", "{}");
        turn(bench);
        bench_add(&answered, bench->over_ns - start_ns);
        bench_add(&spawned, bench_raw_spawn());
        begin(bench, false, "hang", "{}");
        (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        lwb_worker_cancel(bench->worker);
        turn(bench);
        bench_add(&cancelled, bench->over_ns - start_ns);
    }
    bench_print(&killed, &floor, 1);
    bench_print(&answered, &spawned, 1);
    bench_print(&cancelled, &floor, 1);
    bench_series_release(&killed);
    bench_series_release(&floor);
    bench_series_release(&cancelled);
    bench_series_release(&answered);
    bench_series_release(&spawned);
}

static long resident_kib(void)
{
    char line[200];
    FILE *file = fopen("/proc/self/statm", "r");
    char *end = NULL;
    long pages = 0;

    if (file && fgets(line, sizeof(line), file)) {
        (void)strtol(line, &end, 10);
        pages = strtol(end, NULL, 10);
    }
    if (file)
        fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void bench_memory(struct bench *bench, unsigned rounds)
{
    uint64_t requests = (uint64_t)rounds * 200 * 1000;
    long before = 0;

    start(bench);
    for (uint64_t i = 0; i < requests; i++) {
        if (i == 1000)
            before = resident_kib();
        begin(bench, false, "echo", "{}");
        turn(bench);
    }
    printf("{\"name\":\"memory\",\"requests\":%llu,\"before_kib\":%ld,\"after_kib\":%ld}\n",
           (unsigned long long)requests, before, resident_kib());
    stop(bench);
}

static bool is_wanted(const char *which, const char *name)
{
    return !which || strcmp(which, name) == 0;
}

int main(int argc, char **argv)
{
    const char *which = argc > 2 ? argv[2] : NULL;
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    struct bench bench = { 0 };
    struct lwb_error err;

    (void)signal(SIGPIPE, SIG_IGN);
    if (lwb_subreaper_enable(&err) < 0) /* as lwbuild does */
        bench_die("bench_worker: %s", err.text);
    create(&bench);
    printf("{\"name\":\"machine\",\"cpus\":%ld}\n", sysconf(_SC_NPROCESSORS_ONLN));
    if (is_wanted(which, "round-trip")) {
        bench_round_trip(&bench, rounds, 0);
        bench_round_trip(&bench, rounds, -1);
    }
    if (is_wanted(which, "rows"))
        bench_rows(&bench, rounds);
    if (is_wanted(which, "ends"))
        bench_ends(&bench, rounds);
    if (is_wanted(which, "memory"))
        bench_memory(&bench, rounds);
    lwb_session_destroy(bench.session);
    lwb_worker_destroy(bench.worker);
    return uv_loop_close(&bench.loop) == 0 ? 0 : 1;
}
