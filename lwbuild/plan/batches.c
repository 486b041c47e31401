#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"

/*
 * Modules with the same session facts and the same ordered imports share a
 * batch. A signature of numbers (never zero bytes, so that it can be interned
 * as a text) stands for all of that.
 */
struct grouping {
    struct lwb_plan *plan;
    struct lwb_names signatures; /* number = batch */
    struct lwb_buf text;
    uint32_t *first; /* a module of each batch, as plan index */
    size_t cap_first;
};

static void release_grouping(struct grouping *grouping)
{
    lwb_names_release(&grouping->signatures);
    lwb_buf_release(&grouping->text);
    lwb_free(grouping->first);
}
LWB_DEFINE_AUTO(struct grouping, release_grouping);

/* 35 bits. */
static void append_number(struct lwb_buf *out, uint64_t value)
{
    char digits[5];

    for (unsigned i = 0; i < sizeof(digits); i++)
        digits[i] = (char)(0x80 | ((value >> (7 * i)) & 0x7F));
    lwb_buf_append(out, digits, sizeof(digits));
}

static size_t root_number(const struct lwb_plan *plan, const char *source_root)
{
    size_t i = 0;

    while (plan->source_roots.items[i] != source_root)
        i++;
    return i;
}

/* The batch of the module at `index`. LWB_NAME_NONE when memory is out. */
static uint32_t assign(struct grouping *grouping, uint32_t index)
{
    struct lwb_plan *plan = grouping->plan;
    const struct lwb_node *node = &plan->nodes[plan->order[index]];
    const struct lwb_plan_module *module = &plan->modules[plan->order[index]];
    size_t before = grouping->signatures.count;
    uint32_t batch;

    lwb_buf_clear(&grouping->text);
    append_number(&grouping->text, root_number(plan, module->source_root));
    append_number(&grouping->text, node->library);
    append_number(&grouping->text, (uint64_t)node->is_export << 2 |
                                       (uint64_t)node->module_system << 1 | node->prelude);
    for (uint32_t i = 0; i < node->n_edges; i++) {
        const struct lwb_edge *edge = &plan->edges[node->first_edge + i];

        append_number(&grouping->text, (uint64_t)edge->flags << 31 | edge->name);
    }
    if (!lwb_buf_ok(&grouping->text))
        return LWB_NAME_NONE;
    if (lwb_grow(&grouping->first, &grouping->cap_first, before, sizeof(*grouping->first)))
        return LWB_NAME_NONE;
    batch = lwb_names_intern(&grouping->signatures, lwb_buf_bytes(&grouping->text));
    if (batch == before)
        grouping->first[batch] = index;
    return batch;
}

/* "public meta A", interned: the items of batches' imports are never freed one by one. */
static char *import_text(struct lwb_plan *plan, const struct lwb_edge *edge)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(SIZE_MAX / 2);
    uint32_t number = edge->name;

    if (edge->flags) {
        lwb_buf_append_text(&text, lwb_import_flags_text(edge->flags));
        lwb_buf_append_bytes(&text, lwb_plan_name(plan, edge->name));
        number = lwb_buf_ok(&text) ? lwb_names_intern(&plan->names, lwb_buf_bytes(&text))
                                   : LWB_NAME_NONE;
    }
    return number == LWB_NAME_NONE ? NULL : (char *)lwb_names_text(&plan->names, number);
}

static const struct lwb_strvec *make_imports(struct lwb_plan *plan, const struct lwb_node *node)
{
    struct lwb_strvec *imports = lwb_arena_alloc(&plan->arena, sizeof(*imports));

    if (!imports || !node->n_edges)
        return imports;
    imports->items = lwb_arena_alloc(&plan->arena, (node->n_edges + 1) * sizeof(char *));
    if (!imports->items)
        return NULL;
    for (uint32_t i = 0; i < node->n_edges; i++) {
        imports->items[i] = import_text(plan, &plan->edges[node->first_edge + i]);
        if (!imports->items[i])
            return NULL;
    }
    imports->count = node->n_edges;
    imports->cap = node->n_edges + 1;
    return imports;
}

static const char *host_of(const struct lwb_plan *plan, const struct lwb_node *node)
{
    if (strcmp(plan->host, "auto") != 0)
        return plan->host;
    return node->is_export ? "kernel" : "lean";
}

static int fill_batch(struct lwb_plan *plan, struct lwb_plan_batch *batch, uint32_t first,
                      struct lwb_error *err)
{
    const struct lwb_node *node = &plan->nodes[plan->order[first]];
    const struct lwb_plan_module *module = &plan->modules[plan->order[first]];
    const struct lwb_library *library = &plan->project.libraries[node->library];

    *batch = (struct lwb_plan_batch){
        .host = host_of(plan, node),
        .project_root = plan->project.root,
        .package = plan->project.package,
        .library = library->name,
        .source_root = module->source_root,
        .imports = make_imports(plan, node),
        .options = &plan->options[node->library],
        .plugins = &library->plugins,
        .prelude = node->prelude,
        .module_system = node->module_system,
    };
    return batch->imports ? LWB_OK : lwb_fail_memory(err);
}

static struct lwb_plan_batch *batch_of(const struct lwb_plan *plan, size_t index)
{
    return &plan->batches[plan->modules[plan->order[index]].batch];
}

/* The modules of all batches, one array, in plan order within each batch. */
static int fill_members(struct lwb_plan *plan, struct lwb_error *err)
{
    size_t *members = lwb_arena_alloc(&plan->arena, plan->n_order * sizeof(*members));
    size_t at = 0;

    if (!members)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < plan->n_order; i++)
        batch_of(plan, i)->n_modules++;
    for (size_t i = 0; i < plan->n_batches; i++) {
        plan->batches[i].modules = members + at;
        at += plan->batches[i].n_modules;
        plan->batches[i].n_modules = 0;
    }
    for (size_t i = 0; i < plan->n_order; i++) {
        struct lwb_plan_batch *batch = batch_of(plan, i);

        members[(size_t)(batch->modules - members) + batch->n_modules++] = i;
    }
    return LWB_OK;
}

int lwb_plan_make_batches(struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(release_grouping)
    struct grouping grouping = { .plan = plan, .text = LWB_BUF(SIZE_MAX / 2) };
    int rc = LWB_OK;

    for (uint32_t i = 0; i < plan->n_order; i++) {
        uint32_t batch = assign(&grouping, i);

        if (batch == LWB_NAME_NONE)
            return lwb_fail_memory(err);
        plan->modules[plan->order[i]].batch = batch;
    }
    plan->n_batches = grouping.signatures.count;
    plan->batches = lwb_alloc_array(plan->n_batches, sizeof(*plan->batches));
    if (!plan->batches)
        return lwb_fail_memory(err);
    for (size_t i = 0; rc == LWB_OK && i < plan->n_batches; i++)
        rc = fill_batch(plan, &plan->batches[i], grouping.first[i], err);
    return rc == LWB_OK ? fill_members(plan, err) : rc;
}
