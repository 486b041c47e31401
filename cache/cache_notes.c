#include "cache/cache_notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache/cache_internal.h"
#include "cache/cache_keys.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/strvec.h"

static void touch_key(void *ctx, const struct lwb_digest *key)
{
    struct lwb_cache *cache = ctx;

    if (!lwb_pending_find(&cache->pending, LWB_WRITE_TOUCH, key, 0))
        lwb_cache_note(cache, LWB_WRITE_TOUCH, key, 0);
}

static bool contains(const struct lwb_strvec *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++)
        if (strcmp(paths->items[i], path) == 0)
            return true;
    return false;
}

/* A line that is cut or odd counts for nothing. */
static void fold_line(struct lwb_cache *cache, char *line, struct lwb_strvec *seen)
{
    char *end;
    uint64_t modules = strtoull(line, &end, 10);
    uint64_t saved_ns;

    if (end == line || *end != ' ')
        return;
    line = end + 1;
    saved_ns = strtoull(line, &end, 10);
    if (end == line || *end != ' ')
        return;
    lwb_cache_count(cache, LWB_STAT_RUNS, 1);
    lwb_cache_count(cache, LWB_STAT_MODULES, modules);
    lwb_cache_count(cache, LWB_STAT_HITS, modules);
    lwb_cache_count(cache, LWB_STAT_SNAPSHOT, modules);
    lwb_cache_count(cache, LWB_STAT_SAVED_NS, saved_ns);
    line = end + 1;
    if (line[0] != '/' || contains(seen, line) || lwb_strvec_append(seen, line) < 0)
        return;
    lwb_cache_visit_keys(line, touch_key, cache);
}

/* The rename makes the notes ours: whoever comes next begins a new file. */
static int take_notes(struct lwb_cache *cache, struct lwb_buf *out)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(cache->dir, LWB_NOTES_FILE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf taken = LWB_BUF(LWB_PATH_MAX);
    struct lwb_error ignored;
    int rc;

    lwb_buf_format(&taken, "%s/uses.%ld", cache->dir, (long)getpid());
    if (!path || !lwb_buf_ok(&taken) || rename(path, taken.ptr) != 0)
        return -1;
    rc = lwb_file_read(out, taken.ptr, NULL, &ignored);
    (void)unlink(taken.ptr);
    return rc;
}

void lwb_notes_fold(struct lwb_cache *cache)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf notes = LWB_BUF(2 * LWB_NOTES_MAX);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec seen = { 0 };
    char *line;
    char *end;

    if (cache->read_only || take_notes(cache, &notes) < 0 || !notes.len)
        return;
    for (line = notes.ptr; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        fold_line(cache, line, &seen);
    }
}

void lwb_notes_fold_if_many(struct lwb_cache *cache)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(cache->dir, LWB_NOTES_FILE);
    struct lwb_file_stat st;
    struct lwb_error ignored;

    if (path && lwb_file_stat(&st, path, &ignored) == 1 && st.size >= LWB_NOTES_MANY)
        lwb_notes_fold(cache);
}
