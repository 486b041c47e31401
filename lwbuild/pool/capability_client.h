#pragma once

#include "lwbuild/pool/blocking.h"
#include "lwbuild/session/capability_build.h"
#include "lwbuild/session/capability_preflight.h"
#include "lwbuild/session/capability_report.h"

/*
 * From the path of a capability library, of its manifest, or from a Lean
 * project to a session that is known to work, in one call: build the project's
 * capability, find the child, look at the library, start and shake hands, open,
 * ask for health, read the metadata and compare it with what is expected.
 */
struct lwb_capability_config {
    const char *capability; /* a library, or a manifest: *.json; NULL with a project */
    const struct lwb_capability_project *project; /* is built first; NULL: nothing is */
    const char *child;                            /* NULL: lwb_child_path_find */
    const char *metadata; /* JSON that the metadata must agree with; NULL: any */

    /* Time-outs, limits and policy; its executable is found, its environment may be NULL. */
    struct lwb_pool_config pool;

    /* The world that the capability is told about; host and capability are filled in. */
    struct lwb_session_config session;
};

#define LWB_CAPABILITY_CONFIG_DEFAULTS                                                             \
    ((struct lwb_capability_config){                                                               \
        .pool = { .max_workers = 1, .worker = LWB_WORKER_CONFIG_DEFAULTS },                        \
    })

/*
 * What was checked on the way, in order. Codes: "expectation-malformed",
 * "child-unresolved", "child-not-executable", "capability-build",
 * "capability-preflight", "handshake-failed", "startup-failed",
 * "metadata-mismatch"; those of things that are well are "child-found",
 * "capability-built", "capability-found", "session-open", "metadata-accepted".
 */
struct lwb_bootstrap_check {
    enum lwb_preflight_severity severity;
    const char *code;
    char subject[256];
    char message[600];
    char hint[256]; /* "" when there is nothing to do */
};

enum { LWB_BOOTSTRAP_CHECKS = 16 };

struct lwb_bootstrap_report {
    struct lwb_bootstrap_check checks[LWB_BOOTSTRAP_CHECKS];
    size_t n_checks;
};

/* The first one that is an error, or NULL. */
const struct lwb_bootstrap_check *
lwb_bootstrap_first_error(const struct lwb_bootstrap_report *report);

/*
 * Static checks only: nothing is built or started, so of a project nothing is known.
 * LWB_ERR_BOOTSTRAP with facts.child_code, LWB_ERR_USAGE for an expectation
 * that is no metadata, or LWB_OK.
 */
int lwb_capability_check(const struct lwb_capability_config *config,
                         struct lwb_bootstrap_report *report, struct lwb_error *err);

/*
 * The key of the session that opening it leads to: what has the same key can
 * stand in for each other. LWB_ERR_USAGE without a capability: a project's
 * key is that of what was built of it.
 */
int lwb_capability_key(struct lwb_digest *out, const struct lwb_capability_config *config,
                       struct lwb_error *err);

struct lwb_capability_client;

/*
 * The build of the project, static and live checks, then the client. Failures
 * are those of lwb_capability_check and lwb_capability_build, and codes of
 * their own (handshake, timeout, metadata-mismatch, ...) for live checks; either
 * way the report's last check says it with a hint.
 */
int lwb_capability_open(struct lwb_capability_client **out,
                        const struct lwb_capability_config *config,
                        struct lwb_bootstrap_report *report, struct lwb_error *err);
void lwb_capability_close(struct lwb_capability_client *client);
LWB_DEFINE_AUTO_PTR(struct lwb_capability_client, lwb_capability_close);

/* Borrowed; for lwb_blocking_command and the like. */
struct lwb_blocking *lwb_capability_blocking(struct lwb_capability_client *client);
struct lwb_lease *lwb_capability_lease(struct lwb_capability_client *client);
const char *lwb_capability_path(const struct lwb_capability_client *client);
const struct lwb_capability_metadata *
lwb_capability_metadata(const struct lwb_capability_client *client);
const struct lwb_hello_response *lwb_capability_runtime(const struct lwb_capability_client *client);

/* After a request that has ended the child: return the lease and get another. */
int lwb_capability_renew(struct lwb_capability_client *client, struct lwb_error *err);
