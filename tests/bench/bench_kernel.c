#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child/kernel/kernel.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "tests/bench/bench.h"

/*
 * How long does the kernel take to read an export file, and to check it with
 * one thread and with two? Reading and the check with one thread are measured
 * in processor time, since machines are shared; two threads against one by the
 * clock, in turns, and in processor time, which shows what a second thread
 * costs. Where $NANODA names a program that checks the file given as its only
 * argument, its processor time is the floor of the whole.
 *
 *   bench_kernel [FILE [rounds]]      default: lean2021/Init.accept.ndjson.zst below
 *                                     $LWB_KERNEL_DATA, else a fixture of the tests
 *
 * A .zst file is unpacked by zstd first, and is not given to $NANODA.
 */
enum { MAX_ROUNDS = 1000 };

extern char **environ;

static struct bench_series parse, check_one, check_two, wall_one, wall_two, whole, other;

static void die(const char *what, const char *why)
{
    bench_die("bench_kernel: %s: %s", what, why);
}

static uint64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One file, from nothing to the verdict; returns the peak of memory. */
static size_t run(struct lwb_bytes file, unsigned threads)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    const struct lwb_kernel_limits limits = { .memory_bytes = 0 };
    const struct lwb_kernel_request request = { .threads = threads };
    struct lwb_kernel_summary summary;
    struct lwb_error err;
    uint64_t start = cpu_ns(), loaded;

    if (lwb_kernel_open(&kernel, &limits, &err) < 0)
        die("open", err.text);
    if (lwb_kernel_load(kernel, file, &summary) != LWB_KERNEL_ACCEPT)
        die("load", summary.reason);
    loaded = cpu_ns();
    if (lwb_kernel_check(kernel, &request, &summary) != LWB_KERNEL_ACCEPT)
        die("check", summary.reason);
    bench_add(threads == 1 ? &wall_one : &wall_two, summary.check_ns);
    bench_add(threads == 1 ? &check_one : &check_two, cpu_ns() - loaded);
    if (threads == 1) {
        bench_add(&parse, loaded - start);
        bench_add(&whole, cpu_ns() - start);
    }
    return summary.memory_peak;
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void run_other(const char *program, const char *path)
{
    char *argv[] = { (char *)program, (char *)path, NULL };
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    int status;
    pid_t pid;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, program, &actions, NULL, argv, environ) != 0)
        die(program, "cannot be started");
    (void)posix_spawn_file_actions_destroy(&actions);
    if (wait4(pid, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die(program, "does not accept the file");
    bench_add(&other, 1000 * (microseconds(usage.ru_utime) + microseconds(usage.ru_stime)));
}

static double ratio(struct bench_series *a, struct bench_series *b)
{
    return (double)bench_percentile(a, 50) / (double)bench_percentile(b, 50);
}

static void print(struct lwb_bytes file, size_t memory)
{
    const double parse_ns = (double)bench_percentile(&parse, 50);

    bench_print(&parse, NULL, 1);
    bench_print(&check_one, NULL, 1);
    bench_print(&check_two, &check_one, 1);
    bench_print(&wall_one, NULL, 1);
    bench_print(&wall_two, &wall_one, 1);
    bench_print(&whole, other.count ? &other : NULL, 1);
    (void)printf("{\"name\":\"kernel_summary\",\"bytes\":%zu,\"parse_mb_per_s\":%.1f,"
                 "\"two_threads_speedup\":%.2f,\"memory_peak\":%zu}\n",
                 file.len, (double)file.len * 1000 / parse_ns, ratio(&wall_one, &wall_two), memory);
}

static bool is_packed(const char *path)
{
    const size_t n = strlen(path);

    return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

static void read_packed(struct lwb_buf *out, const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf command = LWB_BUF(10000);
    char block[65536];
    FILE *pipe;
    size_t n;

    lwb_buf_format(&command, "zstd -dcq '%s'", path);
    pipe = popen(lwb_buf_text(&command), "r");
    if (!pipe)
        die(path, "zstd cannot be started");
    while ((n = fread(block, 1, sizeof(block), pipe)) > 0)
        lwb_buf_append(out, block, n);
    if (pclose(pipe) != 0 || !lwb_buf_ok(out))
        die(path, "zstd cannot unpack it");
}

static void choose_file(struct lwb_buf *path, const char *given)
{
    const char *data = getenv("LWB_KERNEL_DATA");

    if (given)
        lwb_buf_append_text(path, given);
    else if (data)
        lwb_buf_format(path, "%s/lean2021/Init.accept.ndjson.zst", data);
    else
        lwb_buf_append_text(path, LWB_SOURCE_DIR "/tests/data/kernel/accept/division.ndjson");
}

int main(int argc, char **argv)
{
    const char *program = getenv("NANODA");
    const unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 9;
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(10000);
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(UINT64_C(8) << 30);
    struct lwb_error err;
    const char *path;
    size_t memory = 0;
    unsigned long i;

    if (rounds == 0 || rounds > MAX_ROUNDS)
        die("rounds", "1 to 1000");
    choose_file(&name, argc > 1 ? argv[1] : NULL);
    path = lwb_buf_text(&name);
    if (is_packed(path))
        read_packed(&file, path);
    else if (lwb_file_read(&file, path, NULL, &err) < 0)
        die(path, err.text);
    bench_series_init(&parse, "kernel_parse_cpu", rounds);
    bench_series_init(&check_one, "kernel_check_1_cpu", rounds);
    bench_series_init(&check_two, "kernel_check_2_cpu", rounds);
    bench_series_init(&wall_one, "kernel_check_1", rounds);
    bench_series_init(&wall_two, "kernel_check_2", rounds);
    bench_series_init(&whole, "kernel_whole_cpu", rounds);
    bench_series_init(&other, "nanoda_cpu", rounds);
    for (i = 0; i < rounds; i++) {
        memory = run(lwb_buf_bytes(&file), 1);
        (void)run(lwb_buf_bytes(&file), 2);
        if (program && !is_packed(path))
            run_other(program, path);
    }
    print(lwb_buf_bytes(&file), memory);
    bench_series_release(&parse);
    bench_series_release(&check_one);
    bench_series_release(&check_two);
    bench_series_release(&wall_one);
    bench_series_release(&wall_two);
    bench_series_release(&whole);
    bench_series_release(&other);
    return 0;
}
