#include "cache/cache_internal.h"

/* Entries and batches: storing them, and what a batch stands for. */

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
    lwb_seal(&pending->data, at, 'e', key);
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

static void count_found(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    (void)number;
    (void)entry;
    ++*(size_t *)ctx;
}

int lwb_cache_lookup_batch(struct lwb_cache *cache, const struct lwb_digest *batch,
                           const struct lwb_digest *members, size_t n_members, bool fresh_only,
                           struct lwb_error *err)
{
    struct lwb_digest expected = digest_of_members(cache, members, n_members);
    size_t n_found = 0;
    struct lwb_bytes value;
    int rc = lwb_fact_get(cache, LWB_FACT_BATCH, batch, &value, err);

    if (rc <= 0)
        return rc;
    if (!lwb_bytes_equal(value, lwb_bytes(expected.bytes, sizeof(expected.bytes))))
        return 0;
    rc = lwb_cache_lookup_many(cache, members, n_members, fresh_only, count_found, &n_found, err);
    return rc < 0 ? rc : n_found == n_members;
}

int lwb_cache_store_batch(struct lwb_cache *cache, const struct lwb_digest *batch,
                          const struct lwb_digest *members, size_t n_members, struct lwb_error *err)
{
    struct lwb_digest digest = digest_of_members(cache, members, n_members);

    return lwb_fact_put(cache, LWB_FACT_BATCH, batch, lwb_bytes(digest.bytes, sizeof(digest.bytes)),
                        err);
}
