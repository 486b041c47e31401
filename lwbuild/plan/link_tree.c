#include "lwbuild/plan/link_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

enum { MARK_EVERY_S = 10 * 60 };

void lwb_link_tree_release(struct lwb_link_tree *tree)
{
    lwb_strvec_release(&tree->folders);
    lwb_strvec_release(&tree->names);
    lwb_strvec_release(&tree->targets);
}

int lwb_link_tree_add(struct lwb_link_tree *tree, char *name, char *target, struct lwb_error *err)
{
    int failed = lwb_strvec_append_take(&tree->names, name);

    failed |= lwb_strvec_append_take(&tree->targets, target);
    return failed ? lwb_fail_memory(err) : LWB_OK;
}

int lwb_link_tree_name(struct lwb_digest *out, const struct lwb_link_tree *tree,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < tree->folders.count; i++)
        lwb_hasher_text(hasher, 'd', tree->folders.items[i]);
    for (size_t i = 0; i < tree->names.count; i++) {
        lwb_hasher_text(hasher, 'n', tree->names.items[i]);
        lwb_hasher_text(hasher, 't', tree->targets.items[i]);
    }
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

/* ---- finding ---- */

/* <dir>/<name>/<inside> */
static char *tree_path(const char *dir, const struct lwb_digest *name, const char *inside)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    char hex[LWB_DIGEST_HEX + 1];

    lwb_digest_hex(name, hex);
    lwb_buf_format(&path, "%s/%s%s%s", dir, hex, *inside ? "/" : "", inside);
    return lwb_buf_take(&path);
}

/* Whoever trims goes by it. A tree that cannot be marked is trimmed earlier, that is all. */
static void mark_as_used(const char *dir, const struct lwb_digest *name)
{
    LWB_AUTO(lwb_free_text) char *path = tree_path(dir, name, "used");
    struct stat st;

    if (path && stat(path, &st) == 0 && st.st_mtim.tv_sec + MARK_EVERY_S < lwb_clock_wall_s())
        (void)utimensat(AT_FDCWD, path, NULL, 0);
}

int lwb_link_tree_find(char **out, const char *dir, const struct lwb_digest *name,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = tree_path(dir, name, "lib");

    if (!path)
        return lwb_fail_memory(err);
    mark_as_used(dir, name);
    if (access(path, F_OK) != 0)
        return 0;
    *out = LWB_TAKE(path);
    return 1;
}

/* ---- making ---- */

static int make_folders(const char *lib, const struct lwb_link_tree *tree, struct lwb_error *err)
{
    int rc = lwb_file_make_dirs(lib, 0700, err);

    for (size_t i = 0; rc == LWB_OK && i < tree->folders.count; i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_join(lib, tree->folders.items[i]);

        if (!path)
            return lwb_fail_memory(err);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make the folder %s", path);
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

static int fill(const char *folder, const struct lwb_link_tree *tree, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *lib = lwb_path_join(folder, "lib");
    LWB_AUTO(lwb_free_text) char *used = lwb_path_join(folder, "used");
    int rc;

    if (!lib || !used)
        return lwb_fail_memory(err);
    rc = make_folders(lib, tree, err);
    for (size_t i = 0; rc == LWB_OK && i < tree->names.count; i++)
        rc = make_link(lib, tree->names.items[i], tree->targets.items[i], err);
    return rc < 0 ? rc : lwb_file_write(used, lwb_bytes_text(""), 0600, err);
}

static int put_in_place(const char *from, const char *to, struct lwb_error *err)
{
    if (rename(from, to) == 0)
        return LWB_OK;
    if (errno == ENOTEMPTY || errno == EEXIST)
        return lwb_file_remove_tree(from, err);
    return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot rename %s to %s", from, to);
}

int lwb_link_tree_make(const char *dir, const struct lwb_digest *name,
                       const struct lwb_link_tree *tree, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *temporary = lwb_path_join(dir, "tmp.XXXXXX");
    LWB_AUTO(lwb_free_text) char *path = tree_path(dir, name, "");
    struct lwb_error ignored;
    int rc;

    if (!temporary || !path)
        return lwb_fail_memory(err);
    rc = lwb_file_make_dirs(dir, 0700, err);
    if (rc < 0)
        return rc;
    if (!mkdtemp(temporary))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make a folder in %s", dir);
    rc = fill(temporary, tree, err);
    if (rc == LWB_OK)
        rc = put_in_place(temporary, path, err);
    if (rc < 0)
        (void)lwb_file_remove_tree(temporary, &ignored);
    return rc;
}
