#include "cache/cache_db_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"

/*
 * From a path to a connection that can be used: whose file it is, setting it
 * aside when it is of no use, journal mode, tables. All of it under the lock,
 * so nobody meets a file that is being made or replaced.
 */
void lwb_db_disconnect(struct lwb_db *db)
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
        lwb_db_disconnect(db);
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
    int rc = lwb_db_ask(db, "PRAGMA application_id", &application, NULL, err);

    if (rc == LWB_OK)
        rc = lwb_db_ask(db, "PRAGMA user_version", &version, NULL, err);
    if (rc == LWB_OK && application == 0)
        rc = lwb_db_ask(db, "SELECT count(*) FROM sqlite_master", &objects, NULL, err);
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
        rc = lwb_db_ask(db, "PRAGMA journal_mode=WAL", NULL, &mode, err);
        if (rc < 0)
            return rc;
        db->wal = lwb_bytes_is(lwb_buf_bytes(&mode), "wal");
        if (db->wal)
            return LWB_OK;
    }
    db->wal = false;
    lwb_buf_clear(&mode);
    return lwb_db_ask(db, "PRAGMA journal_mode=TRUNCATE", NULL, &mode, err);
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
                   LWB_DB_PAGE_SIZE);
    if (empty)
        rc = lwb_db_script(db, fresh, err);
    if (rc == LWB_OK)
        rc = choose_journal(db, err);
    if (rc == LWB_OK)
        rc = lwb_db_script(db,
                           "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"
                           "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                           "PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;"
                           "PRAGMA cache_size=-8000",
                           err);
    if (rc == LWB_OK && empty)
        rc = create_tables(db, err);
    (void)sqlite3_wal_hook(db->sql, note_log_size, db);
    return rc;
}

/* Size of what lies beside the file under `suffix`; 0 if there is nothing. */
static int64_t size_beside(const struct lwb_db *db, const char *suffix)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct stat st;

    lwb_buf_format(&path, "%s%s", db->path, suffix);
    return lwb_buf_ok(&path) && stat(path.ptr, &st) == 0 ? (int64_t)st.st_size : 0;
}

/*
 * SQLite notices missing pages but takes a last page that was cut for a whole
 * one. Where no log says otherwise, half a page is damage.
 */
static int check_size(struct lwb_db *db, int64_t size, struct lwb_error *err)
{
    int64_t page_size = LWB_DB_PAGE_SIZE;
    int rc = lwb_db_ask(db, "PRAGMA page_size", &page_size, NULL, err);

    if (rc < 0 || size % page_size == 0 || size_beside(db, "-wal") > 0)
        return rc;
    db->damaged = true;
    return lwb_fail(err, LWB_ERR_FORMAT, "%s is cut", db->path);
}

static int remember_identity(struct lwb_db *db, struct lwb_error *err)
{
    struct stat st;

    if (stat(db->path, &st) != 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot stat %s", db->path);
    db->device = (uint64_t)st.st_dev;
    db->inode = (uint64_t)st.st_ino;
    return st.st_size % LWB_DB_PAGE_SIZE ? check_size(db, (int64_t)st.st_size, err) : LWB_OK;
}

int lwb_db_set_aside(struct lwb_db *db, struct lwb_error *err)
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

/* SQLite would make it readable for everybody; log and index take after it. */
static void make_private(struct lwb_db *db)
{
    int fd = open(db->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) /* it is new, so no lock of ours can be lost by closing it */
        close(fd);
}

/*
 * One try under the lock. Returns 1 if the file must be replaced (`why` says
 * what it is), 0 if it is open and ours.
 */
static int try_open(struct lwb_db *db, const char **why, struct lwb_error *err)
{
    enum origin origin = OURS;
    int rc;

    make_private(db);
    rc = connect_to(db, db->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);

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

int lwb_db_connect(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    const char *why = NULL;
    int rc = try_open(db, &why, err);

    if (rc <= 0)
        return rc;
    lwb_db_disconnect(db);
    if (notice)
        lwb_buf_format(notice, "%s was %s: set aside and replaced by an empty one", db->path, why);
    rc = lwb_db_set_aside(db, err);
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

    lwb_buf_append_text(&uri, "file:");
    for (const char *c = db->path; *c; c++) {
        if (*c == '?' || *c == '#' || *c == '%')
            lwb_buf_format(&uri, "%%%02x", (unsigned)*c);
        else
            lwb_buf_append_char(&uri, *c);
    }
    lwb_buf_append_text(&uri, "?immutable=1");
    if (!lwb_buf_ok(&uri))
        return lwb_fail_memory(err);
    if (size_beside(db, "-wal") > 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s: its log cannot be read", db->path);
    return connect_to(db, uri.ptr, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
}

int lwb_db_connect_reader(struct lwb_db *db, struct lwb_buf *notice, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf mode = LWB_BUF(64);
    enum origin origin = OURS;
    int rc = connect_to(db, db->path, SQLITE_OPEN_READONLY, err);

    if (rc == LWB_OK)
        rc = find_origin(db, &origin, err);
    if (rc < 0 && !db->damaged && rc != LWB_ERR_MEMORY) {
        lwb_db_disconnect(db);
        rc = open_immutable(db, err);
        if (rc == LWB_OK)
            rc = find_origin(db, &origin, err);
    }
    if (rc == LWB_OK && origin == NEWER)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "%s was made by a newer lwbuild", db->path);
    if (rc == LWB_OK && origin == OURS)
        rc = lwb_db_ask(db, "PRAGMA journal_mode", NULL, &mode, err);
    if (rc == LWB_OK && origin == OURS) {
        db->wal = lwb_bytes_is(lwb_buf_bytes(&mode), "wal");
        return LWB_OK;
    }
    if (rc == LWB_ERR_MEMORY)
        return rc;
    lwb_db_disconnect(db);
    if (notice)
        lwb_buf_format(notice, "%s cannot be read: going on without it", db->path);
    return 1;
}
