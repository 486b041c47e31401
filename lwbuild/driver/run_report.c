#include "lwbuild/driver/run_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/json.h"
#include "lwbuild/driver/diagnostics.h"
#include "lwbuild/driver/json_schema.h"

/*
 * What people and programs see. Results go to stdout in module order, each as
 * soon as all earlier modules are done; talk goes to stderr. Policy is applied
 * here, to hits and misses alike.
 */
struct run_report {
    struct lwb_run *run;
    size_t next; /* first module that has not been reported */
    bool *found; /* per expected theorem */
    uint64_t started_ms;
    bool line_open; /* a progress line stands on the terminal */
    uint64_t declarations, theorems, axioms;
    bool any_rejected, any_none;
};

/* One module while it is being reported. */
struct reporting {
    struct run_report *report;
    struct run_module *module;
    char *file;
    struct lwb_buf out;
    bool first_message;
    bool objected;
    bool bad_axiom;
};

struct run_report *lwb_run_report_create(struct lwb_run *run)
{
    struct run_report *report = lwb_alloc(sizeof(*report));
    const struct lwb_strvec *expect = run->config.policy.expect;

    if (!report)
        return NULL;
    report->run = run;
    report->started_ms = lwb_clock_ms();
    report->found = lwb_alloc_array(expect ? expect->count : 0, sizeof(bool));
    if (!report->found) {
        lwb_free(report);
        return NULL;
    }
    return report;
}

void lwb_run_report_destroy(struct run_report *report)
{
    if (!report)
        return;
    lwb_free(report->found);
    lwb_free(report);
}

/* ---- progress ------------------------------------------------------------------------------ */

static void clear_line(struct run_report *report)
{
    if (report->line_open)
        fputs("\r\033[K", stderr);
    report->line_open = false;
}

void lwb_run_report_progress(struct run_report *report, const char *module)
{
    const struct lwb_run *run = report->run;

    if (!run->config.progress)
        return;
    fprintf(stderr, "\r\033[K[%" PRIu64 "/%" PRIu64 "] checking %s", run->n_rest + run->n_done,
            run->n_rest + run->n_modules, module);
    fflush(stderr);
    report->line_open = true;
}

/* ---- messages ------------------------------------------------------------------------------ */

static int on_message(void *ctx, const struct lwb_diagnostic *diagnostic)
{
    struct reporting *reporting = ctx;
    const struct lwb_run *run = reporting->report->run;

    reporting->report->run->totals.messages++;
    if (lwb_policy_objects(&run->config.policy, diagnostic))
        reporting->objected = true;
    if (!run->config.json) {
        lwb_diagnostic_print(&reporting->out, reporting->file, diagnostic, run->config.color);
        return 0;
    }
    if (!reporting->first_message)
        lwb_buf_append_char(&reporting->out, ',');
    reporting->first_message = false;
    lwb_buf_append_char(&reporting->out, '{');
    lwb_diagnostic_json(&reporting->out, &(bool){ true }, diagnostic);
    lwb_buf_append_char(&reporting->out, '}');
    return 0;
}

/* An axiom that is not allowed is an error message like any other. */
static void on_axiom(void *ctx, int64_t line, const char *text)
{
    struct reporting *reporting = ctx;
    struct lwb_diagnostic diagnostic = {
        .severity = LWB_SEVERITY_ERROR,
        .line = line,
        .column = line >= 0 ? 0 : -1,
        .end_line = -1,
        .end_column = -1,
        .code = lwb_bytes_text("axiom"),
        .message = lwb_bytes_text(text),
    };

    reporting->objected = true;
    reporting->bad_axiom = true;
    (void)on_message(reporting, &diagnostic);
}

static void report_messages(struct reporting *reporting)
{
    struct run_report *report = reporting->report;
    struct run_module *module = reporting->module;
    struct lwb_facts_visitor visitor = {
        .reject = on_axiom,
        .ctx = reporting,
        .found = report->found,
    };
    struct lwb_error err;

    if (lwb_report_visit(lwb_buf_bytes(&module->report), module->plan->source_root, on_message,
                         reporting, &err) < 0 ||
        (module->verdict == LWB_VERDICT_ACCEPTED &&
         lwb_policy_apply_facts(&report->run->config.policy, lwb_buf_bytes(&module->facts),
                                &visitor, &err) < 0))
        lwb_run_set_detail(module, LWB_VERDICT_NONE, LWB_REASON_OVERFLOW, err.text);
    report->declarations += visitor.declarations;
    report->theorems += visitor.theorems;
    report->axioms += visitor.axioms;
}

/* ---- one module ---------------------------------------------------------------------------- */

static void count(struct run_report *report, const struct run_module *module)
{
    struct lwb_run_totals *totals = &report->run->totals;

    totals->modules++;
    if (module->reason == LWB_REASON_BLOCKED) {
        totals->blocked++;
    } else if (module->judged == LWB_VERDICT_ACCEPTED) {
        totals->accepted++;
    } else if (module->judged == LWB_VERDICT_REJECTED) {
        totals->rejected++;
        report->any_rejected = true;
    } else {
        totals->no_verdict++;
        report->any_none = true;
    }
}

static void say_no_verdict(const struct reporting *reporting)
{
    const struct run_module *module = reporting->module;
    const struct lwb_run *run = reporting->report->run;

    if (run->cancelled || module->reason == LWB_REASON_BLOCKED)
        return;
    clear_line(reporting->report);
    fprintf(stderr, "lwbuild: %s: no verdict", reporting->file);
    if (module->reason)
        fprintf(stderr, " (%s)", lwb_reason_name(module->reason));
    fprintf(stderr, "%s%s\n", module->detail ? ": " : "", module->detail ? module->detail : "");
}

static void begin_json(struct reporting *reporting)
{
    bool first = true;
    struct lwb_buf *out = &reporting->out;

    lwb_buf_append_char(out, '{');
    lwb_json_member_int(out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(out, &first, "type", "module");
    lwb_json_member_text(out, &first, "module", reporting->module->plan->name);
    lwb_json_member_text(out, &first, "file", reporting->file);
    lwb_json_member(out, &first, "messages");
    lwb_buf_append_char(out, '[');
}

static void end_json(struct reporting *reporting)
{
    const struct run_module *module = reporting->module;
    struct lwb_buf *out = &reporting->out;
    bool first = false;

    lwb_buf_append_char(out, ']');
    lwb_json_member_text(out, &first, "verdict", lwb_verdict_name(module->judged));
    lwb_json_member_text(out, &first, "host_verdict", lwb_verdict_name(module->verdict));
    if (module->reason)
        lwb_json_member_text(out, &first, "reason", lwb_reason_name(module->reason));
    if (module->detail)
        lwb_json_member_text(out, &first, "detail", module->detail);
    if (module->reason == LWB_REASON_BLOCKED)
        lwb_json_member_text(out, &first, "blocked_by",
                             reporting->report->run->modules[module->blocked_by].plan->name);
    lwb_json_member_bool(out, &first, "cached", module->hit);
    lwb_json_member_text(out, &first, "isolation", module->fresh ? "fresh" : "warm");
    lwb_json_member_int(out, &first, "check_us", (int64_t)(module->check_ns / 1000));
    lwb_buf_append_text(out, "}\n");
}

/* Lean has only warned: say who rejects. An axiom's message speaks for itself. */
static void say_policy(const struct reporting *reporting)
{
    static const char *const words[] = {
        [LWB_FAIL_ON_ERROR] = "error",
        [LWB_FAIL_ON_WARNING] = "warning",
        [LWB_FAIL_ON_SORRY] = "sorry",
    };
    const struct run_module *module = reporting->module;
    const struct lwb_run_config *config = &reporting->report->run->config;

    if (config->quiet || reporting->bad_axiom || module->verdict != LWB_VERDICT_ACCEPTED ||
        module->judged != LWB_VERDICT_REJECTED)
        return;
    fprintf(stderr, "lwbuild: %s: rejected by --fail-on %s\n", reporting->file,
            words[config->policy.fail_on]);
}

static void report_module(struct run_report *report, struct run_module *module)
{
    struct lwb_run *run = report->run;
    struct reporting reporting = {
        .report = report,
        .module = module,
        .file = lwb_world_display_path(run->world, module->plan->path),
        .out = LWB_BUF(256 * 1024 * 1024),
        .first_message = true,
    };

    if (run->config.json)
        begin_json(&reporting);
    report_messages(&reporting);
    module->judged = module->verdict;
    if (module->verdict == LWB_VERDICT_ACCEPTED && reporting.objected)
        module->judged = LWB_VERDICT_REJECTED;
    if (run->config.json)
        end_json(&reporting);
    if (reporting.out.len) {
        clear_line(report);
        (void)fwrite(reporting.out.ptr, 1, reporting.out.len, stdout);
        (void)fflush(stdout);
    }
    say_policy(&reporting);
    if (module->judged == LWB_VERDICT_NONE)
        say_no_verdict(&reporting);
    else if (run->config.verbose)
        fprintf(stderr, "lwbuild: %s: %s%s\n", reporting.file, lwb_verdict_name(module->judged),
                module->hit ? " (cached)" : "");
    count(report, module);
    lwb_buf_release(&reporting.out);
    lwb_free(reporting.file);
}

void lwb_run_report_ready(struct run_report *report)
{
    struct lwb_run *run = report->run;

    while (report->next < run->n_modules && run->modules[report->next].state == MODULE_DONE)
        report_module(report, &run->modules[report->next++]);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Every module that could not be checked because of another one, named once. */
static void say_blocked(const struct run_report *report)
{
    const struct lwb_run *run = report->run;

    for (size_t by = 0; by < run->n_modules; by++) {
        uint64_t n = 0;

        for (size_t i = by + 1; i < run->n_modules && run->totals.blocked; i++) {
            const struct run_module *module = &run->modules[i];

            if (module->state != MODULE_DONE || module->reason != LWB_REASON_BLOCKED ||
                module->blocked_by != by)
                continue;
            if (n == 0)
                fprintf(stderr, "lwbuild: not checked, because %s was not accepted: %s",
                        run->modules[by].plan->name, module->plan->name);
            else if (n < 20)
                fprintf(stderr, ", %s", module->plan->name);
            n++;
        }
        if (n > 20)
            fprintf(stderr, " and %" PRIu64 " more", n - 20);
        if (n)
            fputc('\n', stderr);
    }
}

static void print_not_proved(const char *theorem, bool json)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(64 * 1024);
    bool first = true;

    if (!json) {
        printf("error: the expected theorem '%s' is not proved by any accepted export\n", theorem);
        (void)fflush(stdout); /* before the summary, which goes to stderr */
        return;
    }
    lwb_buf_append_char(&out, '{');
    lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(&out, &first, "type", "not_proved");
    lwb_json_member_text(&out, &first, "theorem", theorem);
    lwb_buf_append_text(&out, "}\n");
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

/*
 * A theorem that must be there and is not; an empty or cut file proves nothing.
 * Nor does one that was not accepted: to say so of each of its theorems would
 * hide the line that says why.
 */
static void say_not_proved(struct run_report *report)
{
    const struct lwb_strvec *expect = report->run->config.policy.expect;
    const struct lwb_run_totals *totals = &report->run->totals;

    if (totals->accepted < report->run->n_rest + report->run->n_modules)
        return;
    for (size_t i = 0; expect && i < expect->count; i++) {
        if (report->found[i])
            continue;
        print_not_proved(expect->items[i], report->run->config.json);
        report->any_rejected = true;
    }
}

static void say_summary(const struct run_report *report)
{
    const struct lwb_run *run = report->run;
    const struct lwb_run_totals *totals = &run->totals;
    bool bad = report->any_rejected || report->any_none || totals->blocked;

    if (run->config.quiet || (!bad && !run->config.progress && !run->config.verbose))
        return;
    fprintf(stderr, "lwbuild: %" PRIu64 " module%s: %" PRIu64 " accepted", totals->modules,
            totals->modules == 1 ? "" : "s", totals->accepted);
    if (totals->rejected)
        fprintf(stderr, ", %" PRIu64 " rejected", totals->rejected);
    if (totals->no_verdict)
        fprintf(stderr, ", %" PRIu64 " without verdict", totals->no_verdict);
    if (totals->blocked)
        fprintf(stderr, ", %" PRIu64 " not checked", totals->blocked);
    fprintf(stderr, " (%" PRIu64 " from the cache, %.1f s)\n", totals->hits,
            (double)(lwb_clock_ms() - report->started_ms) / 1000);
    if (report->declarations)
        fprintf(stderr,
                "lwbuild: %" PRIu64 " declarations, %" PRIu64 " theorems, %" PRIu64 " axioms\n",
                report->declarations, report->theorems, report->axioms);
}

static void print_json_summary(const struct run_report *report, enum lwb_exit_code code)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(64 * 1024);
    const struct lwb_run_totals *totals = &report->run->totals;
    bool first = true;

    lwb_buf_append_char(&out, '{');
    lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(&out, &first, "type", "summary");
    lwb_json_member_int(&out, &first, "modules", (int64_t)totals->modules);
    lwb_json_member_int(&out, &first, "accepted", (int64_t)totals->accepted);
    lwb_json_member_int(&out, &first, "rejected", (int64_t)totals->rejected);
    lwb_json_member_int(&out, &first, "no_verdict", (int64_t)totals->no_verdict);
    lwb_json_member_int(&out, &first, "blocked", (int64_t)totals->blocked);
    lwb_json_member_int(&out, &first, "cached", (int64_t)totals->hits);
    lwb_json_member_int(&out, &first, "checked", (int64_t)totals->checked);
    lwb_json_member_int(&out, &first, "saved_us", (int64_t)(totals->saved_ns / 1000));
    lwb_json_member_int(&out, &first, "declarations", (int64_t)report->declarations);
    lwb_json_member_int(&out, &first, "theorems", (int64_t)report->theorems);
    lwb_json_member_int(&out, &first, "axioms", (int64_t)report->axioms);
    lwb_json_member_int(&out, &first, "exit", code);
    lwb_buf_append_text(&out, "}\n");
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

enum lwb_exit_code lwb_run_report_end(struct run_report *report)
{
    const struct lwb_run *run = report->run;
    enum lwb_exit_code code = LWB_EXIT_ACCEPTED;

    lwb_run_report_ready(report);
    clear_line(report);
    if (!run->cancelled && !run->failure.code) {
        say_blocked(report);
        say_not_proved(report);
    }
    if (report->any_rejected)
        code = LWB_EXIT_REJECTED;
    else if (run->any_stale)
        code = LWB_EXIT_STALE;
    else if (report->any_none || report->next < run->n_modules || run->inputs_changed)
        code = LWB_EXIT_NO_VERDICT;
    if (run->cancelled)
        code = LWB_EXIT_CANCELLED;
    say_summary(report);
    if (run->config.json)
        print_json_summary(report, code);
    (void)fflush(stdout);
    return code;
}
