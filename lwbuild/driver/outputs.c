#include "lwbuild/driver/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/tick.h"
#include "lwbuild/driver/depfile.h"
#include "lwbuild/driver/snapshot.h"

enum { MAX_DEPFILE = 64 * 1024 * 1024 };

static int check_folder(const char *option, const char *path, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *folder = NULL;

    if (!path)
        return LWB_OK;
    folder = lwb_path_dirname(path);
    if (!folder)
        return lwb_fail_memory(err);
    if (access(folder, W_OK | X_OK) != 0)
        return lwb_fail_errno(err, LWB_ERR_USAGE, "%s %s: cannot write in the folder %s", option,
                              path, folder);
    return LWB_OK;
}

int lwb_outputs_precheck(const struct lwb_options *options, struct lwb_error *err)
{
    int rc = check_folder("--stamp", options->stamp, err);

    return rc < 0 ? rc : check_folder("--depfile", options->depfile, err);
}

/* ---- what to name -------------------------------------------------------------------------- */

struct collecting {
    const struct lwb_world *world;
    struct lwb_strvec paths;
    bool failed;
};

/* The nearest folder above that exists: it changes when the absent path appears. */
static char *existing_parent(const char *path)
{
    char *folder = lwb_path_dirname(path);

    while (folder && access(folder, F_OK) != 0) {
        char *parent = lwb_path_dirname(folder);

        lwb_free(folder);
        folder = parent;
    }
    return folder;
}

/* The toolchain's own modules, and the folders they were looked for in. */
static bool is_pinned_by_toolchain(const struct lwb_world *world, const char *path)
{
    return world->has_toolchain && lwb_path_is_below(world->toolchain.prefix, path);
}

/*
 * What was built of a package that Lake has fetched is pinned by its revision in
 * lake-manifest.json, which is named; thousands of .olean files are not. People
 * edit path dependencies, which lie elsewhere.
 */
static bool is_pinned_by_manifest(const char *path)
{
    static const char *const folders[] = { "/.lake/packages/", "/lake-packages/",
                                           "/lean_packages/" };

    for (size_t i = 0; i < LWB_COUNT(folders); i++) {
        const char *package = strstr(path, folders[i]);

        if (package)
            return strstr(package + strlen(folders[i]), "/build/") != NULL;
    }
    return false;
}

static void on_witness(void *ctx, const struct lwb_plan_witness *witness)
{
    struct collecting *collecting = ctx;
    LWB_AUTO(lwb_free_text) char *folder = NULL;
    const char *path = witness->path;

    if (witness->in_tree || is_pinned_by_toolchain(collecting->world, path) ||
        is_pinned_by_manifest(path))
        return;
    if (witness->kind == LWB_WITNESS_ABSENT) {
        folder = existing_parent(path);
        if (!folder)
            collecting->failed = true;
        path = folder ? folder : "";
    }
    if (*path && lwb_strvec_append(&collecting->paths, path))
        collecting->failed = true;
}

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_and_unite(struct lwb_strvec *paths)
{
    size_t kept = 0;

    if (!paths->count)
        return;
    qsort(paths->items, paths->count, sizeof(*paths->items), compare_text);
    for (size_t i = 1; i < paths->count; i++) {
        if (strcmp(paths->items[i], paths->items[kept]) == 0)
            lwb_free(paths->items[i]);
        else
            paths->items[++kept] = paths->items[i];
    }
    paths->count = kept + 1;
    paths->items[paths->count] = NULL;
}

static int add_joined(struct lwb_strvec *paths, const char *dir, const char *name)
{
    return lwb_strvec_append_take(paths, lwb_path_absolute(dir, name));
}

/* A module's name may be that of a folder, and the build does not know of that one. */
static bool is_file_target(const char *word)
{
    return lwb_path_has_suffix(word, ".lean") || lwb_path_has_suffix(word, ".ndjson");
}

/* What the command line itself names as files; with --known-inputs the build knows these. */
static int list_known(struct lwb_strvec *known, const struct lwb_world *world)
{
    const struct lwb_strvec *targets = &world->options->targets;
    int failed = 0;

    if (!world->options->known_inputs)
        return 0;
    for (size_t i = 0; i < targets->count; i++)
        if (is_file_target(targets->items[i]))
            failed |= add_joined(known, world->cwd, targets->items[i]);
    for (size_t i = 0; i < world->input_paths.count; i++)
        failed |= lwb_strvec_append(known, world->input_paths.items[i]);
    if (!getenv("LWBUILD_CHILD")) /* one that lies elsewhere is nobody's dependency but ours */
        failed |= lwb_strvec_append(known, world->child);
    sort_and_unite(known);
    return failed;
}

static void drop_known(struct lwb_strvec *paths, const struct lwb_strvec *known)
{
    size_t kept = 0;

    for (size_t i = 0; i < paths->count; i++) {
        if (known->count && bsearch(&paths->items[i], known->items, known->count,
                                    sizeof(*known->items), compare_text))
            lwb_free(paths->items[i]);
        else
            paths->items[kept++] = paths->items[i];
    }
    paths->count = kept;
    if (paths->items)
        paths->items[kept] = NULL;
}

static int collect(struct collecting *collecting, struct lwb_error *err)
{
    const struct lwb_world *world = collecting->world;
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec known = { 0 };
    int failed = 0;

    lwb_plan_witnesses(world->plan, on_witness, collecting);
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++)
        failed |= lwb_strvec_append(&collecting->paths, lwb_plan_module(world->plan, i)->path);
    for (size_t i = 0; i < world->input_paths.count; i++)
        failed |= lwb_strvec_append(&collecting->paths, world->input_paths.items[i]);
    for (size_t i = 0; i < world->options->response_files.count; i++)
        failed |=
            add_joined(&collecting->paths, world->cwd, world->options->response_files.items[i]);
    for (size_t i = 0; i < world->toolchain.files.count; i++)
        failed |= lwb_strvec_append(&collecting->paths, world->toolchain.files.items[i]);
    for (size_t i = 0; i < world->toolchain.absent.count; i++)
        on_witness(collecting, &(struct lwb_plan_witness){
                                   .kind = LWB_WITNESS_ABSENT,
                                   .path = world->toolchain.absent.items[i],
                               });
    failed |= lwb_strvec_append(&collecting->paths, world->child);
    sort_and_unite(&collecting->paths);
    failed |= list_known(&known, world);
    drop_known(&collecting->paths, &known);
    return failed || collecting->failed ? lwb_fail_memory(err) : LWB_OK;
}

/* ---- writing ------------------------------------------------------------------------------- */

static int write_depfile(struct lwb_world *world, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_DEPFILE);
    struct collecting collecting = { .world = world };
    size_t left_out;
    int rc;

    rc = collect(&collecting, err);
    if (rc == LWB_OK) {
        lwb_depfile_print(&text, world->options->stamp, &collecting.paths, &left_out);
        if (left_out && !world->options->quiet)
            fprintf(stderr,
                    "lwbuild: %zu file names have characters that a depfile cannot hold: this "
                    "check runs at every build\n",
                    left_out);
        /* An equal one is left alone: its folder may be one that the check depends on. */
        rc = lwb_buf_ok(&text) ? lwb_file_write_if_changed(world->options->depfile,
                                                           lwb_buf_bytes(&text), 0666, err)
                               : lwb_fail_memory(err);
        rc = rc < 0 ? rc : LWB_OK;
    }
    lwb_strvec_release(&collecting.paths);
    return rc;
}

static void hash_module(struct lwb_hasher *hasher, const struct lwb_plan_module *module)
{
    lwb_hasher_text(hasher, 'm', module->name);
    lwb_hasher_digest(hasher, 's', &module->source);
}

/* All modules of the project, also those that a snapshot answers for; returns how many. */
static size_t hash_modules(struct lwb_hasher *hasher, const struct lwb_world *world)
{
    const struct lwb_module_table *table = world->rest ? &world->rest->table : NULL;
    size_t count = table ? table->count : lwb_plan_module_count(world->plan);

    for (size_t i = 0; i < count; i++) {
        struct lwb_plan_module module;

        if (table)
            lwb_module_table_get(table, i, &module);
        else
            module = *lwb_plan_module(world->plan, i);
        hash_module(hasher, &module);
    }
    return count;
}

/* The run in one digest: an equal stamp means an equal result. */
static int print_stamp(struct lwb_buf *out, struct lwb_world *world, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    struct lwb_digest digest;
    char hex[LWB_DIGEST_HEX + 1];
    size_t count;

    if (!hasher)
        return lwb_fail_memory(err);
    count = hash_modules(hasher, world);
    for (size_t i = 0; i < world->input_paths.count; i++)
        lwb_hasher_digest(hasher, 'i', &world->inputs[i]);
    if (world->has_toolchain)
        lwb_hasher_digest(hasher, 't', &world->toolchain.identity);
    digest = lwb_hasher_end(hasher);
    lwb_digest_hex(&digest, hex);
    lwb_buf_format(out, "lwbuild %zu modules accepted %s\n", count, hex);
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

/* ---- dates --------------------------------------------------------------------------------- */

static bool leaves_equal_stamp(const struct lwb_options *options)
{
    return options->stamp_mode && strcmp(options->stamp_mode, "restat") == 0;
}

static int64_t date_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
}

int64_t lwb_outputs_last_date(const struct lwb_options *options)
{
    struct stat stamp;

    return options->stamp && stat(options->stamp, &stamp) == 0 ? date_of(&stamp) : 0;
}

int64_t lwb_outputs_choose_date(const struct lwb_options *options, int64_t last, int64_t moment)
{
    LWB_AUTO(lwb_free_text) char *folder = NULL;
    const char *server;
    int64_t date;

    if (!options->stamp)
        return 0;
    folder = lwb_path_dirname(options->stamp);
    server = folder && lwb_path_is_on_network(folder) ? folder : NULL;
    date = server ? lwb_tick_now(server) : moment;
    if (last >= date) {
        (void)lwb_tick_pass(server, last);
        date = lwb_tick_now(server);
    }
    (void)lwb_tick_pass(server, date);
    return date;
}

static bool set_date(const char *path, int64_t date)
{
    const struct timespec time = { .tv_sec = date / 1000000000, .tv_nsec = date % 1000000000 };
    const struct timespec times[2] = { time, time };

    return !path || utimensat(AT_FDCWD, path, times, 0) == 0 || errno == ENOENT;
}

/* One that keeps a later date is better missed: the edge is not up to date then. */
static void set_date_or_drop(const char *path, int64_t date)
{
    if (!set_date(path, date))
        (void)unlink(path);
}

bool lwb_outputs_date(const struct lwb_options *options, int64_t date)
{
    LWB_AUTO(lwb_free_text) char *snapshot = NULL;
    LWB_AUTO(lwb_free_text) char *keys = NULL;

    if (!options->stamp)
        return true;
    if (leaves_equal_stamp(options) && date != LWB_OUTPUTS_DATE_OLD)
        date = lwb_outputs_last_date(options);
    else if (!set_date(options->stamp, date))
        return false;
    snapshot = lwb_snapshot_file_beside(options->stamp);
    keys = snapshot ? lwb_snapshot_file_keys(snapshot) : NULL;
    set_date_or_drop(options->depfile, date);
    set_date_or_drop(snapshot, date);
    set_date_or_drop(keys, date);
    return true;
}

/* ---- all together -------------------------------------------------------------------------- */

/* Only its owner may date a file. One that is somebody else's makes place for one of ours. */
static bool is_ours(const char *path)
{
    struct stat st;

    return stat(path, &st) != 0 || geteuid() == 0 || st.st_uid == geteuid();
}

static int write_stamp(struct lwb_world *world, struct lwb_error *err)
{
    const char *path = world->options->stamp;
    LWB_AUTO(lwb_buf_release) struct lwb_buf stamp = LWB_BUF(4096);
    int rc = print_stamp(&stamp, world, err);

    if (rc < 0)
        return rc;
    /* An equal one is only dated: its folder may be one that the check depends on. */
    rc = leaves_equal_stamp(world->options) || is_ours(path)
             ? lwb_file_write_if_changed(path, lwb_buf_bytes(&stamp), 0666, err)
             : lwb_file_write(path, lwb_buf_bytes(&stamp), 0666, err);
    return rc < 0 ? rc : LWB_OK;
}

int lwb_outputs_write(struct lwb_world *world, struct lwb_error *err)
{
    const struct lwb_options *options = world->options;
    int rc = LWB_OK;

    /* The short path of a snapshot is for runs in which nobody imports anything else. */
    if (options->depfile && !world->rest)
        rc = write_depfile(world, err);
    if (rc == LWB_OK && options->stamp) {
        lwb_snapshot_reserve(options->stamp);
        rc = write_stamp(world, err);
    }
    return rc;
}
