#include "lwbuild/driver/run_internal.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/snapshot.h"

/* One run from beginning to end: what it is made of, the pool, signals, the last look. */

/* ---- graph --------------------------------------------------------------------------------- */

static int build_dependents(struct lwb_run *run)
{
    size_t edges = 0;

    run->first_dependent = lwb_alloc_array(run->n_modules + 2, sizeof(size_t));
    if (!run->first_dependent)
        return -1;
    for (size_t i = 0; i < run->n_modules; i++) {
        const struct lwb_plan_module *plan = run->modules[i].plan;

        edges += plan->n_imports;
        for (size_t k = 0; k < plan->n_imports; k++)
            run->first_dependent[plan->imports[k] + 2]++;
    }
    run->dependents = lwb_alloc_array(edges, sizeof(size_t));
    if (!run->dependents)
        return -1;
    for (size_t i = 2; i <= run->n_modules + 1; i++)
        run->first_dependent[i] += run->first_dependent[i - 1];
    for (size_t i = 0; i < run->n_modules; i++) {
        const struct lwb_plan_module *plan = run->modules[i].plan;

        for (size_t k = 0; k < plan->n_imports; k++)
            run->dependents[run->first_dependent[plan->imports[k] + 1]++] = i;
    }
    return 0;
}

static int fill(struct lwb_run *run)
{
    const struct lwb_plan *plan = run->plan;

    run->n_modules = lwb_plan_module_count(plan);
    run->n_batches = lwb_plan_batch_count(plan);
    run->modules = lwb_alloc_array(run->n_modules, sizeof(*run->modules));
    run->batches = lwb_alloc_array(run->n_batches, sizeof(*run->batches));
    run->artifacts = lwb_alloc_array(run->n_modules, sizeof(*run->artifacts));
    run->ready = lwb_alloc_array(run->n_modules, sizeof(*run->ready));
    run->looked_up = lwb_alloc_array(run->n_modules, sizeof(*run->looked_up));
    run->settled = lwb_alloc_array(run->n_modules, sizeof(*run->settled));
    run->unstored = lwb_alloc_array(run->n_modules, sizeof(*run->unstored));
    if (!run->modules || !run->batches || !run->artifacts || !run->ready || !run->looked_up ||
        !run->settled || !run->unstored)
        return -1;
    for (size_t i = 0; i < run->n_modules; i++) {
        struct run_module *module = &run->modules[i];

        module->plan = lwb_plan_module(plan, i);
        module->waits_for = module->plan->n_imports;
        module->report = LWB_BUF(64 * 1024 * 1024);
        module->facts = LWB_BUF(256 * 1024 * 1024);
    }
    for (size_t i = 0; i < run->n_batches; i++) {
        run->batches[i].plan = lwb_plan_batch(plan, i);
        run->batches[i].first = run->batches[i].last = SIZE_MAX;
    }
    return build_dependents(run);
}

int lwb_run_create(struct lwb_run **out, uv_loop_t *loop, struct lwb_world *world,
                   const struct lwb_run_config *config, struct lwb_error *err)
{
    LWB_AUTO(lwb_run_destroy) struct lwb_run *run = lwb_alloc(sizeof(*run));
    int rc;

    if (!run)
        return lwb_fail_memory(err);
    run->loop = loop;
    run->world = world;
    run->config = *config;
    run->plan = world->plan;
    run->pool_gone = true;
    if (fill(run) || !(run->printer = lwb_run_report_create(run)) ||
        !(run->tree = lwb_path_join(world->scratch, "tree")))
        return lwb_fail_memory(err);
    rc = lwb_file_make_dirs(run->tree, 0700, err);
    if (rc < 0)
        return rc;
    *out = LWB_TAKE(run);
    return LWB_OK;
}

static void release_module(struct run_module *module)
{
    lwb_buf_release(&module->report);
    lwb_buf_release(&module->facts);
    lwb_free(module->detail);
    for (size_t i = 0; i < module->n_artifacts; i++)
        lwb_free(module->artifacts[i].part);
    lwb_free(module->artifacts);
}

void lwb_run_destroy(struct lwb_run *run)
{
    if (!run)
        return;
    assert(run->pool_gone && !run->lanes);
    for (size_t i = 0; run->modules && i < run->n_modules; i++)
        release_module(&run->modules[i]);
    lwb_run_report_destroy(run->printer);
    lwb_free(run->modules);
    lwb_free(run->batches);
    lwb_free(run->dependents);
    lwb_free(run->first_dependent);
    lwb_free(run->artifacts);
    lwb_free(run->ready);
    lwb_free(run->looked_up);
    lwb_free(run->settled);
    lwb_free(run->unstored);
    lwb_free(run->tree);
    lwb_free(run);
}

/* ---- the pool ------------------------------------------------------------------------------ */

static void on_tick(uv_timer_t *tick)
{
    struct lwb_run *run = tick->data;
    struct lwb_error ignored;

    lwb_run_store_waiting(run);
    if (run->world->cache)
        (void)lwb_cache_tick(run->world->cache, &ignored); /* tried again a second later */
}

static void count_workers(struct lwb_run *run)
{
    struct lwb_pool_snapshot snapshot;

    lwb_pool_snapshot(run->pool, &snapshot);
    lwb_run_count(run, LWB_STAT_WORKERS_STARTED, snapshot.sum.starts);
    lwb_run_count(run, LWB_STAT_WORKERS_RECYCLED, snapshot.sum.restarts);
}

static void on_pool_gone(void *ctx)
{
    struct lwb_run *run = ctx;

    count_workers(run);
    run->pool_gone = true;
    lwb_jobserver_close(&run->jobserver);
    lwb_pool_destroy(LWB_TAKE(run->pool));
    uv_close((uv_handle_t *)&run->on_int, NULL);
    uv_close((uv_handle_t *)&run->on_term, NULL);
    uv_close((uv_handle_t *)&run->tick, NULL);
}

void lwb_run_stop(struct lwb_run *run)
{
    if (!run->pool || run->stopping)
        return;
    run->stopping = true;
    lwb_run_close_lanes(run);
    lwb_pool_shutdown(run->pool, on_pool_gone, run);
    /* A process as large as Lean takes the kernel a while to bury. */
    if (!run->cancelled)
        lwb_run_store_waiting(run);
}

/* ---- the whole run ------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *signal, int number)
{
    struct lwb_run *run = signal->data;

    (void)number;
    run->cancelled = true;
    lwb_run_stop(run);
}

static void join_jobserver(struct lwb_run *run)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf note = LWB_BUF(1024);

    lwb_jobserver_open(&run->jobserver, getenv("MAKEFLAGS"), &note);
    if (note.len && run->config.verbose)
        fprintf(stderr, "lwbuild: %s\n", lwb_buf_text(&note));
}

static int start_pool(struct lwb_run *run, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    struct lwb_pool_config config = {
        .worker = LWB_WORKER_CONFIG_DEFAULTS,
        .max_workers = run->config.jobs,
    };
    int rc = lwb_worker_environment(&environment, err);

    if (rc < 0)
        return rc;
    config.worker.executable = run->world->child;
    config.worker.environment = &environment;
    config.worker.request_timeout_ms = run->config.timeout_ms;
    config.worker.policy.hard_memory = run->config.max_memory;
    /*
     * A module is tried once, so the modules bound the restarts; the healthy ones
     * must get theirs.
     */
    config.worker.policy.window_restarts = UINT_MAX;
    config.worker.policy.window_ms = 1;
    rc = lwb_pool_create(&run->pool, run->loop, &config, err);
    if (rc < 0)
        return rc;
    run->pool_gone = false;
    join_jobserver(run);
    uv_signal_init(run->loop, &run->on_int);
    uv_signal_init(run->loop, &run->on_term);
    run->on_int.data = run->on_term.data = run;
    uv_timer_init(run->loop, &run->tick);
    run->tick.data = run;
    uv_timer_start(&run->tick, on_tick, 0, 1000);
    uv_signal_start(&run->on_int, on_signal, SIGINT);
    uv_signal_start(&run->on_term, on_signal, SIGTERM);
    return LWB_OK;
}

static bool is_all_accepted(const struct lwb_run *run)
{
    for (size_t i = 0; i < run->n_modules; i++)
        if (run->modules[i].verdict != LWB_VERDICT_ACCEPTED)
            return false;
    return true;
}

/*
 * A run must not say more than is true: what was planned is what lies there now.
 * One stat per file, so it is left to the caller where he looks anyway before he
 * believes the only answer that this can change.
 */
static void check_inputs_once_more(struct lwb_run *run)
{
    struct lwb_error err;

    if ((run->config.looked_at_later && is_all_accepted(run)) ||
        lwb_world_check_unchanged(run->world, &err) == LWB_OK)
        return;
    run->inputs_changed = true;
    fprintf(stderr, "lwbuild: %s\n", err.text);
}

/* What a snapshot answers for. Its note in the cache counts the run. */
static void count_rest(struct lwb_run *run)
{
    const struct lwb_snapshot *rest = run->world->rest;

    if (!rest) {
        lwb_run_count(run, LWB_STAT_RUNS, 1);
        return;
    }
    run->totals.modules += run->n_rest;
    run->totals.accepted += run->n_rest;
    run->totals.hits += run->n_rest;
    run->totals.saved_ns += lwb_snapshot_use_rest(rest, run->world, run);
}

int lwb_run_all(struct lwb_run *run, enum lwb_exit_code *exit_code, struct lwb_error *err)
{
    bool looked;
    int rc;

    if (run->world->rest)
        run->n_rest = lwb_snapshot_rest(run->world->rest, run->plan);
    lwb_run_count(run, LWB_STAT_BATCHES, run->n_batches);
    /* Hits first: a run that only hits starts no process and no loop. */
    for (size_t i = 0; i < run->n_modules; i++)
        if (run->modules[i].waits_for == 0)
            run->ready[run->n_ready++] = i;
    lwb_run_advance(run);
    lwb_run_report_ready(run->printer);
    if (run->n_done < run->n_modules) {
        /* What a worker leaves behind becomes our child and is not lost from sight. */
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        rc = start_pool(run, err);
        if (rc < 0)
            return rc;
        lwb_run_pump(run);
        (void)uv_run(run->loop, UV_RUN_DEFAULT);
    }
    looked = run->n_unstored > 0; /* storing begins with a look at the inputs */
    lwb_run_store_waiting(run);
    if (!looked && !run->inputs_changed && !run->cancelled && !run->failure.code)
        check_inputs_once_more(run);
    lwb_run_store_batches(run);
    count_rest(run);
    *exit_code = lwb_run_report_end(run->printer);
    if (run->cancelled) {
        *exit_code = LWB_EXIT_CANCELLED;
        return LWB_OK;
    }
    if (run->failure.code) {
        *err = run->failure;
        return err->code;
    }
    return LWB_OK;
}

void lwb_run_totals(const struct lwb_run *run, struct lwb_run_totals *out)
{
    *out = run->totals;
}

struct lwb_run_result lwb_run_result(const struct lwb_run *run, size_t index)
{
    const struct run_module *module = &run->modules[index];

    return (struct lwb_run_result){
        .accepted = module->state == MODULE_DONE && module->judged == LWB_VERDICT_ACCEPTED,
        .has_key = module->has_key,
        .key = module->key,
        .cost_ns = module->check_ns,
    };
}

bool lwb_run_has_distrusted(const struct lwb_run *run)
{
    for (size_t i = 0; i < run->n_batches; i++)
        if (run->batches[i].distrusted)
            return true;
    return false;
}

size_t lwb_run_dependents(const struct lwb_run *run, size_t module, const size_t **out)
{
    *out = run->dependents + run->first_dependent[module];
    return run->first_dependent[module + 1] - run->first_dependent[module];
}
