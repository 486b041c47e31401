/*
 * The kernel over any bytes, with small limits. What it must not do: crash,
 * leak, hang; accept with one thread what it rejects without caches; or read
 * a file in pieces to something else than as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include "child/kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few bytes at a time: how many follows from the bytes. */
static ptrdiff_t next_piece(void *ctx, char *out, size_t size)
{
    struct lwb_bytes *left = ctx;
    size_t n = left->len ? 1 + (unsigned char)left->ptr[0] % 97 : 0;

    n = n < left->len ? n : left->len;
    n = n < size ? n : size;
    if (n)
        memcpy(out, left->ptr, n);
    *left = lwb_bytes(left->ptr + n, left->len - n);
    return (ptrdiff_t)n;
}

static enum lwb_kernel_verdict load_in_pieces(struct lwb_bytes file)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = NULL;
    const struct lwb_kernel_limits limits = { .memory_bytes = (size_t)64 << 20 };
    const struct lwb_kernel_source source = { .read = next_piece, .ctx = &file };
    struct lwb_kernel_summary summary;
    struct lwb_error err;

    if (lwb_kernel_open(&kernel, &limits, &err) < 0)
        return LWB_KERNEL_DECLINE;
    return lwb_kernel_load_from(kernel, &source, &summary);
}

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
    const enum lwb_kernel_verdict verdict = run(file, false);
    const enum lwb_kernel_verdict in_pieces = load_in_pieces(file);

    if (verdict != LWB_KERNEL_DECLINE && in_pieces != LWB_KERNEL_DECLINE &&
        (verdict == LWB_KERNEL_MALFORMED) != (in_pieces == LWB_KERNEL_MALFORMED))
        abort();
    if (verdict == LWB_KERNEL_ACCEPT && run(file, true) == LWB_KERNEL_REJECT)
        abort();
    return 0;
}
