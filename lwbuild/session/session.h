#pragma once

#include "lwbuild/session/session_config.h"
#include "lwbuild/session/sink.h"
#include "lwbuild/worker/worker.h"

/*
 * A conversation with a started worker: open it with a configuration, run
 * commands one after the other. It belongs to one generation of the worker: a
 * timeout, a cancel, the child's death, or a restart that the policy demands
 * make it invalid, and every later call is LWB_ERR_SESSION_INVALID and does no
 * work. A refusal by the child leaves it valid.
 *
 * Functions that return an int refuse at once with a negative code: then
 * `done` is not called. Otherwise it is called once, from the loop, with a
 * reply or with an error.
 */
struct lwb_session;

/* The worker must outlive the session. */
int lwb_session_create(struct lwb_session **out, struct lwb_worker *worker, struct lwb_error *err);

/* Not while a call is in flight. */
void lwb_session_destroy(struct lwb_session *session);
LWB_DEFINE_AUTO_PTR(struct lwb_session, lwb_session_destroy);

/* What was asked decides which member is meant. Borrowed for the call of `done`. */
struct lwb_reply {
    enum lwb_message_type type;  /* of the request */
    struct lwb_message *message; /* holds the texts; may be moved out of (lwb_reply_take) */
    union {
        struct lwb_open_response open;
        struct lwb_check_response check;
        struct lwb_elaborate_response elaborate;
        struct lwb_kernel_response kernel;   /* kernel check */
        struct lwb_strings_response strings; /* declaration kinds, declaration names */
        struct lwb_answer answer;            /* command, metadata, doctor */
        struct lwb_stream_summary summary;   /* stream: only now its rows count */
    };
};

/* A reply that is kept. */
struct lwb_kept_reply {
    struct lwb_reply reply;
    struct lwb_message message;
    struct lwb_buf attachment;
};

/* Inside `done`: take what the reply borrows. Fails when memory is out. */
int lwb_reply_take(struct lwb_kept_reply *out, const struct lwb_reply *reply,
                   struct lwb_error *err);
void lwb_kept_reply_release(struct lwb_kept_reply *kept);
LWB_DEFINE_AUTO(struct lwb_kept_reply, lwb_kept_reply_release);

typedef void lwb_session_done_fn(void *ctx, const struct lwb_reply *reply,
                                 const struct lwb_error *err);

struct lwb_session_call {
    const struct lwb_sinks *sinks;   /* NULL: no events are wanted */
    uint64_t timeout_ms;             /* 0: the session's, and if that is 0 the worker's */
    struct lwb_cancel_token *cancel; /* NULL: none */
    lwb_session_done_fn *done;
    void *ctx;
};

/* Once per generation; the worker must be idle. */
int lwb_session_open(struct lwb_session *session, const struct lwb_open_request *request,
                     const struct lwb_session_call *call, struct lwb_error *err);

bool lwb_session_is_valid(const struct lwb_session *session);

/*
 * LWB_OK when a request may be sent now; LWB_ERR_SESSION_INVALID says why not.
 * Every command asks this itself. It also asks the restart policy, so a session
 * can become invalid here: the caller then stops the worker.
 */
int lwb_session_check_valid(struct lwb_session *session, struct lwb_error *err);

/* For calls that name no timeout; 0: the worker's. */
void lwb_session_set_timeout(struct lwb_session *session, uint64_t ms);

/*
 * Back-pressure for sinks that are not done when they return: after a pause no
 * event comes until the resume, and the child waits. See lwb_worker_pause.
 */
void lwb_session_pause(struct lwb_session *session);
void lwb_session_resume(struct lwb_session *session);

/* ---- commands ------------------------------------------------------------------------------ */

int lwb_session_health(struct lwb_session *session, const struct lwb_session_call *call,
                       struct lwb_error *err);
int lwb_session_check(struct lwb_session *session, const struct lwb_check_request *request,
                      const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_elaborate(struct lwb_session *session, const struct lwb_elaborate_request *request,
                          const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_kernel_check(struct lwb_session *session,
                             const struct lwb_elaborate_request *request,
                             const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_declaration_kinds(struct lwb_session *session, const struct lwb_strvec *names,
                                  const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_declaration_names(struct lwb_session *session, const char *prefix,
                                  const struct lwb_session_call *call, struct lwb_error *err);

/* An export by name, with a JSON text that is handed over as it is. */
int lwb_session_command(struct lwb_session *session, const struct lwb_export_request *request,
                        const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_stream(struct lwb_session *session, const struct lwb_export_request *request,
                       const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_metadata(struct lwb_session *session, const struct lwb_export_request *request,
                         const struct lwb_session_call *call, struct lwb_error *err);
int lwb_session_doctor(struct lwb_session *session, const struct lwb_export_request *request,
                       const struct lwb_session_call *call, struct lwb_error *err);
