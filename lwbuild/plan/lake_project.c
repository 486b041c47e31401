#include "lwbuild/plan/lake_project_internal.h"

#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/lake_source.h"
#include "lwbuild/plan/toml.h"
#include "lwbuild/plan/witness.h"

/*
 * From the lakefile of a package to its libraries; from the others, the search
 * path: lake_packages.c.
 */

static void release_loader(struct lwb_lake_loader *loader)
{
    lwb_lakefile_release(&loader->lakefile);
    lwb_lake_manifest_release(&loader->manifest);
    lwb_free(loader->dir);
}
LWB_DEFINE_AUTO(struct lwb_lake_loader, release_loader);

char *lwb_lake_join(const char *a, const char *b, const char *c)
{
    LWB_AUTO(lwb_free_text) char *ab = lwb_path_join(a, b);
    LWB_AUTO(lwb_free_text) char *abc = ab ? lwb_path_join(ab, c) : NULL;

    return abc ? lwb_path_normalise(abc) : NULL;
}

/* ---- files ---- */

struct lean_reader {
    const struct lwb_lake_source *lake;
    struct lwb_lakefile *out;
};

static int read_toml(void *out, struct lwb_bytes text, struct lwb_error *err)
{
    return lwb_lakefile_read_toml(out, text, err);
}

int lwb_lake_read_file(struct lwb_lake_loader *loader, const char *dir, const char *name,
                       size_t max, lwb_lake_reader_fn *reader, void *out)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, name);
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(max);
    int rc = path ? lwb_witnesses_read(loader->witnesses, &text, path, loader->err)
                  : lwb_fail_memory(loader->err);

    if (rc <= 0)
        return rc;
    rc = reader(out, lwb_buf_bytes(&text), loader->err);
    return rc < 0 ? lwb_error_context(loader->err, "%s", path) : 1;
}

/*
 * Lakes that translate leave these out, or write them down: what is in the one
 * must be in the other.
 */
static bool may_have_lost(struct lwb_bytes lean, const struct lwb_buf *toml, const char *word)
{
    return lwb_bytes_contain(lean, word) && !lwb_bytes_contain(lwb_buf_bytes(toml), word);
}

static int ask_lake(const struct lwb_lake_source *lake, struct lwb_bytes text,
                    struct lwb_lakefile *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf toml = LWB_BUF(LWB_LAKEFILE_MAX);
    int rc = lwb_lakefile_stands_alone(text, err);

    if (rc == LWB_OK)
        rc = lake->translate(lake->ctx, text, &toml, err);
    if (rc < 0)
        return rc;
    if (may_have_lost(text, &toml, "plugins") || may_have_lost(text, &toml, "dynlibs"))
        return lwb_fail(err, LWB_ERR_LAKEFILE,
                        "it speaks of plugins or dynlibs, of which lake says nothing");
    rc = lwb_lakefile_read_toml(out, lwb_buf_bytes(&toml), err);
    return rc < 0 ? lwb_error_context(err, "in lake's translation") : LWB_OK;
}

/* The declarations that people write, else what lake makes of it, where it may be asked. */
static int read_lean(void *ctx, struct lwb_bytes text, struct lwb_error *err)
{
    const struct lean_reader *reader = ctx;
    int rc = lwb_lakefile_read_lean(reader->out, text, err);
    size_t len;

    if (rc != LWB_ERR_LAKEFILE)
        return rc;
    if (reader->lake)
        return ask_lake(reader->lake, text, reader->out, err);
    len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof(err->text) - len, " (--ask-lake lets lake tell)");
    return rc;
}

/* Lake takes lakefile.toml only where there is no lakefile.lean. */
static int read_lakefile(struct lwb_lake_loader *loader, const char *dir, struct lwb_lakefile *out)
{
    struct lean_reader reader = { loader->lake, out };
    int rc = lwb_lake_read_file(loader, dir, "lakefile.lean", LWB_LAKEFILE_MAX, read_lean, &reader);

    return rc ? rc
              : lwb_lake_read_file(loader, dir, "lakefile.toml", LWB_LAKEFILE_MAX, read_toml, out);
}

/* ---- libraries ---- */

static int copy_settings(struct lwb_lake_loader *loader, struct lwb_library *library,
                         const struct lwb_lean_settings *settings)
{
    if (lwb_strvec_copy(&library->options, &settings->options))
        return lwb_fail_memory(loader->err);
    for (size_t i = 0; i < settings->plugins.count; i++)
        if (lwb_strvec_append_take(&library->plugins,
                                   lwb_path_absolute(loader->dir, settings->plugins.items[i])))
            return lwb_fail_memory(loader->err);
    return LWB_OK;
}

static int add_target(struct lwb_lake_loader *loader, const struct lwb_lake_target *target)
{
    LWB_AUTO(lwb_free_text)
    char *src_dir = lwb_lake_join(loader->dir, loader->lakefile.src_dir, target->src_dir);
    struct lwb_library *library =
        src_dir ? lwb_project_add_library(loader->project, target->name, src_dir) : NULL;
    int rc;

    if (!library || lwb_strvec_copy(&library->roots, &target->roots) ||
        lwb_strvec_copy(&library->globs, &target->globs))
        return lwb_fail_memory(loader->err);
    library->executable = target->executable;
    library->is_default = target->is_default;
    rc = copy_settings(loader, library, &loader->lakefile.settings);
    return rc < 0 ? rc : copy_settings(loader, library, &target->settings);
}

static int add_targets(struct lwb_lake_loader *loader)
{
    LWB_AUTO(lwb_free_text) char *src_dir = NULL;
    struct lwb_library *rest;
    int rc = LWB_OK;

    for (size_t i = 0; rc == LWB_OK && i < loader->lakefile.n_targets; i++)
        rc = add_target(loader, &loader->lakefile.targets[i]);
    if (rc < 0 || loader->project->n_libraries)
        return rc;
    /* A package without targets: its files can still be named one by one. */
    src_dir = lwb_lake_join(loader->dir, loader->lakefile.src_dir, "");
    rest = src_dir ? lwb_project_add_library(loader->project, "", src_dir) : NULL;
    return rest ? copy_settings(loader, rest, &loader->lakefile.settings)
                : lwb_fail_memory(loader->err);
}

static int take_leanpkg_path(void *out, struct lwb_bytes text, struct lwb_error *err)
{
    LWB_AUTO(lwb_toml_release) struct lwb_toml_document document = { 0 };
    const struct lwb_toml *value;

    if (lwb_toml_parse(&document, text, err) < 0)
        return err->code = LWB_ERR_LAKEFILE;
    value = lwb_toml_get(document.root, "package");
    value = value && value->type == LWB_TOML_TABLE ? lwb_toml_get(value, "path") : NULL;
    if (!value || value->type != LWB_TOML_STRING)
        return LWB_OK;
    *(char **)out = lwb_strdup(value->text);
    return *(char **)out ? LWB_OK : lwb_fail_memory(err);
}

/* No lakefile: all modules of the folder, or of the one that a leanpkg.toml of 2021 names. */
static int add_plain_library(struct lwb_project *project, const char *src_dir,
                             struct lwb_error *err)
{
    struct lwb_library *library = lwb_project_add_library(project, "", src_dir);

    project->package = lwb_strdup("");
    if (!library || !project->package)
        return lwb_fail_memory(err);
    library->whole = true;
    return LWB_OK;
}

static int use_plain_folder(struct lwb_lake_loader *loader)
{
    struct lwb_project *project = loader->project;
    LWB_AUTO(lwb_free_text) char *path = NULL;
    LWB_AUTO(lwb_free_text) char *src_dir = NULL;

    if (lwb_lake_read_file(loader, project->root, "leanpkg.toml", LWB_LAKEFILE_MAX,
                           take_leanpkg_path, &path) < 0)
        return loader->err->code;
    src_dir = lwb_path_absolute(project->root, path ? path : ".");
    return src_dir ? add_plain_library(project, src_dir, loader->err)
                   : lwb_fail_memory(loader->err);
}

int lwb_project_load_nothing(struct lwb_project *project, struct lwb_error *err)
{
    return add_plain_library(project, project->root, err);
}

/* ---- which package ---- */

static int fail_unknown_package(const struct lwb_lake_loader *loader, const char *package)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf known = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_append_text(&known, loader->lakefile.name ? loader->lakefile.name : "");
    for (size_t i = 0; i < loader->manifest.n_packages; i++)
        lwb_buf_format(&known, ", %s", loader->manifest.packages[i].name);
    return lwb_fail(loader->err, LWB_ERR_TARGET, "no package %s in %s, which knows %s", package,
                    loader->project->root, lwb_buf_text(&known));
}

/* Turn to the lakefile of a package that the root depends on. */
static int enter_package(struct lwb_lake_loader *loader, const char *package)
{
    struct lwb_lakefile lakefile = { 0 };
    size_t i = 0;
    int rc;

    while (i < loader->manifest.n_packages &&
           strcmp(loader->manifest.packages[i].name, package) != 0)
        i++;
    if (i == loader->manifest.n_packages)
        return fail_unknown_package(loader, package);
    lwb_free(loader->dir);
    loader->dir = NULL;
    rc = lwb_lake_find_package(loader, &loader->manifest.packages[i], &loader->dir);
    if (rc == LWB_OK)
        rc = read_lakefile(loader, loader->dir, &lakefile);
    if (rc == 0)
        return lwb_fail(loader->err, LWB_ERR_LAKEFILE, "%s: there is no lakefile", loader->dir);
    if (rc > 0) {
        lwb_lakefile_release(&loader->lakefile);
        loader->lakefile = lakefile;
    }
    return rc < 0 ? rc : LWB_OK;
}

int lwb_project_load(struct lwb_project *project, const char *package,
                     const struct lwb_toolchain *toolchain, const struct lwb_lake_source *lake,
                     struct lwb_witnesses *witnesses, struct lwb_error *err)
{
    LWB_AUTO(release_loader)
    struct lwb_lake_loader loader = {
        .project = project,
        .toolchain = toolchain,
        .lake = lake,
        .witnesses = witnesses,
        .err = err,
    };
    int rc;

    loader.dir = lwb_strdup(project->root);
    if (!loader.dir)
        return lwb_fail_memory(err);
    rc = read_lakefile(&loader, project->root, &loader.lakefile);
    if (rc == 0 && package)
        return lwb_fail(err, LWB_ERR_TARGET, "no package %s: there is no lakefile in %s", package,
                        project->root);
    if (rc == 0)
        return use_plain_folder(&loader);
    if (rc > 0)
        rc = lwb_lake_load_packages(&loader);
    if (rc == LWB_OK && package && strcmp(package, loader.lakefile.name) != 0)
        rc = enter_package(&loader, package);
    if (rc == LWB_OK)
        rc = lwb_lake_add_packages(&loader);
    if (rc == LWB_OK)
        rc = add_targets(&loader);
    if (rc < 0)
        return rc;
    project->package = LWB_TAKE(loader.lakefile.name);
    return LWB_OK;
}
