#include "lwbuild/session/capability_preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"
#include "lwbuild/capability.h"

enum { MANIFEST_SCHEMA = 1, MANIFEST_MAX = 1024 * 1024 };

static const char unreadable_hint[] = "make it readable for this user";

struct check {
    const struct lwb_preflight *preflight;
    const cJSON *manifest;
    struct lwb_error first; /* code LWB_OK while nothing is wrong */
};

static void find(struct check *check, enum lwb_preflight_severity severity, const char *code,
                 const char *subject, const char *hint, const char *format, ...) LWB_PRINTF(6, 7);
static void find(struct check *check, enum lwb_preflight_severity severity, const char *code,
                 const char *subject, const char *hint, const char *format, ...)
{
    char message[600];
    struct lwb_preflight_finding finding = {
        .severity = severity,
        .code = code,
        .subject = subject,
        .message = message,
        .hint = hint,
    };
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (check->preflight->found)
        check->preflight->found(check->preflight->ctx, &finding);
    if (severity != LWB_PREFLIGHT_ERROR || check->first.code != LWB_OK)
        return;
    (void)lwb_fail(&check->first, LWB_ERR_BOOTSTRAP, "%s%s%s", message, hint ? "; " : "",
                   hint ? hint : "");
    (void)snprintf(check->first.facts.child_code, sizeof(check->first.facts.child_code), "%s",
                   code);
}

static void find_malformed(struct check *check, const char *what)
{
    find(check, LWB_PREFLIGHT_ERROR, "manifest-malformed", check->preflight->path,
         "build the capability again", "%s: %s", check->preflight->path, what);
}

/* ---- single checks ------------------------------------------------------------------------- */

static void check_versions(struct check *check)
{
    struct lwb_error err;
    int64_t schema;
    int64_t abi;

    if (lwb_json_opt_int(check->manifest, "schema", MANIFEST_SCHEMA, &schema, &err) < 0 ||
        lwb_json_opt_int(check->manifest, "abi", LWB_CAPABILITY_ABI, &abi, &err) < 0) {
        find_malformed(check, err.text);
        return;
    }
    if (schema > MANIFEST_SCHEMA)
        find(check, LWB_PREFLIGHT_ERROR, "manifest-schema", check->preflight->path,
             "use the lwbuild that made it, or build the capability again",
             "the manifest has schema %d, this lwbuild knows %d", (int)schema, MANIFEST_SCHEMA);
    if (abi != LWB_CAPABILITY_ABI)
        find(check, LWB_PREFLIGHT_ERROR, "capability-abi", check->preflight->path,
             "build the capability again with this lwbuild",
             "the library has capability ABI %d, this lwbuild %d", (int)abi, LWB_CAPABILITY_ABI);
}

/* `wanted` may be NULL. */
static void check_library(struct check *check, const char *path, const char *wanted)
{
    struct lwb_file_stat st;
    struct lwb_digest expected;
    struct lwb_digest found;
    struct lwb_error err;

    if (lwb_file_stat(&st, path, &err) != 1) {
        find(check, LWB_PREFLIGHT_ERROR, "library-missing", path,
             "build it; library and manifest must be moved together", "there is no library %s",
             path);
        return;
    }
    if (!wanted)
        return;
    if (lwb_digest_parse(&expected, lwb_bytes_text(wanted)))
        find_malformed(check, "\"digest\" is not 64 hexadecimal digits");
    else if (lwb_digest_file(&found, path, &err) < 0)
        find(check, LWB_PREFLIGHT_ERROR, "library-unreadable", path, unreadable_hint, "%s",
             err.text);
    else if (lwb_digest_compare(&expected, &found) != 0)
        find(check, LWB_PREFLIGHT_ERROR, "library-changed", path,
             "build the capability again; strip, for one, changes libraries",
             "%s is not the library that the manifest was made for", path);
}

/* What the library was compiled against decides whether it can run: Lean keeps no ABI. */
static void check_header(struct check *check, const char *prefix, const char *version,
                         const char *wanted)
{
    LWB_AUTO(lwb_free_text) char *header = lwb_path_join(prefix, "include/lean/lean.h");
    struct lwb_digest expected;
    struct lwb_digest found;
    struct lwb_error err;

    if (!header)
        return;
    if (lwb_digest_file(&found, header, &err) < 0 && err.sys == EACCES)
        find(check, LWB_PREFLIGHT_ERROR, "toolchain-unreadable", prefix, unreadable_hint, "%s",
             err.text);
    else if (lwb_digest_file(&found, header, &err) < 0)
        find(check, LWB_PREFLIGHT_ERROR, "toolchain-missing", prefix,
             "install it again, or build the capability with another Lean",
             "the Lean that it was built for is not in %s: %s", prefix, version);
    else if (lwb_digest_parse(&expected, lwb_bytes_text(wanted)))
        find_malformed(check, "\"lean_h\" is not 64 hexadecimal digits");
    else if (lwb_digest_compare(&expected, &found) != 0)
        find(check, LWB_PREFLIGHT_ERROR, "toolchain-changed", prefix, "build the capability again",
             "it was built for another Lean than the one in %s: %s", prefix, version);
}

/* A library in C has none. */
static void check_toolchain(struct check *check)
{
    const cJSON *toolchain;
    const char *prefix;
    const char *version;
    const char *header;
    struct lwb_error err;

    if (!lwb_json_find(check->manifest, "toolchain"))
        return;
    if (lwb_json_get_object(check->manifest, "toolchain", &toolchain, &err) < 0 ||
        lwb_json_get_text(toolchain, "prefix", &prefix, &err) < 0 ||
        lwb_json_opt_text(toolchain, "version", "of unknown version", &version, &err) < 0 ||
        lwb_json_get_text(toolchain, "lean_h", &header, &err) < 0)
        find_malformed(check, err.text);
    else
        check_header(check, prefix, version, header);
}

/* Appends the names of a list; returns whether `name` is one of them. */
static bool list_names(struct lwb_buf *out, const cJSON *names, const char *name)
{
    const cJSON *item;
    bool found = false;

    cJSON_ArrayForEach(item, names)
    {
        const char *text = lwb_json_text(item);

        if (!text)
            continue;
        lwb_buf_format(out, "%s%s", out->len ? ", " : "", text);
        found |= name && strcmp(text, name) == 0;
    }
    return found;
}

/* Lists of texts, where they are there at all. */
static bool check_lists(struct check *check)
{
    static const char *const keys[] = { "commands", "streams" };

    for (size_t i = 0; i < LWB_COUNT(keys); i++) {
        const cJSON *list = lwb_json_find(check->manifest, keys[i]);
        const cJSON *item;
        bool is_good = !list || cJSON_IsArray(list);

        cJSON_ArrayForEach(item, list)
        {
            is_good &= lwb_json_text(item) != NULL;
        }
        if (!is_good) {
            find_malformed(check, i == 0 ? "\"commands\" is no list of texts"
                                         : "\"streams\" is no list of texts");
            return false;
        }
    }
    return true;
}

/* Manifests written by hand may leave the lists out; the child knows better then. */
static void check_export(struct check *check)
{
    static const char *const keys[] = { "commands", "streams" };
    static const char *const kinds[] = { "command", "stream" };
    static const char *const hints[] = { "call it without --rows", "call it with --rows" };
    const struct lwb_preflight *preflight = check->preflight;
    LWB_AUTO(lwb_buf_release) struct lwb_buf here = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf there = LWB_BUF(4096);
    bool wanted = preflight->is_stream;
    const cJSON *list = lwb_json_find(check->manifest, keys[wanted]);
    bool is_other;

    if (!preflight->command || !list || list_names(&here, list, preflight->command))
        return;
    is_other =
        list_names(&there, lwb_json_find(check->manifest, keys[!wanted]), preflight->command);
    find(check, LWB_PREFLIGHT_ERROR, "export-missing", preflight->command,
         is_other ? hints[!wanted] : NULL, "there is no %s \"%.80s\"; there is %s", kinds[wanted],
         preflight->command,
         is_other   ? "one of the other kind"
         : here.len ? lwb_buf_text(&here)
                    : "none");
}

static void say_what_it_is(struct check *check)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf commands = LWB_BUF(4096);
    LWB_AUTO(lwb_buf_release) struct lwb_buf streams = LWB_BUF(4096);
    const char *name = check->preflight->path;
    const char *version = "";
    struct lwb_error err;

    if (check->first.code != LWB_OK)
        return;
    if (check->manifest) {
        (void)lwb_json_opt_text(check->manifest, "name", name, &name, &err);
        (void)lwb_json_opt_text(check->manifest, "version", version, &version, &err);
        (void)list_names(&commands, lwb_json_find(check->manifest, "commands"), NULL);
        (void)list_names(&streams, lwb_json_find(check->manifest, "streams"), NULL);
    }
    find(check, LWB_PREFLIGHT_INFO, "capability-found", check->preflight->path, NULL,
         "%s%s%s%s%s%s%s", name, *version ? " " : "", version, commands.len ? "; commands " : "",
         commands.len ? lwb_buf_text(&commands) : "", streams.len ? "; streams " : "",
         streams.len ? lwb_buf_text(&streams) : "");
}

/* ---- all of them --------------------------------------------------------------------------- */

static void check_manifest(struct check *check)
{
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_dirname(check->preflight->path);
    LWB_AUTO(lwb_free_text) char *library = NULL;
    const char *name;
    const char *digest;
    struct lwb_error err;

    check_versions(check);
    if (lwb_json_get_text(check->manifest, "library", &name, &err) < 0 ||
        lwb_json_opt_text(check->manifest, "digest", NULL, &digest, &err) < 0) {
        find_malformed(check, err.text);
        return;
    }
    library = folder ? lwb_path_join(folder, name) : NULL;
    if (!library) {
        (void)lwb_fail_memory(&check->first);
        return;
    }
    check_library(check, library, digest);
    check_toolchain(check);
    if (check_lists(check))
        check_export(check);
    say_what_it_is(check);
}

int lwb_capability_preflight(const struct lwb_preflight *preflight, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MANIFEST_MAX);
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct check check = { .preflight = preflight, .first = { .code = LWB_OK } };
    struct lwb_error cause;

    if (!lwb_path_has_suffix(preflight->path, ".json")) {
        check_library(&check, preflight->path, NULL);
        say_what_it_is(&check);
    } else if (lwb_file_read(&text, preflight->path, NULL, &cause) < 0) {
        find(&check, LWB_PREFLIGHT_ERROR, "manifest-unreadable", preflight->path,
             cause.sys == EACCES ? unreadable_hint : "build the target that makes it", "%s",
             cause.text);
    } else if (lwb_json_parse(&json, lwb_buf_bytes(&text), &cause) < 0) {
        find_malformed(&check, cause.text);
    } else {
        check.manifest = json;
        check_manifest(&check);
    }
    if (check.first.code != LWB_OK)
        *err = check.first;
    return check.first.code;
}
