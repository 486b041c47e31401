#include "child/capability_manifest.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "lwbuild/base/path.h"

enum { MANIFEST_MAX = 1024 * 1024 };

void lwb_capability_manifest_release(struct lwb_capability_manifest *manifest)
{
    lwb_free(manifest->library);
    lwb_strvec_release(&manifest->commands);
    lwb_strvec_release(&manifest->streams);
    *manifest = (struct lwb_capability_manifest){ 0 };
}

/* A list of texts that may be absent. */
static int read_names(struct lwb_strvec *out, const cJSON *json, const char *key,
                      struct lwb_error *err)
{
    const cJSON *array;
    const cJSON *item;

    if (!lwb_json_find(json, key))
        return LWB_OK;
    if (lwb_json_get_array(json, key, &array, err) < 0)
        return err->code;
    cJSON_ArrayForEach(item, array)
    {
        if (!lwb_json_text(item))
            return lwb_fail(err, LWB_ERR_FORMAT, "\"%s\" holds what is not a text", key);
        if (lwb_strvec_append(out, lwb_json_text(item)))
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}

static int compare_digest(const char *library, const char *expected, struct lwb_error *err)
{
    struct lwb_digest wanted;
    struct lwb_digest found;

    if (!expected)
        return LWB_OK;
    if (lwb_digest_parse(&wanted, lwb_bytes_text(expected)))
        return lwb_fail(err, LWB_ERR_FORMAT, "\"digest\" is not 64 hexadecimal digits");
    if (lwb_digest_file(&found, library, err) < 0)
        return err->code;
    if (lwb_digest_compare(&wanted, &found) != 0)
        return lwb_fail(err, LWB_ERR_SETUP, "%s is not the library that the manifest was made for",
                        library);
    return LWB_OK;
}

static int read_members(struct lwb_capability_manifest *out, const cJSON *json, const char *path,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_dirname(path);
    const char *library;
    const char *digest;

    if (!folder)
        return lwb_fail_memory(err);
    if (lwb_json_get_text(json, "library", &library, err) < 0 ||
        lwb_json_opt_text(json, "digest", NULL, &digest, err) < 0 ||
        read_names(&out->commands, json, "commands", err) < 0 ||
        read_names(&out->streams, json, "streams", err) < 0)
        return err->code;
    out->library = lwb_path_join(folder, library);
    if (!out->library)
        return lwb_fail_memory(err);
    return compare_digest(out->library, digest, err);
}

static int read_manifest(struct lwb_capability_manifest *out, const char *path,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MANIFEST_MAX);
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;

    if (lwb_file_read(&text, path, NULL, err) < 0)
        return err->code;
    if (lwb_json_parse(&json, lwb_buf_bytes(&text), err) < 0 ||
        read_members(out, json, path, err) < 0)
        return lwb_error_context(err, "%s", path);
    return LWB_OK;
}

int lwb_capability_manifest_read(struct lwb_capability_manifest *out, const char *path,
                                 struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_manifest_release) struct lwb_capability_manifest manifest = { 0 };
    int rc = LWB_OK;

    if (lwb_path_has_suffix(path, ".json"))
        rc = read_manifest(&manifest, path, err);
    else if (!(manifest.library = lwb_strdup(path)))
        rc = lwb_fail_memory(err);
    if (rc < 0)
        return rc;
    *out = LWB_TAKE(manifest);
    return LWB_OK;
}
