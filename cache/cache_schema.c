#include "cache/cache_schema.h"

#include <assert.h>

/*
 * entry is an index: small rows, no rowid, so that a look-up reads one narrow
 * tree and then one payload. A payload in the same row would cost a factor of
 * five in look-ups for results of 2 KB. Everything that counts is in the body,
 * under a seal; the columns beside it only serve to find and to evict.
 *
 * batch repeats entries, all members of a batch in one body, and answers as long
 * as meta's `gone` is what it was: triggers raise that number whenever an entry
 * goes or is replaced, so that no statement can forget to. It begins at random,
 * so that no two files agree by chance.
 *
 * There is no index on `used`: eviction sorts, and every other day is spared
 * the upkeep of a third tree.
 */
const char lwb_schema_text[] =
    "CREATE TABLE entry("
    " key BLOB PRIMARY KEY,"
    " payload INTEGER NOT NULL,"
    " fresh INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE payload(id INTEGER PRIMARY KEY, body BLOB NOT NULL);"

    "CREATE TABLE artifact("
    " key BLOB NOT NULL,"
    " object BLOB NOT NULL,"
    " PRIMARY KEY(key, object)) WITHOUT ROWID;"
    "CREATE INDEX artifact_object ON artifact(object);"
    "CREATE TABLE object("
    " digest BLOB PRIMARY KEY,"
    " size INTEGER NOT NULL,"
    " used INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE fact("
    " kind INTEGER NOT NULL,"
    " key BLOB NOT NULL,"
    " value BLOB NOT NULL,"
    " used INTEGER NOT NULL,"
    " PRIMARY KEY(kind, key)) WITHOUT ROWID;"
    "CREATE TABLE components(key BLOB PRIMARY KEY, body BLOB NOT NULL, used INTEGER NOT NULL);"

    "CREATE TABLE tombstone("
    " key BLOB PRIMARY KEY,"
    " evicted INTEGER NOT NULL,"
    " wanted INTEGER NOT NULL) WITHOUT ROWID;"

    "CREATE TABLE batch("
    " key BLOB PRIMARY KEY,"
    " subject BLOB NOT NULL UNIQUE,"
    " gone INTEGER NOT NULL,"
    " used INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " body BLOB NOT NULL);"

    "CREATE TABLE counter("
    " id TEXT PRIMARY KEY,"
    " total INTEGER NOT NULL,"
    " last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"

    "INSERT INTO meta(name, value) VALUES('gone', random() & 0xffffffffffff);"
    "CREATE TRIGGER entry_deleted AFTER DELETE ON entry"
    " BEGIN UPDATE meta SET value = value + 1 WHERE name = 'gone'; END;"
    "CREATE TRIGGER entry_replaced AFTER UPDATE OF payload ON entry"
    " BEGIN UPDATE meta SET value = value + 1 WHERE name = 'gone'; END;";

static const char *const statements[LWB_SQL_COUNT] = {
    [LWB_SQL_BEGIN_READ] = "BEGIN",
    [LWB_SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [LWB_SQL_COMMIT] = "COMMIT",
    [LWB_SQL_ROLLBACK] = "ROLLBACK",

    [LWB_SQL_ENTRY_GET] = "SELECT entry.used, payload.body FROM entry"
                          " JOIN payload ON payload.id = entry.payload WHERE entry.key = ?1",
    [LWB_SQL_ENTRY_GET_GROUP] =
        "WITH wanted(number, key) AS (VALUES (0, ?1), (1, ?2), (2, ?3), (3, ?4), (4, ?5), (5, ?6),"
        " (6, ?7), (7, ?8)) SELECT wanted.number, entry.used, payload.body FROM wanted"
        " CROSS JOIN entry ON entry.key = wanted.key"
        " CROSS JOIN payload ON payload.id = entry.payload",
    [LWB_SQL_ENTRY_PEEK] = "SELECT payload, fresh, size FROM entry WHERE key = ?1",
    [LWB_SQL_ENTRY_ADD] = "INSERT OR IGNORE INTO entry(key, payload, fresh, size, used)"
                          " VALUES(?1, ?2, ?3, ?4, ?5)",
    [LWB_SQL_ENTRY_REPLACE] = "UPDATE entry SET payload = ?1, fresh = ?2, size = ?3, used = ?4"
                              " WHERE key = ?5",
    [LWB_SQL_ENTRY_TOUCH] = "UPDATE entry SET used = ?1 WHERE key = ?2 AND used < ?3",
    [LWB_SQL_ENTRY_DELETE] = "DELETE FROM entry WHERE key = ?1",
    [LWB_SQL_ENTRY_COUNT] = "SELECT count(*) FROM entry",
    [LWB_SQL_ENTRY_KEYS] = "SELECT key FROM entry",
    [LWB_SQL_ENTRY_OLDEST] = "SELECT key FROM entry WHERE used < ?1 ORDER BY used LIMIT ?2",
    [LWB_SQL_PAYLOAD_ADD] = "INSERT INTO payload(body) VALUES(?1)",
    [LWB_SQL_PAYLOAD_DELETE] = "DELETE FROM payload WHERE id = ?1",

    [LWB_SQL_ARTIFACT_ADD] = "INSERT OR IGNORE INTO artifact(key, object) VALUES(?1, ?2)",
    [LWB_SQL_ARTIFACT_DELETE] = "DELETE FROM artifact WHERE key = ?1",
    [LWB_SQL_ARTIFACT_USERS] = "SELECT key FROM artifact WHERE object = ?1",
    [LWB_SQL_OBJECT_ADD] = "INSERT OR IGNORE INTO object(digest, size, used) VALUES(?1, ?2, ?3)",
    [LWB_SQL_OBJECT_TOUCH] = "UPDATE object SET used = ?1 WHERE digest = ?2 AND used < ?1",
    [LWB_SQL_OBJECT_TOUCH_OF] = "UPDATE object SET used = ?1 WHERE used < ?1"
                                " AND digest IN (SELECT object FROM artifact WHERE key = ?2)",
    [LWB_SQL_OBJECT_SIZE] = "SELECT size FROM object WHERE digest = ?1",
    [LWB_SQL_OBJECT_DELETE] = "DELETE FROM object WHERE digest = ?1",
    [LWB_SQL_OBJECT_COUNT] = "SELECT count(*) FROM object",
    [LWB_SQL_OBJECT_UNUSED] =
        "SELECT digest FROM object WHERE used < ?1"
        " AND NOT EXISTS (SELECT 1 FROM artifact WHERE object = object.digest) LIMIT ?2",

    [LWB_SQL_FACT_GET] = "SELECT value, used FROM fact WHERE kind = ?1 AND key = ?2",
    [LWB_SQL_FACT_PUT] = "INSERT OR REPLACE INTO fact(kind, key, value, used)"
                         " VALUES(?1, ?2, ?3, ?4)",
    [LWB_SQL_FACT_TOUCH] = "UPDATE fact SET used = ?1 WHERE kind = ?2 AND key = ?3",
    [LWB_SQL_FACT_EXPIRE] = "DELETE FROM fact WHERE used < ?1",

    [LWB_SQL_COMPONENTS_GET] = "SELECT body FROM components WHERE key = ?1",
    [LWB_SQL_COMPONENTS_USED] = "SELECT used FROM components WHERE key = ?1",
    [LWB_SQL_COMPONENTS_PUT] = "INSERT OR REPLACE INTO components(key, body, used)"
                               " VALUES(?1, ?2, ?3)",
    [LWB_SQL_COMPONENTS_EXPIRE] = "DELETE FROM components WHERE used < ?1",

    [LWB_SQL_TOMBSTONE_GET] = "SELECT evicted, wanted FROM tombstone WHERE key = ?1",
    [LWB_SQL_TOMBSTONE_PUT] = "INSERT OR REPLACE INTO tombstone(key, evicted, wanted)"
                              " VALUES(?1, ?2, 0)",
    [LWB_SQL_TOMBSTONE_WANTED] = "UPDATE tombstone SET wanted = 1 WHERE key = ?1",
    [LWB_SQL_TOMBSTONE_DELETE] = "DELETE FROM tombstone WHERE key = ?1",
    [LWB_SQL_TOMBSTONE_ANY] = "SELECT 1 FROM tombstone LIMIT 1",
    [LWB_SQL_TOMBSTONE_EXPIRE] = "DELETE FROM tombstone WHERE evicted < ?1",

    [LWB_SQL_BATCH_GET] = "SELECT used, body,"
                          " gone = (SELECT value FROM meta WHERE name = 'gone')"
                          " FROM batch WHERE key = ?1",
    [LWB_SQL_BATCH_PUT] = "INSERT INTO batch(key, subject, gone, used, size, body)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [LWB_SQL_BATCH_TOUCH] = "UPDATE batch SET used = ?1 WHERE key = ?2",
    [LWB_SQL_BATCH_SIZE] = "SELECT CAST(total(size) AS INTEGER) FROM batch"
                           " WHERE key = ?1 OR subject = ?2",
    [LWB_SQL_BATCH_DELETE] = "DELETE FROM batch WHERE key = ?1 OR subject = ?2",
    [LWB_SQL_BATCH_EXPIRED_SIZE] =
        "SELECT CAST(total(size) AS INTEGER) FROM batch"
        " WHERE used < ?1 OR gone <> (SELECT value FROM meta WHERE name = 'gone')",
    [LWB_SQL_BATCH_EXPIRE] =
        "DELETE FROM batch"
        " WHERE used < ?1 OR gone <> (SELECT value FROM meta WHERE name = 'gone')",

    [LWB_SQL_COUNTER_ADD] = "INSERT INTO counter(id, total, last) VALUES(?1, ?2, ?3)"
                            " ON CONFLICT(id) DO UPDATE SET total = total + ?2, last = ?3",
    [LWB_SQL_COUNTER_NEW_RUN] = "UPDATE counter SET last = 0",
    [LWB_SQL_COUNTER_ALL] = "SELECT id, total, last FROM counter",
    [LWB_SQL_COUNTER_ZERO] = "DELETE FROM counter",
    [LWB_SQL_META_GET] = "SELECT value FROM meta WHERE name = ?1",
    [LWB_SQL_META_PUT] = "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)",
    [LWB_SQL_META_ADD] = "INSERT INTO meta(name, value) VALUES(?1, ?2)"
                         " ON CONFLICT(name) DO UPDATE SET value = value + ?2",
    [LWB_SQL_BYTES_SUM] =
        "SELECT (SELECT total(size) FROM entry) + (SELECT total(size) FROM object)"
        " + (SELECT total(size) FROM batch)",
    [LWB_SQL_CHECK] = "PRAGMA quick_check(1)",
};

const char *lwb_schema_sql(enum lwb_sql statement)
{
    assert(statement < LWB_SQL_COUNT);
    return statements[statement];
}
