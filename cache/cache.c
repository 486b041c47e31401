#include "cache/cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_dir.h"
#include "cache/cache_generation.h"
#include "cache/cache_lock.h"
#include "cache/cache_notes.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"

/*
 * Opening, closing and committing. In the directory there are
 *
 *   cache.db (-wal, -shm)  entries and what belongs to them
 *   cache.lock             held while cache.db is written, checkpointed, replaced
 *   cache.users            held shared by everybody who has the cache open, so that
 *                          the last one to leave can tidy up
 *   generation             a number that rises when the cache is cleared
 *   uses                   notes of runs that needed no database (cache_notes.c)
 *   objects/aa/<sha256>    artifacts
 *   trees/<digest>         links to what lies elsewhere; made and used by others
 *   scratch/               private folders of running processes
 */
static const uint64_t default_max_bytes = UINT64_C(5) << 30;

static int64_t real_wall_s(void *ctx)
{
    (void)ctx;
    return lwb_clock_wall_s();
}

static uint64_t real_monotonic_ns(void *ctx)
{
    (void)ctx;
    return lwb_clock_ns();
}

static const struct lwb_cache_clock real_clock = { real_wall_s, real_monotonic_ns, NULL };

int64_t lwb_cache_wall_s(const struct lwb_cache *cache)
{
    return cache->clock.wall_s(cache->clock.ctx);
}

static uint64_t monotonic_ns(const struct lwb_cache *cache)
{
    return cache->clock.monotonic_ns(cache->clock.ctx);
}

bool lwb_cache_is_read_only(const struct lwb_cache *cache)
{
    return cache->read_only;
}

const char *lwb_cache_dir(const struct lwb_cache *cache)
{
    return cache->dir;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int make_absolute(struct lwb_cache *cache, const char *dir, struct lwb_error *err)
{
    char *cwd;

    if (dir[0] == '/') {
        cache->dir = lwb_path_normalise(dir);
    } else {
        cwd = get_current_dir_name();
        if (!cwd)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot tell the current directory");
        cache->dir = lwb_path_absolute(cwd, dir);
        free(cwd);
    }
    return cache->dir ? LWB_OK : lwb_fail_memory(err);
}

/* What the directory allows; the caller may have asked for less. */
static int judge_directory(struct lwb_cache *cache, struct lwb_buf *warning, struct lwb_error *err)
{
    struct stat st;

    if (stat(cache->dir, &st) != 0) {
        if (cache->read_only && (errno == ENOENT || errno == ENOTDIR))
            return LWB_OK; /* nothing is found in it */
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot use cache directory %s", cache->dir);
    }
    if (!S_ISDIR(st.st_mode))
        return lwb_fail(err, LWB_ERR_SYSTEM, "cache directory %s is not a directory", cache->dir);
    cache->device = (uint64_t)st.st_dev;
    if (cache->read_only)
        return LWB_OK;
    if (st.st_uid != geteuid()) {
        cache->read_only = true;
        lwb_buf_format(warning, "cache directory %s belongs to another user: used read-only",
                       cache->dir);
    } else if (access(cache->dir, W_OK | X_OK) != 0) {
        cache->read_only = true;
        lwb_buf_format(warning, "cache directory %s is not writable: used read-only", cache->dir);
    } else if (st.st_mode & S_IWOTH) {
        lwb_buf_format(warning, "cache directory %s can be written by everybody", cache->dir);
    }
    return LWB_OK;
}

/*
 * From here on nobody believes to be alone. Whoever does so now is tidying up
 * and is waited for. Without the lock (a directory that is not ours) what we use
 * may be evicted, and is a miss then.
 */
static void enter_users(struct lwb_cache *cache)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(cache->dir, "cache.users");
    struct lwb_error ignored;

    if (!path)
        return;
    if (cache->read_only)
        cache->users_fd = open(path, O_RDONLY | O_CLOEXEC);
    else
        (void)lwb_lock_open(&cache->users_fd, path, &ignored);
    lwb_cache_share(cache);
}

static int open_database(struct lwb_cache *cache, struct lwb_buf *warning, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf notice = LWB_BUF(2 * LWB_PATH_MAX);
    int rc;

    cache->db.dir = cache->dir;
    cache->db.read_only = cache->read_only;
    rc = lwb_db_open(&cache->db, &notice, err);
    if (rc > 0 && warning->len == 0)
        lwb_buf_append_bytes(warning, lwb_buf_bytes(&notice));
    if (rc < 0 || !cache->db.sql)
        return rc < 0 ? rc : LWB_OK;
    rc = lwb_db_step(&cache->db, LWB_SQL_TOMBSTONE_ANY, NULL, 0, err);
    if (rc > 0)
        lwb_db_finish(&cache->db, LWB_SQL_TOMBSTONE_ANY);
    if (rc < 0 && lwb_db_recover(&cache->db))
        rc = 0;
    cache->has_tombstones = rc > 0;
    if (rc < 0)
        return rc;
    /* Without it no batch is stored: a file that was replaced since has another number. */
    if (cache->db.sql && lwb_cache_get_meta(cache, "gone", &cache->gone, err) < 0 &&
        !lwb_db_recover(&cache->db))
        return err->code;
    return LWB_OK;
}

/* Files that every cache directory has. Under no lock: whoever is first, the others agree. */
static int mark_directory(struct lwb_cache *cache, struct lwb_error *err)
{
    static const char tag[] = "Signature: 8a477f597d28d172789f06886806bc55\n"
                              "# Results of lwbuild. It can be removed, and backups can skip it.\n";
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(cache->dir, "CACHEDIR.TAG");
    uint64_t generation = 0;
    int rc;

    if (!path)
        return lwb_fail_memory(err);
    if (lwb_cache_generation(cache->dir, &generation, err) == LWB_OK && generation > 0)
        return LWB_OK;
    rc = lwb_cache_set_generation(cache->dir, (uint64_t)lwb_cache_wall_s(cache), err);
    return rc < 0 ? rc : lwb_file_write(path, lwb_bytes_text(tag), 0600, err);
}

static struct lwb_cache *new_cache(const struct lwb_cache_config *config)
{
    LWB_AUTO(lwb_cache_close) struct lwb_cache *cache = lwb_alloc(sizeof(*cache));

    if (!cache)
        return NULL;
    cache->users_fd = -1;
    cache->scratch_fd = -1;
    cache->db.lock_fd = -1;
    cache->db.busy_ms = config->busy_ms ? config->busy_ms : LWB_DB_BUSY_MS;
    cache->read_only = config->mode == LWB_CACHE_READ_ONLY;
    cache->max_bytes = config->max_bytes ? config->max_bytes : default_max_bytes;
    cache->clock = config->clock ? *config->clock : real_clock;
    cache->body = LWB_BUF(LWB_CACHE_ENTRY_MAX);
    cache->fact = LWB_BUF(LWB_CACHE_ENTRY_MAX);
    cache->path = LWB_BUF(LWB_PATH_MAX);
    cache->gone = -1;
    cache->least_use = INT64_MAX;
    lwb_pending_init(&cache->pending);
    cache->hasher = lwb_hasher_create();
    return cache->hasher ? LWB_TAKE(cache) : NULL;
}

int lwb_cache_open(struct lwb_cache **out, const struct lwb_cache_config *config,
                   struct lwb_buf *warning, struct lwb_error *err)
{
    LWB_AUTO(lwb_cache_close) struct lwb_cache *cache = new_cache(config);
    int rc;

    if (!cache)
        return lwb_fail_memory(err);
    rc = make_absolute(cache, config->dir, err);
    if (rc == LWB_OK && !cache->read_only)
        rc = lwb_file_make_dirs(cache->dir, 0700, err);
    if (rc == LWB_OK)
        rc = judge_directory(cache, warning, err);
    if (rc == LWB_OK)
        enter_users(cache);
    if (rc == LWB_OK)
        rc = open_database(cache, warning, err);
    if (rc == LWB_OK && !cache->read_only)
        rc = mark_directory(cache, err);
    if (rc < 0)
        return rc;
    *out = LWB_TAKE(cache);
    return LWB_OK;
}

/* ---- committing -------------------------------------------------------------------------- */

void lwb_cache_note(struct lwb_cache *cache, enum lwb_write_kind kind, const struct lwb_digest *key,
                    int64_t number)
{
    struct lwb_error ignored;

    if (!cache->read_only)
        (void)lwb_pending_add(&cache->pending, kind, key, number, cache->pending.data.len,
                              &ignored);
}

int lwb_cache_write_all(struct lwb_cache *cache, struct lwb_error *err)
{
    int rc;

    if (cache->read_only || (cache->pending.count == 0 && !lwb_stats_are_due(cache)))
        return LWB_OK;
    rc = lwb_cache_apply(cache, err);
    if (rc < 0 && lwb_db_recover(&cache->db))
        rc = lwb_cache_apply(cache, err);
    if (rc < 0) {
        cache->retry_ns = monotonic_ns(cache) + LWB_CACHE_RETRY_MS * UINT64_C(1000000);
        return rc;
    }
    lwb_pending_clear(&cache->pending);
    cache->retry_ns = 0;
    return LWB_OK;
}

int lwb_cache_commit(struct lwb_cache *cache, struct lwb_error *err)
{
    return cache->pending.count ? lwb_cache_write_all(cache, err) : LWB_OK;
}

void lwb_cache_commit_if_due(struct lwb_cache *cache)
{
    struct lwb_error ignored; /* kept and tried again; the last word has close */
    uint64_t now;

    if (cache->pending.count == 0)
        return;
    now = monotonic_ns(cache);
    if (cache->pending.since_ns == 0)
        cache->pending.since_ns = now;
    if (now < cache->retry_ns)
        return;
    if (lwb_pending_is_full(&cache->pending) ||
        now - cache->pending.since_ns >= LWB_CACHE_COMMIT_MS * UINT64_C(1000000))
        (void)lwb_cache_commit(cache, &ignored);
}

int lwb_cache_tick(struct lwb_cache *cache, struct lwb_error *err)
{
    (void)err;
    lwb_cache_commit_if_due(cache);
    lwb_db_end_read(&cache->db);
    return LWB_OK;
}

int lwb_cache_get_meta(struct lwb_cache *cache, const char *name, int64_t *out,
                       struct lwb_error *err)
{
    int rc = lwb_db_query(&cache->db, LWB_SQL_META_GET, err, LWB_SQL_TEXT(name));

    if (rc <= 0)
        return rc;
    *out = lwb_db_int(&cache->db, LWB_SQL_META_GET, 0);
    lwb_db_finish(&cache->db, LWB_SQL_META_GET);
    return 1;
}

/* ---- closing ----------------------------------------------------------------------------- */

bool lwb_cache_is_alone(struct lwb_cache *cache)
{
    return cache->users_fd >= 0 && lwb_lock_try(cache->users_fd);
}

void lwb_cache_share(struct lwb_cache *cache)
{
    struct lwb_error ignored;

    if (cache->users_fd >= 0)
        (void)lwb_lock_share(cache->users_fd, cache->db.busy_ms, &ignored);
}

/* The last one out leaves a cache.db that is complete by itself and can be moved. */
static void leave(struct lwb_cache *cache)
{
    struct lwb_error ignored;
    bool alone;

    if (cache->db.sql && !cache->read_only) {
        alone = lwb_cache_is_alone(cache);
        lwb_trim_at_close(cache, alone);
        (void)lwb_cache_write_all(cache, &ignored); /* what that has counted */
        if (alone)
            (void)lwb_db_checkpoint(&cache->db, &ignored);
    }
    if (cache->users_fd >= 0)
        close(cache->users_fd);
}

void lwb_cache_close(struct lwb_cache *cache)
{
    struct lwb_error ignored;

    if (!cache)
        return;
    if (cache->db.sql)
        lwb_notes_fold_if_many(cache);
    lwb_cache_count(cache, LWB_STAT_REPLACED, cache->db.replaced);
    (void)lwb_cache_write_all(cache, &ignored);
    lwb_cache_remove_scratch(cache);
    leave(cache);
    lwb_db_close(&cache->db);
    lwb_pending_release(&cache->pending);
    lwb_hasher_destroy(cache->hasher);
    lwb_buf_release(&cache->body);
    lwb_buf_release(&cache->fact);
    lwb_buf_release(&cache->path);
    lwb_free(cache->artifacts);
    lwb_free(cache->dir);
    lwb_free(cache);
}
