#include "lwbuild/plan/plan_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/olean.h"
#include "lwbuild/plan/tree_stamp.h"

/*
 * The closure of an external module: the content of every .olean that importing
 * it loads. Imports are read out of the files; each module's closure is made of
 * its own content and the closures of what it imports, so that shared parts
 * are hashed once.
 *
 * All imports are found before anything is hashed, so that whoever digests the
 * files can be told of all of them beforehand.
 *
 * A closure of thousands of files is asked for in every run. What it was is
 * remembered by how the folders look in which such files lie: as long as every
 * path, inode, size and time in them is the same, so is the closure. If
 * anything differs it is made again, out of digests of single files that the
 * source remembers.
 *
 * Packages are used as they were built, as long as their sources are the ones
 * that were built (staleness.c). That is looked at when a closure is made; what
 * may change it counts as a part of how the folders look.
 *
 * A file whose imports cannot be read might load anything: its closure is the
 * content of all folders on the search path.
 */
struct item {
    struct lwb_digest closure;
    uint32_t first_import; /* into `imports` */
    uint32_t n_imports;
    uint32_t next; /* import to visit */
    unsigned char state;
};

enum { NEW, OPEN, FOUND, DONE };

struct lwb_closures {
    struct item *items; /* by external */
    size_t n_items;
    size_t cap_items;
    uint32_t *imports; /* externals */
    size_t n_imports;
    size_t cap_imports;
    uint32_t *stack;
    size_t depth;
    size_t cap_stack;
    uint32_t *found; /* externals, each behind what it imports */
    size_t n_found;
    size_t cap_found;
    struct lwb_olean olean;
    struct lwb_hasher *hasher;

    bool has_world;
    struct lwb_digest world; /* how all folders of the search path look */
    bool settled;            /* and whether that may be relied on */
    bool has_content;
    struct lwb_digest content; /* what is in them */
    bool has_maker;
    struct lwb_olean maker; /* header of the toolchain's own files */
};

void lwb_closures_destroy(struct lwb_closures *closures)
{
    if (!closures)
        return;
    lwb_free(closures->items);
    lwb_free(closures->imports);
    lwb_free(closures->stack);
    lwb_free(closures->found);
    lwb_olean_release(&closures->olean);
    lwb_olean_release(&closures->maker);
    lwb_hasher_destroy(closures->hasher);
    lwb_free(closures);
}

/* ---- the folders of the search path ---- */

static int look_at_world(struct lwb_plan *plan, struct lwb_closures *closures,
                         struct lwb_error *err)
{
    const struct lwb_digest_source *digests = &plan->digests;
    int64_t now_s = digests->now_s ? digests->now_s(digests->ctx) : lwb_clock_wall_s();
    int rc = LWB_OK;

    closures->settled = true;
    for (size_t i = 0; rc == LWB_OK && i < plan->search.count; i++) {
        struct lwb_tree_stamp stamp;

        rc = lwb_plan_stamp_package(plan, i, &stamp, closures->hasher, err);
        if (rc < 0)
            break;
        closures->settled &= lwb_tree_stamp_is_settled(&stamp, now_s);
    }
    closures->world = lwb_hasher_end(closures->hasher);
    return rc;
}

static int digest_world(struct lwb_plan *plan, struct lwb_closures *closures, struct lwb_error *err)
{
    int rc = LWB_OK;

    if (closures->has_content)
        return LWB_OK;
    for (size_t i = 0; rc == LWB_OK && i < plan->search.count; i++) {
        struct lwb_digest content;

        rc =
            lwb_tree_digest(&content, plan->search.items[i], &plan->digests, &plan->witnesses, err);
        if (rc == LWB_OK)
            lwb_hasher_digest(closures->hasher, 'e', &content);
    }
    closures->content = lwb_hasher_end(closures->hasher);
    closures->has_content = rc == LWB_OK;
    return rc;
}

/* ---- who made a file ---- */

/* The toolchain's Init.olean tells which files it can load; without one nothing is compared. */
static int read_maker(const struct lwb_plan *plan, struct lwb_closures *closures,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = NULL;

    if (closures->has_maker || !plan->toolchain_prefix)
        return LWB_OK;
    closures->has_maker = true;
    path = lwb_path_join(plan->toolchain_prefix, "lib/lean/Init.olean");
    if (!path)
        return lwb_fail_memory(err);
    return lwb_olean_read(&closures->maker, path, err) < 0 ? (int)err->code : LWB_OK;
}

static int check_maker(const struct lwb_plan *plan, const struct lwb_closures *closures,
                       const struct lwb_external *module, struct lwb_error *err)
{
    const struct lwb_olean_header *file = &closures->olean.header;
    const struct lwb_olean_header *maker = &closures->maker.header;

    if (maker->layout == LWB_OLEAN_UNKNOWN || file->layout == LWB_OLEAN_UNKNOWN ||
        (file->layout == maker->layout && strcmp(file->githash, maker->githash) == 0))
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_STALE_IMPORT,
                    "%s was built by another Lean (%s%s%.12s) than the one in use: build its "
                    "package again (%s)",
                    lwb_names_text(&plan->names, module->name), file->version,
                    *file->version ? ", commit " : "commit ",
                    *file->githash ? file->githash : "unknown", module->path);
}

/* ---- one module ---- */

static struct item *item_of(struct lwb_closures *closures, uint32_t external)
{
    while (external >= closures->n_items) {
        if (lwb_grow(&closures->items, &closures->cap_items, closures->n_items,
                     sizeof(*closures->items)))
            return NULL;
        closures->items[closures->n_items++] = (struct item){ .state = NEW };
    }
    return &closures->items[external];
}

static int fail_missing(const struct lwb_plan *plan, uint32_t importer, uint32_t name,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf hint = LWB_BUF(LWB_PATH_MAX);
    const struct lwb_external *module = &plan->externals[importer];
    bool linked = lwb_plan_is_tree(plan, module->entry); /* by a path that nobody knows */

    lwb_plan_append_missing_hint(plan, name, &hint);
    return lwb_fail(err, LWB_ERR_MISSING_IMPORT,
                    "%s: imports %s, for which there is no .olean file on the search path%s",
                    linked ? lwb_names_text(&plan->names, module->name) : module->path,
                    lwb_names_text(&plan->names, name), lwb_buf_text(&hint));
}

static int add_import(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t importer,
                      const char *name, struct lwb_error *err)
{
    uint32_t number = lwb_names_intern(&plan->names, lwb_bytes_text(name));
    uint32_t external;
    int rc;

    if (number == LWB_NAME_NONE)
        return lwb_fail_memory(err);
    rc = lwb_plan_resolve_external(plan, number, &external, err);
    if (rc == 0)
        return fail_missing(plan, importer, number, err);
    if (rc < 0)
        return rc;
    if (lwb_grow(&closures->imports, &closures->cap_imports, closures->n_imports,
                 sizeof(*closures->imports)))
        return lwb_fail_memory(err);
    closures->imports[closures->n_imports++] = external;
    return LWB_OK;
}

/* Read what the file imports, and put that on the list. */
static int scan(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                struct lwb_error *err)
{
    struct item *item = item_of(closures, external);
    const char *name;
    int rc;

    if (!item)
        return lwb_fail_memory(err);
    item->state = OPEN;
    item->next = 0;
    item->n_imports = 0;
    item->first_import = (uint32_t)closures->n_imports;
    rc = lwb_olean_read(&closures->olean, plan->externals[external].path, err);
    if (rc == 0)
        return lwb_fail(err, LWB_ERR_MISSING_IMPORT, "%s is gone", plan->externals[external].path);
    if (rc > 0)
        rc = check_maker(plan, closures, &plan->externals[external], err);
    if (rc == LWB_OK)
        rc = lwb_plan_check_source(plan, external, err);
    if (rc < 0)
        return rc;
    plan->externals[external].opaque = !closures->olean.understood;
    plan->externals[external].parts = closures->olean.header.layout == LWB_OLEAN_D;
    if (!closures->olean.understood)
        return digest_world(plan, closures, err);
    name = lwb_buf_text(&closures->olean.imports);
    for (size_t i = 0; rc == LWB_OK && i < closures->olean.n_imports; i++) {
        rc = add_import(plan, closures, external, name, err);
        name += strlen(name) + 1;
    }
    item_of(closures, external)->n_imports =
        (uint32_t)closures->n_imports - item_of(closures, external)->first_import;
    return rc;
}

/* One file of the module: 1 when it is there. */
static int hash_file(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                     const char *path, const char *part, struct lwb_error *err)
{
    struct lwb_digest content;
    struct lwb_file_stat st;
    int rc = lwb_plan_digest_import(plan, external, path, &content, &st, err);

    if (rc == 0)
        return lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_ABSENT, path, NULL, err);
    if (rc < 0)
        return rc;
    lwb_hasher_text(closures->hasher, 'f', part);
    lwb_hasher_digest(closures->hasher, 'c', &content);
    rc = lwb_witnesses_add(&plan->witnesses, LWB_WITNESS_FILE, path, &st, err);
    return rc < 0 ? rc : 1;
}

/* Modules of the module system come in several files, of which one may be loaded or not. */
static int hash_parts(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                      struct lwb_error *err)
{
    const char *path = plan->externals[external].path;
    static const char *const parts[] = { ".olean.server", ".olean.private", ".ir", ".ir.sig" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    size_t stem = strlen(path) - strlen(".olean");
    int rc = LWB_OK;

    for (size_t i = 0; rc >= 0 && i < LWB_COUNT(parts); i++) {
        lwb_buf_clear(&name);
        lwb_buf_append(&name, path, stem);
        lwb_buf_append_text(&name, parts[i]);
        if (!lwb_buf_ok(&name))
            return lwb_fail_memory(err);
        rc = hash_file(plan, closures, external, name.ptr, parts[i], err);
    }
    return rc < 0 ? rc : LWB_OK;
}

/* The closures of all imports are known. */
static int finish(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                  struct lwb_error *err)
{
    const struct lwb_external *module = &plan->externals[external];
    struct item *item = &closures->items[external];
    int rc;

    lwb_hasher_field(closures->hasher, 'M', lwb_plan_name(plan, module->name));
    rc = hash_file(plan, closures, external, module->path, ".olean", err);
    if (rc == 0)
        rc = lwb_fail(err, LWB_ERR_MISSING_IMPORT, "%s is gone", module->path);
    if (rc > 0 && module->parts)
        rc = hash_parts(plan, closures, external, err);
    if (module->opaque)
        lwb_hasher_digest(closures->hasher, 'w', &closures->content);
    for (uint32_t i = 0; i < item->n_imports; i++) {
        uint32_t import = closures->imports[item->first_import + i];

        lwb_hasher_field(closures->hasher, 'I', lwb_plan_name(plan, plan->externals[import].name));
        lwb_hasher_digest(closures->hasher, 'E', &closures->items[import].closure);
    }
    item->closure = lwb_hasher_end(closures->hasher);
    item->state = DONE;
    return rc < 0 ? rc : LWB_OK;
}

/* ---- the walk ---- */

static int push(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                struct lwb_error *err)
{
    if (lwb_grow(&closures->stack, &closures->cap_stack, closures->depth, sizeof(*closures->stack)))
        return lwb_fail_memory(err);
    closures->stack[closures->depth++] = external;
    return scan(plan, closures, external, err);
}

static int step(struct lwb_plan *plan, struct lwb_closures *closures, struct lwb_error *err)
{
    uint32_t top = closures->stack[closures->depth - 1];
    struct item *item = &closures->items[top];

    while (item->next < item->n_imports) {
        uint32_t import = closures->imports[item->first_import + item->next++];
        const struct item *child = item_of(closures, import);

        if (!child)
            return lwb_fail_memory(err);
        if (child->state == OPEN)
            return lwb_fail(err, LWB_ERR_CYCLE, "%s and %s import each other",
                            plan->externals[top].path, plan->externals[import].path);
        if (child->state == NEW)
            return push(plan, closures, import, err);
        item = &closures->items[top];
    }
    if (lwb_grow(&closures->found, &closures->cap_found, closures->n_found,
                 sizeof(*closures->found)))
        return lwb_fail_memory(err);
    closures->depth--;
    closures->found[closures->n_found++] = top;
    item->state = FOUND;
    return LWB_OK;
}

static int find_all(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                    struct lwb_error *err)
{
    int rc;

    closures->depth = 0;
    closures->n_found = 0;
    rc = push(plan, closures, external, err);
    while (rc == LWB_OK && closures->depth)
        rc = step(plan, closures, err);
    return rc;
}

/* What finish() will ask for. The small parts of a module are not worth a word. */
static void announce(const struct lwb_plan *plan, const struct lwb_closures *closures)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };

    if (!plan->digests.ahead)
        return;
    for (size_t i = 0; i < closures->n_found; i++) {
        const struct lwb_external *module = &plan->externals[closures->found[i]];
        LWB_AUTO(lwb_buf_release) struct lwb_buf buf = LWB_BUF(LWB_PATH_MAX);
        struct lwb_error ignored;
        const char *file;

        if (lwb_plan_follow_link(plan, module->entry, module->path, &buf, &file, &ignored) < 0 ||
            lwb_strvec_append(&paths, file))
            return;
    }
    plan->digests.ahead(plan->digests.ctx, &paths);
}

static void forget_unfinished(struct lwb_closures *closures)
{
    while (closures->depth)
        closures->items[closures->stack[--closures->depth]].state = NEW;
    for (size_t i = 0; i < closures->n_found; i++)
        if (closures->items[closures->found[i]].state != DONE)
            closures->items[closures->found[i]].state = NEW;
}

static int make_closure(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                        struct lwb_error *err)
{
    int rc = read_maker(plan, closures, err);

    if (rc < 0)
        return rc;
    rc = find_all(plan, closures, external, err);
    if (rc == LWB_OK)
        announce(plan, closures);
    for (size_t i = 0; rc == LWB_OK && i < closures->n_found; i++)
        rc = finish(plan, closures, closures->found[i], err);
    forget_unfinished(closures);
    return rc;
}

/* ---- memory ---- */

static struct lwb_digest question(const struct lwb_plan *plan, struct lwb_closures *closures,
                                  uint32_t external)
{
    lwb_hasher_text(closures->hasher, 'S', "external closure 1");
    lwb_hasher_digest(closures->hasher, 'w', &closures->world);
    lwb_hasher_digest(closures->hasher, 't', &plan->toolchain_id);
    lwb_hasher_field(closures->hasher, 'm', lwb_plan_name(plan, plan->externals[external].name));
    return lwb_hasher_end(closures->hasher);
}

static int recall_or_make(struct lwb_plan *plan, struct lwb_closures *closures, uint32_t external,
                          struct lwb_error *err)
{
    const struct lwb_digest_source *digests = &plan->digests;
    struct lwb_digest asked;
    int rc = LWB_OK;

    if (!digests->recall || !digests->remember || digests->by_content)
        return make_closure(plan, closures, external, err);
    if (!closures->has_world)
        rc = look_at_world(plan, closures, err);
    closures->has_world = rc == LWB_OK;
    if (rc < 0)
        return rc;
    asked = question(plan, closures, external);
    if (digests->recall(digests->ctx, &asked, &closures->items[external].closure) > 0) {
        closures->items[external].state = DONE;
        return LWB_OK;
    }
    rc = make_closure(plan, closures, external, err);
    if (rc == LWB_OK && closures->settled)
        digests->remember(digests->ctx, &asked, &closures->items[external].closure);
    return rc;
}

static int prepare(struct lwb_plan *plan, struct lwb_error *err)
{
    struct lwb_closures *closures;

    if (plan->closures)
        return LWB_OK;
    closures = lwb_alloc(sizeof(*closures));
    if (!closures)
        return lwb_fail_memory(err);
    plan->closures = closures;
    closures->olean = LWB_OLEAN;
    closures->maker = LWB_OLEAN;
    closures->hasher = lwb_hasher_create();
    return closures->hasher ? LWB_OK : lwb_fail_memory(err);
}

int lwb_plan_external_closure(struct lwb_plan *plan, uint32_t external, struct lwb_digest *out,
                              struct lwb_error *err)
{
    int rc = prepare(plan, err);

    if (rc < 0)
        return rc;
    if (!item_of(plan->closures, external))
        return lwb_fail_memory(err);
    if (plan->closures->items[external].state != DONE)
        rc = recall_or_make(plan, plan->closures, external, err);
    if (rc == LWB_OK)
        *out = plan->closures->items[external].closure;
    return rc;
}
