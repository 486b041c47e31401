#include "lwbuild/plan/plan_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/module_name.h"

/* Which modules are asked for: names, files, folders and globs, or a library's own. */

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

static int list_file(struct lwb_plan *plan, const char *path, struct lwb_error *err)
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

/* ---- folders ---- */

struct listing {
    struct lwb_plan *plan;
    int (*file)(struct lwb_plan *plan, const char *path, struct lwb_error *err);
    bool skip_builds; /* a whole project: not what tools put there */
    dev_t devices[MAX_DEPTH];
    ino_t inodes[MAX_DEPTH];
    size_t depth;
};

static bool is_wanted(const struct listing *listing, const char *name)
{
    static const char *const tools[] = { "build", "lake-packages", "lean_packages" };

    if (name[0] == '.')
        return false;
    for (size_t i = 0; listing->skip_builds && i < LWB_COUNT(tools); i++)
        if (strcmp(name, tools[i]) == 0)
            return false;
    return true;
}

/* Entries carry in front of their name whether the folder knew them to be files. */
enum { IS_FILE = 'f', IS_ANYTHING = '?' };

static int add_entry(const struct listing *listing, const struct dirent *entry,
                     struct lwb_strvec *entries)
{
    char text[sizeof(entry->d_name) + 1];
    bool file = entry->d_type == DT_REG;
    size_t len = strlen(entry->d_name);

    if (!is_wanted(listing, entry->d_name) ||
        (file && !lwb_path_has_suffix(entry->d_name, ".lean")))
        return 0;
    text[0] = file ? IS_FILE : IS_ANYTHING;
    memcpy(text + 1, entry->d_name, len);
    return lwb_strvec_append_len(entries, text, len + 1);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

/* The wanted entries of a folder, sorted, so that plans are the same everywhere. */
static int read_folder(const struct listing *listing, const char *path, struct lwb_strvec *entries,
                       struct lwb_error *err)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int rc = LWB_OK;

    if (!dir)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", path);
    for (errno = 0; rc == LWB_OK && (entry = readdir(dir)) != NULL; errno = 0)
        if (add_entry(listing, entry, entries))
            rc = lwb_fail_memory(err);
    if (rc == LWB_OK && errno)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", path);
    closedir(dir);
    if (entries->count)
        qsort(entries->items, entries->count, sizeof(*entries->items), compare_entries);
    return rc;
}

/* A link back to a folder that we are in must not be followed for ever. */
static bool is_inside(const struct listing *listing, const struct stat *st)
{
    for (size_t i = 0; i < listing->depth; i++)
        if (listing->devices[i] == st->st_dev && listing->inodes[i] == st->st_ino)
            return true;
    return false;
}

static int list_folder(struct listing *listing, const char *path, const struct stat *st,
                       struct lwb_error *err);

static int list_entry(struct listing *listing, const char *dir, const char *entry,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, entry + 1);
    struct stat st;

    if (!path)
        return lwb_fail_memory(err);
    if (entry[0] == IS_FILE)
        return listing->file(listing->plan, path, err);
    if (stat(path, &st) != 0)
        return LWB_OK; /* a dangling link */
    if (S_ISDIR(st.st_mode))
        return list_folder(listing, path, &st, err);
    return lwb_path_has_suffix(path, ".lean") ? listing->file(listing->plan, path, err) : LWB_OK;
}

static int list_folder(struct listing *listing, const char *path, const struct stat *st,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_file_stat seen;
    int rc;

    if (is_inside(listing, st))
        return LWB_OK;
    if (listing->depth == MAX_DEPTH)
        return lwb_fail(err, LWB_ERR_LIMIT, "%s: folders nested deeper than %d", path, MAX_DEPTH);
    listing->devices[listing->depth] = st->st_dev;
    listing->inodes[listing->depth++] = st->st_ino;
    lwb_file_stat_from(&seen, st);
    rc = lwb_witnesses_add(&listing->plan->witnesses, LWB_WITNESS_FOLDER, path, &seen, err);
    if (rc == LWB_OK)
        rc = read_folder(listing, path, &entries, err);
    for (size_t i = 0; rc == LWB_OK && i < entries.count; i++)
        rc = list_entry(listing, path, entries.items[i], err);
    listing->depth--;
    return rc;
}

/* All .lean files below `path`. A folder that is not there has none. */
static int list_tree(struct lwb_plan *plan, const char *path, bool skip_builds,
                     struct lwb_error *err)
{
    struct listing listing = { .plan = plan, .file = list_lean_file, .skip_builds = skip_builds };
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return list_folder(&listing, path, &st, err);
    return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_ABSENT, path, NULL, err);
}

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
        rc = list_tree(plan, path.ptr, false, err);
    }
    if (rc == LWB_OK && plan->n_nodes == before)
        return lwb_fail(err, LWB_ERR_NO_MODULES, "no module matches %s", glob);
    return rc;
}

/* Anything else is a path. */
static bool is_name(const char *target)
{
    return !strchr(target, '/') && strcmp(target, ".") != 0 && strcmp(target, "..") != 0 &&
           !lwb_path_has_suffix(target, ".lean") && !is_export(target);
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
    return S_ISDIR(st.st_mode) ? list_tree(plan, path, false, err) : list_file(plan, path, err);
}

/* ---- libraries ---- */

static int list_library(struct lwb_plan *plan, const struct lwb_library *library,
                        struct lwb_error *err)
{
    int rc = LWB_OK;

    if (library->whole)
        return list_tree(plan, library->src_dir, true, err);
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
