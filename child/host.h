#pragma once

#include "lwbuild/protocol/message.h"

/*
 * What a host offers to the child process that runs it. A host does the work
 * of sessions: it opens one, answers requests one after the other on one
 * thread, and closes it. It knows nothing of frames, ids or the parent.
 *
 * Everything may block: the parent watches time and memory and kills the whole
 * process group when a limit is passed. A function returns LWB_OK or a negative
 * code with err filled, which becomes a refusal (the child goes on). A host
 * whose process state can no longer be trusted ends the process instead.
 *
 * What the child has arranged (lwbuild/child.h): 0 is /dev/null and 1 is
 * stderr, SIGPIPE is ignored (a program that a host starts should have it
 * back), core dumps are off, and SIGKILL comes when the parent dies.
 */
struct lwb_call; /* the request that is being answered: where its events go */

/*
 * Events. Each returns LWB_OK, or a negative code when the parent is gone or
 * the frame cannot be sent; the host then returns that code at once.
 */
int lwb_call_progress(struct lwb_call *call, const char *phase, uint64_t current,
                      const uint64_t *total);
int lwb_call_diagnostic(struct lwb_call *call, const struct lwb_diagnostic *diagnostic);

/* Rows are numbered here, from 0 per stream; small ones are coalesced, none waits over 1 ms. */
int lwb_call_row(struct lwb_call *call, const char *stream, struct lwb_bytes row);

/* Filled by the host: an answer whose bytes are copied before the function returns. */
struct lwb_host_answer {
    struct lwb_buf json; /* max set by the caller */
};

struct lwb_host {
    const char *kind;   /* "lean" */
    const char *digest; /* hex: of the host's own sources, made by the build */

    /* Required. *session is the host's own; closed exactly once if open succeeded. */
    int (*open)(void **session, const struct lwb_open_request *request,
                struct lwb_open_response *response, struct lwb_error *err);
    void (*close)(void *session);

    /* NULL: unsupported. Strings in responses live until the next call into the session. */
    int (*check)(void *session, const struct lwb_check_request *request, struct lwb_call *call,
                 struct lwb_check_response *response, struct lwb_error *err);
    int (*elaborate)(void *session, const struct lwb_elaborate_request *request,
                     struct lwb_call *call, struct lwb_elaborate_response *response,
                     struct lwb_error *err);
    int (*kernel_check)(void *session, const struct lwb_elaborate_request *request,
                        struct lwb_call *call, struct lwb_kernel_response *response,
                        struct lwb_error *err);
    int (*declaration_kinds)(void *session, const struct lwb_strvec *names, struct lwb_call *call,
                             struct lwb_strvec *kinds, struct lwb_error *err);
    int (*declaration_names)(void *session, const char *prefix, struct lwb_call *call,
                             struct lwb_strvec *names, struct lwb_error *err);
    int (*metadata)(void *session, const struct lwb_export_request *request,
                    struct lwb_host_answer *answer, struct lwb_error *err);
    int (*doctor)(void *session, const struct lwb_export_request *request,
                  struct lwb_host_answer *answer, struct lwb_error *err);
    int (*command)(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                   struct lwb_host_answer *answer, struct lwb_error *err);
    /* answer: optional metadata of the summary. */
    int (*stream)(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                  struct lwb_host_answer *answer, struct lwb_error *err);
};
