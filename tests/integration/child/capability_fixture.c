/*
 * Capability libraries for tests, all from this file; VARIANT says which: a
 * good one that can also do everything wrong while it runs, and those that must
 * not be loaded.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/capability.h"

#define GOOD 1
#define OTHER_ABI 2
#define NO_SYMBOLS 3
#define NO_EXPORTS 4
#define UNRESOLVED 5
#define HALF_A_TABLE 6
#define FAILS_TO_OPEN 7

#if VARIANT == NO_SYMBOLS

LWB_CAPABILITY_PUBLIC int fixture_without_a_table(void);
int fixture_without_a_table(void)
{
    return 0;
}

#elif VARIANT == UNRESOLVED

int nobody_defines_this(void);
static int call_it(void *state, const struct lwb_capability_call *call, const char *request,
                   size_t len)
{
    (void)state;
    (void)call;
    (void)request;
    (void)len;
    return nobody_defines_this();
}
static const struct lwb_capability_export exports[] = {
    { LWB_CAPABILITY_METADATA, "metadata", call_it },
};
static const struct lwb_capability table = {
    LWB_CAPABILITY_ABI, sizeof(table), "x", "1", exports, 1, NULL, NULL
};
LWB_CAPABILITY_DEFINE(table)

#else

static const struct lwb_capability_call *kept;

/* {"touch": "<path>"}: a file, or a pipe with a reader, says how far it came. It stays open. */
static void touch(const char *request)
{
    char path[512];

    if (sscanf(request, "{\"touch\":\"%511[^\"]", path) == 1)
        (void)open(path, O_WRONLY);
}

/* What the request says: the name of a misdeed, or nothing. */
static int run_with(void *state, const struct lwb_capability_call *call, const char *request)
{
    (void)state;
    if (strstr(request, "print"))
        printf("stray\n");
    if (strstr(request, "crash"))
        abort();
    touch(request);
    while (strstr(request, "hang"))
        (void)pause();
    if (strstr(request, "status"))
        return 7;
    if (strstr(request, "fail")) {
        (void)call->fail(call, "no-luck", "it was not to be");
        return 9;
    }
    if (strstr(request, "no-stream"))
        return call->row(call, NULL, "{}", 2);
    if (strstr(request, "ignore")) { /* the refusal, and go on as if nothing had been */
        (void)call->row(call, NULL, "{}", 2);
        return 0;
    }
    if (strstr(request, "keep"))
        kept = call;
    return 0;
}

static int command(void *state, const struct lwb_capability_call *call, const char *request,
                   size_t len)
{
    uint64_t total = 2;
    int status = run_with(state, call, request);

    if (status != 0 || strstr(request, "silent"))
        return status;
    if (strstr(request, "row"))
        return call->row(call, "s", "{}", 2);
    if (strstr(request, "twice"))
        (void)call->reply(call, "{}", 2);
    (void)call->progress(call, "half", 1, &total);
    (void)call->diagnostic(call, LWB_CAPABILITY_WARNING, "odd", "an odd request");
    return call->reply(call, request, len);
}

static void *send_row(void *arg)
{
    const struct lwb_capability_call *call = arg;

    (void)call->row(call, "s", "{}", 2);
    return NULL;
}

static int stream(void *state, const struct lwb_capability_call *call, const char *request,
                  size_t len)
{
    char *large = calloc(1, 1 << 20);
    pthread_t thread;
    int status = run_with(state, call, request);

    (void)len;
    if (status == 0 && strstr(request, "thread") &&
        pthread_create(&thread, NULL, send_row, (void *)(uintptr_t)call) == 0)
        (void)pthread_join(thread, NULL);
    if (status == 0 && large && strstr(request, "large"))
        status = call->row(call, "s", memset(large, 'x', 1 << 20), 1 << 20);
    for (int i = 0; status == 0 && i < 3; i++)
        status = call->row(call, i == 1 ? "odd" : "even", "{\"row\":1}", 9);
    free(large);
    return status;
}

static int metadata(void *state, const struct lwb_capability_call *call, const char *request,
                    size_t len)
{
    static const char answer[] = "{\"name\":\"fixture\",\"version\":\"1\",\"commands\":[]}";
    const char *text = strstr(request, "malformed") ? "[" : answer;

    (void)state;
    (void)len;
    if (strstr(request, "progress"))
        return call->progress(call, "p", 1, NULL);
    return call->reply(call, text, strlen(text));
}

static int doctor(void *state, const struct lwb_capability_call *call, const char *request,
                  size_t len)
{
    (void)len;
    if (strstr(request, "silent"))
        return 0;
    return call->reply(call, state ? state : "{}", state ? strlen(state) : 2);
}

/* The state is what the session was opened with. */
static int open_fixture(void **state, const struct lwb_capability_call *call, const char *request,
                        size_t len)
{
#if VARIANT == FAILS_TO_OPEN
    (void)state;
    (void)request;
    (void)len;
    (void)call->fail(call, "closed", "not today");
    return 3;
#else
    (void)call;
    (void)len;
    *state = strdup(request);
    return *state ? 0 : 1;
#endif
}

static void close_fixture(void *state)
{
    if (kept && kept->progress(kept, "late", 1, NULL) != 0)
        (void)fputs("refused\n", stderr);
    free(state);
}

static const struct lwb_capability_export exports[] = {
#if VARIANT != NO_EXPORTS
    { LWB_CAPABILITY_METADATA, "metadata", metadata }, { LWB_CAPABILITY_DOCTOR, "doctor", doctor },
#endif
    { LWB_CAPABILITY_COMMAND, "command", command },    { LWB_CAPABILITY_STREAM, "stream", stream },
#if VARIANT == HALF_A_TABLE
    { LWB_CAPABILITY_COMMAND, "nothing", NULL },
#else
    { LWB_CAPABILITY_METADATA, "other", metadata },
    { LWB_CAPABILITY_DOCTOR, "other", doctor },
#endif
};

static const struct lwb_capability table = {
    .abi = VARIANT == OTHER_ABI ? LWB_CAPABILITY_ABI + 1 : LWB_CAPABILITY_ABI,
    .size = sizeof(table),
    .name = "fixture",
    .version = "1",
    .exports = exports,
    .n_exports = sizeof(exports) / sizeof(exports[0]),
    .open = open_fixture,
    .close = close_fixture,
};

#if VARIANT == OTHER_ABI
uint32_t lwb_capability_abi(void)
{
    return LWB_CAPABILITY_ABI + 1;
}
const struct lwb_capability *lwb_capability_get(void)
{
    return &table;
}
#else
LWB_CAPABILITY_DEFINE(table)
#endif

#endif
