/*
 * The C that is compared with Lean: the same rows and the same echo as
 * tests/lean/capability/Fixture.lean has, built as a C program would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/capability.h"

static int rows(void *state, const struct lwb_capability_call *call, const char *request,
                size_t len)
{
    unsigned long n = strtoul(request, NULL, 10);
    char row[128];
    int status = 0;

    (void)state;
    (void)len;
    for (unsigned long i = 0; i < n && status == 0; i++) {
        int written =
            snprintf(row, sizeof(row),
                     "{\"name\":\"Fixture.declaration%lu\",\"kind\":\"theorem\",\"universes\":%lu}",
                     i, i % 3);

        status = call->row(call, "rows", row, (size_t)written);
    }
    return status;
}

static int names(void *state, const struct lwb_capability_call *call, const char *request,
                 size_t len)
{
    static char known[1000][64];
    unsigned long n = strtoul(request, NULL, 10);
    char row[128];
    int status = 0;

    (void)state;
    (void)len;
    for (int i = 0; i < 1000; i++)
        (void)snprintf(known[i], sizeof(known[i]), "Fixture.declaration%d", i);
    for (unsigned long i = 0; i < n && status == 0; i++) {
        int written =
            snprintf(row, sizeof(row), "{\"name\":\"%s\",\"kind\":\"theorem\"}", known[i % 1000]);

        status = call->row(call, "rows", row, (size_t)written);
    }
    return status;
}

static int echo(void *state, const struct lwb_capability_call *call, const char *request,
                size_t len)
{
    (void)state;
    return call->reply(call, request, len);
}

static int nothing(void *state, const struct lwb_capability_call *call, const char *request,
                   size_t len)
{
    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, "{}", 2);
}

static const struct lwb_capability_export exports[] = {
    { LWB_CAPABILITY_METADATA, "metadata", nothing }, { LWB_CAPABILITY_DOCTOR, "doctor", nothing },
    { LWB_CAPABILITY_COMMAND, "echo", echo },         { LWB_CAPABILITY_STREAM, "rows", rows },
    { LWB_CAPABILITY_STREAM, "names", names },
};

static const struct lwb_capability table = {
    .abi = LWB_CAPABILITY_ABI,
    .size = sizeof(table),
    .name = "rows",
    .version = "1",
    .exports = exports,
    .n_exports = sizeof(exports) / sizeof(exports[0]),
};

LWB_CAPABILITY_DEFINE(table)
