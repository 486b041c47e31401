#include "child/kernel/schedule.h"

#include <pthread.h>

#include "child/kernel/admit.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

enum { STACK_SLACK = 256 * 1024, MAX_THREADS = 256 };

struct worker;

struct state {
    struct kn_schedule *schedule;
    struct kn_env *env;
    atomic_size_t next; /* the item to be taken next */
    atomic_bool stop;
    pthread_mutex_t lock; /* of `running` and the signal */
    pthread_cond_t changed;
    unsigned running; /* workers in the present phase */
    struct worker *workers;
    unsigned n_workers;
};

struct worker {
    struct state *state;
    struct kn_ctx ctx;
};

struct start {
    void (*fn)(void *data, char *stack_low);
    void *data;
    size_t stack_bytes;
};

static void *run_start(void *data)
{
    struct start start = *(struct start *)data;
    char here;

    lwb_free(data);
    start.fn(start.data, (char *)&here - start.stack_bytes + STACK_SLACK);
    return NULL;
}

static bool start_thread(pthread_t *thread, size_t stack_bytes,
                         void (*fn)(void *data, char *stack_low), void *data)
{
    struct start *start = lwb_alloc(sizeof(*start));
    pthread_attr_t attr;
    bool ok;

    if (!start)
        return false;
    *start = (struct start){ fn, data, stack_bytes };
    if (pthread_attr_init(&attr) != 0) {
        lwb_free(start);
        return false;
    }
    ok = pthread_attr_setstacksize(&attr, stack_bytes) == 0 &&
         pthread_create(thread, &attr, run_start, start) == 0;
    (void)pthread_attr_destroy(&attr);
    if (!ok)
        lwb_free(start);
    return ok;
}

bool kn_with_stack(size_t stack_bytes, void (*fn)(void *data, char *stack_low), void *data)
{
    pthread_t thread;

    if (!start_thread(&thread, stack_bytes, fn, data))
        return false;
    (void)pthread_join(thread, NULL);
    return true;
}

static void check_item(struct worker *worker, struct kn_item *item)
{
    struct state *state = worker->state;
    uint64_t start = lwb_clock_ns();

    kn_ctx_reset(&worker->ctx);
    if (atomic_load_explicit(&state->stop, memory_order_relaxed))
        (void)kn_give_up(&worker->ctx, LWB_KERNEL_CAUSE_CANCELLED);
    else
        kn_check_value(&worker->ctx, item);
    item->time_ns += lwb_clock_ns() - start;
    kn_conclude(&worker->ctx, item);
}

/* The next few items; false when there are none left to take. */
static bool look_over_some(struct worker *worker)
{
    enum { SHARE = 16 };
    struct kn_env *env = worker->state->env;
    size_t i = atomic_fetch_add(&worker->state->next, SHARE);
    const size_t end = i + SHARE < env->n_items ? i + SHARE : env->n_items;

    for (; i < end; i++) {
        if (!kn_look_over(&worker->ctx, &env->items[i]))
            kn_conclude(&worker->ctx, &env->items[i]);
        atomic_store_explicit(&env->items[i].looked_over, true, memory_order_release);
    }
    return end < env->n_items;
}

static void look_over_items(void *data, char *stack_low)
{
    struct worker *worker = data;
    struct state *state = worker->state;
    bool more = true;

    worker->ctx.stack_low = stack_low;
    while (more) {
        more = look_over_some(worker);
        (void)pthread_mutex_lock(&state->lock);
        (void)pthread_cond_signal(&state->changed);
        (void)pthread_mutex_unlock(&state->lock);
    }
}

static void check_items(void *data, char *stack_low)
{
    struct worker *worker = data;
    struct state *state = worker->state;
    struct kn_env *env = state->env;
    size_t i;

    worker->ctx.stack_low = stack_low;
    while ((i = atomic_fetch_add(&state->next, 1)) < env->n_items) {
        if (env->items[i].state == KN_PENDING)
            check_item(worker, &env->items[i]);
        if ((i & 63) == 0)
            (void)pthread_cond_signal(&state->changed);
    }
    (void)pthread_mutex_lock(&state->lock);
    state->running--;
    (void)pthread_cond_signal(&state->changed);
    (void)pthread_mutex_unlock(&state->lock);
}

static bool is_looked_over(struct kn_item *item)
{
    return atomic_load_explicit(&item->looked_over, memory_order_acquire);
}

/* Do it oneself while there is something to take, else wait for who took it. */
static void get_looked_over(struct worker *helper, struct kn_item *item)
{
    struct state *state = helper->state;

    while (!is_looked_over(item) && look_over_some(helper))
        continue;
    if (is_looked_over(item))
        return;
    (void)pthread_mutex_lock(&state->lock);
    while (!is_looked_over(item))
        (void)pthread_cond_wait(&state->changed, &state->lock);
    (void)pthread_mutex_unlock(&state->lock);
}

static void admit_all(void *data, char *stack_low)
{
    struct state *state = data;
    struct worker *helper = &state->workers[0];
    struct kn_ctx *ctx = state->schedule->ctx;
    struct kn_env *env = state->env;
    size_t i;

    ctx->stack_low = helper->ctx.stack_low = stack_low;
    for (i = 0; i < env->n_items; i++) {
        uint64_t start;

        if (!is_looked_over(&env->items[i]))
            get_looked_over(helper, &env->items[i]);
        start = lwb_clock_ns();
        kn_admit(ctx, &env->items[i]);
        env->items[i].time_ns += lwb_clock_ns() - start;
    }
    kn_ctx_trim(ctx);
}

/* An item that rests on one that was not accepted has no verdict of its own. */
static void settle(struct kn_env *env, struct kn_item *item)
{
    uint32_t i;

    for (i = 0; i < item->n_uses; i++) {
        const struct kn_item *used = &env->items[item->uses[i]];

        if (used->state == KN_ACCEPTED)
            continue;
        item->blocker = used->state == KN_BLOCKED ? used->blocker : item->uses[i];
        item->state = KN_BLOCKED;
        return;
    }
}

/* Report what is final, in order, until the workers are done. */
static void report(struct state *state)
{
    struct kn_env *env = state->env;
    struct kn_schedule *schedule = state->schedule;
    size_t i = 0;

    while (i < env->n_items) {
        bool over;

        for (; i < env->n_items && env->items[i].state != KN_PENDING; i++) {
            settle(env, &env->items[i]);
            if (schedule->done(schedule->data, &env->items[i]) != 0)
                atomic_store(&state->stop, true);
        }
        (void)pthread_mutex_lock(&state->lock);
        over = state->running == 0;
        if (!over && i < env->n_items && env->items[i].state == KN_PENDING) {
            struct timespec until;

            /* Items are finished without the lock: look again now and then. */
            (void)clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += 20000000;
            if (until.tv_nsec >= 1000000000) {
                until.tv_nsec -= 1000000000;
                until.tv_sec++;
            }
            (void)pthread_cond_timedwait(&state->changed, &state->lock, &until);
        }
        (void)pthread_mutex_unlock(&state->lock);
        if (over && i < env->n_items && env->items[i].state == KN_PENDING)
            return; /* not reached: workers take every item */
    }
}

/* Start fn on the workers from `first` on; how many could be started. */
static unsigned start_workers(struct state *state, unsigned first, pthread_t *threads,
                              void (*fn)(void *data, char *stack_low))
{
    unsigned started = 0;

    atomic_store(&state->next, 0);
    for (; first + started < state->n_workers; started++) {
        struct worker *worker = &state->workers[first + started];

        if (!start_thread(&threads[started], state->schedule->stack_bytes, fn, worker))
            break;
    }
    return started;
}

static void join(const pthread_t *threads, unsigned n)
{
    while (n > 0)
        (void)pthread_join(threads[--n], NULL);
}

/*
 * One thread admits, the others look over what is ahead of it. It reads of
 * declarations what the file says; admission writes only what follows from that.
 */
static bool look_over_and_admit(struct state *state)
{
    pthread_t threads[MAX_THREADS];
    const unsigned started = start_workers(state, 1, threads, look_over_items);
    const bool ok = kn_with_stack(state->schedule->stack_bytes, admit_all, state);

    join(threads, started);
    return ok;
}

/* What admission has made is seen by all from here on. At least one worker must start. */
static bool check_values(struct state *state)
{
    pthread_t threads[MAX_THREADS];
    unsigned started, i;

    for (i = 0; i < state->n_workers; i++) {
        kn_ctx_trim(&state->workers[i].ctx);
        kn_ctx_catch_up(&state->workers[i].ctx, state->schedule->ctx);
    }
    state->running = state->n_workers;
    started = start_workers(state, 0, threads, check_items);
    (void)pthread_mutex_lock(&state->lock);
    state->running -= state->n_workers - started;
    (void)pthread_mutex_unlock(&state->lock);
    if (started > 0)
        report(state);
    join(threads, started);
    return started > 0;
}

static bool init_workers(struct state *state, unsigned n)
{
    struct kn_ctx *first = state->schedule->ctx;

    state->workers = lwb_alloc_array(n, sizeof(*state->workers));
    for (; state->workers && state->n_workers < n; state->n_workers++) {
        struct worker *worker = &state->workers[state->n_workers];

        worker->state = state;
        if (!kn_ctx_init(&worker->ctx, first->budget, first->lasting, first)) {
            kn_ctx_release(&worker->ctx);
            break;
        }
    }
    return state->n_workers > 0;
}

bool kn_schedule_run(struct kn_schedule *schedule)
{
    unsigned n = schedule->threads ? schedule->threads : 1;
    struct state state = { .schedule = schedule, .env = schedule->ctx->env };
    unsigned i;
    bool ok;

    (void)pthread_mutex_init(&state.lock, NULL);
    (void)pthread_cond_init(&state.changed, NULL);
    schedule->ctx->building = false;
    ok = init_workers(&state, n < MAX_THREADS ? n : MAX_THREADS) && look_over_and_admit(&state) &&
         check_values(&state);
    for (i = 0; i < state.n_workers; i++)
        kn_ctx_release(&state.workers[i].ctx);
    lwb_free(state.workers);
    (void)pthread_cond_destroy(&state.changed);
    (void)pthread_mutex_destroy(&state.lock);
    return ok;
}
