/*
 * How much faster is a run with two workers than with one, when its checks are
 * bound by the processor? In turns, and beside what this machine gives two
 * processes over one that does the work of both, since two processors that are
 * shared are not two.
 *
 *   bench_scaling [rounds (5)]
 *
 * Export files by the kernel: lean2021/Init.accept.ndjson.zst below
 * $LWB_KERNEL_DATA (unpacked by zstd), else a fixture of the tests; then, where a
 * Lean is installed, modules whose bodies compute.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_run.h"
#include "tests/support/real_lean.h"

enum { LARGE_FILES = 8, SMALL_FILES = 96, MODULES = 8, BURNS = 40 };
enum { ONE, TWO, BURN_ONE, BURN_TWO, N_SERIES };

static char root[256];

/* ---- the machine --------------------------------------------------------------------------- */

static void burn(unsigned units)
{
    volatile uint64_t x = 1;

    for (uint64_t i = 0; i < UINT64_C(10000000) * units; i++)
        x = x * UINT64_C(6364136223846793005) + 1;
}

static uint64_t run_burn(unsigned processes)
{
    uint64_t started = lwb_clock_ns();
    int status;

    for (unsigned i = 0; i < processes; i++) {
        pid_t pid = fork();

        if (pid < 0)
            bench_die("fork");
        if (pid == 0) {
            burn(BURNS / processes);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < processes; i++)
        (void)wait(&status);
    return lwb_clock_ns() - started;
}

/* ---- lwbuild ------------------------------------------------------------------------------- */

static uint64_t run_check(const char *files, unsigned jobs)
{
    char command[1024];
    char *argv[] = { (char *)"/bin/sh", (char *)"-c", command, NULL };

    (void)snprintf(command, sizeof(command),
                   "exec '%s' check --recache --cache cache --jobs %u --quiet %s >/dev/null",
                   LWB_PROGRAM, jobs, files);
    return bench_run(root, argv);
}

static void measure(const char *what, const char *files, unsigned rounds)
{
    struct bench_series series[N_SERIES];
    char names[N_SERIES][64];
    double ours, machine;

    (void)snprintf(names[ONE], sizeof(names[ONE]), "%s, one worker", what);
    (void)snprintf(names[TWO], sizeof(names[TWO]), "%s, two workers", what);
    (void)snprintf(names[BURN_ONE], sizeof(names[BURN_ONE]), "one process that computes");
    (void)snprintf(names[BURN_TWO], sizeof(names[BURN_TWO]), "two processes that compute");
    for (int i = 0; i < N_SERIES; i++)
        bench_series_init(&series[i], names[i], rounds);
    (void)run_check(files, 2);
    for (unsigned i = 0; i < rounds; i++) {
        bench_add(&series[ONE], run_check(files, 1));
        bench_add(&series[BURN_ONE], run_burn(1));
        bench_add(&series[TWO], run_check(files, 2));
        bench_add(&series[BURN_TWO], run_burn(2));
    }
    bench_print(&series[TWO], &series[ONE], 1);
    bench_print(&series[BURN_TWO], &series[BURN_ONE], 1);
    ours = (double)bench_percentile(&series[ONE], 50) / (double)bench_percentile(&series[TWO], 50);
    machine = (double)bench_percentile(&series[BURN_ONE], 50) /
              (double)bench_percentile(&series[BURN_TWO], 50);
    printf("{\"name\":\"%s, scaling\",\"one_to_two\":%.3f,\"machine\":%.3f}\n", what, ours,
           machine);
    (void)fflush(stdout);
    for (int i = 0; i < N_SERIES; i++)
        bench_series_release(&series[i]);
}

/* ---- what is checked ----------------------------------------------------------------------- */

static void shell(const char *command)
{
    char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)command, NULL };

    (void)bench_run(root, argv);
}

static void measure_exports(unsigned rounds)
{
    const char *data = getenv("LWB_KERNEL_DATA");
    char command[2048];

    if (data)
        (void)snprintf(command, sizeof(command),
                       "zstd -dcq '%s/lean2021/Init.accept.ndjson.zst' >e0.ndjson", data);
    else
        (void)snprintf(command, sizeof(command),
                       "cp '%s/tests/data/kernel/accept/division.ndjson' e0.ndjson",
                       LWB_SOURCE_DIR);
    shell(command);
    (void)snprintf(command, sizeof(command),
                   "for i in $(seq 1 %d); do cp e0.ndjson e$i.ndjson; done",
                   (data ? LARGE_FILES : SMALL_FILES) - 1);
    shell(command);
    measure("export files", "--host kernel --allow-axiom '*' e*.ndjson", rounds);
}

static void measure_lean(unsigned rounds)
{
    struct lwb_toolchain toolchain;
    char path[300], text[400], files[2048];

    real_lean_find(&toolchain);
    for (unsigned i = 0; i < MODULES; i++) {
        (void)snprintf(path, sizeof(path), "%s/L%u.lean", root, i);
        (void)snprintf(text, sizeof(text),
                       "def sum%u (n : Nat) : Nat := do\n  let mut x := 0\n"
                       "  for i in [0:n] do\n    x := x + i %% 7\n  return x\n"
                       "#eval sum%u 1000000\n",
                       i, i);
        bench_write_file(path, text);
    }
    (void)snprintf(files, sizeof(files), "--toolchain '%s' L*.lean", toolchain.prefix);
    measure("modules that compute", files, rounds);
    lwb_toolchain_release(&toolchain);
}

static void clean_up(void)
{
    bench_remove_folder(root);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;

    if (!rounds || argc > 2)
        bench_die("usage: bench_scaling [rounds]");
    bench_make_folder(root);
    (void)atexit(clean_up);
    (void)setenv("LWBUILD_CHILD", LWB_CHILD, 1);
    measure_exports(rounds);
    measure_lean(rounds);
    return 0;
}
