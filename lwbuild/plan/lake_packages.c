#include "lwbuild/plan/lake_project_internal.h"

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/toml.h"
#include "lwbuild/plan/toolchain.h"
#include "lwbuild/plan/witness.h"

/*
 * Where the packages that a project depends on are, and their .olean files,
 * which has changed over the years:
 *
 *     packages   lean_packages (2021), lake-packages (2022), .lake/packages (4.3)
 *     .olean     build/lib, .lake/build/lib (4.3), .lake/build/lib/lean (4.18)
 *
 * The newest layout that is there counts, of those that the Lean in use may
 * have made. Of a package's own lakefile nothing is read but in lakefile.toml
 * the folder that it builds in.
 */
enum { MAX_MANIFEST = 16 * 1024 * 1024 };

/* 1 if the folder exists; noted either way. */
static int probe(struct lwb_lake_loader *loader, const char *dir)
{
    return dir ? lwb_witnesses_probe(loader->witnesses, dir, loader->err)
               : lwb_fail_memory(loader->err);
}

static int read_manifest(void *out, struct lwb_bytes text, struct lwb_error *err)
{
    return lwb_lake_manifest_read(out, text, err);
}

/* ---- where packages are ---- */

/* The folder of a fetched package; the place of today when it is in none. */
static int find_fetched(struct lwb_lake_loader *loader, const char *name, char **out)
{
    static const char *const places[] = { ".lake/packages", "lake-packages", "lean_packages" };
    const char *root = loader->project->root;
    const char *declared = loader->manifest.packages_dir ? loader->manifest.packages_dir
                                                         : loader->lakefile.packages_dir;
    int rc = 0;

    if (declared) {
        *out = lwb_lake_join(root, declared, name);
        return *out ? LWB_OK : lwb_fail_memory(loader->err);
    }
    for (size_t i = 0; rc == 0 && i < LWB_COUNT(places); i++) {
        LWB_AUTO(lwb_free_text) char *dir = lwb_lake_join(root, places[i], name);

        rc = probe(loader, dir);
        if (rc > 0)
            *out = LWB_TAKE(dir);
    }
    if (rc == 0) {
        *out = lwb_lake_join(root, places[0], name);
        return *out ? LWB_OK : lwb_fail_memory(loader->err);
    }
    return rc < 0 ? rc : LWB_OK;
}

int lwb_lake_find_package(struct lwb_lake_loader *loader, const struct lwb_lake_package *package,
                          char **out)
{
    LWB_AUTO(lwb_free_text) char *fetched = NULL;
    int rc;

    if (package->dir) {
        *out = lwb_path_absolute(loader->project->root, package->dir);
        return *out ? LWB_OK : lwb_fail_memory(loader->err);
    }
    rc = find_fetched(loader, package->name, &fetched);
    if (rc < 0)
        return rc;
    *out = lwb_lake_join(fetched, package->sub_dir, "");
    return *out ? LWB_OK : lwb_fail_memory(loader->err);
}

/* ---- where their .olean files are ---- */

struct package_dirs {
    char *build; /* NULL: where Lake puts it by itself */
    char *src;   /* NULL: "." */
};

static void release_dirs(struct package_dirs *dirs)
{
    lwb_free(dirs->build);
    lwb_free(dirs->src);
}
LWB_DEFINE_AUTO(struct package_dirs, release_dirs);

static int take_text(char **out, const struct lwb_toml *table, const char *key,
                     struct lwb_error *err)
{
    const struct lwb_toml *value = lwb_toml_get(table, key);

    if (!value || value->type != LWB_TOML_STRING)
        return LWB_OK;
    *out = lwb_strdup(value->text);
    return *out ? LWB_OK : lwb_fail_memory(err);
}

static int take_dirs(void *out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    struct package_dirs *dirs = out;
    int rc = lwb_toml_parse(&document, text, err);

    if (rc == LWB_OK)
        rc = take_text(&dirs->build, document.root, "buildDir", err);
    return rc == LWB_OK ? take_text(&dirs->src, document.root, "srcDir", err) : rc;
}

static bool may_have_lib_lean(const struct lwb_lake_loader *loader)
{
    return !loader->toolchain || loader->toolchain->minor >= 18;
}

/* Where its .olean files are: *out, the caller's. */
static int find_olean_folder(struct lwb_lake_loader *loader, const char *package,
                             const char *declared, char **out)
{
    const char *const builds[] = { declared ? declared : ".lake/build", "build" };
    const char *const libs[] = { "lib/lean", "lib" };
    size_t n_candidates = declared ? 2 : 4;
    char *found = NULL;
    int rc = 0;

    for (size_t i = 0; rc >= 0 && !found && i < n_candidates; i++) {
        const char *lib = libs[i % 2];
        LWB_AUTO(lwb_free_text) char *dir = lwb_lake_join(package, builds[i / 2], lib);

        if (strcmp(lib, "lib/lean") == 0 && !may_have_lib_lean(loader))
            continue;
        rc = probe(loader, dir);
        if (rc > 0)
            found = LWB_TAKE(dir);
    }
    if (rc < 0)
        return rc;
    /* A package that was not built: its folder is named where the import is missing. */
    if (!found)
        found = lwb_lake_join(package, builds[0], libs[!may_have_lib_lean(loader)]);
    *out = found;
    return found ? LWB_OK : lwb_fail_memory(loader->err);
}

/*
 * A fetched package changes when another revision is checked out; in the others
 * people edit.
 */
static int add_package(struct lwb_lake_loader *loader, const char *dir, bool fetched)
{
    LWB_AUTO(release_dirs) struct package_dirs dirs = { 0 };
    struct lwb_project *project = loader->project;
    int rc = lwb_lake_read_file(loader, dir, "lakefile.toml", LWB_LAKEFILE_MAX, take_dirs, &dirs);
    char *search = NULL;

    if (rc >= 0)
        rc = find_olean_folder(loader, dir, dirs.build, &search);
    if (rc < 0)
        return rc;
    if (lwb_strvec_append_take(&project->search, search) ||
        lwb_strvec_append_take(&project->sources,
                               lwb_lake_join(dir, dirs.src ? dirs.src : "", "")) ||
        lwb_strvec_append_take(&project->heads,
                               fetched ? lwb_lake_join(dir, ".git", "HEAD") : lwb_strdup("")))
        return lwb_fail_memory(loader->err);
    return LWB_OK;
}

int lwb_lake_add_packages(struct lwb_lake_loader *loader)
{
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < loader->manifest.n_packages; i++) {
        LWB_AUTO(lwb_free_text) char *dir = NULL;

        rc = lwb_lake_find_package(loader, &loader->manifest.packages[i], &dir);
        if (rc == LWB_OK && strcmp(dir, loader->dir) != 0)
            rc = add_package(loader, dir, !loader->manifest.packages[i].dir);
    }
    return rc;
}

/* Without a manifest, what the lakefile requires is all that is known. */
static int list_requires(struct lwb_lake_loader *loader)
{
    struct lwb_lake_manifest *manifest = &loader->manifest;

    for (size_t i = 0; i < loader->lakefile.n_requires; i++) {
        const struct lwb_lake_require *require = &loader->lakefile.requires[i];
        struct lwb_lake_package package = {
            .name = lwb_strdup(require->name),
            .dir = require->path ? lwb_strdup(require->path) : NULL,
            .sub_dir = lwb_strdup(""),
        };

        if (!package.name || !package.sub_dir || (require->path && !package.dir) ||
            lwb_grow(&manifest->packages, &manifest->cap, manifest->n_packages, sizeof(package))) {
            lwb_free(package.name);
            lwb_free(package.dir);
            lwb_free(package.sub_dir);
            return lwb_fail_memory(loader->err);
        }
        manifest->packages[manifest->n_packages++] = package;
    }
    return LWB_OK;
}

int lwb_lake_load_packages(struct lwb_lake_loader *loader)
{
    int rc = lwb_lake_read_file(loader, loader->project->root, "lake-manifest.json", MAX_MANIFEST,
                                read_manifest, &loader->manifest);

    return rc == 0 ? list_requires(loader) : rc < 0 ? rc : LWB_OK;
}
