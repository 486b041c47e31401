#include "cache/cache_db.h"

#include <errno.h>
#include <stdio.h>
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
    PAGE_SIZE = 8192,
    LOG_PAGES_MAX = 8 * 1024 * 1024 / PAGE_SIZE, /* a longer log slows every reader down */
    READ_FOR_NS = 50 * 1000 * 1000,
};

/* ---- errors ------------------------------------------------------------------------------ */

int lwb_db_fail(struct lwb_db *db, struct lwb_error *err, const char *what)
{
    int rc = db->sql ? sqlite3_extended_errcode(db->sql) : SQLITE_NOMEM;
    const char *text = db->sql ? sqlite3_errmsg(db->sql) : "out of memory";

    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        db->damaged = true;
        break;
    case SQLITE_NOMEM:
        return lwb_fail_memory(err);
    case SQLITE_BUSY:
        return lwb_fail(err, LWB_ERR_BUSY, "%s: %s: %s", db->path, what, text);
    default:
        break;
    }
    return lwb_fail(err, LWB_ERR_SYSTEM, "%s: %s: %s", db->path, what, text);
}

/* ---- statements -------------------------------------------------------------------------- */

static int bind_all(sqlite3_stmt *statement, const struct lwb_sql_value *values, size_t count)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        const struct lwb_sql_value *value = &values[i];
        int at = (int)i + 1;

        if (!value->ptr)
            rc = sqlite3_bind_int64(statement, at, value->number);
        else if (value->len == SIZE_MAX)
            rc = sqlite3_bind_text(statement, at, value->ptr, -1, SQLITE_STATIC);
        else
            rc = sqlite3_bind_blob64(statement, at, value->ptr, value->len, SQLITE_STATIC);
    }
    return rc;
}

int lwb_db_next(struct lwb_db *db, enum lwb_sql id, struct lwb_error *err)
{
    int rc = sqlite3_step(db->statements[id]);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        rc = lwb_db_fail(db, err, lwb_schema_sql(id)); /* before the reset, which may forget it */
    else
        rc = LWB_OK;
    lwb_db_finish(db, id);
    return rc;
}

int lwb_db_step(struct lwb_db *db, enum lwb_sql id, const struct lwb_sql_value *values,
                size_t count, struct lwb_error *err)
{
    sqlite3_stmt **statement = &db->statements[id];

    if (!*statement && sqlite3_prepare_v3(db->sql, lwb_schema_sql(id), -1,
                                          SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return lwb_db_fail(db, err, lwb_schema_sql(id));
    if (bind_all(*statement, values, count) != SQLITE_OK)
        return lwb_db_fail(db, err, lwb_schema_sql(id));
    return lwb_db_next(db, id, err);
}

void lwb_db_finish(struct lwb_db *db, enum lwb_sql id)
{
    (void)sqlite3_reset(db->statements[id]); /* says again what the step has said */
}

int lwb_db_run_values(struct lwb_db *db, enum lwb_sql id, const struct lwb_sql_value *values,
                      size_t count, struct lwb_error *err)
{
    int rc = lwb_db_step(db, id, values, count, err);

    if (rc > 0)
        lwb_db_finish(db, id);
    return rc < 0 ? rc : LWB_OK;
}

static int run_plain(struct lwb_db *db, enum lwb_sql id, struct lwb_error *err)
{
    return lwb_db_run_values(db, id, NULL, 0, err);
}

int64_t lwb_db_int(struct lwb_db *db, enum lwb_sql id, int column)
{
    return sqlite3_column_int64(db->statements[id], column);
}

struct lwb_bytes lwb_db_blob(struct lwb_db *db, enum lwb_sql id, int column)
{
    sqlite3_stmt *statement = db->statements[id];
    const void *ptr = sqlite3_column_blob(statement, column);

    return ptr ? lwb_bytes(ptr, (size_t)sqlite3_column_bytes(statement, column)) : lwb_bytes("", 0);
}

int lwb_db_script(struct lwb_db *db, const char *sql, struct lwb_error *err)
{
    if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK)
        return lwb_db_fail(db, err, sql);
    return LWB_OK;
}

/* The first column of the first row of a pragma or query. */
static int ask(struct lwb_db *db, const char *sql, int64_t *number, struct lwb_buf *text,
               struct lwb_error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = LWB_OK;

    if (sqlite3_prepare_v2(db->sql, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        rc = lwb_db_fail(db, err, sql);
    else if (text)
        lwb_buf_append_text(text, (const char *)sqlite3_column_text(statement, 0));
    else
        *number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return rc;
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

/* ---- opening ----------------------------------------------------------------------------- */

static void close_connection(struct lwb_db *db)
{
    for (size_t i = 0; i < LWB_SQL_COUNT; i++) {
        (void)sqlite3_finalize(db->statements[i]);
        db->statements[i] = NULL;
    }
    (void)sqlite3_close(db->sql);
    db->sql = NULL;
    db->reading = false;
    db->writing = false;
    db->damaged = false;
}

/* Called instead of SQLite's own checkpoint after each commit. */
static int note_log_size(void *ctx, sqlite3 *sql, const char *name, int pages)
{
    struct lwb_db *db = ctx;

    (void)sql;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static int connect_to(struct lwb_db *db, const char *name, int flags, struct lwb_error *err)
{
    int rc =
        sqlite3_open_v2(name, &db->sql, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (rc != SQLITE_OK) {
        rc = lwb_db_fail(db, err, "open");
        close_connection(db);
        return rc;
    }
    (void)sqlite3_busy_timeout(db->sql, db->busy_ms);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    return LWB_OK;
}

enum origin { OURS, EMPTY, OLDER, FOREIGN, NEWER };

/* Whose file this is, from its header. A file that SQLite has just made is EMPTY. */
static int find_origin(struct lwb_db *db, enum origin *out, struct lwb_error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    int rc = ask(db, "PRAGMA application_id", &application, NULL, err);

    if (rc == LWB_OK)
        rc = ask(db, "PRAGMA user_version", &version, NULL, err);
    if (rc == LWB_OK && application == 0)
        rc = ask(db, "SELECT count(*) FROM sqlite_master", &objects, NULL, err);
    if (rc < 0)
        return rc;
    if (application == LWB_SCHEMA_APPLICATION)
        *out = version == LWB_SCHEMA_VERSION ? OURS : version < LWB_SCHEMA_VERSION ? OLDER : NEWER;
    else
        *out = application == 0 && objects == 0 ? EMPTY : FOREIGN;
    return LWB_OK;
}

static int choose_journal(struct lwb_db *db, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf mode = LWB_BUF(64);
    int rc;

    if (!lwb_path_is_on_network(db->dir)) {
        rc = ask(db, "PRAGMA journal_mode=WAL", NULL, &mode, err);
        if (rc < 0)
            return rc;
        db->wal = lwb_bytes_is(lwb_buf_bytes(&mode), "wal");
        if (db->wal)
            return LWB_OK;
    }
    db->wal = false;
    lwb_buf_clear(&mode);
    return ask(db, "PRAGMA journal_mode=TRUNCATE", NULL, &mode, err);
}

static int create_tables(struct lwb_db *db, struct lwb_error *err)
{
    char head[100];
    int rc = lwb_db_script(db, "BEGIN IMMEDIATE", err);

    (void)snprintf(head, sizeof(head), "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   LWB_SCHEMA_APPLICATION, LWB_SCHEMA_VERSION);
    if (rc == LWB_OK)
        rc = lwb_db_script(db, lwb_schema_text, err);
    if (rc == LWB_OK)
        rc = lwb_db_script(db, head, err);
    if (rc == LWB_OK)
        rc = lwb_db_script(db, "COMMIT", err);
    return rc;
}

static int prepare_for_writing(struct lwb_db *db, bool empty, struct lwb_error *err)
{
    char fresh[100];
    int rc = LWB_OK;

    (void)snprintf(fresh, sizeof(fresh), "PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL",
                   PAGE_SIZE);
    if (empty)
        rc = lwb_db_script(db, fresh, err);
    if (rc == LWB_OK)
        rc = choose_journal(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_script(db,
                           "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"
                           "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                           "PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY",
                           err);
    if (rc == LWB_OK && empty)
        rc = create_tables(db, err);
    (void)sqlite3_wal_hook(db->sql, note_log_size, db);
    return rc;
}

static int remember_identity(struct lwb_db *db, struct lwb_error *err)
{
    struct stat st;

    if (stat(db->path, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", db->path);
    db->device = (uint64_t)st.st_dev;
    db->inode = (uint64_t)st.st_ino;
    return LWB_OK;
}

/* Under the lock: move cache.db and what belongs to it out of the way. */
static int set_aside(struct lwb_db *db, struct lwb_error *err)
{
    static const char *const parts[] = { "-wal", "-shm", "-journal", "" };
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf from = LWB_BUF(LWB_PATH_MAX);
    struct stat st;
    size_t stem;

    for (unsigned attempt = 0;; attempt++) {
        lwb_buf_clear(&name);
        lwb_buf_format(&name, "%s.damaged-%lld", db->path, (long long)lwb_clock_wall_s());
        if (attempt)
            lwb_buf_format(&name, ".%u", attempt);
        if (!lwb_buf_ok(&name))
            return lwb_fail_memory(err);
        if (lstat(name.ptr, &st) != 0)
            break;
    }
    stem = name.len;
    for (size_t i = 0; i < LWB_COUNT(parts); i++) {
        name.len = stem;
        lwb_buf_append_text(&name, parts[i]);
        lwb_buf_clear(&from);
        lwb_buf_format(&from, "%s%s", db->path, parts[i]);
        if (!lwb_buf_ok(&name) || !lwb_buf_ok(&from))
            return lwb_fail_memory(err);
        if (rename(from.ptr, name.ptr) != 0 && errno != ENOENT)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot move %s aside", from.ptr);
    }
    db->replaced++;
    return LWB_OK;
}

/*
 * One try under the lock. Returns 1 if the file must be replaced (`why` says
 * what it is), 0 if it is open and ours.
 */
static int try_open(struct lwb_db *db, const char **why, struct lwb_error *err)
{
    enum origin origin = OURS;
    int rc = connect_to(db, db->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);

    if (rc == LWB_OK)
        rc = find_origin(db, &origin, err);
    if (rc == LWB_OK && origin == NEWER)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "%s was made by a newer lwbuild", db->path);
    if (rc == LWB_OK && (origin == OLDER || origin == FOREIGN)) {
        *why = origin == OLDER ? "of an older version" : "no cache of lwbuild";
        return 1;
    }
    if (rc == LWB_OK)
        rc = prepare_for_writing(db, origin == EMPTY, err);
    if (rc == LWB_OK)
        rc = remember_identity(db, err);
    if (rc < 0 && db->damaged) {
        *why = "damaged";
        return 1;
    }
    return rc;
}

/* Under the lock. */
static int open_or_replace(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    const char *why = NULL;
    int rc = try_open(db, &why, err);

    if (rc <= 0)
        return rc;
    close_connection(db);
    if (notice)
        lwb_buf_format(notice, "%s was %s: set aside and replaced by an empty one", db->path, why);
    rc = set_aside(db, err);
    if (rc == LWB_OK)
        rc = try_open(db, &why, err);
    if (rc > 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s: cannot be replaced", db->path);
    return rc < 0 ? rc : 1;
}

/* A file that cannot be locked (its folder is not ours) but has nothing beside it is read as is. */
static int open_immutable(struct lwb_db *db, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf uri = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf log = LWB_BUF(LWB_PATH_MAX);
    struct stat st;

    lwb_buf_format(&log, "%s-wal", db->path);
    lwb_buf_append_text(&uri, "file:");
    for (const char *c = db->path; *c; c++) {
        if (*c == '?' || *c == '#' || *c == '%')
            lwb_buf_format(&uri, "%%%02x", (unsigned)*c);
        else
            lwb_buf_append_char(&uri, *c);
    }
    lwb_buf_append_text(&uri, "?immutable=1");
    if (!lwb_buf_ok(&uri) || !lwb_buf_ok(&log))
        return lwb_fail_memory(err);
    if (stat(log.ptr, &st) == 0 && st.st_size > 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s: its log cannot be read", db->path);
    return connect_to(db, uri.ptr, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

static int open_for_reading(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf mode = LWB_BUF(64);
    enum origin origin = OURS;
    int rc = connect_to(db, db->path, SQLITE_OPEN_READONLY, err);

    if (rc == LWB_OK)
        rc = find_origin(db, &origin, err);
    if (rc < 0 && !db->damaged && rc != LWB_ERR_MEMORY) {
        close_connection(db);
        rc = open_immutable(db, err);
        if (rc == LWB_OK)
            rc = find_origin(db, &origin, err);
    }
    if (rc == LWB_OK && origin == NEWER)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "%s was made by a newer lwbuild", db->path);
    if (rc == LWB_OK && origin == OURS)
        rc = ask(db, "PRAGMA journal_mode", NULL, &mode, err);
    if (rc == LWB_OK && origin == OURS) {
        db->wal = lwb_bytes_is(lwb_buf_bytes(&mode), "wal");
        return LWB_OK;
    }
    if (rc == LWB_ERR_MEMORY)
        return rc;
    close_connection(db);
    if (notice)
        lwb_buf_format(notice, "%s cannot be read: going on without it", db->path);
    return 1;
}

int lwb_db_open(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    struct stat st;
    int rc;

    db->path = lwb_path_join(db->dir, "cache.db");
    db->lock_path = lwb_path_join(db->dir, "cache.lock");
    if (!db->path || !db->lock_path)
        return lwb_fail_memory(err);
    if (db->read_only)
        return stat(db->path, &st) == 0 ? open_for_reading(db, notice, err) : LWB_OK;
    rc = lwb_db_lock(db, err);
    if (rc == LWB_OK)
        rc = open_or_replace(db, notice, err);
    lwb_db_unlock(db);
    return rc;
}

void lwb_db_close(struct lwb_db *db)
{
    if (db->writing)
        lwb_db_rollback(db);
    lwb_db_end_read(db);
    close_connection(db);
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
    close_connection(db);
    if (same)
        rc = set_aside(db, err);
    if (rc == LWB_OK)
        rc = open_or_replace(db, NULL, err);
    if (rc < 0)
        close_connection(db);
    return rc < 0 ? rc : LWB_OK;
}

bool lwb_db_recover(struct lwb_db *db)
{
    struct lwb_error ignored;

    if (!db->damaged)
        return false;
    if (db->read_only) {
        close_connection(db); /* from now on nothing is found */
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
