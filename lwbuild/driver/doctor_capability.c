#include "lwbuild/driver/doctor_capability.h"

#include <stdio.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/driver/capability_environment.h"
#include "lwbuild/driver/child_program.h"
#include "lwbuild/pool/capability_client.h"

struct visit {
    const char *path;
    const struct lwb_options *options;
    void (*found)(void *ctx, const struct lwb_preflight_finding *finding);
    void *ctx;
};

static void find(const struct visit *visit, enum lwb_preflight_severity severity, const char *code,
                 const char *subject, const char *message, const char *hint)
{
    const struct lwb_preflight_finding finding = {
        .severity = severity,
        .code = code,
        .subject = subject,
        .message = message,
        .hint = hint && *hint ? hint : NULL,
    };

    visit->found(visit->ctx, &finding);
}

static void on_preflight(void *ctx, const struct lwb_preflight_finding *finding)
{
    find(ctx, finding->severity, finding->code, "capability", finding->message, finding->hint);
}

/* The static checks of the report were found before. */
static void tell_live_checks(const struct visit *visit, const struct lwb_bootstrap_report *report)
{
    for (size_t i = 0; i < report->n_checks; i++) {
        const struct lwb_bootstrap_check *check = &report->checks[i];

        if (strcmp(check->code, "child-found") != 0 && strcmp(check->code, "capability-found") != 0)
            find(visit, check->severity, check->code, "capability", check->message, check->hint);
    }
}

static void tell_diagnosis(const struct visit *visit, const char *name,
                           const struct lwb_doctor_report *report)
{
    static const enum lwb_preflight_severity severities[] = {
        [LWB_DOCTOR_PASS] = LWB_PREFLIGHT_INFO,
        [LWB_DOCTOR_WARNING] = LWB_PREFLIGHT_WARNING,
        [LWB_DOCTOR_ERROR] = LWB_PREFLIGHT_ERROR,
    };

    for (size_t i = 0; i < report->n_diagnostics; i++) {
        const struct lwb_doctor_diagnostic *diagnostic = &report->diagnostics[i];

        find(visit, severities[diagnostic->severity], diagnostic->code, name, diagnostic->message,
             NULL);
    }
}

static void ask_doctor(const struct visit *visit, struct lwb_capability_client *client)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    LWB_AUTO(lwb_doctor_report_release) struct lwb_doctor_report report = { 0 };
    const struct lwb_export_request request = { "doctor", { "{}", 2 } };
    const char *name = lwb_capability_metadata(client)->name;
    struct lwb_error err;

    if (lwb_blocking_doctor(lwb_capability_blocking(client), lwb_capability_lease(client), &request,
                            NULL, &kept, &err) < 0 ||
        lwb_doctor_report_parse(&report, kept.reply.answer.json, &err) < 0)
        find(visit, LWB_PREFLIGHT_ERROR, "doctor-failed", "capability", err.text,
             "its doctor export must answer {\"diagnostics\":[..]}");
    else
        tell_diagnosis(visit, name ? name : "capability", &report);
}

static void visit_live(const struct visit *visit)
{
    LWB_AUTO(lwb_capability_close) struct lwb_capability_client *client = NULL;
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_free_text) char *child = NULL;
    struct lwb_capability_config config = LWB_CAPABILITY_CONFIG_DEFAULTS;
    struct lwb_bootstrap_report report = { .n_checks = 0 };
    struct lwb_error err;

    if (lwb_child_program_find(&child, &err) < 0)
        return; /* doctor has said so */
    if (lwb_capability_environment(&environment, &err) < 0) {
        find(visit, LWB_PREFLIGHT_ERROR, "startup-failed", "capability", err.text, NULL);
        return;
    }
    config.capability = visit->path;
    config.child = child;
    config.metadata = visit->options->expect_metadata;
    config.pool.worker.environment = &environment;
    if (visit->options->timeout_s)
        config.pool.worker.request_timeout_ms = visit->options->timeout_s * 1000;
    if (lwb_capability_open(&client, &config, &report, &err) < 0 &&
        !lwb_bootstrap_first_error(&report))
        find(visit, LWB_PREFLIGHT_ERROR, "startup-failed", "capability", err.text, NULL);
    tell_live_checks(visit, &report);
    if (client)
        ask_doctor(visit, client);
}

void lwb_doctor_capability(const char *path, const struct lwb_options *options,
                           void (*found)(void *ctx, const struct lwb_preflight_finding *finding),
                           void *ctx)
{
    struct visit visit = { path, options, found, ctx };
    const struct lwb_preflight preflight = { .path = path, .found = on_preflight, .ctx = &visit };
    struct lwb_error err;

    if (lwb_capability_preflight(&preflight, &err) == LWB_OK)
        visit_live(&visit);
}
