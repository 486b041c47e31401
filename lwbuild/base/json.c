#include "lwbuild/base/json.h"

#include <math.h>
#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/utf8.h"

/* cJSON says only that it could not parse. */
static _Thread_local bool out_of_memory;

static void *json_alloc(size_t size)
{
    void *memory = lwb_realloc(NULL, size);

    out_of_memory |= !memory;
    return memory;
}

void lwb_json_init(void)
{
    cJSON_Hooks hooks = { json_alloc, lwb_free };

    cJSON_InitHooks(&hooks);
}

/*
 * What cJSON lets pass although it is not JSON, or not ours: raw control
 * characters and \u0000 inside strings.
 */
static int refuse_in_strings(struct lwb_bytes text, struct lwb_error *err)
{
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c == 0)
            return lwb_fail(err, LWB_ERR_FORMAT, "JSON holds a NUL byte at %zu", i);
        if (!in_string) {
            in_string = c == '"';
            continue;
        }
        if (c == '"') {
            in_string = false;
        } else if (c < 0x20) {
            return lwb_fail(err, LWB_ERR_FORMAT, "JSON string holds a raw control character at %zu",
                            i);
        } else if (c == '\\') {
            if (text.len - i >= 6 && memcmp(text.ptr + i, "\\u0000", 6) == 0)
                return lwb_fail(err, LWB_ERR_FORMAT, "JSON string holds \\u0000 at %zu", i);
            i++;
        }
    }
    return LWB_OK;
}

/* The object at the start of `text`; *rest is what follows. */
static int parse_prefix(cJSON **out, struct lwb_bytes text, struct lwb_bytes *rest,
                        struct lwb_error *err)
{
    const char *end = NULL;
    cJSON *json;

    if (!text.len || text.ptr[0] != '{')
        return lwb_fail(err, LWB_ERR_FORMAT, "not a JSON object");
    if (!lwb_utf8_is_valid(text))
        return lwb_fail(err, LWB_ERR_FORMAT, "JSON is not valid UTF-8 at byte %zu",
                        lwb_utf8_valid_prefix(text));
    if (refuse_in_strings(text, err) < 0)
        return err->code;
    out_of_memory = false;
    json = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    if (!json && out_of_memory)
        return lwb_fail_memory(err);
    if (!json) {
        size_t at = end ? (size_t)(end - text.ptr) : 0;

        return lwb_fail(err, LWB_ERR_FORMAT, "malformed JSON near byte %zu", at);
    }
    *rest = lwb_bytes(end, text.len - (size_t)(end - text.ptr));
    *out = json;
    return LWB_OK;
}

int lwb_json_parse(cJSON **out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_bytes rest = { 0 };
    int rc = parse_prefix(&json, text, &rest, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < rest.len; i++)
        if (!strchr(" \t\r\n", rest.ptr[i]))
            return lwb_fail(err, LWB_ERR_FORMAT, "bytes behind the JSON object");
    *out = LWB_TAKE(json);
    return LWB_OK;
}

const cJSON *lwb_json_find(const cJSON *json, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(json, key);
}

const char *lwb_json_text(const cJSON *value)
{
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

static int missing(const char *key, struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_FORMAT, "\"%s\" is missing", key);
}

static int mistyped(const char *key, const char *wanted, struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_FORMAT, "\"%s\" is not %s", key, wanted);
}

static const cJSON *find_present(const cJSON *json, const char *key)
{
    const cJSON *item = lwb_json_find(json, key);

    return cJSON_IsNull(item) ? NULL : item;
}

int lwb_json_opt_text(const cJSON *json, const char *key, const char *fallback, const char **out,
                      struct lwb_error *err)
{
    const cJSON *item = find_present(json, key);

    if (item && !cJSON_IsString(item))
        return mistyped(key, "a string", err);
    *out = item ? item->valuestring : fallback;
    return LWB_OK;
}

int lwb_json_get_text(const cJSON *json, const char *key, const char **out, struct lwb_error *err)
{
    return find_present(json, key) ? lwb_json_opt_text(json, key, NULL, out, err)
                                   : missing(key, err);
}

int lwb_json_opt_int(const cJSON *json, const char *key, int64_t fallback, int64_t *out,
                     struct lwb_error *err)
{
    const cJSON *item = find_present(json, key);
    double value;

    if (!item) {
        *out = fallback;
        return LWB_OK;
    }
    value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!(fabs(value) <= (double)LWB_JSON_INT_MAX) || value != floor(value))
        return mistyped(key, "an integer", err);
    *out = (int64_t)value;
    return LWB_OK;
}

int lwb_json_get_int(const cJSON *json, const char *key, int64_t *out, struct lwb_error *err)
{
    return find_present(json, key) ? lwb_json_opt_int(json, key, 0, out, err) : missing(key, err);
}

int lwb_json_get_count(const cJSON *json, const char *key, uint64_t *out, struct lwb_error *err)
{
    int64_t value = 0;
    int rc = lwb_json_get_int(json, key, &value, err);

    if (rc < 0)
        return rc;
    if (value < 0)
        return mistyped(key, "a count", err);
    *out = (uint64_t)value;
    return LWB_OK;
}

int lwb_json_opt_bool(const cJSON *json, const char *key, bool fallback, bool *out,
                      struct lwb_error *err)
{
    const cJSON *item = find_present(json, key);

    if (item && !cJSON_IsBool(item))
        return mistyped(key, "true or false", err);
    *out = item ? cJSON_IsTrue(item) != 0 : fallback;
    return LWB_OK;
}

int lwb_json_get_bool(const cJSON *json, const char *key, bool *out, struct lwb_error *err)
{
    return find_present(json, key) ? lwb_json_opt_bool(json, key, false, out, err)
                                   : missing(key, err);
}

int lwb_json_get_array(const cJSON *json, const char *key, const cJSON **out, struct lwb_error *err)
{
    const cJSON *item = find_present(json, key);

    if (!item)
        return missing(key, err);
    if (!cJSON_IsArray(item))
        return mistyped(key, "an array", err);
    *out = item;
    return LWB_OK;
}

int lwb_json_get_object(const cJSON *json, const char *key, const cJSON **out,
                        struct lwb_error *err)
{
    const cJSON *item = find_present(json, key);

    if (!item)
        return missing(key, err);
    if (!cJSON_IsObject(item))
        return mistyped(key, "an object", err);
    *out = item;
    return LWB_OK;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Is any of the eight bytes below 0x20, a quote or a backslash? Without a branch per byte. */
static bool has_special(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quotes = word ^ (ones * '"');
    uint64_t backslashes = word ^ (ones * '\\');

    return (((word - ones * 0x20) & ~word) | ((quotes - ones) & ~quotes) |
            ((backslashes - ones) & ~backslashes)) &
           (ones * 0x80);
}

/* Bytes from the start that stand for themselves: texts of a MiB are mostly that. */
static size_t plain_prefix(const char *text, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, text + at, sizeof(word));
        if (has_special(word))
            break;
    }
    while (at < len && is_plain((unsigned char)text[at]))
        at++;
    return at;
}

/* An empty text may be NULL, to which not even zero may be added. */
static void append_escaped(struct lwb_buf *out, struct lwb_bytes text)
{
    for (size_t at = 0; at < text.len;) {
        size_t plain = plain_prefix(text.ptr + at, text.len - at);
        unsigned char c;

        lwb_buf_append(out, text.ptr + at, plain);
        at += plain;
        if (at == text.len)
            return;
        c = (unsigned char)text.ptr[at++];
        if (c == '"' || c == '\\') {
            lwb_buf_append_char(out, '\\');
            lwb_buf_append_char(out, (char)c);
        } else if (c == '\n') {
            lwb_buf_append_text(out, "\\n");
        } else if (c == '\t') {
            lwb_buf_append_text(out, "\\t");
        } else if (c == '\r') {
            lwb_buf_append_text(out, "\\r");
        } else if (c == 0) {
            lwb_buf_append_text(out, "\\ufffd"); /* what we write must be readable by us */
        } else {
            lwb_buf_format(out, "\\u%04x", c);
        }
    }
}

void lwb_json_append_string(struct lwb_buf *out, struct lwb_bytes text)
{
    lwb_buf_append_char(out, '"');
    if (lwb_utf8_is_valid(text)) {
        append_escaped(out, text);
    } else {
        LWB_AUTO(lwb_buf_release) struct lwb_buf repaired = LWB_BUF(text.len * 3);

        lwb_utf8_append_repaired(&repaired, text);
        if (!lwb_buf_ok(&repaired))
            out->failed = true;
        append_escaped(out, lwb_buf_bytes(&repaired));
    }
    lwb_buf_append_char(out, '"');
}

void lwb_json_append_text(struct lwb_buf *out, const char *text)
{
    lwb_json_append_string(out, lwb_bytes_text(text));
}

void lwb_json_member(struct lwb_buf *out, bool *first, const char *key)
{
    if (!*first)
        lwb_buf_append_char(out, ',');
    *first = false;
    lwb_json_append_text(out, key);
    lwb_buf_append_char(out, ':');
}

void lwb_json_member_text(struct lwb_buf *out, bool *first, const char *key, const char *value)
{
    lwb_json_member_bytes(out, first, key, lwb_bytes_text(value));
}

void lwb_json_member_bytes(struct lwb_buf *out, bool *first, const char *key,
                           struct lwb_bytes value)
{
    lwb_json_member(out, first, key);
    lwb_json_append_string(out, value);
}

void lwb_json_member_int(struct lwb_buf *out, bool *first, const char *key, int64_t value)
{
    lwb_json_member(out, first, key);
    if (value < 0)
        lwb_buf_append_char(out, '-');
    lwb_buf_append_decimal(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void lwb_json_member_bool(struct lwb_buf *out, bool *first, const char *key, bool value)
{
    lwb_json_member(out, first, key);
    lwb_buf_append_text(out, value ? "true" : "false");
}

int lwb_json_print(struct lwb_buf *out, const cJSON *json, struct lwb_error *err)
{
    char *text = cJSON_PrintUnformatted(json);

    if (!text)
        return lwb_fail_memory(err);
    lwb_buf_append_text(out, text);
    cJSON_free(text);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail(err, LWB_ERR_LIMIT, "JSON text is too large");
}
