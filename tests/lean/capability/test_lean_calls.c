/*
 * The adaptor over a real Lean, in this process: reference counts, threads,
 * streams that are stopped.
 */
#include "tests/support/test.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/capability.h"

static const struct lwb_capability *table;
static void *session;

struct heard {
    struct lwb_capability_call face;
    uint64_t replies, failures, rows;
    uint64_t rows_wanted; /* 0: all */
    char text[256];       /* of the latest failure */
};

static int on_reply(const struct lwb_capability_call *call, const char *json, size_t len)
{
    struct heard *heard = call->host;

    assert_int_equal(strlen(json), len);
    heard->replies++;
    return 0;
}

static int on_fail(const struct lwb_capability_call *call, const char *code, const char *text)
{
    struct heard *heard = call->host;

    (void)snprintf(heard->text, sizeof(heard->text), "%s: %s", code, text);
    heard->failures++;
    return 0;
}

static int on_row(const struct lwb_capability_call *call, const char *stream, const char *json,
                  size_t len)
{
    struct heard *heard = call->host;

    (void)stream;
    assert_int_equal(strlen(json), len);
    heard->rows++;
    return heard->rows == heard->rows_wanted ? 5 : 0;
}

static void listen(struct heard *heard)
{
    *heard = (struct heard){ 0 };
    heard->face = (struct lwb_capability_call){
        .size = sizeof(heard->face),
        .host = heard,
        .reply = on_reply,
        .fail = on_fail,
        .row = on_row,
    };
}

static int run(struct heard *heard, const char *name, const char *request)
{
    for (size_t i = 0; i < table->n_exports; i++)
        if (strcmp(table->exports[i].name, name) == 0)
            return table->exports[i].run(session, &heard->face, request, strlen(request));
    fail_msg("no export %s", name);
    return -1;
}

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    (void)fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* An object that is lost in each call would cost 16 bytes at least: 16 MB in a million. */
static void expect_flat_memory(const char *name, const char *request, unsigned calls, int status)
{
    struct heard heard;
    uint64_t before;
    uint64_t after;

    listen(&heard);
    for (unsigned i = 0; i < calls / 100; i++)
        assert_int_equal(run(&heard, name, request), status);
    before = resident_bytes();
    for (unsigned i = 0; i < calls; i++)
        assert_int_equal(run(&heard, name, request), status);
    after = resident_bytes();
    print_message("%s: %u calls, %" PRId64 " KiB more\n", name, calls,
                  (int64_t)(after - before) / 1024);
    assert_true(after < before + (uint64_t)calls * 4 + 512 * 1024);
    assert_int_equal(heard.replies + heard.failures, calls + calls / 100);
}

static void a_million_calls_leave_nothing_behind(void **state)
{
    (void)state;
    expect_flat_memory("echo", "{\"some\":\"request that is longer than a word\"}", 1000000, 0);
    expect_flat_memory("texts", "{}", 200000, 0);
    expect_flat_memory("build", "{\"some\":\"request that is longer than a word\"}", 200000, 0);
}

static void failed_calls_leave_nothing_behind(void **state)
{
    (void)state;
    expect_flat_memory("refuse", "{}", 50000, 1);
    expect_flat_memory("nul", "{}", 50000, 1);
}

static void a_million_rows_leave_nothing_behind(void **state)
{
    struct heard heard;
    uint64_t before;

    (void)state;
    listen(&heard);
    assert_int_equal(run(&heard, "rows", "20000"), 0);
    before = resident_bytes();
    assert_int_equal(run(&heard, "rows", "1000000"), 0);
    assert_int_equal(heard.rows, 1020000);
    assert_true(resident_bytes() < before + 2 * 1024 * 1024);
}

static void a_stream_stops_at_the_row_that_is_not_wanted(void **state)
{
    struct heard heard;

    (void)state;
    listen(&heard);
    heard.rows_wanted = 3;
    assert_int_equal(run(&heard, "rows", "100000"), 5);
    assert_int_equal(heard.rows, 3);
    assert_int_equal(heard.failures, 0);
}

static void a_task_cannot_emit(void **state)
{
    struct heard heard;

    (void)state;
    listen(&heard);
    assert_int_equal(run(&heard, "task", "0"), 1);
    assert_int_equal(heard.rows, 0);
    assert_int_equal(run(&heard, "rows", "x"), 1);
    assert_string_equal(heard.text, "lean.io: x is no number");
}

/* The library is never unloaded: what Lean started stays. */
static int load(void **state)
{
    void *library = dlopen(FIXTURE, RTLD_NOW | RTLD_LOCAL);
    const struct lwb_capability *(*get)(void);
    struct heard heard;
    void *symbol;

    (void)state;
    if (!library)
        print_error("%s\n", dlerror());
    assert_non_null(library);
    symbol = dlsym(library, "lwb_capability_get");
    assert_non_null(symbol);
    memcpy(&get, &symbol, sizeof(get));
    table = get();
    listen(&heard);
    return table->open(&session, &heard.face, "{}", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_calls_leave_nothing_behind),
        cmocka_unit_test(failed_calls_leave_nothing_behind),
        cmocka_unit_test(a_million_rows_leave_nothing_behind),
        cmocka_unit_test(a_stream_stops_at_the_row_that_is_not_wanted),
        cmocka_unit_test(a_task_cannot_emit),
    };

    if (!*FIXTURE) {
        printf("skipped: no Lean toolchain\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, load, NULL);
}
