#include "cache/cache_internal.h"

/* Small sealed values: file digests, derived answers, batches. */

enum { FACT_TOUCH_S = 7 * 24 * 60 * 60 }; /* they are dropped after months without use */

static int read_fact(struct lwb_cache *cache, enum lwb_fact kind, const struct lwb_digest *key,
                     int64_t *used, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc;

    if (!db->sql)
        return 0;
    rc = lwb_db_begin_read(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_query(db, LWB_SQL_FACT_GET, err, LWB_SQL_INT(kind), LWB_SQL_DIGEST(key));
    if (rc <= 0)
        return rc;
    lwb_buf_append_bytes(&cache->fact, lwb_db_blob(db, LWB_SQL_FACT_GET, 0));
    *used = lwb_db_int(db, LWB_SQL_FACT_GET, 1);
    lwb_db_finish(db, LWB_SQL_FACT_GET);
    return 1;
}

int lwb_fact_get(struct lwb_cache *cache, enum lwb_fact kind, const struct lwb_digest *key,
                 struct lwb_bytes *value, struct lwb_error *err)
{
    const struct lwb_write *write = lwb_pending_find(&cache->pending, LWB_WRITE_FACT, key, kind);
    int64_t used = INT64_MAX;
    struct lwb_bytes found;
    int rc = 1;

    lwb_buf_clear(&cache->fact);
    if (write)
        lwb_buf_append_bytes(&cache->fact, lwb_pending_data(&cache->pending, write));
    else
        rc = read_fact(cache, kind, key, &used, err);
    if (rc < 0)
        return lwb_db_recover(&cache->db) ? 0 : rc;
    if (!lwb_buf_ok(&cache->fact))
        return lwb_fail_memory(err);
    found = lwb_buf_bytes(&cache->fact);
    if (rc == 0 || !lwb_unseal(&found, (char)kind, key))
        return 0;
    if (used < lwb_cache_wall_s(cache) - FACT_TOUCH_S &&
        !lwb_pending_find(&cache->pending, LWB_WRITE_FACT_TOUCH, key, kind))
        lwb_cache_note(cache, LWB_WRITE_FACT_TOUCH, key, kind);
    *value = found;
    return 1;
}

int lwb_fact_put(struct lwb_cache *cache, enum lwb_fact kind, const struct lwb_digest *key,
                 struct lwb_bytes value, struct lwb_error *err)
{
    struct lwb_pending *pending = &cache->pending;
    size_t at = pending->data.len;
    int rc;

    if (cache->read_only)
        return LWB_OK;
    lwb_buf_append_bytes(&pending->data, value);
    lwb_seal(&pending->data, at, (char)kind, key);
    rc = lwb_pending_add(pending, LWB_WRITE_FACT, key, kind, at, err);
    if (rc == LWB_OK)
        lwb_cache_commit_if_due(cache);
    return rc;
}
