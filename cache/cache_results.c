#include "cache/cache_internal.h"

/* Storing entries, and dropping them. */

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
