#include "cache/cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

/*
 * Artifacts by content. A file gets its final name only by rename, in one file
 * system, after its content was read and found to be what it is called; nobody
 * ever writes to it again. So an object is either whole or not there, except
 * for what happens to disks: its size is compared at every look-up, its content
 * when the same object is made again and by `lwbuild cache verify`.
 *
 * There is no fsync: after a power cut an object may be short or empty, and
 * that shows by its size.
 */
enum { COPY_CHUNK = 256 * 1024 };

static const char *object_path(struct lwb_cache *cache, const struct lwb_digest *digest)
{
    char hex[LWB_DIGEST_HEX + 1];

    lwb_digest_hex(digest, hex);
    lwb_buf_clear(&cache->path);
    lwb_buf_format(&cache->path, "%s/objects/%.2s/%s", cache->dir, hex, hex);
    return lwb_buf_ok(&cache->path) ? cache->path.ptr : NULL;
}

int lwb_cache_object_path(struct lwb_cache *cache, const struct lwb_digest *digest,
                          struct lwb_buf *out, struct lwb_error *err)
{
    const char *path = object_path(cache, digest);

    if (path)
        lwb_buf_append_text(out, path);
    return path && lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

bool lwb_object_is_there(struct lwb_cache *cache, const struct lwb_digest *digest, uint64_t size)
{
    const char *path = object_path(cache, digest);
    struct stat st;

    return path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

void lwb_object_unlink(struct lwb_cache *cache, const struct lwb_digest *digest)
{
    const char *path = object_path(cache, digest);

    if (path)
        (void)unlink(path);
}

/* ---- scratch ------------------------------------------------------------------------------- */

/*
 * scratch/<name> is in use while somebody holds scratch/<name>/lock. It is made
 * under the lock on the cache, and so is the search for folders of the dead: a
 * folder without a held lock has no owner.
 */
static int make_scratch(struct lwb_cache *cache, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *name = lwb_path_join(cache->dir, "scratch/run.XXXXXX");
    LWB_AUTO(lwb_free_text) char *parent = lwb_path_join(cache->dir, "scratch");
    LWB_AUTO(lwb_free_text) char *lock = NULL;
    int rc;

    if (!name || !parent)
        return lwb_fail_memory(err);
    rc = lwb_file_make_dirs(parent, 0700, err);
    if (rc < 0)
        return rc;
    if (!mkdtemp(name))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot make a directory in %s", parent);
    lock = lwb_path_join(name, "lock");
    rc = lock ? lwb_lock_open(&cache->scratch_fd, lock, err) : lwb_fail_memory(err);
    if (rc == LWB_OK)
        rc = lwb_lock_take(cache->scratch_fd, 0, err);
    if (rc == LWB_OK)
        cache->scratch = LWB_TAKE(name);
    return rc;
}

int lwb_cache_scratch(struct lwb_cache *cache, struct lwb_buf *out, struct lwb_error *err)
{
    int rc = LWB_OK;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    if (!cache->scratch) {
        rc = lwb_db_lock(&cache->db, err);
        if (rc == LWB_OK)
            rc = make_scratch(cache, err);
        lwb_db_unlock(&cache->db);
    }
    if (rc < 0)
        return rc;
    lwb_buf_append_text(out, cache->scratch);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

void lwb_cache_remove_scratch(struct lwb_cache *cache)
{
    struct lwb_error ignored;

    if (cache->scratch)
        (void)lwb_file_remove_tree(cache->scratch, &ignored);
    if (cache->scratch_fd >= 0)
        close(cache->scratch_fd);
    lwb_free(cache->scratch);
    cache->scratch = NULL;
    cache->scratch_fd = -1;
}

/* ---- taking files in ----------------------------------------------------------------------- */

/* Copy and hash in one go. */
static int copy_bytes(struct lwb_cache *cache, int from, int to, struct lwb_digest *digest,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *chunk = lwb_realloc(NULL, COPY_CHUNK);
    int rc;

    if (!chunk)
        return lwb_fail_memory(err);
    for (;;) {
        ssize_t got = read(from, chunk, COPY_CHUNK);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *digest = lwb_hasher_end(cache->hasher);
            return got == 0 ? LWB_OK : lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read");
        }
        lwb_hasher_update(cache->hasher, chunk, (size_t)got);
        rc = lwb_file_write_fd(to, lwb_bytes(chunk, (size_t)got), err);
        if (rc < 0) {
            (void)lwb_hasher_end(cache->hasher);
            return rc;
        }
    }
}

/* A copy on the file system of the objects; its name goes to `copy`. */
static int copy_to_scratch(struct lwb_cache *cache, const char *path, struct lwb_buf *copy,
                           struct lwb_digest *digest, struct lwb_error *err)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    int to = -1;
    int rc;

    if (from < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    rc = lwb_cache_scratch(cache, copy, err);
    lwb_buf_format(copy, "/adopt.%u", cache->serial++);
    if (rc == LWB_OK && !lwb_buf_ok(copy))
        rc = lwb_fail_memory(err);
    if (rc == LWB_OK) {
        to = open(copy->ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (to < 0)
            rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write %s", copy->ptr);
    }
    if (rc == LWB_OK)
        rc = copy_bytes(cache, from, to, digest, err);
    if (to >= 0 && close(to) != 0 && rc == LWB_OK)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot write %s", copy->ptr);
    close(from);
    if (rc < 0 && to >= 0)
        (void)unlink(copy->ptr);
    return rc;
}

static bool is_intact(const char *path, const struct lwb_digest *digest)
{
    struct lwb_digest found;
    struct lwb_error ignored;

    return lwb_digest_file(&found, path, &ignored) == LWB_OK &&
           lwb_digest_compare(&found, digest) == 0;
}

static int rename_into_place(const char *from, const char *to, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = NULL;
    int rc;

    if (rename(from, to) == 0)
        return LWB_OK;
    if (errno != ENOENT)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot move a file to %s", to);
    folder = lwb_path_dirname(to);
    rc = folder ? lwb_file_make_dirs(folder, 0700, err) : lwb_fail_memory(err);
    if (rc == LWB_OK && rename(from, to) != 0)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot move a file to %s", to);
    return rc;
}

/*
 * `private` has the content and lies on the right file system. The row comes
 * first: it says that the object is in use now, which keeps it from being
 * tidied away, and a file without a row is rare. A database in trouble is no
 * reason to refuse the file, which others wait for.
 */
static int put_in_place(struct lwb_cache *cache, const char *private,
                        const struct lwb_digest *digest, struct lwb_error *err)
{
    struct lwb_error ignored;
    const char *object;
    struct stat st;

    if (chmod(private, 0444) != 0 || stat(private, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot use %s", private);
    lwb_cache_note(cache, LWB_WRITE_OBJECT, digest, (int64_t)st.st_size);
    (void)lwb_cache_commit(cache, &ignored);
    object = object_path(cache, digest);
    if (!object)
        return lwb_fail_memory(err);
    if (is_intact(object, digest))
        return LWB_OK;
    return rename_into_place(private, object, err);
}

static int adopt_file(struct lwb_cache *cache, const char *path, const struct lwb_digest *digest,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf copy = LWB_BUF(LWB_PATH_MAX);
    struct lwb_digest found;
    struct stat st;
    int rc;

    if (lstat(path, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot take %s", path);
    if (!S_ISREG(st.st_mode))
        return lwb_fail(err, LWB_ERR_SYSTEM, "cannot take %s: not a plain file", path);
    if ((uint64_t)st.st_dev == cache->device)
        rc = lwb_digest_file(&found, path, err);
    else
        rc = copy_to_scratch(cache, path, &copy, &found, err);
    if (rc == LWB_OK && lwb_digest_compare(&found, digest) != 0)
        rc = lwb_fail(err, LWB_ERR_FORMAT, "%s has changed since it was made", path);
    if (rc == LWB_OK)
        rc = put_in_place(cache, copy.len ? copy.ptr : path, digest, err);
    if (copy.len)
        (void)unlink(copy.ptr);
    return rc;
}

int lwb_cache_adopt(struct lwb_cache *cache, const char *path, const struct lwb_digest *digest,
                    struct lwb_error *err)
{
    int rc;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    rc = adopt_file(cache, path, digest, err);
    (void)unlink(path); /* gone already when all went well */
    return rc;
}

/* ---- condemning ---------------------------------------------------------------------------- */

static int delete_users(struct lwb_cache *cache, const struct lwb_digest *object,
                        struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    struct lwb_digest key;
    int rc;

    for (;;) {
        rc = lwb_db_query(db, LWB_SQL_ARTIFACT_USERS, err, LWB_SQL_DIGEST(object));
        if (rc <= 0)
            return rc;
        rc = lwb_digest_from(&key, lwb_db_blob(db, LWB_SQL_ARTIFACT_USERS, 0));
        lwb_db_finish(db, LWB_SQL_ARTIFACT_USERS);
        if (rc < 0)
            return lwb_fail(err, LWB_ERR_FORMAT, "%s: a key that is none", db->path);
        rc = lwb_cache_delete_entry(cache, &key, err);
        if (rc == LWB_OK) /* also where the entry itself was gone */
            rc = lwb_db_run(db, LWB_SQL_ARTIFACT_DELETE, err, LWB_SQL_DIGEST(&key));
        if (rc < 0)
            return rc;
    }
}

static int forget_object(struct lwb_cache *cache, const struct lwb_digest *digest,
                         struct lwb_error *err)
{
    int rc = lwb_db_begin_write(&cache->db, err);

    if (rc < 0)
        return rc;
    cache->grown = 0;
    rc = delete_users(cache, digest, err);
    if (rc == LWB_OK)
        rc = lwb_cache_delete_object(cache, digest, err);
    if (rc == LWB_OK)
        rc = lwb_cache_add_bytes(cache, err);
    if (rc == LWB_OK)
        return lwb_db_commit(&cache->db, err);
    lwb_db_rollback(&cache->db);
    return rc;
}

int lwb_cache_condemn(struct lwb_cache *cache, const struct lwb_digest *digest,
                      struct lwb_error *err)
{
    const char *path = object_path(cache, digest);
    int rc;

    if (cache->read_only)
        return LWB_OK;
    if (!path)
        return lwb_fail_memory(err);
    /* Without the file every entry that refers to it is a miss, whatever happens next. */
    if (unlink(path) != 0 && errno != ENOENT)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot remove %s", path);
    rc = lwb_cache_commit(cache, err);
    if (rc == LWB_OK)
        rc = forget_object(cache, digest, err);
    return rc;
}
