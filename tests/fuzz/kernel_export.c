/*
 * The kernel over any bytes, with small limits. What it must not do: crash,
 * leak, hang; and accept with one thread what it rejects without caches.
 */
#include <stdlib.h>

#include "child/kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum lwb_kernel_verdict run(struct lwb_bytes file, bool no_caches)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    const struct lwb_kernel_limits limits = { .memory_bytes = (size_t)64 << 20,
                                              .stack_bytes = 8 << 20,
                                              .time_ms = 1000 };
    const struct lwb_kernel_request request = { .threads = 1, .no_caches = no_caches };
    struct lwb_kernel_summary summary;
    struct lwb_error err;

    if (lwb_kernel_open(&kernel, &limits, &err) < 0)
        return LWB_KERNEL_DECLINE;
    if (lwb_kernel_load(kernel, file, &summary) == LWB_KERNEL_ACCEPT)
        (void)lwb_kernel_check(kernel, &request, &summary);
    return summary.verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct lwb_bytes file = lwb_bytes(data, size);
    enum lwb_kernel_verdict verdict = run(file, false);

    if (verdict == LWB_KERNEL_ACCEPT && run(file, true) == LWB_KERNEL_REJECT)
        abort();
    return 0;
}
