#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/utf8.h"
#include "lwbuild/plan/module_name.h"

/*
 * One walk along the imports reads every header, finds the modules that are
 * only imported, and puts each module behind those that it imports. The walk
 * keeps its own stack: chains of imports are as long as users make them.
 */
struct frame {
    uint32_t node;
    uint32_t next; /* of its edges; n_edges stands for the implicit Init */
};

struct walk {
    struct lwb_plan *plan;
    struct frame *stack;
    size_t depth;
    size_t cap;
    struct lwb_buf source; /* of the module being read */
    struct lwb_buf text;
    struct lwb_lean_header header;
};

static void release_walk(struct walk *walk)
{
    lwb_free(walk->stack);
    lwb_buf_release(&walk->source);
    lwb_buf_release(&walk->text);
    lwb_lean_header_release(&walk->header);
}
LWB_DEFINE_AUTO(struct walk, release_walk);

static int check_text(const struct walk *walk, const char *path, struct lwb_error *err)
{
    struct lwb_bytes source = lwb_buf_bytes(&walk->source);
    size_t valid = lwb_utf8_valid_prefix(source);

    if (valid == source.len)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_FORMAT, "%s:%zu: not valid UTF-8", path,
                    lwb_lean_line(source, valid));
}

static int fail_name(const char *path, const struct lwb_lean_import *import,
                     const struct lwb_asker *asker, struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_MODULE_NAME, "%s:%zu: %.*s cannot be a module name", path,
                    lwb_lean_line(asker->source, asker->offset), (int)import->name.len,
                    import->name.ptr);
}

static int add_edge(struct walk *walk, const char *path, const struct lwb_lean_import *import,
                    struct lwb_error *err)
{
    struct lwb_plan *plan = walk->plan;
    struct lwb_bytes source = lwb_buf_bytes(&walk->source);
    struct lwb_asker asker = { path, source, (size_t)(import->name.ptr - source.ptr) };
    struct lwb_bytes spelled = import->name;
    uint32_t name;

    /* Without guillemets a name has one spelling only. */
    if (memchr(spelled.ptr, '\xC2', spelled.len)) {
        lwb_buf_clear(&walk->text);
        if (!lwb_module_name_append(&walk->text, import->name))
            return fail_name(path, import, &asker, err);
        spelled = lwb_buf_bytes(&walk->text);
    }
    name = lwb_names_intern(&plan->names, spelled);
    if (name == LWB_NAME_NONE ||
        lwb_grow(&plan->edges, &plan->cap_edges, plan->n_edges, sizeof(*plan->edges)))
        return lwb_fail_memory(err);
    plan->edges[plan->n_edges++] = (struct lwb_edge){ name, import->flags };
    return lwb_plan_resolve(plan, name, &asker, err);
}

/* Read the module, note its digest and resolve what it imports. */
static int load(struct walk *walk, uint32_t number, struct lwb_error *err)
{
    struct lwb_plan *plan = walk->plan;
    const char *path = plan->modules[number].path;
    struct lwb_file_stat st;
    struct lwb_bytes source;
    int rc;

    lwb_buf_clear(&walk->source);
    rc = lwb_file_read(&walk->source, path, &st, err);
    if (rc == LWB_OK)
        rc = check_text(walk, path, err);
    source = lwb_buf_bytes(&walk->source);
    if (rc == LWB_OK)
        rc = lwb_lean_header_parse(&walk->header, source, err);
    if (rc < 0)
        return rc;
    lwb_hasher_update(plan->hasher, source.ptr, source.len);
    plan->modules[number].source = lwb_hasher_end(plan->hasher);
    plan->modules[number].stat = st;
    plan->nodes[number].prelude = walk->header.prelude;
    plan->nodes[number].module_system = walk->header.module_system;
    plan->nodes[number].first_edge = (uint32_t)plan->n_edges;
    plan->nodes[number].n_edges = (uint32_t)walk->header.n_imports;
    for (size_t i = 0; rc == LWB_OK && i < walk->header.n_imports; i++)
        rc = add_edge(walk, path, &walk->header.imports[i], err);
    if (rc == LWB_OK && !walk->header.prelude)
        rc = lwb_plan_resolve(plan, plan->init, &(struct lwb_asker){ .path = path }, err);
    return rc;
}

static int push(struct walk *walk, uint32_t number, struct lwb_error *err)
{
    if (lwb_grow(&walk->stack, &walk->cap, walk->depth, sizeof(*walk->stack)))
        return lwb_fail_memory(err);
    walk->stack[walk->depth++] = (struct frame){ .node = number };
    walk->plan->nodes[number].state = LWB_NODE_OPEN;
    return load(walk, number, err);
}

static const char *name_of(const struct walk *walk, uint32_t number)
{
    return lwb_names_text(&walk->plan->names, walk->plan->nodes[number].name);
}

/* "A -> B -> C -> A", with the middle left out when it is long. */
static int fail_cycle(const struct walk *walk, uint32_t again, struct lwb_error *err)
{
    enum { SHOWN = 5 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    size_t start = walk->depth - 1;

    while (walk->stack[start].node != again)
        start--;
    for (size_t i = start; i < walk->depth; i++) {
        size_t from_end = walk->depth - i;

        if (i - start == SHOWN && from_end > SHOWN)
            lwb_buf_format(&path, "... %zu more ... -> ", from_end - SHOWN);
        if (i - start < SHOWN || from_end <= SHOWN)
            lwb_buf_format(&path, "%s -> ", name_of(walk, walk->stack[i].node));
    }
    return lwb_fail(err, LWB_ERR_CYCLE, "import cycle: %s%s", lwb_buf_text(&path),
                    name_of(walk, again));
}

/* The next import of the frame that is a local module: 1 and *node, or 0 at the end. */
static int next_local(struct walk *walk, struct frame *frame, uint32_t *node)
{
    const struct lwb_plan *plan = walk->plan;
    const struct lwb_node *from = &plan->nodes[frame->node];

    while (frame->next <= from->n_edges) {
        uint32_t at = frame->next++;
        uint32_t name = at < from->n_edges ? plan->edges[from->first_edge + at].name : plan->init;

        if (at == from->n_edges && from->prelude)
            return 0;
        if (plan->resolved[name].kind == LWB_LOCAL) {
            *node = plan->resolved[name].index;
            return 1;
        }
    }
    return 0;
}

static int step(struct walk *walk, struct lwb_error *err)
{
    struct lwb_plan *plan = walk->plan;
    struct frame *top = &walk->stack[walk->depth - 1];
    uint32_t number;

    if (!next_local(walk, top, &number)) {
        number = top->node;
        plan->nodes[number].state = LWB_NODE_DONE;
        plan->nodes[number].index = (uint32_t)plan->n_order;
        plan->order[plan->n_order++] = number;
        walk->depth--;
        return LWB_OK;
    }
    plan->modules[number].imported = true;
    if (plan->nodes[number].state == LWB_NODE_OPEN)
        return fail_cycle(walk, number, err);
    if (plan->nodes[number].state == LWB_NODE_DONE)
        return LWB_OK;
    return push(walk, number, err);
}

/* Export files import nothing; their content may be large and is digested elsewhere. */
static int add_export(struct lwb_plan *plan, uint32_t number, struct lwb_error *err)
{
    struct lwb_plan_module *module = &plan->modules[number];
    int rc =
        plan->digests.file(plan->digests.ctx, module->path, &module->source, &module->stat, err);

    if (rc == 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s: no such file", module->path);
    if (rc < 0)
        return rc;
    plan->nodes[number].state = LWB_NODE_DONE;
    plan->nodes[number].prelude = true;
    plan->nodes[number].index = (uint32_t)plan->n_order;
    plan->order[plan->n_order++] = number;
    return LWB_OK;
}

/* Room for the order of all nodes known so far, and those to be found. */
static int grow_order(struct lwb_plan *plan, size_t *cap, struct lwb_error *err)
{
    while (*cap < plan->n_nodes)
        if (lwb_grow(&plan->order, cap, *cap, sizeof(*plan->order)))
            return lwb_fail_memory(err);
    return LWB_OK;
}

int lwb_plan_order(struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(release_walk)
    struct walk walk = {
        .plan = plan,
        .source = LWB_BUF(LWB_MAX_SOURCE),
        .text = LWB_BUF(LWB_PATH_MAX),
    };
    size_t n_listed = plan->n_nodes;
    size_t cap = 0;
    int rc = LWB_OK;

    for (uint32_t i = 0; rc == LWB_OK && i < n_listed; i++) {
        if (plan->nodes[i].state != LWB_NODE_FOUND)
            continue;
        rc = grow_order(plan, &cap, err);
        if (rc == LWB_OK)
            rc = plan->nodes[i].is_export ? add_export(plan, i, err) : push(&walk, i, err);
        while (rc == LWB_OK && walk.depth) {
            rc = grow_order(plan, &cap, err);
            if (rc == LWB_OK)
                rc = step(&walk, err);
        }
    }
    return rc;
}
