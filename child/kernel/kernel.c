#include "child/kernel/kernel.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child/kernel/environment.h"
#include "child/kernel/ndjson.h"
#include "child/kernel/schedule.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/utf8.h"

/*
 * The public face: owns the stores, turns states into verdicts. The verdict of
 * a file is that of its first rejected declaration, else of the first declined
 * one; what rests on such a declaration is blocked and decides nothing, so that
 * the order in which threads get at declarations shows nowhere.
 */
#define DEFAULT_STEPS (UINT64_C(1) << 33)
enum { DEFAULT_STACK = 512 * 1024 * 1024, MIN_STACK = 1024 * 1024 };

struct lwb_kernel {
    struct lwb_kernel_limits limits;
    struct kn_budget budget;
    struct kn_store lasting;
    struct kn_env env;
    struct kn_ctx ctx;
    enum { NEW, LOADED, DONE } stage;
    uint64_t start_ns;
    struct lwb_buf name; /* of the present row */
    struct axiom_name {
        uint32_t item;
        struct lwb_bytes name;
    } * axiom_names; /* ascending by item */
    size_t n_axiom_names;
};

int lwb_kernel_open(struct lwb_kernel **out, const struct lwb_kernel_limits *limits,
                    struct lwb_error *err)
{
    LWB_AUTO(lwb_kernel_close) struct lwb_kernel *kernel = lwb_alloc(sizeof(*kernel));

    if (!kernel)
        return lwb_fail_memory(err);
    kernel->limits = *limits;
    kernel->budget.max = limits->memory_bytes;
    kernel->budget.cancelled = limits->cancelled;
    kernel->budget.max_steps = limits->steps ? limits->steps : DEFAULT_STEPS;
    kernel->name = LWB_BUF(1 << 20);
    if (!kernel->limits.stack_bytes)
        kernel->limits.stack_bytes = DEFAULT_STACK;
    if (kernel->limits.stack_bytes < MIN_STACK)
        return lwb_fail(err, LWB_ERR_USAGE, "kernel: a stack of less than 1 MiB");
    if (!kn_env_init(&kernel->env, &kernel->budget) ||
        !kn_ctx_init(&kernel->ctx, &kernel->budget, &kernel->lasting, NULL))
        return lwb_fail_memory(err);
    kernel->ctx.env = &kernel->env;
    *out = LWB_TAKE(kernel);
    return LWB_OK;
}

void lwb_kernel_close(struct lwb_kernel *kernel)
{
    if (!kernel)
        return;
    if (kernel->ctx.chunks)
        kn_store_release(&kernel->lasting, kernel->ctx.chunks, &kernel->budget);
    kn_ctx_release(&kernel->ctx);
    kn_env_release(&kernel->env);
    lwb_buf_release(&kernel->name);
    lwb_free(kernel);
}

/* One line of valid UTF-8, cut to fit. */
static void set_text(char *out, size_t size, const char *text)
{
    size_t n = lwb_utf8_valid_prefix(lwb_bytes_text(text));
    size_t i;

    n = lwb_utf8_cut(lwb_bytes(text, n), size - 1);
    memcpy(out, text, n);
    out[n] = '\0';
    for (i = 0; i < n; i++) {
        if ((unsigned char)out[i] < ' ')
            out[i] = '?';
    }
}

static enum lwb_kernel_verdict conclude(struct lwb_kernel_summary *summary,
                                        enum lwb_kernel_verdict verdict, uint32_t line,
                                        const char *reason)
{
    summary->verdict = verdict;
    summary->cause =
        verdict == LWB_KERNEL_DECLINE ? LWB_KERNEL_CAUSE_UNKNOWN : LWB_KERNEL_CAUSE_NONE;
    summary->line = line;
    set_text(summary->reason, sizeof(summary->reason), reason);
    return verdict;
}

static enum lwb_kernel_verdict give_up(struct lwb_kernel_summary *summary,
                                       enum lwb_kernel_cause cause)
{
    (void)conclude(summary, LWB_KERNEL_DECLINE, 0, kn_describe_cause(cause));
    summary->cause = cause;
    return LWB_KERNEL_DECLINE;
}

/* Loading ------------------------------------------------------------------------------------- */

static void count(const struct kn_env *env, struct lwb_kernel_summary *summary)
{
    size_t i;

    summary->declarations = env->n_items;
    for (i = 0; i < env->n_items; i++) {
        summary->theorems += env->items[i].kind == KN_THEOREM;
        summary->axioms += env->items[i].kind == KN_AXIOM;
    }
}

/* Made before threads run, so that rows can be looked at while they do. */
static bool name_axioms(struct lwb_kernel *kernel, size_t n)
{
    struct kn_env *env = &kernel->env;
    size_t i;

    kernel->axiom_names = kn_arena_take(&env->arena, (n + 1) * sizeof(*kernel->axiom_names));
    if (!kernel->axiom_names)
        return false;
    for (i = 0; i < env->n_items; i++) {
        struct axiom_name *axiom = &kernel->axiom_names[kernel->n_axiom_names];
        char *copy;

        if (env->items[i].kind != KN_AXIOM)
            continue;
        lwb_buf_clear(&kernel->name);
        kn_name_describe(&env->names, env->decls[env->items[i].first].name, &kernel->name);
        copy = kn_arena_take(&env->arena, kernel->name.len + 1);
        if (!copy || !kernel->name.ptr)
            return false;
        memcpy(copy, kernel->name.ptr, kernel->name.len);
        *axiom = (struct axiom_name){ (uint32_t)i, lwb_bytes(copy, kernel->name.len) };
        kernel->n_axiom_names++;
    }
    return true;
}

static enum lwb_kernel_verdict load(struct lwb_kernel *kernel, const struct kn_input *input,
                                    struct lwb_kernel_summary *summary)
{
    struct kn_reader reader;
    enum lwb_kernel_verdict verdict = LWB_KERNEL_ACCEPT;

    memset(summary, 0, sizeof(*summary));
    if (kernel->stage != NEW)
        return conclude(summary, LWB_KERNEL_DECLINE, 0, "a kernel loads one file only");
    kernel->stage = LOADED;
    kernel->start_ns = lwb_clock_ns();
    if (kernel->limits.time_ms)
        kernel->budget.deadline_ns = kernel->start_ns + kernel->limits.time_ms * 1000000;
    if (!kn_read_export(&reader, &kernel->ctx, input)) {
        kernel->stage = DONE;
        verdict = reader.state == KN_READ_MALFORMED ? LWB_KERNEL_MALFORMED : LWB_KERNEL_DECLINE;
        (void)conclude(summary, verdict, reader.line, reader.text);
        summary->cause = reader.cause;
    }
    kn_reader_release(&reader);
    count(&kernel->env, summary);
    if (verdict == LWB_KERNEL_ACCEPT && !name_axioms(kernel, summary->axioms)) {
        kernel->stage = DONE;
        verdict = give_up(summary, LWB_KERNEL_CAUSE_MEMORY);
    }
    summary->load_ns = lwb_clock_ns() - kernel->start_ns;
    summary->memory_peak = atomic_load(&kernel->budget.peak);
    return verdict;
}

enum lwb_kernel_verdict lwb_kernel_load(struct lwb_kernel *kernel, struct lwb_bytes file,
                                        struct lwb_kernel_summary *summary)
{
    const struct kn_input input = { .text = file, .bytes = file.len };

    return load(kernel, &input, summary);
}

enum lwb_kernel_verdict lwb_kernel_load_from(struct lwb_kernel *kernel,
                                             const struct lwb_kernel_source *source,
                                             struct lwb_kernel_summary *summary)
{
    const struct kn_input input = { .more = source, .bytes = source->bytes };

    return load(kernel, &input, summary);
}

static ptrdiff_t read_fd(void *ctx, char *out, size_t size)
{
    ssize_t n;

    do
        n = read(*(const int *)ctx, out, size);
    while (n < 0 && errno == EINTR);
    return n;
}

enum lwb_kernel_verdict lwb_kernel_load_fd(struct lwb_kernel *kernel, int fd,
                                           struct lwb_kernel_summary *summary)
{
    struct lwb_kernel_source source = { .read = read_fd, .ctx = &fd };
    struct stat st;

    if (fstat(fd, &st) == 0 && st.st_size > 0)
        source.bytes = (uint64_t)st.st_size;
    return lwb_kernel_load_from(kernel, &source, summary);
}

/* Checking ------------------------------------------------------------------------------------ */

struct run {
    struct lwb_kernel *kernel;
    const struct lwb_kernel_request *request;
    struct lwb_kernel_summary *summary;
    const struct kn_item *decided_by;
    bool stopped;
};

static struct lwb_bytes describe(struct lwb_kernel *kernel, const struct kn_item *item)
{
    lwb_buf_clear(&kernel->name);
    kn_name_describe(&kernel->env.names, kernel->env.decls[item->first].name, &kernel->name);
    return lwb_bytes(kernel->name.ptr ? kernel->name.ptr : "", kernel->name.len);
}

static void decide(struct run *run, const struct kn_item *item, struct lwb_bytes name,
                   const char *reason)
{
    struct lwb_kernel_summary *summary = run->summary;
    const bool rejected = item->state == KN_REJECTED;
    size_t n;

    if (summary->verdict == LWB_KERNEL_REJECT ||
        (summary->verdict == LWB_KERNEL_DECLINE && !rejected))
        return;
    (void)conclude(summary, rejected ? LWB_KERNEL_REJECT : LWB_KERNEL_DECLINE, item->line, reason);
    summary->cause = item->cause;
    n = lwb_utf8_cut(name, sizeof(summary->name) - 1);
    memcpy(summary->name, name.ptr, n);
    summary->name[n] = '\0';
}

static const char *blocked_reason(struct lwb_kernel *kernel, const struct kn_item *item, char *out,
                                  size_t size)
{
    struct kn_shown shown;
    const struct kn_item *blocker = &kernel->env.items[item->blocker];

    (void)snprintf(out, size, "it rests on %s, which was not accepted",
                   kn_show(&kernel->ctx, kernel->env.decls[blocker->first].name, &shown));
    return out;
}

static int on_done(void *data, const struct kn_item *item)
{
    static const enum lwb_kernel_state states[] = {
        [KN_PENDING] = LWB_KERNEL_STATE_DECLINED,  [KN_ACCEPTED] = LWB_KERNEL_STATE_ACCEPTED,
        [KN_REJECTED] = LWB_KERNEL_STATE_REJECTED, [KN_DECLINED] = LWB_KERNEL_STATE_DECLINED,
        [KN_BLOCKED] = LWB_KERNEL_STATE_BLOCKED,
    };
    static const enum lwb_kernel_kind kinds[] = {
        [KN_AXIOM] = LWB_KERNEL_AXIOM,     [KN_DEFINITION] = LWB_KERNEL_DEFINITION,
        [KN_THEOREM] = LWB_KERNEL_THEOREM, [KN_OPAQUE] = LWB_KERNEL_OPAQUE,
        [KN_QUOT] = LWB_KERNEL_QUOT,       [KN_INDUCTIVE] = LWB_KERNEL_INDUCTIVE,
    };
    struct run *run = data;
    char text[300];
    const char *reason = item->reason ? item->reason : "";
    struct lwb_bytes name = describe(run->kernel, item);
    struct lwb_kernel_row row = {
        .name = name,
        .kind = kinds[item->kind],
        .state = states[item->state],
        .cause = item->cause,
        .axioms = item->axioms,
        .n_axioms = item->n_axioms,
        .time_ns = item->time_ns,
        .line = item->line,
    };

    run->summary->rejected += item->state == KN_REJECTED;
    run->summary->declined += item->state == KN_DECLINED;
    run->summary->blocked += item->state == KN_BLOCKED;
    if (item->state == KN_BLOCKED)
        reason = blocked_reason(run->kernel, item, text, sizeof(text));
    else if (item->state != KN_ACCEPTED)
        decide(run, item, name, reason);
    row.reason = lwb_bytes_text(reason);
    if (run->request->row && !run->stopped && run->request->row(run->request->ctx, &row) != 0)
        run->stopped = true;
    return run->stopped;
}

enum lwb_kernel_verdict lwb_kernel_check(struct lwb_kernel *kernel,
                                         const struct lwb_kernel_request *request,
                                         struct lwb_kernel_summary *summary)
{
    struct run run = { .kernel = kernel, .request = request, .summary = summary };
    uint64_t start = lwb_clock_ns();
    struct kn_schedule schedule = {
        .ctx = &kernel->ctx,
        .threads = request->threads,
        .stack_bytes = kernel->limits.stack_bytes,
        .done = on_done,
        .data = &run,
    };

    summary->line = 0;
    summary->name[0] = '\0';
    summary->rejected = summary->declined = summary->blocked = 0;
    if (kernel->stage != LOADED)
        return conclude(summary, LWB_KERNEL_DECLINE, 0, "nothing is loaded");
    kernel->stage = DONE;
    kernel->ctx.no_caches = request->no_caches;
    (void)conclude(summary, LWB_KERNEL_ACCEPT, 0, "");
    if (!kn_schedule_run(&schedule))
        (void)conclude(summary, LWB_KERNEL_DECLINE, 0, "no thread could be started");
    else if (run.stopped && summary->verdict == LWB_KERNEL_ACCEPT)
        (void)give_up(summary, LWB_KERNEL_CAUSE_CANCELLED);
    summary->check_ns = lwb_clock_ns() - start;
    summary->memory_peak = atomic_load(&kernel->budget.peak);
    return summary->verdict;
}

struct lwb_bytes lwb_kernel_axiom(const struct lwb_kernel *kernel, uint32_t axiom)
{
    size_t low = 0, high = kernel->n_axiom_names;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (kernel->axiom_names[middle].item < axiom)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == kernel->n_axiom_names || kernel->axiom_names[low].item != axiom)
        return lwb_bytes("", 0);
    return kernel->axiom_names[low].name;
}

const char *lwb_kernel_cause_name(enum lwb_kernel_cause cause)
{
    static const char *const names[] = { "",     "unknown", "memory",   "stack",
                                         "time", "steps",   "cancelled" };

    return names[cause];
}

const char *lwb_kernel_kind_name(enum lwb_kernel_kind kind)
{
    static const char *const names[] = { "axiom",  "definition", "theorem",
                                         "opaque", "quot",       "inductive" };

    return names[kind];
}

const char *lwb_kernel_state_name(enum lwb_kernel_state state)
{
    static const char *const names[] = { "accepted", "rejected", "declined", "blocked" };

    return names[state];
}

const char *lwb_kernel_verdict_name(enum lwb_kernel_verdict verdict)
{
    static const char *const names[] = { "accept", "reject", "decline", "malformed" };

    return names[verdict];
}
