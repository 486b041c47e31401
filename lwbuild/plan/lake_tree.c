#include "lwbuild/plan/lake_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_outputs.h"
#include "lwbuild/plan/listing.h"
#include "lwbuild/plan/tree_stamp.h"

/*
 * Three steps, each only when the one before asks for it: the names in the build
 * folder say whether there is a module without .olean file; how its traces look
 * says whether the tree is known from before; then thousands of traces are read.
 *
 * What a trace names counts before a file of the build folder, as it does for
 * Lake: the first Lakes with an artifact cache left files of an earlier build
 * lying there. Whether an artifact is there is found out when the tree is made,
 * and only to choose between the places where it may be.
 */
enum {
    MAX_DEPTH = 64,
    MAX_TRACE = 64 * 1024 * 1024,
    HAS_TRACE = 1 << LWB_LAKE_PARTS, /* beside a bit for each part */
    MARK_EVERY_S = 10 * 60,
};

/* What the build folder has of a module, or of whatever else has such files. */
struct built_module {
    char *stem; /* "A/B" */
    unsigned has;
    struct lwb_file_stat trace;
};

struct scan {
    const struct lwb_lake_trees *trees;
    const char *lib;
    struct built_module *modules;
    size_t n_modules;
    size_t cap;
    struct lwb_strvec folders; /* absolute */
    struct lwb_error *err;
};

static void release_scan(struct scan *scan)
{
    for (size_t i = 0; i < scan->n_modules; i++)
        lwb_free(scan->modules[i].stem);
    lwb_free(scan->modules);
    lwb_strvec_release(&scan->folders);
}
LWB_DEFINE_AUTO(struct scan, release_scan);

/* ---- names ---------------------------------------------------------------------------------- */

/* Length of the stem of a file that counts, and its bit; 0 for other files. */
static size_t stem_of(const char *name, unsigned *has)
{
    size_t len = strlen(name);

    if (lwb_path_has_suffix(name, ".trace")) {
        *has = HAS_TRACE;
        len -= strlen(".trace");
        return memchr(name, '.', len) ? 0 : len; /* A.so.trace is about something else */
    }
    for (unsigned part = 0; part < LWB_LAKE_PARTS; part++) {
        const char *extension = lwb_lake_part_extension(part);
        size_t extension_len = strlen(extension);

        *has = 1U << part;
        if (len > extension_len + 1 && name[len - extension_len - 1] == '.' &&
            strcmp(name + len - extension_len, extension) == 0)
            return len - extension_len - 1;
    }
    return 0;
}

static int add_file(struct scan *scan, const char *folder, const char *name)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf stem = LWB_BUF(LWB_PATH_MAX);
    unsigned has;
    size_t len = stem_of(name, &has);

    if (!len)
        return LWB_OK;
    if (*folder)
        lwb_buf_format(&stem, "%s/", folder);
    lwb_buf_append(&stem, name, len);
    if (lwb_grow(&scan->modules, &scan->cap, scan->n_modules, sizeof(*scan->modules)))
        return lwb_fail_memory(scan->err);
    scan->modules[scan->n_modules] =
        (struct built_module){ .stem = lwb_buf_take(&stem), .has = has };
    return scan->modules[scan->n_modules++].stem ? LWB_OK : lwb_fail_memory(scan->err);
}

static int scan_folder(struct scan *scan, const char *folder, unsigned depth);

static int scan_entry(struct scan *scan, const char *folder, const struct dirent *entry,
                      unsigned depth)
{
    LWB_AUTO(lwb_free_text) char *path = NULL;
    unsigned ignored;

    if (entry->d_name[0] == '.')
        return LWB_OK;
    if (entry->d_type == DT_REG || stem_of(entry->d_name, &ignored))
        return add_file(scan, folder, entry->d_name);
    path = *folder ? lwb_path_join(folder, entry->d_name) : lwb_strdup(entry->d_name);
    return path ? scan_folder(scan, path, depth + 1) : lwb_fail_memory(scan->err);
}

/* What is no folder, or cannot be read, has no modules: others say what is missing. */
static int scan_folder(struct scan *scan, const char *folder, unsigned depth)
{
    LWB_AUTO(lwb_free_text)
    char *path = *folder ? lwb_path_join(scan->lib, folder) : lwb_strdup(scan->lib);
    const struct dirent *entry;
    DIR *dir;
    int rc;

    if (!path)
        return lwb_fail_memory(scan->err);
    dir = depth < MAX_DEPTH ? opendir(path) : NULL;
    if (!dir)
        return LWB_OK;
    rc = lwb_strvec_append(&scan->folders, path) ? lwb_fail_memory(scan->err) : LWB_OK;
    while (rc == LWB_OK && (entry = readdir(dir)) != NULL)
        rc = scan_entry(scan, folder, entry, depth);
    closedir(dir);
    return rc;
}

static int compare_modules(const void *a, const void *b)
{
    const struct built_module *x = a, *y = b;

    return strcmp(x->stem, y->stem);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted by name, each once. */
static void put_in_order(struct scan *scan)
{
    size_t kept = 0;

    if (!scan->n_modules)
        return;
    qsort(scan->folders.items, scan->folders.count, sizeof(*scan->folders.items), compare_texts);
    qsort(scan->modules, scan->n_modules, sizeof(*scan->modules), compare_modules);
    for (size_t i = 1; i < scan->n_modules; i++) {
        if (strcmp(scan->modules[i].stem, scan->modules[kept].stem) == 0) {
            scan->modules[kept].has |= scan->modules[i].has;
            lwb_free(scan->modules[i].stem);
        } else {
            scan->modules[++kept] = scan->modules[i];
        }
    }
    scan->n_modules = kept + 1;
}

static bool has_all_its_files(const struct scan *scan)
{
    for (size_t i = 0; i < scan->n_modules; i++)
        if ((scan->modules[i].has & HAS_TRACE) && !(scan->modules[i].has & 1U << LWB_LAKE_OLEAN))
            return false;
    return true;
}

/* ---- how it looks --------------------------------------------------------------------------- */

/* <lib>/A/B.<extension> */
static int build_path(struct lwb_buf *out, const struct scan *scan, const char *stem,
                      const char *extension)
{
    lwb_buf_clear(out);
    lwb_buf_format(out, "%s/%s.%s", scan->lib, stem, extension);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(scan->err);
}

static int look_at_trace(struct scan *scan, struct built_module *module, int64_t *newest_ns)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    int rc = build_path(&path, scan, module->stem, "trace");

    if (rc == LWB_OK)
        rc = lwb_file_stat(&module->trace, path.ptr, scan->err);
    if (rc <= 0)
        return rc;
    if (module->trace.mtime_ns > *newest_ns)
        *newest_ns = module->trace.mtime_ns;
    if (module->trace.ctime_ns > *newest_ns)
        *newest_ns = module->trace.ctime_ns;
    return lwb_witnesses_add(scan->trees->witnesses, LWB_WITNESS_FILE, path.ptr, &module->trace,
                             scan->err);
}

static int look_at_folder(struct scan *scan, const char *path)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_listing listing;
    struct lwb_file_stat st;
    int rc = lwb_file_stat(&st, path, scan->err);

    if (rc <= 0)
        return rc;
    rc = lwb_listing_read(&entries, &listing, AT_FDCWD, path, LWB_LISTING_OF_IMAGES, scan->err);
    return rc < 0
               ? rc
               : lwb_witnesses_add_folder(scan->trees->witnesses, path, &st, &listing, scan->err);
}

/* All that the tree is made from, but for where in Lake's folders the artifacts are. */
static int look(struct scan *scan, struct lwb_digest *state, bool *settled)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    const struct lwb_digest_source *digests = scan->trees->digests;
    struct lwb_tree_stamp stamp = { .newest_ns = 0 };
    int rc = LWB_OK;

    if (!hasher)
        return lwb_fail_memory(scan->err);
    lwb_hasher_text(hasher, 'S', "lake tree 1");
    lwb_hasher_text(hasher, 'p', scan->lib);
    for (size_t i = 0; i < scan->trees->artifacts->count; i++)
        lwb_hasher_text(hasher, 'a', scan->trees->artifacts->items[i]);
    for (size_t i = 0; rc >= 0 && i < scan->folders.count; i++)
        rc = look_at_folder(scan, scan->folders.items[i]);
    for (size_t i = 0; rc >= 0 && i < scan->n_modules; i++) {
        struct built_module *module = &scan->modules[i];

        if (module->has & HAS_TRACE)
            rc = look_at_trace(scan, module, &stamp.newest_ns);
        lwb_hasher_text(hasher, 'm', module->stem);
        lwb_hasher_u64(hasher, 'h', module->has);
        lwb_hasher_field(hasher, 's', lwb_bytes(&module->trace, sizeof(module->trace)));
    }
    *state = lwb_hasher_end(hasher);
    *settled = lwb_tree_stamp_is_settled(&stamp, digests->now_s ? digests->now_s(digests->ctx)
                                                                : lwb_clock_wall_s());
    return rc < 0 ? rc : LWB_OK;
}

/* ---- what is in it -------------------------------------------------------------------------- */

struct links {
    struct lwb_strvec names;   /* "A/B.olean" */
    struct lwb_strvec targets; /* beside each: absolute */
};

static void release_links(struct links *links)
{
    lwb_strvec_release(&links->names);
    lwb_strvec_release(&links->targets);
}
LWB_DEFINE_AUTO(struct links, release_links);

static int add_link(struct links *links, const char *stem, enum lwb_lake_part part, char *target,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&name, "%s.%s", stem, lwb_lake_part_extension(part));
    return lwb_strvec_append_take(&links->targets, target) ||
                   lwb_strvec_append_take(&links->names, lwb_buf_take(&name))
               ? lwb_fail_memory(err)
               : LWB_OK;
}

/* The first folder of artifacts that has it, else where Lake would put it; *found says which. */
static char *artifact_path(const struct scan *scan, const char *name, bool *found)
{
    const struct lwb_strvec *folders = scan->trees->artifacts;

    for (size_t i = 0; i < folders->count; i++) {
        char *path = lwb_path_join(folders->items[i], name);

        *found = path && access(path, F_OK) == 0;
        if (!path || *found)
            return path;
        lwb_free(path);
    }
    return lwb_path_join(folders->items[0], name);
}

/* 1 when the artifacts are linked; 0 when Lake's cache has no .olean of the module. */
static int link_artifacts(const struct scan *scan, const struct built_module *module,
                          const struct lwb_lake_outputs *outputs, struct links *links)
{
    bool has_olean = module->has & 1U << LWB_LAKE_OLEAN;
    bool found;

    for (unsigned part = 0; part < LWB_LAKE_PARTS; part++) {
        char *target;

        if (!outputs->names[part][0])
            continue;
        target = artifact_path(scan, outputs->names[part], &found);
        if (!target)
            return lwb_fail_memory(scan->err);
        if (part == LWB_LAKE_OLEAN && !found && has_olean) {
            lwb_free(target);
            return 0;
        }
        if (add_link(links, module->stem, part, target, scan->err) < 0)
            return scan->err->code;
    }
    return 1;
}

static int link_files(const struct scan *scan, const struct built_module *module,
                      struct links *links)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    for (unsigned part = 0; part < LWB_LAKE_PARTS; part++) {
        char *target;

        if (!(module->has & 1U << part))
            continue;
        if (build_path(&path, scan, module->stem, lwb_lake_part_extension(part)) < 0)
            return scan->err->code;
        target = lwb_strdup(path.ptr);
        if (!target)
            return lwb_fail_memory(scan->err);
        if (add_link(links, module->stem, part, target, scan->err) < 0)
            return scan->err->code;
    }
    return LWB_OK;
}

/* 1 when the trace was read and names outputs. One that cannot be read names none. */
static int read_outputs(const struct scan *scan, const struct built_module *module,
                        struct lwb_lake_outputs *outputs)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf trace = LWB_BUF(MAX_TRACE);
    struct lwb_error ignored;

    if (!(module->has & HAS_TRACE))
        return 0;
    if (build_path(&path, scan, module->stem, "trace") < 0)
        return scan->err->code;
    if (lwb_file_read(&trace, path.ptr, NULL, &ignored) < 0)
        return 0;
    return lwb_lake_outputs_read(outputs, lwb_buf_bytes(&trace), scan->err);
}

static int collect_links(const struct scan *scan, struct links *links)
{
    for (size_t i = 0; i < scan->n_modules; i++) {
        const struct built_module *module = &scan->modules[i];
        struct lwb_lake_outputs outputs;
        int rc = read_outputs(scan, module, &outputs);

        if (rc > 0)
            rc = link_artifacts(scan, module, &outputs, links);
        if (rc == 0)
            rc = link_files(scan, module, links);
        if (rc < 0)
            return rc;
    }
    return LWB_OK;
}

/* Folders count even when nothing is in them: Lean looks for A.B where there is a folder A. */
static const char *folder_name(const struct scan *scan, size_t i)
{
    const char *path = scan->folders.items[i] + strlen(scan->lib);

    return path + (*path == '/');
}

static int digest_links(struct lwb_digest *out, const struct scan *scan, const struct links *links,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < scan->folders.count; i++)
        lwb_hasher_text(hasher, 'd', folder_name(scan, i));
    for (size_t i = 0; i < links->names.count; i++) {
        lwb_hasher_text(hasher, 'n', links->names.items[i]);
        lwb_hasher_text(hasher, 't', links->targets.items[i]);
    }
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

/* ---- on disk -------------------------------------------------------------------------------- */

static char *tree_path(const struct lwb_lake_trees *trees, const struct lwb_digest *name,
                       const char *inside)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    char hex[LWB_DIGEST_HEX + 1];

    lwb_digest_hex(name, hex);
    lwb_buf_format(&path, "%s/%s%s%s", trees->dir, hex, *inside ? "/" : "", inside);
    return lwb_buf_take(&path);
}

/* Whoever trims goes by it. A tree that cannot be marked is trimmed earlier, that is all. */
static void mark_as_used(const struct lwb_lake_trees *trees, const struct lwb_digest *name)
{
    LWB_AUTO(lwb_free_text) char *path = tree_path(trees, name, "used");
    struct stat st;

    if (path && stat(path, &st) == 0 && st.st_mtim.tv_sec + MARK_EVERY_S < lwb_clock_wall_s())
        (void)utimensat(AT_FDCWD, path, NULL, 0);
}

/* The tree of that name, if it is there: 1 and *out. */
static int find_tree(char **out, const struct lwb_lake_trees *trees, const struct lwb_digest *name,
                     struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = tree_path(trees, name, "lib");

    if (!path)
        return lwb_fail_memory(err);
    mark_as_used(trees, name);
    if (access(path, F_OK) != 0)
        return 0;
    *out = LWB_TAKE(path);
    return 1;
}

static int make_folders(const char *lib, const struct scan *scan)
{
    int rc = lwb_file_make_dirs(lib, 0700, scan->err);

    for (size_t i = 0; rc == LWB_OK && i < scan->folders.count; i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_join(lib, folder_name(scan, i));

        if (!path)
            return lwb_fail_memory(scan->err);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return lwb_fail_errno(scan->err, LWB_ERR_SYSTEM, "cannot make the folder %s", path);
    }
    return rc;
}

static int make_link(const char *lib, const char *name, const char *target, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(lib, name);

    if (!path)
        return lwb_fail_memory(err);
    return symlink(target, path) == 0 ? LWB_OK
                                      : lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot link %s", path);
}

static int fill_tree(const char *dir, const struct scan *scan, const struct links *links)
{
    LWB_AUTO(lwb_free_text) char *lib = lwb_path_join(dir, "lib");
    LWB_AUTO(lwb_free_text) char *used = lwb_path_join(dir, "used");
    int rc;

    if (!lib || !used)
        return lwb_fail_memory(scan->err);
    rc = make_folders(lib, scan);
    for (size_t i = 0; rc == LWB_OK && i < links->names.count; i++)
        rc = make_link(lib, links->names.items[i], links->targets.items[i], scan->err);
    return rc < 0 ? rc : lwb_file_write(used, lwb_bytes_text(""), 0600, scan->err);
}

/* Another run may have made the same tree meanwhile: then there is one. */
static int put_in_place(const char *from, const char *to, struct lwb_error *err)
{
    if (rename(from, to) == 0)
        return LWB_OK;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return lwb_file_remove_tree(from, err);
    return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot rename %s to %s", from, to);
}

static int make_tree(const struct scan *scan, const struct lwb_digest *name,
                     const struct links *links)
{
    const struct lwb_lake_trees *trees = scan->trees;
    struct lwb_error *err = scan->err;
    LWB_AUTO(lwb_free_text) char *temporary = lwb_path_join(trees->dir, "tmp.XXXXXX");
    LWB_AUTO(lwb_free_text) char *path = tree_path(trees, name, "");
    struct lwb_error ignored;
    int rc;

    if (!temporary || !path)
        return lwb_fail_memory(err);
    rc = lwb_file_make_dirs(trees->dir, 0700, err);
    if (rc < 0)
        return rc;
    if (!mkdtemp(temporary))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make a folder in %s", trees->dir);
    rc = fill_tree(temporary, scan, links);
    if (rc == LWB_OK)
        rc = put_in_place(temporary, path, err);
    if (rc < 0)
        (void)lwb_file_remove_tree(temporary, &ignored);
    return rc;
}

static int read_traces(char **out, const struct scan *scan, struct lwb_digest *name)
{
    LWB_AUTO(release_links) struct links links = { 0 };
    int rc = collect_links(scan, &links);

    if (rc == LWB_OK)
        rc = digest_links(name, scan, &links, scan->err);
    if (rc == LWB_OK)
        rc = find_tree(out, scan->trees, name, scan->err);
    if (rc != 0)
        return rc;
    rc = make_tree(scan, name, &links);
    return rc < 0 ? rc : find_tree(out, scan->trees, name, scan->err);
}

int lwb_lake_tree_get(char **out, const struct lwb_lake_trees *trees, const char *lib,
                      struct lwb_error *err)
{
    LWB_AUTO(release_scan) struct scan scan = { .trees = trees, .lib = lib, .err = err };
    const struct lwb_digest_source *digests = trees->digests;
    struct lwb_digest state;
    struct lwb_digest name;
    bool settled;
    int rc = scan_folder(&scan, "", 0);

    if (rc < 0)
        return rc;
    put_in_order(&scan);
    if (has_all_its_files(&scan))
        return 0;
    rc = look(&scan, &state, &settled);
    if (rc == LWB_OK && digests->recall && digests->recall(digests->ctx, &state, &name) > 0)
        rc = find_tree(out, trees, &name, err);
    if (rc != 0)
        return rc;
    rc = read_traces(out, &scan, &name);
    if (rc > 0 && settled && digests->remember)
        digests->remember(digests->ctx, &state, &name);
    return rc;
}
