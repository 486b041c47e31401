#include "lwbuild/plan/lake_trace.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "lwbuild/base/json.h"

/*
 * A trace of 4.20 and later lists what went into the build as pairs of a
 * caption and a hash, or of a caption and a list of such pairs. The source is
 * the one whose caption is its path. That its hash is made as we make ours is
 * not taken for granted: the entry of the compiler, "Lean 4.29.1, commit
 * <text>", has the hash of that text, and where this one is not what we make of
 * it, nothing is said about the source.
 *
 * Hashes are decimal numbers up to about 4.24, then 16 hexadecimal digits.
 */
enum { HASH_TEXT = 24, MAX_NESTING = 16 };

/* ---- the hash ---- */

static const uint64_t multiplier = UINT64_C(0xc6a4a7935bd1e995);
static const uint64_t seed = 11;

/* The CR of a CR LF, which does not count in a text. */
static bool is_skipped(struct lwb_bytes text, size_t i)
{
    return text.ptr[i] == '\r' && i + 1 < text.len && text.ptr[i + 1] == '\n';
}

static size_t count_skipped(struct lwb_bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += is_skipped(text, i);
    return count;
}

static uint64_t mix_word(uint64_t hash, uint64_t word)
{
    word *= multiplier;
    word ^= word >> 47;
    return (hash ^ (word * multiplier)) * multiplier;
}

static uint64_t finish(uint64_t hash)
{
    hash = (hash ^ hash >> 47) * multiplier;
    return hash ^ hash >> 47;
}

/* MurmurHash64A, as Lean's runtime hashes strings, of the text without the CR of a CR LF. */
static uint64_t hash_string(struct lwb_bytes text)
{
    uint64_t hash = seed ^ ((text.len - count_skipped(text)) * multiplier);
    uint64_t word = 0;
    unsigned n_bytes = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (is_skipped(text, i))
            continue;
        word |= (uint64_t)(unsigned char)text.ptr[i] << 8 * n_bytes++;
        if (n_bytes == sizeof(word)) {
            hash = mix_word(hash, word);
            word = 0;
            n_bytes = 0;
        }
    }
    if (n_bytes)
        hash = (hash ^ word) * multiplier;
    return finish(hash);
}

/* The same of any bytes; these are many. */
uint64_t lwb_lake_file_hash(struct lwb_bytes content)
{
    uint64_t hash = seed ^ (content.len * multiplier);
    uint64_t word = 0;
    size_t i = 0;

    for (; i + sizeof(word) <= content.len; i += sizeof(word)) {
        memcpy(&word, content.ptr + i, sizeof(word));
        hash = mix_word(hash, le64toh(word));
    }
    if (i == content.len)
        return finish(hash);
    word = 0;
    memcpy(&word, content.ptr + i, content.len - i);
    return finish((hash ^ le64toh(word)) * multiplier);
}

/* Lake starts every hash from that of the anonymous name. */
static uint64_t mix_with_nothing(uint64_t hash)
{
    const uint64_t nothing = 1723;

    hash *= multiplier;
    hash = (hash ^ hash >> 47) ^ multiplier;
    return (nothing ^ hash) * multiplier;
}

uint64_t lwb_lake_text_hash(struct lwb_bytes text)
{
    return mix_with_nothing(hash_string(text));
}

static bool is_hash_of(const char *written, struct lwb_bytes text)
{
    uint64_t hash = lwb_lake_text_hash(text);
    char decimal[HASH_TEXT];
    char hex[HASH_TEXT];

    (void)snprintf(decimal, sizeof(decimal), "%" PRIu64, hash);
    (void)snprintf(hex, sizeof(hex), "%016" PRIx64, hash);
    return strcmp(written, decimal) == 0 || strcmp(written, hex) == 0;
}

/* ---- the inputs ---- */

struct found {
    const char *label;
    const char *source; /* hash */
    const char *commit;
    const char *commit_hash;
};

static bool is_source(const char *caption, const char *label)
{
    size_t len = strlen(caption);
    size_t label_len = strlen(label);

    return len > label_len && caption[len - label_len - 1] == '/' &&
           strcmp(caption + len - label_len, label) == 0;
}

static void note_input(struct found *found, const char *caption, const char *hash)
{
    const char *commit = strstr(caption, ", commit ");

    if (is_source(caption, found->label))
        found->source = hash;
    if (strncmp(caption, "Lean ", 5) == 0 && commit) {
        found->commit = commit + strlen(", commit ");
        found->commit_hash = hash;
    }
}

static void visit_inputs(struct found *found, const cJSON *inputs, unsigned depth)
{
    const cJSON *pair;

    cJSON_ArrayForEach(pair, inputs)
    {
        const cJSON *caption = cJSON_GetArrayItem(pair, 0);
        const cJSON *value = cJSON_GetArrayItem(pair, 1);

        if (!cJSON_IsString(caption))
            continue;
        if (cJSON_IsString(value))
            note_input(found, caption->valuestring, value->valuestring);
        else if (cJSON_IsArray(value) && depth < MAX_NESTING)
            visit_inputs(found, value, depth + 1);
    }
}

enum lwb_trace_verdict lwb_lake_trace_judge(struct lwb_bytes trace, const char *label,
                                            struct lwb_bytes source)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct found found = { .label = label };
    struct lwb_error ignored; /* a bare number, or nothing that we know */

    if (lwb_json_parse(&json, trace, &ignored) < 0)
        return LWB_TRACE_CANNOT_TELL;
    visit_inputs(&found, lwb_json_find(json, "inputs"), 0);
    if (!found.source || !found.commit ||
        !is_hash_of(found.commit_hash, lwb_bytes_text(found.commit)))
        return LWB_TRACE_CANNOT_TELL;
    return is_hash_of(found.source, source) ? LWB_TRACE_CURRENT : LWB_TRACE_STALE;
}
