#pragma once

#include "child/kernel/kernel.h"

/* The verdict of an export in memory, for tests. */
struct verdict_options {
    unsigned threads;
    bool no_caches;
    size_t memory_bytes, stack_bytes;
    uint64_t time_ms, steps;
};

enum lwb_kernel_verdict verdict_with(struct lwb_bytes file, const struct verdict_options *options,
                                     struct lwb_kernel_summary *summary);
enum lwb_kernel_verdict verdict_of(struct lwb_bytes file, struct lwb_kernel_summary *summary);

/* A file below tests/data/kernel; the test fails if it is not there. */
void read_fixture(struct lwb_buf *out, const char *name);
