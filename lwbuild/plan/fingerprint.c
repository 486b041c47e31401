#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"

/*
 * Keys (design rules T1 and T2). The definition of a key is the order of the
 * fields below; whoever changes it changes KEY_SCHEMA. Fields are typed and
 * length-prefixed. There is no absolute path, time, process or policy in them.
 *
 * An import stands in a key by the digest of its closure:
 *
 * - of a local module: its name, the digest of its artifact, and the closures
 *   of its own imports. Artifacts alone would not do: a module's .olean can
 *   stay the same to the byte while one that it imports changes;
 * - of an external module: the content of every .olean that importing it loads
 *   (closure.c).
 *
 * Closures of local modules are kept per plan. Since imports have lower
 * indexes, a changed artifact makes those from its own index on void.
 */
#define KEY_SCHEMA "lwbuild module key 1"

struct lwb_local_closures {
    struct lwb_digest *closures; /* by plan index */
    uint64_t *artifacts;         /* the start of those that they were made from */
    bool *known;
    uint32_t *stack;
    size_t depth;
    size_t cap;
};

void lwb_local_closures_destroy(struct lwb_local_closures *local)
{
    if (!local)
        return;
    lwb_free(local->closures);
    lwb_free(local->artifacts);
    lwb_free(local->known);
    lwb_free(local->stack);
    lwb_free(local);
}
LWB_DEFINE_AUTO_PTR(struct lwb_local_closures, lwb_local_closures_destroy);

static int prepare(struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(lwb_local_closures_destroy) struct lwb_local_closures *local = NULL;
    size_t count = plan->n_order ? plan->n_order : 1;

    if (plan->local_closures)
        return LWB_OK;
    local = lwb_alloc(sizeof(*local));
    if (!local)
        return lwb_fail_memory(err);
    local->closures = lwb_alloc_array(count, sizeof(*local->closures));
    local->artifacts = lwb_alloc_array(count, sizeof(*local->artifacts));
    local->known = lwb_alloc_array(count, sizeof(*local->known));
    if (!local->closures || !local->artifacts || !local->known)
        return lwb_fail_memory(err);
    plan->local_closures = LWB_TAKE(local);
    return LWB_OK;
}

void lwb_plan_forget(struct lwb_plan *plan, size_t module)
{
    if (plan->local_closures)
        memset(plan->local_closures->known + module, 0,
               (plan->n_order - module) * sizeof(*plan->local_closures->known));
}

/* ---- imports as digests ---- */

int lwb_plan_next_import(const struct lwb_plan *plan, struct lwb_import_walk *walk, uint32_t *name,
                         unsigned *flags)
{
    if (walk->at == 0 && !walk->node->prelude) {
        walk->at = 1;
        *name = plan->init;
        *flags = 0;
        return 1;
    }
    if (walk->at == 0)
        walk->at = 1;
    if (walk->at > walk->node->n_edges)
        return 0;
    *name = plan->edges[walk->node->first_edge + walk->at - 1].name;
    *flags = plan->edges[walk->node->first_edge + walk->at - 1].flags;
    walk->at++;
    return 1;
}

int lwb_plan_hash_import(struct lwb_plan *plan, uint32_t name, unsigned flags,
                         struct lwb_digest *closure, struct lwb_error *err)
{
    const struct lwb_resolution *to = &plan->resolved[name];
    struct lwb_hasher *hasher = plan->hasher;
    char kind = to->kind == LWB_LOCAL ? 'L' : to->kind == LWB_EXTERNAL ? 'E' : 'N';

    *closure = (struct lwb_digest){ 0 };
    if (kind == 'L')
        *closure = plan->local_closures->closures[plan->nodes[to->index].index];
    else if (kind == 'E') {
        int rc = lwb_plan_external_closure(plan, to->index, closure, err);

        if (rc < 0)
            return rc;
    }
    lwb_hasher_field(hasher, 'I', lwb_plan_name(plan, name));
    lwb_hasher_u64(hasher, 'f', flags);
    lwb_hasher_digest(hasher, kind, closure);
    return LWB_OK;
}

/* External closures use the hasher too, so they are made before it is in use for something else. */
static int warm_externals(struct lwb_plan *plan, const struct lwb_node *node, struct lwb_error *err)
{
    struct lwb_import_walk walk = { .node = node };
    struct lwb_digest ignored;
    uint32_t name;
    unsigned flags;
    int rc = LWB_OK;

    while (rc == LWB_OK && lwb_plan_next_import(plan, &walk, &name, &flags))
        if (plan->resolved[name].kind == LWB_EXTERNAL)
            rc = lwb_plan_external_closure(plan, plan->resolved[name].index, &ignored, err);
    return rc;
}

static int hash_imports(struct lwb_plan *plan, const struct lwb_node *node, struct lwb_error *err)
{
    struct lwb_import_walk walk = { .node = node };
    struct lwb_digest closure;
    uint32_t name;
    unsigned flags;
    int rc = LWB_OK;

    while (rc == LWB_OK && lwb_plan_next_import(plan, &walk, &name, &flags))
        rc = lwb_plan_hash_import(plan, name, flags, &closure, err);
    return rc;
}

/* ---- closures of local modules ---- */

/* Enough of a digest to notice that it is another one. */
static uint64_t start_of(const struct lwb_digest *digest)
{
    uint64_t start;

    memcpy(&start, digest->bytes, sizeof(start));
    return start;
}

static int push_unknown(struct lwb_plan *plan, const struct lwb_plan_module *module, bool *pushed,
                        struct lwb_error *err)
{
    struct lwb_local_closures *local = plan->local_closures;

    *pushed = false;
    for (size_t i = 0; i < module->n_imports; i++) {
        if (local->known[module->imports[i]])
            continue;
        if (lwb_grow(&local->stack, &local->cap, local->depth, sizeof(*local->stack)))
            return lwb_fail_memory(err);
        local->stack[local->depth++] = (uint32_t)module->imports[i];
        *pushed = true;
    }
    return LWB_OK;
}

static int make_closure(struct lwb_plan *plan, size_t index, const struct lwb_digest *artifact,
                        struct lwb_error *err)
{
    struct lwb_local_closures *local = plan->local_closures;
    const struct lwb_node *node = &plan->nodes[plan->order[index]];
    int rc = warm_externals(plan, node, err);

    if (rc < 0)
        return rc;
    lwb_hasher_field(plan->hasher, 'M', lwb_plan_name(plan, node->name));
    lwb_hasher_digest(plan->hasher, 'a', artifact);
    rc = hash_imports(plan, node, err);
    local->closures[index] = lwb_hasher_end(plan->hasher);
    local->artifacts[index] = start_of(artifact);
    local->known[index] = rc == LWB_OK;
    return rc;
}

/* Closures of the module's local imports, and of what those need. */
static int make_closures(struct lwb_plan *plan, const struct lwb_plan_module *module,
                         const struct lwb_digest *artifacts, struct lwb_error *err)
{
    struct lwb_local_closures *local = plan->local_closures;
    bool pushed;
    int rc;

    for (size_t i = 0; i < module->n_imports; i++) {
        size_t import = module->imports[i];

        if (local->known[import] && local->artifacts[import] != start_of(&artifacts[import]))
            lwb_plan_forget(plan, import);
    }
    local->depth = 0;
    rc = push_unknown(plan, module, &pushed, err);
    while (rc == LWB_OK && local->depth) {
        size_t top = local->stack[local->depth - 1];

        if (!local->known[top]) {
            rc = push_unknown(plan, lwb_plan_module(plan, top), &pushed, err);
            if (rc < 0 || pushed)
                continue;
            rc = make_closure(plan, top, &artifacts[top], err);
        }
        local->depth--;
    }
    return rc;
}

/* ---- keys ---- */

static void hash_session(struct lwb_plan *plan, const struct lwb_plan_batch *batch,
                         const struct lwb_key_context *context)
{
    struct lwb_hasher *hasher = plan->hasher;

    lwb_hasher_text(hasher, 'h', batch->host);
    lwb_hasher_text(hasher, 'd', context->host_digest);
    if (plan->has_toolchain && strcmp(batch->host, "kernel") != 0)
        lwb_hasher_digest(hasher, 't', &plan->toolchain_id);
    lwb_hasher_text(hasher, 'p', batch->package);
    lwb_hasher_u64(hasher, 'o', batch->options->count);
    for (size_t i = 0; i < batch->options->count; i++)
        lwb_hasher_text(hasher, 'o', batch->options->items[i]);
    lwb_hasher_u64(hasher, 'i', context->n_inputs);
    for (size_t i = 0; i < context->n_inputs; i++)
        lwb_hasher_digest(hasher, 'i', &context->inputs[i]);
}

int lwb_plan_digest_plugin(const struct lwb_plan *plan, const char *path,
                           struct lwb_digest *content, struct lwb_error *err)
{
    int rc = plan->digests.file(plan->digests.ctx, path, content, NULL, err);

    if (rc == 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "plugin %s: no such file", path);
    return rc < 0 ? rc : LWB_OK;
}

static int hash_plugins(struct lwb_plan *plan, const struct lwb_plan_batch *batch,
                        struct lwb_error *err)
{
    for (size_t i = 0; i < batch->plugins->count; i++) {
        struct lwb_digest content;
        int rc = lwb_plan_digest_plugin(plan, batch->plugins->items[i], &content, err);

        if (rc < 0)
            return rc;
        lwb_hasher_digest(plan->hasher, 'g', &content);
    }
    return LWB_OK;
}

int lwb_plan_key(struct lwb_digest *out, struct lwb_plan *plan, size_t index,
                 const struct lwb_key_context *context,
                 void (*component)(void *ctx, const char *name, const struct lwb_digest *value),
                 void *ctx, struct lwb_error *err)
{
    const struct lwb_plan_module *module = lwb_plan_module(plan, index);
    const struct lwb_node *node = &plan->nodes[plan->order[index]];
    const struct lwb_plan_batch *batch = &plan->batches[module->batch];
    struct lwb_digest key;
    int rc = prepare(plan, err);

    if (rc == LWB_OK)
        rc = make_closures(plan, module, context->artifacts, err);
    if (rc == LWB_OK)
        rc = warm_externals(plan, node, err);
    if (rc == LWB_OK && component)
        rc = lwb_plan_components(plan, index, context, component, ctx, err);
    if (rc < 0)
        return rc;
    lwb_hasher_text(plan->hasher, 'S', KEY_SCHEMA);
    hash_session(plan, batch, context);
    lwb_hasher_field(plan->hasher, 'm', lwb_plan_name(plan, node->name));
    lwb_hasher_text(plan->hasher, 'l', module->label);
    lwb_hasher_digest(plan->hasher, 's', &module->source);
    rc = hash_plugins(plan, batch, err);
    if (rc == LWB_OK)
        rc = hash_imports(plan, node, err);
    key = lwb_hasher_end(plan->hasher);
    if (rc == LWB_OK)
        *out = key;
    return rc;
}

int lwb_plan_closure(struct lwb_digest *out, struct lwb_plan *plan, size_t batch,
                     const struct lwb_digest *artifacts, struct lwb_error *err)
{
    size_t index = plan->batches[batch].modules[0];
    const struct lwb_plan_module *module = lwb_plan_module(plan, index);
    const struct lwb_node *node = &plan->nodes[plan->order[index]];
    struct lwb_digest closure;
    int rc = prepare(plan, err);

    if (rc == LWB_OK)
        rc = make_closures(plan, module, artifacts, err);
    if (rc == LWB_OK)
        rc = warm_externals(plan, node, err);
    if (rc < 0)
        return rc;
    lwb_hasher_text(plan->hasher, 'S', "lwbuild closure 1");
    rc = hash_imports(plan, node, err);
    closure = lwb_hasher_end(plan->hasher);
    if (rc == LWB_OK)
        *out = closure;
    return rc;
}
