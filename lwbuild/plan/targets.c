#include "lwbuild/plan/plan_internal.h"

#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/module_name.h"

/*
 * Which modules are asked for: names and globs, or a library's own; files and
 * folders: target_files.c.
 */

/* ---- names and globs ---- */

static int list_module(struct lwb_plan *plan, struct lwb_bytes text, bool optional,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    uint32_t number;
    uint32_t node;
    int rc;

    if (!lwb_module_name_append(&name, text))
        return lwb_fail(err, LWB_ERR_MODULE_NAME, "'%.*s' is not a module name", (int)text.len,
                        text.ptr);
    number = lwb_names_intern(&plan->names, lwb_buf_bytes(&name));
    if (number == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    rc = lwb_plan_resolve_local(plan, number, &node, err);
    if (rc < 0)
        return rc;
    if (rc > 0)
        plan->modules[node].listed = true;
    else if (!optional)
        return lwb_fail(err, LWB_ERR_MODULE_NAME, "no module %s: no such file in %s%s",
                        lwb_buf_text(&name),
                        plan->source_roots.count ? plan->source_roots.items[0] : "any folder",
                        plan->source_roots.count > 1 ? " or the other source roots" : "");
    return LWB_OK;
}

/* Lake's globs: "A" is the module, "A.+" those below it, "A.*" both. */
static int list_glob(struct lwb_plan *plan, const char *glob, struct lwb_error *err)
{
    size_t len = strlen(glob);
    bool below = len > 2 && glob[len - 2] == '.' && (glob[len - 1] == '+' || glob[len - 1] == '*');
    struct lwb_bytes base = lwb_bytes(glob, below ? len - 2 : len);
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    size_t before = plan->n_nodes;
    int rc = LWB_OK;

    if (!below || glob[len - 1] == '*')
        rc = list_module(plan, base, below, err);
    if (rc < 0 || !below)
        return rc;
    if (!lwb_module_name_append(&name, base))
        return lwb_fail(err, LWB_ERR_MODULE_NAME, "'%s' is not a module glob", glob);
    for (size_t i = 0; rc == LWB_OK && i < plan->source_roots.count; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

        lwb_buf_format(&path, "%s/", plan->source_roots.items[i]);
        lwb_module_name_to_path(&path, lwb_buf_text(&name));
        if (!lwb_buf_ok(&path))
            return lwb_fail_memory(err);
        rc = lwb_plan_list_tree(plan, path.ptr, LWB_LISTING_OF_SOURCES, err);
    }
    if (rc == LWB_OK && plan->n_nodes == before)
        return lwb_fail(err, LWB_ERR_NO_MODULES, "no module matches %s", glob);
    return rc;
}

/* Anything else is a path. */
static bool is_name(const char *target)
{
    return !strchr(target, '/') && strcmp(target, ".") != 0 && strcmp(target, "..") != 0 &&
           !lwb_path_has_suffix(target, ".lean") && !lwb_path_has_suffix(target, ".ndjson");
}

static int list_target(struct lwb_plan *plan, const char *cwd, const char *target,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = NULL;
    struct stat st;

    if (is_name(target))
        return list_glob(plan, target, err);
    path = lwb_path_absolute(cwd, target);
    if (!path)
        return lwb_fail_memory(err);
    if (stat(path, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", target);
    return S_ISDIR(st.st_mode) ? lwb_plan_list_tree(plan, path, LWB_LISTING_OF_SOURCES, err)
                               : lwb_plan_list_file(plan, path, err);
}

/* ---- libraries ---- */

static int list_library(struct lwb_plan *plan, const struct lwb_library *library,
                        struct lwb_error *err)
{
    int rc = LWB_OK;

    if (library->whole)
        return lwb_plan_list_tree(plan, library->src_dir, LWB_LISTING_OF_PROJECT, err);
    for (size_t i = 0; rc == LWB_OK && i < library->globs.count; i++)
        rc = list_glob(plan, library->globs.items[i], err);
    return rc < 0 && *library->name ? lwb_error_context(err, "library %s", library->name) : rc;
}

static int fail_unknown_library(const struct lwb_plan *plan, const char *name,
                                struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf known = LWB_BUF(LWB_PATH_MAX);
    const struct lwb_project *project = &plan->project;

    for (size_t i = 0; i < project->n_libraries; i++)
        if (*project->libraries[i].name)
            lwb_buf_format(&known, "%s%s", known.len ? ", " : "", project->libraries[i].name);
    return lwb_fail(err, LWB_ERR_TARGET, "no library %s in %s, which declares %s", name,
                    project->root, known.len ? known.ptr : "none");
}

static int list_libraries(struct lwb_plan *plan, const char *wanted, struct lwb_error *err)
{
    const struct lwb_project *project = &plan->project;
    bool found = false;
    bool defaults = false;
    bool libraries = false;
    int rc = LWB_OK;

    for (size_t i = 0; i < project->n_libraries; i++) {
        defaults |= project->libraries[i].is_default;
        libraries |= !project->libraries[i].executable;
    }
    for (size_t i = 0; rc == LWB_OK && i < project->n_libraries; i++) {
        const struct lwb_library *library = &project->libraries[i];
        bool asked = wanted     ? strcmp(library->name, wanted) == 0
                     : defaults ? library->is_default
                                : !libraries || !library->executable;

        if (asked)
            rc = list_library(plan, library, err);
        found |= asked;
    }
    return rc == LWB_OK && !found ? fail_unknown_library(plan, wanted, err) : rc;
}

int lwb_plan_find_targets(struct lwb_plan *plan, const struct lwb_plan_config *config,
                          struct lwb_error *err)
{
    const struct lwb_strvec *targets = config->targets;
    int rc = LWB_OK;

    if (targets && targets->count)
        for (size_t i = 0; rc == LWB_OK && i < targets->count; i++)
            rc = list_target(plan, config->cwd, targets->items[i], err);
    else
        rc = list_libraries(plan, config->library, err);
    if (rc == LWB_OK && !plan->n_nodes)
        return lwb_fail(err, LWB_ERR_NO_MODULES, "%s: there are no modules to check",
                        plan->project.root);
    return rc;
}
