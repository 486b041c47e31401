#include <string.h>

#include "cache/cache_internal.h"
#include "cache/cache_tidy.h"
#include "cache/cache_trim.h"
#include "lwbuild/base/alloc.h"

/*
 * Reading everything back: SQLite's own check of its structure, the seal of
 * every entry, the content of every object. An object that is not what its name
 * says goes with all entries that refer to it; so does an entry without its
 * objects.
 */
struct digests {
    struct lwb_digest *items;
    size_t count;
    size_t cap;
};

static int remember(struct digests *list, const struct lwb_digest *digest, struct lwb_error *err)
{
    if (lwb_grow(&list->items, &list->cap, list->count, sizeof(*list->items)) < 0)
        return lwb_fail_memory(err);
    list->items[list->count++] = *digest;
    return LWB_OK;
}

static void release(struct digests *list)
{
    lwb_free(list->items);
}
LWB_DEFINE_AUTO(struct digests, release);

/* Returns 1 if the file is sound. */
static int check_structure(struct lwb_cache *cache, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    bool sound;
    int rc = lwb_db_step(db, LWB_SQL_CHECK, NULL, 0, err);

    if (rc <= 0)
        return rc;
    sound = lwb_bytes_is(lwb_db_blob(db, LWB_SQL_CHECK, 0), "ok");
    lwb_db_finish(db, LWB_SQL_CHECK);
    return sound;
}

/* ---- entries ----------------------------------------------------------------------------- */

/* All keys; they are few bytes each, and deleting while reading is asking for trouble. */
static int list_keys(struct lwb_cache *cache, struct digests *out, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    struct lwb_digest key;
    int rc = lwb_db_step(db, LWB_SQL_ENTRY_KEYS, NULL, 0, err);

    for (; rc > 0; rc = lwb_db_next(db, LWB_SQL_ENTRY_KEYS, err)) {
        if (lwb_digest_from(&key, lwb_db_blob(db, LWB_SQL_ENTRY_KEYS, 0)) < 0) {
            lwb_db_finish(db, LWB_SQL_ENTRY_KEYS);
            db->damaged = true;
            return lwb_fail(err, LWB_ERR_FORMAT, "%s: a key that is none", db->path);
        }
        if (remember(out, &key, err) < 0) {
            lwb_db_finish(db, LWB_SQL_ENTRY_KEYS);
            return err->code;
        }
    }
    return rc;
}

static int check_entries(struct lwb_cache *cache, struct lwb_verify_result *out,
                         struct lwb_error *err)
{
    LWB_AUTO(release) struct digests keys = { 0 };
    struct lwb_cache_entry entry;
    int rc = list_keys(cache, &keys, err);

    for (size_t i = 0; rc >= 0 && i < keys.count; i++) {
        rc = lwb_cache_lookup(cache, &keys.items[i], false, &entry, err);
        if (rc == 0) {
            out->bad_entries++;
            rc = lwb_cache_drop(cache, &keys.items[i], err);
        }
        out->entries++;
    }
    return rc < 0 ? rc : lwb_cache_commit(cache, err);
}

/* ---- objects ----------------------------------------------------------------------------- */

struct object_check {
    struct digests bad;
    uint64_t count;
};

static int check_object(void *ctx, const char *path, const struct lwb_digest *digest,
                        struct lwb_error *err)
{
    struct object_check *check = ctx;
    struct lwb_digest found;
    struct lwb_error ignored;

    if (!digest)
        return LWB_OK; /* no object; trim removes it */
    check->count++;
    if (lwb_digest_file(&found, path, &ignored) == LWB_OK &&
        lwb_digest_compare(&found, digest) == 0)
        return LWB_OK;
    return remember(&check->bad, digest, err);
}

static int check_objects(struct lwb_cache *cache, struct lwb_verify_result *out,
                         struct lwb_error *err)
{
    struct object_check check = { { 0 }, 0 };
    int rc = lwb_objects_visit(cache, check_object, &check, err);

    for (size_t i = 0; rc >= 0 && i < check.bad.count; i++)
        rc = lwb_cache_condemn(cache, &check.bad.items[i], err);
    out->objects = check.count;
    out->bad_objects = check.bad.count;
    release(&check.bad);
    return rc < 0 ? rc : LWB_OK;
}

int lwb_cache_verify(struct lwb_cache *cache, struct lwb_verify_result *out, struct lwb_error *err)
{
    struct lwb_verify_result result = { 0 };
    int rc;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    rc = lwb_cache_commit(cache, err);
    if (rc < 0)
        return rc;
    rc = check_structure(cache, err);
    if (rc == 0)
        cache->db.damaged = true;
    if (rc <= 0) {
        if (!lwb_db_recover(&cache->db))
            return rc < 0 ? rc : lwb_fail(err, LWB_ERR_SYSTEM, "%s: damaged", cache->db.path);
        result.replaced = true;
    }
    rc = check_objects(cache, &result, err);
    if (rc == LWB_OK)
        rc = check_entries(cache, &result, err);
    if (rc < 0)
        return rc;
    *out = result;
    return LWB_OK;
}
