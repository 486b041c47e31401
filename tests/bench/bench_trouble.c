/*
 * What trouble costs: a gigabyte on stderr during a request, and children that
 * would hang whoever waits for them. One JSON line per figure:
 *
 *     bench_trouble [rounds]      (default 5)
 *
 * The flood is compared with a reader that does nothing but read it, in turns.
 * `until_error_*` is how long a request took to fail with the error that it must
 * have, beside its deadline; the child is fake-child, which misbehaves on request.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "lwbuild/worker/subreaper.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_child.h"

enum { FLOOD_MIB = 1024, LARGE = 16 * 1024 * 1024, DEADLINE_MS = 300, REPEATS = 4 };

/* ---- the flood ------------------------------------------------------------------------------- */

/* As fake-child does it: a MiB of lines at a time. */
static void pour(int fd)
{
    static char noise[1 << 20];

    memset(noise, '.', sizeof(noise));
    for (size_t i = 99; i < sizeof(noise); i += 100)
        noise[i] = '\n';
    for (unsigned mib = 0; mib < FLOOD_MIB; mib++)
        for (size_t at = 0; at < sizeof(noise);) {
            ssize_t len = write(fd, noise + at, sizeof(noise) - at);

            if (len < 0)
                _exit(1);
            at += (size_t)len;
        }
    _exit(0);
}

static uint64_t read_flood(void)
{
    static char chunk[64 * 1024];
    uint64_t start_ns = lwb_clock_ns();
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        bench_die("no pipe");
    pid = fork();
    if (pid == 0)
        pour(ends[1]);
    close(ends[1]);
    while (read(ends[0], chunk, sizeof(chunk)) > 0)
        ;
    close(ends[0]);
    (void)waitpid(pid, NULL, 0);
    return lwb_clock_ns() - start_ns;
}

static void bench_flood(unsigned rounds)
{
    struct bench_series ours, floor;
    LWB_AUTO(lwb_buf_release) struct lwb_buf kept = LWB_BUF(16 << 20);
    struct bench_child child;
    char json[40];

    bench_series_init(&ours, "stderr_flood_1gib", rounds);
    bench_series_init(&floor, "a reader", rounds);
    (void)snprintf(json, sizeof(json), "{\"n\":%d}", FLOOD_MIB);
    bench_child_create(&child, FAKE_CHILD, "fake", NULL);
    bench_child_start(&child);
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t start_ns;

        bench_add(&floor, read_flood());
        start_ns = lwb_clock_ns();
        bench_child_begin(&child, false, "flood", json);
        bench_child_wait(&child);
        if (child.err.code < 0)
            bench_die("%s", child.err.text);
        bench_add(&ours, child.over_ns - start_ns);
    }
    lwb_worker_stderr(child.worker, SIZE_MAX, &kept);
    bench_print(&ours, &floor, 1);
    printf("{\"name\":\"stderr_kept\",\"bytes\":%zu}\n", kept.len);
    bench_series_release(&ours);
    bench_series_release(&floor);
    bench_child_stop(&child);
    bench_child_destroy(&child);
}

/* ---- children that would hang ---------------------------------------------------------------- */

struct trouble {
    const char *name;
    const char *scenario;
    const char *request; /* NULL: a large open is what goes unread */
    enum lwb_code code;
};

static void begin_trouble(struct bench_child *child, const struct trouble *trouble,
                          const char *large)
{
    const struct lwb_open_request open = { .host = "fake", .project_root = large };

    if (trouble->request)
        bench_child_begin_timed(child, trouble->request, DEADLINE_MS);
    else
        bench_child_begin_open(child, &open, DEADLINE_MS);
}

static void bench_late(const struct trouble *trouble, unsigned rounds, const char *large)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec arguments = { 0 };
    struct lwb_worker_config config = LWB_WORKER_CONFIG_DEFAULTS;
    struct bench_series took, deadline;
    struct bench_child child;

    bench_series_init(&took, trouble->name, (size_t)rounds * REPEATS);
    bench_series_init(&deadline, "deadline", (size_t)rounds * REPEATS);
    if (lwb_strvec_append(&arguments, trouble->scenario))
        bench_die("no memory");
    config.arguments = &arguments;
    config.max_frame = 2 * LARGE;
    bench_child_create(&child, FAKE_CHILD, "fake", &config);
    for (unsigned i = 0; i < rounds * REPEATS; i++) {
        uint64_t start_ns;

        if (trouble->request)
            bench_child_start(&child);
        else
            bench_child_launch(&child);
        start_ns = lwb_clock_ns();
        begin_trouble(&child, trouble, large);
        bench_child_wait(&child);
        if (child.err.code != trouble->code)
            bench_die("%s: %s", trouble->name, child.err.text);
        bench_add(&took, child.over_ns - start_ns);
        bench_add(&deadline, (uint64_t)DEADLINE_MS * 1000000);
    }
    bench_print(&took, &deadline, 1);
    bench_series_release(&took);
    bench_series_release(&deadline);
    bench_child_destroy(&child);
}

int main(int argc, char **argv)
{
    static const struct trouble troubles[] = {
        { "until_error_16mib_unread", "deaf", NULL, LWB_ERR_TIMEOUT },
        { "until_error_output_closed", "normal", "close-output", LWB_ERR_PROTOCOL },
        { "until_error_pipes_held", "normal", "grandchild", LWB_ERR_CHILD_EXITED },
    };
    static char large[LARGE + 1];
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    struct lwb_error err;

    (void)signal(SIGPIPE, SIG_IGN);
    if (lwb_subreaper_enable(&err) < 0)
        bench_die("%s", err.text);
    memset(large, 'x', LARGE);
    bench_flood(rounds);
    for (size_t i = 0; i < LWB_COUNT(troubles); i++)
        bench_late(&troubles[i], rounds, large);
    return 0;
}
