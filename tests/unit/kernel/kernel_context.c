#include "tests/unit/kernel/kernel_context.h"

#include "lwbuild/base/alloc.h"

int kernel_context_setup(void **state)
{
    struct kernel_context *k = lwb_alloc(sizeof(*k));

    if (!k || !kn_env_init(&k->env, &k->budget) ||
        !kn_ctx_init(&k->ctx, &k->budget, &k->lasting, NULL))
        return -1;
    k->ctx.env = &k->env;
    k->ctx.building = false;
    *state = k;
    return 0;
}

int kernel_context_teardown(void **state)
{
    struct kernel_context *k = *state;

    kn_store_release(&k->lasting, k->ctx.chunks, &k->budget);
    kn_ctx_release(&k->ctx);
    kn_env_release(&k->env);
    /* Whatever was charged was given back. */
    if (atomic_load(&k->budget.used) != 0)
        return -1;
    lwb_free(k);
    return 0;
}
