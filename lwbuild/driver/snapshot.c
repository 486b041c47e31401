#include "lwbuild/driver/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/cache_dir.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/driver/version.h"
#include "lwbuild/driver/witness_list.h"

/*
 * File: head, binding padded to 8 bytes, witness list. Written by temporary file
 * and rename, so that it is whole or not there. Beside it <name>.keys: the keys
 * of the modules, for the cache's least-recently-used order.
 */
static const char magic[8] = "LWBSNAP1";

struct head {
    char magic[8];
    uint64_t binding_len;
    uint64_t modules;
    uint64_t saved_ns;
};

enum { MAX_SNAPSHOT = 512 * 1024 * 1024 };

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
        "LWBUILD_CHILD", "LWBUILD_CACHE_DIR", "XDG_CACHE_HOME", "HOME",
        "ELAN_HOME",     "ELAN_TOOLCHAIN",    "LEAN_SYSROOT",   "PATH",
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
        if (!stamp)
            return NULL;
        lwb_buf_format(&path, "%s.snapshot", stamp);
    } else {
        lwb_buf_format(&path, "%s/snapshots/%016llx", cache_dir,
                       (unsigned long long)name_hash(binding));
    }
    return lwb_buf_take(&path);
}

/* ---- use ----------------------------------------------------------------------------------- */

static bool is_usable_for(const struct lwb_options *options)
{
    return options->command == LWB_CMD_CHECK && !options->no_cache && !options->recache &&
           !options->explain && !options->verbose &&
           (!options->format || strcmp(options->format, "text") == 0);
}

static bool matches(struct lwb_bytes file, struct lwb_bytes binding, struct head *head)
{
    size_t at = sizeof(*head);

    if (file.len < at)
        return false;
    memcpy(head, file.ptr, sizeof(*head));
    if (memcmp(head->magic, magic, sizeof(magic)) != 0 || head->binding_len != binding.len ||
        file.len - at < (binding.len / 8 + 1) * 8 ||
        memcmp(file.ptr + at, binding.ptr, binding.len) != 0)
        return false;
    at += (binding.len / 8 + 1) * 8;
    return lwb_witness_list_holds(lwb_bytes(file.ptr + at, file.len - at));
}

static bool file_answers(const char *path, struct lwb_bytes binding, struct head *head)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *map = MAP_FAILED;
    bool answers = false;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && st.st_size > 0)
        map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map != MAP_FAILED) {
        answers = matches(lwb_bytes(map, (size_t)st.st_size), binding, head);
        (void)munmap(map, (size_t)st.st_size);
    }
    close(fd);
    return answers;
}

static char *name_keys(const char *path)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf name = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&name, "%s.keys", path);
    return lwb_buf_take(&name);
}

/* Make wants the stamp renewed by every run of its rule. */
static bool renew_stamp(const struct lwb_options *options)
{
    if (!options->stamp || !options->stamp_mode || strcmp(options->stamp_mode, "touch") != 0)
        return true;
    return utimensat(AT_FDCWD, options->stamp, NULL, 0) == 0;
}

/* The run that did nothing counts as well, and keeps its entries from being the oldest. */
static void leave_note(const struct lwb_snapshot *snapshot, const char *cache_dir,
                       const struct head *head)
{
    LWB_AUTO(lwb_free_text) char *keys = name_keys(snapshot->path);
    struct lwb_cache_use use = { head->modules, head->saved_ns, keys };

    lwb_cache_note_snapshot(cache_dir, &use);
}

static void prepare(struct lwb_snapshot *snapshot, const struct lwb_options *options,
                    const char *cwd, const char *cache_dir)
{
    lwb_free(LWB_TAKE(snapshot->path));
    if (fill_binding(snapshot, options, cwd, cache_dir) == 0)
        snapshot->path = choose_path(options, cwd, cache_dir, lwb_buf_bytes(&snapshot->binding));
}

bool lwb_snapshot_answers(struct lwb_snapshot *snapshot, const struct lwb_options *options)
{
    LWB_AUTO(lwb_free_text) char *cache_dir = NULL;
    char *cwd = NULL;
    struct head head;
    bool fell_back;

    snapshot->binding = LWB_BUF(64 * 1024 * 1024);
    if (!is_usable_for(options))
        return false;
    cwd = getcwd(NULL, 0);
    cache_dir = cwd ? lwb_world_cache_dir(options, cwd, &fell_back) : NULL;
    if (cache_dir)
        prepare(snapshot, options, cwd, cache_dir);
    free(cwd);
    if (!snapshot->path ||
        !file_answers(snapshot->path, lwb_buf_bytes(&snapshot->binding), &head) ||
        !renew_stamp(options))
        return false;
    leave_note(snapshot, cache_dir, &head);
    return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void add_witness(void *ctx, enum lwb_witness kind, const char *path,
                        const struct lwb_file_stat *st)
{
    lwb_witness_list_add(ctx, kind == LWB_WITNESS_ABSENT ? LWB_SEEN_ABSENT : LWB_SEEN_FILE, path,
                         st);
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

static void add_toolchain(struct lwb_witness_list *list, const struct lwb_toolchain *toolchain)
{
    struct lwb_file_stat st;
    struct lwb_error ignored;

    for (size_t i = 0; i < toolchain->files.count; i++) {
        if (lwb_file_stat(&st, toolchain->files.items[i], &ignored) == 1)
            lwb_witness_list_add(list, LWB_SEEN_FILE, toolchain->files.items[i], &st);
        else
            list->failed = true;
    }
    for (size_t i = 0; i < toolchain->absent.count; i++)
        lwb_witness_list_add(list, LWB_SEEN_ABSENT, toolchain->absent.items[i], NULL);
}

static void collect(struct lwb_witness_list *list, const struct lwb_world *world)
{
    lwb_plan_witnesses(world->plan, add_witness, list);
    for (size_t i = 0; i < lwb_plan_module_count(world->plan); i++) {
        const struct lwb_plan_module *module = lwb_plan_module(world->plan, i);

        lwb_witness_list_add(list, LWB_SEEN_FILE, module->path, &module->stat);
    }
    for (size_t i = 0; i < world->digested.count; i++) {
        const struct lwb_witness_item *item = &world->digested.items[i];

        lwb_witness_list_add(list, item->kind, item->path, &item->stat);
    }
    list->failed |= world->digested.failed;
    if (world->has_toolchain)
        add_toolchain(list, &world->toolchain);
    add_output(list, world, world->options->stamp);
    add_output(list, world, world->options->depfile);
}

static int encode(struct lwb_buf *out, const struct lwb_snapshot *snapshot,
                  const struct lwb_world *world, uint64_t cost_ns)
{
    LWB_AUTO(lwb_witness_list_release) struct lwb_witness_list list = { 0 };
    struct head head = {
        .binding_len = snapshot->binding.len,
        .modules = lwb_plan_module_count(world->plan),
        .saved_ns = cost_ns,
    };
    static const char padding[8];

    collect(&list, world);
    if (list.failed || lwb_witness_list_is_racy(&list, world->started_ns))
        return -1;
    memcpy(head.magic, magic, sizeof(magic));
    lwb_buf_append(out, &head, sizeof(head));
    lwb_buf_append_bytes(out, lwb_buf_bytes(&snapshot->binding));
    lwb_buf_append(out, padding, 8 - head.binding_len % 8);
    return lwb_witness_list_encode(out, &list);
}

void lwb_snapshot_write(struct lwb_snapshot *snapshot, struct lwb_world *world,
                        struct lwb_bytes keys, uint64_t cost_ns)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(MAX_SNAPSHOT);
    LWB_AUTO(lwb_free_text) char *folder = NULL;
    LWB_AUTO(lwb_free_text) char *keys_path = NULL;
    struct lwb_error ignored;

    if (!snapshot->path || !world->may_store)
        return;
    if (snapshot->generation == 0) /* this run has made the cache */
        prepare(snapshot, world->options, world->cwd, world->cache_dir);
    if (!snapshot->path)
        return;
    folder = lwb_path_dirname(snapshot->path);
    keys_path = name_keys(snapshot->path);
    if (folder)
        (void)lwb_file_make_dirs(folder, 0700, &ignored);
    if (!keys_path || encode(&text, snapshot, world, cost_ns) ||
        lwb_file_write_if_changed(keys_path, keys, 0600, &ignored) < 0 ||
        lwb_file_write_if_changed(snapshot->path, lwb_buf_bytes(&text), 0600, &ignored) < 0)
        (void)lwb_file_write_if_changed(snapshot->path, lwb_bytes("", 0), 0600, &ignored);
}

void lwb_snapshot_reserve(const char *stamp)
{
    static const char *const suffixes[] = { "", ".keys" };

    for (size_t i = 0; i < LWB_COUNT(suffixes); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
        int fd;

        lwb_buf_format(&path, "%s.snapshot%s", stamp, suffixes[i]);
        fd = open(lwb_buf_text(&path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd >= 0)
            close(fd);
    }
}

void lwb_snapshot_drop(const struct lwb_options *options)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    if (!options->stamp)
        return;
    lwb_buf_format(&path, "%s.snapshot", options->stamp);
    if (lwb_buf_ok(&path))
        (void)unlink(lwb_buf_text(&path));
}

void lwb_snapshot_release(struct lwb_snapshot *snapshot)
{
    lwb_free(snapshot->path);
    lwb_buf_release(&snapshot->binding);
}
