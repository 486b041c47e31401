#include "tests/integration/kernel/verdict.h"

#include "lwbuild/base/file.h"

enum lwb_kernel_verdict verdict_with(struct lwb_bytes file, const struct verdict_options *options,
                                     struct lwb_kernel_summary *summary)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    struct lwb_kernel_limits limits = { .memory_bytes = options->memory_bytes,
                                        .stack_bytes = options->stack_bytes,
                                        .time_ms = options->time_ms,
                                        .steps = options->steps };
    struct lwb_kernel_request request = { .threads = options->threads,
                                          .no_caches = options->no_caches };
    struct lwb_error err;

    memset(summary, 0, sizeof(*summary));
    summary->verdict = LWB_KERNEL_DECLINE;
    if (lwb_kernel_open(&kernel, &limits, &err) < 0)
        return LWB_KERNEL_DECLINE;
    if (lwb_kernel_load(kernel, file, summary) == LWB_KERNEL_ACCEPT)
        (void)lwb_kernel_check(kernel, &request, summary);
    return summary->verdict;
}

enum lwb_kernel_verdict verdict_of(struct lwb_bytes file, struct lwb_kernel_summary *summary)
{
    const struct verdict_options options = { .threads = 1, .time_ms = 60000 };

    return verdict_with(file, &options, summary);
}

void read_fixture(struct lwb_buf *out, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(10000);
    struct lwb_error err;

    lwb_buf_format(&path, "%s/tests/data/kernel/%s", LWB_SOURCE_DIR, name);
    if (lwb_file_read(out, lwb_buf_text(&path), NULL, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
}
