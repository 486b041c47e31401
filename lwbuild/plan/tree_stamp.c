#include "lwbuild/plan/tree_stamp.h"

#include <errno.h>
#include <fcntl.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/plan/listing.h"

enum { MAX_DEPTH = 64 };

struct tree_walk {
    const struct lwb_digest_source *digests; /* NULL: stats only */
    const char *sources;                     /* NULL: not looked at */
    bool is_finished;                        /* times of folders do not count */
    struct lwb_witnesses *witnesses;
    struct lwb_hasher *hasher;
    struct lwb_buf path;
    size_t root_len;
    int64_t newest_ns;
    unsigned depth;
    struct lwb_error *err;
};

static void note_time(struct tree_walk *walk, const struct lwb_file_stat *st)
{
    if (st->mtime_ns > walk->newest_ns)
        walk->newest_ns = st->mtime_ns;
    if (st->ctime_ns > walk->newest_ns)
        walk->newest_ns = st->ctime_ns;
}

/* What A/B.olean was made of, A/B.lean, if it is there. */
static int visit_source(struct tree_walk *walk, const char *olean)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_file_stat st;
    int rc;

    lwb_buf_append_text(&path, walk->sources);
    lwb_buf_append(&path, olean, strlen(olean) - strlen(".olean"));
    lwb_buf_append_text(&path, ".lean");
    if (!lwb_buf_ok(&path))
        return lwb_fail_memory(walk->err);
    rc = lwb_file_stat(&st, path.ptr, walk->err);
    if (rc <= 0)
        return rc;
    lwb_hasher_field(walk->hasher, 'l', lwb_bytes(&st, sizeof(st)));
    note_time(walk, &st);
    return lwb_witnesses_add(walk->witnesses, LWB_WITNESS_FILE, path.ptr, &st, walk->err);
}

static int visit_file(struct tree_walk *walk, struct lwb_file_stat *st)
{
    const char *name = walk->path.ptr + walk->root_len;
    struct lwb_digest content;
    int rc = 1;

    if (walk->digests)
        rc = walk->digests->file(walk->digests->ctx, walk->path.ptr, &content, st, walk->err);
    if (rc <= 0)
        return rc;
    lwb_hasher_text(walk->hasher, 'f', name);
    if (walk->digests) {
        lwb_hasher_digest(walk->hasher, 'c', &content);
    } else {
        lwb_hasher_field(walk->hasher, 's', lwb_bytes(st, sizeof(*st)));
        note_time(walk, st);
    }
    if (walk->sources && lwb_path_has_suffix(name, ".olean"))
        rc = visit_source(walk, name);
    if (rc < 0)
        return rc;
    return lwb_witnesses_add(walk->witnesses, LWB_WITNESS_FILE, walk->path.ptr, st, walk->err);
}

static int visit_folder(struct tree_walk *walk, const struct lwb_file_stat *st);

static int visit_entry(struct tree_walk *walk, const char *name)
{
    size_t len = walk->path.len;
    struct lwb_file_stat found;
    struct stat st;
    int rc = LWB_OK;

    lwb_buf_format(&walk->path, "/%s", name);
    if (!lwb_buf_ok(&walk->path))
        return lwb_fail_memory(walk->err);
    if (stat(walk->path.ptr, &st) == 0) {
        lwb_file_stat_from(&found, &st);
        if (S_ISDIR(st.st_mode))
            rc = visit_folder(walk, &found);
        else if (lwb_listing_is_image(name))
            rc = visit_file(walk, &found);
    }
    walk->path.len = len;
    walk->path.ptr[len] = '\0';
    return rc;
}

static int read_folder(struct tree_walk *walk, const struct lwb_file_stat *st,
                       struct lwb_strvec *entries)
{
    struct lwb_listing listing;
    int rc = lwb_listing_read(entries, &listing, AT_FDCWD, walk->path.ptr, LWB_LISTING_OF_IMAGES,
                              walk->err);

    if (rc < 0 && walk->err->sys != ENOENT && walk->err->sys != ENOTDIR)
        return rc;
    if (rc < 0) /* it is gone by now, and has no entries */
        listing = (struct lwb_listing){ .of = LWB_LISTING_OF_ALL };
    return lwb_witnesses_add_folder(walk->witnesses, walk->path.ptr, st, &listing, walk->err);
}

static int visit_folder(struct tree_walk *walk, const struct lwb_file_stat *st)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    int rc;

    if (walk->depth == MAX_DEPTH)
        return lwb_fail(walk->err, LWB_ERR_LIMIT, "%s: folders nested deeper than %d",
                        walk->path.ptr, MAX_DEPTH);
    walk->depth++;
    if (!walk->is_finished)
        note_time(walk, st);
    /* An empty folder counts: Lean looks for A.B where there is a folder A. */
    lwb_hasher_text(walk->hasher, 'd', walk->path.ptr + walk->root_len);
    rc = read_folder(walk, st, &entries);
    for (size_t i = 0; rc == LWB_OK && i < entries.count; i++)
        rc = visit_entry(walk, entries.items[i] + 1);
    walk->depth--;
    return rc;
}

static int walk_tree(struct tree_walk *walk, const char *dir, struct lwb_digest *out)
{
    struct lwb_file_stat st;
    int rc;

    walk->path = LWB_BUF(LWB_PATH_MAX);
    walk->hasher = lwb_hasher_create();
    lwb_buf_append_text(&walk->path, dir);
    walk->root_len = walk->path.len;
    if (!walk->hasher || !lwb_buf_ok(&walk->path)) {
        rc = lwb_fail_memory(walk->err);
    } else {
        rc = lwb_file_stat(&st, dir, walk->err);
        if (rc > 0)
            rc = visit_folder(walk, &st);
        else if (rc == 0)
            rc = lwb_witnesses_add(walk->witnesses, LWB_WITNESS_ABSENT, dir, NULL, walk->err);
    }
    if (rc == LWB_OK)
        *out = lwb_hasher_end(walk->hasher);
    lwb_hasher_destroy(walk->hasher);
    lwb_buf_release(&walk->path);
    return rc;
}

int lwb_tree_stamp(struct lwb_tree_stamp *out, const char *dir, const char *sources,
                   bool is_finished, struct lwb_witnesses *witnesses, struct lwb_error *err)
{
    struct tree_walk walk = {
        .sources = sources,
        .is_finished = is_finished,
        .witnesses = witnesses,
        .err = err,
    };
    struct lwb_digest stats;
    int rc = walk_tree(&walk, dir, &stats);

    if (rc == LWB_OK)
        *out = (struct lwb_tree_stamp){ .stats = stats, .newest_ns = walk.newest_ns };
    return rc;
}

int lwb_tree_digest(struct lwb_digest *out, const char *dir,
                    const struct lwb_digest_source *digests, struct lwb_witnesses *witnesses,
                    struct lwb_error *err)
{
    struct tree_walk walk = { .digests = digests, .witnesses = witnesses, .err = err };

    return walk_tree(&walk, dir, out);
}

bool lwb_tree_stamp_is_settled(const struct lwb_tree_stamp *stamp, int64_t now_s)
{
    /* Seconds, not ticks: the clock of the file system need not be this machine's. */
    const int64_t margin_s = 10;

    return stamp->newest_ns / 1000000000 + margin_s < now_s;
}
