#pragma once

#include <stdbool.h>

/*
 * The life of a worker. A child that is gone leaves its worker absent (it was
 * ended) or crashed (it ended by itself); both may start the next generation.
 *
 *   ABSENT -> STARTING -> IDLE <-> BUSY -> STREAMING -> IDLE
 *     ^          |         |  \      |         |
 *     |          |         |  STOPPING         |
 *     |          v         v   |   v           v
 *     |       +---------- KILLING ------------ +
 *     |       v
 *   ABSENT / CRASHED <- REAPING      ABSENT / CRASHED -> EXHAUSTED
 */
enum lwb_worker_state {
    LWB_WORKER_ABSENT,
    LWB_WORKER_STARTING, /* spawned, has not said hello */
    LWB_WORKER_IDLE,
    LWB_WORKER_BUSY,      /* a request is in flight */
    LWB_WORKER_STREAMING, /* and has sent rows */
    LWB_WORKER_STOPPING,  /* asked to end */
    LWB_WORKER_KILLING,   /* SIGKILL sent */
    LWB_WORKER_REAPING,   /* has exited; its output and group are being drained */
    LWB_WORKER_CRASHED,   /* gone, and nobody had asked for it */
    LWB_WORKER_EXHAUSTED, /* too many replacements: accepts nothing more */
};

const char *lwb_worker_state_name(enum lwb_worker_state state);
bool lwb_worker_state_allows(enum lwb_worker_state from, enum lwb_worker_state to);

/* There is a child, in whatever shape. */
bool lwb_worker_state_has_child(enum lwb_worker_state state);
