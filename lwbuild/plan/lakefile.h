#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * What a lakefile says as far as it matters for checking modules: packages,
 * libraries, where sources are, and what `lean` is called with. Pure: text in,
 * struct out; folders stay as they are written.
 *
 * Settings that can only change what is built, linked, served or published are
 * left out. Whatever else lwbuild does not understand is LWB_ERR_LAKEFILE with
 * its line: an ignored `autoImplicit = false` would be a wrong green.
 */

/* What `lean` gets, in order. */
struct lwb_lean_settings {
    struct lwb_strvec options; /* "name=value" */
    struct lwb_strvec plugins; /* paths */
};

/* A lean_lib or lean_exe. */
struct lwb_lake_target {
    char *name;
    char *src_dir; /* "." when it says nothing */
    struct lwb_strvec roots;
    struct lwb_strvec globs; /* "A", "A.+", "A.*" */
    struct lwb_lean_settings settings;
    bool executable;
    bool is_default;
};

struct lwb_lake_require {
    char *name;
    char *path; /* NULL: fetched by Lake */
};

struct lwb_lakefile {
    char *name; /* of the package */
    char *src_dir;
    char *packages_dir; /* NULL: where Lake puts them by itself */
    struct lwb_lean_settings settings;
    struct lwb_lake_target *targets;
    size_t n_targets;
    size_t cap_targets;
    struct lwb_lake_require *requires;
    size_t n_requires;
    size_t cap_requires;
};

void lwb_lakefile_release(struct lwb_lakefile *file);
LWB_DEFINE_AUTO(struct lwb_lakefile, lwb_lakefile_release);

/* lakefile.toml. The error starts with "line N: ". */
int lwb_lakefile_read_toml(struct lwb_lakefile *out, struct lwb_bytes text, struct lwb_error *err);

/*
 * lakefile.lean: the declarations that people write. A lakefile is a Lean
 * program; one that computes what matters is refused with the line.
 */
int lwb_lakefile_read_lean(struct lwb_lakefile *out, struct lwb_bytes text, struct lwb_error *err);

/*
 * LWB_ERR_LAKEFILE with the line when a lakefile.lean may come to something else
 * elsewhere: it runs code while it is read, or looks at files or the environment.
 * Whatever it is that looks like that is taken for it, but for the bodies of
 * scripts and targets.
 */
int lwb_lakefile_stands_alone(struct lwb_bytes text, struct lwb_error *err);

/* ---- for the two readers ---- */

/* LWB_ERR_LAKEFILE with "line N: " in front. */
#define lwb_lakefile_fail(err, line, format, ...)                                                  \
    lwb_fail(err, LWB_ERR_LAKEFILE, "line %u: " format, line, ##__VA_ARGS__)

enum lwb_lake_place { LWB_LAKE_PACKAGE, LWB_LAKE_LIBRARY, LWB_LAKE_EXECUTABLE };

/* A setting that cannot change what Lean says about a module. */
bool lwb_lake_key_is_harmless(const char *key, enum lwb_lake_place place);

/* A target whose strings are set but for roots and globs. NULL when memory is out. */
struct lwb_lake_target *lwb_lakefile_add_target(struct lwb_lakefile *file, const char *name,
                                                bool executable);
struct lwb_lake_require *lwb_lakefile_add_require(struct lwb_lakefile *file, const char *name);

/* Command-line arguments of lean: -D and --plugin are understood, a few change nothing. */
int lwb_lean_settings_add_arguments(struct lwb_lean_settings *settings,
                                    const struct lwb_strvec *arguments, unsigned line,
                                    struct lwb_error *err);

/*
 * Fill what was left to defaults: roots from the name, globs from the roots;
 * module names get their one spelling. `defaults` are names of targets.
 */
int lwb_lakefile_finish(struct lwb_lakefile *file, const struct lwb_strvec *defaults,
                        struct lwb_error *err);
