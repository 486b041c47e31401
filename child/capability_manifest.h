#pragma once

#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * Which library a session wants, and what it must offer. A path that ends in
 * ".json" is a manifest:
 *
 *     { "library": "libfoo.so",              relative to the manifest
 *       "digest": "<64 hex digits>",         optional: SHA-256 of the library
 *       "commands": ["count"],               optional: exports that must be there
 *       "streams": ["lines"] }
 *
 * Any other path is the library itself, with nothing demanded beyond the ABI.
 */
struct lwb_capability_manifest {
    char *library; /* absolute if the path was */
    struct lwb_strvec commands;
    struct lwb_strvec streams;
};

/* The digest, if there is one, has been compared. */
int lwb_capability_manifest_read(struct lwb_capability_manifest *out, const char *path,
                                 struct lwb_error *err);
void lwb_capability_manifest_release(struct lwb_capability_manifest *manifest);
LWB_DEFINE_AUTO(struct lwb_capability_manifest, lwb_capability_manifest_release);
