#include "lwbuild/plan/lake_manifest.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"

static void release_package(struct lwb_lake_package *package)
{
    lwb_free(package->name);
    lwb_free(package->dir);
    lwb_free(package->sub_dir);
}

void lwb_lake_manifest_release(struct lwb_lake_manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_packages; i++)
        release_package(&manifest->packages[i]);
    lwb_free(manifest->packages);
    lwb_free(manifest->packages_dir);
    *manifest = (struct lwb_lake_manifest){ 0 };
}

static int fail(struct lwb_error *err, const char *what)
{
    return lwb_fail(err, LWB_ERR_LAKEFILE, "%s", what);
}

/* «doc-gen4» lies in a folder called doc-gen4. */
static char *plain_name(const char *name)
{
    static const char open[] = "\xC2\xAB";
    size_t len = strlen(name);

    if (len > 4 && strncmp(name, open, 2) == 0)
        return lwb_strndup(name + 2, len - 4);
    return lwb_strdup(name);
}

/* Names become folders; one that leads elsewhere is no name. */
static bool is_folder_name(const char *name)
{
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/');
}

static int add_package(struct lwb_lake_manifest *manifest, const char *name, const char *dir,
                       const char *sub_dir, struct lwb_error *err)
{
    struct lwb_lake_package package = {
        .name = plain_name(name),
        .dir = dir ? lwb_strdup(dir) : NULL,
        .sub_dir = lwb_strdup(sub_dir),
    };

    if (!package.name || (dir && !package.dir) || !package.sub_dir ||
        lwb_grow(&manifest->packages, &manifest->cap, manifest->n_packages, sizeof(package))) {
        release_package(&package);
        return lwb_fail_memory(err);
    }
    manifest->packages[manifest->n_packages++] = package;
    if (!is_folder_name(package.name))
        return lwb_fail(err, LWB_ERR_LAKEFILE, "'%s' cannot be the name of a package",
                        package.name);
    return LWB_OK;
}

/*
 * An entry is flat with a "type" (version 7 and later), tagged by its kind
 * ({"git": {...}}, versions 3 to 6), or flat without one (2: all from git).
 */
static int read_package(struct lwb_lake_manifest *manifest, const cJSON *entry,
                        struct lwb_error *err)
{
    const cJSON *git = lwb_json_find(entry, "git");
    const cJSON *path = lwb_json_find(entry, "path");
    const char *type = lwb_json_text(lwb_json_find(entry, "type"));
    const cJSON *fields = git ? git : path && !lwb_json_text(path) ? path : entry;
    const char *name = lwb_json_text(lwb_json_find(fields, "name"));
    const char *dir = lwb_json_text(lwb_json_find(fields, "dir"));
    const char *sub_dir = lwb_json_text(lwb_json_find(fields, "subDir"));
    bool is_path = type ? strcmp(type, "path") == 0 : fields == path;

    if (!sub_dir)
        sub_dir = lwb_json_text(lwb_json_find(fields, "subDir?"));
    if (!name)
        return fail(err, "a package without a name");
    if (type && !is_path && strcmp(type, "git") != 0)
        return lwb_fail(err, LWB_ERR_LAKEFILE,
                        "package %s is of type %s, which lwbuild does not know", name, type);
    if (is_path && !dir)
        return lwb_fail(err, LWB_ERR_LAKEFILE, "package %s has no dir", name);
    return add_package(manifest, name, is_path ? dir : NULL, sub_dir ? sub_dir : "", err);
}

int lwb_lake_manifest_read(struct lwb_lake_manifest *out, struct lwb_bytes text,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    LWB_AUTO(lwb_lake_manifest_release) struct lwb_lake_manifest manifest = { 0 };
    const cJSON *packages = NULL;
    const cJSON *entry;
    const char *dir;
    int rc = lwb_json_parse(&json, text, err);

    if (rc == LWB_ERR_FORMAT)
        err->code = LWB_ERR_LAKEFILE;
    if (rc < 0)
        return err->code;
    packages = lwb_json_find(json, "packages");
    if (packages && !cJSON_IsArray(packages))
        return fail(err, "packages is not an array");
    dir = lwb_json_text(lwb_json_find(json, "packagesDir"));
    if (dir) {
        manifest.packages_dir = lwb_strdup(dir);
        if (!manifest.packages_dir)
            return lwb_fail_memory(err);
    }
    cJSON_ArrayForEach(entry, packages)
    {
        rc = read_package(&manifest, entry, err);
        if (rc < 0)
            return rc;
    }
    *out = LWB_TAKE(manifest);
    return LWB_OK;
}
