/*
 * What does an edge of a build cost whose only module has not changed? lwbuild
 * for one module, started as a build tool starts it, beside a program that is
 * linked statically and does nothing, and beside a hit of ccache where that is
 * installed. `with a stamp` is what a build tool needs. All of it happens on
 * one processor: where a process is put would otherwise be half of the figure.
 *
 *   bench_edge [rounds (300)]
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/bench_floor.h"
#include "tests/bench/bench_run.h"

enum { NOTHING, CHECK, CHECK_STAMP, CCACHE, N_SERIES };

static char root[256];
static struct bench_series series[N_SERIES];
static struct bench_ccache ccache;
static bool has_ccache;

static uint64_t run_nothing(void)
{
    char *argv[] = { (char *)NOTHING_PROGRAM, NULL };

    return bench_run(root, argv);
}

static uint64_t run_check(bool stamp)
{
    char *argv[] = { (char *)LWB_PROGRAM, (char *)"check",
                     (char *)"--host",    (char *)"echo",
                     (char *)"--cache",   (char *)"cache",
                     (char *)"A.lean",    (char *)"--stamp",
                     (char *)"stamp",     NULL };

    if (!stamp)
        argv[7] = NULL;
    return bench_run(root, argv);
}

static void measure_one(int what, unsigned round)
{
    switch (what) {
    case NOTHING:
        bench_add(&series[what], run_nothing());
        break;
    case CCACHE:
        if (has_ccache)
            bench_add(&series[what], bench_ccache_hit(&ccache, round));
        break;
    default:
        bench_add(&series[what], run_check(what == CHECK_STAMP));
    }
}

int main(int argc, char **argv)
{
    static const char *const names[N_SERIES] = {
        [NOTHING] = "a static program that does nothing",
        [CHECK] = "one unchanged module",
        [CHECK_STAMP] = "one unchanged module, with a stamp",
        [CCACHE] = "a hit of ccache",
    };
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 300;
    char path[300];

    if (!rounds || argc > 2)
        bench_die("usage: bench_edge [rounds]");
    (void)setenv("LWBUILD_CHILD", LWB_ECHO_CHILD, 1);
    bench_pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
    bench_make_folder(root);
    (void)snprintf(path, sizeof(path), "%s/A.lean", root);
    bench_write_file(path, "theorem t : True := trivial\n");
    has_ccache = bench_ccache_prepare(&ccache, root);
    for (int i = 0; i < N_SERIES; i++)
        bench_series_init(&series[i], names[i], rounds);
    (void)usleep(20 * 1000); /* a file as new as the run is looked at again by the next one */
    (void)(run_check(false) + run_check(true));
    for (unsigned i = 0; i < rounds; i++)
        for (int k = 0; k < N_SERIES; k++)
            measure_one(i % 2 ? N_SERIES - 1 - k : k, i);
    bench_print(&series[NOTHING], NULL, 1);
    bench_print(&series[CHECK], &series[NOTHING], 1);
    bench_print(&series[CHECK_STAMP], &series[NOTHING], 1);
    if (has_ccache)
        bench_print(&series[CCACHE], &series[CHECK], 1); /* so many times longer it takes */
    for (int i = 0; i < N_SERIES; i++)
        bench_series_release(&series[i]);
    bench_remove_folder(root);
    return 0;
}
