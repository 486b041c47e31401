#pragma once

#include <stdbool.h>

#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/plan/digest_source.h"
#include "lwbuild/plan/lake_source.h"
#include "lwbuild/plan/listing.h"
#include "lwbuild/plan/toolchain.h"

/*
 * What to check, in which order and together with what, found out without
 * running Lean: project, modules, import graph, batches. Reads files, starts
 * nothing, and writes nothing but trees of links: of a lakefile.lean it takes the declarations that
 * people write (lakefile.h), and refuses what it would have to run, unless the caller hands
 * in somebody who runs it (lake_source.h).
 */
struct lwb_plan;

/*
 * A part of a plan that was made before: modules by what that plan said of them.
 * For a caller who knows that the project, its folders and all other sources
 * are what they were then.
 */
struct lwb_plan_part {
    const struct lwb_strvec *source_roots; /* lwb_plan_source_roots */
    /* Each behind its imports; name, path, source_root, library, listed and loose are read. */
    const struct lwb_plan_module *modules;
    size_t n_modules;
};

/* Strings are borrowed until create returns. Paths may be relative to `cwd`. */
struct lwb_plan_config {
    const char *cwd;     /* absolute */
    const char *project; /* NULL: nearest lakefile or lean-toolchain above cwd, or none */
    const char *package; /* NULL: the root package */
    const char *library; /* NULL: the default targets, else all libraries */
    const char *host;    /* "auto", "lean", "kernel", or one that tests use */
    const struct lwb_toolchain *toolchain; /* NULL for plans without .lean modules */
    const struct lwb_strvec *targets;      /* module names and files as given; empty: the library */
    const struct lwb_strvec *source_roots; /* --source-root: searched before the library's own */
    const struct lwb_strvec *import_paths; /* --import-path: folders of .olean files */
    const struct lwb_strvec *options;      /* -D name=value, behind the project's own */
    const struct lwb_lake_source *lake;    /* NULL: lake is not asked */
    const char *const *environment;        /* envp: LAKE_CACHE_DIR and such (lake_cache.h) */
    const char *trees; /* where to make trees of links to Lake's artifacts (lake_tree.h); NULL */
    const struct lwb_plan_part *part; /* not NULL: these modules and what they import, no targets */
};

/* One module of the target, or an export file. Index order is an order in which imports come first.
 */
struct lwb_plan_module {
    const char *name;        /* "A.B"; for an export file its path relative to the root */
    const char *path;        /* absolute path of the source */
    const char *label;       /* relative to its source root: "A/B.lean" */
    const char *source_root; /* absolute */
    bool listed;             /* asked for, not only imported by one that was */
    bool imported;           /* a module of this plan imports it: it needs an artifact */
    bool loose;              /* a file outside of any source root, named after its stem */
    uint16_t library;        /* number in the project */
    const size_t *imports;   /* indexes of local modules that it imports, in header order */
    size_t n_imports;
    const char *const *external; /* absolute paths of .olean files that it imports directly */
    size_t n_external;
    size_t batch;
    struct lwb_digest source;  /* SHA-256 of the source bytes */
    struct lwb_file_stat stat; /* of the source when it was hashed */
};

/* Modules that share a session: same root, package, library, host, options and ordered imports. */
struct lwb_plan_batch {
    const char *host;
    const char *project_root;
    const char *package;
    const char *library;
    const char *source_root;
    const struct lwb_strvec *imports; /* as lwb_open_request.imports */
    const struct lwb_strvec *options;
    const struct lwb_strvec *plugins;
    bool prelude;
    bool module_system;
    const size_t *modules; /* in plan order */
    size_t n_modules;
};

int lwb_plan_create(struct lwb_plan **out, const struct lwb_plan_config *config,
                    const struct lwb_digest_source *digests, struct lwb_error *err);
void lwb_plan_destroy(struct lwb_plan *plan);
LWB_DEFINE_AUTO_PTR(struct lwb_plan, lwb_plan_destroy);

size_t lwb_plan_module_count(const struct lwb_plan *plan);
const struct lwb_plan_module *lwb_plan_module(const struct lwb_plan *plan, size_t index);
size_t lwb_plan_batch_count(const struct lwb_plan *plan);
const struct lwb_plan_batch *lwb_plan_batch(const struct lwb_plan *plan, size_t index);

/* Where local modules are looked for, in order. */
const struct lwb_strvec *lwb_plan_source_roots(const struct lwb_plan *plan);

/* Folders of .olean files that do not come from this plan, in search order; toolchain's own last.
 */
const struct lwb_strvec *lwb_plan_search_path(const struct lwb_plan *plan);

/*
 * Everything the plan looked at to come to its answer, for depfile and
 * snapshot: files read, folders listed, and paths that were asked for and
 * absent. Visited in a stable order.
 */
enum lwb_witness {
    LWB_WITNESS_FILE,   /* its content, or all that stat says of it, went into the plan */
    LWB_WITNESS_FOLDER, /* it was listed: what counted of it is in `listing` */
    LWB_WITNESS_ABSENT,
    LWB_WITNESS_PROBED, /* that it is there was all that was asked */
    LWB_WITNESS_MODULE, /* the source of a module of the plan, once each */
};
struct lwb_plan_witness {
    enum lwb_witness kind;
    const char *path;
    const struct lwb_file_stat *stat;  /* zero for LWB_WITNESS_ABSENT */
    const struct lwb_listing *listing; /* NULL for all but LWB_WITNESS_FOLDER */
    bool in_tree; /* a link of ours (lake_tree.h); what it was made from is a witness of its own */
};
void lwb_plan_witnesses(const struct lwb_plan *plan,
                        void (*visit)(void *ctx, const struct lwb_plan_witness *witness),
                        void *ctx);

/* ---- keys (design rules T1, T2) ------------------------------------------------------------ */

/* What goes into every key of a run besides the plan itself. */
struct lwb_key_context {
    const char *host_digest;         /* hex, of the host's own sources */
    const struct lwb_digest *inputs; /* of --input files, name and content, in order */
    size_t n_inputs;
    /*
     * By plan index: the digest that stands for the artifact of the module's current key. Only
     * those of a module's transitive local imports are read.
     */
    const struct lwb_digest *artifacts;
};

/*
 * The key of a module. Its components are handed out one by one for --explain,
 * unless `component` is NULL.
 */
int lwb_plan_key(struct lwb_digest *out, struct lwb_plan *plan, size_t module,
                 const struct lwb_key_context *context,
                 void (*component)(void *ctx, const char *name, const struct lwb_digest *value),
                 void *ctx, struct lwb_error *err);

/*
 * Closures of imports are remembered: tell the plan when an artifact that a
 * key was already made from has become another one.
 */
void lwb_plan_forget(struct lwb_plan *plan, size_t module);

/* The digest of the transitive content of a batch's imports, for session keys. */
int lwb_plan_closure(struct lwb_digest *out, struct lwb_plan *plan, size_t batch,
                     const struct lwb_digest *artifacts, struct lwb_error *err);
