#include "cache/cache_digests.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"

/*
 * Threads hash, and nothing else: what is known and what may be kept is decided
 * before they start, and remembered after they have ended, by the one thread
 * that owns the database.
 */
enum {
    MAX_THREADS = 16,
    WORTH_IT = 4 * 1024 * 1024, /* bytes to hash: less takes no time worth a thread */
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
    atomic_size_t next;
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

static void hash(struct job *job)
{
    struct lwb_error ignored; /* whoever asks for the file will meet it again */
    int fd = open(job->path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    job->done = looks_as_seen(fd, &job->seen) && lwb_digest_fd(&job->digest, fd, &ignored) == 0 &&
                looks_as_seen(fd, &job->seen);
    (void)close(fd);
}

static void *work(void *arg)
{
    struct shift *shift = arg;
    size_t i;

    while ((i = atomic_fetch_add(&shift->next, 1)) < shift->n_jobs)
        hash(&shift->jobs[i]);
    return NULL;
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
        work_together(&shift);
        for (size_t i = 0; i < shift.n_jobs; i++)
            if (shift.jobs[i].done)
                lwb_digests_remember(cache, &shift.jobs[i].key, &shift.jobs[i].seen,
                                     &shift.jobs[i].digest);
    }
    lwb_free(shift.jobs);
}
