#pragma once

#include <sqlite3.h>

#include "cache/cache_schema.h"
#include "lwbuild/base/digest.h"

/*
 * The connection to cache.db: how it is opened, locked, found to be damaged and
 * replaced. Knows the tables, not what they mean.
 */
struct lwb_db {
    char *dir;
    char *path;      /* dir/cache.db */
    char *lock_path; /* dir/cache.lock */
    sqlite3 *sql;    /* NULL: there is no file to read from, nothing is found */
    sqlite3_stmt *statements[LWB_SQL_COUNT];
    uint64_t device; /* of the file that is open; a file set aside is another one */
    uint64_t inode;
    int lock_fd; /* cache.lock: one writer, checkpointer or replacer at a time; -1: not open */
    int busy_ms; /* patience with others */
    bool read_only;
    bool wal;
    bool locked;
    bool writing;
    bool reading;
    bool damaged;           /* SQLite said so; the next begin replaces the file */
    unsigned reads;         /* since ever */
    uint64_t reading_since; /* when the shared read transaction began */
    int wal_pages;          /* after the last commit */
    uint64_t replaced;      /* files set aside by this process */
};

enum { LWB_DB_BUSY_MS = 10 * 1000 };

/*
 * Fills a zeroed `db` (dir, busy_ms, read_only set by the caller, lock_fd -1).
 * Returns 1 if it had to replace a file or cannot use one, `notice` saying
 * which, else 0. A file of a newer lwbuild is LWB_ERR_UNSUPPORTED.
 */
int lwb_db_open(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err);
void lwb_db_close(struct lwb_db *db);

/*
 * Look-ups share one read transaction, renewed after a moment so that they see
 * what others store. End it before waiting: it keeps the log from being reset.
 */
int lwb_db_begin_read(struct lwb_db *db, struct lwb_error *err);
void lwb_db_end_read(struct lwb_db *db);

/*
 * Take the lock, make sure that the open file is still the one at the path,
 * begin. Everything up to commit or rollback is one transaction.
 */
int lwb_db_begin_write(struct lwb_db *db, struct lwb_error *err);
int lwb_db_commit(struct lwb_db *db, struct lwb_error *err);
void lwb_db_rollback(struct lwb_db *db);

/*
 * After a failure: true if SQLite found damage and the file is out of the way
 * now, so that doing the same again makes sense.
 */
bool lwb_db_recover(struct lwb_db *db);

/* Only the lock, for work on the files beside the database. */
int lwb_db_lock(struct lwb_db *db, struct lwb_error *err);
void lwb_db_unlock(struct lwb_db *db);

/* Everything into cache.db itself, if no reader is in the way. Never waits. */
int lwb_db_checkpoint(struct lwb_db *db, struct lwb_error *err);

/* ---- statements -------------------------------------------------------------------------- */

struct lwb_sql_value {
    const void *ptr; /* NULL: number */
    size_t len;
    int64_t number;
};

#define LWB_SQL_INT(value) ((struct lwb_sql_value){ NULL, 0, (int64_t)(value) })
#define LWB_SQL_DIGEST(digest) ((struct lwb_sql_value){ (digest)->bytes, 32, 0 })
#define LWB_SQL_BLOB(blob) ((struct lwb_sql_value){ (blob).ptr ? (blob).ptr : "", (blob).len, 0 })
#define LWB_SQL_TEXT(text) ((struct lwb_sql_value){ (text), SIZE_MAX, 0 })

/*
 * Bind and make the first step: 1 there is a row (read it, then
 * lwb_db_finish), 0 done, < 0 failed. Values are borrowed until finish.
 */
int lwb_db_step(struct lwb_db *db, enum lwb_sql id, const struct lwb_sql_value *values,
                size_t count, struct lwb_error *err);
int lwb_db_next(struct lwb_db *db, enum lwb_sql id, struct lwb_error *err);
void lwb_db_finish(struct lwb_db *db, enum lwb_sql id);

#define LWB_SQL_VALUES(...)                                                                        \
    (const struct lwb_sql_value[]){ __VA_ARGS__ },                                                 \
        LWB_COUNT(((const struct lwb_sql_value[]){ __VA_ARGS__ }))
#define lwb_db_query(db, id, err, ...) lwb_db_step((db), (id), LWB_SQL_VALUES(__VA_ARGS__), (err))

/* A statement without rows, finished. */
int lwb_db_run_values(struct lwb_db *db, enum lwb_sql id, const struct lwb_sql_value *values,
                      size_t count, struct lwb_error *err);
#define lwb_db_run(db, id, err, ...)                                                               \
    lwb_db_run_values((db), (id), LWB_SQL_VALUES(__VA_ARGS__), (err))

int64_t lwb_db_int(struct lwb_db *db, enum lwb_sql id, int column);
struct lwb_bytes lwb_db_blob(struct lwb_db *db, enum lwb_sql id, int column); /* until finish */

/* Statements that are not worth keeping, no rows wanted. */
int lwb_db_script(struct lwb_db *db, const char *sql, struct lwb_error *err);

/* An error from SQLite's last answer; notes damage. */
int lwb_db_fail(struct lwb_db *db, struct lwb_error *err, const char *what);
