#include "lwbuild/plan/lake_built.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/listing.h"

enum { MAX_DEPTH = 64 };

void lwb_lake_built_release(struct lwb_lake_built *built)
{
    for (size_t i = 0; i < built->n_modules; i++)
        lwb_free(built->modules[i].stem);
    lwb_free(built->modules);
    lwb_strvec_release(&built->folders);
}

/* ---- names ---- */

/* Length of the stem of a file that counts, and its bit; 0 for other files. */
static size_t stem_of(const char *name, unsigned *has)
{
    size_t len = strlen(name);

    if (lwb_path_has_suffix(name, ".trace")) {
        *has = LWB_BUILT_TRACE;
        len -= strlen(".trace");
        return memchr(name, '.', len) ? 0 : len; /* A.so.trace is about something else */
    }
    if (lwb_path_has_suffix(name, ".olean.hash")) {
        *has = LWB_BUILT_HASH;
        return len - strlen(".olean.hash");
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

static int add_file(struct lwb_lake_built *built, const char *folder, const char *name,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf stem = LWB_BUF(LWB_PATH_MAX);
    unsigned has;
    size_t len = stem_of(name, &has);

    if (!len)
        return LWB_OK;
    if (*folder)
        lwb_buf_format(&stem, "%s/", folder);
    lwb_buf_append(&stem, name, len);
    if (lwb_grow(&built->modules, &built->cap, built->n_modules, sizeof(*built->modules)))
        return lwb_fail_memory(err);
    built->modules[built->n_modules] =
        (struct lwb_lake_built_module){ .stem = lwb_buf_take(&stem), .has = has };
    return built->modules[built->n_modules++].stem ? LWB_OK : lwb_fail_memory(err);
}

static int scan_folder(struct lwb_lake_built *built, const char *folder, unsigned depth,
                       struct lwb_error *err);

static int scan_entry(struct lwb_lake_built *built, const char *folder, const struct dirent *entry,
                      unsigned depth, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = NULL;
    unsigned ignored;

    if (entry->d_name[0] == '.')
        return LWB_OK;
    if (entry->d_type == DT_REG || stem_of(entry->d_name, &ignored))
        return add_file(built, folder, entry->d_name, err);
    path = *folder ? lwb_path_join(folder, entry->d_name) : lwb_strdup(entry->d_name);
    return path ? scan_folder(built, path, depth + 1, err) : lwb_fail_memory(err);
}

static char *folder_path(const struct lwb_lake_built *built, const char *folder)
{
    return *folder ? lwb_path_join(built->lib, folder) : lwb_strdup(built->lib);
}

/* What is no folder, or cannot be read, has no modules: others say what is missing. */
static int scan_folder(struct lwb_lake_built *built, const char *folder, unsigned depth,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = folder_path(built, folder);
    const struct dirent *entry;
    DIR *dir;
    int rc;

    if (!path)
        return lwb_fail_memory(err);
    dir = depth < MAX_DEPTH ? opendir(path) : NULL;
    if (!dir)
        return LWB_OK;
    rc = lwb_strvec_append(&built->folders, folder) ? lwb_fail_memory(err) : LWB_OK;
    while (rc == LWB_OK && (entry = readdir(dir)) != NULL)
        rc = scan_entry(built, folder, entry, depth, err);
    closedir(dir);
    return rc;
}

static int compare_modules(const void *a, const void *b)
{
    const struct lwb_lake_built_module *x = a, *y = b;

    return strcmp(x->stem, y->stem);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By name, each once. */
static void put_in_order(struct lwb_lake_built *built)
{
    size_t kept = 0;

    if (built->folders.count)
        qsort(built->folders.items, built->folders.count, sizeof(*built->folders.items),
              compare_texts);
    if (!built->n_modules)
        return;
    qsort(built->modules, built->n_modules, sizeof(*built->modules), compare_modules);
    for (size_t i = 1; i < built->n_modules; i++) {
        if (strcmp(built->modules[i].stem, built->modules[kept].stem) == 0) {
            built->modules[kept].has |= built->modules[i].has;
            lwb_free(built->modules[i].stem);
        } else {
            built->modules[++kept] = built->modules[i];
        }
    }
    built->n_modules = kept + 1;
}

int lwb_lake_built_scan(struct lwb_lake_built *built, const char *lib, struct lwb_error *err)
{
    int rc;

    built->lib = lib;
    rc = scan_folder(built, "", 0, err);
    if (rc == LWB_OK)
        put_in_order(built);
    return rc;
}

bool lwb_lake_built_is_whole(const struct lwb_lake_built *built)
{
    for (size_t i = 0; i < built->n_modules; i++)
        if ((built->modules[i].has & (LWB_BUILT_TRACE | LWB_BUILT_OLEAN)) == LWB_BUILT_TRACE)
            return false;
    return true;
}

bool lwb_lake_built_has_notes(const struct lwb_lake_built *built)
{
    for (size_t i = 0; i < built->n_modules; i++)
        if (lwb_lake_built_is_told_twice(&built->modules[i]))
            return true;
    return false;
}

int lwb_lake_built_path(struct lwb_buf *out, const struct lwb_lake_built *built,
                        const struct lwb_lake_built_module *module, const char *extension,
                        struct lwb_error *err)
{
    lwb_buf_clear(out);
    lwb_buf_format(out, "%s/%s.%s", built->lib, module->stem, extension);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

/* ---- looks ---- */

struct look {
    const struct lwb_lake_built *built;
    struct lwb_hasher *hasher;
    struct lwb_witnesses *witnesses;
    int64_t *newest_ns;
    struct lwb_error *err;
};

static int look_at_folder(const struct look *look, const char *folder)
{
    LWB_AUTO(lwb_free_text) char *path = folder_path(look->built, folder);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_listing listing;
    struct lwb_file_stat st;
    int rc = path ? lwb_file_stat(&st, path, look->err) : lwb_fail_memory(look->err);

    if (rc <= 0)
        return rc;
    rc = lwb_listing_read(&entries, &listing, AT_FDCWD, path, LWB_LISTING_OF_IMAGES, look->err);
    return rc < 0 ? rc : lwb_witnesses_add_folder(look->witnesses, path, &st, &listing, look->err);
}

/* 1 when the file is there. */
static int look_at_file(const struct look *look, const struct lwb_lake_built_module *module,
                        const char *extension, struct lwb_file_stat *st, struct lwb_buf *path)
{
    int rc = lwb_lake_built_path(path, look->built, module, extension, look->err);

    if (rc == LWB_OK)
        rc = lwb_file_stat(st, path->ptr, look->err);
    if (rc <= 0)
        return rc;
    if (st->mtime_ns > *look->newest_ns)
        *look->newest_ns = st->mtime_ns;
    if (st->ctime_ns > *look->newest_ns)
        *look->newest_ns = st->ctime_ns;
    return 1;
}

/* What tells of a rebuild is noted: the trace, which Lake writes each time, else the .olean. */
static int look_at_module(const struct look *look, struct lwb_lake_built_module *module)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_file_stat untraced;
    int rc = LWB_OK;

    if (lwb_lake_built_is_told_twice(module))
        rc = look_at_file(look, module, "olean.hash", &module->hash, &path);
    if (rc >= 0 && (module->has & LWB_BUILT_TRACE))
        rc = look_at_file(look, module, "trace", &module->trace, &path);
    else if (rc >= 0 && (module->has & LWB_BUILT_OLEAN))
        rc = look_at_file(look, module, "olean", &untraced, &path);
    if (rc > 0)
        rc = lwb_witnesses_add(look->witnesses, LWB_WITNESS_FILE, path.ptr,
                               module->has & LWB_BUILT_TRACE ? &module->trace : &untraced,
                               look->err);
    lwb_hasher_text(look->hasher, 'm', module->stem);
    lwb_hasher_u64(look->hasher, 'h', module->has);
    lwb_hasher_field(look->hasher, 't', lwb_bytes(&module->trace, sizeof(module->trace)));
    lwb_hasher_field(look->hasher, 's', lwb_bytes(&module->hash, sizeof(module->hash)));
    return rc;
}

int lwb_lake_built_look(struct lwb_lake_built *built, struct lwb_hasher *hasher, int64_t *newest_ns,
                        struct lwb_witnesses *witnesses, struct lwb_error *err)
{
    const struct look look = { built, hasher, witnesses, newest_ns, err };
    int rc = LWB_OK;

    lwb_hasher_text(hasher, 'p', built->lib);
    for (size_t i = 0; rc >= 0 && i < built->folders.count; i++) {
        lwb_hasher_text(hasher, 'd', built->folders.items[i]);
        rc = look_at_folder(&look, built->folders.items[i]);
    }
    for (size_t i = 0; rc >= 0 && i < built->n_modules; i++)
        rc = look_at_module(&look, &built->modules[i]);
    return rc < 0 ? rc : LWB_OK;
}
