#pragma once

#include "child/kernel/environment.h"

/* A context over an empty file, with scratch terms. */
struct kernel_context {
    struct kn_budget budget;
    struct kn_store lasting;
    struct kn_env env;
    struct kn_ctx ctx;
};

int kernel_context_setup(void **state); /* cmocka fixtures; *state is a struct kernel_context */
int kernel_context_teardown(void **state);
