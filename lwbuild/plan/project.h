#pragma once

#include <stdbool.h>

#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * A project as the planner sees it: where modules are, and what Lean is called
 * with for them. A folder without a lakefile is a project with one nameless
 * library whose source root is the folder.
 */
struct lwb_library {
    char *name;                /* "" for the library of a folder without a lakefile */
    char *src_dir;             /* absolute: where its modules' paths start */
    struct lwb_strvec roots;   /* modules at or below these belong to it */
    struct lwb_strvec globs;   /* what to check when it is asked for: "A", "A.+", "A.*" */
    struct lwb_strvec options; /* "name=value": the package's, then its own */
    struct lwb_strvec plugins; /* absolute paths of shared libraries */
    bool whole;                /* a folder without a lakefile: all modules below src_dir */
    bool executable;           /* a lean_exe: one root module */
    bool is_default;           /* checked when nothing is asked for */
};

struct lwb_project {
    char *root;    /* absolute */
    char *package; /* "" without a lakefile */
    bool declared; /* by a lakefile or lean-toolchain, not just a folder one happens to be in */
    struct lwb_library *libraries; /* at least one */
    size_t n_libraries;
    size_t cap;
    struct lwb_strvec search;  /* absolute folders of the packages' .olean files, in order */
    struct lwb_strvec sources; /* beside each: where that package's modules start */
    struct lwb_strvec heads; /* beside each: the file that a checkout changes; "" if people edit */
};

void lwb_project_release(struct lwb_project *project);
LWB_DEFINE_AUTO(struct lwb_project, lwb_project_release);

/*
 * The root of the project that `cwd` (absolute) is in: `given` when not NULL,
 * else the nearest folder upwards with lakefile.lean, lakefile.toml,
 * lean-toolchain or leanpkg.toml. Returns 1 and *out, the caller's; 0 when
 * there is none. A given folder that is not there is LWB_ERR_NO_PROJECT. What
 * was asked for is noted: a file that appears may make another folder the root.
 */
struct lwb_witnesses;
int lwb_project_find_root(char **out, const char *cwd, const char *given,
                          struct lwb_witnesses *witnesses, struct lwb_error *err);

/* Of the installed Lean, as far as the layout of build folders depends on it. */
struct lwb_toolchain;

/*
 * Read what the folder project->root declares: lakefile.lean, else
 * lakefile.toml, else leanpkg.toml, else nothing. `package` names the package
 * to take modules from: NULL for the root's own, else one of those in
 * lake-manifest.json. LWB_ERR_LAKEFILE names file and line, LWB_ERR_TARGET an
 * unknown package. `toolchain` may be NULL; so may `lake`, and then lwbuild's own
 * reading of lakefile.lean is all there is.
 */
struct lwb_lake_source;
int lwb_project_load(struct lwb_project *project, const char *package,
                     const struct lwb_toolchain *toolchain, const struct lwb_lake_source *lake,
                     struct lwb_witnesses *witnesses, struct lwb_error *err);

/* The same without looking: as if the folder declared nothing. */
int lwb_project_load_nothing(struct lwb_project *project, struct lwb_error *err);

/* A library with empty fields at the end of the array; NULL when memory is out. */
struct lwb_library *lwb_project_add_library(struct lwb_project *project, const char *name,
                                            const char *src_dir);
