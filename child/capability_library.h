#pragma once

#include "child/capability_manifest.h"
#include "lwbuild/capability.h"

/*
 * A capability library that was loaded and looked over: it speaks our ABI, its
 * table is whole, and what the manifest demands is there. Nothing of it has
 * been run but the two functions that say so.
 */
struct lwb_capability_library {
    void *handle; /* of dlopen */
    const struct lwb_capability *table;
};

/* LWB_ERR_SETUP names all that is missing, not only the first. */
int lwb_capability_library_load(struct lwb_capability_library *out,
                                const struct lwb_capability_manifest *manifest,
                                struct lwb_error *err);
void lwb_capability_library_unload(struct lwb_capability_library *library);
LWB_DEFINE_AUTO(struct lwb_capability_library, lwb_capability_library_unload);

/* NULL if there is none. */
const struct lwb_capability_export *
lwb_capability_library_find(const struct lwb_capability_library *library,
                            enum lwb_capability_kind kind, const char *name);

/* "command", "stream", ... */
const char *lwb_capability_kind_name(enum lwb_capability_kind kind);
