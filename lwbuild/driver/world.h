#pragma once

#include "cache/cache.h"
#include "lwbuild/driver/exit_code.h"
#include "lwbuild/driver/options.h"
#include "lwbuild/driver/witness_list.h"
#include "lwbuild/plan/plan.h"

/*
 * What a command stands on: the place it was called from, the toolchain, the
 * plan, the cache and the child program. Opened once per run from the options.
 */
struct lwb_host_digest {
    char kind[32];
    char hex[LWB_DIGEST_HEX + 1];
};

struct lwb_snapshot;

struct lwb_world {
    const struct lwb_options *options;
    char *cwd;     /* absolute; messages name files relative to it */
    char *project; /* absolute; NULL: the nearest above cwd */
    char *child;   /* the child program, absolute */
    char *scratch; /* private folder of this run, on the cache's file system if there is one */
    struct lwb_cache *cache; /* NULL: none */
    char *cache_dir;
    char *trees; /* where trees of links are made: of the cache, or of this run */
    bool may_look_up;
    bool may_store;
    bool has_toolchain;
    struct lwb_toolchain toolchain;
    int64_t started_ns; /* the file system's time before anything was read */
    struct lwb_digest_source digests;
    struct lwb_witness_list digested; /* every file whose content was asked for,
                                         and what the toolchain was chosen by */
    struct lwb_plan *plan;
    const struct lwb_snapshot *rest; /* answers for what the plan leaves out; NULL: it is whole */
    struct lwb_host_digest hosts[4]; /* asked for so far; "" is free */
    struct lwb_digest *inputs;       /* name and content of --input files */
    struct lwb_strvec input_paths;
};

/*
 * Everything but the plan. On failure the error's code says which exit code
 * it is (lwb_world_exit_code). Warnings about the cache go to stderr, once.
 */
int lwb_world_open(struct lwb_world *world, const struct lwb_options *options,
                   struct lwb_error *err);
void lwb_world_close(struct lwb_world *world);

/* The plan, once: of all that the options ask for, or of a part of it. */
int lwb_world_plan(struct lwb_world *world, const struct lwb_plan_part *part,
                   struct lwb_error *err);
LWB_DEFINE_AUTO(struct lwb_world, lwb_world_close);

/* Only the cache, for the commands that are about it. */
int lwb_world_open_cache(struct lwb_world *world, const struct lwb_options *options,
                         struct lwb_error *err);

/* The cache directory of a run, absolute; the caller's. NULL when memory is out. */
char *lwb_world_cache_dir(const struct lwb_options *options, const char *cwd, bool *fell_back);

/* The digest of the sources of a host (child_program.h), asked for once per run. */
int lwb_world_host_digest(struct lwb_world *world, const char *host, const char **hex,
                          struct lwb_error *err);

/* 2 for usage, 3 for all that is wrong with the environment. */
enum lwb_exit_code lwb_world_exit_code(const struct lwb_error *err);

/*
 * Whether every source and every other file whose content went into a key still
 * looks as it did when it was hashed. LWB_ERR_SYSTEM names the first that does
 * not.
 */
int lwb_world_check_unchanged(const struct lwb_world *world, struct lwb_error *err);

/* Whether there may be folders that nobody has looked into: the build's, or one with sources. */
bool lwb_world_has_new_folders(const struct lwb_world *world);

/* `path` as a person who is in cwd would write it; owned by the caller. */
char *lwb_world_display_path(const struct lwb_world *world, const char *path);
