#include "lwbuild/plan/lake_tree.h"

#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_built.h"
#include "lwbuild/plan/link_tree.h"
#include "lwbuild/plan/tree_stamp.h"

/*
 * Three steps, each only when the one before asks for it: the names in the build
 * folder say whether there is a module without .olean file, or one whose .olean
 * may be of an earlier build; how its traces look says whether the tree is known
 * from before; then thousands of traces are read.
 *
 * Which files a tree leads to follows from the build folder alone. An .olean
 * that lies there counts, unless Lake's note of its hash says that it is not the
 * one that the trace speaks of: the first Lakes with an artifact cache left files
 * of earlier builds where they were. Only where Lake's cache may be in several
 * places it is looked at what is there.
 */
enum { MAX_TRACE = 64 * 1024 * 1024, MAX_HASH = 4096 };

struct making {
    const struct lwb_lake_trees *trees;
    const struct lwb_lake_built *built;
    struct lwb_link_tree *links;
    size_t n_artifacts; /* modules that lead to some */
    struct lwb_error *err;
};

/* Remembered in a tree's place: the build folder has all that counts. */
static const struct lwb_digest no_tree;

/* ---- what leads where ---- */

static int add_link(const struct making *making, const struct lwb_lake_built_module *module,
                    enum lwb_lake_part part, char *target)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&name, "%s.%s", module->stem, lwb_lake_part_extension(part));
    return lwb_link_tree_add(making->links, lwb_buf_take(&name), target, making->err);
}

/* The first folder of artifacts that has it, else where Lake would put it. */
static char *artifact_path(const struct lwb_strvec *folders, const char *name)
{
    for (size_t i = 0; folders->count > 1 && i < folders->count; i++) {
        char *path = lwb_path_join(folders->items[i], name);

        if (!path || access(path, F_OK) == 0)
            return path;
        lwb_free(path);
    }
    return lwb_path_join(folders->items[0], name);
}

static int link_artifacts(struct making *making, const struct lwb_lake_built_module *module,
                          const struct lwb_lake_outputs *outputs)
{
    int rc = LWB_OK;

    making->n_artifacts++;
    for (unsigned part = 0; rc == LWB_OK && part < LWB_LAKE_PARTS; part++)
        if (outputs->names[part][0])
            rc = add_link(making, module, part,
                          artifact_path(making->trees->artifacts, outputs->names[part]));
    return rc;
}

static int link_files(const struct making *making, const struct lwb_lake_built_module *module)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    int rc = LWB_OK;

    for (unsigned part = 0; rc == LWB_OK && part < LWB_LAKE_PARTS; part++) {
        if (!(module->has & 1U << part))
            continue;
        rc = lwb_lake_built_path(&path, making->built, module, lwb_lake_part_extension(part),
                                 making->err);
        if (rc == LWB_OK)
            rc = add_link(making, module, part, lwb_strdup(path.ptr));
    }
    return rc;
}

/* 1 when the trace was read and names outputs. One that cannot be read names none. */
static int read_outputs(const struct making *making, const struct lwb_lake_built_module *module,
                        struct lwb_lake_outputs *outputs)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace = LWB_BUF(MAX_TRACE);
    struct lwb_error ignored;
    int rc = lwb_lake_built_path(&path, making->built, module, "trace", making->err);

    if (rc < 0)
        return rc;
    if (!(module->has & LWB_BUILT_TRACE) || lwb_file_read(&trace, path.ptr, NULL, &ignored) < 0)
        return 0;
    return lwb_lake_outputs_read(outputs, lwb_buf_bytes(&trace), making->err);
}

/* Whether the .olean of the build folder is another one than that which the trace speaks of. */
static bool is_left_over(const struct making *making, const struct lwb_lake_built_module *module,
                         const struct lwb_lake_outputs *outputs)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_HASH);
    struct lwb_error ignored;
    uint64_t said;
    uint64_t made;

    if (lwb_lake_built_path(&path, making->built, module, "olean.hash", &ignored) < 0 ||
        lwb_file_read(&text, path.ptr, NULL, &ignored) < 0)
        return false;
    text.len = strcspn(lwb_buf_text(&text), " \r\n");
    lwb_buf_append_text(&text, ".olean");
    return lwb_buf_ok(&text) && lwb_lake_artifact_hash(text.ptr, &made) &&
           lwb_lake_artifact_hash(outputs->names[LWB_LAKE_OLEAN], &said) && made != said;
}

static int link_module(struct making *making, const struct lwb_lake_built_module *module)
{
    bool has_olean = module->has & LWB_BUILT_OLEAN;
    struct lwb_lake_outputs outputs;
    int rc = 0;

    if (!has_olean || lwb_lake_built_is_told_twice(module))
        rc = read_outputs(making, module, &outputs);
    if (rc > 0 && (!has_olean || is_left_over(making, module, &outputs)))
        return link_artifacts(making, module, &outputs);
    return rc < 0 ? rc : link_files(making, module);
}

/* Make the tree, unless there is one. */
static int get_tree(char **out, const struct lwb_lake_trees *trees, struct lwb_digest *name,
                    const struct lwb_link_tree *links, struct lwb_error *err)
{
    int rc = lwb_link_tree_name(name, links, err);

    if (rc == LWB_OK)
        rc = lwb_link_tree_find(out, trees->dir, name, err);
    if (rc != 0)
        return rc;
    rc = lwb_link_tree_make(trees->dir, name, links, err);
    if (rc == LWB_OK)
        rc = lwb_link_tree_find(out, trees->dir, name, err);
    /* Never the build folder instead: what it has may be of an earlier build. */
    return rc ? rc : lwb_fail(err, LWB_ERR_SYSTEM, "%s was cleared away meanwhile", trees->dir);
}

/* 1 and the tree, or 0 and no_tree. */
static int read_traces(char **out, const struct lwb_lake_trees *trees,
                       const struct lwb_lake_built *built, struct lwb_digest *name,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_link_tree_release) struct lwb_link_tree links = { 0 };
    struct making making = { .trees = trees, .built = built, .links = &links, .err = err };
    int rc = LWB_OK;

    /* Folders count even when nothing is in them: Lean looks for A.B where there is a folder A. */
    if (lwb_strvec_copy(&links.folders, &built->folders))
        return lwb_fail_memory(err);
    for (size_t i = 0; rc == LWB_OK && i < built->n_modules; i++)
        rc = link_module(&making, &built->modules[i]);
    if (rc < 0)
        return rc;
    if (!making.n_artifacts && lwb_lake_built_is_whole(built)) {
        *name = no_tree;
        return 0;
    }
    return get_tree(out, trees, name, &links, err);
}

/* ---- memory ---- */

static int make_question(struct lwb_digest *out, const struct lwb_lake_trees *trees,
                         struct lwb_lake_built *built, bool *settled, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    const struct lwb_digest_source *digests = trees->digests;
    int64_t now_s = digests->now_s ? digests->now_s(digests->ctx) : lwb_clock_wall_s();
    struct lwb_tree_stamp stamp = { .newest_ns = 0 };
    int rc;

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'S', "lake tree 1");
    for (size_t i = 0; i < trees->artifacts->count; i++)
        lwb_hasher_text(hasher, 'a', trees->artifacts->items[i]);
    rc = lwb_lake_built_look(built, hasher, &stamp.newest_ns, trees->witnesses, err);
    *out = lwb_hasher_end(hasher);
    *settled = lwb_tree_stamp_is_settled(&stamp, now_s);
    return rc;
}

static bool leads_somewhere(const struct lwb_lake_built *built, const char *tree)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    for (size_t i = 0; i < built->n_modules; i++) {
        if (!(built->modules[i].has & LWB_BUILT_TRACE))
            continue;
        lwb_buf_clear(&path);
        lwb_buf_format(&path, "%s/%s.olean", tree, built->modules[i].stem);
        if (!lwb_buf_ok(&path) || access(path.ptr, F_OK) != 0)
            return false;
    }
    return true;
}

/*
 * 1 and the remembered tree, or NULL when none is needed; 0 when nothing is
 * remembered. Where artifacts may be in several places, a tree whose links lead
 * nowhere is not taken on trust: they may have moved.
 */
static int recall(char **out, const struct lwb_lake_trees *trees,
                  const struct lwb_lake_built *built, const struct lwb_digest *question,
                  struct lwb_error *err)
{
    const struct lwb_digest_source *digests = trees->digests;
    LWB_AUTO(lwb_free_text) char *tree = NULL;
    struct lwb_digest name;
    int rc;

    if (!digests->recall || digests->by_content ||
        digests->recall(digests->ctx, question, &name) <= 0)
        return 0;
    if (lwb_digest_compare(&name, &no_tree) != 0) {
        rc = lwb_link_tree_find(&tree, trees->dir, &name, err);
        if (rc <= 0 || (trees->artifacts->count > 1 && !leads_somewhere(built, tree)))
            return rc < 0 ? rc : 0;
    }
    *out = LWB_TAKE(tree);
    return 1;
}

int lwb_lake_tree_get(char **out, const struct lwb_lake_trees *trees, const char *lib,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_lake_built_release) struct lwb_lake_built built = { 0 };
    const struct lwb_digest_source *digests = trees->digests;
    struct lwb_digest question;
    struct lwb_digest name;
    char *known = NULL;
    bool settled = false;
    int rc = lwb_lake_built_scan(&built, lib, err);

    if (rc < 0)
        return rc;
    if (lwb_lake_built_is_whole(&built) && !lwb_lake_built_has_notes(&built))
        return 0;
    rc = make_question(&question, trees, &built, &settled, err);
    if (rc == LWB_OK)
        rc = recall(&known, trees, &built, &question, err);
    if (known)
        *out = known;
    if (rc != 0)
        return rc < 0 ? rc : known != NULL;
    rc = read_traces(out, trees, &built, &name, err);
    if (rc >= 0 && settled && digests->remember)
        digests->remember(digests->ctx, &question, &name);
    return rc;
}
