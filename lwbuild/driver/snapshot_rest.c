#include "lwbuild/driver/snapshot_internal.h"

#include <string.h>

#include "lwbuild/base/alloc.h"

/*
 * The short path. A module's answer depends on its own source, on what its
 * header imports, on the answers for those imports, and on things that no
 * module's source can change. So when nothing but sources has changed, the
 * modules to look at are the changed ones and all that import them, provided
 * that the changed headers import what they did.
 */

/* ---- which modules ------------------------------------------------------------------------- */

static void mark(struct lwb_snapshot *snapshot, bool *marked, size_t module)
{
    if (marked[module])
        return;
    marked[module] = true;
    snapshot->n_affected++;
}

/* Imports come first, so one pass in order reaches all dependents. */
static void mark_dependents(struct lwb_snapshot *snapshot, bool *marked)
{
    const struct lwb_module_table *table = &snapshot->table;

    for (size_t i = 0; i < table->count; i++)
        for (uint32_t k = table->first_dependent[i]; marked[i] && k < table->first_dependent[i + 1];
             k++)
            mark(snapshot, marked, table->dependents[k]);
}

static int list_marked(struct lwb_snapshot *snapshot, const bool *marked)
{
    size_t n = 0;

    snapshot->affected = lwb_alloc_array(snapshot->n_affected, sizeof(*snapshot->affected));
    if (!snapshot->affected)
        return -1;
    for (size_t i = 0; i < snapshot->table.count; i++)
        if (marked[i])
            snapshot->affected[n++] = i;
    return 0;
}

/* 0 when it is not worth it, or not possible. */
static int find_affected(struct lwb_snapshot *snapshot)
{
    LWB_AUTO(lwb_free) void *memory = NULL;
    bool *marked;

    if (!lwb_module_table_open(&snapshot->table, snapshot->file.table))
        return 0;
    memory = lwb_alloc_array(snapshot->table.count, sizeof(bool));
    marked = memory;
    if (!marked)
        return 0;
    for (size_t i = 0; i < snapshot->changed.count; i++) {
        size_t module = snapshot->changed.items[i].module;

        if (module >= snapshot->table.count || lwb_module_table_is_export(&snapshot->table, module))
            return 0;
        mark(snapshot, marked, module);
    }
    mark_dependents(snapshot, marked);
    return snapshot->n_affected <= snapshot->table.count / 2 && list_marked(snapshot, marked) == 0;
}

/* ---- the plan ------------------------------------------------------------------------------ */

static int plan_affected(struct lwb_snapshot *snapshot, struct lwb_world *world)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec roots = { 0 };
    LWB_AUTO(lwb_free)
    void *memory = lwb_alloc_array(snapshot->n_affected, sizeof(struct lwb_plan_module));
    struct lwb_plan_module *modules = memory;
    struct lwb_plan_part part = {
        .source_roots = &roots,
        .modules = modules,
        .n_modules = snapshot->n_affected,
    };
    struct lwb_error said_by_the_whole_plan;

    if (!modules || lwb_module_table_source_roots(&snapshot->table, &roots))
        return 0;
    for (size_t i = 0; i < snapshot->n_affected; i++)
        lwb_module_table_get(&snapshot->table, snapshot->affected[i], &modules[i]);
    return lwb_world_plan(world, &part, &said_by_the_whole_plan) == LWB_OK;
}

/* Both are in an order in which imports come first, made by the same walk. */
static int number_modules(struct lwb_snapshot *snapshot, const struct lwb_plan *plan)
{
    size_t count = lwb_plan_module_count(plan);
    struct lwb_plan_module then;
    size_t next = 0;

    snapshot->numbers = lwb_alloc_array(count, sizeof(*snapshot->numbers));
    if (!snapshot->numbers)
        return 0;
    for (size_t i = 0; i < count; i++) {
        snapshot->numbers[i] = SIZE_MAX;
        if (next == snapshot->n_affected)
            continue;
        lwb_module_table_get(&snapshot->table, snapshot->affected[next], &then);
        if (strcmp(then.path, lwb_plan_module(plan, i)->path) == 0)
            snapshot->numbers[i] = snapshot->affected[next++];
    }
    return next == snapshot->n_affected;
}

static bool have_their_imports(const struct lwb_snapshot *snapshot, const struct lwb_plan *plan)
{
    for (size_t i = 0; i < lwb_plan_module_count(plan); i++) {
        const struct lwb_plan_batch *batch = lwb_plan_batch(plan, lwb_plan_module(plan, i)->batch);

        if (snapshot->numbers[i] != SIZE_MAX &&
            !lwb_module_table_has_imports(&snapshot->table, snapshot->numbers[i], batch))
            return false;
    }
    return true;
}

int lwb_snapshot_plan(struct lwb_snapshot *snapshot, struct lwb_world *world)
{
    if (!find_affected(snapshot) || !plan_affected(snapshot, world))
        return 0;
    if (!number_modules(snapshot, world->plan) || !have_their_imports(snapshot, world->plan)) {
        lwb_plan_destroy(LWB_TAKE(world->plan));
        return 0;
    }
    world->rest = snapshot;
    return 1;
}

/* ---- the rest ------------------------------------------------------------------------------ */

uint64_t lwb_snapshot_rest(const struct lwb_snapshot *snapshot, const struct lwb_plan *plan)
{
    return snapshot->table.count - lwb_plan_module_count(plan);
}

uint64_t lwb_snapshot_use_rest(const struct lwb_snapshot *snapshot, const struct lwb_world *world,
                               const struct lwb_run *run)
{
    uint64_t total_ns = snapshot->file.saved_ns;
    uint64_t others_ns = 0;
    uint64_t cost_ns;

    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++)
        others_ns += snapshot->numbers[i] == SIZE_MAX
                         ? lwb_run_result(run, i).cost_ns
                         : lwb_module_table_cost(&snapshot->table, snapshot->numbers[i]);
    cost_ns = total_ns > others_ns ? total_ns - others_ns : 0;
    lwb_snapshot_note(snapshot, world->cache_dir, lwb_snapshot_rest(snapshot, world->plan),
                      cost_ns);
    return cost_ns;
}

static bool is_known(const struct lwb_snapshot *snapshot, const struct lwb_changed_source *source)
{
    for (size_t i = 0; i < snapshot->changed.count; i++)
        if (snapshot->changed.items[i].record == source->record)
            return true;
    return false;
}

int lwb_snapshot_check_rest(struct lwb_snapshot *snapshot, struct lwb_error *err)
{
    LWB_AUTO(lwb_witness_changes_release)
    struct lwb_witness_changes now = { .max = LWB_SNAPSHOT_MAX_CHANGED, .during_run = true };
    struct lwb_plan_module module;

    if (!lwb_witness_list_holds(snapshot->file.witnesses, &now))
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s was changed during the run; run again",
                        now.other ? now.other : "a file");
    for (size_t i = 0; i < now.count; i++) {
        if (is_known(snapshot, &now.items[i]))
            continue;
        lwb_module_table_get(&snapshot->table, now.items[i].module, &module);
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s was changed during the run; run again",
                        module.path);
    }
    lwb_witness_changes_release(&snapshot->last_look);
    snapshot->last_look = now;
    now = (struct lwb_witness_changes){ 0 };
    return LWB_OK;
}

/* ---- afterwards ---------------------------------------------------------------------------- */

void lwb_snapshot_renew(struct lwb_snapshot *snapshot, const struct lwb_world *world,
                        const struct lwb_run *run)
{
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++) {
        size_t number = snapshot->numbers[i];
        uint64_t cost_ns = lwb_run_result(run, i).cost_ns;

        if (number == SIZE_MAX)
            continue;
        snapshot->file.saved_ns += cost_ns - lwb_module_table_cost(&snapshot->table, number);
        lwb_module_table_renew(&snapshot->table, number, &lwb_plan_module(world->plan, i)->source,
                               cost_ns);
    }
}

static const struct lwb_plan_module *module_of(const struct lwb_snapshot *snapshot,
                                               const struct lwb_plan *plan, size_t number)
{
    for (size_t i = 0; i < lwb_plan_module_count(plan); i++)
        if (snapshot->numbers[i] == number)
            return lwb_plan_module(plan, i);
    return NULL;
}

static int renew_witnesses(struct lwb_snapshot *snapshot, const struct lwb_world *world)
{
    struct lwb_buf *content = &snapshot->file.content;
    char *witnesses = content->ptr + (snapshot->file.witnesses.ptr - content->ptr);

    for (size_t i = 0; i < snapshot->changed.count; i++) {
        const struct lwb_changed_source *source = &snapshot->changed.items[i];
        const struct lwb_plan_module *module = module_of(snapshot, world->plan, source->module);

        if (!module || lwb_file_stat_is_racy(&module->stat, world->started_ns))
            return -1;
        lwb_witness_list_renew(witnesses, source->record, &module->stat);
    }
    lwb_witness_list_redate(witnesses, &snapshot->last_look, world->started_ns);
    return 0;
}

static int renew_keys(struct lwb_buf *keys, const struct lwb_snapshot *snapshot,
                      const struct lwb_world *world, const struct lwb_run *run)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_snapshot_file_keys(snapshot->path);
    struct lwb_error ignored;

    if (!path || lwb_file_read(keys, path, NULL, &ignored) < 0 ||
        keys->len != snapshot->table.count * sizeof(struct lwb_digest))
        return -1;
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++) {
        struct lwb_run_result result = lwb_run_result(run, i);

        if (snapshot->numbers[i] != SIZE_MAX && result.has_key)
            memcpy(keys->ptr + snapshot->numbers[i] * sizeof(result.key), &result.key,
                   sizeof(result.key));
    }
    return 0;
}

int lwb_snapshot_print_renewed(struct lwb_buf *text, struct lwb_buf *keys,
                               struct lwb_snapshot *snapshot, const struct lwb_world *world,
                               const struct lwb_run *run)
{
    if (renew_witnesses(snapshot, world) || renew_keys(keys, snapshot, world, run))
        return -1;
    lwb_snapshot_file_print(text, &snapshot->file);
    return lwb_buf_ok(text) ? 0 : -1;
}
