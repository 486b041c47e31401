#include "cache/cache_stats.h"

#include <assert.h>
#include <string.h>

#include "cache/cache_internal.h"
#include "cache/cache_notes.h"

#define TOP(stat, id, sentence, unit) [stat] = { id, sentence, unit, stat, false }
#define PART(stat, id, sentence, parent) [stat] = { id, sentence, LWB_UNIT_COUNT, parent, false }
#define GAUGE(stat, id, sentence, unit) [stat] = { id, sentence, unit, stat, true }

static const struct lwb_stat_info table[LWB_STAT_COUNT] = {
    TOP(LWB_STAT_RUNS, "runs", "Runs", LWB_UNIT_COUNT),
    TOP(LWB_STAT_MODULES, "modules", "Modules", LWB_UNIT_COUNT),
    PART(LWB_STAT_HITS, "hits", "Hits", LWB_STAT_MODULES),
    PART(LWB_STAT_SNAPSHOT, "hits_snapshot", "By snapshot", LWB_STAT_HITS),
    PART(LWB_STAT_BATCH, "hits_batch", "By batch", LWB_STAT_HITS),
    PART(LWB_STAT_REPLAYED_CLEAN, "replayed_clean", "Replayed without messages", LWB_STAT_HITS),
    PART(LWB_STAT_REPLAYED_WARNINGS, "replayed_warnings", "Replayed with messages", LWB_STAT_HITS),
    PART(LWB_STAT_REPLAYED_ERRORS, "replayed_errors", "Replayed rejections", LWB_STAT_HITS),
    PART(LWB_STAT_MISSES, "misses", "Misses", LWB_STAT_MODULES),
    PART(LWB_STAT_MISS_NEVER_SEEN, "miss_never_seen", "Never seen", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_SOURCE, "miss_source", "Source changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_IMPORT, "miss_import", "Import changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_OPTION, "miss_option", "Option changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_INPUT, "miss_input", "Input file changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_TOOLCHAIN, "miss_toolchain", "Toolchain changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_HOST, "miss_host", "Host changed", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_OTHER, "miss_other", "Other reasons", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_EVICTED, "miss_evicted", "Had been evicted", LWB_STAT_MISSES),
    PART(LWB_STAT_MISS_FORCED, "miss_forced", "Checked again on demand", LWB_STAT_MISSES),
    TOP(LWB_STAT_STORED, "stored", "Results stored", LWB_UNIT_COUNT),
    TOP(LWB_STAT_NOT_STORED, "not_stored", "Results not stored", LWB_UNIT_COUNT),
    PART(LWB_STAT_NOT_STORED_TIMEOUT, "not_stored_timeout", "Out of time", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_MEMORY, "not_stored_memory", "Out of memory", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_CRASH, "not_stored_crash", "Worker died", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_CANCELLED, "not_stored_cancelled", "Cancelled", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_CHANGED, "not_stored_changed", "Inputs changed meanwhile",
         LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_LIMIT, "not_stored_limit", "A limit of Lean's", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_SIZE, "not_stored_size", "Too large", LWB_STAT_NOT_STORED),
    PART(LWB_STAT_NOT_STORED_OTHER, "not_stored_other", "Other reasons", LWB_STAT_NOT_STORED),
    TOP(LWB_STAT_CONFIRMED, "confirmed", "Confirmed by a fresh process", LWB_UNIT_COUNT),
    PART(LWB_STAT_CONFIRM_DIFFERENT, "confirm_different", "With another result",
         LWB_STAT_CONFIRMED),
    TOP(LWB_STAT_BATCHES, "batches", "Batches", LWB_UNIT_COUNT),
    TOP(LWB_STAT_WORKERS_STARTED, "workers_started", "Workers started", LWB_UNIT_COUNT),
    PART(LWB_STAT_WORKERS_RECYCLED, "workers_recycled", "Recycled", LWB_STAT_WORKERS_STARTED),
    PART(LWB_STAT_WORKERS_KILLED, "workers_killed", "Killed", LWB_STAT_WORKERS_STARTED),
    TOP(LWB_STAT_CHECK_NS, "check_ns", "Time spent checking", LWB_UNIT_NS),
    TOP(LWB_STAT_SAVED_NS, "saved_ns", "Time saved", LWB_UNIT_NS),
    TOP(LWB_STAT_EVICTED, "evicted", "Evicted", LWB_UNIT_COUNT),
    PART(LWB_STAT_EVICTED_WANTED, "evicted_then_wanted", "Evicted, then wanted", LWB_STAT_EVICTED),
    TOP(LWB_STAT_REPLACED, "replaced", "Damaged files replaced", LWB_UNIT_COUNT),
    GAUGE(LWB_STAT_BYTES, "cache_bytes", "Cache size", LWB_UNIT_BYTES),
    GAUGE(LWB_STAT_MAX_BYTES, "cache_max_bytes", "Cache size limit", LWB_UNIT_BYTES),
    GAUGE(LWB_STAT_ENTRIES, "entries", "Entries", LWB_UNIT_COUNT),
    GAUGE(LWB_STAT_OBJECTS, "objects", "Objects", LWB_UNIT_COUNT),
    GAUGE(LWB_STAT_ZEROED_AT, "zeroed_at", "Statistics zeroed", LWB_UNIT_TIME),
};

const struct lwb_stat_info *lwb_stat_info(enum lwb_stat stat)
{
    assert(stat < LWB_STAT_COUNT);
    return &table[stat];
}

void lwb_cache_count(struct lwb_cache *cache, enum lwb_stat stat, uint64_t delta)
{
    assert(!lwb_stat_info(stat)->is_gauge);
    cache->counted[stat] += delta;
}

uint64_t lwb_cache_counted(const struct lwb_cache *cache, enum lwb_stat stat)
{
    assert(stat < LWB_STAT_COUNT);
    return cache->counted[stat];
}

enum lwb_stat lwb_stat_of_miss(enum lwb_cache_why why, const char *text)
{
    static const struct {
        const char *word; /* the first of a component's name */
        enum lwb_stat stat;
    } components[] = {
        { "source", LWB_STAT_MISS_SOURCE },       { "import", LWB_STAT_MISS_IMPORT },
        { "imports", LWB_STAT_MISS_IMPORT },      { "option", LWB_STAT_MISS_OPTION },
        { "options", LWB_STAT_MISS_OPTION },      { "input", LWB_STAT_MISS_INPUT },
        { "inputs", LWB_STAT_MISS_INPUT },        { "host", LWB_STAT_MISS_HOST },
        { "toolchain", LWB_STAT_MISS_TOOLCHAIN },
    };
    size_t len = strcspn(text, " ");

    if (why == LWB_WHY_NEVER_SEEN)
        return LWB_STAT_MISS_NEVER_SEEN;
    if (why == LWB_WHY_EVICTED)
        return LWB_STAT_MISS_EVICTED;
    for (size_t i = 0; why == LWB_WHY_DIFFERS && i < LWB_COUNT(components); i++)
        if (lwb_bytes_is(lwb_bytes(text, len), components[i].word))
            return components[i].stat;
    return LWB_STAT_MISS_OTHER;
}

/* ---- writing ----------------------------------------------------------------------------- */

bool lwb_stats_are_due(const struct lwb_cache *cache)
{
    return memcmp(cache->counted, cache->counted_written, sizeof(cache->counted)) != 0;
}

int lwb_stats_apply(struct lwb_cache *cache, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = LWB_OK;

    memcpy(cache->counted_now, cache->counted, sizeof(cache->counted));
    if (!lwb_stats_are_due(cache))
        return LWB_OK;
    if (!cache->counted_any)
        rc = lwb_db_run_values(db, LWB_SQL_COUNTER_NEW_RUN, NULL, 0, err);
    for (size_t i = 0; rc == LWB_OK && i < LWB_STAT_COUNT; i++) {
        uint64_t delta = cache->counted_now[i] - cache->counted_written[i];

        if (delta)
            rc = lwb_db_run(db, LWB_SQL_COUNTER_ADD, err, LWB_SQL_TEXT(table[i].id),
                            LWB_SQL_INT(delta), LWB_SQL_INT(cache->counted_now[i]));
    }
    return rc;
}

void lwb_stats_applied(struct lwb_cache *cache)
{
    cache->counted_any = cache->counted_any || lwb_stats_are_due(cache);
    memcpy(cache->counted_written, cache->counted_now, sizeof(cache->counted));
}

/* ---- reading ----------------------------------------------------------------------------- */

static int read_counters(struct lwb_cache *cache, struct lwb_cache_stats *out,
                         struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc = lwb_db_step(db, LWB_SQL_COUNTER_ALL, NULL, 0, err);

    for (; rc > 0; rc = lwb_db_next(db, LWB_SQL_COUNTER_ALL, err)) {
        struct lwb_bytes id = lwb_db_blob(db, LWB_SQL_COUNTER_ALL, 0);

        for (size_t i = 0; i < LWB_STAT_COUNT; i++) {
            if (!lwb_bytes_is(id, table[i].id))
                continue;
            out->total[i] = lwb_db_int(db, LWB_SQL_COUNTER_ALL, 1);
            out->last[i] = lwb_db_int(db, LWB_SQL_COUNTER_ALL, 2);
        }
    }
    return rc;
}

static int read_number(struct lwb_cache *cache, enum lwb_sql id, int64_t *out,
                       struct lwb_error *err)
{
    int rc = lwb_db_step(&cache->db, id, NULL, 0, err);

    if (rc <= 0)
        return rc;
    *out = lwb_db_int(&cache->db, id, 0);
    lwb_db_finish(&cache->db, id);
    return LWB_OK;
}

static int read_gauges(struct lwb_cache *cache, struct lwb_cache_stats *out, struct lwb_error *err)
{
    int rc = lwb_cache_get_meta(cache, "bytes", &out->total[LWB_STAT_BYTES], err);

    if (rc >= 0)
        rc = lwb_cache_get_meta(cache, "zeroed_at", &out->total[LWB_STAT_ZEROED_AT], err);
    if (rc >= 0)
        rc = read_number(cache, LWB_SQL_ENTRY_COUNT, &out->total[LWB_STAT_ENTRIES], err);
    if (rc >= 0)
        rc = read_number(cache, LWB_SQL_OBJECT_COUNT, &out->total[LWB_STAT_OBJECTS], err);
    out->total[LWB_STAT_MAX_BYTES] = (int64_t)cache->max_bytes;
    return rc;
}

int lwb_cache_read_stats(struct lwb_cache *cache, struct lwb_cache_stats *out,
                         struct lwb_error *err)
{
    struct lwb_cache_stats stats = { 0 };
    int rc;

    lwb_notes_fold(cache);
    rc = lwb_cache_write_all(cache, err);
    stats.total[LWB_STAT_MAX_BYTES] = (int64_t)cache->max_bytes;
    if (rc == LWB_OK && cache->db.sql) {
        rc = read_counters(cache, &stats, err);
        if (rc >= 0)
            rc = read_gauges(cache, &stats, err);
    }
    if (rc < 0)
        return rc;
    *out = stats;
    return LWB_OK;
}

int lwb_cache_zero_stats(struct lwb_cache *cache, struct lwb_error *err)
{
    struct lwb_db *db = &cache->db;
    int rc;

    if (cache->read_only)
        return lwb_fail(err, LWB_ERR_USAGE, "cache directory %s is read-only", cache->dir);
    rc = lwb_db_begin_write(db, err);
    if (rc < 0)
        return rc;
    rc = lwb_db_run_values(db, LWB_SQL_COUNTER_ZERO, NULL, 0, err);
    if (rc == LWB_OK)
        rc = lwb_db_run(db, LWB_SQL_META_PUT, err, LWB_SQL_TEXT("zeroed_at"),
                        LWB_SQL_INT(lwb_cache_wall_s(cache)));
    if (rc < 0) {
        lwb_db_rollback(db);
        return rc;
    }
    rc = lwb_db_commit(db, err);
    if (rc == LWB_OK) {
        memset(cache->counted, 0, sizeof(cache->counted));
        memset(cache->counted_written, 0, sizeof(cache->counted_written));
    }
    return rc;
}
