#include "lwbuild/driver/run_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/driver/module_key.h"

/*
 * Results: from the cache and into it. Trouble with the cache is said once and
 * the run goes on without; it never becomes a verdict.
 */

void lwb_run_set_detail(struct run_module *module, enum lwb_verdict verdict, enum lwb_reason reason,
                        const char *detail)
{
    module->verdict = verdict;
    module->reason = reason;
    lwb_free(module->detail);
    module->detail = detail ? lwb_strdup(detail) : NULL;
}

/* ---- look-up ------------------------------------------------------------------------------- */

static int take_entry(struct lwb_run *run, size_t index, const struct lwb_cache_entry *entry,
                      struct lwb_error *err)
{
    struct run_module *module = &run->modules[index];

    for (size_t i = 0; i < entry->n_artifacts; i++)
        if (lwb_run_add_artifact(module, entry->artifacts[i].part, &entry->artifacts[i].digest,
                                 entry->artifacts[i].size))
            return lwb_fail_memory(err);
    lwb_buf_append_bytes(&module->report, entry->report);
    lwb_buf_append_bytes(&module->facts, entry->facts);
    if (!lwb_buf_ok(&module->report) || !lwb_buf_ok(&module->facts))
        return lwb_fail_memory(err);
    module->hit = true;
    module->fresh = entry->fresh;
    module->check_ns = entry->check_ns;
    lwb_run_set_detail(
        module, entry->verdict == LWB_CACHE_ACCEPTED ? LWB_VERDICT_ACCEPTED : LWB_VERDICT_REJECTED,
        LWB_REASON_NONE, NULL);
    run->totals.hits++;
    run->totals.saved_ns += entry->check_ns;
    return lwb_run_digest_artifacts(run, index, err);
}

bool lwb_run_must_confirm(const struct lwb_run *run, const struct run_module *module)
{
    return run->config.isolation == LWB_RUN_CONFIRM &&
           (!module->has_key || module->key.bytes[0] % 8 == 0);
}

/* A share of the warm entries, made by runs that did not confirm, is not enough for this one. */
static bool is_enough(const struct lwb_run *run, const struct run_module *module,
                      const struct lwb_cache_entry *entry)
{
    if (entry->verdict == LWB_CACHE_ACCEPTED && !entry->fresh && lwb_run_must_confirm(run, module))
        return false;
    return lwb_module_entry_is_enough(module->plan, entry);
}

static void decide(struct run_module *module, const struct lwb_error *failure)
{
    module->decided = true;
    if (failure)
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_CRASH, failure->text);
}

void lwb_run_take_entry(struct lwb_run *run, size_t index, const struct lwb_cache_entry *entry)
{
    struct run_module *module = &run->modules[index];
    struct lwb_error err;

    if (module->decided || !is_enough(run, module, entry))
        return;
    decide(module, take_entry(run, index, entry, &err) < 0 ? &err : NULL);
}

/* Modules that wait for one look-up together. */
struct looking_up {
    struct lwb_run *run;
    const size_t *modules;
};

static void on_found(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    const struct looking_up *looking_up = ctx;

    lwb_run_take_entry(looking_up->run, looking_up->modules[number], entry);
}

/*
 * A package that is stale spoils those who import it; one that is not whole is
 * no place to check in.
 */
static void lose_key(struct lwb_run *run, struct run_module *module, const struct lwb_error *err)
{
    bool import = err->code == LWB_ERR_STALE_IMPORT || err->code == LWB_ERR_MISSING_IMPORT;

    decide(module, err);
    if (import)
        module->reason = LWB_REASON_IMPORT;
    run->any_stale |= err->code == LWB_ERR_STALE_IMPORT;
    if (err->code == LWB_ERR_MISSING_IMPORT && !run->failure.code)
        run->failure = *err;
}

static void make_key(struct lwb_run *run, size_t index)
{
    struct run_module *module = &run->modules[index];
    struct lwb_error err;

    if (lwb_module_key(&module->key, run->world, index, run->artifacts, NULL, NULL, &err) < 0) {
        lose_key(run, module, &err);
        return;
    }
    module->has_key = true;
    lwb_run_count(run, LWB_STAT_MODULES, 1);
}

/* Those of `modules` that a look-up can still tell something about; returns how many. */
static size_t list_open(const struct lwb_run *run, const size_t *modules, size_t count,
                        size_t *list, struct lwb_digest *keys)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct run_module *module = &run->modules[modules[i]];

        if (module->decided || run->batches[module->plan->batch].answered)
            continue;
        keys[n] = module->key;
        list[n++] = modules[i];
    }
    return n;
}

static void find_entries(struct lwb_run *run, const size_t *modules, size_t count)
{
    LWB_AUTO(lwb_free) void *for_keys = lwb_alloc_array(count, sizeof(struct lwb_digest));
    LWB_AUTO(lwb_free) void *for_list = lwb_alloc_array(count, sizeof(size_t));
    struct looking_up looking_up = { run, for_list };
    struct lwb_digest *keys = for_keys;
    struct lwb_error trouble;
    size_t n;

    if (!for_keys || !for_list)
        return; /* all are misses */
    n = list_open(run, modules, count, for_list, keys);
    if (n &&
        lwb_cache_lookup_many(run->world->cache, keys, n, run->config.isolation == LWB_RUN_FRESH,
                              on_found, &looking_up, &trouble) < 0)
        lwb_run_give_up_cache(run, &trouble);
}

static void account_hit(struct lwb_run *run, const struct run_module *module)
{
    if (!module->hit)
        return;
    lwb_trace("cache_hit", LWB_TRACE_TEXT("module", module->plan->name));
    lwb_run_count_hit(run, module);
}

static void account_miss(struct lwb_run *run, size_t index, bool asked)
{
    struct run_module *module = &run->modules[index];

    if (!asked) {
        lwb_run_count(run, LWB_STAT_MISSES, 1);
        lwb_run_count(run, LWB_STAT_MISS_FORCED, 1);
        return;
    }
    lwb_trace("cache_miss", LWB_TRACE_TEXT("module", module->plan->name));
    lwb_run_account_miss(run, index);
    if (!run->config.look_up_only)
        return;
    module->missing = true;
    module->decided = true;
    lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_NONE, "it is not in the cache");
}

void lwb_run_look_up(struct lwb_run *run, const size_t *modules, size_t count)
{
    bool asked = run->world->may_look_up;

    if (!run->world->cache)
        return;
    for (size_t i = 0; i < count; i++)
        make_key(run, modules[i]);
    if (asked) {
        lwb_run_look_up_batches(run, modules, count);
        find_entries(run, modules, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (run->modules[modules[i]].decided)
            account_hit(run, &run->modules[modules[i]]);
        else
            account_miss(run, modules[i], asked);
    }
}

/* ---- from a worker -------------------------------------------------------------------------- */

void lwb_run_keep(struct lwb_run *run, size_t index, const struct lwb_check_response *response)
{
    struct run_module *module = &run->modules[index];
    struct lwb_error err;

    module->fresh = response->fresh;
    module->storable = response->storable && !response->truncated;
    module->check_ns = response->check_ns;
    lwb_run_set_detail(module, response->verdict, response->reason, response->detail);
    if (!lwb_buf_ok(&module->report) || !lwb_buf_ok(&module->facts)) {
        lwb_buf_clear(&module->report);
        lwb_buf_clear(&module->facts);
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_OVERFLOW,
                           "its messages are too large to keep");
        return;
    }
    /* A warning that the policy does not want may be among those that were dropped. */
    if (module->verdict == LWB_VERDICT_ACCEPTED && response->truncated &&
        run->config.policy.fail_on != LWB_FAIL_ON_ERROR) {
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_OVERFLOW,
                           "its messages are too many to look for what --fail-on names");
        return;
    }
    if (module->verdict == LWB_VERDICT_ACCEPTED &&
        lwb_run_place_artifacts(run, index, response, &err) < 0) {
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_ARTIFACT, err.text);
        return;
    }
    lwb_run_count(run, LWB_STAT_CHECK_NS, module->check_ns);
}
