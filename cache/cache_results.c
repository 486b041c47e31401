#include "cache/cache_internal.h"

#include "lwbuild/base/alloc.h"

/* Entries and batches: looked up in what is pending first, then in the file. */

/* The sealed body of an entry, borrowed until the next call. */
static int find_body(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_bytes *body,
                     int64_t *used, struct lwb_error *err)
{
    const struct lwb_write *write = lwb_pending_find(&cache->pending, LWB_WRITE_ENTRY, key, 0);
    struct lwb_db *db = &cache->db;
    int rc;

    if (write) {
        *body = lwb_pending_data(&cache->pending, write);
        *used = INT64_MAX;
        return write->kind == LWB_WRITE_ENTRY;
    }
    if (!db->sql)
        return 0;
    rc = lwb_db_begin_read(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_query(db, LWB_SQL_ENTRY_GET, err, LWB_SQL_DIGEST(key));
    if (rc <= 0)
        return rc;
    lwb_buf_clear(&cache->body);
    lwb_buf_append_bytes(&cache->body, lwb_db_blob(db, LWB_SQL_ENTRY_GET, 1));
    *used = lwb_db_int(db, LWB_SQL_ENTRY_GET, 0);
    *body = lwb_buf_bytes(&cache->body);
    lwb_db_finish(db, LWB_SQL_ENTRY_GET);
    return lwb_buf_ok(&cache->body) ? 1 : lwb_fail_memory(err);
}

static bool objects_are_there(struct lwb_cache *cache, const struct lwb_cache_entry *entry)
{
    for (size_t i = 0; i < entry->n_artifacts; i++)
        if (!lwb_object_is_there(cache, &entry->artifacts[i].digest, entry->artifacts[i].size))
            return false;
    return true;
}

/* Somebody asks for what was evicted: the limit is too low. Counted once per entry. */
static void note_wanted(struct lwb_cache *cache, const struct lwb_digest *key)
{
    struct lwb_db *db = &cache->db;
    struct lwb_error ignored;
    bool first;

    if (!cache->has_tombstones || !db->sql ||
        lwb_db_query(db, LWB_SQL_TOMBSTONE_GET, &ignored, LWB_SQL_DIGEST(key)) <= 0)
        return;
    first = lwb_db_int(db, LWB_SQL_TOMBSTONE_GET, 1) == 0;
    lwb_db_finish(db, LWB_SQL_TOMBSTONE_GET);
    if (!first || lwb_pending_find(&cache->pending, LWB_WRITE_WANTED, key, 0))
        return;
    lwb_cache_note(cache, LWB_WRITE_WANTED, key, 0);
    lwb_cache_count(cache, LWB_STAT_EVICTED_WANTED, 1);
}

static void note_use(struct lwb_cache *cache, const struct lwb_digest *key, int64_t used)
{
    if (used < lwb_cache_wall_s(cache) - LWB_CACHE_TOUCH_S &&
        !lwb_pending_find(&cache->pending, LWB_WRITE_TOUCH, key, 0))
        lwb_cache_note(cache, LWB_WRITE_TOUCH, key, 0);
}

/* Returns 0 if the bytes are not what was stored under this key. */
static int open_body(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_bytes body,
                     struct lwb_cache_entry *entry, struct lwb_error *err)
{
    int rc;

    if (!lwb_unseal(&body, cache->checker, 'e', key))
        return 0;
    rc = lwb_cache_entry_decode(entry, &cache->artifacts, &cache->artifacts_cap, body, err);
    if (rc == LWB_ERR_FORMAT)
        return 0;
    return rc < 0 ? rc : 1;
}

int lwb_cache_lookup(struct lwb_cache *cache, const struct lwb_digest *key, bool fresh_only,
                     struct lwb_cache_entry *entry, struct lwb_error *err)
{
    struct lwb_cache_entry found;
    struct lwb_bytes body;
    int64_t used = 0;
    int rc = find_body(cache, key, &body, &used, err);

    if (rc < 0)
        return lwb_db_recover(&cache->db) ? 0 : rc;
    if (rc == 0) {
        note_wanted(cache, key);
        return 0;
    }
    rc = open_body(cache, key, body, &found, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || !objects_are_there(cache, &found)) {
        lwb_cache_note(cache, LWB_WRITE_DROP, key, 0);
        return 0;
    }
    if (fresh_only && !found.fresh)
        return 0;
    note_use(cache, key, used);
    *entry = found;
    return 1;
}

int lwb_cache_store(struct lwb_cache *cache, const struct lwb_digest *key,
                    const struct lwb_cache_entry *entry, struct lwb_error *err)
{
    struct lwb_pending *pending = &cache->pending;
    const struct lwb_write *earlier = lwb_pending_find(pending, LWB_WRITE_ENTRY, key, 0);
    size_t at = pending->data.len;
    int rc;

    if (cache->read_only)
        return LWB_OK;
    if (entry->report.len + entry->facts.len > LWB_CACHE_ENTRY_MAX / 2)
        return lwb_fail(err, LWB_ERR_LIMIT, "a result of %zu bytes is too large to store",
                        entry->report.len + entry->facts.len);
    if (earlier && earlier->kind == LWB_WRITE_ENTRY && earlier->number && !entry->fresh)
        return LWB_OK;
    lwb_cache_entry_encode(&pending->data, entry);
    lwb_seal(&pending->data, at, cache->checker, 'e', key);
    rc = lwb_pending_add(pending, LWB_WRITE_ENTRY, key, entry->fresh, at, err);
    if (rc == LWB_OK)
        lwb_cache_commit_if_due(cache);
    return rc;
}

int lwb_cache_drop(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_error *err)
{
    int rc;

    if (cache->read_only)
        return LWB_OK;
    rc = lwb_pending_add(&cache->pending, LWB_WRITE_DROP, key, 0, cache->pending.data.len, err);
    if (rc == LWB_OK)
        lwb_cache_commit_if_due(cache);
    return rc;
}

/* ---- batches ----------------------------------------------------------------------------- */

static struct lwb_digest digest_of_members(struct lwb_cache *cache,
                                           const struct lwb_digest *members, size_t n_members)
{
    lwb_hasher_u64(cache->hasher, 'n', n_members);
    for (size_t i = 0; i < n_members; i++)
        lwb_hasher_digest(cache->hasher, 'k', &members[i]);
    return lwb_hasher_end(cache->hasher);
}

int lwb_cache_lookup_batch(struct lwb_cache *cache, const struct lwb_digest *batch,
                           const struct lwb_digest *members, size_t n_members, bool fresh_only,
                           struct lwb_error *err)
{
    struct lwb_digest expected = digest_of_members(cache, members, n_members);
    struct lwb_cache_entry entry;
    struct lwb_bytes value;
    int rc = lwb_fact_get(cache, LWB_FACT_BATCH, batch, &value, err);

    if (rc <= 0)
        return rc;
    if (!lwb_bytes_equal(value, lwb_bytes(expected.bytes, sizeof(expected.bytes))))
        return 0;
    for (size_t i = 0; rc > 0 && i < n_members; i++)
        rc = lwb_cache_lookup(cache, &members[i], fresh_only, &entry, err);
    return rc;
}

int lwb_cache_store_batch(struct lwb_cache *cache, const struct lwb_digest *batch,
                          const struct lwb_digest *members, size_t n_members, struct lwb_error *err)
{
    struct lwb_digest digest = digest_of_members(cache, members, n_members);

    return lwb_fact_put(cache, LWB_FACT_BATCH, batch, lwb_bytes(digest.bytes, sizeof(digest.bytes)),
                        err);
}
