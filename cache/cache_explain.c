#include "cache/cache_internal.h"

#include <inttypes.h>
#include <string.h>

/*
 * What the newest key of each subject was made of. Thousands of modules have
 * the same imports, so the components called "import ..." are a value of their
 * own, stored once under its digest:
 *
 *   subject     count(4) component...  key(32)  set(32)
 *   set         count(4) component...
 *   component   length(4) name NUL, digest(32)
 */
enum {
    COMPONENTS_MAX = 16 * 1024 * 1024,
    SET_TOUCH_S = 7 * 24 * 60 * 60,
};

static const char set_prefix[] = "import ";

static bool is_in_set(const struct lwb_cache_component *component)
{
    return strncmp(component->name, set_prefix, sizeof(set_prefix) - 1) == 0;
}

static void encode(struct lwb_buf *out, const struct lwb_cache_component *components, size_t count,
                   bool in_set)
{
    uint32_t chosen = 0;

    for (size_t i = 0; i < count; i++)
        chosen += is_in_set(&components[i]) == in_set;
    lwb_buf_append_u32be(out, chosen);
    for (size_t i = 0; i < count; i++) {
        if (is_in_set(&components[i]) != in_set)
            continue;
        lwb_put_text(out, components[i].name);
        lwb_put_digest(out, &components[i].value);
    }
}

static struct lwb_digest key_of_subject(struct lwb_cache *cache, struct lwb_bytes subject)
{
    lwb_hasher_field(cache->hasher, 's', subject);
    return lwb_hasher_end(cache->hasher);
}

/* ---- storing ----------------------------------------------------------------------------- */

static int put_components(struct lwb_cache *cache, const struct lwb_digest *key,
                          struct lwb_bytes body, struct lwb_error *err)
{
    struct lwb_pending *pending = &cache->pending;
    size_t at = pending->data.len;

    lwb_buf_append_bytes(&pending->data, body);
    lwb_seal(&pending->data, at, 'c', key);
    return lwb_pending_add(pending, LWB_WRITE_COMPONENTS, key, 0, at, err);
}

/* Whether the set is stored and was so not too long ago. */
static bool set_is_known(struct lwb_cache *cache, const struct lwb_digest *set)
{
    struct lwb_db *db = &cache->db;
    struct lwb_error ignored;
    bool known;

    if (lwb_digest_compare(&cache->last_set, set) == 0)
        return true;
    if (!db->sql || lwb_db_begin_read(db, &ignored) < 0 ||
        lwb_db_query(db, LWB_SQL_COMPONENTS_USED, &ignored, LWB_SQL_DIGEST(set)) <= 0)
        return false;
    known = lwb_db_int(db, LWB_SQL_COMPONENTS_USED, 0) > lwb_cache_wall_s(cache) - SET_TOUCH_S;
    lwb_db_finish(db, LWB_SQL_COMPONENTS_USED);
    return known;
}

static int put_set(struct lwb_cache *cache, struct lwb_digest *set,
                   const struct lwb_cache_component *components, size_t count,
                   struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(COMPONENTS_MAX);
    int rc = LWB_OK;

    encode(&body, components, count, true);
    if (!lwb_buf_ok(&body))
        return lwb_fail_memory(err);
    lwb_hasher_field(cache->hasher, 'i', lwb_buf_bytes(&body));
    *set = lwb_hasher_end(cache->hasher);
    if (!set_is_known(cache, set))
        rc = put_components(cache, set, lwb_buf_bytes(&body), err);
    if (rc == LWB_OK)
        cache->last_set = *set;
    return rc;
}

int lwb_cache_store_components(struct lwb_cache *cache, struct lwb_bytes subject,
                               const struct lwb_digest *key,
                               const struct lwb_cache_component *components, size_t count,
                               struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(COMPONENTS_MAX);
    struct lwb_digest name;
    struct lwb_digest set;
    int rc;

    if (cache->read_only)
        return LWB_OK;
    rc = put_set(cache, &set, components, count, err);
    if (rc < 0)
        return rc;
    encode(&body, components, count, false);
    lwb_put_digest(&body, key);
    lwb_put_digest(&body, &set);
    if (!lwb_buf_ok(&body))
        return lwb_fail_memory(err);
    name = key_of_subject(cache, subject);
    rc = put_components(cache, &name, lwb_buf_bytes(&body), err);
    if (rc == LWB_OK)
        lwb_cache_commit_if_due(cache);
    return rc;
}

/* ---- explaining -------------------------------------------------------------------------- */

/* The unsealed components under `key`, appended to `out`. Returns 1 or 0. */
static int get_components(struct lwb_cache *cache, const struct lwb_digest *key,
                          struct lwb_buf *out, struct lwb_error *err)
{
    const struct lwb_write *write = lwb_pending_find(&cache->pending, LWB_WRITE_COMPONENTS, key, 0);
    struct lwb_db *db = &cache->db;
    struct lwb_bytes body;
    int rc = write ? 1 : 0;

    if (write) {
        lwb_buf_append_bytes(out, lwb_pending_data(&cache->pending, write));
    } else if (db->sql) {
        rc = lwb_db_begin_read(db, err);
        if (rc == LWB_OK)
            rc = lwb_db_query(db, LWB_SQL_COMPONENTS_GET, err, LWB_SQL_DIGEST(key));
        if (rc > 0) {
            lwb_buf_append_bytes(out, lwb_db_blob(db, LWB_SQL_COMPONENTS_GET, 0));
            lwb_db_finish(db, LWB_SQL_COMPONENTS_GET);
        }
    }
    if (rc < 0)
        return lwb_db_recover(db) ? 0 : rc;
    if (!lwb_buf_ok(out))
        return lwb_fail_memory(err);
    body = lwb_buf_bytes(out);
    if (rc == 0 || !lwb_unseal(&body, 'c', key))
        return 0;
    out->len = body.len;
    return 1;
}

struct stored {
    struct lwb_reader start; /* at the first component */
    struct lwb_reader at;    /* behind the one found last: lists mostly have the same order */
    uint32_t count;
    uint32_t left;
};

static struct stored stored_list(struct lwb_reader *in)
{
    struct stored list = { .count = lwb_take_u32(in) };

    list.start = *in;
    list.at = *in;
    list.left = list.count;
    for (uint32_t i = 0; in->ok && i < list.count; i++) {
        (void)lwb_take_bytes(in);
        (void)lwb_take_digest(in);
    }
    return list;
}

/* The value stored under `name`; false if there is none. */
static bool find_stored(struct stored *list, const char *name, struct lwb_digest *value)
{
    for (uint32_t tried = 0; tried < list->count; tried++) {
        const char *found;

        if (list->left == 0) {
            list->at = list->start;
            list->left = list->count;
        }
        list->left--;
        found = lwb_take_text(&list->at);
        *value = lwb_take_digest(&list->at);
        if (strcmp(found, name) == 0)
            return true;
    }
    return false;
}

/* The first of the new components that was not there or had another value. */
static bool find_difference(struct stored *list, const struct lwb_cache_component *components,
                            size_t count, bool in_set, struct lwb_buf *text)
{
    struct lwb_digest value;

    for (size_t i = 0; i < count; i++) {
        const struct lwb_cache_component *component = &components[i];

        if (is_in_set(component) != in_set)
            continue;
        if (!find_stored(list, component->name, &value)) {
            lwb_buf_format(text, "%s (new)", component->name);
            return true;
        }
        if (lwb_digest_compare(&value, &component->value) != 0) {
            lwb_buf_append_text(text, component->name);
            return true;
        }
    }
    return false;
}

/* Looks on from where the last one was found. */
static bool is_among(const struct lwb_cache_component *components, size_t count, const char *name,
                     size_t *at)
{
    for (size_t tried = 0; tried < count; tried++) {
        size_t i = (*at + tried) % count;

        if (strcmp(components[i].name, name) != 0)
            continue;
        *at = i + 1;
        return true;
    }
    return false;
}

/* The first that was there and no longer is; only worth looking for when the numbers differ. */
static bool find_missing(const struct stored *list, const struct lwb_cache_component *components,
                         size_t count, bool in_set, struct lwb_buf *text)
{
    struct lwb_reader in = list->start;
    size_t chosen = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        chosen += is_in_set(&components[i]) == in_set;
    for (uint32_t i = 0; chosen < list->count && i < list->count; i++) {
        const char *name = lwb_take_text(&in);

        (void)lwb_take_digest(&in);
        if (is_among(components, count, name, &at))
            continue;
        lwb_buf_format(text, "%s (gone)", name);
        return true;
    }
    return false;
}

static bool differs(struct stored *list, const struct lwb_cache_component *components, size_t count,
                    bool in_set, struct lwb_buf *text)
{
    return find_difference(list, components, count, in_set, text) ||
           find_missing(list, components, count, in_set, text);
}

static int compare_sets(struct lwb_cache *cache, const struct lwb_digest *set,
                        const struct lwb_cache_component *components, size_t count,
                        struct lwb_buf *text, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(COMPONENTS_MAX + LWB_SEAL_SIZE);
    struct lwb_reader in;
    struct stored list;
    int rc = get_components(cache, set, &body, err);

    if (rc <= 0)
        return rc;
    in = lwb_reader(lwb_buf_bytes(&body));
    list = stored_list(&in);
    return lwb_reader_is_done(&in) && differs(&list, components, count, true, text);
}

/* Returns 1 with the component in `text`, 0 if none can be named. */
static int compare(struct lwb_cache *cache, struct lwb_bytes body, const struct lwb_digest *key,
                   const struct lwb_cache_component *components, size_t count, struct lwb_buf *text,
                   struct lwb_error *err)
{
    struct lwb_reader in = lwb_reader(body);
    struct stored list = stored_list(&in);
    struct lwb_digest old_key = lwb_take_digest(&in);
    struct lwb_digest set = lwb_take_digest(&in);

    if (!lwb_reader_is_done(&in) || lwb_digest_compare(&old_key, key) == 0)
        return 0;
    if (differs(&list, components, count, false, text))
        return 1;
    return compare_sets(cache, &set, components, count, text, err);
}

static void describe_age(struct lwb_buf *text, int64_t seconds)
{
    static const struct {
        int64_t seconds;
        const char *word;
    } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } };

    for (size_t i = 0; i < LWB_COUNT(units); i++) {
        int64_t count = seconds / units[i].seconds;

        if (count <= 0)
            continue;
        lwb_buf_format(text, "%" PRId64 " %s%s ago", count, units[i].word, count == 1 ? "" : "s");
        return;
    }
    lwb_buf_append_text(text, "just now");
}

static int find_tombstone(struct lwb_cache *cache, const struct lwb_digest *key,
                          struct lwb_buf *text, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc;

    if (!db->sql)
        return 0;
    rc = lwb_db_query(db, LWB_SQL_TOMBSTONE_GET, err, LWB_SQL_DIGEST(key));
    if (rc <= 0)
        return rc;
    describe_age(text, lwb_cache_wall_s(cache) - lwb_db_int(db, LWB_SQL_TOMBSTONE_GET, 0));
    lwb_db_finish(db, LWB_SQL_TOMBSTONE_GET);
    return 1;
}

int lwb_cache_explain(struct lwb_cache *cache, struct lwb_bytes subject, /* NOLINT: 8 of them */
                      const struct lwb_digest *key, const struct lwb_cache_component *components,
                      size_t count, enum lwb_cache_why *why, struct lwb_buf *text,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(COMPONENTS_MAX + LWB_SEAL_SIZE);
    struct lwb_digest name = key_of_subject(cache, subject);
    int rc = find_tombstone(cache, key, text, err);

    if (rc > 0)
        *why = LWB_WHY_EVICTED;
    if (rc != 0)
        return rc < 0 ? rc : LWB_OK;
    rc = get_components(cache, &name, &body, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        *why = LWB_WHY_NEVER_SEEN;
        return LWB_OK;
    }
    rc = compare(cache, lwb_buf_bytes(&body), key, components, count, text, err);
    if (rc < 0)
        return rc;
    *why = rc > 0 ? LWB_WHY_DIFFERS : LWB_WHY_UNKNOWN;
    return LWB_OK;
}
