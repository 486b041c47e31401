#include "cache/cache_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cache/cache_digests.h"
#include "cache/cache_lock.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/path.h"

/*
 * Content digests by path and stat. What makes this sound is when a digest is
 * NOT remembered: if the file changed so lately that a further change might
 * leave no trace in its times (git's racy rule), by the time of the file system
 * and not of the clock. The time asked for earlier is only ever too strict, so
 * it is asked again only when a file looks racy.
 */
enum {
    STEADY_TRIES = 5,
    ASK_AGAIN_NS = 50 * 1000 * 1000,
};

/* A server's clock may be off: there a file must have been left alone for a day. */
static const int64_t network_margin_ns = INT64_C(24) * 3600 * 1000000000;

static void ask_time(struct lwb_cache *cache)
{
    struct lwb_error ignored;
    uint64_t now = lwb_clock_ns();

    if (cache->fs_now_ns && now - cache->fs_asked_ns < ASK_AGAIN_NS)
        return;
    if (lwb_file_now(&cache->fs_now_ns, cache->dir, &ignored) < 0)
        cache->fs_now_ns = 0; /* everything is racy then */
    cache->fs_asked_ns = now;
}

static int64_t time_for(struct lwb_cache *cache, const char *path, const struct lwb_file_stat *st)
{
    if (st->device == cache->device || !lwb_path_is_on_network(path))
        return cache->fs_now_ns;
    return cache->fs_now_ns - network_margin_ns;
}

bool lwb_digests_may_keep(struct lwb_cache *cache, const char *path, const struct lwb_file_stat *st)
{
    if (!lwb_file_stat_is_racy(st, time_for(cache, path, st)))
        return true;
    ask_time(cache);
    return !lwb_file_stat_is_racy(st, time_for(cache, path, st));
}

struct lwb_digest lwb_digests_key(struct lwb_cache *cache, const char *path)
{
    lwb_hasher_text(cache->hasher, 'f', path);
    return lwb_hasher_end(cache->hasher);
}

static void put_stat(struct lwb_buf *out, const struct lwb_file_stat *st)
{
    lwb_put_u64(out, st->device);
    lwb_put_u64(out, st->inode);
    lwb_put_u64(out, st->size);
    lwb_put_u64(out, (uint64_t)st->mtime_ns);
    lwb_put_u64(out, (uint64_t)st->ctime_ns);
}

int lwb_digests_recall(struct lwb_cache *cache, const struct lwb_digest *key,
                       const struct lwb_file_stat *st, struct lwb_digest *out,
                       struct lwb_error *err)
{
    struct lwb_file_stat known;
    struct lwb_digest digest;
    struct lwb_bytes value;
    struct lwb_reader in;
    int rc = lwb_fact_get(cache, LWB_FACT_FILE, key, &value, err);

    if (rc <= 0)
        return rc;
    in = lwb_reader(value);
    known.device = lwb_take_u64(&in);
    known.inode = lwb_take_u64(&in);
    known.size = lwb_take_u64(&in);
    known.mtime_ns = (int64_t)lwb_take_u64(&in);
    known.ctime_ns = (int64_t)lwb_take_u64(&in);
    digest = lwb_take_digest(&in);
    if (!lwb_reader_is_done(&in) || !lwb_file_stat_equal(&known, st))
        return 0;
    *out = digest;
    return 1;
}

void lwb_digests_remember(struct lwb_cache *cache, const struct lwb_digest *key,
                          const struct lwb_file_stat *st, const struct lwb_digest *digest)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf value = LWB_BUF(100);
    struct lwb_error ignored; /* then it is hashed once more */

    put_stat(&value, st);
    lwb_put_digest(&value, digest);
    if (lwb_buf_ok(&value))
        (void)lwb_fact_put(cache, LWB_FACT_FILE, key, lwb_buf_bytes(&value), &ignored);
}

static int hash_open_file(struct lwb_cache *cache, int fd, struct lwb_digest *out,
                          struct lwb_file_stat *st, bool *settled, const char *path,
                          struct lwb_error *err)
{
    struct lwb_file_stat after;
    struct stat found;
    int rc;

    for (int i = 0; i < STEADY_TRIES; i++) {
        if (fstat(fd, &found) != 0 || lseek(fd, 0, SEEK_SET) != 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read %s", path);
        lwb_file_stat_from(st, &found);
        *settled = lwb_digests_may_keep(cache, path, st);
        rc = lwb_digest_fd(out, fd, err);
        if (rc < 0)
            return lwb_error_context(err, "%s", path);
        if (fstat(fd, &found) != 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read %s", path);
        lwb_file_stat_from(&after, &found);
        if (lwb_file_stat_equal(st, &after))
            return LWB_OK;
    }
    return lwb_fail(err, LWB_ERR_SYSTEM, "%s changes while it is read", path);
}

static int hash_file(struct lwb_cache *cache, const char *path, const struct lwb_digest *key,
                     struct lwb_digest *out, struct lwb_file_stat *st, struct lwb_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool settled = false;
    int rc;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    rc = hash_open_file(cache, fd, out, st, &settled, path, err);
    close(fd);
    if (rc < 0)
        return rc;
    if (settled)
        lwb_digests_remember(cache, key, st, out);
    return 1;
}

int lwb_cache_file_digest(struct lwb_cache *cache, const char *path, struct lwb_digest *out,
                          struct lwb_file_stat *st, struct lwb_error *err)
{
    struct lwb_digest key = lwb_digests_key(cache, path);
    struct lwb_file_stat seen;
    struct lwb_digest digest;
    struct lwb_error ignored;
    int rc = lwb_file_stat(&seen, path, err);

    if (rc <= 0)
        return rc;
    rc = lwb_digests_recall(cache, &key, &seen, &digest, &ignored);
    if (rc <= 0) /* trouble with the memory is no trouble with the file */
        rc = hash_file(cache, path, &key, &digest, &seen, err);
    if (rc <= 0)
        return rc;
    *out = digest;
    if (st)
        *st = seen;
    return 1;
}

/* ---- derived values -------------------------------------------------------------------------- */

int lwb_cache_recall(struct lwb_cache *cache, const struct lwb_digest *question,
                     struct lwb_digest *answer, struct lwb_error *err)
{
    struct lwb_digest digest;
    struct lwb_bytes value;
    int rc = lwb_fact_get(cache, LWB_FACT_ANSWER, question, &value, err);

    if (rc <= 0 || lwb_digest_from(&digest, value) < 0)
        return rc < 0 ? rc : 0;
    *answer = digest;
    return 1;
}

int lwb_cache_remember(struct lwb_cache *cache, const struct lwb_digest *question,
                       const struct lwb_digest *answer, struct lwb_error *err)
{
    return lwb_fact_put(cache, LWB_FACT_ANSWER, question,
                        lwb_bytes(answer->bytes, sizeof(answer->bytes)), err);
}
