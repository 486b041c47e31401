/*
 * A capability library: how often does which word occur in a file? Copy it, keep the shape,
 * replace the two exports in the middle.
 *
 * lwbuild-child loads the library and calls one export at a time. An export gets a request as
 * JSON, may tell its progress, and answers with JSON. When a call-back returns something else than
 * 0, nobody wants the rest: return at once.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "lwbuild/capability.h"

/* ---- the work -------------------------------------------------------------------------------- */

struct word {
    char text[64];
    unsigned long count;
};

struct words {
    struct word *items;
    size_t count;
    size_t room;
    unsigned long total;
};

/* Returns 0, or -1 when there is no memory left. */
static int add_word(struct words *words, const char *text)
{
    struct word *grown;

    words->total++;
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->items[i].text, text) == 0) {
            words->items[i].count++;
            return 0;
        }
    }
    if (words->count == words->room) {
        words->room = words->room ? 2 * words->room : 64;
        grown = realloc(words->items, words->room * sizeof(*grown));
        if (!grown)
            return -1;
        words->items = grown;
    }
    (void)snprintf(words->items[words->count].text, sizeof(words->items->text), "%s", text);
    words->items[words->count++].count = 1;
    return 0;
}

/* Letters and digits make words; longer ones than 63 bytes are split. */
static int read_words(struct words *words, FILE *file)
{
    char text[sizeof(words->items->text)];
    size_t len = 0;
    int c;

    do {
        c = getc(file);
        if (c != EOF && isalnum(c) && len + 1 < sizeof(text)) {
            text[len++] = (char)tolower(c);
            continue;
        }
        text[len] = '\0';
        if (len && add_word(words, text) != 0)
            return -1;
        len = 0;
    } while (c != EOF);
    return 0;
}

/* Says why, and gives the status to return. */
static int fail(const struct lwb_capability_call *call, const char *code, const char *text)
{
    (void)call->fail(call, code, text);
    return 1;
}

static int count_words_in(struct words *words, const struct lwb_capability_call *call,
                          const char *path)
{
    FILE *file = fopen(path, "r");
    int rc;

    if (!file)
        return fail(call, "no-file", path);
    rc = read_words(words, file);
    (void)fclose(file);
    return rc == 0 ? 0 : fail(call, "memory", "out of memory");
}

/* Counts the words of the file that the request {"path": ...} names. */
static int count_words(struct words *words, const struct lwb_capability_call *call,
                       const char *request, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(request, len);
    const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "path"));
    int status = path ? count_words_in(words, call, path)
                      : fail(call, "bad-request", "the request must be {\"path\": <file>}");

    cJSON_Delete(json);
    return status;
}

/* ---- what others can call -------------------------------------------------------------------- */

/* A command: one request, one answer. */
static int count(void *state, const struct lwb_capability_call *call, const char *request,
                 size_t len)
{
    struct words words = { 0 };
    char answer[128];
    int status = count_words(&words, call, request, len);
    int written;

    (void)state;
    free(words.items);
    if (status != 0)
        return status;
    written = snprintf(answer, sizeof(answer), "{\"words\":%lu,\"distinct\":%zu}", words.total,
                       words.count);
    return call->reply(call, answer, (size_t)written);
}

/* A stream: as many rows as there are, and a summary if one likes. */
static int frequencies(void *state, const struct lwb_capability_call *call, const char *request,
                       size_t len)
{
    struct words words = { 0 };
    char row[128];
    int status = count_words(&words, call, request, len);

    (void)state;
    for (size_t i = 0; status == 0 && i < words.count; i++) {
        uint64_t total = words.count;
        /* Words are letters and digits: nothing in them needs to be escaped. */
        int written = snprintf(row, sizeof(row), "{\"word\":\"%s\",\"count\":%lu}",
                               words.items[i].text, words.items[i].count);

        status = call->row(call, "words", row, (size_t)written);
        if (status == 0 && (i + 1) % 1000 == 0)
            status = call->progress(call, "words", i + 1, &total);
    }
    free(words.items);
    return status;
}

/* ---- what every library has ------------------------------------------------------------------ */

static int metadata(void *state, const struct lwb_capability_call *call, const char *request,
                    size_t len)
{
    static const char answer[] =
        "{\"name\":\"words\",\"version\":\"1.0\",\"commands\":["
        "{\"name\":\"count\",\"version\":\"1\"},{\"name\":\"frequencies\",\"version\":\"1\"}]}";

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

/* Whether the library can do its work here; it needs nothing, so it can. */
static int doctor(void *state, const struct lwb_capability_call *call, const char *request,
                  size_t len)
{
    static const char answer[] =
        "{\"diagnostics\":[{\"severity\":\"pass\",\"code\":\"words.ready\","
        "\"message\":\"nothing beyond the C library is needed\"}]}";

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

static const struct lwb_capability_export exports[] = {
    { LWB_CAPABILITY_METADATA, "metadata", metadata },
    { LWB_CAPABILITY_DOCTOR, "doctor", doctor },
    { LWB_CAPABILITY_COMMAND, "count", count },
    { LWB_CAPABILITY_STREAM, "frequencies", frequencies },
};

static const struct lwb_capability table = {
    .abi = LWB_CAPABILITY_ABI,
    .size = sizeof(table),
    .name = "words",
    .version = "1.0",
    .exports = exports,
    .n_exports = sizeof(exports) / sizeof(exports[0]),
};

LWB_CAPABILITY_DEFINE(table)
