#include "lwbuild/driver/module_table.h"

#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

/*
 * Layout: head, rows, first_dependent, dependents, batches, imports, roots,
 * texts. Rows first, since they need the widest alignment.
 */
struct head {
    uint32_t n_modules;
    uint32_t n_dependents;
    uint32_t n_batches;
    uint32_t n_imports;
    uint32_t n_roots;
    uint32_t texts_len;
};

struct lwb_module_row {
    struct lwb_digest source;
    uint64_t cost_ns;
    uint32_t path, name; /* texts */
    uint32_t root;
    uint32_t batch;
    uint16_t library;
    uint8_t listed, loose;
    uint32_t unused;
};

/* Modules of a batch have the same header; what else they share follows from the project. */
struct lwb_module_batch {
    uint32_t first_import, n_imports;
    uint32_t prelude, module_system;
};

enum { MAX_TEXTS = 1 << 30 };

/* ---- writing ------------------------------------------------------------------------------- */

struct encoder {
    const struct lwb_plan *plan;
    const struct lwb_run *run;
    struct lwb_buf *out;
    struct lwb_buf texts;
    struct head head;
};

static uint32_t add_text(struct encoder *encoder, const char *text)
{
    uint32_t at = (uint32_t)encoder->texts.len;

    lwb_buf_append(&encoder->texts, text, strlen(text) + 1);
    return at;
}

static uint32_t root_number(const struct lwb_strvec *roots, const char *root)
{
    uint32_t i = 0;

    while (i < roots->count && strcmp(roots->items[i], root) != 0)
        i++;
    return i;
}

static void append_rows(struct encoder *encoder)
{
    const struct lwb_strvec *roots = lwb_plan_source_roots(encoder->plan);

    for (size_t i = 0; i < encoder->head.n_modules; i++) {
        const struct lwb_plan_module *module = lwb_plan_module(encoder->plan, i);
        struct lwb_module_row row = {
            .source = module->source,
            .cost_ns = lwb_run_result(encoder->run, i).cost_ns,
            .path = add_text(encoder, module->path),
            .name = add_text(encoder, module->name),
            .root = root_number(roots, module->source_root),
            .batch = (uint32_t)module->batch,
            .library = module->library,
            .listed = module->listed,
            .loose = module->loose,
        };

        lwb_buf_append(encoder->out, &row, sizeof(row));
    }
}

static void append_number(struct lwb_buf *out, size_t number)
{
    uint32_t narrow = (uint32_t)number;

    lwb_buf_append(out, &narrow, sizeof(narrow));
}

static void append_dependents(struct encoder *encoder)
{
    const size_t *dependents;
    size_t first = 0;

    for (size_t i = 0; i < encoder->head.n_modules; i++) {
        append_number(encoder->out, first);
        first += lwb_run_dependents(encoder->run, i, &dependents);
    }
    append_number(encoder->out, first);
    encoder->head.n_dependents = (uint32_t)first;
    for (size_t i = 0; i < encoder->head.n_modules; i++) {
        size_t count = lwb_run_dependents(encoder->run, i, &dependents);

        for (size_t k = 0; k < count; k++)
            append_number(encoder->out, dependents[k]);
    }
}

static void append_batches(struct encoder *encoder)
{
    size_t n_imports = 0;

    for (size_t i = 0; i < encoder->head.n_batches; i++) {
        const struct lwb_plan_batch *batch = lwb_plan_batch(encoder->plan, i);
        struct lwb_module_batch flat = {
            .first_import = (uint32_t)n_imports,
            .n_imports = (uint32_t)batch->imports->count,
            .prelude = batch->prelude,
            .module_system = batch->module_system,
        };

        lwb_buf_append(encoder->out, &flat, sizeof(flat));
        n_imports += batch->imports->count;
    }
    encoder->head.n_imports = (uint32_t)n_imports;
    for (size_t i = 0; i < encoder->head.n_batches; i++) {
        const struct lwb_strvec *imports = lwb_plan_batch(encoder->plan, i)->imports;

        for (size_t k = 0; k < imports->count; k++)
            append_number(encoder->out, add_text(encoder, imports->items[k]));
    }
}

int lwb_module_table_encode(struct lwb_buf *out, const struct lwb_world *world,
                            const struct lwb_run *run, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf texts = LWB_BUF(MAX_TEXTS);
    const struct lwb_strvec *roots = lwb_plan_source_roots(world->plan);
    struct encoder encoder = {
        .plan = world->plan,
        .run = run,
        .out = out,
        .texts = texts,
        .head = {
            .n_modules = (uint32_t)lwb_plan_module_count(world->plan),
            .n_batches = (uint32_t)lwb_plan_batch_count(world->plan),
            .n_roots = (uint32_t)roots->count,
        },
    };
    size_t start = out->len;

    lwb_buf_append(out, &encoder.head, sizeof(encoder.head));
    append_rows(&encoder);
    append_dependents(&encoder);
    append_batches(&encoder);
    for (size_t i = 0; i < roots->count; i++)
        append_number(out, add_text(&encoder, roots->items[i]));
    encoder.head.texts_len = (uint32_t)encoder.texts.len;
    texts = encoder.texts;
    lwb_buf_append_bytes(out, lwb_buf_bytes(&texts));
    if (!lwb_buf_ok(out) || !lwb_buf_ok(&texts))
        return lwb_fail_memory(err);
    memcpy(out->ptr + start, &encoder.head, sizeof(encoder.head));
    return LWB_OK;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* The next `count` things of `size` bytes; NULL when they are not all there. */
static const void *take(struct lwb_bytes *bytes, size_t count, size_t size)
{
    const void *at = bytes->ptr;

    if (count > bytes->len / size)
        return NULL;
    *bytes = lwb_bytes(bytes->ptr + count * size, bytes->len - count * size);
    return at;
}

static bool are_texts(const struct lwb_module_table *table, const uint32_t *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i] >= table->texts_len)
            return false;
    return true;
}

static bool is_sound(const struct lwb_module_table *table, size_t n_dependents)
{
    if (table->texts_len && table->texts[table->texts_len - 1] != '\0')
        return false;
    for (size_t i = 0; i < table->count; i++) {
        const struct lwb_module_row *row = &table->rows[i];

        if (row->path >= table->texts_len || row->name >= table->texts_len ||
            row->root >= table->n_roots || row->batch >= table->n_batches ||
            table->first_dependent[i] > table->first_dependent[i + 1])
            return false;
    }
    for (size_t i = 0; i < n_dependents; i++)
        if (table->dependents[i] >= table->count)
            return false;
    for (size_t i = 0; i < table->n_batches; i++)
        if (table->batches[i].first_import > table->n_imports ||
            table->batches[i].n_imports > table->n_imports - table->batches[i].first_import)
            return false;
    return table->first_dependent[table->count] == n_dependents &&
           are_texts(table, table->imports, table->n_imports) &&
           are_texts(table, table->roots, table->n_roots);
}

bool lwb_module_table_open(struct lwb_module_table *out, struct lwb_bytes bytes)
{
    const struct head *head = take(&bytes, 1, sizeof(*head));
    struct lwb_module_table table = { 0 };

    if (!head)
        return false;
    table.count = head->n_modules;
    table.n_batches = head->n_batches;
    table.n_imports = head->n_imports;
    table.n_roots = head->n_roots;
    table.texts_len = head->texts_len;
    table.rows = take(&bytes, table.count, sizeof(*table.rows));
    table.first_dependent = take(&bytes, table.count + 1, sizeof(uint32_t));
    table.dependents = take(&bytes, head->n_dependents, sizeof(uint32_t));
    table.batches = take(&bytes, table.n_batches, sizeof(*table.batches));
    table.imports = take(&bytes, table.n_imports, sizeof(uint32_t));
    table.roots = take(&bytes, table.n_roots, sizeof(uint32_t));
    table.texts = take(&bytes, table.texts_len, 1);
    if (!table.rows || !table.first_dependent || !table.dependents || !table.batches ||
        !table.imports || !table.roots || !table.texts || bytes.len ||
        !is_sound(&table, head->n_dependents))
        return false;
    *out = table;
    return true;
}

void lwb_module_table_get(const struct lwb_module_table *table, size_t module,
                          struct lwb_plan_module *out)
{
    const struct lwb_module_row *row = &table->rows[module];

    *out = (struct lwb_plan_module){
        .name = table->texts + row->name,
        .path = table->texts + row->path,
        .source_root = table->texts + table->roots[row->root],
        .listed = row->listed,
        .loose = row->loose,
        .library = row->library,
        .source = row->source,
    };
}

uint64_t lwb_module_table_cost(const struct lwb_module_table *table, size_t module)
{
    return table->rows[module].cost_ns;
}

bool lwb_module_table_is_export(const struct lwb_module_table *table, size_t module)
{
    return lwb_path_has_suffix(table->texts + table->rows[module].path, ".ndjson");
}

bool lwb_module_table_has_imports(const struct lwb_module_table *table, size_t module,
                                  const struct lwb_plan_batch *today)
{
    const struct lwb_module_batch *then = &table->batches[table->rows[module].batch];

    if (then->n_imports != today->imports->count || then->prelude != today->prelude ||
        then->module_system != today->module_system)
        return false;
    for (uint32_t i = 0; i < then->n_imports; i++)
        if (strcmp(table->texts + table->imports[then->first_import + i],
                   today->imports->items[i]) != 0)
            return false;
    return true;
}

int lwb_module_table_source_roots(const struct lwb_module_table *table, struct lwb_strvec *out)
{
    for (size_t i = 0; i < table->n_roots; i++)
        if (lwb_strvec_append(out, table->texts + table->roots[i]))
            return -1;
    return 0;
}

void lwb_module_table_renew(const struct lwb_module_table *table, size_t module,
                            const struct lwb_digest *source, uint64_t cost_ns)
{
    struct lwb_module_row *row = (struct lwb_module_row *)(uintptr_t)&table->rows[module];

    row->source = *source;
    row->cost_ns = cost_ns;
}
