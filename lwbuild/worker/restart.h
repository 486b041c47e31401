#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/worker/worker_config.h"

/*
 * Replace a child now, later or never. Pure: facts in, reason out; no clock.
 */
enum lwb_restart_reason {
    LWB_RESTART_NONE,
    LWB_RESTART_EXPLICIT,     /* the caller asked */
    LWB_RESTART_MAX_REQUESTS, /* the five of the policy */
    LWB_RESTART_MAX_IMPORTS,
    LWB_RESTART_MEMORY,
    LWB_RESTART_IDLE,
    LWB_RESTART_HARD_MEMORY,
    LWB_RESTART_CANCELLED, /* a request was cancelled in flight */
    LWB_RESTART_TIMEOUT,
    LWB_RESTART_SINK,     /* the caller's sink said stop */
    LWB_RESTART_PROTOCOL, /* the child broke the protocol */
    LWB_RESTART_DEATH,    /* it exited or died by itself */
    LWB_RESTART_STARTUP,  /* it never came up */
    LWB_RESTART_REASONS,  /* how many there are */
};

/* "max-requests", "hard-memory", ... */
const char *lwb_restart_reason_name(enum lwb_restart_reason reason);

/* A reason and what it rests on; what says nothing is 0 or NULL. */
struct lwb_restart_cause {
    enum lwb_restart_reason reason;
    const char *operation; /* of the request that ended with the child */
    uint64_t current;      /* requests, imports, bytes, or ms of idling */
    uint64_t limit;        /* of those, or of the time that a request was given */
};

/* What is known of one child, between two requests. */
struct lwb_restart_facts {
    uint64_t requests;
    uint64_t imports;
    uint64_t idle_ms;
    bool has_memory; /* a missing sample decides nothing */
    uint64_t memory;
};

/* The first limit that is reached, or LWB_RESTART_NONE. A child that did nothing yet stays. */
enum lwb_restart_reason lwb_restart_decide(const struct lwb_restart_policy *policy,
                                           const struct lwb_restart_facts *facts);

/* The same with the figures behind it. */
struct lwb_restart_cause lwb_restart_explain(const struct lwb_restart_policy *policy,
                                             const struct lwb_restart_facts *facts);

/*
 * Restart intensity: the times of the last replacements. Fails with
 * LWB_ERR_RESTART_LIMIT (facts.current, facts.limit, facts.ms) and records
 * nothing when the window is full.
 */
enum { LWB_RESTART_WINDOW_MAX = 64 };

struct lwb_restart_window {
    uint64_t at_ms[LWB_RESTART_WINDOW_MAX];
    unsigned count;
};
int lwb_restart_admit(struct lwb_restart_window *window, const struct lwb_restart_policy *policy,
                      uint64_t now_ms, struct lwb_error *err);
