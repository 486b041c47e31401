#include "lwbuild/driver/run_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/trace.h"

/*
 * A lane is one lease and the modules that pass through it, one after the
 * other. A lease that became invalid (time, crash) ends the lane; the pump
 * opens another one for what is left in the batch's queue.
 */
enum { MAX_SOURCE = 200 * 1024 * 1024, MAX_DIAGNOSTIC_BYTES = 16 * 1024 * 1024 };

static void next_module(struct run_lane *lane);

static void close_lane(struct run_lane *lane)
{
    struct lwb_run *run = lane->run;
    struct lwb_error ignored;

    assert(lane->module == SIZE_MAX);
    for (struct run_lane **link = &run->lanes; *link; link = &(*link)->next) {
        if (*link == lane) {
            *link = lane->next;
            break;
        }
    }
    run->n_lanes--;
    run->batches[lane->batch].lanes--;
    if (lane->lease)
        lwb_lease_return(lane->lease);
    if (lane->has_token)
        lwb_jobserver_give(&run->jobserver);
    if (lane->scratch)
        (void)lwb_file_remove_tree(lane->scratch, &ignored);
    lwb_free(lane->scratch);
    lwb_buf_release(&lane->source);
    lwb_free(lane);
}

/* ---- events of a request ------------------------------------------------------------------- */

static bool on_diagnostic(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    struct run_lane *lane = ctx;
    struct run_module *module = &lane->run->modules[lane->module];

    if (!lane->confirming)
        lwb_report_append(&module->report, diagnostic, module->plan->source_root);
    return true;
}

static bool on_row(void *ctx, const char *stream, uint64_t sequence, struct lwb_bytes row)
{
    struct run_lane *lane = ctx;
    struct run_module *module = &lane->run->modules[lane->module];

    (void)sequence;
    if (strcmp(stream, "declarations") == 0 && !lane->confirming) {
        lwb_buf_append_bytes(&module->facts, row);
        lwb_buf_append_char(&module->facts, '\n');
    }
    return true;
}

/* ---- one module ---------------------------------------------------------------------------- */

static enum lwb_reason reason_of(const struct lwb_error *err)
{
    switch (err->code) {
    case LWB_ERR_TIMEOUT:
        return LWB_REASON_TIME;
    case LWB_ERR_HARD_MEMORY:
        return LWB_REASON_MEMORY;
    case LWB_ERR_CANCELLED:
    case LWB_ERR_SHUTDOWN:
        return LWB_REASON_CANCELLED;
    case LWB_ERR_LIMIT:
        return LWB_REASON_OVERFLOW;
    case LWB_ERR_UNSUPPORTED:
        return LWB_REASON_UNSUPPORTED;
    default:
        return LWB_REASON_CRASH;
    }
}

static void forget_events(struct run_module *module)
{
    lwb_buf_clear(&module->report);
    lwb_buf_clear(&module->facts);
}

/* No verdict is no confirmation: what was accepted is then as open as if nobody had checked it. */
static void leave_unconfirmed(struct run_module *module, enum lwb_reason reason, const char *why)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf detail = LWB_BUF(64 * 1024);

    lwb_buf_format(&detail, "a warm worker accepted it, a fresh process came to no verdict: %s",
                   why ? why : lwb_reason_name(reason));
    lwb_run_set_detail(module, LWB_VERDICT_NONE, reason, lwb_buf_text(&detail));
}

/* A confirm run that does not come to the same verdict: the fresh one counts. */
static void settle_confirmation(struct run_lane *lane, const struct lwb_check_response *response,
                                const struct lwb_error *failure)
{
    struct lwb_run *run = lane->run;
    struct run_module *module = &run->modules[lane->module];

    lwb_run_count(run, LWB_STAT_CONFIRMED, 1);
    if (!response) {
        leave_unconfirmed(module, reason_of(failure), failure->text);
    } else if (response->verdict == LWB_VERDICT_NONE) {
        leave_unconfirmed(module, response->reason, response->detail);
    } else if (response->verdict == LWB_VERDICT_ACCEPTED) {
        module->fresh = true; /* a fresh process has said so: this need not be asked again */
    } else {
        lwb_run_distrust(run, lane->batch);
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_CHANGED,
                           "a warm worker accepted it, a fresh process did not; its verdict "
                           "depends on what was checked before (see --isolation fresh)");
    }
}

static bool wants_confirmation(const struct run_lane *lane,
                               const struct lwb_check_response *response)
{
    return !lane->confirming && !response->fresh && response->verdict == LWB_VERDICT_ACCEPTED &&
           lwb_run_must_confirm(lane->run, &lane->run->modules[lane->module]);
}

static void start_check(struct run_lane *lane, enum lwb_isolation isolation);

static void on_checked(void *ctx, const struct lwb_check_response *response,
                       const struct lwb_error *failure)
{
    struct run_lane *lane = ctx;
    struct lwb_run *run = lane->run;
    size_t index = lane->module;
    struct run_module *module = &run->modules[index];

    if (lane->confirming) {
        settle_confirmation(lane, response, failure);
    } else if (!response) {
        forget_events(module);
        lwb_run_set_detail(module, LWB_VERDICT_NONE, reason_of(failure), failure->text);
        if (module->reason == LWB_REASON_CRASH)
            lwb_run_inspect_objects(run, index);
    } else {
        lwb_run_keep(run, index, response);
        if (wants_confirmation(lane, response) && !run->stopping) {
            lane->confirming = true;
            start_check(lane, LWB_ISOLATION_FRESH);
            return;
        }
    }
    lane->confirming = false;
    lane->module = SIZE_MAX;
    run->totals.checked++;
    lwb_trace("module_checked", LWB_TRACE_TEXT("module", module->plan->name),
              LWB_TRACE_TEXT("verdict", lwb_verdict_name(module->verdict)),
              LWB_TRACE_TEXT("reason", lwb_reason_name(module->reason)));
    lwb_run_store_later(run, index);
    lwb_run_module_done(run, index);
    if (failure) {
        close_lane(lane);
    } else {
        next_module(lane);
    }
    lwb_run_pump(run);
}

/* The bytes that were hashed for the key; 0 when the file is another one by now. */
static int read_source(struct run_lane *lane, struct run_module *module, struct lwb_error *err)
{
    struct lwb_digest digest;
    int rc;

    lwb_buf_clear(&lane->source);
    rc = lwb_file_read(&lane->source, module->plan->path, NULL, err);
    if (rc == LWB_OK)
        rc = lwb_digest_bytes(&digest, lwb_buf_bytes(&lane->source), err);
    if (rc < 0)
        return rc;
    return lwb_digest_compare(&digest, &module->plan->source) == 0;
}

static void start_check(struct run_lane *lane, enum lwb_isolation isolation)
{
    struct lwb_run *run = lane->run;
    struct run_module *module = &run->modules[lane->module];
    struct lwb_sinks sinks = { .diagnostic = on_diagnostic, .row = on_row, .ctx = lane };
    char hex[LWB_DIGEST_HEX + 1];
    struct lwb_check_request request = {
        .module = module->plan->name,
        .file = module->plan->label,
        .isolation = isolation,
        .want_artifact = module->plan->imported && !lane->confirming,
        .deadline_ms = run->config.timeout_ms,
        .max_diagnostic_bytes = MAX_DIAGNOSTIC_BYTES,
    };
    struct lwb_error err;

    if (strcmp(run->batches[lane->batch].plan->host, "kernel") == 0) {
        lwb_digest_hex(&module->plan->source, hex);
        request.path = module->plan->path;
        request.digest = hex;
    } else {
        request.source = lwb_buf_bytes(&lane->source);
    }
    lwb_trace("module_sent", LWB_TRACE_TEXT("module", module->plan->name));
    if (lwb_lease_check(lane->lease, &request, &sinks, run->config.timeout_ms, on_checked, lane,
                        &err) < 0)
        on_checked(lane, NULL, &err);
}

/* Nothing to read for exports: the child reads the file and compares the digest. */
static int prepare_source(struct run_lane *lane, struct lwb_error *err)
{
    if (strcmp(lane->run->batches[lane->batch].plan->host, "kernel") == 0)
        return 1;
    return read_source(lane, &lane->run->modules[lane->module], err);
}

static enum lwb_isolation isolation_of(const struct run_lane *lane)
{
    const struct lwb_run *run = lane->run;

    return run->config.isolation == LWB_RUN_FRESH || run->batches[lane->batch].distrusted
               ? LWB_ISOLATION_FRESH
               : LWB_ISOLATION_WARM;
}

static void next_module(struct run_lane *lane)
{
    struct lwb_run *run = lane->run;
    struct lwb_error err;

    while ((lane->module = lwb_run_take(run, lane->batch)) != SIZE_MAX) {
        struct run_module *module = &run->modules[lane->module];
        int rc = prepare_source(lane, &err);

        if (rc == 1) {
            lwb_run_report_progress(run->printer, module->plan->name);
            start_check(lane, isolation_of(lane));
            return;
        }
        module->changed = true;
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_CHANGED,
                           rc < 0 ? err.text : "the file was changed during the run");
        lwb_run_module_done(run, lane->module);
        lane->module = SIZE_MAX;
    }
    close_lane(lane);
}

/* ---- the lease ----------------------------------------------------------------------------- */

static void on_granted(void *ctx, struct lwb_lease *lease)
{
    struct run_lane *lane = ctx;
    struct lwb_run *run = lane->run;

    lane->ticket = NULL;
    lane->lease = lease;
    next_module(lane);
    lwb_run_pump(run);
}

/*
 * No session: for the modules of this batch there is no verdict. When nothing
 * at all can be started, the run as a whole has failed.
 */
static void on_refused(void *ctx, const struct lwb_error *failure)
{
    struct run_lane *lane = ctx;
    struct lwb_run *run = lane->run;
    size_t batch = lane->batch;
    size_t index;

    lane->ticket = NULL;
    close_lane(lane);
    if (failure->code == LWB_ERR_CHILD_NOT_FOUND || failure->code == LWB_ERR_CHILD_NOT_EXECUTABLE ||
        failure->code == LWB_ERR_HANDSHAKE) {
        run->failure = *failure;
        lwb_run_stop(run);
        return;
    }
    while ((index = lwb_run_take(run, batch)) != SIZE_MAX) {
        lwb_run_set_detail(&run->modules[index], LWB_VERDICT_NONE, reason_of(failure),
                           failure->text);
        lwb_run_module_done(run, index);
    }
    lwb_run_pump(run);
}

static int make_lane_scratch(struct run_lane *lane, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);

    lwb_buf_format(&path, "%s/lane-%u", lane->run->world->scratch, lane->serial);
    lane->scratch = lwb_buf_take(&path);
    return lane->scratch ? lwb_file_make_dirs(lane->scratch, 0700, err) : lwb_fail_memory(err);
}

static int search_path_of(struct lwb_run *run, struct lwb_strvec *out)
{
    return lwb_strvec_append(out, run->tree) ||
                   lwb_strvec_copy(out, lwb_plan_search_path(run->plan))
               ? -1
               : 0;
}

static int acquire(struct run_lane *lane, struct lwb_error *err)
{
    struct lwb_run *run = lane->run;
    const struct lwb_plan_batch *batch = run->batches[lane->batch].plan;
    const struct lwb_toolchain *toolchain =
        run->world->has_toolchain ? &run->world->toolchain : NULL;
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec search_path = { 0 };
    struct lwb_pool_waiter waiter = { on_granted, on_refused, lane };
    char identity[LWB_DIGEST_HEX + 1] = "";
    struct lwb_session_config config = {
        .open = {
            .host = batch->host,
            .project_root = batch->project_root,
            .package = batch->package,
            .library = batch->library,
            .source_root = batch->source_root,
            .toolchain = toolchain ? toolchain->prefix : NULL,
            .toolchain_version = toolchain ? toolchain->version : NULL,
            .imports = batch->imports,
            .options = batch->options,
            .search_path = &search_path,
            .plugins = batch->plugins,
            .scratch = lane->scratch,
            .prelude = batch->prelude,
            .module_system = batch->module_system,
            .max_memory = run->config.max_memory,
        },
        .toolchain_id = toolchain ? identity : NULL,
        .policy_class = "default",
    };

    if (search_path_of(run, &search_path))
        return lwb_fail_memory(err);
    if (toolchain)
        lwb_digest_hex(&toolchain->identity, identity);
    if (lwb_plan_closure(&config.closure, run->plan, lane->batch, run->artifacts, err) < 0)
        return err->code;
    return lwb_pool_acquire(&lane->ticket, run->pool, &config, &waiter, err);
}

int lwb_run_open_lane(struct lwb_run *run, size_t batch, struct lwb_error *err)
{
    struct run_lane *lane;
    bool needs_token = run->jobserver.active && run->n_lanes > 0;

    if (needs_token && !lwb_jobserver_take(&run->jobserver))
        return 0;
    lane = lwb_alloc(sizeof(*lane));
    if (!lane) {
        if (needs_token)
            lwb_jobserver_give(&run->jobserver);
        return lwb_fail_memory(err);
    }
    lane->has_token = needs_token;
    lane->run = run;
    lane->batch = batch;
    lane->serial = run->lane_serial++;
    lane->module = SIZE_MAX;
    lane->source = LWB_BUF(MAX_SOURCE);
    lane->next = run->lanes;
    run->lanes = lane;
    run->n_lanes++;
    run->batches[batch].lanes++;
    if (make_lane_scratch(lane, err) < 0 || lwb_run_link_imports(run, batch, err) < 0 ||
        acquire(lane, err) < 0) {
        close_lane(lane);
        return err->code;
    }
    return 1;
}

/*
 * Before the pool goes: requests in flight and tickets end by its call-backs
 * (LWB_ERR_SHUTDOWN); lanes without either are closed here.
 */
void lwb_run_close_lanes(struct lwb_run *run)
{
    struct run_lane *next;

    for (struct run_lane *lane = run->lanes; lane; lane = next) {
        next = lane->next;
        if (!lane->ticket && lane->module == SIZE_MAX)
            close_lane(lane);
    }
}
