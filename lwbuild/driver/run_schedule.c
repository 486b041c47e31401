#include "lwbuild/driver/run_internal.h"

#include <assert.h>

/*
 * Scheduling. All on one thread: results come in from the cache at once or from
 * lanes later; `settled` is the work list between "a module is done" and "its
 * dependents know", so that a long chain of hits needs no recursion.
 */

/* ---- from done to done --------------------------------------------------------------------- */

void lwb_run_module_done(struct lwb_run *run, size_t index)
{
    struct run_module *module = &run->modules[index];

    assert(module->state != MODULE_DONE);
    module->state = MODULE_DONE;
    run->n_done++;
    run->settled[run->n_settled++] = index;
}

static void enqueue(struct lwb_run *run, size_t index)
{
    struct run_batch *batch = &run->batches[run->modules[index].plan->batch];

    run->modules[index].state = MODULE_QUEUED;
    run->modules[index].next_in_batch = SIZE_MAX;
    if (batch->last == SIZE_MAX)
        batch->first = index;
    else
        run->modules[batch->last].next_in_batch = index;
    batch->last = index;
    batch->queued++;
}

size_t lwb_run_take(struct lwb_run *run, size_t which)
{
    struct run_batch *batch = &run->batches[which];
    size_t index = batch->first;

    if (index == SIZE_MAX || run->stopping)
        return SIZE_MAX;
    batch->first = run->modules[index].next_in_batch;
    if (batch->first == SIZE_MAX)
        batch->last = SIZE_MAX;
    batch->queued--;
    run->modules[index].state = MODULE_RUNNING;
    return index;
}

static void block(struct lwb_run *run, size_t index, size_t by)
{
    struct run_module *module = &run->modules[index];
    const struct run_module *cause = &run->modules[by];

    lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_BLOCKED, NULL);
    module->blocked_by = cause->reason == LWB_REASON_BLOCKED ? cause->blocked_by : by;
    lwb_run_module_done(run, index);
}

static void settle(struct lwb_run *run)
{
    while (run->n_settled) {
        size_t done = run->settled[--run->n_settled];
        bool accepted = run->modules[done].verdict == LWB_VERDICT_ACCEPTED;

        for (size_t i = run->first_dependent[done]; i < run->first_dependent[done + 1]; i++) {
            size_t index = run->dependents[i];
            struct run_module *module = &run->modules[index];

            module->waits_for--;
            if (module->state != MODULE_WAITING)
                continue; /* blocked by another import already */
            if (!accepted)
                block(run, index, done);
            else if (module->waits_for == 0)
                run->ready[run->n_ready++] = index;
        }
    }
}

void lwb_run_advance(struct lwb_run *run)
{
    settle(run);
    while (run->n_ready) {
        size_t *modules = run->ready;
        size_t count = run->n_ready;

        run->ready = run->looked_up;
        run->looked_up = modules;
        run->n_ready = 0;
        lwb_run_look_up(run, modules, count);
        for (size_t i = 0; i < count; i++) {
            if (run->modules[modules[i]].decided)
                lwb_run_module_done(run, modules[i]);
            else
                enqueue(run, modules[i]);
        }
        settle(run);
    }
}

/* ---- lanes --------------------------------------------------------------------------------- */

/*
 * How many workers a batch may use: a further one costs an import, so it comes
 * only with at least two modules each.
 */
static unsigned lanes_for(const struct lwb_run *run, const struct run_batch *batch)
{
    size_t wanted = batch->queued / 2;

    if (run->config.isolation == LWB_RUN_FRESH)
        wanted = batch->queued;
    if (wanted < 1)
        wanted = 1;
    return wanted < run->config.jobs ? (unsigned)wanted : run->config.jobs;
}

static void open_lanes(struct lwb_run *run)
{
    struct lwb_error err;
    int rc;

    /* First one lane for every batch that has work, then further ones. */
    for (unsigned round = 0; round < run->config.jobs; round++) {
        for (size_t i = 0; i < run->n_batches && run->n_lanes < run->config.jobs; i++) {
            struct run_batch *batch = &run->batches[i];

            if (!batch->queued || batch->lanes > round || batch->lanes >= lanes_for(run, batch))
                continue;
            rc = lwb_run_open_lane(run, i, &err);
            if (rc == 1)
                continue;
            if (rc < 0) {
                run->failure = err;
                lwb_run_stop(run);
            }
            return;
        }
    }
}

void lwb_run_pump(struct lwb_run *run)
{
    if (run->stopping)
        return;
    lwb_run_advance(run);
    lwb_run_report_ready(run->printer);
    if (run->n_done == run->n_modules)
        lwb_run_stop(run);
    else if (run->pool)
        open_lanes(run);
}
