#pragma once

#include "lwbuild/plan/lake_manifest.h"
#include "lwbuild/plan/lakefile.h"
#include "lwbuild/plan/project.h"

/* What lake_project.c and lake_packages.c share: one project while it is loaded. */

enum { LWB_LAKEFILE_MAX = 4 * 1024 * 1024 };

struct lwb_lake_loader {
    struct lwb_project *project;
    const struct lwb_toolchain *toolchain;
    const struct lwb_lake_source *lake; /* NULL: not to be asked */
    struct lwb_witnesses *witnesses;
    struct lwb_lakefile lakefile;
    struct lwb_lake_manifest manifest;
    char *dir; /* of the package whose modules are wanted */
    struct lwb_error *err;
};

/* a/b/c, normalised; NULL when memory is out. */
char *lwb_lake_join(const char *a, const char *b, const char *c);

/* 1 when dir/name was there and has been read. Errors name the file. */
typedef int lwb_lake_reader_fn(void *out, struct lwb_bytes text, struct lwb_error *err);
int lwb_lake_read_file(struct lwb_lake_loader *loader, const char *dir, const char *name,
                       size_t max, lwb_lake_reader_fn *reader, void *out);

/* ---- lake_packages.c ---- */

/* What lake-manifest.json lists, else what the lakefile requires. */
int lwb_lake_load_packages(struct lwb_lake_loader *loader);

/* The folder of a package, whether it is there or not: the caller's. */
int lwb_lake_find_package(struct lwb_lake_loader *loader, const struct lwb_lake_package *package,
                          char **out);

/* To the search path: all packages but the one whose modules are checked. */
int lwb_lake_add_packages(struct lwb_lake_loader *loader);
