#include "cache/cache_db_internal.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"

/*
 * Many processes, one file, and a SQLite that may be as old as 3.40:
 *
 * - Until 3.51.3 two connections that write and checkpoint at the same instant
 *   can lose committed pages (the "WAL reset" bug). So writes and checkpoints
 *   happen under a lock of our own, and SQLite never checkpoints by itself,
 *   neither after a commit nor when the last connection closes.
 * - busy_timeout comes before the first pragma that takes a lock, and write
 *   transactions are IMMEDIATE: one that starts as a reader and is overtaken
 *   fails at once, whatever the time-out.
 * - A damaged file is renamed under the lock. Others may have it open; they
 *   compare device and inode under the same lock before they write.
 * - Opening is under the lock as well: so nobody meets a file that is being
 *   made or replaced.
 * - The log needs shared memory, which network file systems do not have:
 *   there, and wherever SQLite refuses, a rollback journal is used.
 */
enum {
    LOG_PAGES_MAX = 8 * 1024 * 1024 / LWB_DB_PAGE_SIZE, /* a longer log slows every reader down */
    READ_FOR_NS = 50 * 1000 * 1000,
    READS_PER_LOOK = 16, /* at the clock, which costs a tenth of a read */
};

static int run_plain(struct lwb_db *db, enum lwb_sql id, struct lwb_error *err)
{
    return lwb_db_run_values(db, id, NULL, 0, err);
}

/* ---- the lock ---------------------------------------------------------------------------- */

int lwb_db_lock(struct lwb_db *db, struct lwb_error *err)
{
    int rc = LWB_OK;

    if (db->locked || db->read_only)
        return LWB_OK;
    /* Somebody may have removed the directory and made it anew: a lock on the old file is none. */
    for (int attempt = 0; attempt < 3; attempt++) {
        if (db->lock_fd < 0)
            rc = lwb_lock_open(&db->lock_fd, db->lock_path, err);
        if (rc == LWB_OK)
            rc = lwb_lock_take(db->lock_fd, db->busy_ms, err);
        if (rc < 0)
            return rc;
        if (lwb_lock_is_current(db->lock_fd, db->lock_path)) {
            db->locked = true;
            return LWB_OK;
        }
        close(db->lock_fd);
        db->lock_fd = -1;
    }
    return lwb_fail(err, LWB_ERR_BUSY, "%s keeps changing", db->lock_path);
}

void lwb_db_unlock(struct lwb_db *db)
{
    if (db->locked)
        lwb_lock_release(db->lock_fd);
    db->locked = false;
}

/* ---- opening and closing ------------------------------------------------------------------ */

int lwb_db_open(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    struct stat st;
    int rc;

    db->path = lwb_path_join(db->dir, "cache.db");
    db->lock_path = lwb_path_join(db->dir, "cache.lock");
    if (!db->path || !db->lock_path)
        return lwb_fail_memory(err);
    if (db->read_only)
        return stat(db->path, &st) == 0 ? lwb_db_connect_reader(db, notice, err) : LWB_OK;
    rc = lwb_db_lock(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_connect(db, notice, err);
    lwb_db_unlock(db);
    return rc;
}

void lwb_db_close(struct lwb_db *db)
{
    if (db->writing)
        lwb_db_rollback(db);
    lwb_db_end_read(db);
    lwb_db_disconnect(db);
    lwb_db_unlock(db);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    lwb_free(db->path);
    lwb_free(db->lock_path);
}

/* ---- transactions ------------------------------------------------------------------------ */

/* Under the lock: another process may have replaced the file, or this one found it damaged. */
static int follow_replacement(struct lwb_db *db, struct lwb_error *err)
{
    struct stat st;
    bool same = db->sql && stat(db->path, &st) == 0 && (uint64_t)st.st_dev == db->device &&
                (uint64_t)st.st_ino == db->inode;
    bool damaged = db->damaged;
    int rc = LWB_OK;

    if (same && !damaged)
        return LWB_OK;
    lwb_db_disconnect(db);
    if (same)
        rc = lwb_db_set_aside(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_connect(db, NULL, err);
    if (rc < 0)
        lwb_db_disconnect(db);
    return rc < 0 ? rc : LWB_OK;
}

bool lwb_db_recover(struct lwb_db *db)
{
    struct lwb_error ignored;

    if (!db->damaged)
        return false;
    if (db->read_only) {
        lwb_db_disconnect(db); /* from now on nothing is found */
        return true;
    }
    if (lwb_db_begin_write(db, &ignored) < 0)
        return false;
    lwb_db_rollback(db);
    return true;
}

int lwb_db_begin_read(struct lwb_db *db, struct lwb_error *err)
{
    uint64_t now;
    int rc;

    if (!db->wal || !db->sql)
        return LWB_OK; /* without a log a reader would keep writers out */
    if (db->reading && ++db->reads % READS_PER_LOOK)
        return LWB_OK;
    now = lwb_clock_ns();
    if (db->reading && now - db->reading_since < READ_FOR_NS)
        return LWB_OK;
    lwb_db_end_read(db);
    rc = run_plain(db, LWB_SQL_BEGIN_READ, err);
    db->reading = rc == LWB_OK;
    db->reading_since = now;
    return rc;
}

void lwb_db_end_read(struct lwb_db *db)
{
    struct lwb_error ignored;

    if (db->reading)
        (void)run_plain(db, LWB_SQL_COMMIT, &ignored);
    db->reading = false;
}

int lwb_db_begin_write(struct lwb_db *db, struct lwb_error *err)
{
    int rc;

    lwb_db_end_read(db);
    rc = lwb_db_lock(db, err);
    if (rc == LWB_OK)
        rc = follow_replacement(db, err);
    if (rc == LWB_OK)
        rc = run_plain(db, LWB_SQL_BEGIN_WRITE, err);
    db->writing = rc == LWB_OK;
    if (rc < 0)
        lwb_db_unlock(db);
    return rc;
}

int lwb_db_commit(struct lwb_db *db, struct lwb_error *err)
{
    struct lwb_error ignored;
    int rc = run_plain(db, LWB_SQL_COMMIT, err);

    if (rc < 0) {
        lwb_db_rollback(db);
        return rc;
    }
    db->writing = false;
    if (db->wal && db->wal_pages > LOG_PAGES_MAX)
        (void)lwb_db_checkpoint(db, &ignored); /* the result is safe; the log may stay long */
    lwb_db_unlock(db);
    return LWB_OK;
}

void lwb_db_rollback(struct lwb_db *db)
{
    struct lwb_error ignored;

    /* Some failures have rolled back already. */
    if (db->writing && !sqlite3_get_autocommit(db->sql))
        (void)run_plain(db, LWB_SQL_ROLLBACK, &ignored);
    db->writing = false;
    lwb_db_unlock(db);
}

int lwb_db_checkpoint(struct lwb_db *db, struct lwb_error *err)
{
    bool held = db->locked;
    int rc;

    if (!db->wal || !db->sql || db->read_only)
        return LWB_OK;
    lwb_db_end_read(db);
    rc = lwb_db_lock(db, err);
    if (rc < 0)
        return rc;
    (void)sqlite3_busy_timeout(db->sql, 0);
    rc = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc == SQLITE_OK)
        db->wal_pages = 0;
    rc = rc == SQLITE_OK || rc == SQLITE_BUSY ? LWB_OK : lwb_db_fail(db, err, "checkpoint");
    (void)sqlite3_busy_timeout(db->sql, db->busy_ms);
    if (!held)
        lwb_db_unlock(db);
    return rc;
}
