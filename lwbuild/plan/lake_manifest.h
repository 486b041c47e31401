#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * lake-manifest.json, from its number versions of 2022 to today's: which
 * packages a project uses and where they lie. Pure.
 */
struct lwb_lake_package {
    char *name;
    char *dir;     /* of a path dependency, as written; NULL when Lake fetched it */
    char *sub_dir; /* where the package is inside what was fetched; "" */
};

struct lwb_lake_manifest {
    char *packages_dir; /* NULL when it does not say */
    struct lwb_lake_package *packages;
    size_t n_packages;
    size_t cap;
};

void lwb_lake_manifest_release(struct lwb_lake_manifest *manifest);
LWB_DEFINE_AUTO(struct lwb_lake_manifest, lwb_lake_manifest_release);

int lwb_lake_manifest_read(struct lwb_lake_manifest *out, struct lwb_bytes text,
                           struct lwb_error *err);
