#include "lwbuild/driver/snapshot_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache_dir.h"
#include "cache/cache_keys.h"
#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/tick.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/driver/outputs.h"
#include "lwbuild/driver/version.h"
#include "lwbuild/driver/witness_list.h"

/* ---- what a snapshot is bound to ----------------------------------------------------------- */

static void bind_text(struct lwb_buf *binding, const char *text)
{
    lwb_buf_append(binding, text, strlen(text) + 1);
}

static void bind_file(struct lwb_buf *binding, const char *path)
{
    struct lwb_file_stat st = { 0 };
    struct lwb_error ignored;

    (void)lwb_file_stat(&st, path, &ignored);
    bind_text(binding, path);
    lwb_buf_append(binding, &st, sizeof(st));
}

static void bind_environment(struct lwb_buf *binding)
{
    static const char *const consulted[] = {
        "LWBUILD_CHILD",  "LWBUILD_CACHE_DIR", "XDG_CACHE_HOME", "HOME",           "ELAN_HOME",
        "ELAN_TOOLCHAIN", "LEAN_SYSROOT",      "PATH",           "LAKE_CACHE_DIR",
    };

    for (size_t i = 0; i < LWB_COUNT(consulted); i++) {
        const char *value = getenv(consulted[i]);

        bind_text(binding, consulted[i]);
        bind_text(binding, value ? value : "\x01unset");
    }
}

static int fill_binding(struct lwb_snapshot *snapshot, const struct lwb_options *options,
                        const char *cwd, const char *cache_dir)
{
    struct lwb_buf *binding = &snapshot->binding;
    LWB_AUTO(lwb_free_text) char *child = NULL;
    struct lwb_error ignored;

    lwb_buf_clear(binding);
    if (lwb_child_program_find(&child, &ignored) < 0 ||
        lwb_cache_generation(cache_dir, &snapshot->generation, &ignored) < 0)
        return -1;
    bind_text(binding, LWB_VERSION);
    bind_text(binding, cwd);
    for (size_t i = 0; i < options->words.count; i++)
        bind_text(binding, options->words.items[i]);
    bind_text(binding, "");
    bind_environment(binding);
    bind_file(binding, "/proc/self/exe");
    bind_file(binding, child);
    lwb_buf_append(binding, &snapshot->generation, sizeof(snapshot->generation));
    return lwb_buf_ok(binding) ? 0 : -1;
}

/* ---- where it lies ------------------------------------------------------------------------- */

/* A name, nothing more: what is in the file is compared byte by byte. */
static uint64_t name_hash(struct lwb_bytes bytes)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(1099511628211);
    return hash;
}

static char *choose_path(const struct lwb_options *options, const char *cwd, const char *cache_dir,
                         struct lwb_bytes binding)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_free_text) char *stamp = NULL;

    if (options->stamp) {
        stamp = lwb_path_absolute(cwd, options->stamp);
        return stamp ? lwb_snapshot_file_beside(stamp) : NULL;
    }
    lwb_buf_format(&path, "%s/snapshots/%016llx", cache_dir,
                   (unsigned long long)name_hash(binding));
    return lwb_buf_take(&path);
}

/* ---- use ----------------------------------------------------------------------------------- */

static bool is_usable_for(const struct lwb_options *options)
{
    return options->command == LWB_CMD_CHECK && !options->no_cache && !options->recache &&
           !options->by_content && !options->explain && !options->verbose &&
           (!options->format || strcmp(options->format, "text") == 0);
}

void lwb_snapshot_note(const struct lwb_snapshot *snapshot, const char *cache_dir, uint64_t modules,
                       uint64_t saved_ns)
{
    LWB_AUTO(lwb_free_text) char *keys = lwb_snapshot_file_keys(snapshot->path);
    struct lwb_cache_use use = { modules, saved_ns, keys };

    lwb_cache_note_snapshot(cache_dir, &use);
}

static void prepare(struct lwb_snapshot *snapshot, const struct lwb_options *options,
                    const char *cwd, const char *cache_dir)
{
    lwb_free(LWB_TAKE(snapshot->path));
    if (fill_binding(snapshot, options, cwd, cache_dir) == 0)
        snapshot->path = choose_path(options, cwd, cache_dir, lwb_buf_bytes(&snapshot->binding));
}

/* `date` is for the outputs of a run that ends here. */
static enum lwb_snapshot_says compare(struct lwb_snapshot *snapshot,
                                      const struct lwb_options *options, int64_t began,
                                      int64_t *date)
{
    struct lwb_error ignored;

    if (!snapshot->path ||
        !lwb_snapshot_file_open(&snapshot->file, snapshot->path, lwb_buf_bytes(&snapshot->binding)))
        return LWB_SNAPSHOT_NOTHING;
    *date = lwb_outputs_choose_date(options, lwb_outputs_last_date(options), began);
    if (lwb_options_check_unchanged(options, &ignored) < 0 ||
        !lwb_witness_list_holds(snapshot->file.witnesses, &snapshot->changed))
        return LWB_SNAPSHOT_NOTHING;
    return snapshot->changed.count ? LWB_SNAPSHOT_REST : LWB_SNAPSHOT_ALL;
}

/*
 * With as many bytes, and in place: a rename would date the folder, which may be
 * one of those that are noted, and there would be something to note for ever.
 * Who reads a half sees that the checksum is not right.
 */
static void overwrite(const char *path, struct lwb_bytes content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    struct lwb_error ignored;

    if (fd < 0)
        return;
    (void)lwb_file_write_fd(fd, content, &ignored);
    close(fd);
}

/*
 * Folders that are as they were but for their date need not be listed the next
 * time. `began` is from before they were listed, by this machine's clock, which
 * tells nothing of dates that a server gives.
 */
static void note_dates(struct lwb_snapshot *snapshot, const struct lwb_options *options,
                       int64_t began)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    struct lwb_buf *content = &snapshot->file.content;
    bool noted = false;

    for (size_t i = 0; i < snapshot->changed.n_folders; i++) {
        const struct lwb_redated_folder *folder = &snapshot->changed.folders[i];

        if (lwb_file_stat_is_racy(&folder->stat, began) || lwb_path_is_on_network(folder->path))
            continue;
        lwb_witness_list_renew(content->ptr + (snapshot->file.witnesses.ptr - content->ptr),
                               folder->record, &folder->stat);
        noted = true;
    }
    if (!noted || options->read_only || options->no_store)
        return;
    lwb_snapshot_file_print(&text, &snapshot->file);
    if (lwb_buf_ok(&text))
        overwrite(snapshot->path, lwb_buf_bytes(&text));
}

/* An expected theorem may be in the rest, of which nobody knows what it proves. */
static size_t wanted_changes(const struct lwb_options *options)
{
    return options->expect.count ? 0 : LWB_SNAPSHOT_MAX_CHANGED;
}

enum lwb_snapshot_says lwb_snapshot_ask(struct lwb_snapshot *snapshot,
                                        const struct lwb_options *options)
{
    LWB_AUTO(lwb_free_text) char *cache_dir = NULL;
    char *cwd = NULL;
    const int64_t began = lwb_tick_now(NULL);
    enum lwb_snapshot_says says;
    int64_t date;
    bool fell_back;

    snapshot->binding = LWB_BUF(64 * 1024 * 1024);
    if (!is_usable_for(options))
        return LWB_SNAPSHOT_NOTHING;
    cwd = getcwd(NULL, 0);
    cache_dir = cwd ? lwb_world_cache_dir(options, cwd, &fell_back) : NULL;
    if (cache_dir)
        prepare(snapshot, options, cwd, cache_dir);
    free(cwd);
    snapshot->changed.max = wanted_changes(options);
    says = compare(snapshot, options, began, &date);
    if (says != LWB_SNAPSHOT_ALL)
        return says;
    note_dates(snapshot, options, began);
    if (!lwb_outputs_date(options, date))
        return LWB_SNAPSHOT_NOTHING;
    lwb_snapshot_note(snapshot, cache_dir, snapshot->file.modules, snapshot->file.saved_ns);
    return LWB_SNAPSHOT_ALL;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void add_witness(void *ctx, const struct lwb_plan_witness *witness)
{
    static const enum lwb_seen kinds[] = {
        [LWB_WITNESS_FILE] = LWB_SEEN_FILE,
        [LWB_WITNESS_ABSENT] = LWB_SEEN_ABSENT,
        [LWB_WITNESS_PROBED] = LWB_SEEN_PROBED,
    };

    if (witness->kind == LWB_WITNESS_MODULE)
        return; /* with their numbers, see below */
    if (witness->kind == LWB_WITNESS_FOLDER)
        lwb_witness_list_add_folder(ctx, witness->path, witness->stat, witness->listing);
    else
        lwb_witness_list_add(ctx, kinds[witness->kind], witness->path, witness->stat);
}

static void add_output(struct lwb_witness_list *list, const struct lwb_world *world,
                       const char *path)
{
    LWB_AUTO(lwb_free_text) char *absolute = path ? lwb_path_absolute(world->cwd, path) : NULL;
    struct lwb_file_stat st;
    struct lwb_error ignored;

    if (!path)
        return;
    if (absolute && lwb_file_stat(&st, absolute, &ignored) == 1)
        lwb_witness_list_add(list, LWB_SEEN_OUTPUT, absolute, &st);
    else
        list->failed = true;
}

static void collect(struct lwb_witness_list *list, const struct lwb_world *world)
{
    lwb_plan_witnesses(world->plan, add_witness, list);
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++) {
        const struct lwb_plan_module *module = lwb_plan_module(world->plan, i);

        lwb_witness_list_add_source(list, module->path, &module->stat, (uint32_t)i);
    }
    for (size_t i = 0; i < world->digested.count; i++) {
        const struct lwb_witness_item *item = &world->digested.items[i];

        lwb_witness_list_add(list, item->kind, item->path, &item->stat);
    }
    list->failed |= world->digested.failed;
    add_output(list, world, world->options->stamp);
    add_output(list, world, world->options->depfile);
}

/* A new one, from all that the run knows. */
static int print_whole(struct lwb_buf *out, const struct lwb_snapshot *snapshot,
                       const struct lwb_world *world, const struct lwb_run *run)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf witnesses = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf table = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    struct lwb_snapshot_file file = { .modules = lwb_plan_module_count(world->plan) };
    struct lwb_error ignored;

    collect(&list, world);
    if (lwb_witness_list_encode(&witnesses, &list, world->started_ns) ||
        lwb_module_table_encode(&table, world, run, &ignored) < 0)
        return -1;
    for (size_t i = 0; i < file.modules; i++)
        file.saved_ns += lwb_run_result(run, i).cost_ns;
    file.binding = lwb_buf_bytes(&snapshot->binding);
    file.witnesses = lwb_buf_bytes(&witnesses);
    file.table = lwb_buf_bytes(&table);
    lwb_snapshot_file_print(out, &file);
    return lwb_buf_ok(out) ? 0 : -1;
}

static int print_keys(struct lwb_buf *out, const struct lwb_world *world, const struct lwb_run *run)
{
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++) {
        struct lwb_run_result result = lwb_run_result(run, i);

        if (result.has_key)
            lwb_buf_append(out, &result.key, sizeof(result.key));
    }
    return lwb_buf_ok(out) ? 0 : -1;
}

static int write_files(const struct lwb_snapshot *snapshot, const struct lwb_buf *text,
                       const struct lwb_buf *keys)
{
    LWB_AUTO(lwb_free_text) char *keys_path = lwb_snapshot_file_keys(snapshot->path);
    LWB_AUTO(lwb_free_text) char *folder = lwb_path_dirname(snapshot->path);
    struct lwb_error ignored;

    if (!keys_path || !folder)
        return -1;
    (void)lwb_file_make_dirs(folder, 0700, &ignored);
    if (lwb_file_write_if_changed(keys_path, lwb_buf_bytes(keys), 0600, &ignored) < 0 ||
        lwb_file_write(snapshot->path, lwb_buf_bytes(text), 0600, &ignored) < 0)
        return -1;
    return 0;
}

static void write_whole(struct lwb_snapshot *snapshot, const struct lwb_world *world,
                        const struct lwb_run *run)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf keys = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    struct lwb_error ignored;

    if (snapshot->generation == 0) /* this run has made the cache */
        prepare(snapshot, world->options, world->cwd, world->cache_dir);
    if (snapshot->path && (print_whole(&text, snapshot, world, run) ||
                           print_keys(&keys, world, run) || write_files(snapshot, &text, &keys)))
        (void)lwb_file_write_if_changed(snapshot->path, lwb_bytes("", 0), 0600, &ignored);
}

/*
 * The old one with what has changed. One that cannot be renewed goes on asking for
 * those modules.
 */
static void write_renewed(struct lwb_snapshot *snapshot, const struct lwb_world *world,
                          const struct lwb_run *run)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf keys = LWB_BUF(LWB_SNAPSHOT_FILE_MAX);

    if (lwb_snapshot_print_renewed(&text, &keys, snapshot, world, run) == 0)
        (void)write_files(snapshot, &text, &keys);
}

void lwb_snapshot_write(struct lwb_snapshot *snapshot, struct lwb_world *world,
                        const struct lwb_run *run)
{
    if (!snapshot->path || !world->may_store)
        return;
    if (world->rest)
        write_renewed(snapshot, world, run);
    else
        write_whole(snapshot, world, run);
}

static void make_sure_of(const char *path)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd >= 0)
        close(fd);
}

void lwb_snapshot_reserve(const char *stamp)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_snapshot_file_beside(stamp);
    LWB_AUTO(lwb_free_text) char *keys = path ? lwb_snapshot_file_keys(path) : NULL;

    make_sure_of(path);
    make_sure_of(keys);
}

/*
 * In place: it is an output to the build tool, and its folder may be one that the
 * check depends on.
 */
void lwb_snapshot_make_way(const struct lwb_snapshot *snapshot, const char *stamp)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_snapshot_file_beside(stamp);

    if (path && !snapshot->file.content.len && truncate(path, 0) != 0)
        (void)unlink(path);
}

/* What failed is another content than the snapshot speaks of. */
static bool is_still_true(const struct lwb_snapshot *snapshot, const struct lwb_world *world,
                          const struct lwb_run *run)
{
    if (!world->rest || !run || lwb_run_has_distrusted(run))
        return false;
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++)
        if (snapshot->numbers[i] == SIZE_MAX && !lwb_run_result(run, i).accepted)
            return false;
    return true;
}

void lwb_snapshot_drop(const struct lwb_snapshot *snapshot, const struct lwb_world *world,
                       const struct lwb_run *run)
{
    const char *stamp = world->options->stamp;
    LWB_AUTO(lwb_free_text) char *beside = stamp ? lwb_snapshot_file_beside(stamp) : NULL;
    const char *path = stamp ? beside : snapshot->path;

    if (path && !is_still_true(snapshot, world, run))
        (void)unlink(path);
}

static void drop_key(void *ctx, const struct lwb_digest *key)
{
    struct lwb_error ignored;

    (void)lwb_cache_drop(ctx, key, &ignored);
}

void lwb_snapshot_disown(const struct lwb_snapshot *snapshot, struct lwb_cache *cache)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_snapshot_file_keys(snapshot->path);

    if (path)
        lwb_cache_visit_keys(path, drop_key, cache);
}

void lwb_snapshot_release(struct lwb_snapshot *snapshot)
{
    lwb_free(snapshot->path);
    lwb_buf_release(&snapshot->binding);
    lwb_snapshot_file_close(&snapshot->file);
    lwb_witness_changes_release(&snapshot->changed);
    lwb_witness_changes_release(&snapshot->last_look);
    lwb_free(snapshot->affected);
    lwb_free(snapshot->numbers);
}
