#include "lwbuild/plan/lake_outputs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/json.h"

enum { HEX_DIGITS = 16, MAX_DECIMAL_DIGITS = 20, MAX_OLEANS = 3 };

static const char *const extensions[LWB_LAKE_PARTS] = {
    [LWB_LAKE_OLEAN] = "olean",           [LWB_LAKE_SERVER] = "olean.server",
    [LWB_LAKE_PRIVATE] = "olean.private", [LWB_LAKE_IR] = "ir",
    [LWB_LAKE_IR_SIG] = "ir.sig",
};

const char *lwb_lake_part_extension(enum lwb_lake_part part)
{
    return extensions[part];
}

/*
 * Sixteen digits are hexadecimal, any other number of them is decimal. Of a
 * decimal hash that happens to have sixteen only the name is ever used.
 */
static size_t hash_len(const char *text)
{
    size_t decimal = strspn(text, "0123456789");
    size_t hex = strspn(text, "0123456789abcdef");

    if (hex == HEX_DIGITS)
        return hex;
    return decimal == hex && decimal <= MAX_DECIMAL_DIGITS ? decimal : 0;
}

static bool take_name(char out[LWB_LAKE_NAME_MAX], const cJSON *value, enum lwb_lake_part part)
{
    const char *text = lwb_json_text(value);
    size_t len = text ? hash_len(text) : 0;

    if (!len || (text[len] && (text[len] != '.' || strcmp(text + len + 1, extensions[part]) != 0)))
        return false;
    (void)snprintf(out, LWB_LAKE_NAME_MAX, "%.*s.%s", (int)len, text, extensions[part]);
    return true;
}

static bool take_optional(struct lwb_lake_outputs *out, const cJSON *outputs, const char *key,
                          enum lwb_lake_part part)
{
    const cJSON *value = lwb_json_find(outputs, key);

    return !value || cJSON_IsNull(value) || take_name(out->names[part], value, part);
}

static bool take_outputs(struct lwb_lake_outputs *out, const cJSON *outputs)
{
    const cJSON *oleans = lwb_json_find(outputs, "o");
    int count = cJSON_IsArray(oleans) ? cJSON_GetArraySize(oleans) : 0;

    if (!cJSON_IsObject(outputs) || count < 1 || count > MAX_OLEANS)
        return false;
    for (int i = 0; i < count; i++) {
        enum lwb_lake_part part = (enum lwb_lake_part)i;

        if (!take_name(out->names[part], cJSON_GetArrayItem(oleans, i), part))
            return false;
    }
    return take_optional(out, outputs, "r", LWB_LAKE_IR) &&
           take_optional(out, outputs, "rs", LWB_LAKE_IR_SIG);
}

int lwb_lake_outputs_read(struct lwb_lake_outputs *out, struct lwb_bytes trace,
                          struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_lake_outputs found = { 0 };
    int rc = lwb_json_parse(&json, trace, err);

    if (rc == LWB_ERR_MEMORY)
        return rc;
    if (rc < 0 || !take_outputs(&found, lwb_json_find(json, "outputs")))
        return 0; /* half a trace, or the bare number of long ago */
    *out = found;
    return 1;
}

bool lwb_lake_artifact_hash(const char *name, uint64_t *hash)
{
    size_t len = hash_len(name);
    unsigned long long value;
    char *end;

    if (!len || name[len] != '.')
        return false;
    errno = 0;
    value = strtoull(name, &end, len == HEX_DIGITS ? 16 : 10);
    if (errno || end != name + len)
        return false;
    *hash = value;
    return true;
}
