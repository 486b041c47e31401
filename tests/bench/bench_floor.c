#include "tests/bench/bench_floor.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"

enum { MESSAGE = 64 };

void bench_raw_read(int fd, char *buf, size_t len)
{
    while (len) {
        ssize_t part = read(fd, buf, len);

        if (part <= 0)
            _exit(0);
        buf += part;
        len -= (size_t)part;
    }
}

void bench_raw_write(int fd, const char *buf, size_t len)
{
    while (len) {
        ssize_t part = write(fd, buf, len);

        if (part <= 0)
            _exit(0);
        buf += part;
        len -= (size_t)part;
    }
}

struct bench_raw bench_raw_start(void (*body)(int in, int out))
{
    struct bench_raw raw;
    int in[2];
    int out[2];

    if (pipe(in) || pipe(out))
        bench_die("no pipes");
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

void bench_raw_end(struct bench_raw *raw)
{
    close(raw->to);
    close(raw->from);
    (void)kill(raw->pid, SIGKILL);
    (void)waitpid(raw->pid, NULL, 0);
}

void bench_raw_pong(int in, int out)
{
    char message[MESSAGE];

    for (;;) {
        bench_raw_read(in, message, sizeof(message));
        bench_raw_write(out, message, sizeof(message));
    }
}

void bench_raw_pour(int in, int out)
{
    static char chunk[512 * (4 + BENCH_ROW)];
    char go;

    for (size_t at = 0; at < sizeof(chunk); at += 4 + BENCH_ROW)
        chunk[at + 3] = BENCH_ROW;
    for (;;) {
        bench_raw_read(in, &go, 1);
        for (size_t sent = 0; sent < BENCH_ROWS; sent += 512)
            bench_raw_write(out, chunk, sizeof(chunk));
    }
}

static void hang(int in, int out)
{
    (void)out;
    (void)in;
    for (;;)
        pause();
}

uint64_t bench_raw_ping(const struct bench_raw *raw)
{
    char message[MESSAGE] = { 0 };
    uint64_t start_ns = lwb_clock_ns();

    bench_raw_write(raw->to, message, sizeof(message));
    bench_raw_read(raw->from, message, sizeof(message));
    return lwb_clock_ns() - start_ns;
}

uint64_t bench_raw_drink(const struct bench_raw *raw)
{
    static char chunk[512 * (4 + BENCH_ROW)];
    uint64_t start_ns = lwb_clock_ns();
    uint64_t bytes = 0;

    bench_raw_write(raw->to, "g", 1);
    for (size_t got = 0; got < BENCH_ROWS; got += 512) {
        bench_raw_read(raw->from, chunk, sizeof(chunk));
        for (size_t at = 0; at < sizeof(chunk); at += 4 + BENCH_ROW)
            bytes += (unsigned char)chunk[at + 3];
    }
    if (bytes < (uint64_t)BENCH_ROWS * BENCH_ROW)
        bench_die("bench_worker: rows are missing");
    return lwb_clock_ns() - start_ns;
}

uint64_t bench_raw_kill(void)
{
    struct bench_raw raw = bench_raw_start(hang);
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

uint64_t bench_raw_spawn(void)
{
    char *const argv[] = { "true", NULL };
    uint64_t start_ns = lwb_clock_ns();
    pid_t pid;

    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, argv + 1) != 0)
        bench_die("bench_worker: no /bin/true");
    (void)waitpid(pid, NULL, 0);
    return lwb_clock_ns() - start_ns;
}

void bench_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < (int)sysconf(_SC_NPROCESSORS_ONLN); i++)
        if (cpu < 0 || i == cpu)
            CPU_SET(i, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}
