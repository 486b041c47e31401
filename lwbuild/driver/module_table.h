#pragma once

#include "lwbuild/driver/run.h"

/*
 * What a run knew about its modules, as a flat sequence of bytes that is read in
 * place: the second part of a snapshot. With it, a later run in which only the
 * sources of a few modules have changed plans those and what imports them, and
 * nothing else (lwb_plan_part).
 *
 * Numbers of modules are the indexes of that run's plan: imports come first.
 */
int lwb_module_table_encode(struct lwb_buf *out, const struct lwb_world *world,
                            const struct lwb_run *run, struct lwb_error *err);

/* A view. Nothing is owned; what it points to must be 8-byte aligned and outlive it. */
struct lwb_module_table {
    const struct lwb_module_row *rows;
    size_t count;
    const uint32_t *first_dependent; /* by module, and one more: into `dependents` */
    const uint32_t *dependents;
    const struct lwb_module_batch *batches;
    size_t n_batches;
    const uint32_t *imports; /* texts of the batches' imports */
    size_t n_imports;
    const uint32_t *roots; /* texts of the source roots */
    size_t n_roots;
    const char *texts; /* each ended by a NUL */
    size_t texts_len;
};

/* Whether the bytes are a table; then all numbers in it lead to something. */
bool lwb_module_table_open(struct lwb_module_table *table, struct lwb_bytes bytes);

/* What the earlier plan said of a module: the fields that lwb_plan_part wants, and the digest. */
void lwb_module_table_get(const struct lwb_module_table *table, size_t module,
                          struct lwb_plan_module *out);

/* What it cost to check. */
uint64_t lwb_module_table_cost(const struct lwb_module_table *table, size_t module);

/* Export files are not planned in part. */
bool lwb_module_table_is_export(const struct lwb_module_table *table, size_t module);

/* Whether the module imports today, by its batch, what it imported then. */
bool lwb_module_table_has_imports(const struct lwb_module_table *table, size_t module,
                                  const struct lwb_plan_batch *today);

int lwb_module_table_source_roots(const struct lwb_module_table *table, struct lwb_strvec *out);

/* Note another result in the bytes behind the view, which must be writable. */
void lwb_module_table_renew(const struct lwb_module_table *table, size_t module,
                            const struct lwb_digest *source, uint64_t cost_ns);
