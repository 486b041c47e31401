#pragma once

#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/plan/digest_source.h"

/*
 * The Lean installation that a project uses. Found once per run and then
 * called directly by its prefix, never through elan's proxy, which may
 * download.
 */
struct lwb_toolchain {
    char *prefix;  /* canonical: <prefix>/bin/lean, <prefix>/lib/lean */
    char *name;    /* as it was asked for: "leanprover/lean4:v4.9.0", or the prefix */
    char *origin;  /* who said so: "--toolchain", "lean-toolchain file /p/lean-toolchain", ... */
    char *version; /* "4.9.0", "4.0.0-nightly-2021-11-29" */
    char *githash; /* "" when unknown */
    unsigned major, minor, patch;
    char date[11];              /* "2021-11-29" of a nightly, else "" */
    struct lwb_digest identity; /* of bin/lean and the shared libraries, by content */

    /* What was looked at on the way, for depfile and snapshot. */
    struct lwb_strvec files;     /* read or digested: identity files, lean-toolchain, settings.toml;
                                 and the folders that were searched for libraries */
    struct lwb_file_stat *stats; /* what each of them looked like before it was read */
    size_t cap_stats;
    struct lwb_strvec absent; /* asked for and not there */
};

struct lwb_toolchain_request {
    const char *given;              /* --toolchain: a path or an elan name; NULL */
    const char *project;            /* absolute folder whose lean-toolchain file counts; NULL */
    const char *const *environment; /* envp: ELAN_HOME, ELAN_TOOLCHAIN, LEAN_SYSROOT, HOME, PATH */
};

/*
 * The first of these that says anything decides, and one that names a
 * toolchain which is not installed is an error, not passed over:
 *
 * 1. `given`: a folder, or a name as elan takes it ("v4.9.0", "org/repo:tag");
 * 2. LEAN_SYSROOT, a folder;
 * 3. ELAN_TOOLCHAIN, a name;
 * 4. in `project` and the folders above it, the nearest of: an override in
 *    elan's settings, lean-toolchain, leanpkg.toml;
 * 5. elan's default toolchain;
 * 6. a `lean` in PATH that is not elan's.
 *
 * A channel ("stable") is the newest of that channel that is installed: what
 * is newest elsewhere only elan can say, and it would download.
 */

/* LWB_ERR_NO_TOOLCHAIN when there is none: the text says where it looked and how to install one. */
int lwb_toolchain_find(struct lwb_toolchain *out, const struct lwb_toolchain_request *request,
                       const struct lwb_digest_source *digests, struct lwb_error *err);
void lwb_toolchain_release(struct lwb_toolchain *toolchain);
LWB_DEFINE_AUTO(struct lwb_toolchain, lwb_toolchain_release);
