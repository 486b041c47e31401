/*
 * What supervision costs: each figure beside the floor that the machine sets,
 * measured in the same run, in turns. One JSON line per figure:
 *
 *     bench_worker [rounds [which]]   more rounds, steadier figures (default 5);
 *                                     which: round-trip, rows, ends or memory (default: all)
 *
 * The child is echo-child: the real child around a host that does no work.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/session/session.h"
#include "lwbuild/worker/subreaper.h"

enum { PINGS = 2000, KILLS = 20, ROWS = 1000 * 1000, ROW = 110, MESSAGE = 64 };

/* ---- figures ----------------------------------------------------------------------------- */

struct series {
    uint64_t *values;
    size_t count;
    size_t cap;
};

static void add(struct series *series, uint64_t value)
{
    if (series->count == series->cap) {
        series->cap = series->cap ? series->cap * 2 : 1024;
        series->values = realloc(series->values, series->cap * sizeof(uint64_t));
        if (!series->values)
            exit(1);
    }
    series->values[series->count++] = value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t percentile(struct series *series, unsigned percent)
{
    qsort(series->values, series->count, sizeof(uint64_t), compare);
    return series->values[(series->count - 1) * percent / 100];
}

static void print_pair(const char *name, struct series *ours, struct series *floor)
{
    uint64_t ours_50 = percentile(ours, 50);
    uint64_t floor_50 = percentile(floor, 50);
    uint64_t ours_99 = percentile(ours, 99);
    uint64_t floor_99 = percentile(floor, 99);

    printf("{\"name\":\"%s\",\"n\":%zu,\"median_ns\":%llu,\"p99_ns\":%llu,\"floor_median_ns\":%llu,"
           "\"floor_p99_ns\":%llu,\"ratio\":%.2f,\"ratio_p99\":%.2f}\n",
           name, ours->count, (unsigned long long)ours_50, (unsigned long long)ours_99,
           (unsigned long long)floor_50, (unsigned long long)floor_99,
           (double)ours_50 / (double)floor_50, (double)ours_99 / (double)floor_99);
    fflush(stdout);
}

static void die(const char *what)
{
    fprintf(stderr, "bench_worker: %s\n", what);
    exit(1);
}

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
        die(err.text);
}

static void start(struct bench *bench)
{
    const struct lwb_open_request request = { .host = "echo" };
    const struct lwb_session_call call = { .done = on_done, .ctx = bench };
    struct lwb_error err;

    if (lwb_worker_start(bench->worker, on_started, bench, &err) < 0)
        die(err.text);
    turn(bench);
    if (!bench->ok || lwb_session_open(bench->session, &request, &call, &err) < 0)
        die("the child does not start");
    turn(bench);
    if (!bench->ok)
        die("the session does not open");
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
        die("no worker");
}

/* ---- floors -------------------------------------------------------------------------------------- */

struct raw {
    pid_t pid;
    int to;
    int from;
};

static void read_all(int fd, char *buf, size_t len)
{
    while (len) {
        ssize_t part = read(fd, buf, len);

        if (part <= 0)
            _exit(0);
        buf += part;
        len -= (size_t)part;
    }
}

static void write_all(int fd, const char *buf, size_t len)
{
    while (len) {
        ssize_t part = write(fd, buf, len);

        if (part <= 0)
            _exit(0);
        buf += part;
        len -= (size_t)part;
    }
}

static struct raw fork_raw(void (*body)(int in, int out))
{
    struct raw raw;
    int in[2];
    int out[2];

    if (pipe(in) || pipe(out))
        die("no pipes");
    raw.pid = fork();
    if (raw.pid == 0) {
        close(in[1]);
        close(out[0]);
        body(in[0], out[1]);
        _exit(0);
    }
    close(in[0]);
    close(out[1]);
    raw.to = in[1];
    raw.from = out[0];
    return raw;
}

static void end_raw(struct raw *raw)
{
    close(raw->to);
    close(raw->from);
    (void)kill(raw->pid, SIGKILL);
    (void)waitpid(raw->pid, NULL, 0);
}

static void pong(int in, int out)
{
    char message[MESSAGE];

    for (;;) {
        read_all(in, message, sizeof(message));
        write_all(out, message, sizeof(message));
    }
}

/* Rows as the child packs them, in writes of 64 KiB, as often as a byte asks for it. */
static void pour(int in, int out)
{
    static char chunk[512 * (4 + ROW)];
    char go;

    for (size_t at = 0; at < sizeof(chunk); at += 4 + ROW)
        chunk[at + 3] = ROW;
    for (;;) {
        read_all(in, &go, 1);
        for (size_t sent = 0; sent < ROWS; sent += 512)
            write_all(out, chunk, sizeof(chunk));
    }
}

static void hang(int in, int out)
{
    (void)out;
    (void)in;
    for (;;)
        pause();
}

static uint64_t ping(const struct raw *raw)
{
    char message[MESSAGE] = { 0 };
    uint64_t start_ns = lwb_clock_ns();

    write_all(raw->to, message, sizeof(message));
    read_all(raw->from, message, sizeof(message));
    return lwb_clock_ns() - start_ns;
}

/* Read what `pour` writes, and look at every row's length. */
static uint64_t drink(const struct raw *raw)
{
    static char chunk[512 * (4 + ROW)];
    uint64_t start_ns = lwb_clock_ns();
    uint64_t bytes = 0;

    write_all(raw->to, "g", 1);
    for (size_t got = 0; got < ROWS; got += 512) {
        read_all(raw->from, chunk, sizeof(chunk));
        for (size_t at = 0; at < sizeof(chunk); at += 4 + ROW)
            bytes += (unsigned char)chunk[at + 3];
    }
    if (bytes < (uint64_t)ROWS * ROW)
        die("rows are missing");
    return lwb_clock_ns() - start_ns;
}

static uint64_t kill_raw(void)
{
    struct raw raw = fork_raw(hang);
    struct pollfd end = { .fd = raw.from, .events = POLLIN };
    uint64_t start_ns = lwb_clock_ns();
    uint64_t ns;

    (void)kill(raw.pid, SIGKILL);
    (void)poll(&end, 1, -1);
    (void)waitpid(raw.pid, NULL, 0);
    ns = lwb_clock_ns() - start_ns;
    close(raw.to);
    close(raw.from);
    return ns;
}

/* ---- benchmarks --------------------------------------------------------------------------------------- */

static void bench_round_trip(struct bench *bench, unsigned rounds, int cpu)
{
    struct series ours = { 0 };
    struct series floor = { 0 };
    struct raw raw;

    pin(cpu);
    raw = fork_raw(pong);
    start(bench);
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < PINGS; i++)
            add(&floor, ping(&raw));
        for (unsigned i = 0; i < PINGS; i++) {
            uint64_t start_ns = lwb_clock_ns();

            begin(bench, false, "echo", "{}");
            turn(bench);
            add(&ours, bench->over_ns - start_ns);
        }
    }
    print_pair(cpu < 0 ? "round_trip_free" : "round_trip_same_cpu", &ours, &floor);
    stop(bench);
    end_raw(&raw);
    pin(-1);
}

static void bench_rows(struct bench *bench, unsigned rounds)
{
    struct series ours = { 0 };
    struct series floor = { 0 };
    struct series first = { 0 };
    struct raw raw = fork_raw(pour);
    char json[80];

    (void)snprintf(json, sizeof(json), "{\"rows\":%d,\"bytes\":%d}", ROWS, ROW);
    start(bench);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start_ns;

        add(&floor, drink(&raw));
        start_ns = lwb_clock_ns();
        begin(bench, true, "rows", json);
        turn(bench);
        if (!bench->ok || bench->rows != ROWS)
            die("rows are missing");
        add(&ours, bench->over_ns - start_ns);
        add(&first, bench->first_row_ns - start_ns);
    }
    print_pair("rows_1m", &ours, &floor);
    printf("{\"name\":\"rows_per_second\",\"median\":%.0f,\"floor\":%.0f,\"row_bytes\":%d}\n",
           ROWS * 1e9 / (double)percentile(&ours, 50), ROWS * 1e9 / (double)percentile(&floor, 50),
           ROW);
    printf("{\"name\":\"first_row\",\"n\":%zu,\"median_ns\":%llu,\"max_ns\":%llu}\n", first.count,
           (unsigned long long)percentile(&first, 50), (unsigned long long)percentile(&first, 100));
    stop(bench);
    end_raw(&raw);
}

/* What starting any process costs: of a program that does nothing, waited for. */
static uint64_t spawn_raw(void)
{
    char *const argv[] = { "true", NULL };
    uint64_t start_ns = lwb_clock_ns();
    pid_t pid;

    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, argv + 1) != 0)
        die("no /bin/true");
    (void)waitpid(pid, NULL, 0);
    return lwb_clock_ns() - start_ns;
}

static void bench_ends(struct bench *bench, unsigned rounds)
{
    struct series killed = { 0 };
    struct series floor = { 0 };
    struct series cancelled = { 0 };
    struct series answered = { 0 };
    struct series spawned = { 0 };
    uint64_t start_ns;

    for (unsigned i = 0; i < rounds * KILLS; i++) {
        add(&floor, kill_raw());
        start(bench);
        begin(bench, false, "hang", "{}");
        (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        (void)kill(lwb_worker_pid(bench->worker), SIGKILL);
        turn(bench);
        add(&killed, bench->over_ns - start_ns);
        start(bench);
        begin(bench, false, "echo", "{}");
        turn(bench);
        add(&answered, bench->over_ns - start_ns);
        add(&spawned, spawn_raw());
        begin(bench, false, "hang", "{}");
        (void)uv_run(&bench->loop, UV_RUN_NOWAIT);
        start_ns = lwb_clock_ns();
        lwb_worker_cancel(bench->worker);
        turn(bench);
        add(&cancelled, bench->over_ns - start_ns);
    }
    print_pair("kill_to_failure", &killed, &floor);
    print_pair("kill_to_next_answer", &answered, &spawned);
    print_pair("cancel_to_failure", &cancelled, &floor);
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
        die(err.text);
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
