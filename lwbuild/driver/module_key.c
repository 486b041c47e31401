#include "lwbuild/driver/module_key.h"

int lwb_module_key(struct lwb_digest *out, struct lwb_world *world, size_t module,
                   const struct lwb_digest *artifacts, lwb_component_fn *component, void *ctx,
                   struct lwb_error *err)
{
    const struct lwb_plan_module *plan = lwb_plan_module(world->plan, module);
    const char *host = lwb_plan_batch(world->plan, plan->batch)->host;
    struct lwb_key_context context = {
        .inputs = world->inputs,
        .n_inputs = world->input_paths.count,
        .artifacts = artifacts,
    };
    int rc = lwb_world_host_digest(world, host, &context.host_digest, err);

    return rc < 0 ? rc : lwb_plan_key(out, world->plan, module, &context, component, ctx, err);
}

int lwb_module_artifact_digest(struct lwb_digest *out, const struct lwb_cache_artifact *artifacts,
                               size_t count, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_text(hasher, 'a', "artifacts");
    for (size_t i = 0; i < count; i++) {
        lwb_hasher_text(hasher, 'p', artifacts[i].part);
        lwb_hasher_digest(hasher, 'd', &artifacts[i].digest);
    }
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

bool lwb_module_entry_is_enough(const struct lwb_plan_module *module,
                                const struct lwb_cache_entry *entry)
{
    return entry->verdict != LWB_CACHE_ACCEPTED || !module->imported || entry->n_artifacts > 0;
}
