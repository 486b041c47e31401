#pragma once

#include <stdint.h>

#include "lwbuild/worker/restart.h"

/* What one worker (or all of a pool) did so far; a snapshot is a copy. */
struct lwb_worker_stats {
    uint64_t starts;   /* children spawned */
    uint64_t requests; /* sent to a child, hello not counted */
    uint64_t imports;  /* sessions opened */
    uint64_t exits;    /* children that are gone, for whatever reason */
    uint64_t restarts; /* children that took another's place */
    uint64_t restarts_by[LWB_RESTART_REASONS];
    struct lwb_restart_cause last_restart;

    uint64_t memory; /* bytes, last sample */
    uint64_t memory_samples_missing;

    uint64_t stream_requests; /* requests that sent rows */
    uint64_t stream_successes;
    uint64_t stream_failures;
    uint64_t rows; /* delivered, tentative ones included */
    uint64_t row_bytes;
    uint64_t stream_ns;

    uint64_t backpressure_waits;    /* the child's output pipe was found full */
    uint64_t backpressure_failures; /* failed streams that had seen that */
    uint64_t stderr_bytes;
};

void lwb_worker_stats_add(struct lwb_worker_stats *sum, const struct lwb_worker_stats *part);
