#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cache/cache.h"
#include "cache/cache_entry.h"
#include "cache/cache_schema.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "tests/bench/bench.h"

/*
 * What does the cache cost beside SQLite itself? Stores and looks up results
 * (of 200 bytes) through lwb_cache_*, and through a bare connection with the same
 * tables, statements and bytes in the same number of transactions. Rounds are
 * interleaved.
 *
 *   bench_cache [results] [rounds] [bytes]
 */
enum { REPORT_MAX = 100000 };

static char dir[256];
static char report[REPORT_MAX];
static unsigned report_size = 200;
static size_t body_size;
static unsigned n_results = 10000;
static unsigned n_rounds = 9;

static void die(const char *what, const char *why)
{
    bench_die("bench_cache: %s: %s", what, why);
}

/* Cheap, and as scattered as a real key. */
static struct lwb_digest key_of(uint64_t n)
{
    struct lwb_digest key;

    for (size_t i = 0; i < sizeof(key.bytes); i += 8) {
        n = (n ^ (n >> 31)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
        memcpy(key.bytes + i, &n, 8);
    }
    return key;
}

/* Look-ups come in another order than the stores. */
static unsigned scattered(unsigned i)
{
    return (unsigned)((uint64_t)i * 7919 % n_results);
}

struct span {
    uint64_t ns;
    uint64_t cpu_ns; /* of this process; what others do on the machine does not show */
};

static struct span now(void)
{
    struct timespec cpu;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    return (struct span){ lwb_clock_ns(),
                          (uint64_t)cpu.tv_sec * 1000000000u + (uint64_t)cpu.tv_nsec };
}

static struct span since(struct span start)
{
    struct span end = now();

    return (struct span){ end.ns - start.ns, end.cpu_ns - start.cpu_ns };
}

/* ---- through the cache ------------------------------------------------------------------- */

static struct lwb_cache *open_cache(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(1000);
    const struct lwb_cache_config config = { .dir = dir };
    struct lwb_cache *cache = NULL;
    struct lwb_error err;

    if (lwb_cache_open(&cache, &config, &warning, &err) < 0)
        die("open", err.text);
    return cache;
}

static struct span store_all(struct lwb_cache *cache)
{
    const struct lwb_cache_entry entry = {
        .verdict = LWB_CACHE_ACCEPTED,
        .report = lwb_bytes(report, report_size),
    };
    struct span start = now();
    struct lwb_error err;

    for (unsigned i = 0; i < n_results; i++) {
        struct lwb_digest key = key_of(i);

        if (lwb_cache_store(cache, &key, &entry, &err) < 0)
            die("store", err.text);
    }
    if (lwb_cache_commit(cache, &err) < 0)
        die("commit", err.text);
    return since(start);
}

static struct span look_up_all(struct lwb_cache *cache)
{
    struct span start = now();
    struct lwb_cache_entry entry;
    struct lwb_error err;

    for (unsigned i = 0; i < n_results; i++) {
        struct lwb_digest key = key_of(scattered(i));

        if (lwb_cache_lookup(cache, &key, false, &entry, &err) != 1 ||
            entry.report.len != report_size)
            die("lookup", "not found");
    }
    return since(start);
}

static void count_found(void *ctx, size_t number, const struct lwb_cache_entry *entry)
{
    (void)number;
    *(unsigned *)ctx += entry->report.len == report_size;
}

/* As a run does it that knows all its keys. */
static struct span look_up_many(struct lwb_cache *cache)
{
    struct span start = now();
    struct lwb_digest *keys = lwb_alloc_array(n_results, sizeof(*keys));
    unsigned n_found = 0;
    struct lwb_error err;

    for (unsigned i = 0; i < n_results; i++)
        keys[i] = key_of(scattered(i));
    if (lwb_cache_lookup_many(cache, keys, n_results, false, count_found, &n_found, &err) < 0 ||
        n_found != n_results)
        die("lookup many", "not found");
    lwb_free(keys);
    return since(start);
}

/* ---- bare -------------------------------------------------------------------------------- */

static void run(sqlite3 *sql, const char *text)
{
    if (sqlite3_exec(sql, text, NULL, NULL, NULL) != SQLITE_OK)
        die(text, sqlite3_errmsg(sql));
}

static sqlite3 *open_bare(bool is_new)
{
    sqlite3 *sql;
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/bare.db", dir);
    if (sqlite3_open_v2(path, &sql,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        die(path, "cannot open");
    (void)sqlite3_busy_timeout(sql, 10000);
    if (is_new)
        run(sql, "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL");
    run(sql, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;"
             "PRAGMA secure_delete=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-8000");
    if (is_new)
        run(sql, lwb_schema_text);
    return sql;
}

static sqlite3_stmt *prepare(sqlite3 *sql, enum lwb_sql id)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v3(sql, lwb_schema_sql(id), -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           NULL) != SQLITE_OK)
        die(lwb_schema_sql(id), sqlite3_errmsg(sql));
    return statement;
}

static void step(sqlite3 *sql, sqlite3_stmt *statement, int expected)
{
    if (sqlite3_step(statement) != expected)
        die("step", sqlite3_errmsg(sql));
}

static void insert_one(sqlite3 *sql, sqlite3_stmt *payload, sqlite3_stmt *entry, unsigned i,
                       const char *body)
{
    struct lwb_digest key = key_of(i);

    sqlite3_bind_blob(payload, 1, body, (int)body_size, SQLITE_STATIC);
    step(sql, payload, SQLITE_DONE);
    sqlite3_reset(payload);
    sqlite3_bind_blob(entry, 1, key.bytes, sizeof(key.bytes), SQLITE_STATIC);
    sqlite3_bind_int64(entry, 2, sqlite3_last_insert_rowid(sql));
    sqlite3_bind_int64(entry, 3, 0);
    sqlite3_bind_int64(entry, 4, (int64_t)body_size);
    sqlite3_bind_int64(entry, 5, 1700000000);
    step(sql, entry, SQLITE_DONE);
    sqlite3_reset(entry);
}

static struct span insert_all(sqlite3 *sql)
{
    sqlite3_stmt *payload = prepare(sql, LWB_SQL_PAYLOAD_ADD);
    sqlite3_stmt *entry = prepare(sql, LWB_SQL_ENTRY_ADD);
    LWB_AUTO(lwb_free_text) char *body = lwb_alloc(body_size);
    struct span start = now();
    struct span span;

    run(sql, "BEGIN IMMEDIATE");
    for (unsigned i = 0; i < n_results; i++) {
        if (i % 4096 == 4095) /* as often as the cache does */
            run(sql, "COMMIT; BEGIN IMMEDIATE");
        insert_one(sql, payload, entry, i, body);
    }
    run(sql, "COMMIT");
    span = since(start);
    sqlite3_finalize(payload);
    sqlite3_finalize(entry);
    return span;
}

static struct span select_all(sqlite3 *sql)
{
    sqlite3_stmt *get = prepare(sql, LWB_SQL_ENTRY_GET);
    LWB_AUTO(lwb_free_text) char *body = lwb_alloc(body_size);
    struct span start = now();
    struct span span;

    run(sql, "BEGIN");
    for (unsigned i = 0; i < n_results; i++) {
        struct lwb_digest key = key_of(scattered(i));

        sqlite3_bind_blob(get, 1, key.bytes, sizeof(key.bytes), SQLITE_STATIC);
        step(sql, get, SQLITE_ROW);
        memcpy(body, sqlite3_column_blob(get, 1), (size_t)sqlite3_column_bytes(get, 1));
        sqlite3_reset(get);
    }
    run(sql, "COMMIT");
    span = since(start);
    sqlite3_finalize(get);
    return span;
}

/* ---- measuring --------------------------------------------------------------------------- */

/* Wall and processor time of the cache, and of SQLite doing the same. */
struct comparison {
    struct bench_series ours[2];
    struct bench_series floor[2];
};

static void compare(struct comparison *comparison, const char *name, const char *cpu_name)
{
    bench_series_init(&comparison->ours[0], name, n_rounds);
    bench_series_init(&comparison->ours[1], cpu_name, n_rounds);
    bench_series_init(&comparison->floor[0], "sqlite", n_rounds);
    bench_series_init(&comparison->floor[1], "sqlite_cpu", n_rounds);
}

static void record(struct bench_series series[2], struct span span)
{
    bench_add(&series[0], span.ns);
    bench_add(&series[1], span.cpu_ns);
}

static void report_and_release(struct comparison *comparison, uint64_t items)
{
    for (size_t i = 0; i < 2; i++) {
        bench_print(&comparison->ours[i], &comparison->floor[i], items);
        bench_series_release(&comparison->ours[i]);
        bench_series_release(&comparison->floor[i]);
    }
}

static void start_over(void)
{
    struct lwb_error err;

    if (lwb_file_remove_tree(dir, &err) < 0 || mkdir(dir, 0700) != 0)
        die(dir, "cannot be emptied");
}

static void measure_body(void)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(2 * REPORT_MAX);
    const struct lwb_cache_entry entry = { .report = lwb_bytes(report, report_size) };

    lwb_cache_entry_encode(&body, &entry);
    body_size = body.len + LWB_SEAL_SIZE;
}

static struct comparison storing;
static struct comparison looking_up;
static struct comparison looking_up_many;
static struct comparison opening;

static struct span open_cache_for_one(void)
{
    struct span start = now();
    struct lwb_cache *cache = open_cache();
    struct lwb_digest key = key_of(0);
    struct lwb_cache_entry entry;
    struct lwb_error err;

    if (lwb_cache_lookup(cache, &key, false, &entry, &err) != 1)
        die("lookup", "not found");
    lwb_cache_close(cache);
    return since(start);
}

static struct span open_bare_for_one(void)
{
    struct lwb_digest key = key_of(0);
    struct span start = now();
    sqlite3 *sql = open_bare(false);
    sqlite3_stmt *get = prepare(sql, LWB_SQL_ENTRY_GET);

    sqlite3_bind_blob(get, 1, key.bytes, sizeof(key.bytes), SQLITE_STATIC);
    step(sql, get, SQLITE_ROW);
    sqlite3_finalize(get);
    sqlite3_close(sql);
    return since(start);
}

static void run_round(void)
{
    struct lwb_cache *cache;
    sqlite3 *sql;

    start_over();
    cache = open_cache();
    sql = open_bare(true);
    record(storing.ours, store_all(cache));
    record(storing.floor, insert_all(sql));
    record(looking_up.ours, look_up_all(cache));
    record(looking_up.floor, select_all(sql));
    record(looking_up_many.ours, look_up_many(cache));
    record(looking_up_many.floor, select_all(sql));
    lwb_cache_close(cache);
    run(sql, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(sql);
    record(opening.ours, open_cache_for_one());
    record(opening.floor, open_bare_for_one());
}

int main(int argc, char **argv)
{
    struct utsname machine;

    (void)snprintf(dir, sizeof(dir), "%s/lwb-bench-XXXXXX",
                   getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    n_results = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : n_results;
    n_rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : n_rounds;
    report_size = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : report_size;
    if (n_results == 0 || n_rounds == 0 || report_size > REPORT_MAX || !mkdtemp(dir))
        die("usage", "bench_cache [results] [rounds] [bytes, at most 100000]");
    memset(report, 'r', sizeof(report));
    measure_body();
    (void)uname(&machine);
    printf("{\"name\":\"machine\",\"system\":\"%s %s %s\",\"cpus\":%ld,\"sqlite\":\"%s\"}\n",
           machine.sysname, machine.release, machine.machine, sysconf(_SC_NPROCESSORS_ONLN),
           sqlite3_libversion());
    compare(&storing, "cache_store", "cache_store_cpu");
    compare(&looking_up, "cache_lookup", "cache_lookup_cpu");
    compare(&looking_up_many, "cache_lookup_many", "cache_lookup_many_cpu");
    compare(&opening, "cache_open_lookup_close", "cache_open_lookup_close_cpu");
    for (unsigned round = 0; round < n_rounds; round++)
        run_round();
    start_over();
    (void)rmdir(dir);
    report_and_release(&storing, n_results);
    report_and_release(&looking_up, n_results);
    report_and_release(&looking_up_many, n_results);
    report_and_release(&opening, 1);
    return 0;
}
