/*
 * What supervision costs: each figure beside the floor that the machine sets,
 * measured in the same run, in turns. One JSON line per figure:
 *
 *     bench_worker [rounds [which]]   more rounds, steadier figures (default 5);
 *                                     which: round-trip, rows, ends or memory (default: all)
 *
 * The child is echo-child: the real child around a host that does no work.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/worker/subreaper.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_child.h"
#include "tests/bench/bench_floor.h"

enum { PINGS = 2000, KILLS = 20 };

/* ---- benchmarks ------------------------------------------------------------------------------ */

static void bench_round_trip(struct bench_child *child, unsigned rounds, int cpu)
{
    struct bench_series ours, floor;
    struct bench_raw raw;

    bench_series_init(&ours, cpu < 0 ? "round_trip_free" : "round_trip_same_cpu",
                      (size_t)rounds * PINGS);
    bench_series_init(&floor, "pipe", (size_t)rounds * PINGS);
    bench_pin(cpu);
    raw = bench_raw_start(bench_raw_pong);
    bench_child_start(child);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < PINGS; i++)
            bench_add(&floor, bench_raw_ping(&raw));
        for (unsigned i = 0; i < PINGS; i++) {
            uint64_t start_ns = lwb_clock_ns();

            bench_child_begin(child, false, "echo", "{}");
            bench_child_wait(child);
            bench_add(&ours, child->over_ns - start_ns);
        }
    }
    bench_print(&ours, &floor, 1);
    bench_series_release(&ours);
    bench_series_release(&floor);
    bench_child_stop(child);
    bench_raw_end(&raw);
    bench_pin(-1);
}

static void bench_rows(struct bench_child *child, unsigned rounds)
{
    struct bench_series ours, floor, first;
    struct bench_raw raw = bench_raw_start(bench_raw_pour);
    char json[80];

    bench_series_init(&ours, "rows_1m", rounds);
    bench_series_init(&floor, "pipe", rounds);
    bench_series_init(&first, "first_row", rounds);
    (void)snprintf(json, sizeof(json), "{\"rows\":%d,\"bytes\":%d}", BENCH_ROWS, BENCH_ROW);
    bench_child_start(child);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start_ns;

        bench_add(&floor, bench_raw_drink(&raw));
        start_ns = lwb_clock_ns();
        bench_child_begin(child, true, "rows", json);
        bench_child_wait(child);
        if (child->err.code < 0 || child->rows != BENCH_ROWS)
            bench_die("bench_worker: rows are missing");
        bench_add(&ours, child->over_ns - start_ns);
        bench_add(&first, child->first_row_ns - start_ns);
    }
    bench_print(&ours, &floor, BENCH_ROWS);
    printf("{\"name\":\"rows_per_second\",\"median\":%.0f,\"floor\":%.0f,\"row_bytes\":%d}\n",
           BENCH_ROWS * 1e9 / (double)bench_percentile(&ours, 50),
           BENCH_ROWS * 1e9 / (double)bench_percentile(&floor, 50), BENCH_ROW);
    bench_print(&first, NULL, 1);
    bench_series_release(&ours);
    bench_series_release(&floor);
    bench_series_release(&first);
    bench_child_stop(child);
    bench_raw_end(&raw);
}

static void bench_ends(struct bench_child *child, unsigned rounds)
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
        bench_child_start(child);
        bench_child_begin(child, false, "hang", "{}");
        (void)uv_run(&child->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        (void)kill(lwb_worker_pid(child->worker), SIGKILL);
        bench_child_wait(child);
        bench_add(&killed, child->over_ns - start_ns);
        bench_child_start(child);
        bench_child_begin(child, false, "echo", "{}");
        bench_child_wait(child);
        bench_add(&answered, child->over_ns - start_ns);
        bench_add(&spawned, bench_raw_spawn());
        bench_child_begin(child, false, "hang", "{}");
        (void)uv_run(&child->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        lwb_worker_cancel(child->worker);
        bench_child_wait(child);
        bench_add(&cancelled, child->over_ns - start_ns);
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

static void bench_memory(struct bench_child *child, unsigned rounds)
{
    uint64_t requests = (uint64_t)rounds * 200 * 1000;
    long before = 0;

    bench_child_start(child);
    for (uint64_t i = 0; i < requests; i++) {
        if (i == 1000)
            before = resident_kib();
        bench_child_begin(child, false, "echo", "{}");
        bench_child_wait(child);
    }
    printf("{\"name\":\"memory\",\"requests\":%llu,\"before_kib\":%ld,\"after_kib\":%ld}\n",
           (unsigned long long)requests, before, resident_kib());
    bench_child_stop(child);
}

static bool is_wanted(const char *which, const char *name)
{
    return !which || strcmp(which, name) == 0;
}

int main(int argc, char **argv)
{
    const char *which = argc > 2 ? argv[2] : NULL;
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    struct bench_child child;
    struct lwb_error err;

    (void)signal(SIGPIPE, SIG_IGN);
    if (lwb_subreaper_enable(&err) < 0) /* as lwbuild does */
        bench_die("bench_worker: %s", err.text);
    bench_child_create(&child, ECHO_CHILD, "echo", NULL);
    printf("{\"name\":\"machine\",\"cpus\":%ld}\n", sysconf(_SC_NPROCESSORS_ONLN));
    if (is_wanted(which, "round-trip")) {
        bench_round_trip(&child, rounds, 0);
        bench_round_trip(&child, rounds, -1);
    }
    if (is_wanted(which, "rows"))
        bench_rows(&child, rounds);
    if (is_wanted(which, "ends"))
        bench_ends(&child, rounds);
    if (is_wanted(which, "memory"))
        bench_memory(&child, rounds);
    bench_child_destroy(&child);
    return 0;
}
