#include "lwbuild/pool/capability_client.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/worker/child_path.h"

struct lwb_capability_client {
    char *path; /* of the library or manifest */
    struct lwb_session_config *session;
    struct lwb_blocking *blocking;
    struct lwb_lease *lease;
    struct lwb_capability_metadata metadata;
};

/* ---- report ------------------------------------------------------------------------------- */

static void add_check(struct lwb_bootstrap_report *report, enum lwb_preflight_severity severity,
                      const char *code, const char *subject, const char *message, const char *hint)
{
    struct lwb_bootstrap_check *check;

    if (report->n_checks == LWB_BOOTSTRAP_CHECKS) /* the last one is kept for the end */
        report->n_checks--;
    check = &report->checks[report->n_checks++];
    check->severity = severity;
    check->code = code;
    (void)snprintf(check->subject, sizeof(check->subject), "%s", subject);
    (void)snprintf(check->message, sizeof(check->message), "%s", message);
    (void)snprintf(check->hint, sizeof(check->hint), "%s", hint ? hint : "");
}

const struct lwb_bootstrap_check *
lwb_bootstrap_first_error(const struct lwb_bootstrap_report *report)
{
    for (size_t i = 0; i < report->n_checks; i++)
        if (report->checks[i].severity == LWB_PREFLIGHT_ERROR)
            return &report->checks[i];
    return NULL;
}

/* A static check that failed: the error says which. */
static int fail_check(struct lwb_error *err, const char *code)
{
    err->code = LWB_ERR_BOOTSTRAP;
    (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "%s", code);
    return err->code;
}

/* ---- static checks --------------------------------------------------------------------------- */

static int find_child(char **out, const struct lwb_capability_config *config,
                      struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    int rc = lwb_child_path_find(out, config->child, NULL, err);

    if (rc == LWB_OK) {
        add_check(report, LWB_PREFLIGHT_INFO, "child-found", *out, "will be started", NULL);
        return LWB_OK;
    }
    if (rc == LWB_ERR_MEMORY)
        return rc;
    if (rc == LWB_ERR_CHILD_NOT_EXECUTABLE) {
        add_check(report, LWB_PREFLIGHT_ERROR, "child-not-executable", "child", err->text,
                  "make it executable, or set LWBUILD_CHILD to one that is");
        return fail_check(err, "child-not-executable");
    }
    add_check(report, LWB_PREFLIGHT_ERROR, "child-unresolved", "child", err->text,
              "install lwbuild-child beside the program, or set LWBUILD_CHILD to it");
    return fail_check(err, "child-unresolved");
}

static void on_finding(void *ctx, const struct lwb_preflight_finding *finding)
{
    bool bad = finding->severity == LWB_PREFLIGHT_ERROR;

    add_check(ctx, finding->severity, bad ? "capability-preflight" : "capability-found",
              finding->subject, finding->message, finding->hint);
}

static int look_at_capability(const char *path, struct lwb_bootstrap_report *report,
                              struct lwb_error *err)
{
    const struct lwb_preflight preflight = { .path = path, .found = on_finding, .ctx = report };

    return lwb_capability_preflight(&preflight, err);
}

/* Before anything is started: what is expected must be something that metadata can be. */
static int check_expectation(const struct lwb_capability_config *config,
                             struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    if (!config->metadata ||
        lwb_capability_expectation_check(lwb_bytes_text(config->metadata), err) == LWB_OK)
        return LWB_OK;
    add_check(report, LWB_PREFLIGHT_ERROR, "expectation-malformed", "expected metadata", err->text,
              "write it as metadata is: {\"name\":..,\"commands\":[{\"name\":..}]}");
    return err->code;
}

int lwb_capability_check(const struct lwb_capability_config *config,
                         struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *child = NULL;

    report->n_checks = 0;
    if (check_expectation(config, report, err) < 0 || find_child(&child, config, report, err) < 0)
        return err->code;
    return config->capability ? look_at_capability(config->capability, report, err) : LWB_OK;
}

/* The world as the caller sees it, and what of it is ours to say. */
static struct lwb_session_config session_config(const struct lwb_capability_config *config,
                                                const char *capability)
{
    struct lwb_session_config session = config->session;

    session.open.host = "capability";
    session.open.capability = capability;
    if (config->metadata)
        session.metadata = config->metadata; /* the pool holds every child to it */
    return session;
}

int lwb_capability_key(struct lwb_digest *out, const struct lwb_capability_config *config,
                       struct lwb_error *err)
{
    struct lwb_session_config session;

    if (!config->capability)
        return lwb_fail(err, LWB_ERR_USAGE, "no capability was named");
    session = session_config(config, config->capability);
    return lwb_session_key(out, &session, err);
}

/* ---- building -------------------------------------------------------------------------------- */

struct building {
    const struct lwb_capability_project *project;
    struct lwb_bootstrap_report *report;
};

static void on_said(void *ctx, struct lwb_bytes output)
{
    struct building *building = ctx;

    if (building->project->said)
        building->project->said(building->project->ctx, output);
}

static void on_built(void *ctx, const struct lwb_preflight_finding *finding)
{
    struct building *building = ctx;
    bool bad = finding->severity == LWB_PREFLIGHT_ERROR;

    add_check(building->report, finding->severity, bad ? "capability-build" : "capability-built",
              finding->subject, finding->message, finding->hint);
    if (building->project->found)
        building->project->found(building->project->ctx, finding);
}

static int build_project(char **path, const struct lwb_capability_project *given,
                         struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    struct lwb_capability_project project = *given;
    struct building building = { .project = given, .report = report };

    project.said = on_said;
    project.found = on_built;
    project.ctx = &building;
    if (lwb_capability_build(path, &project, err) == LWB_OK)
        return LWB_OK;
    if (err->code != LWB_ERR_CAPABILITY_BUILD) /* wrong usage, time, cancelled: no finding yet */
        add_check(report, LWB_PREFLIGHT_ERROR, "capability-build",
                  given->root ? given->root : "project", err->text, NULL);
    return err->code;
}

static int find_capability(struct lwb_capability_client *client,
                           const struct lwb_capability_config *config,
                           struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    if (config->project && build_project(&client->path, config->project, report, err) < 0)
        return err->code;
    if (!config->project && !config->capability)
        return lwb_fail(err, LWB_ERR_USAGE, "neither a capability nor a project was named");
    if (!config->project && !(client->path = lwb_strdup(config->capability)))
        return lwb_fail_memory(err);
    return look_at_capability(client->path, report, err);
}

/* ---- live checks ----------------------------------------------------------------------------- */

static bool is_about_metadata(const struct lwb_error *err)
{
    return err->code == LWB_ERR_METADATA_MISMATCH || err->code == LWB_ERR_METADATA_MALFORMED;
}

static int fail_live(struct lwb_bootstrap_report *report, const char *subject,
                     const struct lwb_error *err)
{
    const char *code = "startup-failed";
    const char *hint = NULL;

    if (err->code == LWB_ERR_HANDSHAKE) {
        code = "handshake-failed";
        hint = "use the lwbuild-child of this version of lwbuild";
    } else if (is_about_metadata(err)) {
        code = "metadata-mismatch";
        hint = "build the capability that this program was made for";
    }
    add_check(report, LWB_PREFLIGHT_ERROR, code, subject, err->text, hint);
    return err->code;
}

static int start(struct lwb_capability_client *client, const struct lwb_capability_config *config,
                 const char *child, struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply health = { 0 };
    const struct lwb_session_config session = session_config(config, client->path);
    struct lwb_pool_config pool = config->pool;

    pool.worker.executable = child;
    if (lwb_worker_environment(&environment, err) < 0 ||
        lwb_session_config_copy(&client->session, &session, err) < 0)
        return err->code;
    if (!pool.worker.environment)
        pool.worker.environment = &environment;
    if (lwb_blocking_open(&client->blocking, &pool, err) < 0 ||
        lwb_blocking_acquire(client->blocking, client->session, NULL, &client->lease, err) < 0 ||
        lwb_blocking_health(client->blocking, client->lease, NULL, &health, err) < 0)
        return fail_live(report, is_about_metadata(err) ? client->path : child, err);
    add_check(report, LWB_PREFLIGHT_INFO, "session-open", client->path, "the child has loaded it",
              NULL);
    return LWB_OK;
}

static int read_metadata(struct lwb_capability_client *client, struct lwb_bootstrap_report *report,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request request = { "metadata", { "{}", 2 } };

    if (lwb_blocking_metadata(client->blocking, client->lease, &request, NULL, &kept, err) < 0)
        return fail_live(report, client->path, err);
    if (lwb_capability_metadata_parse(&client->metadata, kept.reply.answer.json, err) < 0)
        return fail_live(report, client->path, err);
    add_check(report, LWB_PREFLIGHT_INFO, "metadata-accepted", client->path,
              client->metadata.name ? client->metadata.name : "it has no name", NULL);
    return LWB_OK;
}

int lwb_capability_open(struct lwb_capability_client **out,
                        const struct lwb_capability_config *config,
                        struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_close)
    struct lwb_capability_client *client = lwb_alloc(sizeof(*client));
    LWB_AUTO(lwb_free_text) char *child = NULL;

    report->n_checks = 0;
    if (!client)
        return lwb_fail_memory(err);
    if (check_expectation(config, report, err) < 0 || find_child(&child, config, report, err) < 0 ||
        find_capability(client, config, report, err) < 0 ||
        start(client, config, child, report, err) < 0 || read_metadata(client, report, err) < 0)
        return err->code;
    *out = LWB_TAKE(client);
    return LWB_OK;
}

void lwb_capability_close(struct lwb_capability_client *client)
{
    if (!client)
        return;
    lwb_blocking_close(client->blocking);
    lwb_capability_metadata_release(&client->metadata);
    lwb_session_config_destroy(client->session);
    lwb_free(client->path);
    lwb_free(client);
}

/* ---- questions ------------------------------------------------------------------------------- */

struct lwb_blocking *lwb_capability_blocking(struct lwb_capability_client *client)
{
    return client->blocking;
}

struct lwb_lease *lwb_capability_lease(struct lwb_capability_client *client)
{
    return client->lease;
}

const char *lwb_capability_path(const struct lwb_capability_client *client)
{
    return client->path;
}

const struct lwb_capability_metadata *
lwb_capability_metadata(const struct lwb_capability_client *client)
{
    return &client->metadata;
}

const struct lwb_hello_response *lwb_capability_runtime(const struct lwb_capability_client *client)
{
    return client->lease ? lwb_lease_hello(client->lease) : NULL;
}

int lwb_capability_renew(struct lwb_capability_client *client, struct lwb_error *err)
{
    if (client->lease)
        lwb_blocking_return(client->blocking, LWB_TAKE(client->lease));
    return lwb_blocking_acquire(client->blocking, client->session, NULL, &client->lease, err);
}
