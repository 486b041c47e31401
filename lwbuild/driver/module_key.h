#pragma once

#include "lwbuild/driver/world.h"

/* Keys of modules as a run makes them; shared by the run itself, `plan` and --explain. */

/* Called with each part of a key, in order. */
typedef void lwb_component_fn(void *ctx, const char *name, const struct lwb_digest *value);

/*
 * The key of a module whose local imports all have results. `artifacts` by
 * plan index. `component` may be NULL.
 */
int lwb_module_key(struct lwb_digest *out, struct lwb_world *world, size_t module,
                   const struct lwb_digest *artifacts, lwb_component_fn *component, void *ctx,
                   struct lwb_error *err);

/* What stands for a module's artifacts in the keys of its dependents: all parts by name and
 * content. */
int lwb_module_artifact_digest(struct lwb_digest *out, const struct lwb_cache_artifact *artifacts,
                               size_t count, struct lwb_error *err);

/* An entry is of use only if it has the artifact that dependents need. */
bool lwb_module_entry_is_enough(const struct lwb_plan_module *module,
                                const struct lwb_cache_entry *entry);
