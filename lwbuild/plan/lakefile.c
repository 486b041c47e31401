#include "lwbuild/plan/lakefile.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/module_name.h"

static void release_settings(struct lwb_lean_settings *settings)
{
    lwb_strvec_release(&settings->options);
    lwb_strvec_release(&settings->plugins);
}

static void release_target(struct lwb_lake_target *target)
{
    lwb_free(target->name);
    lwb_free(target->src_dir);
    lwb_strvec_release(&target->roots);
    lwb_strvec_release(&target->globs);
    release_settings(&target->settings);
}

void lwb_lakefile_release(struct lwb_lakefile *file)
{
    for (size_t i = 0; i < file->n_targets; i++)
        release_target(&file->targets[i]);
    for (size_t i = 0; i < file->n_requires; i++) {
        lwb_free(file->requires[i].name);
        lwb_free(file->requires[i].path);
    }
    lwb_free(file->targets);
    lwb_free(file->requires);
    lwb_free(file->name);
    lwb_free(file->src_dir);
    lwb_free(file->packages_dir);
    release_settings(&file->settings);
    *file = (struct lwb_lakefile){ 0 };
}

/*
 * Names are sorted by what they are about. precompileModules is here because
 * it only makes native code available: without it Lean may refuse what it could
 * not run, never accept more.
 */
bool lwb_lake_key_is_harmless(const char *key, enum lwb_lake_place place)
{
    static const char *const everywhere[] = {
        "backend",
        "buildType",
        "defaultFacets",
        "extraDepTargets",
        "moreGlobalServerArgs",
        "moreLeancArgs",
        "moreLinkArgs",
        "moreLinkLibs",
        "moreLinkObjs",
        "moreServerArgs",
        "moreServerOptions",
        "nativeFacets",
        "needs",
        "platformIndependent",
        "precompileModules",
        "weakLeancArgs",
        "weakLinkArgs",
        "allowImportAll",
    };
    static const char *const package[] = {
        "binDir",
        "buildArchive",
        "buildArchive?",
        "buildDir",
        "description",
        "enableArtifactCache",
        "enableArtifactCache?",
        "homepage",
        "irDir",
        "keywords",
        "leanLibDir",
        "libDir",
        "license",
        "licenseFiles",
        "lintDriver",
        "lintDriverArgs",
        "manifestFile",
        "nativeLibDir",
        "preferReleaseBuild",
        "readmeFile",
        "releaseRepo",
        "releaseRepo?",
        "reservoir",
        "restoreAllArtifacts",
        "testDriver",
        "testDriverArgs",
        "testRunner",
        "version",
        "versionTags",
        "libPrefixOnWindows",
        "bootstrap",
        "fixedToolchain",
    };
    static const char *const target[] = { "exeName", "libName", "libPrefixOnWindows",
                                          "supportInterpreter", "extraFacets" };

    for (size_t i = 0; i < LWB_COUNT(everywhere); i++)
        if (strcmp(key, everywhere[i]) == 0)
            return true;
    for (size_t i = 0; place == LWB_LAKE_PACKAGE && i < LWB_COUNT(package); i++)
        if (strcmp(key, package[i]) == 0)
            return true;
    for (size_t i = 0; place != LWB_LAKE_PACKAGE && i < LWB_COUNT(target); i++)
        if (strcmp(key, target[i]) == 0)
            return true;
    return false;
}

struct lwb_lake_target *lwb_lakefile_add_target(struct lwb_lakefile *file, const char *name,
                                                bool executable)
{
    struct lwb_lake_target target = {
        .name = lwb_strdup(name),
        .src_dir = lwb_strdup("."),
        .executable = executable,
    };

    if (!target.name || !target.src_dir ||
        lwb_grow(&file->targets, &file->cap_targets, file->n_targets, sizeof(target))) {
        release_target(&target);
        return NULL;
    }
    file->targets[file->n_targets] = target;
    return &file->targets[file->n_targets++];
}

struct lwb_lake_require *lwb_lakefile_add_require(struct lwb_lakefile *file, const char *name)
{
    struct lwb_lake_require require = { .name = lwb_strdup(name) };

    if (!require.name ||
        lwb_grow(&file->requires, &file->cap_requires, file->n_requires, sizeof(require))) {
        lwb_free(require.name);
        return NULL;
    }
    file->requires[file->n_requires] = require;
    return &file->requires[file->n_requires++];
}

/* ---- arguments of lean ---- */

/* Whether `flag` stands there; *value is what is behind it in this or the next argument. */
static bool take_value(const struct lwb_strvec *arguments, size_t *at, const char *flag,
                       const char **value)
{
    const char *argument = arguments->items[*at];
    size_t len = strlen(flag);
    bool is_long = flag[1] == '-';

    if (strncmp(argument, flag, len) != 0)
        return false;
    if (argument[len] == '=' && is_long)
        *value = argument + len + 1;
    else if (argument[len] && !is_long)
        *value = argument + len;
    else if (!argument[len] && *at + 1 < arguments->count)
        *value = arguments->items[++*at];
    else
        return false;
    return true;
}

static bool changes_nothing(const char *argument)
{
    static const char *const words[] = { "-q", "--quiet", "--profile", "--stats", "--json" };

    for (size_t i = 0; i < LWB_COUNT(words); i++)
        if (strcmp(argument, words[i]) == 0)
            return true;
    return strncmp(argument, "-j", 2) == 0 || strncmp(argument, "--threads=", 10) == 0;
}

/* 1 for what is not understood, -1 when memory is out. */
static int add_argument(struct lwb_lean_settings *settings, const struct lwb_strvec *arguments,
                        size_t *at)
{
    const char *value = NULL;

    if (take_value(arguments, at, "-D", &value))
        return strchr(value, '=') ? lwb_strvec_append(&settings->options, value) : 1;
    if (take_value(arguments, at, "--plugin", &value))
        return lwb_strvec_append(&settings->plugins, value);
    return changes_nothing(arguments->items[*at]) ? 0 : 1;
}

int lwb_lean_settings_add_arguments(struct lwb_lean_settings *settings,
                                    const struct lwb_strvec *arguments, unsigned line,
                                    struct lwb_error *err)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const char *argument = arguments->items[i];
        int rc = add_argument(settings, arguments, &i);

        if (rc > 0)
            return lwb_lakefile_fail(err, line, "lwbuild cannot pass '%s' to lean", argument);
        if (rc < 0)
            return lwb_fail_memory(err);
    }
    return LWB_OK;
}

/* ---- defaults ---- */

/* One spelling, in place. A name that Lean cannot read as such is one component: "foo-bar". */
static int spell(char **name, const char *suffix, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf spelled = LWB_BUF(64 * 1024);
    struct lwb_bytes text = lwb_bytes(*name, strlen(*name) - strlen(suffix));

    if (!lwb_module_name_append(&spelled, text)) {
        lwb_buf_clear(&spelled);
        if (memchr(text.ptr, '/', text.len) || !lwb_module_name_from_path(&spelled, text))
            return lwb_fail(err, LWB_ERR_LAKEFILE, "'%s' cannot be the name of a module", *name);
    }
    lwb_buf_append_text(&spelled, suffix);
    if (!lwb_buf_ok(&spelled))
        return lwb_fail_memory(err);
    lwb_free(*name);
    *name = lwb_buf_take(&spelled);
    return *name ? LWB_OK : lwb_fail_memory(err);
}

static const char *glob_suffix(const char *glob)
{
    if (lwb_path_has_suffix(glob, ".+"))
        return ".+";
    return lwb_path_has_suffix(glob, ".*") ? ".*" : "";
}

static int finish_target(struct lwb_lake_target *target, struct lwb_error *err)
{
    int rc = LWB_OK;

    if (!target->roots.count && lwb_strvec_append(&target->roots, target->name))
        return lwb_fail_memory(err);
    for (size_t i = 0; rc == LWB_OK && i < target->roots.count; i++)
        rc = spell(&target->roots.items[i], "", err);
    if (rc == LWB_OK && !target->globs.count)
        return lwb_strvec_copy(&target->globs, &target->roots) ? lwb_fail_memory(err) : LWB_OK;
    for (size_t i = 0; rc == LWB_OK && i < target->globs.count; i++)
        rc = spell(&target->globs.items[i], glob_suffix(target->globs.items[i]), err);
    return rc;
}

/* "lib", "pkg/lib", "@pkg/lib:facet": the target's own name is enough here. */
static bool names_target(const char *given, const char *name)
{
    const char *slash = strrchr(given, '/');
    size_t len;

    given = slash ? slash + 1 : given;
    len = strcspn(given, ":");
    return len == strlen(name) && strncmp(given, name, len) == 0;
}

int lwb_lakefile_finish(struct lwb_lakefile *file, const struct lwb_strvec *defaults,
                        struct lwb_error *err)
{
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < file->n_targets; i++) {
        rc = finish_target(&file->targets[i], err);
        for (size_t k = 0; k < defaults->count; k++)
            if (names_target(defaults->items[k], file->targets[i].name))
                file->targets[i].is_default = true;
    }
    return rc;
}
