#include "cache/cache_trim.h"

#include <stdio.h>
#include <string.h>

#include "cache/cache_dir.h"
#include "cache/cache_generation.h"
#include "cache/cache_notes.h"
#include "cache/cache_tidy.h"
#include "lwbuild/base/alloc.h"

/*
 * Eviction goes by least recent use, in transactions of some hundred entries,
 * so that others never wait long for the lock. An object goes when its last
 * entry has gone.
 *
 * While other processes have the cache open, what was used within the hour is
 * theirs: look-ups write a use down at the next commit when the last one is
 * older than that, and taking an object in counts as a use. So the limit can be
 * exceeded by what one hour of builds uses, and nobody loses a file from under
 * his feet.
 */
enum {
    CHUNK = 500,
    KEEP_PERCENT = 90,
    DAY_S = 24 * 60 * 60,
    TOMBSTONES_KEPT_S = 30 * DAY_S,
    FACTS_KEPT_S = 90 * DAY_S,
    TREES_KEPT_S = 7 * DAY_S, /* thousands of links each, and soon made again */
    VACUUM_PAGES = 10000,
};

static int64_t oldest_in_use(struct lwb_cache *cache, bool alone)
{
    return alone ? INT64_MAX : lwb_cache_wall_s(cache) - LWB_CACHE_TOUCH_S;
}

/* ---- one transaction's worth ------------------------------------------------------------- */

struct chunk {
    struct lwb_digest keys[CHUNK];
    size_t count;
};

/* The digests that a query with (limit by use, number of rows) gives. */
static int select_chunk(struct lwb_cache *cache, enum lwb_sql id, int64_t before, struct chunk *out,
                        struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_query(db, id, err, LWB_SQL_INT(before), LWB_SQL_INT(CHUNK));

    out->count = 0;
    for (; rc > 0; rc = lwb_db_next(db, id, err)) {
        if (lwb_digest_from(&out->keys[out->count], lwb_db_blob(db, id, 0)) < 0) {
            lwb_db_finish(db, id);
            db->damaged = true;
            return lwb_fail(err, LWB_ERR_FORMAT, "%s: a key that is none", db->path);
        }
        if (++out->count < CHUNK)
            continue;
        lwb_db_finish(db, id);
        break;
    }
    return rc < 0 ? rc : LWB_OK;
}

static int evict_chunk(struct lwb_cache *cache, const struct chunk *chunk, int64_t target,
                       struct lwb_trim_result *out, struct lwb_error *err)
{
    int64_t now = lwb_cache_wall_s(cache);
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < chunk->count; i++) {
        if ((int64_t)out->left + cache->grown <= target)
            break;
        rc = lwb_cache_delete_entry(cache, &chunk->keys[i], err);
        if (rc == LWB_OK)
            rc = lwb_db_run(&cache->db, LWB_SQL_TOMBSTONE_PUT, err, LWB_SQL_DIGEST(&chunk->keys[i]),
                            LWB_SQL_INT(now));
        out->entries++;
    }
    return rc;
}

/* The file goes first: a row without a file harms nobody and is found again. */
static int collect_chunk(struct lwb_cache *cache, const struct chunk *chunk,
                         struct lwb_trim_result *out, struct lwb_error *err)
{
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < chunk->count; i++) {
        lwb_object_unlink(cache, &chunk->keys[i]);
        rc = lwb_cache_delete_object(cache, &chunk->keys[i], err);
        out->objects++;
    }
    return rc;
}

static int end_chunk(struct lwb_cache *cache, int rc, struct lwb_trim_result *out,
                     struct lwb_error *err)
{
    if (rc == LWB_OK)
        rc = lwb_cache_add_bytes(cache, err);
    if (rc == LWB_OK)
        rc = lwb_db_commit(&cache->db, err);
    else
        lwb_db_rollback(&cache->db);
    if (rc < 0)
        return rc;
    out->bytes += (uint64_t)-cache->grown;
    out->left -= (uint64_t)-cache->grown;
    return LWB_OK;
}

/* Objects without entries. Returns 1 if there may be more. */
static int collect_once(struct lwb_cache *cache, int64_t before, struct chunk *chunk,
                        struct lwb_trim_result *out, struct lwb_error *err)
{
    int rc = lwb_db_begin_write(&cache->db, err);

    if (rc < 0)
        return rc;
    cache->grown = 0;
    rc = select_chunk(cache, LWB_SQL_OBJECT_UNUSED, before, chunk, err);
    if (rc == LWB_OK)
        rc = collect_chunk(cache, chunk, out, err);
    rc = end_chunk(cache, rc, out, err);
    return rc < 0 ? rc : chunk->count == CHUNK;
}

static int collect_all(struct lwb_cache *cache, int64_t before, struct chunk *chunk,
                       struct lwb_trim_result *out, struct lwb_error *err)
{
    int rc;

    do {
        rc = collect_once(cache, before, chunk, out, err);
    } while (rc > 0);
    return rc;
}

/* The oldest entries. Returns 1 if some went. */
static int evict_once(struct lwb_cache *cache, int64_t before, int64_t target, struct chunk *chunk,
                      struct lwb_trim_result *out, struct lwb_error *err)
{
    uint64_t earlier = out->entries;
    int rc = lwb_db_begin_write(&cache->db, err);

    if (rc < 0)
        return rc;
    cache->grown = 0;
    rc = select_chunk(cache, LWB_SQL_ENTRY_OLDEST, before, chunk, err);
    if (rc == LWB_OK)
        rc = evict_chunk(cache, chunk, target, out, err);
    rc = end_chunk(cache, rc, out, err);
    return rc < 0 ? rc : out->entries > earlier;
}

/* ---- trimming ---------------------------------------------------------------------------- */

/* The sum itself, and not what adding and taking away has made of it. */
static int recount(struct lwb_cache *cache, uint64_t *bytes, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int64_t sum = 0;
    int rc = lwb_db_begin_write(db, err);

    if (rc < 0)
        return rc;
    rc = lwb_db_step(db, LWB_SQL_BYTES_SUM, NULL, 0, err);
    if (rc > 0) {
        sum = lwb_db_int(db, LWB_SQL_BYTES_SUM, 0);
        lwb_db_finish(db, LWB_SQL_BYTES_SUM);
        rc = lwb_db_run(db, LWB_SQL_META_PUT, err, LWB_SQL_TEXT("bytes"), LWB_SQL_INT(sum));
    }
    if (rc < 0) {
        lwb_db_rollback(db);
        return rc;
    }
    *bytes = (uint64_t)sum;
    return lwb_db_commit(db, err);
}

static int expire(struct lwb_cache *cache, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int64_t now = lwb_cache_wall_s(cache);
    int rc = lwb_db_begin_write(db, err);

    if (rc < 0)
        return rc;
    cache->grown = 0;
    rc = lwb_db_run(db, LWB_SQL_TOMBSTONE_EXPIRE, err, LWB_SQL_INT(now - TOMBSTONES_KEPT_S));
    if (rc == LWB_OK)
        rc = lwb_db_run(db, LWB_SQL_FACT_EXPIRE, err, LWB_SQL_INT(now - FACTS_KEPT_S));
    if (rc == LWB_OK)
        rc = lwb_db_run(db, LWB_SQL_COMPONENTS_EXPIRE, err, LWB_SQL_INT(now - FACTS_KEPT_S));
    if (rc == LWB_OK)
        rc = lwb_batch_expire(cache, now - FACTS_KEPT_S, err);
    if (rc == LWB_OK)
        rc = lwb_cache_add_bytes(cache, err);
    if (rc == LWB_OK)
        rc = lwb_db_run(db, LWB_SQL_META_PUT, err, LWB_SQL_TEXT("tidied_at"), LWB_SQL_INT(now));
    if (rc < 0) {
        lwb_db_rollback(db);
        return rc;
    }
    return lwb_db_commit(db, err);
}

/* Give pages back to the file system. */
static void shrink(struct lwb_cache *cache)
{
    struct lwb_error ignored;
    char vacuum[64];

    (void)snprintf(vacuum, sizeof(vacuum), "PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);
    if (lwb_db_lock(&cache->db, &ignored) < 0)
        return;
    (void)lwb_db_script(&cache->db, vacuum, &ignored);
    (void)lwb_db_checkpoint(&cache->db, &ignored);
    lwb_db_unlock(&cache->db);
}

static int tidy(struct lwb_cache *cache, bool alone, int64_t trees_kept_s, struct lwb_error *err)
{
    int rc = expire(cache, err);

    if (rc == LWB_OK)
        rc = lwb_db_lock(&cache->db, err);
    if (rc < 0)
        return rc;
    rc = lwb_tidy_strays(cache, alone ? 0 : DAY_S, err);
    lwb_tidy_leftovers(cache);
    lwb_tidy_trees(cache, trees_kept_s);
    lwb_db_unlock(&cache->db);
    return rc;
}

/* They only repeat what entries hold, and none would answer once one of these has gone. */
static int drop_batches(struct lwb_cache *cache, struct lwb_trim_result *out, struct lwb_error *err)
{
    int rc = lwb_db_begin_write(&cache->db, err);

    if (rc < 0)
        return rc;
    cache->grown = 0;
    return end_chunk(cache, lwb_batch_expire(cache, INT64_MAX, err), out, err);
}

static int evict_to(struct lwb_cache *cache, uint64_t max_bytes, bool alone, struct chunk *chunk,
                    struct lwb_trim_result *out, struct lwb_error *err)
{
    int64_t before = oldest_in_use(cache, alone);
    int64_t target = (int64_t)(max_bytes / 100 * KEEP_PERCENT);
    int rc = recount(cache, &out->left, err);

    if (rc == LWB_OK)
        rc = collect_all(cache, before, chunk, out, err);
    if (rc < 0 || out->left <= max_bytes)
        return rc;
    rc = drop_batches(cache, out, err);
    if (rc < 0 || out->left <= max_bytes)
        return rc;
    do {
        rc = evict_once(cache, before, target, chunk, out, err);
        if (rc > 0 && collect_all(cache, before, chunk, out, err) < 0)
            rc = err->code;
    } while (rc > 0 && (int64_t)out->left > target);
    return rc < 0 ? rc : LWB_OK;
}

static int trim_to(struct lwb_cache *cache, uint64_t max_bytes, bool alone,
                   struct lwb_trim_result *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *memory = lwb_alloc(sizeof(struct chunk));
    struct lwb_trim_result result = { .in_use = !alone };
    int rc;

    if (!memory)
        return lwb_fail_memory(err);
    rc = evict_to(cache, max_bytes, alone, memory, &result, err);
    lwb_cache_count(cache, LWB_STAT_EVICTED, result.entries);
    cache->has_tombstones = cache->has_tombstones || result.entries > 0;
    if (rc == LWB_OK)
        rc = tidy(cache, alone, TREES_KEPT_S, err);
    if (rc < 0)
        return rc;
    if (result.entries + result.objects > 0)
        shrink(cache);
    *out = result;
    return LWB_OK;
}

int lwb_cache_trim(struct lwb_cache *cache, uint64_t max_bytes, struct lwb_trim_result *out,
                   struct lwb_error *err)
{
    bool alone;
    int rc;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    lwb_notes_fold(cache);
    rc = lwb_cache_write_all(cache, err);
    if (rc < 0)
        return rc;
    alone = lwb_cache_is_alone(cache);
    rc = trim_to(cache, max_bytes ? max_bytes : cache->max_bytes, alone, out, err);
    lwb_cache_share(cache);
    return rc;
}

void lwb_trim_at_close(struct lwb_cache *cache, bool alone)
{
    struct lwb_trim_result ignored_result;
    struct lwb_error ignored;
    int64_t bytes = 0;
    int64_t tidied = 0;

    if (lwb_cache_get_meta(cache, "bytes", &bytes, &ignored) < 0 ||
        lwb_cache_get_meta(cache, "tidied_at", &tidied, &ignored) < 0)
        return;
    if (bytes > (int64_t)cache->max_bytes) {
        lwb_notes_fold(cache);
        (void)lwb_cache_write_all(cache, &ignored);
        (void)trim_to(cache, cache->max_bytes, alone, &ignored_result, &ignored);
    } else if (tidied < lwb_cache_wall_s(cache) - DAY_S)
        (void)tidy(cache, alone, TREES_KEPT_S, &ignored);
}

/* ---- clearing ---------------------------------------------------------------------------- */

/* Also in a directory that was removed meanwhile the number rises: it is never below the time. */
int lwb_cache_disown_snapshots(struct lwb_cache *cache, struct lwb_error *err)
{
    uint64_t generation = 0;
    uint64_t now = (uint64_t)lwb_cache_wall_s(cache);
    int rc;

    (void)lwb_cache_generation(cache->dir, &generation, err); /* an unreadable one is replaced */
    rc = lwb_db_lock(&cache->db, err);
    if (rc == LWB_OK)
        rc = lwb_cache_set_generation(cache->dir, generation < now ? now : generation + 1, err);
    lwb_db_unlock(&cache->db);
    return rc;
}

static int delete_rows(struct lwb_cache *cache, struct lwb_trim_result *out, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int64_t entries = 0;
    int rc = lwb_db_begin_write(db, err);

    if (rc < 0)
        return rc;
    rc = lwb_db_step(db, LWB_SQL_ENTRY_COUNT, NULL, 0, err);
    if (rc > 0) {
        entries = lwb_db_int(db, LWB_SQL_ENTRY_COUNT, 0);
        lwb_db_finish(db, LWB_SQL_ENTRY_COUNT);
        rc = lwb_db_script(db,
                           "DELETE FROM entry; DELETE FROM payload; DELETE FROM artifact;"
                           "DELETE FROM fact; DELETE FROM components; DELETE FROM tombstone;"
                           "DELETE FROM batch",
                           err);
    }
    if (rc < 0) {
        lwb_db_rollback(db);
        return rc;
    }
    out->entries = (uint64_t)entries;
    return lwb_db_commit(db, err);
}

static int clear(struct lwb_cache *cache, bool alone, struct lwb_trim_result *out,
                 struct lwb_error *err)
{
    LWB_AUTO(lwb_free) void *memory = lwb_alloc(sizeof(struct chunk));
    int64_t before = oldest_in_use(cache, alone);
    uint64_t bytes = 0;
    int rc;

    if (!memory)
        return lwb_fail_memory(err);
    rc = recount(cache, &bytes, err);
    if (rc == LWB_OK)
        rc = delete_rows(cache, out, err);
    if (rc == LWB_OK)
        rc = recount(cache, &out->left, err);
    if (rc == LWB_OK)
        rc = collect_all(cache, before, memory, out, err);
    if (rc == LWB_OK)
        rc = tidy(cache, alone, alone ? -DAY_S : LWB_CACHE_TOUCH_S, err);
    if (rc < 0)
        return rc;
    out->bytes = bytes - out->left;
    shrink(cache);
    return LWB_OK;
}

int lwb_cache_clear(struct lwb_cache *cache, struct lwb_trim_result *out, struct lwb_error *err)
{
    struct lwb_trim_result result = { 0 };
    int rc;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    lwb_pending_clear(&cache->pending);
    rc = lwb_cache_disown_snapshots(cache, err);
    if (rc < 0)
        return rc;
    result.in_use = !lwb_cache_is_alone(cache);
    rc = clear(cache, !result.in_use, &result, err);
    lwb_cache_share(cache);
    if (rc < 0)
        return rc;
    cache->has_tombstones = false;
    memset(&cache->last_set, 0, sizeof(cache->last_set));
    *out = result;
    return LWB_OK;
}
