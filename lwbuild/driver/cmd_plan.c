#include "lwbuild/driver/cmd_plan.h"

#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"
#include "lwbuild/driver/json_schema.h"
#include "lwbuild/driver/module_key.h"

/*
 * Keys grow along the import order: a module whose local imports have no
 * results yet has no key; it is printed as waiting for the first of them.
 */
enum standing { HAS_RESULT, NEEDS_CHECK, WAITS };

struct planned {
    enum standing standing;
    bool rejected;
    size_t waits_for;
    struct lwb_digest key;
};

struct plan_print {
    struct lwb_world *world;
    struct planned *modules;
    struct lwb_digest *artifacts;
    bool json;
    struct lwb_buf out;
};

static int stand(struct plan_print *print, size_t index, struct lwb_error *err)
{
    const struct lwb_plan_module *module = lwb_plan_module(print->world->plan, index);
    struct planned *planned = &print->modules[index];
    struct lwb_cache_entry entry;
    int rc;

    for (size_t i = 0; i < module->n_imports; i++) {
        if (print->modules[module->imports[i]].standing == HAS_RESULT &&
            !print->modules[module->imports[i]].rejected)
            continue;
        planned->standing = WAITS;
        planned->waits_for = module->imports[i];
        return LWB_OK;
    }
    rc = lwb_module_key(&planned->key, print->world, index, print->artifacts, NULL, NULL, err);
    if (rc < 0)
        return rc;
    planned->standing = NEEDS_CHECK;
    if (!print->world->cache)
        return LWB_OK;
    rc = lwb_cache_lookup(print->world->cache, &planned->key, false, &entry, err);
    if (rc <= 0 || !lwb_module_entry_is_enough(module, &entry))
        return rc < 0 ? rc : LWB_OK;
    planned->standing = HAS_RESULT;
    planned->rejected = entry.verdict == LWB_CACHE_REJECTED;
    return lwb_module_artifact_digest(&print->artifacts[index], entry.artifacts, entry.n_artifacts,
                                      err);
}

static const char *standing_word(const struct planned *planned)
{
    if (planned->standing == WAITS)
        return "waits";
    if (planned->standing == NEEDS_CHECK)
        return "check";
    return planned->rejected ? "cached (rejected)" : "cached";
}

static void print_imports(struct lwb_buf *out, const struct lwb_strvec *imports)
{
    for (size_t i = 0; imports && i < imports->count; i++)
        lwb_buf_format(out, "%s%s", i ? " " : "", imports->items[i]);
}

static void print_batch_text(struct plan_print *print, size_t index)
{
    const struct lwb_plan_batch *batch = lwb_plan_batch(print->world->plan, index);

    lwb_buf_format(&print->out, "batch %zu: host %s, %zu modules, imports: ", index + 1,
                   batch->host, batch->n_modules);
    print_imports(&print->out, batch->imports);
    lwb_buf_append_char(&print->out, '\n');
    for (size_t i = 0; i < batch->n_modules; i++) {
        const struct planned *planned = &print->modules[batch->modules[i]];
        const struct lwb_plan_module *module =
            lwb_plan_module(print->world->plan, batch->modules[i]);
        char hex[LWB_DIGEST_HEX + 1];

        lwb_digest_hex(&planned->key, hex);
        lwb_buf_format(&print->out, "  %s%s: %s", module->name, module->listed ? "" : " (imported)",
                       standing_word(planned));
        if (planned->standing == WAITS)
            lwb_buf_format(&print->out, " for %s\n",
                           lwb_plan_module(print->world->plan, planned->waits_for)->name);
        else
            lwb_buf_format(&print->out, ", key %.16s\n", hex);
    }
}

static void print_module_json(struct plan_print *print, size_t index)
{
    const struct lwb_plan_module *module = lwb_plan_module(print->world->plan, index);
    const struct planned *planned = &print->modules[index];
    struct lwb_buf *out = &print->out;
    char hex[LWB_DIGEST_HEX + 1];
    bool first = true;

    lwb_digest_hex(&planned->key, hex);
    lwb_buf_append_char(out, '{');
    lwb_json_member_int(out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(out, &first, "type", "module");
    lwb_json_member_text(out, &first, "module", module->name);
    lwb_json_member_text(out, &first, "path", module->path);
    lwb_json_member_int(out, &first, "batch", (int64_t)module->batch + 1);
    lwb_json_member_bool(out, &first, "listed", module->listed);
    lwb_json_member(out, &first, "imports");
    lwb_buf_append_char(out, '[');
    for (size_t i = 0; i < module->n_imports; i++) {
        if (i)
            lwb_buf_append_char(out, ',');
        lwb_json_append_text(out, lwb_plan_module(print->world->plan, module->imports[i])->name);
    }
    lwb_buf_append_char(out, ']');
    lwb_json_member_text(out, &first, "state", standing_word(planned));
    if (planned->standing == WAITS)
        lwb_json_member_text(out, &first, "waits_for",
                             lwb_plan_module(print->world->plan, planned->waits_for)->name);
    else
        lwb_json_member_text(out, &first, "key", hex);
    lwb_buf_append_text(out, "}\n");
}

static void print_batch_json(struct plan_print *print, size_t index)
{
    const struct lwb_plan_batch *batch = lwb_plan_batch(print->world->plan, index);
    struct lwb_buf *out = &print->out;
    bool first = true;

    lwb_buf_append_char(out, '{');
    lwb_json_member_int(out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(out, &first, "type", "batch");
    lwb_json_member_int(out, &first, "batch", (int64_t)index + 1);
    lwb_json_member_text(out, &first, "host", batch->host);
    lwb_json_member_int(out, &first, "modules", (int64_t)batch->n_modules);
    lwb_json_member(out, &first, "imports");
    lwb_buf_append_char(out, '[');
    for (size_t i = 0; batch->imports && i < batch->imports->count; i++) {
        if (i)
            lwb_buf_append_char(out, ',');
        lwb_json_append_text(out, batch->imports->items[i]);
    }
    lwb_buf_append_text(out, "]}\n");
}

static void print_all(struct plan_print *print)
{
    const struct lwb_plan *plan = print->world->plan;

    for (size_t i = 0; i < lwb_plan_batch_count(plan); i++) {
        if (print->json)
            print_batch_json(print, i);
        else
            print_batch_text(print, i);
    }
    for (size_t i = 0; print->json && i < lwb_plan_module_count(plan); i++)
        print_module_json(print, i);
    (void)fwrite(lwb_buf_text(&print->out), 1, print->out.len, stdout);
}

static int plan(const struct lwb_options *options, struct lwb_error *err)
{
    LWB_AUTO(lwb_world_close) struct lwb_world world = { 0 };
    struct plan_print print = {
        .world = &world,
        .json = options->format && strcmp(options->format, "json") == 0,
        .out = LWB_BUF(1024 * 1024 * 1024),
    };
    int rc = lwb_world_open(&world, options, err);
    size_t count;

    if (rc == LWB_OK)
        rc = lwb_world_plan(&world, NULL, err);
    if (rc < 0)
        return rc;
    count = lwb_plan_module_count(world.plan);
    print.modules = lwb_alloc_array(count, sizeof(*print.modules));
    print.artifacts = lwb_alloc_array(count, sizeof(*print.artifacts));
    if (!print.modules || !print.artifacts)
        rc = lwb_fail_memory(err);
    for (size_t i = 0; i < count && rc == LWB_OK; i++)
        rc = stand(&print, i, err);
    if (rc == LWB_OK)
        print_all(&print);
    if (rc == LWB_OK && !lwb_buf_ok(&print.out))
        rc = lwb_fail_memory(err);
    lwb_free(print.modules);
    lwb_free(print.artifacts);
    lwb_buf_release(&print.out);
    return rc;
}

int lwb_cmd_plan(const struct lwb_options *options)
{
    struct lwb_error err;

    if (plan(options, &err) == LWB_OK)
        return LWB_EXIT_ACCEPTED;
    fprintf(stderr, "lwbuild: error: %s\n", err.text);
    return lwb_world_exit_code(&err);
}
