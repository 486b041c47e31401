#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/strvec.h"

/*
 * Results of finished checks, by key, in one SQLite file (cache.db) that any
 * number of processes share, and artifacts by content in objects/ beside it. A
 * key says everything a result depends on, so entries never become stale; they
 * can only become unused.
 *
 * A cache may lose entries but never invents one. A file of another version,
 * damaged or foreign is set aside (cache.db.damaged-<time>) and replaced by an
 * empty one. Trouble with the cache is never trouble of the build: after
 * opening, functions report failure and the caller goes on without.
 *
 * One struct lwb_cache per process and thread. Results are acknowledged by
 * lwb_cache_commit (or close); until then they may be lost, never halved.
 */
struct lwb_cache;

enum lwb_cache_mode {
    LWB_CACHE_READ_WRITE,
    LWB_CACHE_READ_ONLY, /* look up, store nothing, touch nothing */
};

/* For tests; programs leave it out. */
struct lwb_cache_clock {
    int64_t (*wall_s)(void *ctx);        /* least-recently-used order, ages */
    uint64_t (*monotonic_ns)(void *ctx); /* when to commit */
    void *ctx;
};

struct lwb_cache_config {
    const char *dir; /* made with mode 0700 when missing (read-write) */
    enum lwb_cache_mode mode;
    uint64_t max_bytes;                  /* 0: default, 5 GiB */
    int busy_ms;                         /* patience with other processes; 0: default, 10 s */
    const struct lwb_cache_clock *clock; /* NULL: the real ones */
};

/*
 * `warning`, a buffer of the caller's, gets at most one line for people: the
 * directory has another owner and is used read-only, the file was damaged and
 * replaced, a network file system.
 */
int lwb_cache_open(struct lwb_cache **out, const struct lwb_cache_config *config,
                   struct lwb_buf *warning, struct lwb_error *err);

/* Commits, checkpoints, trims when over the limit. NULL is fine. */
void lwb_cache_close(struct lwb_cache *cache);
LWB_DEFINE_AUTO_PTR(struct lwb_cache, lwb_cache_close);

/*
 * Call before waiting for something, and about once a second while waiting:
 * commits what has waited for a second and ends the read transaction that
 * look-ups share. Cheap when there is nothing to do.
 */
int lwb_cache_tick(struct lwb_cache *cache, struct lwb_error *err);

/* What the directory turned out to allow. */
bool lwb_cache_is_read_only(const struct lwb_cache *cache);
const char *lwb_cache_dir(const struct lwb_cache *cache); /* absolute; borrowed */

/* ---- entries ---------------------------------------------------------------------------- */

enum lwb_cache_verdict { LWB_CACHE_ACCEPTED = 1, LWB_CACHE_REJECTED = 2 };

struct lwb_cache_artifact {
    const char *part; /* "olean", "olean.server", ... */
    struct lwb_digest digest;
    uint64_t size;
};

struct lwb_cache_entry {
    enum lwb_cache_verdict verdict;
    bool fresh;              /* made by a process of its own */
    uint64_t check_ns;       /* what the check cost: a hit saves this */
    struct lwb_bytes report; /* diagnostics, encoded by the caller; no paths in it */
    struct lwb_bytes facts;  /* what policy is applied to, encoded by the caller */
    const struct lwb_cache_artifact *artifacts;
    size_t n_artifacts;
};

/*
 * Returns 1 and fills entry (borrowed until the next call on this cache), 0 if
 * there is none that is usable: not there, warm where fresh was asked for, or
 * an artifact whose object is gone.
 */
int lwb_cache_lookup(struct lwb_cache *cache, const struct lwb_digest *key, bool fresh_only,
                     struct lwb_cache_entry *entry, struct lwb_error *err);

/*
 * Look up many keys, in less time than one by one: `found` is told of each that
 * has a usable entry by the number of the key, in no particular order. The entry
 * is borrowed until `found` returns, which must not use the cache.
 */
typedef void lwb_cache_found_fn(void *ctx, size_t number, const struct lwb_cache_entry *entry);

int lwb_cache_lookup_many(struct lwb_cache *cache, const struct lwb_digest *keys, size_t n_keys,
                          bool fresh_only, lwb_cache_found_fn *found, void *ctx,
                          struct lwb_error *err);

/* Replaces a warm entry by a fresh one, never the other way. */
int lwb_cache_store(struct lwb_cache *cache, const struct lwb_digest *key,
                    const struct lwb_cache_entry *entry, struct lwb_error *err);

/*
 * Make everything stored so far durable against the death of this process. Also
 * done by storing when a second has passed. What cannot be written is kept and
 * tried again.
 */
int lwb_cache_commit(struct lwb_cache *cache, struct lwb_error *err);

/*
 * A result that was accepted is not any more: no snapshot made so far, of
 * whatever run, answers again (cache_dir.h, lwb_cache_generation).
 */
int lwb_cache_disown_snapshots(struct lwb_cache *cache, struct lwb_error *err);

/* Drop an entry (a confirm run found a difference, an object was condemned). */
int lwb_cache_drop(struct lwb_cache *cache, const struct lwb_digest *key, struct lwb_error *err);

/* ---- batches --------------------------------------------------------------------------------- */

enum { LWB_CACHE_BATCH_MIN = 16 }; /* fewer members are not worth a batch */

/* Whether a batch answered, or why it did not. */
enum lwb_cache_batch_answer {
    LWB_BATCH_FOUND,
    LWB_BATCH_NOT_STORED, /* no batch of just these members */
    LWB_BATCH_OUTDATED,   /* results went, or were replaced, since it was stored */
    LWB_BATCH_NOT_USABLE, /* warm where fresh was asked for, or an artifact's object is gone */
};

/*
 * One look-up for all members of a batch, by the digest of their keys. Returns
 * LWB_BATCH_FOUND when each of them has a usable entry, and `found` was told of
 * all, in order; else why not, and `found` of none: then they are to be looked up
 * one by one. It answers what these look-ups would.
 */
int lwb_cache_lookup_batch(struct lwb_cache *cache, const struct lwb_digest *members,
                           size_t n_members, bool fresh_only, lwb_cache_found_fn *found, void *ctx,
                           struct lwb_error *err);

/*
 * Remember members that were all looked up or stored through this `cache`, with
 * their entries. It takes the place of the batch that was last stored for the
 * same `subject`. Not done, and no failure, where there are fewer than
 * LWB_CACHE_BATCH_MIN or megabytes of them, or when results went since the cache
 * was opened.
 */
int lwb_cache_store_batch(struct lwb_cache *cache, struct lwb_bytes subject,
                          const struct lwb_digest *members, const struct lwb_cache_entry *entries,
                          size_t n_members, struct lwb_error *err);

/* ---- why: key components ------------------------------------------------------------------ */

/* What a key was made of, so that --explain can name the first that differs. */
struct lwb_cache_component {
    const char *name; /* "source", "import A.B", "option x", "toolchain" */
    struct lwb_digest value;
};

/* Remember the components of `key` as the newest of `subject` (a module of a project). */
int lwb_cache_store_components(struct lwb_cache *cache, struct lwb_bytes subject,
                               const struct lwb_digest *key,
                               const struct lwb_cache_component *components, size_t count,
                               struct lwb_error *err);

enum lwb_cache_why { LWB_WHY_NEVER_SEEN, LWB_WHY_DIFFERS, LWB_WHY_EVICTED, LWB_WHY_UNKNOWN };

/* Why `key` of `subject` is not there; `text` gets the component, or "2 days ago". */
int lwb_cache_explain(struct lwb_cache *cache, struct lwb_bytes subject,
                      const struct lwb_digest *key, const struct lwb_cache_component *components,
                      size_t count, enum lwb_cache_why *why, struct lwb_buf *text,
                      struct lwb_error *err);

/* ---- digests remembered by stat -------------------------------------------------------------- */

/*
 * The SHA-256 of a file's content, remembered by path and stat (with ctime) so
 * that an unchanged file is hashed once per user. Racy files are hashed and not
 * remembered. Returns 1, or 0 if there is no such file. `st` may be NULL.
 */
int lwb_cache_file_digest(struct lwb_cache *cache, const char *path, struct lwb_digest *out,
                          struct lwb_file_stat *st, struct lwb_error *err);

/*
 * Hashes what is not remembered of these files, several at a time, so that
 * lwb_cache_file_digest finds it: for the thousands that a first run asks for
 * one after the other. Does what it can, and small amounts not at all.
 */
void lwb_cache_file_digests_ahead(struct lwb_cache *cache, const struct lwb_strvec *paths);

/* The same memory for values that a caller derives from file contents (a closure's digest). */
int lwb_cache_recall(struct lwb_cache *cache, const struct lwb_digest *question,
                     struct lwb_digest *answer, struct lwb_error *err);
int lwb_cache_remember(struct lwb_cache *cache, const struct lwb_digest *question,
                       const struct lwb_digest *answer, struct lwb_error *err);

/* ---- objects --------------------------------------------------------------------------------- */

/*
 * Take a private file into objects/<aa>/<sha256>, mode 0444. The digest is
 * computed here and compared with `digest`; an existing object is kept. The
 * private file is gone afterwards.
 */
int lwb_cache_adopt(struct lwb_cache *cache, const char *path, const struct lwb_digest *digest,
                    struct lwb_error *err);

/* The path of an object, whether it is there or not. */
int lwb_cache_object_path(struct lwb_cache *cache, const struct lwb_digest *digest,
                          struct lwb_buf *out, struct lwb_error *err);

/* An object that kills those who import it: removed with all entries that refer to it. */
int lwb_cache_condemn(struct lwb_cache *cache, const struct lwb_digest *digest,
                      struct lwb_error *err);

/*
 * <dir>/trees: others make folders there and never change them again. One that
 * has a file `used` may be removed an hour after its time; one whose name begins
 * with "tmp." is being made, and may be removed a day after.
 */
#define LWB_CACHE_TREES "trees"

/* A private folder below the cache directory, on the same file system as the objects. */
int lwb_cache_scratch(struct lwb_cache *cache, struct lwb_buf *out, struct lwb_error *err);

/* ---- statistics and upkeep: cache_stats.h, cache_trim.h -------------------------------------- */
