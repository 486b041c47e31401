#pragma once

#include "lwbuild/base/lean_header.h"
#include "lwbuild/plan/names.h"
#include "lwbuild/plan/plan.h"
#include "lwbuild/plan/project.h"
#include "lwbuild/plan/witness.h"

/*
 * What the files of the planner share. Modules are kept in the order in which
 * they were found ("node" numbers, uint32_t); `order` maps the plan's indexes,
 * in which imports come first, to nodes. A plan for 10,000 modules should stay
 * far below 8 MB: names and paths are interned, imports are 8 bytes each.
 */

/* A node's import, in header order; the implicit `Init` is not among them. */
struct lwb_edge {
    uint32_t name;
    unsigned char flags;
};

enum lwb_node_state { LWB_NODE_FOUND, LWB_NODE_OPEN, LWB_NODE_DONE };

/* Beside struct lwb_plan_module, by node. */
struct lwb_node {
    uint32_t name;
    uint32_t first_edge;
    uint32_t n_edges;
    uint32_t index;   /* in the plan */
    uint16_t library; /* of the project */
    uint8_t state;    /* enum lwb_node_state */
    bool is_export;
    bool prelude;
    bool module_system;
    bool stem_name; /* a file outside of any source root: named after its stem */
};

/* Where a module name leads. */
enum lwb_resolved {
    LWB_UNRESOLVED,
    LWB_LOCAL,    /* index is a node */
    LWB_EXTERNAL, /* index is into externals */
    LWB_NOWHERE,  /* the implicit Init of a host that has none */
};

struct lwb_resolution {
    uint32_t index;
    uint8_t kind; /* enum lwb_resolved */
};

/* What a first component leads to: "Mathlib" of Mathlib.Data.Nat. */
struct lwb_prefix {
    uint32_t local_known; /* source roots that were asked, as bits */
    uint32_t local;       /* those that have A/ or A.lean */
    int32_t entry;        /* of the search path; -1 none; -2 not asked yet */
};

enum { LWB_MAX_SOURCE_ROOTS = 32, LWB_MAX_SOURCE = 64 * 1024 * 1024 };

/* A module that comes as an .olean file. */
struct lwb_external {
    uint32_t name;
    const char *path;
    uint32_t entry; /* of the search path */
    bool opaque;    /* what it imports cannot be read */
    bool parts;     /* it may come in several files */
};

struct lwb_plan {
    struct lwb_arena arena; /* arrays that the public structs point to */
    struct lwb_names names; /* modules, and imports with modifiers for batches */
    struct lwb_names paths; /* of nodes: the number is the node */
    struct lwb_project project;
    struct lwb_strvec source_roots;
    size_t loose_root; /* the one that is only the folder one happens to be in, or SIZE_MAX */
    struct lwb_strvec search; /* import paths, packages, toolchain */
    struct lwb_strvec built;  /* beside each: the build folder that it is, or takes the place of */
    struct lwb_strvec artifacts; /* folders of Lake's artifact cache */
    struct lwb_strvec *options;  /* by library: the project's, then the caller's */
    char *host;
    char *toolchain_prefix; /* NULL without */
    struct lwb_digest toolchain_id;
    bool has_toolchain;
    struct lwb_digest_source digests;
    struct lwb_witnesses witnesses;

    struct lwb_plan_module *modules; /* by node */
    struct lwb_node *nodes;
    size_t n_nodes;
    size_t cap_modules;
    size_t cap_nodes;
    struct lwb_edge *edges;
    size_t n_edges;
    size_t cap_edges;
    uint32_t *order; /* plan index -> node */
    size_t n_order;
    struct lwb_plan_batch *batches;
    size_t n_batches;

    struct lwb_resolution *resolved; /* by name */
    size_t cap_resolved;
    struct lwb_prefix *prefixes; /* by name of the first component */
    size_t cap_prefixes;
    struct lwb_external *externals;
    size_t n_externals;
    size_t cap_externals;
    uint32_t *foreign; /* by name: number of the external + 1 */
    size_t cap_foreign;
    uint32_t init; /* the name "Init" */

    struct lwb_closures *closures;             /* of external modules, made when asked for */
    struct lwb_local_closures *local_closures; /* of this plan's modules */
    struct lwb_hasher *hasher;
};

/* ---- resolve.c ---- */

/* Who imports, for the error text; a source without bytes for the implicit import. */
struct lwb_asker {
    const char *path;
    struct lwb_bytes source;
    size_t offset;
};

/*
 * Find out where `name` leads and note it in plan->resolved. A local module
 * that is new becomes a node. LWB_ERR_MISSING_IMPORT says who asks and where it
 * was looked for.
 */
int lwb_plan_resolve(struct lwb_plan *plan, uint32_t name, const struct lwb_asker *asker,
                     struct lwb_error *err);

/* As above for local modules only: 1 and the node, or 0. */
int lwb_plan_resolve_local(struct lwb_plan *plan, uint32_t name, uint32_t *node,
                           struct lwb_error *err);

/*
 * As above on the search path only: 1 and the index into externals, or 0. What
 * external modules import is found this way: a local module is none of theirs.
 */
int lwb_plan_resolve_external(struct lwb_plan *plan, uint32_t name, uint32_t *external,
                              struct lwb_error *err);

/* The node of the file at `path`, made if it is new; `name` is ignored for an old one. */
int lwb_plan_add_node(struct lwb_plan *plan, const char *path, uint32_t name, size_t source_root,
                      uint32_t *node, struct lwb_error *err);

/* ---- targets.c: which modules are asked for; they become nodes with `listed` set ---- */
int lwb_plan_find_targets(struct lwb_plan *plan, const struct lwb_plan_config *config,
                          struct lwb_error *err);

/* ---- target_files.c ---- */
int lwb_plan_list_file(struct lwb_plan *plan, const char *path, struct lwb_error *err);

/* All .lean files below `path`. A folder that is not there has none. */
int lwb_plan_list_tree(struct lwb_plan *plan, const char *path, enum lwb_listing_of of,
                       struct lwb_error *err);

/* ---- part.c: the modules of a part of an earlier plan become nodes ---- */
int lwb_plan_restore(struct lwb_plan *plan, const struct lwb_plan_part *part,
                     struct lwb_error *err);

/* ---- graph.c: read headers along the imports, order, cycles ---- */
int lwb_plan_order(struct lwb_plan *plan, struct lwb_error *err);

/* ---- batches.c ---- */
int lwb_plan_make_batches(struct lwb_plan *plan, struct lwb_error *err);

/* ---- search_path.c: where .olean files are ---- */

/* Append a folder, or all of them (NULL: none), made absolute, unless it is there already. */
int lwb_plan_add_folder(struct lwb_strvec *folders, const char *base, const char *dir,
                        struct lwb_error *err);
int lwb_plan_add_folders(struct lwb_strvec *folders, const char *base,
                         const struct lwb_strvec *dirs, struct lwb_error *err);

int lwb_plan_collect_search_path(struct lwb_plan *plan, const struct lwb_plan_config *config,
                                 struct lwb_error *err);

/* The package of the project that entry `entry` of the search path belongs to, or SIZE_MAX. */
size_t lwb_plan_package_of(const struct lwb_plan *plan, size_t entry);

/* Whether the entry is a tree of links that takes a build folder's place. */
bool lwb_plan_is_tree(const struct lwb_plan *plan, size_t entry);

/* ---- artifacts.c: files of Lake's artifact cache ---- */

/* What to do about an .olean that Lake keeps elsewhere, to go behind "no such file"; or nothing. */
void lwb_plan_append_missing_hint(const struct lwb_plan *plan, uint32_t name, struct lwb_buf *out);

/*
 * The file that `path`, of a module of this entry of the search path, leads to: *out is the path
 * itself, or in `buf`.
 */
int lwb_plan_follow_link(const struct lwb_plan *plan, size_t entry, const char *path,
                         struct lwb_buf *buf, const char **out, struct lwb_error *err);

/*
 * As lwb_digest_source.file, of a file of this module. A link is followed first:
 * trees come and go, and what is remembered is to outlive them. A file of Lake's
 * cache whose content is not what its name says is LWB_ERR_MISSING_IMPORT.
 */
int lwb_plan_digest_import(struct lwb_plan *plan, uint32_t external, const char *path,
                           struct lwb_digest *content, struct lwb_file_stat *st,
                           struct lwb_error *err);

/* ---- staleness.c: whether packages are what their sources say ---- */
struct lwb_tree_stamp;

/*
 * How a folder of the search path looks: *out, and into `hasher` with all on
 * which lwb_plan_check_source depends.
 */
int lwb_plan_stamp_package(struct lwb_plan *plan, size_t entry, struct lwb_tree_stamp *out,
                           struct lwb_hasher *hasher, struct lwb_error *err);

/* LWB_ERR_STALE_IMPORT when the module was compiled from another source than lies there now. */
int lwb_plan_check_source(struct lwb_plan *plan, uint32_t external, struct lwb_error *err);

/* ---- closure.c ---- */
void lwb_closures_destroy(struct lwb_closures *closures);

/* Digest of everything that importing this external module loads. */
int lwb_plan_external_closure(struct lwb_plan *plan, uint32_t external, struct lwb_digest *out,
                              struct lwb_error *err);

/* ---- fingerprint.c, key_components.c ---- */
void lwb_local_closures_destroy(struct lwb_local_closures *local);

struct lwb_import_walk {
    const struct lwb_node *node;
    uint32_t at; /* 0 is the implicit Init */
};

/* The imports of a module in the order in which they go into its key: 1 and the next, or 0. */
int lwb_plan_next_import(const struct lwb_plan *plan, struct lwb_import_walk *walk, uint32_t *name,
                         unsigned *flags);

/* Put an import into the plan's hasher. Closures of local modules must be known already. */
int lwb_plan_hash_import(struct lwb_plan *plan, uint32_t name, unsigned flags,
                         struct lwb_digest *closure, struct lwb_error *err);

/* The content of a shared library that Lean loads. */
int lwb_plan_digest_plugin(const struct lwb_plan *plan, const char *path,
                           struct lwb_digest *content, struct lwb_error *err);

int lwb_plan_components(struct lwb_plan *plan, size_t index, const struct lwb_key_context *context,
                        void (*emit)(void *ctx, const char *name, const struct lwb_digest *value),
                        void *ctx, struct lwb_error *err);

static inline struct lwb_bytes lwb_plan_name(const struct lwb_plan *plan, uint32_t name)
{
    return lwb_bytes_text(lwb_names_text(&plan->names, name));
}
