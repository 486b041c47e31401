#include "lwbuild/worker/restart.h"

#include <string.h>

static const char *const names[LWB_RESTART_REASONS] = {
    [LWB_RESTART_NONE] = "none",
    [LWB_RESTART_EXPLICIT] = "explicit",
    [LWB_RESTART_MAX_REQUESTS] = "max-requests",
    [LWB_RESTART_MAX_IMPORTS] = "max-imports",
    [LWB_RESTART_MEMORY] = "memory",
    [LWB_RESTART_IDLE] = "idle",
    [LWB_RESTART_HARD_MEMORY] = "hard-memory",
    [LWB_RESTART_CANCELLED] = "cancelled",
    [LWB_RESTART_TIMEOUT] = "timeout",
    [LWB_RESTART_SINK] = "sink",
    [LWB_RESTART_PROTOCOL] = "protocol",
    [LWB_RESTART_DEATH] = "death",
    [LWB_RESTART_STARTUP] = "startup",
};

const char *lwb_restart_reason_name(enum lwb_restart_reason reason)
{
    return names[reason];
}

static bool reached(uint64_t value, uint64_t limit)
{
    return limit && value >= limit;
}

enum lwb_restart_reason lwb_restart_decide(const struct lwb_restart_policy *policy,
                                           const struct lwb_restart_facts *facts)
{
    if (reached(facts->requests, policy->max_requests))
        return LWB_RESTART_MAX_REQUESTS;
    if (reached(facts->imports, policy->max_imports))
        return LWB_RESTART_MAX_IMPORTS;
    if (facts->has_memory && facts->requests && reached(facts->memory, policy->max_memory))
        return LWB_RESTART_MEMORY;
    if (facts->requests && reached(facts->idle_ms, policy->max_idle_ms))
        return LWB_RESTART_IDLE;
    return LWB_RESTART_NONE;
}

struct lwb_restart_cause lwb_restart_explain(const struct lwb_restart_policy *policy,
                                             const struct lwb_restart_facts *facts)
{
    struct lwb_restart_cause cause = { .reason = lwb_restart_decide(policy, facts) };

    switch (cause.reason) {
    case LWB_RESTART_MAX_REQUESTS:
        cause.current = facts->requests;
        cause.limit = policy->max_requests;
        break;
    case LWB_RESTART_MAX_IMPORTS:
        cause.current = facts->imports;
        cause.limit = policy->max_imports;
        break;
    case LWB_RESTART_MEMORY:
        cause.current = facts->memory;
        cause.limit = policy->max_memory;
        break;
    case LWB_RESTART_IDLE:
        cause.current = facts->idle_ms;
        cause.limit = policy->max_idle_ms;
        break;
    default:
        break;
    }
    return cause;
}

/* The window moves: restarts that have left it are forgotten. */
static void forget_old(struct lwb_restart_window *window, uint64_t window_ms, uint64_t now_ms)
{
    unsigned old = 0;

    while (old < window->count && now_ms - window->at_ms[old] >= window_ms)
        old++;
    window->count -= old;
    memmove(window->at_ms, window->at_ms + old, window->count * sizeof(window->at_ms[0]));
}

int lwb_restart_admit(struct lwb_restart_window *window, const struct lwb_restart_policy *policy,
                      uint64_t now_ms, struct lwb_error *err)
{
    unsigned limit = policy->window_restarts;

    if (limit > LWB_RESTART_WINDOW_MAX)
        limit = LWB_RESTART_WINDOW_MAX;
    forget_old(window, policy->window_ms, now_ms);
    if (window->count >= limit) {
        (void)lwb_fail(err, LWB_ERR_RESTART_LIMIT, "%u restarts within %llu s, no more are tried",
                       window->count, (unsigned long long)(policy->window_ms / 1000));
        err->facts.current = window->count;
        err->facts.limit = limit;
        err->facts.ms = policy->window_ms;
        return err->code;
    }
    window->at_ms[window->count++] = now_ms;
    return LWB_OK;
}
