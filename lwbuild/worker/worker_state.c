#include "lwbuild/worker/worker_state.h"

#define TO(state) (1u << LWB_WORKER_##state)

static const struct {
    const char *name;
    unsigned next;
} states[] = {
    [LWB_WORKER_ABSENT] = { "absent", TO(STARTING) | TO(EXHAUSTED) },
    [LWB_WORKER_STARTING] = { "starting", TO(IDLE) | TO(KILLING) | TO(REAPING) },
    [LWB_WORKER_IDLE] = { "idle", TO(BUSY) | TO(STOPPING) | TO(KILLING) | TO(REAPING) },
    [LWB_WORKER_BUSY] = { "busy", TO(IDLE) | TO(STREAMING) | TO(KILLING) | TO(REAPING) },
    [LWB_WORKER_STREAMING] = { "streaming", TO(IDLE) | TO(KILLING) | TO(REAPING) },
    [LWB_WORKER_STOPPING] = { "stopping", TO(KILLING) | TO(REAPING) },
    [LWB_WORKER_KILLING] = { "killing", TO(REAPING) },
    [LWB_WORKER_REAPING] = { "reaping", TO(ABSENT) | TO(CRASHED) },
    [LWB_WORKER_CRASHED] = { "crashed", TO(STARTING) | TO(EXHAUSTED) },
    [LWB_WORKER_EXHAUSTED] = { "exhausted", 0 },
};

const char *lwb_worker_state_name(enum lwb_worker_state state)
{
    return states[state].name;
}

bool lwb_worker_state_allows(enum lwb_worker_state from, enum lwb_worker_state to)
{
    return states[from].next >> to & 1;
}

bool lwb_worker_state_has_child(enum lwb_worker_state state)
{
    return state >= LWB_WORKER_STARTING && state <= LWB_WORKER_REAPING;
}
