#pragma once

#include "lwbuild/base/digest.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/plan/lake_outputs.h"
#include "lwbuild/plan/witness.h"

/* What `lake build` has left in the build folder of a package, by names and by stat. */
enum {
    LWB_BUILT_OLEAN = 1 << LWB_LAKE_OLEAN, /* a bit for each part, */
    LWB_BUILT_TRACE = 1 << LWB_LAKE_PARTS, /* for A/B.trace */
    LWB_BUILT_HASH = LWB_BUILT_TRACE << 1, /* and A/B.olean.hash */
};

struct lwb_lake_built_module {
    char *stem; /* "A/B" */
    unsigned has;
    struct lwb_file_stat trace; /* both by lwb_lake_built_look */
    struct lwb_file_stat hash;
};

struct lwb_lake_built {
    const char *lib;                       /* borrowed */
    struct lwb_lake_built_module *modules; /* sorted; also what is none but has such files */
    size_t n_modules;
    size_t cap;
    struct lwb_strvec folders; /* relative to lib, sorted; the first is "" */
};

/* Read the names. A folder that is not there, or cannot be read, has none. */
int lwb_lake_built_scan(struct lwb_lake_built *built, const char *lib, struct lwb_error *err);
void lwb_lake_built_release(struct lwb_lake_built *built);
LWB_DEFINE_AUTO(struct lwb_lake_built, lwb_lake_built_release);

/* Whether each module that has a trace has an .olean as well. */
bool lwb_lake_built_is_whole(const struct lwb_lake_built *built);

/* An .olean with a note of its hash, and a trace that may speak of another one. */
static inline bool lwb_lake_built_is_told_twice(const struct lwb_lake_built_module *module)
{
    const unsigned told = LWB_BUILT_OLEAN | LWB_BUILT_TRACE | LWB_BUILT_HASH;

    return (module->has & told) == told;
}

/* Whether there is such a module. */
bool lwb_lake_built_has_notes(const struct lwb_lake_built *built);

/* The path of a module's file: <lib>/A/B.<extension>. */
int lwb_lake_built_path(struct lwb_buf *out, const struct lwb_lake_built *built,
                        const struct lwb_lake_built_module *module, const char *extension,
                        struct lwb_error *err);

/*
 * How all of it looks goes into `hasher`; *newest_ns is raised to the latest time
 * of a file that was looked at. Noted are folders, and of each module the trace
 * or, where there is none, the .olean.
 */
int lwb_lake_built_look(struct lwb_lake_built *built, struct lwb_hasher *hasher, int64_t *newest_ns,
                        struct lwb_witnesses *witnesses, struct lwb_error *err);
