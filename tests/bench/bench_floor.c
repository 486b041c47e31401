#include "tests/bench/bench_floor.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"

enum { MESSAGE = 64 };

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

struct bench_raw bench_raw_start(void (*body)(int in, int out))
{
    struct bench_raw raw;
    int in[2];
    int out[2];

    if (pipe(in) || pipe(out))
        bench_die("bench_worker: no pipes");
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
        read_all(in, message, sizeof(message));
        write_all(out, message, sizeof(message));
    }
}

void bench_raw_pour(int in, int out)
{
    static char chunk[512 * (4 + BENCH_ROW)];
    char go;

    for (size_t at = 0; at < sizeof(chunk); at += 4 + BENCH_ROW)
        chunk[at + 3] = BENCH_ROW;
    for (;;) {
        read_all(in, &go, 1);
        for (size_t sent = 0; sent < BENCH_ROWS; sent += 512)
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

uint64_t bench_raw_ping(const struct bench_raw *raw)
{
    char message[MESSAGE] = { 0 };
    uint64_t start_ns = lwb_clock_ns();

    write_all(raw->to, message, sizeof(message));
    read_all(raw->from, message, sizeof(message));
    return lwb_clock_ns() - start_ns;
}

uint64_t bench_raw_drink(const struct bench_raw *raw)
{
    static char chunk[512 * (4 + BENCH_ROW)];
    uint64_t start_ns = lwb_clock_ns();
    uint64_t bytes = 0;

    write_all(raw->to, "g", 1);
    for (size_t got = 0; got < BENCH_ROWS; got += 512) {
        read_all(raw->from, chunk, sizeof(chunk));
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
