#include "cache/cache_db_internal.h"

/* Statements and errors: what is the same for every use of SQLite. */

int lwb_db_fail(struct lwb_db *db, struct lwb_error *err, const char *what)
{
    int rc = db->sql ? sqlite3_extended_errcode(db->sql) : SQLITE_NOMEM;
    const char *text = db->sql ? sqlite3_errmsg(db->sql) : "out of memory";

    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT: /* our statements keep them: the definitions are not ours any more */
    case SQLITE_MISMATCH:
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

/* A statement that does not fit the tables: somebody, or a disk, has changed their definition. */
static int prepare(struct lwb_db *db, enum lwb_sql id, struct lwb_error *err)
{
    int rc = sqlite3_prepare_v3(db->sql, lwb_schema_sql(id), -1, SQLITE_PREPARE_PERSISTENT,
                                &db->statements[id], NULL);

    if (rc == SQLITE_OK)
        return LWB_OK;
    rc = lwb_db_fail(db, err, lwb_schema_sql(id));
    if ((sqlite3_errcode(db->sql) & 0xff) == SQLITE_ERROR)
        db->damaged = true;
    return rc;
}

int lwb_db_step(struct lwb_db *db, enum lwb_sql id, const struct lwb_sql_value *values,
                size_t count, struct lwb_error *err)
{
    sqlite3_stmt **statement = &db->statements[id];

    if (!*statement && prepare(db, id, err) < 0)
        return err->code;
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

int lwb_db_ask(struct lwb_db *db, const char *sql, int64_t *number, struct lwb_buf *text,
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
