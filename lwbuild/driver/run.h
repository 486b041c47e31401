#pragma once

#include <uv.h>

#include "lwbuild/driver/exit_code.h"
#include "lwbuild/driver/policy.h"
#include "lwbuild/driver/world.h"
#include "lwbuild/pool/pool.h"

/*
 * One run of a plan: every module gets its key as soon as its local imports
 * have results, then its result from the cache or from a worker, and is
 * reported in module order.
 *
 *     module:  WAITING -> (key, look-up) -> hit ----------------> DONE
 *                                        -> QUEUED -> RUNNING --> DONE
 *              WAITING -> an import was not accepted ----------> DONE (blocked)
 */
struct lwb_run;

enum lwb_run_isolation { LWB_RUN_WARM, LWB_RUN_FRESH, LWB_RUN_CONFIRM };

struct lwb_run_config {
    enum lwb_run_isolation isolation;
    struct lwb_policy policy;
    unsigned jobs;
    uint64_t timeout_ms; /* of one module, once its session is open */
    uint64_t max_memory; /* bytes per worker, 0: no limit */
    bool look_up_only;   /* replay: what is not in the cache is reported as missing */
    /* The caller looks at the inputs before it believes that all is accepted. */
    bool looked_at_later;
    bool json;
    bool explain;
    bool color;
    bool quiet;
    bool verbose;
    bool progress; /* a terminal is watching stderr */
};

/* Modules that a snapshot answers for (world->rest) are hits. */
struct lwb_run_totals {
    uint64_t modules, hits, checked, accepted, rejected, no_verdict, blocked;
    uint64_t messages; /* of any severity, in modules that were reported */
    uint64_t saved_ns; /* what the hits would have cost */
};

/* The world and the loop outlive the run. */
int lwb_run_create(struct lwb_run **out, uv_loop_t *loop, struct lwb_world *world,
                   const struct lwb_run_config *config, struct lwb_error *err);

/*
 * Run the loop until every module is done, SIGINT or SIGTERM came, or the
 * machinery failed (LWB_ERR_*: no child can be started). Prints as it goes.
 */
int lwb_run_all(struct lwb_run *run, enum lwb_exit_code *exit_code, struct lwb_error *err);

void lwb_run_totals(const struct lwb_run *run, struct lwb_run_totals *out);

/* Of one module, once the run is over. */
struct lwb_run_result {
    bool accepted;
    bool has_key;
    struct lwb_digest key;
    uint64_t cost_ns; /* of its check, whenever that was */
};
struct lwb_run_result lwb_run_result(const struct lwb_run *run, size_t module);

/* Whether a warm verdict was not confirmed (--isolation confirm). */
bool lwb_run_has_distrusted(const struct lwb_run *run);

/* The modules that import this one; returns how many. */
size_t lwb_run_dependents(const struct lwb_run *run, size_t module, const size_t **out);

void lwb_run_destroy(struct lwb_run *run);
LWB_DEFINE_AUTO_PTR(struct lwb_run, lwb_run_destroy);
