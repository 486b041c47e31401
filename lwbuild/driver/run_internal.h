#pragma once

#include "cache/cache_stats.h"
#include "lwbuild/driver/jobserver.h"
#include "lwbuild/driver/report.h"
#include "lwbuild/driver/run.h"

/*
 * What the files run*.c share. run_schedule.c says who is next, run_lane.c talks
 * to workers, run_result.c to the cache, run_report.c to people.
 */

enum module_state { MODULE_WAITING, MODULE_QUEUED, MODULE_RUNNING, MODULE_DONE };

struct run_artifact {
    char *part;
    struct lwb_digest digest;
    uint64_t size;
};

struct run_module {
    const struct lwb_plan_module *plan;
    enum module_state state;
    size_t waits_for;     /* local imports without a result */
    size_t next_in_batch; /* link of the batch's queue, SIZE_MAX at the end */
    bool has_key;
    bool decided; /* by the look-up: there is nothing to check */
    bool hit;
    bool linked; /* its artifacts are in the run's search tree */
    bool storable;
    bool waits_for_store;
    bool stored;
    bool fresh;
    bool missing; /* replay: not in the cache */
    bool changed; /* the source is no longer what was planned */
    struct lwb_digest key;
    enum lwb_verdict verdict; /* the host's */
    enum lwb_verdict judged;  /* with the policy applied, once it is reported */
    enum lwb_reason reason;
    char *detail;
    size_t blocked_by; /* module index, when reason is LWB_REASON_BLOCKED */
    uint64_t check_ns;
    struct lwb_buf report; /* encoded messages */
    struct lwb_buf facts;  /* rows of the kernel host, a line each */
    struct run_artifact *artifacts;
    size_t n_artifacts;
};

struct run_batch {
    const struct lwb_plan_batch *plan;
    size_t first, last; /* queue of modules, SIZE_MAX when empty */
    size_t queued;
    unsigned lanes;
    size_t ready;    /* of its modules, in the look-up that is under way */
    bool answered;   /* by one look-up for all of it */
    bool distrusted; /* a warm verdict of it was not confirmed: the rest is checked fresh */
};

/* One lease and what is being done with it. */
struct run_lane {
    struct lwb_run *run;
    struct run_lane *next;
    size_t batch;
    unsigned serial;
    char *scratch;
    struct lwb_pool_ticket *ticket;
    struct lwb_lease *lease;
    size_t module; /* SIZE_MAX between requests */
    struct lwb_buf source;
    bool has_token;  /* of make's jobserver */
    bool confirming; /* the request in flight repeats an accepted one in a fresh process */
};

struct lwb_run {
    uv_loop_t *loop;
    struct lwb_world *world;
    struct lwb_run_config config;
    struct lwb_plan *plan;

    struct run_module *modules;
    size_t n_modules;
    size_t n_done;
    uint64_t n_rest; /* modules of the project that are not in this plan: a snapshot answers */
    struct run_batch *batches;
    size_t n_batches;
    size_t *dependents; /* modules that import module i: dependents[first_dependent[i]..[i+1]) */
    size_t *first_dependent;
    struct lwb_digest *artifacts; /* by module: what dependents' keys use */
    size_t *ready; /* modules whose local imports all have results, to be looked up together */
    size_t n_ready;
    size_t *looked_up; /* those that were */
    size_t *settled;   /* modules that are done and whose dependents have not been told */
    size_t n_settled;
    size_t *unstored; /* modules whose results wait for the inputs to be looked at again */
    size_t n_unstored;
    bool inputs_changed; /* something was edited while the run went on: nothing more is kept */

    char *tree; /* folder of links to local artifacts, first on the workers' search path */
    struct lwb_pool *pool;
    struct run_lane *lanes;
    unsigned n_lanes;
    unsigned lane_serial;
    struct lwb_jobserver jobserver;

    uv_signal_t on_int, on_term;
    uv_timer_t tick; /* lets the cache commit about once a second */
    bool cancelled;
    bool stopping;
    bool pool_gone;
    bool any_stale;           /* an import is not what its source says */
    struct lwb_error failure; /* why the machinery failed; code 0 if it did not */

    struct run_report *printer;
    struct lwb_run_totals totals;
};

/* ---- run_schedule.c ---- */
/* The module has its result: tell the dependents (later, from the main pump). */
void lwb_run_module_done(struct lwb_run *run, size_t module);
/* Look up what is ready, and what becomes ready by that, until nothing does. */
void lwb_run_advance(struct lwb_run *run);
/* Start what can be started; called whenever something ended. */
void lwb_run_pump(struct lwb_run *run);
/* Take the next module of a batch's queue; SIZE_MAX when it is empty. */
size_t lwb_run_take(struct lwb_run *run, size_t batch);

/* ---- run.c ---- */
/* End everything as soon as possible. */
void lwb_run_stop(struct lwb_run *run);

/* ---- run_lane.c ---- */
/* 1, or 0 when make's jobserver has no token for one more. */
int lwb_run_open_lane(struct lwb_run *run, size_t batch, struct lwb_error *err);
void lwb_run_close_lanes(struct lwb_run *run);

/* ---- run_result.c ---- */
/*
 * With --isolation confirm: whether an accepted result of a warm worker is one
 * of those to confirm. A share that does not depend on order: by the key, one
 * in eight.
 */
bool lwb_run_must_confirm(const struct lwb_run *run, const struct run_module *module);
/* An entry of the cache becomes the answer for a module, if it is enough for this run. */
void lwb_run_take_entry(struct lwb_run *run, size_t module, const struct lwb_cache_entry *entry);
/* Keys and one look-up for all of them. Those that are not `decided` have to be checked. */
void lwb_run_look_up(struct lwb_run *run, const size_t *modules, size_t count);
/* Take over what a worker answered: verdict, messages, artifacts in their place. */
void lwb_run_keep(struct lwb_run *run, size_t module, const struct lwb_check_response *response);
void lwb_run_set_detail(struct run_module *module, enum lwb_verdict verdict, enum lwb_reason reason,
                        const char *detail);

/* What the cache stores of a module; the artifacts are lwb_run_list_artifacts. */
struct lwb_cache_entry lwb_run_entry_of(const struct run_module *module,
                                        const struct lwb_cache_artifact *artifacts);

/* ---- run_artifact.c ---- */
/* As the cache wants them; the caller frees the list, not the names. NULL: no memory. */
struct lwb_cache_artifact *lwb_run_list_artifacts(const struct run_module *module);
/* 0, or -1 when memory is out. */
int lwb_run_add_artifact(struct run_module *module, const char *part,
                         const struct lwb_digest *digest, uint64_t size);
/* What stands for the module's artifacts in the keys of those that import it. */
int lwb_run_digest_artifacts(struct lwb_run *run, size_t module, struct lwb_error *err);
/* Those that a worker has made: into the cache, or into the tree where there is none. */
int lwb_run_place_artifacts(struct lwb_run *run, size_t module,
                            const struct lwb_check_response *response, struct lwb_error *err);
/* Put links to the artifacts of a batch's local imports, all the way down, into the tree. */
int lwb_run_link_imports(struct lwb_run *run, size_t batch, struct lwb_error *err);
/*
 * A worker died over this module: look at the content of every object that it
 * imported and remove those that are not what their name says (rule T5).
 */
void lwb_run_inspect_objects(struct lwb_run *run, size_t module);

/* ---- run_batch.c ---- */
/*
 * One look-up for each batch of which all modules are among these, with their
 * keys.
 */
void lwb_run_look_up_batches(struct lwb_run *run, const size_t *modules, size_t count);
/* At the end of a run: those of which every module is answered for. */
void lwb_run_store_batches(struct lwb_run *run);

/* ---- run_store.c ---- */
void lwb_run_store_later(struct lwb_run *run, size_t module);
void lwb_run_store_waiting(struct lwb_run *run);
void lwb_run_distrust(struct lwb_run *run, size_t batch);
/* Said once; the run goes on without. */
void lwb_run_give_up_cache(struct lwb_run *run, const struct lwb_error *err);

/* ---- run_explain.c ---- */
void lwb_run_remember_parts(struct lwb_run *run, size_t module);
/* Find out why, count it, and say it when asked to. */
void lwb_run_account_miss(struct lwb_run *run, size_t module);
void lwb_run_count(struct lwb_run *run, enum lwb_stat stat, uint64_t delta);
void lwb_run_count_hit(struct lwb_run *run, const struct run_module *module);
void lwb_run_count_not_stored(struct lwb_run *run, const struct run_module *module);

/* ---- run_report.c ---- */
struct run_report *lwb_run_report_create(struct lwb_run *run);
void lwb_run_report_destroy(struct run_report *report);
/* Print all modules whose turn has come. */
void lwb_run_report_ready(struct run_report *report);
void lwb_run_report_progress(struct run_report *report, const char *module);
/* What is said once at the end; returns the exit code of the modules. */
enum lwb_exit_code lwb_run_report_end(struct run_report *report);
