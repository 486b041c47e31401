#include "lwbuild/worker/worker_stats.h"

void lwb_worker_stats_add(struct lwb_worker_stats *sum, const struct lwb_worker_stats *part)
{
    sum->starts += part->starts;
    sum->requests += part->requests;
    sum->imports += part->imports;
    sum->exits += part->exits;
    sum->restarts += part->restarts;
    for (unsigned i = 0; i < LWB_RESTART_REASONS; i++)
        sum->restarts_by[i] += part->restarts_by[i];
    if (part->last_restart.reason != LWB_RESTART_NONE)
        sum->last_restart = part->last_restart;
    sum->memory += part->memory;
    sum->memory_samples_missing += part->memory_samples_missing;
    sum->stream_requests += part->stream_requests;
    sum->stream_successes += part->stream_successes;
    sum->stream_failures += part->stream_failures;
    sum->rows += part->rows;
    sum->row_bytes += part->row_bytes;
    sum->stream_ns += part->stream_ns;
    sum->backpressure_waits += part->backpressure_waits;
    sum->backpressure_failures += part->backpressure_failures;
    sum->stderr_bytes += part->stderr_bytes;
}
