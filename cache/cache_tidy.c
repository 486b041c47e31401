#include "cache/cache_tidy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"

enum { DAMAGED_KEPT_S = 7 * 24 * 60 * 60, UNFINISHED_KEPT_S = 24 * 60 * 60 };

/* Calls `visit` with the path of each entry of a folder; a folder that is not there is empty. */
static int visit_folder(const char *folder,
                        int (*visit)(void *ctx, const char *path, struct lwb_error *err), void *ctx,
                        struct lwb_error *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int rc = LWB_OK;

    if (!dir)
        return errno == ENOENT ? LWB_OK
                               : lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", folder);
    while (rc >= 0 && (entry = readdir(dir)) != NULL) {
        LWB_AUTO(lwb_free_text) char *path = NULL;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path = lwb_path_join(folder, entry->d_name);
        rc = path ? visit(ctx, path, err) : lwb_fail_memory(err);
    }
    (void)closedir(dir);
    return rc;
}

/* ---- objects ----------------------------------------------------------------------------- */

struct object_visit {
    int (*visit)(void *ctx, const char *path, const struct lwb_digest *digest,
                 struct lwb_error *err);
    void *ctx;
};

static int visit_object(void *ctx, const char *path, struct lwb_error *err)
{
    struct object_visit *object = ctx;
    struct lwb_digest digest;
    bool named = lwb_digest_parse(&digest, lwb_bytes_text(lwb_path_basename(path))) == 0;

    return object->visit(object->ctx, path, named ? &digest : NULL, err);
}

static int visit_shard(void *ctx, const char *path, struct lwb_error *err)
{
    return visit_folder(path, visit_object, ctx, err);
}

int lwb_objects_visit(struct lwb_cache *cache,
                      int (*visit)(void *ctx, const char *path, const struct lwb_digest *digest,
                                   struct lwb_error *err),
                      void *ctx, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_join(cache->dir, "objects");
    struct object_visit object = { visit, ctx };

    if (!folder)
        return lwb_fail_memory(err);
    return visit_folder(folder, visit_shard, &object, err);
}

struct stray_search {
    struct lwb_cache *cache;
    int64_t before_s; /* made before this */
};

static int remove_if_stray(void *ctx, const char *path, const struct lwb_digest *digest,
                           struct lwb_error *err)
{
    struct stray_search *search = ctx;
    struct stat st;
    int rc = 0;

    if (lstat(path, &st) != 0 || st.st_ctim.tv_sec > search->before_s)
        return LWB_OK;
    if (digest) {
        rc = lwb_db_query(&search->cache->db, LWB_SQL_OBJECT_SIZE, err, LWB_SQL_DIGEST(digest));
        if (rc > 0)
            lwb_db_finish(&search->cache->db, LWB_SQL_OBJECT_SIZE);
    }
    if (rc == 0)
        (void)unlink(path);
    return rc < 0 ? rc : LWB_OK;
}

int lwb_tidy_strays(struct lwb_cache *cache, int64_t min_age_s, struct lwb_error *err)
{
    struct stray_search search = { cache, lwb_clock_wall_s() - min_age_s };

    return lwb_objects_visit(cache, remove_if_stray, &search, err);
}

/* ---- leftovers --------------------------------------------------------------------------- */

/* Made under the lock that we hold: a folder whose own lock is free has no process. */
static int remove_if_dead(void *ctx, const char *path, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *lock = lwb_path_join(path, "lock");
    int fd = lock ? open(lock, O_RDWR | O_CLOEXEC) : -1;

    (void)ctx;
    if (!lock || (fd >= 0 && !lwb_lock_try(fd))) {
        if (fd >= 0)
            close(fd);
        return LWB_OK;
    }
    (void)lwb_file_remove_tree(path, err);
    if (fd >= 0)
        close(fd);
    return LWB_OK;
}

static int remove_if_old_damage(void *ctx, const char *path, struct lwb_error *err)
{
    struct stat st;

    (void)ctx;
    (void)err;
    if (strncmp(lwb_path_basename(path), "cache.db.damaged-", strlen("cache.db.damaged-")) == 0 &&
        lstat(path, &st) == 0 && st.st_ctim.tv_sec < lwb_clock_wall_s() - DAMAGED_KEPT_S)
        (void)unlink(path);
    return LWB_OK;
}

void lwb_tidy_leftovers(struct lwb_cache *cache)
{
    LWB_AUTO(lwb_free_text) char *scratch = lwb_path_join(cache->dir, "scratch");
    struct lwb_error ignored;

    if (scratch)
        (void)visit_folder(scratch, remove_if_dead, NULL, &ignored);
    (void)visit_folder(cache->dir, remove_if_old_damage, NULL, &ignored);
}

/* ---- trees ------------------------------------------------------------------------------- */

struct old_trees {
    int64_t before_s; /* last used before this */
    int64_t started_before_s;
};

static int64_t last_use(const char *tree)
{
    LWB_AUTO(lwb_free_text) char *mark = lwb_path_join(tree, "used");
    struct stat st;

    return mark && lstat(mark, &st) == 0 ? st.st_mtim.tv_sec : INT64_MAX;
}

/* Under another name first: whoever finds a tree finds all of it. */
static int remove_if_unused(void *ctx, const char *path, struct lwb_error *err)
{
    const struct old_trees *old = ctx;
    LWB_AUTO(lwb_buf_release) struct lwb_buf doomed = LWB_BUF(LWB_PATH_MAX);
    struct stat st;

    if (strncmp(lwb_path_basename(path), "tmp.", 4) == 0) {
        if (lstat(path, &st) == 0 && st.st_ctim.tv_sec < old->started_before_s)
            (void)lwb_file_remove_tree(path, err);
        return LWB_OK;
    }
    if (last_use(path) >= old->before_s)
        return LWB_OK;
    lwb_buf_append(&doomed, path, (size_t)(lwb_path_basename(path) - path));
    lwb_buf_format(&doomed, "tmp.%s", lwb_path_basename(path));
    if (lwb_buf_ok(&doomed) && rename(path, doomed.ptr) == 0)
        (void)lwb_file_remove_tree(doomed.ptr, err);
    return LWB_OK;
}

void lwb_tidy_trees(struct lwb_cache *cache, int64_t min_age_s)
{
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_join(cache->dir, LWB_CACHE_TREES);
    int64_t now_s = lwb_clock_wall_s();
    struct old_trees old = { now_s - min_age_s, now_s - UNFINISHED_KEPT_S };
    struct lwb_error ignored;

    if (folder)
        (void)visit_folder(folder, remove_if_unused, &old, &ignored);
}
