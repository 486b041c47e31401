#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_cache.h"
#include "lwbuild/plan/lake_tree.h"

/*
 * Import paths, the packages' build folders, the toolchain's own: in this order.
 * A package that has some of its files in Lake's artifact cache only takes part
 * with a tree of links (lake_tree.h); people are told of its build folder.
 */
int lwb_plan_add_folder(struct lwb_strvec *folders, const char *base, const char *dir,
                        struct lwb_error *err)
{
    char *path = lwb_path_absolute(base, dir);

    if (!path)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < folders->count; i++)
        if (strcmp(folders->items[i], path) == 0) {
            lwb_free(path);
            return LWB_OK;
        }
    return lwb_strvec_append_take(folders, path) ? lwb_fail_memory(err) : LWB_OK;
}

int lwb_plan_add_folders(struct lwb_strvec *folders, const char *base,
                         const struct lwb_strvec *dirs, struct lwb_error *err)
{
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && dirs && i < dirs->count; i++)
        rc = lwb_plan_add_folder(folders, base, dirs->items[i], err);
    return rc;
}

size_t lwb_plan_package_of(const struct lwb_plan *plan, size_t entry)
{
    const struct lwb_project *project = &plan->project;

    for (size_t i = 0; i < project->search.count; i++)
        if (strcmp(project->search.items[i], plan->built.items[entry]) == 0)
            return i;
    return SIZE_MAX;
}

bool lwb_plan_is_tree(const struct lwb_plan *plan, size_t entry)
{
    return strcmp(plan->search.items[entry], plan->built.items[entry]) != 0;
}

/* ---- packages in Lake's artifact cache ---- */

/* Lakes before 4.22 have none. */
static bool may_have_artifacts(const struct lwb_plan_config *config)
{
    return config->trees && (!config->toolchain || config->toolchain->minor >= 22);
}

static int use_trees(struct lwb_plan *plan, const struct lwb_plan_config *config,
                     struct lwb_error *err)
{
    const struct lwb_lake_trees trees = {
        .dir = config->trees,
        .artifacts = &plan->artifacts,
        .digests = &plan->digests,
        .witnesses = &plan->witnesses,
    };
    int rc = LWB_OK;

    for (size_t i = 0; rc >= 0 && i < plan->search.count; i++) {
        char *tree = NULL;

        if (lwb_plan_package_of(plan, i) == SIZE_MAX)
            continue;
        rc = lwb_lake_tree_get(&tree, &trees, plan->built.items[i], err);
        if (rc <= 0)
            continue;
        lwb_free(plan->search.items[i]);
        plan->search.items[i] = tree;
    }
    return rc < 0 ? rc : LWB_OK;
}

static int replace_packages(struct lwb_plan *plan, const struct lwb_plan_config *config,
                            struct lwb_error *err)
{
    int rc;

    if (!may_have_artifacts(config) || !plan->project.search.count)
        return LWB_OK;
    rc = lwb_lake_cache_folders(&plan->artifacts, config->environment, plan->toolchain_prefix,
                                plan->project.root, err);
    return rc < 0 || !plan->artifacts.count ? rc : use_trees(plan, config, err);
}

/* ---- all of it ---- */

static int refuse_colons(const struct lwb_plan *plan, struct lwb_error *err)
{
    for (size_t i = 0; i < plan->search.count; i++)
        if (strchr(plan->search.items[i], ':'))
            return lwb_fail(err, LWB_ERR_USAGE,
                            "%s: Lean cannot use an import path with a colon in it",
                            plan->search.items[i]);
    return LWB_OK;
}

int lwb_plan_collect_search_path(struct lwb_plan *plan, const struct lwb_plan_config *config,
                                 struct lwb_error *err)
{
    int rc = lwb_plan_add_folders(&plan->search, config->cwd, config->import_paths, err);

    if (rc == LWB_OK)
        rc = lwb_plan_add_folders(&plan->search, "/", &plan->project.search, err);
    if (rc == LWB_OK && plan->toolchain_prefix)
        rc = lwb_plan_add_folder(&plan->search, plan->toolchain_prefix, "lib/lean", err);
    if (rc == LWB_OK && lwb_strvec_copy(&plan->built, &plan->search))
        rc = lwb_fail_memory(err);
    if (rc == LWB_OK)
        rc = replace_packages(plan, config, err);
    return rc < 0 ? rc : refuse_colons(plan, err);
}
