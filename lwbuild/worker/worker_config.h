#pragma once

#include <stdint.h>

#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * How one worker is started and how long it may take, grow and live. Start
 * from LWB_WORKER_CONFIG_DEFAULTS, which sets every limit; a worker copies what
 * it is given.
 */
enum {
    LWB_STARTUP_TIMEOUT_DEFAULT_MS = 10 * 1000,
    LWB_REQUEST_TIMEOUT_DEFAULT_MS = 30 * 1000,
    LWB_REQUEST_TIMEOUT_LONG_MS = 10 * 60 * 1000,
};

/*
 * When a child is replaced although it works. All but hard_memory act between
 * requests, before the next one is written; 0 means never.
 */
struct lwb_restart_policy {
    uint64_t max_requests; /* answered by one child */
    uint64_t max_imports;  /* sessions opened in one child */
    uint64_t max_memory;   /* bytes */
    uint64_t max_idle_ms;
    uint64_t hard_memory; /* bytes; during a request too: the child is killed */

    /* At most this many replacements in a moving window; then the worker gives up. */
    unsigned window_restarts;
    uint64_t window_ms;
};

struct lwb_worker_config {
    const char *executable;             /* a path; PATH is not searched */
    const struct lwb_strvec *arguments; /* behind argv[0]; then comes --parent-pid N; NULL: none */
    const char *cwd;                    /* NULL: ours */
    const struct lwb_strvec *environment; /* the child's, whole but for LWBUILD_LINEAGE, by which
                                             what it starts is known; NULL: empty */

    uint64_t startup_timeout_ms; /* from spawn to an accepted hello */
    uint64_t request_timeout_ms; /* for requests that name none; 0: no limit */
    uint64_t stop_grace_ms;      /* from a polite terminate to SIGKILL */
    uint64_t reap_timeout_ms;    /* from SIGKILL to giving up */
    uint64_t drain_ms;           /* between end of output and exit, whichever came first */
    uint64_t memory_sample_ms;   /* how often hard_memory is looked at */

    uint32_t max_frame;  /* bytes, LWB_FRAME_MIN_LIMIT..LWB_FRAME_MAX_LIMIT */
    uint32_t max_stderr; /* bytes kept of what the child says on stderr: the last ones */

    struct lwb_restart_policy policy;
};

#define LWB_WORKER_CONFIG_DEFAULTS                                                                 \
    ((struct lwb_worker_config){                                                                   \
        .startup_timeout_ms = LWB_STARTUP_TIMEOUT_DEFAULT_MS,                                      \
        .request_timeout_ms = LWB_REQUEST_TIMEOUT_DEFAULT_MS,                                      \
        .stop_grace_ms = 2000,                                                                     \
        .reap_timeout_ms = 5000,                                                                   \
        .drain_ms = 200,                                                                           \
        .memory_sample_ms = 250,                                                                   \
        .max_frame = 16 * 1024 * 1024,                                                             \
        .max_stderr = 64 * 1024,                                                                   \
        .policy = { .window_restarts = 16, .window_ms = 60 * 1000 },                               \
    })

/* LWB_ERR_USAGE for a configuration that makes no sense. */
int lwb_worker_config_check(const struct lwb_worker_config *config, struct lwb_error *err);

/* A copy that owns everything it points to. */
int lwb_worker_config_copy(struct lwb_worker_config **out, const struct lwb_worker_config *config,
                           struct lwb_error *err);
void lwb_worker_config_destroy(struct lwb_worker_config *config);
LWB_DEFINE_AUTO_PTR(struct lwb_worker_config, lwb_worker_config_destroy);

/*
 * The variables a child gets when nobody has other wishes: PATH, HOME and
 * TMPDIR as they are here, LC_ALL=C.UTF-8, LEAN_BACKTRACE=0. Nothing else
 * leaks in.
 */
int lwb_worker_environment(struct lwb_strvec *out, struct lwb_error *err);
