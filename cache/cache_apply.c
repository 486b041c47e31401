#include "cache/cache_internal.h"

/*
 * From pending writes to rows. All writes of one commit are one transaction, so
 * a reader sees an entry with everything that hangs on it or not at all.
 */
enum { ROW_COST = 100 }; /* what an entry takes up beside its body, roughly */

static int drop_payload(struct lwb_cache *cache, int64_t payload, struct lwb_error *err)
{
    return lwb_db_run(&cache->db, LWB_SQL_PAYLOAD_DELETE, err, LWB_SQL_INT(payload));
}

struct row {
    int64_t payload;
    bool fresh;
    int64_t size;
};

static int peek_row(struct lwb_cache *cache, const struct lwb_digest *key, struct row *row,
                    struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_query(db, LWB_SQL_ENTRY_PEEK, err, LWB_SQL_DIGEST(key));

    if (rc <= 0)
        return rc;
    *row = (struct row){
        .payload = lwb_db_int(db, LWB_SQL_ENTRY_PEEK, 0),
        .fresh = lwb_db_int(db, LWB_SQL_ENTRY_PEEK, 1) != 0,
        .size = lwb_db_int(db, LWB_SQL_ENTRY_PEEK, 2),
    };
    lwb_db_finish(db, LWB_SQL_ENTRY_PEEK);
    return 1;
}

int lwb_cache_delete_entry(struct lwb_cache *cache, const struct lwb_digest *key,
                           struct lwb_error *err)
{
    struct row old;
    int rc = peek_row(cache, key, &old, err);

    if (rc <= 0)
        return rc;
    cache->grown -= old.size;
    rc = drop_payload(cache, old.payload, err);
    if (rc == LWB_OK)
        rc = lwb_db_run(&cache->db, LWB_SQL_ARTIFACT_DELETE, err, LWB_SQL_DIGEST(key));
    if (rc == LWB_OK)
        rc = lwb_db_run(&cache->db, LWB_SQL_ENTRY_DELETE, err, LWB_SQL_DIGEST(key));
    return rc;
}

int lwb_cache_delete_object(struct lwb_cache *cache, const struct lwb_digest *digest,
                            struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_query(db, LWB_SQL_OBJECT_SIZE, err, LWB_SQL_DIGEST(digest));

    if (rc <= 0)
        return rc;
    cache->grown -= lwb_db_int(db, LWB_SQL_OBJECT_SIZE, 0);
    lwb_db_finish(db, LWB_SQL_OBJECT_SIZE);
    return lwb_db_run(db, LWB_SQL_OBJECT_DELETE, err, LWB_SQL_DIGEST(digest));
}

static int put_object(struct lwb_cache *cache, const struct lwb_digest *digest, int64_t size,
                      int64_t now, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_run(db, LWB_SQL_OBJECT_ADD, err, LWB_SQL_DIGEST(digest), LWB_SQL_INT(size),
                        LWB_SQL_INT(now));

    if (rc < 0)
        return rc;
    if (sqlite3_changes(db->sql) > 0)
        cache->grown += size;
    else
        rc = lwb_db_run(db, LWB_SQL_OBJECT_TOUCH, err, LWB_SQL_INT(now), LWB_SQL_DIGEST(digest));
    return rc;
}

static int put_artifacts(struct lwb_cache *cache, const struct lwb_write *write, int64_t now,
                         struct lwb_error *err)
{
    struct lwb_bytes body = lwb_pending_data(&cache->pending, write);
    struct lwb_cache_entry entry;
    int rc;

    body.len -= LWB_SEAL_SIZE;
    rc = lwb_cache_entry_decode(&entry, &cache->artifacts, &cache->artifacts_cap, body, err);
    for (size_t i = 0; rc == LWB_OK && i < entry.n_artifacts; i++) {
        const struct lwb_cache_artifact *artifact = &entry.artifacts[i];

        rc = lwb_db_run(&cache->db, LWB_SQL_ARTIFACT_ADD, err, LWB_SQL_DIGEST(&write->key),
                        LWB_SQL_DIGEST(&artifact->digest));
        if (rc == LWB_OK)
            rc = put_object(cache, &artifact->digest, (int64_t)artifact->size, now, err);
    }
    return rc;
}

/* There is an entry already, perhaps a stricter one. Returns 1 if the new one took its place. */
static int replace_row(struct lwb_cache *cache, const struct lwb_write *write, int64_t payload,
                       int64_t size, int64_t now, struct lwb_error *err)
{
    struct row old;
    int rc = peek_row(cache, &write->key, &old, err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s: an entry came and went", cache->db.path);
    if (old.fresh && !write->number) {
        rc = drop_payload(cache, payload, err);
        return rc < 0 ? rc : lwb_batch_doubt(cache, err);
    }
    cache->grown += size - old.size;
    rc = drop_payload(cache, old.payload, err);
    if (rc == LWB_OK)
        rc = lwb_db_run(&cache->db, LWB_SQL_ARTIFACT_DELETE, err, LWB_SQL_DIGEST(&write->key));
    if (rc == LWB_OK)
        rc = lwb_db_run(&cache->db, LWB_SQL_ENTRY_REPLACE, err, LWB_SQL_INT(payload),
                        LWB_SQL_INT(write->number), LWB_SQL_INT(size), LWB_SQL_INT(now),
                        LWB_SQL_DIGEST(&write->key));
    return rc < 0 ? rc : 1;
}

static int put_entry(struct lwb_cache *cache, const struct lwb_write *write, int64_t now,
                     struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    struct lwb_bytes body = lwb_pending_data(&cache->pending, write);
    int64_t size = (int64_t)body.len + ROW_COST;
    int64_t payload;
    int rc = lwb_db_run(db, LWB_SQL_PAYLOAD_ADD, err, LWB_SQL_BLOB(body));

    if (rc < 0)
        return rc;
    payload = sqlite3_last_insert_rowid(db->sql);
    rc = lwb_db_run(db, LWB_SQL_ENTRY_ADD, err, LWB_SQL_DIGEST(&write->key), LWB_SQL_INT(payload),
                    LWB_SQL_INT(write->number), LWB_SQL_INT(size), LWB_SQL_INT(now));
    if (rc < 0)
        return rc;
    if (sqlite3_changes(db->sql) == 0) {
        rc = replace_row(cache, write, payload, size, now, err);
        if (rc <= 0)
            return rc;
    } else {
        cache->grown += size;
    }
    return put_artifacts(cache, write, now, err);
}

static int drop_entry(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_error *err)
{
    int rc = lwb_cache_delete_entry(cache, key, err);

    if (rc == LWB_OK) /* gone for another reason than its age */
        rc = lwb_db_run(&cache->db, LWB_SQL_TOMBSTONE_DELETE, err, LWB_SQL_DIGEST(key));
    return rc;
}

static int touch_entry(struct lwb_cache *cache, const struct lwb_digest *key, int64_t now,
                       int64_t unused_since, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_run(db, LWB_SQL_ENTRY_TOUCH, err, LWB_SQL_INT(now), LWB_SQL_DIGEST(key),
                        LWB_SQL_INT(unused_since));

    if (rc == LWB_OK && sqlite3_changes(db->sql) > 0)
        rc = lwb_db_run(db, LWB_SQL_OBJECT_TOUCH_OF, err, LWB_SQL_INT(now), LWB_SQL_DIGEST(key));
    return rc;
}

static int apply_write(struct lwb_cache *cache, const struct lwb_write *write, int64_t now,
                       struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    struct lwb_bytes data = lwb_pending_data(&cache->pending, write);

    switch (write->kind) {
    case LWB_WRITE_ENTRY:
        return put_entry(cache, write, now, err);
    case LWB_WRITE_DROP:
        return drop_entry(cache, &write->key, err);
    case LWB_WRITE_TOUCH:
        return touch_entry(cache, &write->key, now, write->number ? now : now - LWB_CACHE_TOUCH_S,
                           err);
    case LWB_WRITE_WANTED:
        return lwb_db_run(db, LWB_SQL_TOMBSTONE_WANTED, err, LWB_SQL_DIGEST(&write->key));
    case LWB_WRITE_OBJECT:
        return put_object(cache, &write->key, write->number, now, err);
    case LWB_WRITE_FACT:
        return lwb_db_run(db, LWB_SQL_FACT_PUT, err, LWB_SQL_INT(write->number),
                          LWB_SQL_DIGEST(&write->key), LWB_SQL_BLOB(data), LWB_SQL_INT(now));
    case LWB_WRITE_FACT_TOUCH:
        return lwb_db_run(db, LWB_SQL_FACT_TOUCH, err, LWB_SQL_INT(now), LWB_SQL_INT(write->number),
                          LWB_SQL_DIGEST(&write->key));
    case LWB_WRITE_COMPONENTS:
        return lwb_db_run(db, LWB_SQL_COMPONENTS_PUT, err, LWB_SQL_DIGEST(&write->key),
                          LWB_SQL_BLOB(data), LWB_SQL_INT(now));
    case LWB_WRITE_BATCH:
        return lwb_batch_put(cache, write, now, err);
    case LWB_WRITE_BATCH_DROP:
        return lwb_batch_delete(cache, &write->key, &write->key, err);
    case LWB_WRITE_BATCH_TOUCH:
        return lwb_db_run(db, LWB_SQL_BATCH_TOUCH, err, LWB_SQL_INT(now),
                          LWB_SQL_DIGEST(&write->key));
    }
    return lwb_fail(err, LWB_ERR_USAGE, "a write of no kind");
}

int lwb_cache_add_bytes(struct lwb_cache *cache, struct lwb_error *err)
{
    if (cache->grown == 0)
        return LWB_OK;
    return lwb_db_run(&cache->db, LWB_SQL_META_ADD, err, LWB_SQL_TEXT("bytes"),
                      LWB_SQL_INT(cache->grown));
}

static int apply_all(struct lwb_cache *cache, struct lwb_error *err)
{
    int64_t now = lwb_cache_wall_s(cache);
    int rc = LWB_OK;

    cache->grown = 0;
    for (size_t i = 0; rc == LWB_OK && i < cache->pending.count; i++)
        rc = apply_write(cache, &cache->pending.writes[i], now, err);
    if (rc == LWB_OK)
        rc = lwb_stats_apply(cache, err);
    return rc == LWB_OK ? lwb_cache_add_bytes(cache, err) : rc;
}

int lwb_cache_apply(struct lwb_cache *cache, struct lwb_error *err)
{
    int rc = lwb_db_begin_write(&cache->db, err);

    if (rc < 0)
        return rc;
    rc = apply_all(cache, err);
    if (rc == LWB_OK)
        rc = lwb_db_commit(&cache->db, err);
    else
        lwb_db_rollback(&cache->db);
    if (rc == LWB_OK)
        lwb_stats_applied(cache);
    return rc;
}
