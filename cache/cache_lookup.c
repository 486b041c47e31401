#include "cache/cache_internal.h"

#include "lwbuild/base/alloc.h"

/*
 * Entries are looked up in what is pending first, then in the file.
 *
 * Many at once go to SQLite in groups, as a join with the list of their keys:
 * most of what a look-up costs there is the beginning and the end of a
 * statement. Bodies are then used where SQLite has them, without a copy, so
 * nothing else may be asked until the group is through.
 */

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

bool lwb_cache_has_objects(struct lwb_cache *cache, const struct lwb_cache_entry *entry)
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

/* A use that is older than an hour becomes one of now. */
static void note_use(struct lwb_cache *cache, const struct lwb_digest *key, int64_t used)
{
    if (used >= lwb_cache_wall_s(cache) - LWB_CACHE_TOUCH_S)
        cache->least_use = used < cache->least_use ? used : cache->least_use;
    else if (!lwb_pending_find(&cache->pending, LWB_WRITE_TOUCH, key, 0))
        lwb_cache_note(cache, LWB_WRITE_TOUCH, key, 0);
}

/* Returns 0 if the bytes are not what was stored under this key. */
static int open_body(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_bytes body,
                     struct lwb_cache_entry *entry, struct lwb_error *err)
{
    int rc;

    if (!lwb_unseal(&body, 'e', key))
        return 0;
    rc = lwb_cache_entry_decode(entry, &cache->artifacts, &cache->artifacts_cap, body, err);
    if (rc == LWB_ERR_FORMAT)
        return 0;
    return rc < 0 ? rc : 1;
}

/* Whether a body that was found is a usable entry: 1 and *entry, or 0. */
static int take_body(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_bytes body,
                     int64_t used, bool fresh_only, struct lwb_cache_entry *entry,
                     struct lwb_error *err)
{
    struct lwb_cache_entry found;
    int rc = open_body(cache, key, body, &found, err);

    if (rc < 0)
        return rc;
    if (rc == 0 || !lwb_cache_has_objects(cache, &found)) {
        lwb_cache_note(cache, LWB_WRITE_DROP, key, 0);
        return 0;
    }
    if (fresh_only && !found.fresh)
        return 0;
    note_use(cache, key, used);
    *entry = found;
    return 1;
}

int lwb_cache_lookup(struct lwb_cache *cache, const struct lwb_digest *key, bool fresh_only,
                     struct lwb_cache_entry *entry, struct lwb_error *err)
{
    struct lwb_bytes body;
    int64_t used = 0;
    int rc = find_body(cache, key, &body, &used, err);

    if (rc < 0)
        return lwb_db_recover(&cache->db) ? 0 : rc;
    if (rc == 0) {
        note_wanted(cache, key);
        return 0;
    }
    return take_body(cache, key, body, used, fresh_only, entry, err);
}

/* ---- many -------------------------------------------------------------------------------- */

struct many {
    const struct lwb_digest *keys;
    bool fresh_only;
    lwb_cache_found_fn *found;
    void *ctx;
};

/* Those of a group that are not pending, by their place in many->keys. */
struct group {
    size_t at[LWB_SQL_GROUP];
    bool seen[LWB_SQL_GROUP]; /* there is a row, usable or not */
    size_t count;
};

static int hand_out(struct lwb_cache *cache, const struct many *many, size_t at,
                    struct lwb_bytes body, int64_t used, struct lwb_error *err)
{
    struct lwb_cache_entry entry;
    int rc = take_body(cache, &many->keys[at], body, used, many->fresh_only, &entry, err);

    if (rc > 0)
        many->found(many->ctx, at, &entry);
    return rc < 0 ? rc : LWB_OK;
}

static int read_rows(struct lwb_cache *cache, const struct many *many, struct group *group,
                     struct lwb_error *err)
{
    struct lwb_sql_value values[LWB_SQL_GROUP];
    struct lwb_db *db = &cache->db;
    int rc;

    for (size_t i = 0; i < LWB_SQL_GROUP; i++) /* no key is a number */
        values[i] = i < group->count ? LWB_SQL_DIGEST(&many->keys[group->at[i]]) : LWB_SQL_INT(0);
    rc = lwb_db_begin_read(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_step(db, LWB_SQL_ENTRY_GET_GROUP, values, LWB_COUNT(values), err);
    while (rc > 0) {
        uint64_t i = (uint64_t)lwb_db_int(db, LWB_SQL_ENTRY_GET_GROUP, 0);
        int64_t used = lwb_db_int(db, LWB_SQL_ENTRY_GET_GROUP, 1);

        group->seen[i] = true;
        rc = hand_out(cache, many, group->at[i], lwb_db_blob(db, LWB_SQL_ENTRY_GET_GROUP, 2), used,
                      err);
        if (rc < 0)
            lwb_db_finish(db, LWB_SQL_ENTRY_GET_GROUP);
        else
            rc = lwb_db_next(db, LWB_SQL_ENTRY_GET_GROUP, err);
    }
    return rc;
}

static int look_up_group(struct lwb_cache *cache, const struct many *many, struct group *group,
                         struct lwb_error *err)
{
    int rc = LWB_OK;

    if (group->count && cache->db.sql)
        rc = read_rows(cache, many, group, err);
    if (rc < 0 && !lwb_db_recover(&cache->db))
        return rc;
    for (size_t i = 0; i < group->count; i++)
        if (!group->seen[i])
            note_wanted(cache, &many->keys[group->at[i]]);
    *group = (struct group){ 0 };
    return LWB_OK;
}

int lwb_cache_lookup_many(struct lwb_cache *cache, const struct lwb_digest *keys, size_t n_keys,
                          bool fresh_only, lwb_cache_found_fn *found, void *ctx,
                          struct lwb_error *err)
{
    const struct many many = { keys, fresh_only, found, ctx };
    const struct lwb_pending *pending = &cache->pending;
    struct group group = { 0 };
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < n_keys; i++) {
        const struct lwb_write *write = lwb_pending_find(pending, LWB_WRITE_ENTRY, &keys[i], 0);

        if (!write)
            group.at[group.count++] = i;
        else if (write->kind == LWB_WRITE_ENTRY)
            rc = hand_out(cache, &many, i, lwb_pending_data(pending, write), INT64_MAX, err);
        if (rc == LWB_OK && group.count == LWB_SQL_GROUP)
            rc = look_up_group(cache, &many, &group, err);
    }
    return rc == LWB_OK ? look_up_group(cache, &many, &group, err) : rc;
}
