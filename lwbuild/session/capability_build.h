#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/session/capability_preflight.h"

/*
 * A capability from a Lean project: what add_lean_capability() does in a build
 * in CMake, for programs and for lwbuild capability build. The recipe is the
 * same one: the library carries those scripts, lays them into `folder`, and has
 * CMake run them. So CMake (3.20 or newer), ar and a C compiler are needed here,
 * though not to open what was built.
 *
 * With a lakefile `lake build` builds the modules, in the project's own build
 * folder and with all that this implies, fetching packages for example. Without
 * one, lean and leanc do, in `folder`. What is up to date, by content, is left
 * alone; two that build into one folder wait for each other.
 */
struct lwb_capability_project {
    const char *root;    /* folder of the Lean project */
    const char *library; /* root module, such as "Survey" for Survey.lean */
    const char *package; /* for the record; NULL */
    const char *name;    /* of the capability, its library and manifest; NULL: as `library` */
    const char *version; /* NULL: "1" */
    const char *folder;  /* is made, and kept for the next time; NULL: <root>/.lake/lwbuild */

    /* Exports by the name in @[export name], or "command=name". One command or stream at least. */
    const struct lwb_strvec *commands; /* String -> IO String */
    const struct lwb_strvec *streams;  /* String -> USize -> USize -> IO UInt8 */
    const char *metadata;              /* NULL: made from the lists */
    const char *doctor;                /* NULL: well when Lean has started */

    const char *toolchain; /* folder above bin/lean, or a name of elan's; NULL: the project's */
    const struct lwb_strvec *lake_targets; /* NULL: the library */
    bool no_lake;                          /* not even if there is a lakefile */
    const char *cmake;                     /* NULL: "cmake"; names are looked for in PATH */
    const char *compiler;                  /* NULL: "cc" */

    uint64_t timeout_ms; /* for all of it; 0: LWB_CAPABILITY_BUILD_TIMEOUT_MS */
    int stop_fd;         /* when it becomes readable the build is ended; -1: never */

    void (*said)(void *ctx, struct lwb_bytes output); /* what the tools say; NULL */
    void (*found)(void *ctx, const struct lwb_preflight_finding *finding); /* NULL */
    void *ctx;
};

enum { LWB_CAPABILITY_BUILD_TIMEOUT_MS = 30 * 60 * 1000 };

#define LWB_CAPABILITY_PROJECT_DEFAULTS ((struct lwb_capability_project){ .stop_fd = -1 })

/*
 * *manifest is the path of the manifest, absolute if `folder` is, and the caller's. What is built
 * is not looked over: lwb_capability_preflight does that.
 *
 * LWB_ERR_USAGE for a project that makes no sense; LWB_ERR_TIMEOUT and
 * LWB_ERR_CANCELLED; else LWB_ERR_CAPABILITY_BUILD with facts.child_code, one of
 *
 *     project-missing    there is no such folder, or no such module in it
 *     toolchain-missing  no Lean for the project
 *     tool-missing       cmake, lake or another program is not there
 *     lake-failed        lake build ended with an error
 *     lean-failed        Lean has refused a module
 *     compile-failed     leanc, the C compiler or ar has failed
 *     module-missing     Lake has not built what the library imports
 *     export-missing     no module exports a function of that name
 *     export-type        it is there, and of another type
 *     lean-unknown       what this Lean writes is not understood
 *     build-failed       something else: the text ends with what was said
 *
 * The text says what to do, and ends with the first error that a tool printed.
 * The same goes to `found`, in parts; "capability-built" is the finding when all is well.
 */
int lwb_capability_build(char **manifest, const struct lwb_capability_project *project,
                         struct lwb_error *err);
