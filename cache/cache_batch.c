#include <string.h>

#include "cache/cache_internal.h"

/*
 * A batch repeats the entries of its members in one body, under the digest of
 * their keys, so that one read does for many. What it says is what the entries
 * said when the cache was opened, looked into or stored to; it counts for as
 * long as no entry of the file has gone or was replaced since then, which the
 * file itself counts (cache_schema.c). So it never answers where one of its
 * members would not, whoever drops, evicts or replaces that one, and no list
 * leads from an entry to its batches.
 *
 *   body      count(4), for each member: length(4) entry
 */
enum {
    BODY_MAX = 4 * 1024 * 1024, /* of it: more is not worth reading for one changed member */
    ROW_COST = 150,             /* what it takes up beside its body, roughly */
};

static struct lwb_digest digest_of_members(struct lwb_cache *cache,
                                           const struct lwb_digest *members, size_t n_members)
{
    lwb_hasher_text(cache->hasher, 'b', "batch");
    lwb_hasher_u64(cache->hasher, 'n', n_members);
    for (size_t i = 0; i < n_members; i++)
        lwb_hasher_digest(cache->hasher, 'k', &members[i]);
    return lwb_hasher_end(cache->hasher);
}

/* ---- looking up ---------------------------------------------------------------------------- */

/* What is on its way into the file is not in any batch. */
static bool is_any_pending(const struct lwb_cache *cache, const struct lwb_digest *members,
                           size_t n_members)
{
    for (size_t i = 0; i < n_members; i++)
        if (lwb_pending_find(&cache->pending, LWB_WRITE_ENTRY, &members[i], 0))
            return true;
    return false;
}

/* The next entry of a body: 1, or 0 when there is no such thing. */
static int take_member(struct lwb_cache *cache, struct lwb_reader *in,
                       struct lwb_cache_entry *entry, struct lwb_error *err)
{
    struct lwb_bytes member = lwb_take_bytes(in);
    int rc;

    if (!in->ok)
        return 0;
    rc = lwb_cache_entry_decode(entry, &cache->artifacts, &cache->artifacts_cap, member, err);
    if (rc == LWB_ERR_FORMAT)
        return 0;
    return rc < 0 ? rc : 1;
}

/*
 * Calls `found`, if any, for each member; 1 if all of them are usable, 0 at the
 * first that is not.
 */
static int visit_members(struct lwb_cache *cache, struct lwb_bytes body, size_t n_members,
                         bool fresh_only, lwb_cache_found_fn *found, void *ctx,
                         struct lwb_error *err)
{
    struct lwb_reader in = lwb_reader(body);
    struct lwb_cache_entry entry;
    size_t count = lwb_take_u32(&in);

    if (count != n_members)
        return 0;
    for (size_t i = 0; i < count; i++) {
        int rc = take_member(cache, &in, &entry, err);

        if (rc <= 0)
            return rc;
        if (found)
            found(ctx, i, &entry);
        else if ((fresh_only && !entry.fresh) || !lwb_cache_has_objects(cache, &entry))
            return 0;
    }
    return lwb_reader_is_done(&in);
}

/* A use of the batch is one of all its members, so that none of them is evicted as unused. */
static void note_use(struct lwb_cache *cache, const struct lwb_digest *batch,
                     const struct lwb_digest *members, size_t n_members, int64_t used)
{
    if (used < lwb_cache_wall_s(cache) - LWB_CACHE_TOUCH_S) {
        for (size_t i = 0; i < n_members; i++)
            lwb_cache_note(cache, LWB_WRITE_TOUCH, &members[i], 1);
        lwb_cache_note(cache, LWB_WRITE_BATCH_TOUCH, batch, 0);
    } else if (used < cache->least_use) {
        cache->least_use = used;
    }
}

/* LWB_BATCH_FOUND and the sealed body, borrowed until the next call; or why there is none. */
static int read_body(struct lwb_cache *cache, const struct lwb_digest *batch,
                     struct lwb_bytes *body, int64_t *used, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    bool holds;
    int rc = lwb_db_begin_read(db, err);

    if (rc == LWB_OK)
        rc = lwb_db_query(db, LWB_SQL_BATCH_GET, err, LWB_SQL_DIGEST(batch));
    if (rc <= 0)
        return rc < 0 ? rc : LWB_BATCH_NOT_STORED;
    *used = lwb_db_int(db, LWB_SQL_BATCH_GET, 0);
    holds = lwb_db_int(db, LWB_SQL_BATCH_GET, 2) == 1;
    lwb_buf_clear(&cache->body);
    if (holds)
        lwb_buf_append_bytes(&cache->body, lwb_db_blob(db, LWB_SQL_BATCH_GET, 1));
    lwb_db_finish(db, LWB_SQL_BATCH_GET);
    if (!lwb_buf_ok(&cache->body))
        return lwb_fail_memory(err);
    *body = lwb_buf_bytes(&cache->body);
    return holds ? LWB_BATCH_FOUND : LWB_BATCH_OUTDATED;
}

int lwb_cache_lookup_batch(struct lwb_cache *cache, const struct lwb_digest *members,
                           size_t n_members, bool fresh_only, lwb_cache_found_fn *found, void *ctx,
                           struct lwb_error *err)
{
    struct lwb_digest batch = digest_of_members(cache, members, n_members);
    struct lwb_bytes body;
    int64_t used = 0;
    int rc;

    if (!cache->db.sql || is_any_pending(cache, members, n_members))
        return LWB_BATCH_NOT_STORED;
    rc = read_body(cache, &batch, &body, &used, err);
    if (rc < 0)
        return lwb_db_recover(&cache->db) ? (int)LWB_BATCH_NOT_STORED : rc;
    if (rc != LWB_BATCH_FOUND)
        return rc;
    if (!lwb_unseal(&body, 'b', &batch)) {
        lwb_cache_note(cache, LWB_WRITE_BATCH_DROP, &batch, 0);
        return LWB_BATCH_NOT_USABLE;
    }
    rc = visit_members(cache, body, n_members, fresh_only, NULL, NULL, err);
    if (rc > 0)
        rc = visit_members(cache, body, n_members, fresh_only, found, ctx, err);
    if (rc <= 0)
        return rc < 0 ? rc : LWB_BATCH_NOT_USABLE;
    note_use(cache, &batch, members, n_members, used);
    return LWB_BATCH_FOUND;
}

/* ---- storing ------------------------------------------------------------------------------- */

static void append_member(struct lwb_buf *out, const struct lwb_cache_entry *entry)
{
    size_t at = out->len;
    uint32_t len;

    lwb_buf_append_u32be(out, 0);
    lwb_cache_entry_encode(out, entry);
    if (!lwb_buf_ok(out))
        return;
    len = htobe32((uint32_t)(out->len - at - sizeof(len)));
    memcpy(out->ptr + at, &len, sizeof(len));
}

int lwb_cache_store_batch(struct lwb_cache *cache, struct lwb_bytes subject,
                          const struct lwb_digest *members, const struct lwb_cache_entry *entries,
                          size_t n_members, struct lwb_error *err)
{
    struct lwb_pending *pending = &cache->pending;
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(BODY_MAX);
    struct lwb_digest batch = digest_of_members(cache, members, n_members);
    struct lwb_digest about;
    size_t at = pending->data.len;
    int rc;

    if (cache->read_only || n_members < LWB_CACHE_BATCH_MIN)
        return LWB_OK;
    lwb_buf_append_u32be(&body, (uint32_t)n_members);
    for (size_t i = 0; i < n_members; i++)
        append_member(&body, &entries[i]);
    lwb_seal(&body, 0, 'b', &batch);
    if (!lwb_buf_ok(&body))
        return LWB_OK; /* large, or memory is short: it is a short cut and no more */
    rc = lwb_digest_bytes(&about, subject, err);
    if (rc < 0)
        return rc;
    lwb_put_digest(&pending->data, &about);
    lwb_buf_append_bytes(&pending->data, lwb_buf_bytes(&body));
    rc = lwb_pending_add(pending, LWB_WRITE_BATCH, &batch, cache->least_use, at, err);
    if (rc == LWB_OK)
        lwb_cache_commit_if_due(cache);
    return rc;
}

/* ---- inside a transaction ------------------------------------------------------------------ */

int lwb_batch_delete(struct lwb_cache *cache, const struct lwb_digest *key,
                     const struct lwb_digest *subject, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc =
        lwb_db_query(db, LWB_SQL_BATCH_SIZE, err, LWB_SQL_DIGEST(key), LWB_SQL_DIGEST(subject));

    if (rc <= 0)
        return rc;
    cache->grown -= lwb_db_int(db, LWB_SQL_BATCH_SIZE, 0);
    lwb_db_finish(db, LWB_SQL_BATCH_SIZE);
    return lwb_db_run(db, LWB_SQL_BATCH_DELETE, err, LWB_SQL_DIGEST(key), LWB_SQL_DIGEST(subject));
}

int lwb_batch_put(struct lwb_cache *cache, const struct lwb_write *write, int64_t now,
                  struct lwb_error *err)
{
    struct lwb_reader in = lwb_reader(lwb_pending_data(&cache->pending, write));
    struct lwb_digest subject = lwb_take_digest(&in);
    int64_t size = (int64_t)in.rest.len + ROW_COST;
    int64_t used = write->number < now ? write->number : now;
    int64_t gone = -1;
    int rc = lwb_cache_get_meta(cache, "gone", &gone, err);

    if (rc < 0)
        return rc;
    if (gone != cache->gone)
        return LWB_OK; /* something has gone; it may be one of its members */
    rc = lwb_batch_delete(cache, &write->key, &subject, err);
    if (rc < 0)
        return rc;
    cache->grown += size;
    return lwb_db_run(&cache->db, LWB_SQL_BATCH_PUT, err, LWB_SQL_DIGEST(&write->key),
                      LWB_SQL_DIGEST(&subject), LWB_SQL_INT(gone), LWB_SQL_INT(used),
                      LWB_SQL_INT(size), LWB_SQL_BLOB(in.rest));
}

int lwb_batch_doubt(struct lwb_cache *cache, struct lwb_error *err)
{
    return lwb_db_run(&cache->db, LWB_SQL_META_ADD, err, LWB_SQL_TEXT("gone"), LWB_SQL_INT(1));
}

int lwb_batch_expire(struct lwb_cache *cache, int64_t unused_since, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_query(db, LWB_SQL_BATCH_EXPIRED_SIZE, err, LWB_SQL_INT(unused_since));

    if (rc <= 0)
        return rc;
    cache->grown -= lwb_db_int(db, LWB_SQL_BATCH_EXPIRED_SIZE, 0);
    lwb_db_finish(db, LWB_SQL_BATCH_EXPIRED_SIZE);
    return lwb_db_run(db, LWB_SQL_BATCH_EXPIRE, err, LWB_SQL_INT(unused_since));
}
