/*
 * The jobs of the program in main.c, as a capability library: one that answers, one that streams,
 * one that never ends and one that crashes. ../capability explains the shape.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "lwbuild/capability.h"

/* {"numbers":[1,2,3]} -> {"sum":6} */
static int sum(void *state, const struct lwb_capability_call *call, const char *request, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(request, len);
    const cJSON *numbers = cJSON_GetObjectItemCaseSensitive(json, "numbers");
    const cJSON *number;
    double total = 0;
    char answer[64];
    int written;

    (void)state;
    cJSON_ArrayForEach(number, numbers)
    {
        total += number->valuedouble;
    }
    cJSON_Delete(json);
    written = snprintf(answer, sizeof(answer), "{\"sum\":%.0f}", total);
    return call->reply(call, answer, (size_t)written);
}

static unsigned long read_limit(const char *request, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(request, len);
    const cJSON *below = cJSON_GetObjectItemCaseSensitive(json, "below");
    unsigned long limit = cJSON_IsNumber(below) ? (unsigned long)below->valuedouble : 0;

    cJSON_Delete(json);
    return limit;
}

/* Say the n-th prime; tell now and then how far it is. */
static int say_prime(const struct lwb_capability_call *call, unsigned long prime, unsigned long n,
                     uint64_t limit)
{
    char row[48];
    int written = snprintf(row, sizeof(row), "{\"prime\":%lu}", prime);
    int status = call->row(call, "primes", row, (size_t)written);

    if (status == 0 && n % 2500 == 0)
        status = call->progress(call, "sieve", prime, &limit);
    return status;
}

/* {"below":100} -> rows {"prime":2}, {"prime":3}, ... on stream "primes" */
static int primes(void *state, const struct lwb_capability_call *call, const char *request,
                  size_t len)
{
    unsigned long limit = read_limit(request, len);
    char *composite = calloc(limit + 1, 1);
    unsigned long found = 0;
    int status = 0;

    (void)state;
    if (!composite) {
        (void)call->fail(call, "memory", "out of memory");
        return 1;
    }
    for (unsigned long n = 2; status == 0 && n < limit; n++) {
        if (composite[n])
            continue;
        status = say_prime(call, n, ++found, limit);
        for (unsigned long m = n * n; m < limit; m += n)
            composite[m] = 1;
    }
    free(composite);
    return status;
}

static int never_end(void *state, const struct lwb_capability_call *call, const char *request,
                     size_t len)
{
    (void)state;
    (void)request;
    (void)len;
    while (call)
        (void)pause();
    return 0;
}

static int crash(void *state, const struct lwb_capability_call *call, const char *request,
                 size_t len)
{
    (void)state;
    (void)call;
    (void)request;
    (void)len;
    (void)fprintf(stderr, "jobs: something has gone terribly wrong\n");
    abort();
    return 0;
}

static int metadata(void *state, const struct lwb_capability_call *call, const char *request,
                    size_t len)
{
    static const char answer[] =
        "{\"name\":\"jobs\",\"version\":\"1.0\",\"commands\":["
        "{\"name\":\"sum\",\"version\":\"1\"},{\"name\":\"primes\",\"version\":\"1\"},"
        "{\"name\":\"never-end\",\"version\":\"1\"},{\"name\":\"crash\",\"version\":\"1\"}]}";

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

static int doctor(void *state, const struct lwb_capability_call *call, const char *request,
                  size_t len)
{
    static const char answer[] = "{\"diagnostics\":[]}";

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

static const struct lwb_capability_export exports[] = {
    { LWB_CAPABILITY_METADATA, "metadata", metadata },
    { LWB_CAPABILITY_DOCTOR, "doctor", doctor },
    { LWB_CAPABILITY_COMMAND, "sum", sum },
    { LWB_CAPABILITY_COMMAND, "never-end", never_end },
    { LWB_CAPABILITY_COMMAND, "crash", crash },
    { LWB_CAPABILITY_STREAM, "primes", primes },
};

static const struct lwb_capability table = {
    .abi = LWB_CAPABILITY_ABI,
    .size = sizeof(table),
    .name = "jobs",
    .version = "1.0",
    .exports = exports,
    .n_exports = sizeof(exports) / sizeof(exports[0]),
};

LWB_CAPABILITY_DEFINE(table)
