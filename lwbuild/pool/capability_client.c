#include "lwbuild/pool/capability_client.h"

#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/worker/child_path.h"

struct lwb_capability_client {
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

/* ---- static checks ---------------------------------------------------------------------------- */

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

static int look_at_capability(const struct lwb_capability_config *config,
                              struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    const struct lwb_preflight preflight = {
        .path = config->capability,
        .found = on_finding,
        .ctx = report,
    };

    return lwb_capability_preflight(&preflight, err);
}

int lwb_capability_check(const struct lwb_capability_config *config,
                         struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *child = NULL;

    report->n_checks = 0;
    if (find_child(&child, config, report, err) < 0)
        return err->code;
    return look_at_capability(config, report, err);
}

/* ---- live checks -------------------------------------------------------------------------------- */

static int fail_live(struct lwb_bootstrap_report *report, const char *subject,
                     const struct lwb_error *err)
{
    bool handshake = err->code == LWB_ERR_HANDSHAKE;

    add_check(report, LWB_PREFLIGHT_ERROR, handshake ? "handshake-failed" : "startup-failed",
              subject, err->text,
              handshake ? "use the lwbuild-child of this version of lwbuild" : NULL);
    return err->code;
}

static int start(struct lwb_capability_client *client, const struct lwb_capability_config *config,
                 const char *child, struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec environment = { 0 };
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply health = { 0 };
    struct lwb_session_config session = config->session;
    struct lwb_pool_config pool = config->pool;

    session.open.host = "capability";
    session.open.capability = config->capability;
    pool.worker.executable = child;
    if (lwb_worker_environment(&environment, err) < 0 ||
        lwb_session_config_copy(&client->session, &session, err) < 0)
        return err->code;
    if (!pool.worker.environment)
        pool.worker.environment = &environment;
    if (lwb_blocking_open(&client->blocking, &pool, err) < 0 ||
        lwb_blocking_acquire(client->blocking, client->session, NULL, &client->lease, err) < 0 ||
        lwb_blocking_health(client->blocking, client->lease, NULL, &health, err) < 0)
        return fail_live(report, child, err);
    add_check(report, LWB_PREFLIGHT_INFO, "session-open", config->capability,
              "the child has loaded it", NULL);
    return LWB_OK;
}

static int read_metadata(struct lwb_capability_client *client,
                         const struct lwb_capability_config *config,
                         struct lwb_bootstrap_report *report, struct lwb_error *err)
{
    LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
    const struct lwb_export_request request = { "metadata", { "{}", 2 } };

    if (lwb_blocking_metadata(client->blocking, client->lease, &request, NULL, &kept, err) < 0)
        return fail_live(report, config->capability, err);
    if (lwb_capability_metadata_parse(&client->metadata, kept.reply.answer.json, err) < 0 ||
        (config->metadata && lwb_capability_metadata_expect(
                                 &client->metadata, lwb_bytes_text(config->metadata), err) < 0)) {
        add_check(report, LWB_PREFLIGHT_ERROR, "metadata-mismatch", config->capability, err->text,
                  "build the capability that this program was made for");
        return err->code;
    }
    add_check(report, LWB_PREFLIGHT_INFO, "metadata-accepted", config->capability,
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
    if (find_child(&child, config, report, err) < 0 ||
        look_at_capability(config, report, err) < 0 ||
        start(client, config, child, report, err) < 0 ||
        read_metadata(client, config, report, err) < 0)
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
    lwb_free(client);
}

/* ---- questions ------------------------------------------------------------------------------------ */

struct lwb_blocking *lwb_capability_blocking(struct lwb_capability_client *client)
{
    return client->blocking;
}

struct lwb_lease *lwb_capability_lease(struct lwb_capability_client *client)
{
    return client->lease;
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
