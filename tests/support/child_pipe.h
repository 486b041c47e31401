#pragma once

#include <sys/types.h>

#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"

/*
 * A real child process and the pipes to it, for tests that speak the protocol
 * by hand: no supervisor between. Failures of the harness itself are failed
 * assertions. Reading has a generous back-stop, so that a child that says
 * nothing fails the test and does not hang it.
 */
struct child_pipe {
    pid_t pid;    /* of its guardian: what was started */
    pid_t worker; /* after hello: what does the work */
    int to;
    int from;
    int err; /* its stderr */
    struct lwb_frame_reader reader;
    struct lwb_message_head head; /* of the latest request */
    struct lwb_buf errors;        /* what stderr held (child_pipe_wait) */
};

struct child_pipe_options {
    int parent_pid;   /* 0: this process; -1: the argument is left out */
    int inherited_fd; /* left open in the child on purpose; 0: none */
    unsigned closed;  /* bits 0, 1 and 2: which of its standard descriptors it starts without */
};

void child_pipe_start(struct child_pipe *child, const char *program,
                      const struct child_pipe_options *options);

/* Ends and reaps a child that is still there. */
void child_pipe_stop(struct child_pipe *child);

/* The head of the next request, for an encoder. */
const struct lwb_message_head *child_pipe_request(struct child_pipe *child,
                                                  enum lwb_message_type type);

/* Writes a frame and empties it. */
void child_pipe_send(struct child_pipe *child, struct lwb_buf *frame);
void child_pipe_send_plain(struct child_pipe *child, enum lwb_message_type type);
void child_pipe_close_input(struct child_pipe *child);

/* Returns 1 and the next message, 0 when the child's output has ended. Release the message. */
int child_pipe_next(struct child_pipe *child, struct lwb_message *message);

/* The next message, which must be of this type and of the latest request. */
void child_pipe_expect(struct child_pipe *child, struct lwb_message *message,
                       enum lwb_message_type type);

/* ... a refusal with this code. */
void child_pipe_expect_refusal(struct child_pipe *child, const char *code);

/* Say hello, with this limit for frames. */
void child_pipe_hello(struct child_pipe *child, uint64_t max_frame,
                      struct lwb_hello_response *response);

/* Open a session that needs nothing; `capability` and `scratch` may be NULL. */
void child_pipe_open(struct child_pipe *child, const char *host, const char *capability,
                     const char *scratch);

/* Send a check of `source` as module "M". */
void child_pipe_check(struct child_pipe *child, const char *source);

/* Send a request for an export: command, stream, metadata or doctor. */
void child_pipe_export(struct child_pipe *child, enum lwb_message_type type, const char *name,
                       const char *json);

/* Waits for the end of the child; its stderr is then in child->errors. Returns the wait status. */
int child_pipe_wait(struct child_pipe *child);
