#include "cache/cache_digests.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/digest_feed.h"

/*
 * Threads hash, and nothing else: what is known and what may be kept is decided
 * before they start, and remembered after they have ended, by the one thread
 * that owns the database. Each works on several files at a time if that is
 * faster; the largest come first, so that none is left over for one lane of one
 * thread, and one that is too large even so is done alone.
 */
enum {
    MAX_THREADS = 16,
    WORTH_IT = 4 * 1024 * 1024, /* bytes to hash: less takes no time worth a thread */
    TOO_LARGE = 16,             /* for a lane: more than this part of all bytes */
};

struct job {
    const char *path;
    struct lwb_digest key;
    struct lwb_file_stat seen; /* what `digest` is about, if done */
    struct lwb_digest digest;
    bool done;
};

struct shift {
    struct job *jobs;
    size_t n_jobs;
    size_t n_large; /* the first ones */
    atomic_size_t next_large, next;
};

static bool looks_as_seen(int fd, const struct lwb_file_stat *seen)
{
    struct lwb_file_stat now;
    struct stat found;

    if (fstat(fd, &found) < 0)
        return false;
    lwb_file_stat_from(&now, &found);
    return lwb_file_stat_equal(&now, seen);
}

/* What cannot be read, or has changed, is left: whoever asks for the file will meet it again. */
static int take_job(struct shift *shift, atomic_size_t *next, size_t end, size_t *taken)
{
    size_t i;

    while ((i = atomic_fetch_add(next, 1)) < end) {
        int fd = open(shift->jobs[i].path, O_RDONLY | O_CLOEXEC);

        *taken = i;
        if (fd >= 0 && looks_as_seen(fd, &shift->jobs[i].seen))
            return fd;
        if (fd >= 0)
            (void)close(fd);
    }
    return -1;
}

static int take_large(void *ctx, size_t *taken)
{
    struct shift *shift = ctx;

    return take_job(shift, &shift->next_large, shift->n_large, taken);
}

static int take_next(void *ctx, size_t *taken)
{
    struct shift *shift = ctx;

    return take_job(shift, &shift->next, shift->n_jobs, taken);
}

static void keep(void *ctx, size_t taken, int fd, const struct lwb_digest *digest)
{
    struct shift *shift = ctx;
    struct job *job = &shift->jobs[taken];

    job->done = digest && looks_as_seen(fd, &job->seen);
    if (digest)
        job->digest = *digest;
    (void)close(fd);
}

static void *work(void *arg)
{
    struct lwb_digest_feed feed = { .next = take_large, .done = keep, .ctx = arg };
    struct lwb_error ignored;

    (void)lwb_digest_feed_run(&feed, LWB_DIGEST_BY_NONE, &ignored);
    feed.next = take_next;
    if (lwb_digest_feed_run(&feed, lwb_digest_lanes_best(), &ignored) < 0)
        (void)lwb_digest_feed_run(&feed, LWB_DIGEST_BY_NONE, &ignored);
    return NULL;
}

static int compare_sizes(const void *a, const void *b)
{
    uint64_t left = ((const struct job *)a)->seen.size;
    uint64_t right = ((const struct job *)b)->seen.size;

    return (left < right) - (left > right);
}

static void put_large_first(struct shift *shift, uint64_t bytes)
{
    if (shift->n_jobs > 0)
        qsort(shift->jobs, shift->n_jobs, sizeof(*shift->jobs), compare_sizes);
    while (shift->n_large < shift->n_jobs &&
           shift->jobs[shift->n_large].seen.size > bytes / TOO_LARGE)
        shift->n_large++;
    shift->next = shift->n_large;
}

static void work_together(struct shift *shift)
{
    pthread_t threads[MAX_THREADS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors > 1 ? (size_t)processors - 1 : 0; /* this thread works as well */
    size_t started = 0;

    while (started < wanted && started < MAX_THREADS && started + 1 < shift->n_jobs &&
           pthread_create(&threads[started], NULL, work, shift) == 0)
        started++;
    (void)work(shift);
    while (started > 0)
        (void)pthread_join(threads[--started], NULL);
}

/* A file that is not known and whose digest may be kept becomes a job. Returns its size, or 0. */
static uint64_t add_job(struct lwb_cache *cache, struct shift *shift, const char *path)
{
    struct job *job = &shift->jobs[shift->n_jobs];
    struct lwb_error ignored;

    *job = (struct job){ .path = path, .key = lwb_digests_key(cache, path) };
    if (lwb_file_stat(&job->seen, path, &ignored) <= 0 ||
        lwb_digests_recall(cache, &job->key, &job->seen, &job->digest, &ignored) != 0 ||
        !lwb_digests_may_keep(cache, path, &job->seen))
        return 0;
    shift->n_jobs++;
    return job->seen.size;
}

void lwb_cache_file_digests_ahead(struct lwb_cache *cache, const struct lwb_strvec *paths)
{
    struct shift shift = { .jobs = lwb_alloc_array(paths->count + 1, sizeof(*shift.jobs)) };
    uint64_t bytes = 0;

    if (!shift.jobs)
        return;
    for (size_t i = 0; i < paths->count; i++)
        bytes += add_job(cache, &shift, paths->items[i]);
    if (bytes >= WORTH_IT) {
        put_large_first(&shift, bytes);
        work_together(&shift);
        for (size_t i = 0; i < shift.n_jobs; i++)
            if (shift.jobs[i].done)
                lwb_digests_remember(cache, &shift.jobs[i].key, &shift.jobs[i].seen,
                                     &shift.jobs[i].digest);
    }
    lwb_free(shift.jobs);
}
