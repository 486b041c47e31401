#include "child/kernel/node.h"

#include <stdarg.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"

/*
 * The context of a thread: faults, limits, and what is kept and forgotten from
 * one declaration to the next.
 */
enum {
    CHUNK_TABLE = 1 << (32 - KN_CHUNK_BITS),
    KEEP_CHUNKS = 8, /* of the scratch store, for the next declaration */
};

/* What is known about terms, for one declaration; then what single traversals remember. */
static const size_t caches[] = {
    offsetof(struct kn_ctx, types[0]),  offsetof(struct kn_ctx, types[1]),
    offsetof(struct kn_ctx, whnf_core), offsetof(struct kn_ctx, whnf),
    offsetof(struct kn_ctx, equal),     offsetof(struct kn_ctx, failed_args),
    offsetof(struct kn_ctx, unfolded),  offsetof(struct kn_ctx, const_types),
    offsetof(struct kn_ctx, levels_le), offsetof(struct kn_ctx, proofs),
};
static const size_t memos[] = {
    offsetof(struct kn_ctx, memo),
    offsetof(struct kn_ctx, memo_replace),
    offsetof(struct kn_ctx, seen),
    offsetof(struct kn_ctx, used),
};

static struct kn_map *map_at(struct kn_ctx *ctx, size_t offset)
{
    return (struct kn_map *)(void *)((char *)ctx + offset);
}

static kn_ref set_fault(struct kn_ctx *ctx, enum kn_fault fault, const char *format, va_list args)
    LWB_PRINTF(3, 0);

static kn_ref set_fault(struct kn_ctx *ctx, enum kn_fault fault, const char *format, va_list args)
{
    if (ctx->fault != KN_FINE)
        return KN_NONE;
    ctx->fault = fault;
    ctx->cause = fault == KN_DECLINE ? LWB_KERNEL_CAUSE_UNKNOWN : LWB_KERNEL_CAUSE_NONE;
    (void)vsnprintf(ctx->reason, sizeof(ctx->reason), format, args);
    return KN_NONE;
}

kn_ref kn_reject(struct kn_ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_fault(ctx, KN_REJECT, format, args);
    va_end(args);
    return KN_NONE;
}

kn_ref kn_decline(struct kn_ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set_fault(ctx, KN_DECLINE, format, args);
    va_end(args);
    return KN_NONE;
}

const char *kn_describe_cause(enum lwb_kernel_cause cause)
{
    static const char *const texts[] = {
        [LWB_KERNEL_CAUSE_NONE] = "",
        [LWB_KERNEL_CAUSE_UNKNOWN] = "not understood",
        [LWB_KERNEL_CAUSE_MEMORY] = "the memory limit was reached",
        [LWB_KERNEL_CAUSE_STACK] = "the stack limit was reached",
        [LWB_KERNEL_CAUSE_TIME] = "the time limit was reached",
        [LWB_KERNEL_CAUSE_STEPS] = "the limit of steps was reached",
        [LWB_KERNEL_CAUSE_CANCELLED] = "cancelled",
    };

    return texts[cause];
}

kn_ref kn_give_up(struct kn_ctx *ctx, enum lwb_kernel_cause cause)
{
    if (ctx->fault == KN_FINE) {
        (void)kn_decline(ctx, "%s", kn_describe_cause(cause));
        ctx->cause = cause;
    }
    return KN_NONE;
}

bool kn_may_go_on_slow(struct kn_ctx *ctx)
{
    if (ctx->fault != KN_FINE)
        return false;
    if ((char *)__builtin_frame_address(0) < ctx->stack_low)
        (void)kn_give_up(ctx, LWB_KERNEL_CAUSE_STACK);
    else if ((ctx->steps += KN_TICK) > ctx->budget->max_steps && ctx->budget->max_steps)
        (void)kn_give_up(ctx, LWB_KERNEL_CAUSE_STEPS);
    else if (ctx->budget->cancelled && atomic_load(ctx->budget->cancelled))
        (void)kn_give_up(ctx, LWB_KERNEL_CAUSE_CANCELLED);
    else if (ctx->budget->deadline_ns && lwb_clock_ns() > ctx->budget->deadline_ns)
        (void)kn_give_up(ctx, LWB_KERNEL_CAUSE_TIME);
    return ctx->fault == KN_FINE;
}

kn_ref kn_out_of_memory(struct kn_ctx *ctx)
{
    return kn_give_up(ctx, LWB_KERNEL_CAUSE_MEMORY);
}

static void init_maps(struct kn_ctx *ctx)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(caches); i++)
        map_at(ctx, caches[i])->budget = ctx->budget;
    for (i = 0; i < LWB_COUNT(memos); i++)
        map_at(ctx, memos[i])->budget = ctx->budget;
}

bool kn_ctx_init(struct kn_ctx *ctx, struct kn_budget *budget, struct kn_store *lasting,
                 const struct kn_ctx *first)
{
    memset(ctx, 0, sizeof(*ctx));
    ctx->budget = budget;
    ctx->lasting = lasting;
    ctx->stack.budget = ctx->keep.budget = budget;
    init_maps(ctx);
    /* Not charged, and not zeroed: address space that is touched only where there are nodes. */
    ctx->chunks = lwb_realloc(NULL, CHUNK_TABLE * sizeof(void *));
    if (!ctx->chunks || !kn_store_init(lasting, budget, 0) ||
        !kn_store_init(&ctx->scratch, budget, KN_SCRATCH))
        return false;
    if (first) {
        kn_ctx_catch_up(ctx, first);
        ctx->env = first->env;
        ctx->no_caches = first->no_caches;
        ctx->zero = first->zero;
        ctx->nil = first->nil;
        return true;
    }
    ctx->building = true;
    ctx->zero = kn_make(ctx, KN_ZERO, 0, 0);
    ctx->nil = kn_make(ctx, KN_NIL, 0, 0);
    return ctx->fault == KN_FINE;
}

void kn_ctx_catch_up(struct kn_ctx *ctx, const struct kn_ctx *first)
{
    memcpy(ctx->chunks, first->chunks, ctx->lasting->n_chunks * sizeof(void *));
}

static void release_maps(struct kn_ctx *ctx)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(caches); i++)
        kn_map_release(map_at(ctx, caches[i]));
    for (i = 0; i < LWB_COUNT(memos); i++)
        kn_map_release(map_at(ctx, memos[i]));
}

void kn_ctx_release(struct kn_ctx *ctx)
{
    if (!ctx->budget)
        return;
    if (ctx->chunks)
        kn_store_release(&ctx->scratch, ctx->chunks, ctx->budget);
    release_maps(ctx);
    kn_arena_release(&ctx->stack);
    kn_arena_release(&ctx->keep);
    lwb_free(ctx->chunks);
    ctx->chunks = NULL;
}

void kn_ctx_forget(struct kn_ctx *ctx)
{
    size_t i;

    for (i = 0; i < LWB_COUNT(caches); i++)
        kn_map_clear(map_at(ctx, caches[i]));
}

void kn_ctx_trim(struct kn_ctx *ctx)
{
    kn_ctx_reset(ctx);
    kn_store_empty(ctx, &ctx->scratch, 0);
    kn_arena_release(&ctx->stack);
    release_maps(ctx);
}

void kn_ctx_reset(struct kn_ctx *ctx)
{
    kn_store_empty(ctx, &ctx->scratch, KEEP_CHUNKS);
    kn_arena_back(&ctx->stack, (struct kn_mark){ NULL, 0 });
    kn_ctx_forget(ctx);
    ctx->fault = KN_FINE;
    ctx->eager = false;
    ctx->steps = 0;
    ctx->ticks = 0;
}
