/*
 * kernel_check [-t threads] [-m MiB] [-s ms] [-n] [-v] [-q] FILE: one verdict per
 * process. Exit 0 accept, 1 reject, 2 decline, 3 malformed, 4 usage. -n turns
 * caches off, -v prints rows, -q nothing.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "child/kernel/kernel.h"

struct options {
    struct lwb_kernel *kernel;
    bool verbose, quiet;
};

static int on_row(void *ctx, const struct lwb_kernel_row *row)
{
    const struct options *options = ctx;
    size_t i;

    if (!options->verbose && (options->quiet || row->state == LWB_KERNEL_STATE_ACCEPTED))
        return 0;
    (void)printf("%" PRIu32 ": %s %s %.*s", row->line, lwb_kernel_state_name(row->state),
                 lwb_kernel_kind_name(row->kind), (int)row->name.len, row->name.ptr);
    if (row->reason.len)
        (void)printf(": %.*s", (int)row->reason.len, row->reason.ptr);
    (void)printf(" (%" PRIu64 " us)", row->time_ns / 1000);
    for (i = 0; options->verbose && i < row->n_axioms; i++) {
        struct lwb_bytes name = lwb_kernel_axiom(options->kernel, row->axioms[i]);

        (void)printf(" [%.*s]", (int)name.len, name.ptr);
    }
    (void)printf("\n");
    return 0;
}

/* Of the process, all threads: what a busy machine does not distort. */
static double cpu_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: kernel_check [-t threads] [-m MiB] [-s ms] [-n] [-v] [-q] FILE\n");
    return 4;
}

int main(int argc, char **argv)
{
    struct lwb_kernel_limits limits = { 0 };
    struct lwb_kernel_request request = { .threads = 1, .row = on_row };
    struct options options = { NULL, false, false };
    struct lwb_kernel_summary summary;
    struct lwb_error err;
    double loaded;
    int fd, option;

    while ((option = getopt(argc, argv, "t:m:s:k:nvq")) != -1) {
        switch (option) {
        case 't':
            request.threads = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'm':
            limits.memory_bytes = strtoul(optarg, NULL, 10) << 20;
            break;
        case 's':
            limits.time_ms = strtoul(optarg, NULL, 10);
            break;
        case 'k':
            limits.stack_bytes = strtoul(optarg, NULL, 10) << 20;
            break;
        case 'n':
            request.no_caches = true;
            break;
        case 'v':
            options.verbose = true;
            break;
        case 'q':
            options.quiet = true;
            break;
        default:
            return usage();
        }
    }
    if (optind + 1 != argc)
        return usage();
    fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(argv[optind]);
        return 4;
    }
    if (lwb_kernel_open(&options.kernel, &limits, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    request.ctx = &options;
    loaded = cpu_ms();
    (void)lwb_kernel_load_fd(options.kernel, fd, &summary);
    loaded = cpu_ms() - loaded;
    if (summary.verdict == LWB_KERNEL_ACCEPT)
        (void)lwb_kernel_check(options.kernel, &request, &summary);
    (void)close(fd);
    if (!options.quiet)
        (void)printf("%s line %" PRIu32 " %s: %s; %zu declarations, %zu theorems, %zu axioms, "
                     "load %.1f ms (cpu %.1f), check %.1f ms, cpu in all %.1f, peak %.1f MiB\n",
                     lwb_kernel_verdict_name(summary.verdict), summary.line, summary.name,
                     summary.reason, summary.declarations, summary.theorems, summary.axioms,
                     (double)summary.load_ns / 1e6, loaded, (double)summary.check_ns / 1e6,
                     cpu_ms(), (double)summary.memory_peak / 1048576.0);
    lwb_kernel_close(options.kernel);
    return (int)summary.verdict;
}
