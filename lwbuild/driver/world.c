#include "lwbuild/driver/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache_dir.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/ask_lake.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/driver/scratch_folder.h"

extern char **environ;

/* ---- digests: remembered by the cache where there is one ----------------------------------- */

static int digest_by_cache(void *ctx, const char *path, struct lwb_digest *out,
                           struct lwb_file_stat *st, struct lwb_error *err)
{
    struct lwb_world *world = ctx;
    struct lwb_file_stat seen;
    int rc = lwb_cache_file_digest(world->cache, path, out, &seen, err);

    if (rc >= 0)
        lwb_witness_list_add(&world->digested, rc ? LWB_SEEN_FILE : LWB_SEEN_ABSENT, path, &seen);
    if (rc == 1 && st)
        *st = seen;
    return rc;
}

static void digest_ahead(void *ctx, const struct lwb_strvec *paths)
{
    struct lwb_world *world = ctx;

    lwb_cache_file_digests_ahead(world->cache, paths);
}

static int digest_by_reading(void *ctx, const char *path, struct lwb_digest *out,
                             struct lwb_file_stat *st, struct lwb_error *err)
{
    struct lwb_world *world = ctx;
    struct lwb_file_stat before = { 0 };
    int rc = lwb_file_stat(&before, path, err);

    if (rc > 0 && lwb_digest_file(out, path, err) < 0)
        rc = (int)err->code;
    if (rc >= 0)
        lwb_witness_list_add(&world->digested, rc ? LWB_SEEN_FILE : LWB_SEEN_ABSENT, path, &before);
    if (rc <= 0)
        return rc;
    if (st)
        *st = before;
    return 1;
}

static int recall(void *ctx, const struct lwb_digest *question, struct lwb_digest *answer)
{
    struct lwb_world *world = ctx;
    struct lwb_error ignored;

    return lwb_cache_recall(world->cache, question, answer, &ignored) == 1;
}

static void remember(void *ctx, const struct lwb_digest *question, const struct lwb_digest *answer)
{
    struct lwb_world *world = ctx;
    struct lwb_error ignored;

    (void)lwb_cache_remember(world->cache, question, answer, &ignored);
}

static void choose_digests(struct lwb_world *world)
{
    world->digests = (struct lwb_digest_source){
        .file = digest_by_reading,
        .by_content = world->options->by_content,
        .ctx = world,
    };
    if (!world->cache)
        return;
    world->digests.recall = recall;
    world->digests.remember = remember;
    if (world->options->by_content)
        return;
    world->digests.file = digest_by_cache;
    world->digests.ahead = digest_ahead;
}

/* ---- the cache ----------------------------------------------------------------------------- */

char *lwb_world_cache_dir(const struct lwb_options *options, const char *cwd, bool *fell_back)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf dir = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_free_text)
    char *beside = options->stamp ? lwb_path_dirname(options->stamp) : lwb_strdup(".");
    LWB_AUTO(lwb_free_text)
    char *fallback = beside ? lwb_path_join(beside, ".lwbuild-cache") : NULL;
    struct lwb_error ignored;
    int rc;

    if (!fallback)
        return NULL;
    rc = lwb_cache_default_dir(&dir, options->cache, environ, fallback, &ignored);
    *fell_back = rc == 0;
    return rc < 0 ? NULL : lwb_path_absolute(cwd, lwb_buf_text(&dir));
}

static int find_cache_dir(struct lwb_world *world, struct lwb_error *err)
{
    bool fell_back = false;

    world->cache_dir = lwb_world_cache_dir(world->options, world->cwd, &fell_back);
    if (!world->cache_dir)
        return lwb_fail_memory(err);
    if (fell_back && !world->options->quiet)
        fprintf(stderr, "lwbuild: no home directory: the cache is in %s\n", world->cache_dir);
    return LWB_OK;
}

int lwb_world_open_cache(struct lwb_world *world, const struct lwb_options *options,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf warning = LWB_BUF(4096);
    bool read_only = options->read_only || options->no_store;
    struct lwb_cache_config config = { 0 };
    int rc;

    world->options = options;
    if (!world->cwd && !(world->cwd = getcwd(NULL, 0)))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot find the current directory");
    if (!world->cache_dir && (rc = find_cache_dir(world, err)) < 0)
        return rc;
    config.dir = world->cache_dir;
    config.mode = read_only ? LWB_CACHE_READ_ONLY : LWB_CACHE_READ_WRITE;
    config.max_bytes = options->max_size_mib * 1024 * 1024;
    rc = lwb_cache_open(&world->cache, &config, &warning, err);
    if (warning.len && !options->quiet)
        fprintf(stderr, "lwbuild: %s\n", lwb_buf_text(&warning));
    return rc;
}

/* A build goes on without a cache; only the cache's own commands need it. */
static void open_cache_or_go_on(struct lwb_world *world)
{
    struct lwb_error err;

    if (world->options->no_cache)
        return;
    if (lwb_world_open_cache(world, world->options, &err) < 0) {
        if (!world->options->quiet)
            fprintf(stderr, "lwbuild: the cache is not used: %s\n", err.text);
        world->cache = NULL;
        return;
    }
    world->may_look_up = !world->options->recache;
    world->may_store = !world->options->read_only && !world->options->no_store;
}

/* They are worth keeping where this run may keep anything. */
static int choose_trees(struct lwb_world *world, struct lwb_error *err)
{
    bool shared = world->cache && lwb_path_is_below(lwb_cache_dir(world->cache), world->scratch);

    world->trees =
        lwb_path_join(shared ? lwb_cache_dir(world->cache) : world->scratch, LWB_CACHE_TREES);
    return world->trees ? LWB_OK : lwb_fail_memory(err);
}

/* ---- toolchain, inputs, plan --------------------------------------------------------------- */

static bool wants_toolchain(const struct lwb_options *options)
{
    if (options->host && strcmp(options->host, "auto") != 0)
        return strcmp(options->host, "lean") == 0;
    for (size_t i = 0; i < options->targets.count; i++)
        if (!lwb_path_has_suffix(options->targets.items[i], ".ndjson"))
            return true;
    return options->targets.count == 0;
}

/* What it was chosen by counts as what it consists of does. */
static void note_toolchain(struct lwb_world *world)
{
    const struct lwb_toolchain *toolchain = &world->toolchain;

    for (size_t i = 0; i < toolchain->files.count; i++)
        lwb_witness_list_add(&world->digested, LWB_SEEN_FILE, toolchain->files.items[i],
                             &toolchain->stats[i]);
    for (size_t i = 0; i < toolchain->absent.count; i++)
        lwb_witness_list_add(&world->digested, LWB_SEEN_ABSENT, toolchain->absent.items[i], NULL);
}

static int find_toolchain(struct lwb_world *world, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = NULL;
    struct lwb_toolchain_request request = {
        .given = world->options->toolchain,
        .project = world->project ? world->project : world->cwd,
        .environment = (const char *const *)environ,
    };
    int rc;

    if (!wants_toolchain(world->options))
        return LWB_OK;
    /* A folder is meant from where the person is; "org/repo:tag" is none and stays a name. */
    if (request.given && (folder = lwb_path_absolute(world->cwd, request.given)) &&
        access(folder, F_OK) == 0)
        request.given = folder;
    rc = lwb_toolchain_find(&world->toolchain, &request, &world->digests, err);
    world->has_toolchain = rc == LWB_OK;
    if (rc == LWB_OK)
        note_toolchain(world);
    return rc;
}

/*
 * A module reads its inputs by name, so the name counts as well: two files that
 * trade places are a change. It is relative, so that a tree may be moved.
 */
static int name_input(struct lwb_digest *input, const struct lwb_world *world, const char *path,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    LWB_AUTO(lwb_free_text) char *name = lwb_path_relative(world->cwd, path);

    if (!hasher || !name)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'n', name);
    lwb_hasher_digest(hasher, 'c', input);
    *input = lwb_hasher_end(hasher);
    return LWB_OK;
}

static int digest_inputs(struct lwb_world *world, struct lwb_error *err)
{
    const struct lwb_strvec *paths = &world->options->inputs;

    world->inputs = lwb_alloc_array(paths->count, sizeof(*world->inputs));
    if (!world->inputs)
        return lwb_fail_memory(err);
    for (size_t i = 0; i < paths->count; i++) {
        LWB_AUTO(lwb_free_text) char *path = lwb_path_absolute(world->cwd, paths->items[i]);
        int rc;

        if (!path || lwb_strvec_append(&world->input_paths, path))
            return lwb_fail_memory(err);
        rc = world->digests.file(world->digests.ctx, path, &world->inputs[i], NULL, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            return lwb_fail(err, LWB_ERR_SYSTEM, "--input %s does not exist", paths->items[i]);
        rc = name_input(&world->inputs[i], world, path, err);
        if (rc < 0)
            return rc;
    }
    return LWB_OK;
}

/* Searched in vain, a folder with a typing error in its name would go unnoticed. */
static int demand_folders(const char *option, const struct lwb_strvec *folders,
                          struct lwb_error *err)
{
    for (size_t i = 0; i < folders->count; i++) {
        struct stat st;

        if (stat(folders->items[i], &st) != 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s %s", option, folders->items[i]);
        if (!S_ISDIR(st.st_mode))
            return lwb_fail(err, LWB_ERR_SYSTEM, "%s %s is not a folder", option,
                            folders->items[i]);
    }
    return LWB_OK;
}

int lwb_world_plan(struct lwb_world *world, const struct lwb_plan_part *part, struct lwb_error *err)
{
    const struct lwb_options *options = world->options;
    const struct lwb_lake_source lake = { lwb_ask_lake, world };
    struct lwb_plan_config config = {
        .cwd = world->cwd,
        .project = world->project,
        .package = options->package,
        .library = options->library,
        .host = options->host ? options->host : "auto",
        .toolchain = world->has_toolchain ? &world->toolchain : NULL,
        .targets = &options->targets,
        .source_roots = &options->source_roots,
        .import_paths = &options->import_paths,
        .options = &options->lean_options,
        .lake = options->ask_lake ? &lake : NULL,
        .environment = (const char *const *)environ,
        .trees = world->trees,
        .part = part,
    };
    int rc = demand_folders("--source-root", &options->source_roots, err);

    if (rc == LWB_OK)
        rc = demand_folders("--import-path", &options->import_paths, err);
    return rc < 0 ? rc : lwb_plan_create(&world->plan, &config, &world->digests, err);
}

/* auto, lean and kernel are always there; any other word is a host that the child must offer. */
static int check_host(struct lwb_world *world, struct lwb_error *err)
{
    const char *host = world->options->host;
    const char *hex;

    if (!host || strcmp(host, "auto") == 0 ||
        lwb_world_host_digest(world, host, &hex, err) != LWB_ERR_UNSUPPORTED)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_USAGE, "--host takes auto, lean or kernel, not '%s'", host);
}

int lwb_world_open(struct lwb_world *world, const struct lwb_options *options,
                   struct lwb_error *err)
{
    int rc;

    world->options = options;
    world->cwd = getcwd(NULL, 0);
    if (!world->cwd)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot find the current directory");
    if (options->project && !(world->project = lwb_path_absolute(world->cwd, options->project)))
        return lwb_fail_memory(err);
    rc = lwb_child_program_find(&world->child, err);
    if (rc < 0)
        return rc;
    open_cache_or_go_on(world);
    rc = lwb_scratch_folder_make(&world->scratch, world->may_store ? world->cache : NULL, err);
    if (rc == LWB_OK)
        rc = choose_trees(world, err);
    if (rc == LWB_OK)
        rc = lwb_file_now(&world->started_ns, world->scratch, err);
    if (rc < 0)
        return rc;
    choose_digests(world);
    rc = check_host(world, err);
    if (rc == LWB_OK)
        rc = find_toolchain(world, err);
    return rc < 0 ? rc : digest_inputs(world, err);
}

void lwb_world_close(struct lwb_world *world)
{
    struct lwb_error ignored;

    if (world->scratch)
        (void)lwb_file_remove_tree(world->scratch, &ignored);
    lwb_free(world->scratch);
    lwb_plan_destroy(world->plan);
    lwb_cache_close(world->cache);
    lwb_toolchain_release(&world->toolchain);
    lwb_free(world->inputs);
    lwb_strvec_release(&world->input_paths);
    lwb_witness_list_release(&world->digested);
    lwb_free(world->project);
    lwb_free(world->child);
    lwb_free(world->cache_dir);
    lwb_free(world->trees);
    free(world->cwd); /* getcwd's own */
    *world = (struct lwb_world){ 0 };
}

int lwb_world_host_digest(struct lwb_world *world, const char *host, const char **hex,
                          struct lwb_error *err)
{
    struct lwb_host_digest *slot = world->hosts;
    int rc;

    while (slot < world->hosts + LWB_COUNT(world->hosts) - 1 && slot->kind[0] &&
           strcmp(slot->kind, host) != 0)
        slot++;
    if (strcmp(slot->kind, host) != 0) {
        rc = lwb_child_program_host_digest(slot->hex, world->child, host, &world->digests, err);
        if (rc < 0)
            return rc;
        (void)snprintf(slot->kind, sizeof(slot->kind), "%s", host);
    }
    *hex = slot->hex;
    return LWB_OK;
}

enum lwb_exit_code lwb_world_exit_code(const struct lwb_error *err)
{
    switch (err->code) {
    case LWB_ERR_USAGE:
        return LWB_EXIT_USAGE;
    case LWB_ERR_STALE_IMPORT:
        return LWB_EXIT_STALE;
    default:
        return LWB_EXIT_ENVIRONMENT;
    }
}

static int check_file(const char *path, const struct lwb_file_stat *seen, struct lwb_error *err)
{
    struct lwb_file_stat now;
    int rc = lwb_file_stat(&now, path, err);

    if (rc < 0)
        return rc;
    if (rc == 0 || !lwb_file_stat_equal(&now, seen))
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s was changed during the run; run again", path);
    return LWB_OK;
}

struct unchanged {
    const struct lwb_world *world;
    struct lwb_error *err;
    int rc;
};

/*
 * Which names have come and gone, of those that count: not in the cache, where
 * this run itself writes, and not in packages, where it shows in what was read.
 * Of a folder that was listed in two ways only its date is known.
 */
static enum lwb_listing_change folder_change(const struct lwb_world *world,
                                             const struct lwb_plan_witness *witness)
{
    struct lwb_file_stat now;
    struct lwb_error ignored;

    if (witness->listing->of == LWB_LISTING_OF_IMAGES ||
        (world->cache_dir && lwb_path_is_below(world->cache_dir, witness->path)) ||
        (lwb_file_stat(&now, witness->path, &ignored) == 1 &&
         lwb_file_stat_equal(&now, witness->stat)))
        return LWB_LISTING_SAME;
    return witness->listing->of == LWB_LISTING_OF_ALL
               ? LWB_LISTING_FOLDERS_DIFFER
               : lwb_listing_compare(witness->listing, AT_FDCWD, witness->path);
}

/*
 * A source that has appeared was not checked. Other changes of a folder spoil
 * no verdict: an editor's temporary file, a folder that the build has made.
 */
static int check_folder(const struct lwb_world *world, const struct lwb_plan_witness *witness,
                        struct lwb_error *err)
{
    if (folder_change(world, witness) != LWB_LISTING_FILES_DIFFER)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_SYSTEM, "%s got or lost a source during the run; run again",
                    witness->path);
}

static int check_absent(const char *path, struct lwb_error *err)
{
    struct lwb_file_stat now;
    struct lwb_error ignored;

    if (lwb_file_stat(&now, path, &ignored) == 1)
        return lwb_fail(err, LWB_ERR_SYSTEM, "%s appeared during the run; run again", path);
    return LWB_OK;
}

static void check_witness(void *ctx, const struct lwb_plan_witness *witness)
{
    struct unchanged *unchanged = ctx;
    const char *path = witness->path;
    struct lwb_file_stat now;

    if (unchanged->rc != LWB_OK)
        return;
    switch (witness->kind) {
    case LWB_WITNESS_FILE:
        unchanged->rc = check_file(path, witness->stat, unchanged->err);
        break;
    case LWB_WITNESS_FOLDER:
        unchanged->rc = check_folder(unchanged->world, witness, unchanged->err);
        break;
    case LWB_WITNESS_PROBED:
        if (lwb_file_stat(&now, path, unchanged->err) == 0)
            unchanged->rc = lwb_fail(unchanged->err, LWB_ERR_SYSTEM,
                                     "%s was removed during the run; run again", path);
        break;
    case LWB_WITNESS_ABSENT:
        unchanged->rc = check_absent(path, unchanged->err);
        break;
    case LWB_WITNESS_MODULE:
        unchanged->rc = check_file(path, witness->stat, unchanged->err);
        break;
    }
}

int lwb_world_check_unchanged(const struct lwb_world *world, struct lwb_error *err)
{
    struct unchanged unchanged = { world, err, LWB_OK };
    int rc;

    lwb_plan_witnesses(world->plan, check_witness, &unchanged);
    rc = unchanged.rc;
    if (rc == LWB_OK)
        rc = lwb_options_check_unchanged(world->options, err);
    for (size_t i = 0; i < world->digested.count && rc == LWB_OK; i++) {
        const struct lwb_witness_item *item = &world->digested.items[i];

        rc = item->kind == LWB_SEEN_FILE ? check_file(item->path, &item->stat, err)
                                         : check_absent(item->path, err);
    }
    return rc;
}

struct folders {
    const struct lwb_world *world;
    bool differ;
};

static void compare_folder(void *ctx, const struct lwb_plan_witness *witness)
{
    struct folders *folders = ctx;

    if (witness->kind == LWB_WITNESS_FOLDER && !folders->differ)
        folders->differ = folder_change(folders->world, witness) != LWB_LISTING_SAME;
}

bool lwb_world_has_new_folders(const struct lwb_world *world)
{
    struct folders folders = { .world = world };

    lwb_plan_witnesses(world->plan, compare_folder, &folders);
    return folders.differ;
}

char *lwb_world_display_path(const struct lwb_world *world, const char *path)
{
    if (lwb_path_is_below(world->cwd, path))
        return lwb_path_relative(world->cwd, path);
    return lwb_strdup(path);
}
