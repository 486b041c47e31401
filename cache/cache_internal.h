#pragma once

#include "cache/cache.h"
#include "cache/cache_bytes.h"
#include "cache/cache_db.h"
#include "cache/cache_entry.h"
#include "cache/cache_pending.h"
#include "cache/cache_stats.h"

/* What the files of cache/ share. No other folder includes this. */

enum {
    LWB_CACHE_COMMIT_MS = 1000,  /* how long a result may wait */
    LWB_CACHE_RETRY_MS = 10000,  /* after a commit that failed */
    LWB_CACHE_TOUCH_S = 60 * 60, /* uses within this time are one use */
};

enum lwb_fact { LWB_FACT_FILE = 1, LWB_FACT_ANSWER = 2 };

struct lwb_cache {
    char *dir;
    bool read_only;
    uint64_t max_bytes;
    struct lwb_cache_clock clock;
    struct lwb_db db;
    int users_fd; /* cache.users, shared by all that have the cache open */
    struct lwb_pending pending;
    uint64_t retry_ns; /* no commit by itself before this */
    int64_t grown;     /* bytes that the running transaction adds */
    int64_t gone;      /* how often entries had gone from the file when it was opened */
    int64_t
        least_use; /* no entry looked up here will have been used before that; INT64_MAX: none */

    struct lwb_hasher *hasher; /* for keys */
    struct lwb_buf body;       /* of the last entry looked up */
    struct lwb_buf fact;       /* the last fact looked up */
    struct lwb_cache_artifact *artifacts;
    size_t artifacts_cap;
    bool has_tombstones;
    struct lwb_digest last_set; /* of imports, stored by this process */

    uint64_t counted[LWB_STAT_COUNT];         /* since the cache was opened */
    uint64_t counted_written[LWB_STAT_COUNT]; /* what of it is in the file */
    uint64_t counted_now[LWB_STAT_COUNT];     /* what the running transaction brings it to */
    bool counted_any;                         /* this run has written counters */

    struct lwb_buf path; /* of the last object asked for */
    char *scratch;       /* NULL until asked for */
    int scratch_fd;      /* its lock */
    unsigned serial;     /* of temporary names */

    int64_t fs_now_ns; /* file system time, 0: not asked yet */
    uint64_t fs_asked_ns;
    uint64_t device; /* of the cache directory */
};

int64_t lwb_cache_wall_s(const struct lwb_cache *cache);

/* Add a write without data; failures are of no consequence (touches and the like). */
void lwb_cache_note(struct lwb_cache *cache, enum lwb_write_kind kind, const struct lwb_digest *key,
                    int64_t number);

/* After adding something: commit when it is time. */
void lwb_cache_commit_if_due(struct lwb_cache *cache);

/* Commit, and counters too even if nothing else is to be written. */
int lwb_cache_write_all(struct lwb_cache *cache, struct lwb_error *err);

/*
 * Whether no other process has the cache open. If so, or if it cannot be told,
 * nobody can enter until lwb_cache_share.
 */
bool lwb_cache_is_alone(struct lwb_cache *cache);
void lwb_cache_share(struct lwb_cache *cache);

/* A number by name; 0 and *out untouched if it is not there. */
int lwb_cache_get_meta(struct lwb_cache *cache, const char *name, int64_t *out,
                       struct lwb_error *err);

/* ---- cache_stats.c ----------------------------------------------------------------------- */

/* Inside a transaction, and after it was committed. */
bool lwb_stats_are_due(const struct lwb_cache *cache);
int lwb_stats_apply(struct lwb_cache *cache, struct lwb_error *err);
void lwb_stats_applied(struct lwb_cache *cache);

/* ---- cache_apply.c ----------------------------------------------------------------------- */

/* One transaction with everything pending. */
int lwb_cache_apply(struct lwb_cache *cache, struct lwb_error *err);

/* Inside a transaction: an entry and what hangs on it. */
int lwb_cache_delete_entry(struct lwb_cache *cache, const struct lwb_digest *key,
                           struct lwb_error *err);

/* The row of an object; its file is the caller's business. */
int lwb_cache_delete_object(struct lwb_cache *cache, const struct lwb_digest *digest,
                            struct lwb_error *err);

/* Before committing: what the transaction adds (cache->grown) goes into the total. */
int lwb_cache_add_bytes(struct lwb_cache *cache, struct lwb_error *err);

/* ---- cache_lookup.c ---------------------------------------------------------------------- */

/* Whether the artifacts of an entry are where they should be. */
bool lwb_cache_has_objects(struct lwb_cache *cache, const struct lwb_cache_entry *entry);

/* ---- cache_batch.c ----------------------------------------------------------------------- */

/* Inside a transaction: what a pending LWB_WRITE_BATCH asks for. */
int lwb_batch_put(struct lwb_cache *cache, const struct lwb_write *write, int64_t now,
                  struct lwb_error *err);

/* Inside a transaction: a batch that is stored under either, by key and by subject. */
int lwb_batch_delete(struct lwb_cache *cache, const struct lwb_digest *key,
                     const struct lwb_digest *subject, struct lwb_error *err);

/* Inside a transaction: what a process believes to have stored was not taken. */
int lwb_batch_doubt(struct lwb_cache *cache, struct lwb_error *err);

/*
 * Inside a transaction: remove batches that answer nothing any more, or were not
 * used since; INT64_MAX: all.
 */
int lwb_batch_expire(struct lwb_cache *cache, int64_t unused_since, struct lwb_error *err);

/* ---- cache_facts.c: small sealed values by kind and digest --------------------------------- */

/* Returns 1 and the value, borrowed until the next call; 0 if there is none. */
int lwb_fact_get(struct lwb_cache *cache, enum lwb_fact kind, const struct lwb_digest *key,
                 struct lwb_bytes *value, struct lwb_error *err);
int lwb_fact_put(struct lwb_cache *cache, enum lwb_fact kind, const struct lwb_digest *key,
                 struct lwb_bytes value, struct lwb_error *err);

/* ---- cache_objects.c --------------------------------------------------------------------- */

/* Whether an object is there with that size. */
bool lwb_object_is_there(struct lwb_cache *cache, const struct lwb_digest *digest, uint64_t size);
void lwb_object_unlink(struct lwb_cache *cache, const struct lwb_digest *digest);
void lwb_cache_remove_scratch(struct lwb_cache *cache);

/* ---- cache_trim.c ------------------------------------------------------------------------ */

/* Trim when over the limit; tidy up when that was a day ago. */
void lwb_trim_at_close(struct lwb_cache *cache, bool alone);
