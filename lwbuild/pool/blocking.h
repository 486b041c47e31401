#pragma once

#include "lwbuild/pool/pool.h"
#include "lwbuild/session/command.h"

/*
 * A pool for simple programs: every call waits for its end. There is one loop
 * inside, which turns only while a call waits; so all calls are made on one
 * thread, and only a cancel token may be fired from elsewhere (another thread,
 * a signal handler).
 *
 *     struct lwb_blocking *client = NULL;
 *     struct lwb_lease *lease;
 *     LWB_AUTO(lwb_kept_reply_release) struct lwb_kept_reply kept = { 0 };
 *
 *     if (lwb_blocking_open(&client, &config, &err) < 0 ||
 *         lwb_blocking_acquire(client, &world, NULL, &lease, &err) < 0 ||
 *         lwb_blocking_command(client, lease, &export, NULL, &kept, &err) < 0)
 *         ...err.text...
 *
 * Opening ignores SIGPIPE if nobody handles it.
 */
struct lwb_blocking;

int lwb_blocking_open(struct lwb_blocking **out, const struct lwb_pool_config *config,
                      struct lwb_error *err);

/* Returns leases that are still held, ends all children, waits until they are gone. */
void lwb_blocking_close(struct lwb_blocking *client);
LWB_DEFINE_AUTO_PTR(struct lwb_blocking, lwb_blocking_close);

/* For cancel tokens; never run it. */
uv_loop_t *lwb_blocking_loop(struct lwb_blocking *client);
struct lwb_pool *lwb_blocking_pool(struct lwb_blocking *client);

/* Waits for a session; `cancel` may be NULL. The lease is the caller's: lwb_blocking_return. */
int lwb_blocking_acquire(struct lwb_blocking *client, const struct lwb_session_config *config,
                         struct lwb_cancel_token *cancel, struct lwb_lease **lease,
                         struct lwb_error *err);
void lwb_blocking_return(struct lwb_blocking *client, struct lwb_lease *lease);

/* How to call; NULL for all defaults. */
struct lwb_blocking_options {
    const struct lwb_sinks *sinks; /* called while the call waits */
    uint64_t timeout_ms;
    struct lwb_cancel_token *cancel;
    struct lwb_typed_rows rows; /* of lwb_blocking_rows */
};

/* On LWB_OK `out` holds the reply and is the caller's to release. */
int lwb_blocking_health(struct lwb_blocking *client, struct lwb_lease *lease,
                        const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                        struct lwb_error *err);
int lwb_blocking_check(struct lwb_blocking *client, struct lwb_lease *lease,
                       const struct lwb_check_request *request,
                       const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                       struct lwb_error *err);
int lwb_blocking_elaborate(struct lwb_blocking *client, struct lwb_lease *lease,
                           const struct lwb_elaborate_request *request,
                           const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                           struct lwb_error *err);
int lwb_blocking_kernel_check(struct lwb_blocking *client, struct lwb_lease *lease,
                              const struct lwb_elaborate_request *request,
                              const struct lwb_blocking_options *options,
                              struct lwb_kept_reply *out, struct lwb_error *err);
int lwb_blocking_declaration_kinds(struct lwb_blocking *client, struct lwb_lease *lease,
                                   const struct lwb_strvec *names,
                                   const struct lwb_blocking_options *options,
                                   struct lwb_kept_reply *out, struct lwb_error *err);
int lwb_blocking_declaration_names(struct lwb_blocking *client, struct lwb_lease *lease,
                                   const char *prefix, const struct lwb_blocking_options *options,
                                   struct lwb_kept_reply *out, struct lwb_error *err);
int lwb_blocking_command(struct lwb_blocking *client, struct lwb_lease *lease,
                         const struct lwb_export_request *request,
                         const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                         struct lwb_error *err);
int lwb_blocking_stream(struct lwb_blocking *client, struct lwb_lease *lease,
                        const struct lwb_export_request *request,
                        const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                        struct lwb_error *err);
int lwb_blocking_metadata(struct lwb_blocking *client, struct lwb_lease *lease,
                          const struct lwb_export_request *request,
                          const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                          struct lwb_error *err);
int lwb_blocking_doctor(struct lwb_blocking *client, struct lwb_lease *lease,
                        const struct lwb_export_request *request,
                        const struct lwb_blocking_options *options, struct lwb_kept_reply *out,
                        struct lwb_error *err);

/* Typed commands: see session/command.h. */
int lwb_blocking_json(struct lwb_blocking *client, struct lwb_lease *lease,
                      const struct lwb_json_command *command, const void *request, void *response,
                      const struct lwb_blocking_options *options, struct lwb_error *err);
int lwb_blocking_rows(struct lwb_blocking *client, struct lwb_lease *lease,
                      const struct lwb_streaming_command *command, const void *request,
                      void *summary, const struct lwb_blocking_options *options,
                      struct lwb_error *err);
