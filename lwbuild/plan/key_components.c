#include "lwbuild/plan/plan_internal.h"

/* What a key is made of, piece by piece, for --explain. */

typedef void emit_fn(void *ctx, const char *name, const struct lwb_digest *value);

struct emitter {
    struct lwb_plan *plan;
    emit_fn *emit;
    void *ctx;
    struct lwb_buf name;
};

static void release_emitter(struct emitter *out)
{
    lwb_buf_release(&out->name);
}
LWB_DEFINE_AUTO(struct emitter, release_emitter);

static void emit_hashed(struct emitter *out, const char *name)
{
    struct lwb_digest value = lwb_hasher_end(out->plan->hasher);

    out->emit(out->ctx, name, &value);
}

static void emit_session(struct emitter *out, const struct lwb_plan_batch *batch,
                         const struct lwb_key_context *context)
{
    struct lwb_hasher *hasher = out->plan->hasher;

    lwb_hasher_text(hasher, 'h', batch->host);
    lwb_hasher_text(hasher, 'd', context->host_digest);
    emit_hashed(out, "host");
    if (out->plan->has_toolchain && strcmp(batch->host, "kernel") != 0)
        out->emit(out->ctx, "toolchain", &out->plan->toolchain_id);
    lwb_hasher_text(hasher, 'p', batch->package);
    emit_hashed(out, "package");
    for (size_t i = 0; i < batch->options->count; i++) {
        lwb_buf_clear(&out->name);
        lwb_buf_format(&out->name, "option %.*s", (int)strcspn(batch->options->items[i], "="),
                       batch->options->items[i]);
        lwb_hasher_u64(hasher, 'n', i);
        lwb_hasher_text(hasher, 'o', batch->options->items[i]);
        emit_hashed(out, lwb_buf_text(&out->name));
    }
    for (size_t i = 0; i < context->n_inputs; i++) {
        lwb_buf_clear(&out->name);
        lwb_buf_format(&out->name, "input %zu", i + 1);
        out->emit(out->ctx, lwb_buf_text(&out->name), &context->inputs[i]);
    }
}

static int emit_plugins(struct emitter *out, const struct lwb_plan_batch *batch,
                        struct lwb_error *err)
{
    for (size_t i = 0; i < batch->plugins->count; i++) {
        struct lwb_digest content;
        int rc = lwb_plan_digest_plugin(out->plan, batch->plugins->items[i], &content, err);

        if (rc < 0)
            return rc;
        lwb_buf_clear(&out->name);
        lwb_buf_format(&out->name, "plugin %zu", i + 1);
        out->emit(out->ctx, lwb_buf_text(&out->name), &content);
    }
    return LWB_OK;
}

int lwb_plan_components(struct lwb_plan *plan, size_t index, const struct lwb_key_context *context,
                        emit_fn *emit, void *ctx, struct lwb_error *err)
{
    const struct lwb_plan_module *module = lwb_plan_module(plan, index);
    const struct lwb_plan_batch *batch = &plan->batches[module->batch];
    LWB_AUTO(release_emitter)
    struct emitter out = { .plan = plan, .emit = emit, .ctx = ctx, .name = LWB_BUF(SIZE_MAX / 2) };
    struct lwb_import_walk walk = { .node = &plan->nodes[plan->order[index]] };
    struct lwb_digest closure;
    uint32_t name;
    unsigned flags;
    int rc;

    emit_session(&out, batch, context);
    lwb_hasher_text(plan->hasher, 'm', module->name);
    lwb_hasher_text(plan->hasher, 'l', module->label);
    emit_hashed(&out, "module name");
    emit(ctx, "source", &module->source);
    rc = emit_plugins(&out, batch, err);
    while (rc == LWB_OK && lwb_plan_next_import(plan, &walk, &name, &flags)) {
        rc = lwb_plan_hash_import(plan, name, flags, &closure, err);
        lwb_buf_clear(&out.name);
        lwb_buf_format(&out.name, "import %s", lwb_names_text(&plan->names, name));
        emit_hashed(&out, lwb_buf_text(&out.name));
    }
    return rc;
}
