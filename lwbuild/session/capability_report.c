#include "lwbuild/session/capability_report.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"

static int malformed(struct lwb_error *err, enum lwb_code code, const char *what)
{
    if (err->code == LWB_ERR_MEMORY)
        return err->code;
    err->code = code;
    return lwb_error_context(err, "%s", what);
}

/* A list of objects with name and version; an absent one is empty. */
static int read_versions(struct lwb_named_version **out, size_t *count, const cJSON *json,
                         const char *key, struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;

    if (!lwb_json_find(json, key))
        return LWB_OK;
    if (lwb_json_get_array(json, key, &array, err) < 0)
        return err->code;
    *out = lwb_alloc_array((size_t)cJSON_GetArraySize(array), sizeof(**out));
    if (!*out)
        return lwb_fail_memory(err);
    cJSON_ArrayForEach(item, array)
    {
        struct lwb_named_version *entry = &(*out)[*count];

        if (lwb_json_get_text(item, "name", &entry->name, err) < 0 ||
            lwb_json_opt_text(item, "version", "", &entry->version, err) < 0)
            return lwb_error_context(err, "\"%s\"", key);
        ++*count;
    }
    return LWB_OK;
}

static int read_metadata(struct lwb_capability_metadata *out, struct lwb_bytes json,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_metadata_release) struct lwb_capability_metadata read = { 0 };

    if (lwb_json_parse(&read.json, json, err) < 0 ||
        lwb_json_opt_text(read.json, "name", NULL, &read.name, err) < 0 ||
        lwb_json_opt_text(read.json, "version", NULL, &read.version, err) < 0 ||
        lwb_json_opt_text(read.json, "lean_version", NULL, &read.lean_version, err) < 0 ||
        read_versions(&read.commands, &read.n_commands, read.json, "commands", err) < 0 ||
        read_versions(&read.facts, &read.n_facts, read.json, "facts", err) < 0)
        return err->code;
    *out = read;
    read.json = NULL; /* handed over, with what hangs on it */
    read.commands = read.facts = NULL;
    return LWB_OK;
}

int lwb_capability_metadata_parse(struct lwb_capability_metadata *out, struct lwb_bytes json,
                                  struct lwb_error *err)
{
    if (read_metadata(out, json, err) < 0)
        return malformed(err, LWB_ERR_METADATA_MALFORMED, "metadata");
    return LWB_OK;
}

void lwb_capability_metadata_release(struct lwb_capability_metadata *metadata)
{
    lwb_free(metadata->commands);
    lwb_free(metadata->facts);
    lwb_json_free(metadata->json);
    *metadata = (struct lwb_capability_metadata){ 0 };
}

/* ---- expectation ---------------------------------------------------------------------------- */

int lwb_capability_expectation_check(struct lwb_bytes expected, struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_metadata_release) struct lwb_capability_metadata read = { 0 };

    if (read_metadata(&read, expected, err) < 0)
        return malformed(err, LWB_ERR_USAGE, "expected metadata");
    return LWB_OK;
}

static int mismatch(struct lwb_error *err, const char *what, const cJSON *expected,
                    const cJSON *actual)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf wanted = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf found = LWB_BUF(4096);
    struct lwb_error ignored;

    (void)lwb_json_print(&wanted, expected, &ignored);
    if (actual)
        (void)lwb_json_print(&found, actual, &ignored);
    else
        lwb_buf_append_text(&found, "nothing");
    return lwb_fail(err, LWB_ERR_METADATA_MISMATCH, "%s: expected %.200s, is %.200s", what,
                    lwb_buf_text(&wanted), lwb_buf_text(&found));
}

/* The entry of a list of named things that has the name of `wanted`. */
static const cJSON *find_named(const cJSON *list, const cJSON *wanted)
{
    const char *name = lwb_json_text(lwb_json_find(wanted, "name"));
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const char *other = lwb_json_text(lwb_json_find(item, "name"));

        if (name && other && strcmp(name, other) == 0)
            return item;
    }
    return NULL;
}

/* What `wanted` mentions is there and equal. */
static bool covers(const cJSON *actual, const cJSON *wanted)
{
    const cJSON *member;

    if (!cJSON_IsObject(wanted))
        return cJSON_Compare(wanted, actual, true);
    cJSON_ArrayForEach(member, wanted)
    {
        const cJSON *found = lwb_json_find(actual, member->string);

        if (!found || !covers(found, member))
            return false;
    }
    return true;
}

static bool is_list_of_named(const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (!lwb_json_text(lwb_json_find(item, "name")))
            return false;
    }
    return cJSON_IsArray(list);
}

static int expect_named(const cJSON *wanted_list, const cJSON *list, struct lwb_error *err)
{
    const cJSON *wanted;

    cJSON_ArrayForEach(wanted, wanted_list)
    {
        const cJSON *item = find_named(list, wanted);

        if (!item || !covers(item, wanted))
            return mismatch(err, wanted_list->string, wanted, item);
    }
    return LWB_OK;
}

int lwb_capability_metadata_expect(const struct lwb_capability_metadata *metadata,
                                   struct lwb_bytes expected, struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    const cJSON *wanted;

    if (lwb_capability_expectation_check(expected, err) < 0 ||
        lwb_json_parse(&json, expected, err) < 0)
        return err->code;
    cJSON_ArrayForEach(wanted, json)
    {
        const cJSON *actual = lwb_json_find(metadata->json, wanted->string);

        if (is_list_of_named(wanted)) {
            if (expect_named(wanted, actual, err) < 0)
                return err->code;
        } else if (!actual || !covers(actual, wanted)) {
            return mismatch(err, wanted->string, wanted, actual);
        }
    }
    return LWB_OK;
}

/* ---- doctor ---------------------------------------------------------------------------------- */

static int read_diagnostic(struct lwb_doctor_diagnostic *out, const cJSON *item,
                           struct lwb_error *err)
{
    static const char *const words[] = { "pass", "warning", "error" };
    const char *severity;

    if (lwb_json_get_text(item, "severity", &severity, err) < 0 ||
        lwb_json_get_text(item, "code", &out->code, err) < 0 ||
        lwb_json_get_text(item, "message", &out->message, err) < 0)
        return err->code;
    out->details = lwb_json_find(item, "details");
    for (unsigned i = 0; i < LWB_COUNT(words); i++) {
        if (strcmp(words[i], severity) == 0) {
            out->severity = (enum lwb_doctor_severity)i;
            return LWB_OK;
        }
    }
    return lwb_fail(err, LWB_ERR_FORMAT, "\"severity\" cannot be \"%.40s\"", severity);
}

int lwb_doctor_report_parse(struct lwb_doctor_report *out, struct lwb_bytes json,
                            struct lwb_error *err)
{
    LWB_AUTO(lwb_doctor_report_release) struct lwb_doctor_report read = { 0 };
    const cJSON *array;
    const cJSON *item;

    if (lwb_json_parse(&read.json, json, err) < 0 ||
        lwb_json_get_array(read.json, "diagnostics", &array, err) < 0)
        return malformed(err, LWB_ERR_DOCTOR_MALFORMED, "doctor");
    read.metadata = lwb_json_find(read.json, "metadata");
    if (read.metadata && lwb_json_get_object(read.json, "metadata", &read.metadata, err) < 0)
        return malformed(err, LWB_ERR_DOCTOR_MALFORMED, "doctor");
    read.diagnostics =
        lwb_alloc_array((size_t)cJSON_GetArraySize(array) + 1, sizeof(*read.diagnostics));
    if (!read.diagnostics)
        return lwb_fail_memory(err);
    cJSON_ArrayForEach(item, array)
    {
        struct lwb_doctor_diagnostic *entry = &read.diagnostics[read.n_diagnostics];

        if (read_diagnostic(entry, item, err) < 0)
            return malformed(err, LWB_ERR_DOCTOR_MALFORMED, "doctor");
        read.n_diagnostics++;
        read.worst = entry->severity > read.worst ? entry->severity : read.worst;
    }
    *out = read;
    read.json = NULL;
    read.diagnostics = NULL;
    return LWB_OK;
}

void lwb_doctor_report_release(struct lwb_doctor_report *report)
{
    lwb_free(report->diagnostics);
    lwb_json_free(report->json);
    *report = (struct lwb_doctor_report){ 0 };
}
