#include "lwbuild/plan/plan_internal.h"

#include <errno.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/module_name.h"

/*
 * Local modules are found by path in the source roots, in order. What is not
 * there is looked for as an .olean, by Lean's own rule: the first entry of the
 * search path that holds the folder A/ or the file A.olean is where all of A.*
 * must be; there is no second try.
 *
 * Each question to the file system is asked once and noted as a witness. Most
 * imports of one project share a few first components, so what is known about
 * those spares nearly all questions about foreign modules.
 */
enum { NOT_ASKED = -2, NO_ENTRY = -1 };

static void join(struct lwb_buf *out, const char *dir, const char *name, const char *extension)
{
    lwb_buf_clear(out);
    lwb_buf_append_text(out, dir);
    if (out->len && out->ptr[out->len - 1] != '/')
        lwb_buf_append_char(out, '/');
    lwb_module_name_to_path(out, name);
    lwb_buf_append_text(out, extension);
}

/* 1 if dir holds the folder or the file `name`; both are noted when absent. */
static int has_prefix(struct lwb_plan *plan, const char *dir, const char *name,
                      const char *extension, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    int rc;

    join(&path, dir, name, "");
    if (!lwb_buf_ok(&path))
        return lwb_fail_memory(err);
    rc = lwb_witnesses_probe(&plan->witnesses, lwb_buf_text(&path), err);
    if (rc != 0)
        return rc;
    join(&path, dir, name, extension);
    if (!lwb_buf_ok(&path))
        return lwb_fail_memory(err);
    return lwb_witnesses_probe(&plan->witnesses, lwb_buf_text(&path), err);
}

/* What is known about the first component of `name`; NULL when memory is out. */
static struct lwb_prefix *prefix_of(struct lwb_plan *plan, uint32_t name, uint32_t *first)
{
    const char *text = lwb_names_text(&plan->names, name);
    size_t cap = plan->cap_prefixes;

    *first = lwb_names_intern(&plan->names, lwb_bytes(text, lwb_module_name_first(text)));
    if (*first == LWB_NAME_NONE)
        return NULL;
    while (*first >= plan->cap_prefixes)
        if (lwb_grow(&plan->prefixes, &plan->cap_prefixes, plan->cap_prefixes,
                     sizeof(*plan->prefixes)))
            return NULL;
    for (; cap < plan->cap_prefixes; cap++)
        plan->prefixes[cap] = (struct lwb_prefix){ .entry = NOT_ASKED };
    return &plan->prefixes[*first];
}

static struct lwb_resolution *resolution_of(struct lwb_plan *plan, uint32_t name)
{
    size_t cap = plan->cap_resolved;

    while (name >= plan->cap_resolved)
        if (lwb_grow(&plan->resolved, &plan->cap_resolved, plan->cap_resolved,
                     sizeof(*plan->resolved)))
            return NULL;
    memset(plan->resolved + cap, 0, (plan->cap_resolved - cap) * sizeof(*plan->resolved));
    return &plan->resolved[name];
}

static uint16_t library_of(const struct lwb_plan *plan, const char *name, const char *source_root)
{
    const struct lwb_project *project = &plan->project;
    size_t best = 0;
    size_t best_len = 0;
    bool same_dir = false;

    for (size_t i = 0; i < project->n_libraries; i++) {
        const struct lwb_library *library = &project->libraries[i];

        for (size_t k = 0; k < library->roots.count; k++) {
            size_t len = strlen(library->roots.items[k]);

            if (len > best_len && lwb_module_name_is_below(library->roots.items[k], name)) {
                best = i;
                best_len = len;
            }
        }
        if (!best_len && !same_dir && strcmp(library->src_dir, source_root) == 0) {
            best = i;
            same_dir = true;
        }
    }
    return (uint16_t)best;
}

int lwb_plan_add_node(struct lwb_plan *plan, const char *path, uint32_t name, size_t source_root,
                      uint32_t *node, struct lwb_error *err)
{
    const char *root = plan->source_roots.items[source_root];
    uint32_t number = lwb_names_intern(&plan->paths, lwb_bytes_text(path));
    size_t root_len = strlen(root);

    if (number == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    *node = number;
    if (number < plan->n_nodes)
        return LWB_OK;
    if (lwb_grow(&plan->modules, &plan->cap_modules, number, sizeof(*plan->modules)) ||
        lwb_grow(&plan->nodes, &plan->cap_nodes, number, sizeof(*plan->nodes)))
        return lwb_fail_memory(err);
    path = lwb_names_text(&plan->paths, number);
    plan->modules[number] = (struct lwb_plan_module){
        .path = path,
        .label = lwb_path_is_below(root, path) ? path + root_len + (root[root_len - 1] != '/')
                                               : lwb_path_basename(path),
        .source_root = root,
    };
    plan->nodes[number] = (struct lwb_node){
        .name = name,
        .library = library_of(plan, lwb_names_text(&plan->names, name), root),
    };
    plan->n_nodes++;
    return LWB_OK;
}

/* 1 if source root `root` may hold modules whose first component is that of `name`. */
static int root_has_prefix(struct lwb_plan *plan, uint32_t name, size_t root, struct lwb_error *err)
{
    uint32_t bit = UINT32_C(1) << root;
    uint32_t first;
    struct lwb_prefix *prefix = prefix_of(plan, name, &first);
    int rc;

    if (!prefix)
        return lwb_fail_memory(err);
    if (prefix->local_known & bit)
        return (prefix->local & bit) != 0;
    rc = has_prefix(plan, plan->source_roots.items[root], lwb_names_text(&plan->names, first),
                    ".lean", err);
    if (rc < 0)
        return rc;
    prefix->local_known |= bit;
    if (rc > 0)
        prefix->local |= bit;
    return rc;
}

/* 1 and the node when `path` is a file. */
static int find_in_root(struct lwb_plan *plan, uint32_t name, size_t root, struct lwb_buf *path,
                        uint32_t *node, struct lwb_error *err)
{
    uint32_t known;
    struct stat st;

    join(path, plan->source_roots.items[root], lwb_names_text(&plan->names, name), ".lean");
    if (!lwb_buf_ok(path))
        return lwb_fail_memory(err);
    known = lwb_names_find(&plan->paths, lwb_buf_bytes(path));
    if (known != LWB_NAME_NONE) {
        *node = known;
        return 1;
    }
    if (stat(path->ptr, &st) == 0 && !S_ISDIR(st.st_mode)) {
        int rc = lwb_plan_add_node(plan, path->ptr, name, root, node, err);

        return rc < 0 ? rc : 1;
    }
    return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_ABSENT, path->ptr, NULL, err);
}

int lwb_plan_resolve_local(struct lwb_plan *plan, uint32_t name, uint32_t *node,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    for (size_t root = 0; root < plan->source_roots.count; root++) {
        int rc = root_has_prefix(plan, name, root, err);

        if (rc > 0)
            rc = find_in_root(plan, name, root, &path, node, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            struct lwb_node *found = &plan->nodes[*node];

            /* A file that was given by path and is imported by name has that name. */
            if (found->stem_name) {
                found->name = name;
                found->stem_name = false;
            }
            return 1;
        }
    }
    return 0;
}

/* The entry of the search path that holds all modules with this first component, or NO_ENTRY. */
static int find_entry(struct lwb_plan *plan, uint32_t name, int *entry, struct lwb_error *err)
{
    uint32_t first;
    struct lwb_prefix *prefix = prefix_of(plan, name, &first);

    if (!prefix)
        return lwb_fail_memory(err);
    *entry = prefix->entry;
    if (*entry != NOT_ASKED)
        return LWB_OK;
    *entry = NO_ENTRY;
    for (size_t i = 0; i < plan->search.count && *entry == NO_ENTRY; i++) {
        int rc = has_prefix(plan, plan->search.items[i], lwb_names_text(&plan->names, first),
                            ".olean", err);

        if (rc < 0)
            return rc;
        if (rc > 0)
            *entry = (int)i;
    }
    prefix->entry = *entry;
    return LWB_OK;
}

/* plan->foreign[name], with room made for it. */
static uint32_t *foreign_of(struct lwb_plan *plan, uint32_t name)
{
    size_t cap = plan->cap_foreign;

    while (name >= plan->cap_foreign)
        if (lwb_grow(&plan->foreign, &plan->cap_foreign, plan->cap_foreign, sizeof(*plan->foreign)))
            return NULL;
    memset(plan->foreign + cap, 0, (plan->cap_foreign - cap) * sizeof(*plan->foreign));
    return &plan->foreign[name];
}

static int add_external(struct lwb_plan *plan, uint32_t name, struct lwb_bytes path, int entry,
                        struct lwb_error *err)
{
    char *copy = lwb_arena_strndup(&plan->arena, path.ptr, path.len);

    if (!copy || lwb_grow(&plan->externals, &plan->cap_externals, plan->n_externals,
                          sizeof(*plan->externals)))
        return lwb_fail_memory(err);
    plan->externals[plan->n_externals++] =
        (struct lwb_external){ .name = name, .path = copy, .entry = (uint32_t)entry };
    return LWB_OK;
}

int lwb_plan_resolve_external(struct lwb_plan *plan, uint32_t name, uint32_t *external,
                              struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    uint32_t *known = foreign_of(plan, name);
    int entry = NO_ENTRY;
    int rc;

    if (!known)
        return lwb_fail_memory(err);
    if (*known) {
        *external = *known - 1;
        return 1;
    }
    rc = find_entry(plan, name, &entry, err);
    if (rc < 0 || entry == NO_ENTRY)
        return rc;
    join(&path, plan->search.items[entry], lwb_names_text(&plan->names, name), ".olean");
    if (!lwb_buf_ok(&path))
        return lwb_fail_memory(err);
    if (access(path.ptr, F_OK) != 0)
        return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_ABSENT, path.ptr, NULL, err);
    rc = add_external(plan, name, lwb_buf_bytes(&path), entry, err);
    if (rc < 0)
        return rc;
    *external = (uint32_t)plan->n_externals - 1;
    *known = *external + 1;
    return 1;
}

static void list_folders(struct lwb_buf *out, const struct lwb_strvec *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        lwb_buf_format(out, "%s%s", i ? ", " : "", folders->items[i]);
}

/* "P/A.lean:3: imports X.Y, for which there is no X/Y.lean in P and no X/Y.olean in Q, R" */
static int fail_missing(const struct lwb_plan *plan, uint32_t name, const struct lwb_asker *asker,
                        struct lwb_error *err)
{
    const char *text = lwb_names_text(&plan->names, name);
    const struct lwb_prefix *prefix = NULL;
    LWB_AUTO(lwb_buf_release) struct lwb_buf where = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(LWB_PATH_MAX);
    uint32_t first = lwb_names_find(&plan->names, lwb_bytes(text, lwb_module_name_first(text)));

    if (first != LWB_NAME_NONE && first < plan->cap_prefixes)
        prefix = &plan->prefixes[first];
    lwb_module_name_to_path(&file, text);
    lwb_buf_format(&where, "no %s.lean in ", lwb_buf_text(&file));
    list_folders(&where, &plan->source_roots);
    if (prefix && prefix->entry >= 0)
        lwb_buf_format(&where, ", no %s.olean in %s, which holds %s", lwb_buf_text(&file),
                       plan->built.items[prefix->entry], lwb_names_text(&plan->names, first));
    else if (plan->search.count) {
        lwb_buf_format(&where, ", no %s.olean in ", lwb_buf_text(&file));
        list_folders(&where, &plan->built);
    }
    lwb_plan_append_missing_hint(plan, name, &where);
    if (asker->source.len)
        return lwb_fail(err, LWB_ERR_MISSING_IMPORT, "%s:%zu: imports %s: %s", asker->path,
                        lwb_lean_line(asker->source, asker->offset), text, lwb_buf_text(&where));
    return lwb_fail(err, LWB_ERR_MISSING_IMPORT, "%s: imports %s: %s", asker->path, text,
                    lwb_buf_text(&where));
}

static bool may_do_without_init(const struct lwb_plan *plan)
{
    return strcmp(plan->host, "auto") != 0 && strcmp(plan->host, "lean") != 0;
}

int lwb_plan_resolve(struct lwb_plan *plan, uint32_t name, const struct lwb_asker *asker,
                     struct lwb_error *err)
{
    struct lwb_resolution *resolution = resolution_of(plan, name);
    uint8_t kind = LWB_LOCAL;
    uint32_t index = 0;
    int rc;

    if (!resolution)
        return lwb_fail_memory(err);
    if (resolution->kind != LWB_UNRESOLVED)
        return LWB_OK;
    rc = lwb_plan_resolve_local(plan, name, &index, err);
    if (rc == 0) {
        kind = LWB_EXTERNAL;
        rc = lwb_plan_resolve_external(plan, name, &index, err);
    }
    if (rc < 0)
        return rc;
    if (rc == 0) {
        if (asker->source.len || !may_do_without_init(plan))
            return fail_missing(plan, name, asker, err);
        kind = LWB_NOWHERE;
    }
    plan->resolved[name] = (struct lwb_resolution){ .index = index, .kind = kind };
    return LWB_OK;
}
