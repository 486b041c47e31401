#include "lwbuild/plan/toolchain_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

void lwb_toolchain_release(struct lwb_toolchain *toolchain)
{
    lwb_free(toolchain->prefix);
    lwb_free(toolchain->name);
    lwb_free(toolchain->origin);
    lwb_free(toolchain->version);
    lwb_free(toolchain->githash);
    lwb_strvec_release(&toolchain->files);
    lwb_free(toolchain->stats);
    lwb_strvec_release(&toolchain->absent);
    *toolchain = (struct lwb_toolchain){ 0 };
}

/* ---- what was looked at ---- */

int lwb_toolchain_note(struct lwb_toolchain *out, const char *path, const struct lwb_file_stat *st,
                       struct lwb_error *err)
{
    size_t count = out->files.count;

    if (lwb_grow(&out->stats, &out->cap_stats, count, sizeof(*out->stats)))
        return lwb_fail_memory(err);
    out->stats[count] = *st;
    return lwb_strvec_append(&out->files, path) ? lwb_fail_memory(err) : LWB_OK;
}

int lwb_toolchain_note_as_it_is(struct lwb_toolchain *out, const char *path, struct lwb_error *err)
{
    struct lwb_file_stat st;
    struct lwb_error ignored;

    if (lwb_file_stat(&st, path, &ignored) == 1)
        return lwb_toolchain_note(out, path, &st, err);
    return lwb_strvec_append(&out->absent, path) ? lwb_fail_memory(err) : LWB_OK;
}

/* ---- identity: what runs, by content ---- */

static bool is_shared_library(const char *name)
{
    return strstr(name, ".so") || lwb_path_has_suffix(name, ".dylib");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * Shared libraries in <prefix>/<folder>, as "<folder>/<name>", sorted. A missing
 * folder has none. One that appears later is part of the toolchain too, so the
 * folder is among what was looked at.
 */
static int list_libraries(struct lwb_strvec *out, struct lwb_toolchain *toolchain,
                          const char *folder, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(toolchain->prefix, folder);
    size_t before = out->count;
    const struct dirent *entry;
    DIR *dir;
    int rc;

    if (!path)
        return lwb_fail_memory(err);
    rc = lwb_toolchain_note_as_it_is(toolchain, path, err);
    dir = opendir(path);
    if (!dir)
        return rc;
    while (rc == LWB_OK && (entry = readdir(dir)) != NULL)
        if (is_shared_library(entry->d_name) &&
            lwb_strvec_append_take(out, lwb_path_join(folder, entry->d_name)))
            rc = lwb_fail_memory(err);
    closedir(dir);
    if (out->count > before)
        qsort(out->items + before, out->count - before, sizeof(*out->items), compare_names);
    return rc;
}

static int add_file(struct lwb_toolchain *out, struct lwb_hasher *hasher, const char *name,
                    const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(out->prefix, name);
    struct lwb_digest content;
    struct lwb_file_stat st;
    int rc = path ? digests->file(digests->ctx, path, &content, &st, err) : lwb_fail_memory(err);

    if (rc == 0)
        return lwb_fail(err, LWB_ERR_NO_TOOLCHAIN, "%s: there is no %s in %s", out->origin, name,
                        out->prefix);
    if (rc < 0)
        return rc;
    lwb_hasher_text(hasher, 'f', name);
    lwb_hasher_digest(hasher, 'c', &content);
    return lwb_toolchain_note(out, path, &st, err);
}

/* A newer Lean has several large libraries. */
static int announce(const struct lwb_toolchain *toolchain, const struct lwb_strvec *names,
                    const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec paths = { 0 };

    if (!digests->ahead)
        return LWB_OK;
    for (size_t i = 0; i < names->count; i++)
        if (lwb_strvec_append_take(&paths, lwb_path_join(toolchain->prefix, names->items[i])))
            return lwb_fail_memory(err);
    digests->ahead(digests->ctx, &paths);
    return LWB_OK;
}

static int identify(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    int rc;

    if (!hasher || lwb_strvec_append(&names, "bin/lean"))
        return lwb_fail_memory(err);
    rc = list_libraries(&names, out, "lib", err);
    if (rc == LWB_OK)
        rc = list_libraries(&names, out, "lib/lean", err);
    if (rc == LWB_OK)
        rc = announce(out, &names, digests, err);
    lwb_hasher_text(hasher, 'S', "lean toolchain 1");
    for (size_t i = 0; rc == LWB_OK && i < names.count; i++)
        rc = add_file(out, hasher, names.items[i], digests, err);
    if (rc == LWB_OK)
        out->identity = lwb_hasher_end(hasher);
    return rc;
}

static int check_program(const struct lwb_toolchain *toolchain, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *lean = lwb_path_join(toolchain->prefix, "bin/lean");

    if (!lean)
        return lwb_fail_memory(err);
    if (access(lean, X_OK) != 0)
        return lwb_fail_errno(err, LWB_ERR_NO_TOOLCHAIN, "%s: cannot run %s", toolchain->origin,
                              lean);
    return LWB_OK;
}

int lwb_toolchain_find(struct lwb_toolchain *out, const struct lwb_toolchain_request *request,
                       const struct lwb_digest_source *digests, struct lwb_error *err)
{
    LWB_AUTO(lwb_toolchain_release) struct lwb_toolchain toolchain = { 0 };
    int rc = lwb_toolchain_choose(&toolchain, request, err);

    if (rc == LWB_OK)
        rc = check_program(&toolchain, err);
    if (rc == LWB_OK)
        rc = identify(&toolchain, digests, err);
    if (rc == LWB_OK)
        rc = lwb_toolchain_read_version(&toolchain, digests, err);
    if (rc == LWB_OK) {
        *out = LWB_TAKE(toolchain);
    }
    return rc;
}
