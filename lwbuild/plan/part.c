#include "lwbuild/plan/plan_internal.h"

/*
 * Modules of an earlier plan, taken at their word instead of being looked for.
 * What they import is read from their headers as always, so that a header that
 * has changed leads where it leads now.
 */

/* Files outside of the declared source roots have brought theirs: in the same order again. */
static int restore_source_roots(struct lwb_plan *plan, const struct lwb_strvec *roots,
                                struct lwb_error *err)
{
    struct lwb_strvec *own = &plan->source_roots;

    if (roots->count < own->count || roots->count > LWB_MAX_SOURCE_ROOTS)
        return lwb_fail(err, LWB_ERR_FORMAT, "the source roots are not those of the earlier plan");
    for (size_t i = 0; i < roots->count; i++) {
        if (i == own->count && lwb_strvec_append(own, roots->items[i]))
            return lwb_fail_memory(err);
        if (strcmp(own->items[i], roots->items[i]) != 0)
            return lwb_fail(err, LWB_ERR_FORMAT, "%s was a source root of the earlier plan",
                            roots->items[i]);
    }
    return LWB_OK;
}

static int find_root(const struct lwb_plan *plan, const char *path, size_t *root,
                     struct lwb_error *err)
{
    for (*root = 0; *root < plan->source_roots.count; ++*root)
        if (strcmp(plan->source_roots.items[*root], path) == 0)
            return LWB_OK;
    return lwb_fail(err, LWB_ERR_FORMAT, "%s is no source root", path);
}

static int restore_module(struct lwb_plan *plan, const struct lwb_plan_module *module,
                          struct lwb_error *err)
{
    uint32_t name = lwb_names_intern(&plan->names, lwb_bytes_text(module->name));
    uint32_t node = 0;
    size_t root;
    int rc;

    if (name == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    if (module->library >= plan->project.n_libraries)
        return lwb_fail(err, LWB_ERR_FORMAT, "%s is of a library that is not there", module->name);
    rc = find_root(plan, module->source_root, &root, err);
    if (rc == LWB_OK)
        rc = lwb_plan_add_node(plan, module->path, name, root, &node, err);
    if (rc < 0)
        return rc;
    plan->modules[node].listed = module->listed;
    plan->nodes[node].stem_name = module->loose;
    plan->nodes[node].library = module->library;
    return LWB_OK;
}

int lwb_plan_restore(struct lwb_plan *plan, const struct lwb_plan_part *part, struct lwb_error *err)
{
    int rc = restore_source_roots(plan, part->source_roots, err);

    for (size_t i = 0; rc == LWB_OK && i < part->n_modules; i++)
        rc = restore_module(plan, &part->modules[i], err);
    return rc;
}
