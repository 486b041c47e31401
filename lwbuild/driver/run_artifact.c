#include "lwbuild/driver/run_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/module_key.h"

/*
 * What modules leave for those that import them: objects of the cache, linked
 * into a tree that is first on the workers' search path.
 */

/* As the cache wants them; the caller frees the list, not the names. */
struct lwb_cache_artifact *lwb_run_list_artifacts(const struct run_module *module)
{
    struct lwb_cache_artifact *list = lwb_alloc_array(module->n_artifacts, sizeof(*list));

    for (size_t i = 0; list && i < module->n_artifacts; i++)
        list[i] =
            (struct lwb_cache_artifact){ module->artifacts[i].part, module->artifacts[i].digest,
                                         module->artifacts[i].size };
    return list;
}

int lwb_run_digest_artifacts(struct lwb_run *run, size_t index, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *list = NULL;
    const struct run_module *module = &run->modules[index];

    if (!module->plan->imported)
        return LWB_OK; /* nobody asks */
    list = lwb_run_list_artifacts(module);
    return list ? lwb_module_artifact_digest(&run->artifacts[index], list, module->n_artifacts, err)
                : lwb_fail_memory(err);
}

int lwb_run_add_artifact(struct run_module *module, const char *part,
                         const struct lwb_digest *digest, uint64_t size)
{
    struct run_artifact *grown =
        lwb_realloc(module->artifacts, (module->n_artifacts + 1) * sizeof(*grown));
    char *copy = lwb_strdup(part);

    if (grown)
        module->artifacts = grown;
    if (!grown || !copy) {
        lwb_free(copy);
        return -1;
    }
    grown[module->n_artifacts++] = (struct run_artifact){ copy, *digest, size };
    return 0;
}

/* ---- the tree of links -------------------------------------------------------------------- */

/* <tree>/A/B.<part> for module A.B; guillemets of a component are not part of the file's name. */
static char *tree_path(const struct lwb_run *run, const struct run_module *module, const char *part)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    const char *label = module->plan->label;
    const char *dot = strrchr(label, '.');

    lwb_buf_format(&path, "%s/%.*s.%s", run->tree, (int)(dot ? dot - label : (long)strlen(label)),
                   label, part);
    return lwb_buf_take(&path);
}

static int make_parent(const char *path, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *dir = lwb_path_dirname(path);

    return dir ? lwb_file_make_dirs(dir, 0700, err) : lwb_fail_memory(err);
}

static int link_artifact(struct lwb_run *run, const struct run_module *module,
                         const struct run_artifact *artifact, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf object = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_free_text) char *path = tree_path(run, module, artifact->part);
    int rc;

    if (!path)
        return lwb_fail_memory(err);
    rc = make_parent(path, err);
    if (rc == LWB_OK)
        rc = lwb_cache_object_path(run->world->cache, &artifact->digest, &object, err);
    if (rc < 0)
        return rc;
    if (symlink(lwb_buf_text(&object), path) != 0 && errno != EEXIST)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot link %s", path);
    return LWB_OK;
}

static int link_module(struct lwb_run *run, size_t index, struct lwb_error *err)
{
    struct run_module *module = &run->modules[index];

    if (module->linked)
        return LWB_OK;
    for (size_t i = 0; i < module->plan->n_imports; i++)
        if (link_module(run, module->plan->imports[i], err) < 0)
            return err->code;
    for (size_t i = 0; i < module->n_artifacts; i++)
        if (link_artifact(run, module, &module->artifacts[i], err) < 0)
            return err->code;
    module->linked = true;
    return LWB_OK;
}

int lwb_run_link_imports(struct lwb_run *run, size_t batch, struct lwb_error *err)
{
    const struct lwb_plan_batch *plan = run->batches[batch].plan;
    const struct lwb_plan_module *first = lwb_plan_module(run->plan, plan->modules[0]);

    /* All modules of a batch have the same imports. */
    for (size_t i = 0; i < first->n_imports; i++)
        if (link_module(run, first->imports[i], err) < 0)
            return err->code;
    return LWB_OK;
}

/* Without a cache to keep objects the file itself goes into the tree. */
static int place_in_tree(struct lwb_run *run, struct run_module *module,
                         const struct lwb_artifact *artifact, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = tree_path(run, module, artifact->part);

    if (!path)
        return lwb_fail_memory(err);
    if (make_parent(path, err) < 0)
        return err->code;
    if (rename(artifact->path, path) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot move %s", artifact->path);
    return LWB_OK;
}

int lwb_run_place_artifacts(struct lwb_run *run, size_t index,
                            const struct lwb_check_response *response, struct lwb_error *err)
{
    struct run_module *module = &run->modules[index];
    bool adopt = run->world->cache && run->world->may_store;

    for (size_t i = 0; i < response->n_artifacts; i++) {
        const struct lwb_artifact *artifact = &response->artifacts[i];
        int rc = adopt ? lwb_cache_adopt(run->world->cache, artifact->path, &artifact->digest, err)
                       : place_in_tree(run, module, artifact, err);

        if (rc < 0)
            return rc;
        if (lwb_run_add_artifact(module, artifact->part, &artifact->digest, artifact->size))
            return lwb_fail_memory(err);
    }
    module->linked = !adopt;
    return lwb_run_digest_artifacts(run, index, err);
}

/* ---- objects that kill ---------------------------------------------------------------------- */

static void condemn_if_damaged(struct lwb_run *run, const struct run_module *module,
                               const struct run_artifact *artifact)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_digest now;
    struct lwb_error err;

    if (lwb_cache_object_path(run->world->cache, &artifact->digest, &path, &err) < 0)
        return;
    if (lwb_digest_file(&now, lwb_buf_text(&path), &err) == LWB_OK &&
        lwb_digest_compare(&now, &artifact->digest) == 0)
        return;
    fprintf(stderr, "lwbuild: the cached %s of %s is damaged: it is removed; run again\n",
            artifact->part, module->plan->name);
    (void)lwb_cache_condemn(run->world->cache, &artifact->digest, &err);
}

static void inspect_imports(struct lwb_run *run, size_t index, bool *seen)
{
    const struct run_module *module = &run->modules[index];

    for (size_t i = 0; i < module->plan->n_imports; i++) {
        size_t import = module->plan->imports[i];

        if (seen[import])
            continue;
        seen[import] = true;
        for (size_t k = 0; k < run->modules[import].n_artifacts; k++)
            condemn_if_damaged(run, &run->modules[import], &run->modules[import].artifacts[k]);
        inspect_imports(run, import, seen);
    }
}

void lwb_run_inspect_objects(struct lwb_run *run, size_t index)
{
    LWB_AUTO(lwb_free) void *seen = NULL;

    if (!run->world->cache || !run->world->may_store)
        return;
    seen = lwb_alloc_array(run->n_modules, sizeof(bool));
    if (seen)
        inspect_imports(run, index, seen);
}
