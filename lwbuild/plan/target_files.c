#include "lwbuild/plan/plan_internal.h"

#include <fcntl.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/module_name.h"

/* Targets that are files, or folders of them: which module each file is. */

enum { MAX_DEPTH = 64 };

/* ---- nodes from files ---- */

static bool is_export(const char *path)
{
    return lwb_path_has_suffix(path, ".ndjson");
}

static int list_node(struct lwb_plan *plan, const char *path, uint32_t name, size_t root,
                     struct lwb_error *err)
{
    uint32_t node;
    int rc = lwb_plan_add_node(plan, path, name, root, &node, err);

    if (rc == LWB_OK)
        plan->modules[node].listed = true;
    return rc;
}

/* The innermost source root above `path`, or the count of them. */
static size_t root_above(const struct lwb_plan *plan, const char *path)
{
    size_t best = plan->source_roots.count;
    size_t best_len = 0;

    for (size_t i = 0; i < plan->source_roots.count; i++) {
        const char *root = plan->source_roots.items[i];

        if (lwb_path_is_below(root, path) && strlen(root) > best_len) {
            best = i;
            best_len = strlen(root);
        }
    }
    return best;
}

static uint32_t intern_file_name(struct lwb_plan *plan, struct lwb_bytes path,
                                 struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    uint32_t number;

    if (!lwb_module_name_from_path(&name, path)) {
        (void)lwb_fail(err, LWB_ERR_MODULE_NAME, "%.*s.lean cannot be a module", (int)path.len,
                       path.ptr);
        return LWB_NAME_NONE;
    }
    number = lwb_names_intern(&plan->names, lwb_buf_bytes(&name));
    if (number == LWB_NAME_NONE)
        (void)lwb_fail_memory(err);
    return number;
}

/* Any folder may be a source root for files that no declared one holds. */
static int add_root(struct lwb_plan *plan, char *dir, size_t *root, struct lwb_error *err)
{
    if (!dir)
        return lwb_fail_memory(err);
    for (*root = 0; *root < plan->source_roots.count; ++*root)
        if (strcmp(plan->source_roots.items[*root], dir) == 0) {
            lwb_free(dir);
            return LWB_OK;
        }
    if (plan->source_roots.count == LWB_MAX_SOURCE_ROOTS) {
        lwb_free(dir);
        return lwb_fail(err, LWB_ERR_LIMIT, "more than %d source roots", LWB_MAX_SOURCE_ROOTS);
    }
    return lwb_strvec_append_take(&plan->source_roots, dir) ? lwb_fail_memory(err) : LWB_OK;
}

/* A file that no root has a name for: its stem is name enough, as long as nobody imports it. */
static int list_loose_file(struct lwb_plan *plan, const char *path, size_t root,
                           struct lwb_error *err)
{
    const char *base = lwb_path_basename(path);
    uint32_t name = intern_file_name(plan, lwb_bytes(base, strlen(base) - strlen(".lean")), err);
    uint32_t node;
    size_t before = plan->n_nodes;
    int rc;

    if (name == LWB_NAME_NONE)
        return err->code;
    if (root == plan->source_roots.count) {
        rc = add_root(plan, lwb_path_dirname(path), &root, err);
        if (rc < 0)
            return rc;
    }
    rc = lwb_plan_add_node(plan, path, name, root, &node, err);
    if (rc == LWB_OK) {
        plan->modules[node].listed = true;
        plan->nodes[node].stem_name |= node == before;
    }
    return rc;
}

static int list_lean_file(struct lwb_plan *plan, const char *path, struct lwb_error *err)
{
    size_t root = root_above(plan, path);
    size_t skip;
    uint32_t name;

    if (root == plan->source_roots.count || root == plan->loose_root)
        return list_loose_file(plan, path, root, err);
    skip = strlen(plan->source_roots.items[root]);
    while (path[skip] == '/')
        skip++;
    name =
        intern_file_name(plan, lwb_bytes(path + skip, strlen(path + skip) - strlen(".lean")), err);
    return name == LWB_NAME_NONE ? (int)err->code : list_node(plan, path, name, root, err);
}

static int list_export(struct lwb_plan *plan, const char *path, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *label = lwb_path_relative(plan->project.root, path);
    size_t before = plan->n_nodes;
    size_t root = 0;
    uint32_t name;
    uint32_t node;
    int rc;

    if (!label)
        return lwb_fail_memory(err);
    rc = add_root(plan,
                  lwb_path_is_below(plan->project.root, path) ? lwb_strdup(plan->project.root)
                                                              : lwb_path_dirname(path),
                  &root, err);
    if (rc < 0)
        return rc;
    name = lwb_names_intern(&plan->names, lwb_bytes_text(label));
    if (name == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    rc = lwb_plan_add_node(plan, path, name, root, &node, err);
    if (rc == LWB_OK) {
        plan->modules[node].listed = true;
        plan->nodes[node].is_export |= node == before;
    }
    return rc;
}

int lwb_plan_list_file(struct lwb_plan *plan, const char *path, struct lwb_error *err)
{
    bool export = is_export(path);

    if (!export && !lwb_path_has_suffix(path, ".lean"))
        return lwb_fail(err, LWB_ERR_USAGE, "%s is neither a .lean nor a .ndjson file", path);
    if (export && strcmp(plan->host, "lean") == 0)
        return lwb_fail(err, LWB_ERR_USAGE, "%s is an export: the lean host does not check it",
                        path);
    if (!export && strcmp(plan->host, "kernel") == 0)
        return lwb_fail(err, LWB_ERR_USAGE, "%s: the kernel host checks exports (.ndjson) only",
                        path);
    return export ? list_export(plan, path, err) : list_lean_file(plan, path, err);
}

/* ---- folders ------------------------------------------------------------------------------- */

struct walk {
    struct lwb_plan *plan;
    enum lwb_listing_of of;
    dev_t devices[MAX_DEPTH];
    ino_t inodes[MAX_DEPTH];
    size_t depth;
};

/* A link back to a folder that we are in must not be followed for ever. */
static bool is_inside(const struct walk *walk, const struct stat *st)
{
    for (size_t i = 0; i < walk->depth; i++)
        if (walk->devices[i] == st->st_dev && walk->inodes[i] == st->st_ino)
            return true;
    return false;
}

static int list_folder(struct walk *walk, const char *path, const struct stat *st,
                       struct lwb_error *err);

static int list_entry(struct walk *walk, const char *dir, const char *entry, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, entry + 1);
    struct stat st;

    if (!path)
        return lwb_fail_memory(err);
    if (entry[0] == LWB_ENTRY_FILE)
        return list_lean_file(walk->plan, path, err);
    if (stat(path, &st) != 0) /* a link to what is not there yet */
        return lwb_witnesses_add(&walk->plan->witnesses, LWB_WITNESS_ABSENT, path, NULL, err);
    if (S_ISDIR(st.st_mode))
        return list_folder(walk, path, &st, err);
    return lwb_path_has_suffix(path, ".lean") ? list_lean_file(walk->plan, path, err) : LWB_OK;
}

static int list_entries(struct walk *walk, const char *path, const struct stat *st,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_listing listing;
    struct lwb_file_stat seen;
    int rc = lwb_listing_read(&entries, &listing, AT_FDCWD, path, walk->of, err);

    lwb_file_stat_from(&seen, st); /* from before the entries were read */
    if (rc == LWB_OK)
        rc = lwb_witnesses_add_folder(&walk->plan->witnesses, path, &seen, &listing, err);
    for (size_t i = 0; rc == LWB_OK && i < entries.count; i++)
        rc = list_entry(walk, path, entries.items[i], err);
    return rc;
}

static int list_folder(struct walk *walk, const char *path, const struct stat *st,
                       struct lwb_error *err)
{
    int rc;

    if (is_inside(walk, st))
        return LWB_OK;
    if (walk->depth == MAX_DEPTH)
        return lwb_fail(err, LWB_ERR_LIMIT, "%s: folders nested deeper than %d", path, MAX_DEPTH);
    walk->devices[walk->depth] = st->st_dev;
    walk->inodes[walk->depth++] = st->st_ino;
    rc = list_entries(walk, path, st, err);
    walk->depth--;
    return rc;
}

int lwb_plan_list_tree(struct lwb_plan *plan, const char *path, enum lwb_listing_of of,
                       struct lwb_error *err)
{
    struct walk walk = { .plan = plan, .of = of };
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return list_folder(&walk, path, &st, err);
    return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_ABSENT, path, NULL, err);
}
