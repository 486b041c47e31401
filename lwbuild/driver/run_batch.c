#include "lwbuild/driver/run_internal.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/trace.h"

/*
 * Modules of one batch have the same imports, so their keys are known at the
 * same moment, and one look-up can stand for all of them: in a checkout that was
 * checked before, in a build folder that was made anew, with a restored cache.
 * One changed module, and they are looked up one by one.
 */

/* ---- look-up ------------------------------------------------------------------------------- */

struct batch_look_up {
    struct lwb_run *run;
    const struct run_batch *batch;
};

static void on_member(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    const struct batch_look_up *look_up = ctx;

    lwb_run_take_entry(look_up->run, look_up->batch->plan->modules[number], entry);
}

static void explain(const struct lwb_run *run, const struct run_batch *batch, int answer)
{
    static const char *const words[] = {
        [LWB_BATCH_NOT_STORED] = "just these were never answered together",
        [LWB_BATCH_OUTDATED] = "results have been evicted or replaced since they were",
        [LWB_BATCH_NOT_USABLE] = "not all of what is stored can be used",
    };
    const char *first = run->modules[batch->plan->modules[0]].plan->name;
    size_t others = batch->plan->n_modules - 1;

    if (!run->config.explain)
        return;
    if (answer == LWB_BATCH_FOUND)
        fprintf(stderr, "lwbuild: %s and %zu more: one look-up for all\n", first, others);
    else
        fprintf(stderr, "lwbuild: %s and %zu more: looked up one by one because %s\n", first,
                others, words[answer]);
}

static void list_keys(const struct lwb_run *run, const struct run_batch *batch,
                      struct lwb_digest *keys)
{
    for (size_t i = 0; i < batch->plan->n_modules; i++)
        keys[i] = run->modules[batch->plan->modules[i]].key;
}

static void look_up(struct lwb_run *run, struct run_batch *batch)
{
    size_t count = batch->plan->n_modules;
    LWB_AUTO(lwb_free) void *keys = lwb_alloc_array(count, sizeof(struct lwb_digest));
    struct batch_look_up look_up = { run, batch };
    struct lwb_error trouble;
    int answer;

    if (!keys)
        return;
    list_keys(run, batch, keys);
    answer = lwb_cache_lookup_batch(run->world->cache, keys, count,
                                    run->config.isolation == LWB_RUN_FRESH, on_member, &look_up,
                                    &trouble);
    if (answer < 0)
        answer = LWB_BATCH_NOT_STORED; /* one by one the trouble is met again, and told */
    batch->answered = answer == LWB_BATCH_FOUND;
    lwb_trace(batch->answered ? "batch_hit" : "batch_miss", LWB_TRACE_INT("modules", count));
    lwb_run_count(run, LWB_STAT_BATCH, batch->answered ? count : 0);
    explain(run, batch, answer);
}

void lwb_run_look_up_batches(struct lwb_run *run, const size_t *modules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct run_module *module = &run->modules[modules[i]];
        struct run_batch *batch = &run->batches[module->plan->batch];

        if (!module->has_key || module->decided)
            continue;
        batch->ready++;
        if (batch->ready == batch->plan->n_modules && batch->ready >= LWB_CACHE_BATCH_MIN)
            look_up(run, batch);
    }
}

/* ---- storing ------------------------------------------------------------------------------- */

/* What a batch is about, whatever its modules are: the next one of these takes its place. */
static void name_subject(struct lwb_buf *out, const struct lwb_plan_batch *plan)
{
    const char *const words[] = { plan->host, plan->project_root, plan->package, plan->library,
                                  plan->source_root };

    for (size_t i = 0; i < LWB_COUNT(words); i++)
        lwb_buf_format(out, "%s\n", words[i] ? words[i] : "");
    for (size_t i = 0; i < plan->options->count; i++)
        lwb_buf_format(out, "%s\n", plan->options->items[i]);
    for (size_t i = 0; i < plan->imports->count; i++)
        lwb_buf_format(out, "import %s\n", plan->imports->items[i]);
}

static bool is_answered_for(const struct lwb_run *run, const struct run_batch *batch)
{
    if (batch->answered || batch->distrusted || batch->plan->n_modules < LWB_CACHE_BATCH_MIN)
        return false;
    for (size_t i = 0; i < batch->plan->n_modules; i++) {
        const struct run_module *module = &run->modules[batch->plan->modules[i]];

        if (!module->hit && !module->stored)
            return false;
    }
    return true;
}

/* Artifacts of all members one behind the other; NULL when memory is out. */
static struct lwb_cache_artifact *list_artifacts(const struct lwb_run *run,
                                                 const struct run_batch *batch)
{
    struct lwb_cache_artifact *list;
    size_t count = 0;

    for (size_t i = 0; i < batch->plan->n_modules; i++)
        count += run->modules[batch->plan->modules[i]].n_artifacts;
    list = lwb_alloc_array(count, sizeof(*list));
    count = 0;
    for (size_t i = 0; list && i < batch->plan->n_modules; i++) {
        const struct run_module *module = &run->modules[batch->plan->modules[i]];

        for (size_t k = 0; k < module->n_artifacts; k++)
            list[count++] = (struct lwb_cache_artifact){
                .part = module->artifacts[k].part,
                .digest = module->artifacts[k].digest,
                .size = module->artifacts[k].size,
            };
    }
    return list;
}

static void store(struct lwb_run *run, const struct run_batch *batch)
{
    size_t count = batch->plan->n_modules;
    LWB_AUTO(lwb_buf_release) struct lwb_buf subject = LWB_BUF(1024 * 1024);
    LWB_AUTO(lwb_free) void *keys = lwb_alloc_array(count, sizeof(struct lwb_digest));
    LWB_AUTO(lwb_free) void *for_entries = lwb_alloc_array(count, sizeof(struct lwb_cache_entry));
    LWB_AUTO(lwb_free) void *for_artifacts = list_artifacts(run, batch);
    const struct lwb_cache_artifact *artifacts = for_artifacts;
    struct lwb_cache_entry *entries = for_entries;
    struct lwb_error ignored; /* a short cut and no more */

    name_subject(&subject, batch->plan);
    if (!keys || !entries || !artifacts || !lwb_buf_ok(&subject))
        return;
    list_keys(run, batch, keys);
    for (size_t i = 0; i < count; i++) {
        const struct run_module *module = &run->modules[batch->plan->modules[i]];

        entries[i] = lwb_run_entry_of(module, artifacts);
        artifacts += module->n_artifacts;
    }
    (void)lwb_cache_store_batch(run->world->cache, lwb_buf_bytes(&subject), keys, entries, count,
                                &ignored);
}

void lwb_run_store_batches(struct lwb_run *run)
{
    const struct lwb_world *world = run->world;

    /* The plan of a short path has but a part of each batch. */
    if (!world->cache || !world->may_look_up || !world->may_store || world->rest ||
        run->config.look_up_only || run->inputs_changed || run->cancelled)
        return;
    for (size_t i = 0; i < run->n_batches; i++)
        if (is_answered_for(run, &run->batches[i]))
            store(run, &run->batches[i]);
}
