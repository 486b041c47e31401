#include "lwbuild/driver/run_internal.h"

#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/module_key.h"

/*
 * Why a module has to be checked. Every stored result leaves the parts of its
 * key behind, under the project's root and the module's name; a later miss is
 * compared with the newest of them.
 */
struct parts {
    struct lwb_cache_component *items;
    size_t count;
    size_t cap;
    bool failed;
};

static void add_part(void *ctx, const char *name, const struct lwb_digest *value)
{
    struct parts *parts = ctx;
    char *copy = lwb_strdup(name);

    if (!copy || lwb_grow(&parts->items, &parts->cap, parts->count, sizeof(*parts->items))) {
        lwb_free(copy);
        parts->failed = true;
        return;
    }
    parts->items[parts->count++] = (struct lwb_cache_component){ copy, *value };
}

static void release_parts(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        lwb_free((char *)parts->items[i].name); /* copied by add_part */
    lwb_free(parts->items);
}

static void name_subject(struct lwb_buf *out, const struct lwb_run *run, size_t index)
{
    const struct lwb_plan_module *module = run->modules[index].plan;

    lwb_buf_format(out, "%s\n%s", run->batches[module->batch].plan->project_root, module->name);
}

static int collect(struct parts *parts, struct lwb_run *run, size_t index)
{
    struct lwb_digest key;
    struct lwb_error ignored;

    if (lwb_module_key(&key, run->world, index, run->artifacts, add_part, parts, &ignored) < 0)
        return -1;
    return parts->failed ? -1 : 0;
}

void lwb_run_remember_parts(struct lwb_run *run, size_t index)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf subject = LWB_BUF(LWB_PATH_MAX);
    struct parts parts = { 0 };
    struct lwb_error ignored;

    name_subject(&subject, run, index);
    if (collect(&parts, run, index) == 0 && lwb_buf_ok(&subject))
        (void)lwb_cache_store_components(run->world->cache, lwb_buf_bytes(&subject),
                                         &run->modules[index].key, parts.items, parts.count,
                                         &ignored);
    release_parts(&parts);
}

static void print_reason(const struct run_module *module, enum lwb_cache_why why, const char *text)
{
    const char *name = module->plan->name;

    switch (why) {
    case LWB_WHY_NEVER_SEEN:
        fprintf(stderr, "lwbuild: %s: checked because it was never seen before\n", name);
        break;
    case LWB_WHY_DIFFERS:
        fprintf(stderr, "lwbuild: %s: checked because this changed: %s\n", name, text);
        break;
    case LWB_WHY_EVICTED:
        fprintf(stderr, "lwbuild: %s: checked because its result was evicted %s\n", name, text);
        break;
    case LWB_WHY_UNKNOWN:
        fprintf(stderr, "lwbuild: %s: checked because its result was not stored\n", name);
        break;
    }
}

void lwb_run_account_miss(struct lwb_run *run, size_t index)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf subject = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(4096);
    struct parts parts = { 0 };
    enum lwb_cache_why why = LWB_WHY_UNKNOWN;
    struct lwb_error ignored;

    name_subject(&subject, run, index);
    if (collect(&parts, run, index) != 0 || !lwb_buf_ok(&subject) ||
        lwb_cache_explain(run->world->cache, lwb_buf_bytes(&subject), &run->modules[index].key,
                          parts.items, parts.count, &why, &text, &ignored) < 0)
        why = LWB_WHY_UNKNOWN;
    lwb_run_count(run, LWB_STAT_MISSES, 1);
    lwb_run_count(run, lwb_stat_of_miss(why, lwb_buf_text(&text)), 1);
    if (run->config.explain)
        print_reason(&run->modules[index], why, lwb_buf_text(&text));
    release_parts(&parts);
}

/* ---- statistics ---------------------------------------------------------------------------- */

void lwb_run_count(struct lwb_run *run, enum lwb_stat stat, uint64_t delta)
{
    if (run->world->cache && delta)
        lwb_cache_count(run->world->cache, stat, delta);
}

void lwb_run_count_hit(struct lwb_run *run, const struct run_module *module)
{
    enum lwb_stat kind = LWB_STAT_REPLAYED_ERRORS;

    if (module->verdict == LWB_VERDICT_ACCEPTED)
        kind = module->report.len ? LWB_STAT_REPLAYED_WARNINGS : LWB_STAT_REPLAYED_CLEAN;
    lwb_run_count(run, LWB_STAT_HITS, 1);
    lwb_run_count(run, kind, 1);
    lwb_run_count(run, LWB_STAT_SAVED_NS, module->check_ns);
}

void lwb_run_count_not_stored(struct lwb_run *run, const struct run_module *module)
{
    static const enum lwb_stat by_reason[] = {
        [LWB_REASON_TIME] = LWB_STAT_NOT_STORED_TIMEOUT,
        [LWB_REASON_MEMORY] = LWB_STAT_NOT_STORED_MEMORY,
        [LWB_REASON_CRASH] = LWB_STAT_NOT_STORED_CRASH,
        [LWB_REASON_PANIC] = LWB_STAT_NOT_STORED_CRASH,
        [LWB_REASON_CANCELLED] = LWB_STAT_NOT_STORED_CANCELLED,
        [LWB_REASON_CHANGED] = LWB_STAT_NOT_STORED_CHANGED,
        [LWB_REASON_LIMIT] = LWB_STAT_NOT_STORED_LIMIT,
        [LWB_REASON_OVERFLOW] = LWB_STAT_NOT_STORED_SIZE,
        [LWB_REASON_BLOCKED] = LWB_STAT_NOT_STORED_OTHER,
    };
    enum lwb_stat kind = by_reason[module->reason];

    lwb_run_count(run, LWB_STAT_NOT_STORED, 1);
    /* Reasons without a row of their own, and those of index 0, count as others. */
    lwb_run_count(run, kind ? kind : LWB_STAT_NOT_STORED_OTHER, 1);
}
