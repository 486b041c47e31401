#include "lwbuild/driver/run_internal.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/driver/snapshot.h"

/*
 * Results wait here until all inputs have been looked at once more: what a
 * worker answered while an imported file was being replaced is nobody's result
 * (design rules T3, T6). Looked at about once a second and at the end, so that
 * an interrupted run keeps what it had and thousands of imports are not stat'ed
 * for every module.
 */

void lwb_run_give_up_cache(struct lwb_run *run, const struct lwb_error *err)
{
    if (run->world->may_look_up || run->world->may_store)
        fprintf(stderr, "lwbuild: the cache is not used any more: %s\n", err->text);
    run->world->may_look_up = false;
    run->world->may_store = false;
}

/* Rule T3: accepted, or rejected with the host's own word that it may be kept. */
static bool is_storable(const struct run_module *module)
{
    if (!module->storable)
        return false;
    if (module->verdict == LWB_VERDICT_ACCEPTED)
        return !module->plan->imported || module->n_artifacts > 0;
    return module->verdict == LWB_VERDICT_REJECTED && module->report.len > 0;
}

void lwb_run_store_later(struct lwb_run *run, size_t index)
{
    struct run_module *module = &run->modules[index];

    /* Another lane was still at it when its batch lost our trust. */
    if (run->batches[module->plan->batch].distrusted && !module->fresh)
        module->storable = false;
    if (!is_storable(module)) {
        lwb_run_count_not_stored(run, module);
        return;
    }
    if (!run->world->cache || !run->world->may_store || !module->has_key)
        return;
    module->waits_for_store = true;
    run->unstored[run->n_unstored++] = index;
}

struct lwb_cache_entry lwb_run_entry_of(const struct run_module *module,
                                        const struct lwb_cache_artifact *artifacts)
{
    bool accepted = module->verdict == LWB_VERDICT_ACCEPTED;

    return (struct lwb_cache_entry){
        .verdict = accepted ? LWB_CACHE_ACCEPTED : LWB_CACHE_REJECTED,
        .fresh = module->fresh,
        .check_ns = module->check_ns,
        .report = lwb_buf_bytes(&module->report),
        .facts = lwb_buf_bytes(&module->facts),
        .artifacts = artifacts,
        .n_artifacts = module->n_artifacts,
    };
}

static int store(struct lwb_run *run, const struct run_module *module, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *artifacts = lwb_run_list_artifacts(module);
    struct lwb_cache_entry entry = lwb_run_entry_of(module, artifacts);

    return artifacts ? lwb_cache_store(run->world->cache, &module->key, &entry, err)
                     : lwb_fail_memory(err);
}

/*
 * A no stands, even against the yes of a fresh process that is there from
 * before, and against all snapshots that rest on it.
 */
static void take_back_yes(struct lwb_run *run, const struct run_module *module)
{
    struct lwb_cache *cache = run->world->cache;
    struct lwb_cache_entry entry;
    struct lwb_error ignored;

    if (lwb_cache_lookup(cache, &module->key, false, &entry, &ignored) == 1 &&
        entry.verdict == LWB_CACHE_ACCEPTED)
        (void)lwb_cache_disown_snapshots(cache, &ignored);
    (void)lwb_cache_drop(cache, &module->key, &ignored);
}

static void store_one(struct lwb_run *run, size_t index)
{
    struct run_module *module = &run->modules[index];
    struct lwb_error err;

    if (!module->waits_for_store || !run->world->may_store)
        return; /* it was distrusted since, or the cache is in trouble */
    if (module->verdict == LWB_VERDICT_REJECTED)
        take_back_yes(run, module);
    module->waits_for_store = false;
    if (store(run, module, &err) < 0) {
        lwb_run_give_up_cache(run, &err);
        return;
    }
    module->stored = true;
    lwb_run_count(run, LWB_STAT_STORED, 1);
    lwb_run_remember_parts(run, index);
}

void lwb_run_store_waiting(struct lwb_run *run)
{
    struct lwb_error err;

    if (!run->n_unstored || run->inputs_changed)
        return;
    if (lwb_world_check_unchanged(run->world, &err) < 0) {
        run->inputs_changed = true;
        fprintf(stderr, "lwbuild: %s\n", err.text);
        for (size_t i = 0; i < run->n_unstored; i++)
            lwb_run_count(run, LWB_STAT_NOT_STORED_CHANGED, 1);
        lwb_run_count(run, LWB_STAT_NOT_STORED, run->n_unstored);
        run->n_unstored = 0;
        return;
    }
    for (size_t i = 0; i < run->n_unstored; i++)
        store_one(run, run->unstored[i]);
    run->n_unstored = 0;
    if (run->world->may_store)
        (void)lwb_cache_commit(run->world->cache, &err); /* tried again at the next one */
}

/*
 * A verdict of a warm worker of this batch did not stand: none of its warm
 * verdicts of this run is kept, and the rest of the batch is checked fresh.
 */
void lwb_run_distrust(struct lwb_run *run, size_t which)
{
    struct run_batch *batch = &run->batches[which];
    struct lwb_error ignored;

    batch->distrusted = true;
    lwb_run_count(run, LWB_STAT_CONFIRM_DIFFERENT, 1);
    for (size_t i = 0; i < batch->plan->n_modules; i++) {
        struct run_module *module = &run->modules[batch->plan->modules[i]];

        if (module->state == MODULE_WAITING || module->state == MODULE_QUEUED || module->fresh)
            continue;
        module->waits_for_store = false;
        if (run->world->cache && run->world->may_store && module->has_key)
            (void)lwb_cache_drop(run->world->cache, &module->key, &ignored);
    }
    if (!run->world->cache || !run->world->may_store)
        return;
    if (run->world->rest)
        lwb_snapshot_disown(run->world->rest, run->world->cache);
    (void)lwb_cache_disown_snapshots(run->world->cache, &ignored);
}
