#pragma once

/*
 * The SQL of cache.db: tables, statements, and the version that both belong to.
 * A file of a lower version is replaced by an empty one, a file of a higher one
 * is left alone: there is no migration, a cache is only worth its hits.
 */
enum {
    LWB_SCHEMA_VERSION = 3,
    LWB_SCHEMA_APPLICATION = 0x4c574243, /* "LWBC", in the header of the file */
    LWB_SQL_GROUP = 8,                   /* keys of one look-up of many */
};

/* Creates everything; runs inside a transaction. */
extern const char lwb_schema_text[];

/* Parameters, "->" and columns. */
enum lwb_sql {
    LWB_SQL_BEGIN_READ,
    LWB_SQL_BEGIN_WRITE,
    LWB_SQL_COMMIT,
    LWB_SQL_ROLLBACK,

    LWB_SQL_ENTRY_GET,       /* key -> used, body */
    LWB_SQL_ENTRY_GET_GROUP, /* LWB_SQL_GROUP keys -> number of the key, used, body... */
    LWB_SQL_ENTRY_PEEK,      /* key -> payload, fresh, size */
    LWB_SQL_ENTRY_ADD,       /* key, payload, fresh, size, used; nothing if it is there */
    LWB_SQL_ENTRY_REPLACE,   /* payload, fresh, size, used, key */
    LWB_SQL_ENTRY_TOUCH,     /* used, key, unless used since */
    LWB_SQL_ENTRY_DELETE,    /* key */
    LWB_SQL_ENTRY_COUNT,     /* -> count */
    LWB_SQL_ENTRY_KEYS,      /* -> key... */
    LWB_SQL_ENTRY_OLDEST,    /* used before, limit -> key... */
    LWB_SQL_PAYLOAD_ADD,     /* body */
    LWB_SQL_PAYLOAD_DELETE,  /* id */

    LWB_SQL_ARTIFACT_ADD,    /* key, object */
    LWB_SQL_ARTIFACT_DELETE, /* key: all of them */
    LWB_SQL_ARTIFACT_USERS,  /* object -> key... */
    LWB_SQL_OBJECT_ADD,      /* digest, size, used; nothing if it is there */
    LWB_SQL_OBJECT_TOUCH,    /* used, digest */
    LWB_SQL_OBJECT_TOUCH_OF, /* used, key: the objects of an entry */
    LWB_SQL_OBJECT_SIZE,     /* digest -> size */
    LWB_SQL_OBJECT_DELETE,   /* digest */
    LWB_SQL_OBJECT_COUNT,    /* -> count */
    LWB_SQL_OBJECT_UNUSED,   /* used before, limit -> digest... that no entry refers to */

    LWB_SQL_FACT_GET,    /* kind, key -> value, used */
    LWB_SQL_FACT_PUT,    /* kind, key, value, used */
    LWB_SQL_FACT_TOUCH,  /* used, kind, key */
    LWB_SQL_FACT_EXPIRE, /* used before */

    LWB_SQL_COMPONENTS_GET,    /* key -> body */
    LWB_SQL_COMPONENTS_USED,   /* key -> used */
    LWB_SQL_COMPONENTS_PUT,    /* key, body, used */
    LWB_SQL_COMPONENTS_EXPIRE, /* used before */

    LWB_SQL_TOMBSTONE_GET,    /* key -> evicted, wanted */
    LWB_SQL_TOMBSTONE_PUT,    /* key, evicted */
    LWB_SQL_TOMBSTONE_WANTED, /* key */
    LWB_SQL_TOMBSTONE_DELETE, /* key */
    LWB_SQL_TOMBSTONE_ANY,    /* -> 1 if there are any */
    LWB_SQL_TOMBSTONE_EXPIRE, /* evicted before */

    LWB_SQL_BATCH_GET,          /* key -> used, body, whether no entry has gone since */
    LWB_SQL_BATCH_PUT,          /* key, subject, gone, used, size, body */
    LWB_SQL_BATCH_TOUCH,        /* used, key */
    LWB_SQL_BATCH_SIZE,         /* key, subject -> size of both */
    LWB_SQL_BATCH_DELETE,       /* key, subject */
    LWB_SQL_BATCH_EXPIRED_SIZE, /* used before -> size of these, and of outdated ones */
    LWB_SQL_BATCH_EXPIRE,       /* used before */

    LWB_SQL_COUNTER_ADD, /* id, delta, value of this run */
    LWB_SQL_COUNTER_NEW_RUN,
    LWB_SQL_COUNTER_ALL, /* -> id, total, last */
    LWB_SQL_COUNTER_ZERO,
    LWB_SQL_META_GET,  /* name -> value */
    LWB_SQL_META_PUT,  /* name, value */
    LWB_SQL_META_ADD,  /* name, delta */
    LWB_SQL_BYTES_SUM, /* -> what the size limit counts */
    LWB_SQL_CHECK,     /* -> "ok", or what is wrong */
    LWB_SQL_COUNT,
};

const char *lwb_schema_sql(enum lwb_sql statement);
