#pragma once

#include "cache/cache.h"

/*
 * What the cache did, over all runs and in the last one. One table says what is
 * counted: it drives counting, zeroing and every way of printing. Ids are stable
 * names for JSON and TSV; a new row is all that a new counter needs.
 */
enum lwb_stat {
    LWB_STAT_RUNS,
    LWB_STAT_MODULES,
    LWB_STAT_HITS,
    LWB_STAT_SNAPSHOT,
    LWB_STAT_BATCH,
    LWB_STAT_REPLAYED_CLEAN,
    LWB_STAT_REPLAYED_WARNINGS,
    LWB_STAT_REPLAYED_ERRORS,
    LWB_STAT_MISSES,
    LWB_STAT_MISS_NEVER_SEEN,
    LWB_STAT_MISS_SOURCE,
    LWB_STAT_MISS_IMPORT,
    LWB_STAT_MISS_OPTION,
    LWB_STAT_MISS_INPUT,
    LWB_STAT_MISS_TOOLCHAIN,
    LWB_STAT_MISS_HOST,
    LWB_STAT_MISS_OTHER,
    LWB_STAT_MISS_EVICTED,
    LWB_STAT_MISS_FORCED,
    LWB_STAT_STORED,
    LWB_STAT_NOT_STORED,
    LWB_STAT_NOT_STORED_TIMEOUT,
    LWB_STAT_NOT_STORED_MEMORY,
    LWB_STAT_NOT_STORED_CRASH,
    LWB_STAT_NOT_STORED_CANCELLED,
    LWB_STAT_NOT_STORED_CHANGED,
    LWB_STAT_NOT_STORED_LIMIT,
    LWB_STAT_NOT_STORED_SIZE,
    LWB_STAT_NOT_STORED_OTHER,
    LWB_STAT_CONFIRMED,
    LWB_STAT_CONFIRM_DIFFERENT,
    LWB_STAT_BATCHES,
    LWB_STAT_WORKERS_STARTED,
    LWB_STAT_WORKERS_RECYCLED,
    LWB_STAT_WORKERS_KILLED,
    LWB_STAT_CHECK_NS,
    LWB_STAT_SAVED_NS,
    LWB_STAT_EVICTED,
    LWB_STAT_EVICTED_WANTED,
    LWB_STAT_REPLACED,

    /* read off the cache, not counted */
    LWB_STAT_BYTES,
    LWB_STAT_MAX_BYTES,
    LWB_STAT_ENTRIES,
    LWB_STAT_OBJECTS,
    LWB_STAT_ZEROED_AT,
    LWB_STAT_COUNT,
};

enum lwb_stat_unit {
    LWB_UNIT_COUNT,
    LWB_UNIT_NS,
    LWB_UNIT_BYTES,
    LWB_UNIT_TIME, /* seconds since 1970, 0: never */
};

struct lwb_stat_info {
    const char *id;       /* "hits" */
    const char *sentence; /* "Hits": what a person reads */
    enum lwb_stat_unit unit;
    enum lwb_stat parent; /* it is a part of: indented below it, with a share; else itself */
    bool is_gauge;        /* read off; has no value of the last run, is not zeroed */
};

const struct lwb_stat_info *lwb_stat_info(enum lwb_stat stat);

/* Add to a counter (not to a gauge). Written with the next commit. */
void lwb_cache_count(struct lwb_cache *cache, enum lwb_stat stat, uint64_t delta);

/* What this process has counted since the cache was opened. */
uint64_t lwb_cache_counted(const struct lwb_cache *cache, enum lwb_stat stat);

/* The counter that a miss belongs to, by what lwb_cache_explain said. */
enum lwb_stat lwb_stat_of_miss(enum lwb_cache_why why, const char *text);

struct lwb_cache_stats {
    int64_t total[LWB_STAT_COUNT];
    int64_t last[LWB_STAT_COUNT]; /* of the run that counted last */
};

int lwb_cache_read_stats(struct lwb_cache *cache, struct lwb_cache_stats *out,
                         struct lwb_error *err);

/* Counters only; the entries stay. */
int lwb_cache_zero_stats(struct lwb_cache *cache, struct lwb_error *err);
