#include "lwbuild/worker/worker_internal.h"

#include "lwbuild/base/clock.h"
#include "lwbuild/worker/group_memory.h"

/* How much a child uses, and what follows from that. */

int lwb_worker_memory(struct lwb_worker *worker, uint64_t *bytes)
{
    pid_t pid = lwb_worker_pid(worker);

    if (pid && lwb_group_memory(pid, bytes) == 0) {
        worker->stats.memory = *bytes;
        return 1;
    }
    worker->stats.memory_samples_missing++;
    return 0;
}

void lwb_worker_on_tick(void *ctx)
{
    struct lwb_worker *worker = ctx;
    uint64_t limit = worker->config->policy.hard_memory;
    uint64_t bytes;
    struct lwb_error err;

    if (worker->state == LWB_WORKER_REAPING || !lwb_worker_memory(worker, &bytes) || bytes <= limit)
        return;
    (void)lwb_fail(&err, LWB_ERR_HARD_MEMORY, "%s used %llu MiB, at most %llu MiB allowed",
                   lwb_worker_operation(worker), (unsigned long long)(bytes >> 20),
                   (unsigned long long)(limit >> 20));
    err.facts.operation = lwb_worker_operation(worker);
    err.facts.current = bytes;
    err.facts.limit = limit;
    err.facts.work_entered_child = true;
    lwb_worker_fail(worker, LWB_RESTART_HARD_MEMORY, &err);
}

enum lwb_restart_reason lwb_worker_is_due(struct lwb_worker *worker)
{
    const struct lwb_restart_policy *policy = &worker->config->policy;
    struct lwb_restart_facts facts = {
        .requests = worker->requests_here,
        .imports = worker->imports_here,
    };

    if (worker->state != LWB_WORKER_IDLE)
        return LWB_RESTART_NONE;
    if (policy->max_idle_ms)
        facts.idle_ms = lwb_clock_ms() - worker->idle_since_ms;
    if (policy->max_memory)
        facts.has_memory = lwb_worker_memory(worker, &facts.memory) == 1;
    worker->due = lwb_restart_explain(policy, &facts);
    return worker->due.reason;
}
