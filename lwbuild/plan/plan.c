#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

void lwb_plan_destroy(struct lwb_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; plan->options && i < plan->project.n_libraries; i++)
        lwb_strvec_release(&plan->options[i]);
    lwb_free(plan->options);
    lwb_local_closures_destroy(plan->local_closures);
    lwb_closures_destroy(plan->closures);
    lwb_hasher_destroy(plan->hasher);
    lwb_free(plan->externals);
    lwb_free(plan->foreign);
    lwb_free(plan->prefixes);
    lwb_free(plan->resolved);
    lwb_free(plan->batches);
    lwb_free(plan->order);
    lwb_free(plan->edges);
    lwb_free(plan->nodes);
    lwb_free(plan->modules);
    lwb_witnesses_release(&plan->witnesses);
    lwb_free(plan->toolchain_prefix);
    lwb_free(plan->host);
    lwb_strvec_release(&plan->search);
    lwb_strvec_release(&plan->built);
    lwb_strvec_release(&plan->artifacts);
    lwb_strvec_release(&plan->source_roots);
    lwb_project_release(&plan->project);
    lwb_names_release(&plan->paths);
    lwb_names_release(&plan->names);
    lwb_arena_release(&plan->arena);
    lwb_free(plan);
}

/* ---- what the plan is about ---- */

/* Export files are worlds of their own: the project they lie in has no say in them. */
static bool is_about_exports(const struct lwb_plan_config *config)
{
    if (!config->targets || config->package || config->library)
        return false;
    for (size_t i = 0; i < config->targets->count; i++)
        if (!lwb_path_has_suffix(config->targets->items[i], ".ndjson"))
            return false;
    return config->targets->count > 0;
}

static int load_project(struct lwb_plan *plan, const struct lwb_plan_config *config,
                        struct lwb_error *err)
{
    struct lwb_project *project = &plan->project;
    int rc;

    if (is_about_exports(config)) {
        project->root = lwb_path_absolute(config->cwd, config->project ? config->project : ".");
        return project->root ? lwb_project_load_nothing(project, err) : lwb_fail_memory(err);
    }
    rc = lwb_project_find_root(&project->root, config->cwd, config->project, &plan->witnesses, err);
    if (rc < 0)
        return rc;
    if (rc == 0 && (!config->targets || !config->targets->count))
        return lwb_fail(err, LWB_ERR_NO_PROJECT,
                        "no lakefile.lean, lakefile.toml or lean-toolchain in %s or above: "
                        "name files, or the project with --project",
                        config->cwd);
    if (rc == 0)
        project->root = lwb_path_normalise(config->cwd);
    project->declared = rc > 0;
    if (!project->root)
        return lwb_fail_memory(err);
    return lwb_project_load(project, config->package, config->toolchain, config->lake,
                            &plan->witnesses, err);
}

static int collect_source_roots(struct lwb_plan *plan, const struct lwb_plan_config *config,
                                struct lwb_error *err)
{
    int rc = lwb_plan_add_folders(&plan->source_roots, config->cwd, config->source_roots, err);

    plan->loose_root = plan->project.declared ? SIZE_MAX : plan->source_roots.count;
    for (size_t i = 0; rc == LWB_OK && i < plan->project.n_libraries; i++)
        rc = lwb_plan_add_folder(&plan->source_roots, "/", plan->project.libraries[i].src_dir, err);
    if (rc == LWB_OK && plan->source_roots.count > LWB_MAX_SOURCE_ROOTS)
        return lwb_fail(err, LWB_ERR_LIMIT, "more than %d source roots", LWB_MAX_SOURCE_ROOTS);
    return rc;
}

static int collect_options(struct lwb_plan *plan, const struct lwb_plan_config *config,
                           struct lwb_error *err)
{
    const struct lwb_project *project = &plan->project;

    plan->options = lwb_alloc_array(project->n_libraries, sizeof(*plan->options));
    if (!plan->options)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < project->n_libraries; i++)
        if (lwb_strvec_copy(&plan->options[i], &project->libraries[i].options) ||
            (config->options && lwb_strvec_copy(&plan->options[i], config->options)))
            return lwb_fail_memory(err);
    return LWB_OK;
}

static int take_config(struct lwb_plan *plan, const struct lwb_plan_config *config,
                       const struct lwb_digest_source *digests, struct lwb_error *err)
{
    plan->digests = *digests;
    plan->host = lwb_strdup(config->host ? config->host : "auto");
    plan->hasher = lwb_hasher_create();
    plan->init = lwb_names_intern(&plan->names, lwb_bytes_text("Init"));
    if (!plan->host || !plan->hasher || plan->init == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    if (!config->toolchain)
        return LWB_OK;
    plan->has_toolchain = true;
    plan->toolchain_id = config->toolchain->identity;
    plan->toolchain_prefix = lwb_strdup(config->toolchain->prefix);
    return plan->toolchain_prefix ? LWB_OK : lwb_fail_memory(err);
}

/* ---- from nodes to the public view ---- */

static int check_toolchain(const struct lwb_plan *plan, struct lwb_error *err)
{
    bool lean = strcmp(plan->host, "auto") == 0 || strcmp(plan->host, "lean") == 0;

    for (size_t i = 0; lean && !plan->has_toolchain && i < plan->n_nodes; i++)
        if (!plan->nodes[i].is_export)
            return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN, "%s needs a Lean toolchain",
                            plan->modules[i].label);
    return LWB_OK;
}

/* One name, one module. A file that is named after its stem is imported by nobody and may share. */
static int check_names(const struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *memory = lwb_alloc_array(plan->names.count, sizeof(uint32_t));
    uint32_t *owner = memory; /* node + 1, by name */

    if (!owner)
        return lwb_fail_memory(err);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        const struct lwb_node *node = &plan->nodes[i];
        uint32_t other = owner[node->name];

        if (node->stem_name)
            continue;
        owner[node->name] = i + 1;
        if (other)
            return lwb_fail(err, LWB_ERR_DUPLICATE_MODULE, "module %s is both %s and %s",
                            lwb_names_text(&plan->names, node->name), plan->modules[other - 1].path,
                            plan->modules[i].path);
    }
    return LWB_OK;
}

struct pools {
    size_t *imports;
    const char **external;
    uint32_t *seen; /* by name: the last node, + 1, that imports it */
};

/* Each import once, the implicit Init first, as Lean has it. */
static void fill_import(struct lwb_plan *plan, uint32_t node, struct pools *pools, uint32_t name)
{
    const struct lwb_resolution *to = &plan->resolved[name];

    if (pools->seen[name] == node + 1)
        return;
    pools->seen[name] = node + 1;
    if (to->kind == LWB_LOCAL) {
        *pools->imports++ = plan->nodes[to->index].index;
        plan->modules[node].n_imports++;
    } else if (to->kind == LWB_EXTERNAL) {
        *pools->external++ = plan->externals[to->index].path;
        plan->modules[node].n_external++;
    }
}

static int fill_modules(struct lwb_plan *plan, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *seen = lwb_alloc_array(plan->names.count, sizeof(uint32_t));
    struct pools pools = { .seen = seen };
    size_t n_local = 0;
    size_t n_external = 0;

    for (size_t i = 0; i < plan->n_edges; i++)
        *(plan->resolved[plan->edges[i].name].kind == LWB_LOCAL ? &n_local : &n_external) += 1;
    /* Nobody may have asked for Init. */
    if (plan->init < plan->cap_resolved && plan->resolved[plan->init].kind == LWB_LOCAL)
        n_local += plan->n_nodes;
    else
        n_external += plan->n_nodes;
    pools.imports = lwb_arena_alloc(&plan->arena, n_local * sizeof(size_t));
    pools.external = lwb_arena_alloc(&plan->arena, n_external * sizeof(char *));
    if (!pools.imports || !pools.external || !seen)
        return lwb_fail_memory(err);
    for (uint32_t i = 0; i < plan->n_nodes; i++) {
        struct lwb_plan_module *module = &plan->modules[i];
        const struct lwb_node *node = &plan->nodes[i];

        module->name = lwb_names_text(&plan->names, node->name);
        module->loose = node->stem_name;
        module->library = node->library;
        module->imports = pools.imports;
        module->external = pools.external;
        if (!node->prelude)
            fill_import(plan, i, &pools, plan->init);
        for (uint32_t k = 0; k < node->n_edges; k++)
            fill_import(plan, i, &pools, plan->edges[node->first_edge + k].name);
    }
    return LWB_OK;
}

int lwb_plan_create(struct lwb_plan **out, const struct lwb_plan_config *config,
                    const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_plan_destroy) struct lwb_plan *plan = lwb_alloc(sizeof(*plan));
    int rc;

    if (!plan)
        return lwb_fail_memory(err);
    rc = take_config(plan, config, digests, err);
    if (rc == LWB_OK)
        rc = load_project(plan, config, err);
    if (rc == LWB_OK)
        rc = collect_source_roots(plan, config, err);
    if (rc == LWB_OK)
        rc = lwb_plan_collect_search_path(plan, config, err);
    if (rc == LWB_OK)
        rc = collect_options(plan, config, err);
    if (rc == LWB_OK)
        rc = config->part ? lwb_plan_restore(plan, config->part, err)
                          : lwb_plan_find_targets(plan, config, err);
    if (rc == LWB_OK)
        rc = check_toolchain(plan, err);
    if (rc == LWB_OK)
        rc = lwb_plan_order(plan, err);
    if (rc == LWB_OK)
        rc = check_names(plan, err);
    if (rc == LWB_OK)
        rc = fill_modules(plan, err);
    if (rc == LWB_OK)
        rc = lwb_plan_make_batches(plan, err);
    if (rc == LWB_OK)
        *out = LWB_TAKE(plan);
    return rc;
}

/* ---- questions ---- */

size_t lwb_plan_module_count(const struct lwb_plan *plan)
{
    return plan->n_order;
}

const struct lwb_plan_module *lwb_plan_module(const struct lwb_plan *plan, size_t index)
{
    return &plan->modules[plan->order[index]];
}

size_t lwb_plan_batch_count(const struct lwb_plan *plan)
{
    return plan->n_batches;
}

const struct lwb_plan_batch *lwb_plan_batch(const struct lwb_plan *plan, size_t index)
{
    return &plan->batches[index];
}

const struct lwb_strvec *lwb_plan_source_roots(const struct lwb_plan *plan)
{
    return &plan->source_roots;
}

const struct lwb_strvec *lwb_plan_search_path(const struct lwb_plan *plan)
{
    return &plan->search;
}

/* In one of the trees that take the place of a package's build folder. */
static bool is_in_tree(const struct lwb_plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->search.count; i++)
        if (lwb_plan_is_tree(plan, i) && lwb_path_is_below(plan->search.items[i], path))
            return true;
    return false;
}

void lwb_plan_witnesses(const struct lwb_plan *plan,
                        void (*visit)(void *ctx, const struct lwb_plan_witness *witness), void *ctx)
{
    const struct lwb_witnesses *set = &plan->witnesses;

    for (size_t i = 0; i < set->paths.count; i++) {
        const struct lwb_witness_entry *entry = &set->entries[i];
        const char *path = lwb_names_text(&set->paths, (uint32_t)i);
        bool folder = entry->kind == LWB_WITNESS_FOLDER;

        visit(ctx, &(struct lwb_plan_witness){
                       .kind = entry->kind,
                       .path = path,
                       .stat = &entry->stat,
                       .listing = folder ? &set->listings[entry->listing] : NULL,
                       .in_tree = is_in_tree(plan, path),
                   });
    }
    for (size_t i = 0; i < plan->n_order; i++) {
        const struct lwb_plan_module *module = lwb_plan_module(plan, i);

        visit(ctx, &(struct lwb_plan_witness){
                       .kind = LWB_WITNESS_MODULE, .path = module->path, .stat = &module->stat });
    }
}
