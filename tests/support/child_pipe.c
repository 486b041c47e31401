#include "tests/support/child_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "lwbuild/base/json.h"
#include "tests/support/test.h"

enum { BACK_STOP_MS = 50 * 1000 };

static void exec_child(const char *program, const struct child_pipe_options *options, int parent,
                       const int *fds)
{
    char pid[16];

    (void)snprintf(pid, sizeof(pid), "%d", options->parent_pid > 0 ? options->parent_pid : parent);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        (void)dup2(fds[fd], fd);
        if (options->closed & 1U << fd)
            (void)close(fd);
    }
    if (options->inherited_fd)
        (void)fcntl(options->inherited_fd, F_SETFD, 0);
    if (options->parent_pid < 0)
        (void)execl(program, program, (char *)NULL);
    else
        (void)execl(program, program, "--parent-pid", pid, (char *)NULL);
    _exit(127);
}

void child_pipe_start(struct child_pipe *child, const char *program,
                      const struct child_pipe_options *options)
{
    static const struct child_pipe_options usual;
    int parent = getpid();
    int in[2];
    int out[2];
    int err[2];

    lwb_json_init();
    *child = (struct child_pipe){ .head.generation = 1, .errors = LWB_BUF(1 << 20) };
    lwb_frame_reader_init(&child->reader, LWB_FRAME_MAX_LIMIT);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0)
        exec_child(program, options ? options : &usual, parent,
                   (const int[]){ in[0], out[1], err[1] });
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(err[1]);
    child->to = in[1];
    child->from = out[0];
    child->err = err[0];
    (void)signal(SIGPIPE, SIG_IGN);
}

void child_pipe_stop(struct child_pipe *child)
{
    if (child->pid > 0) {
        (void)kill(child->pid, SIGKILL);
        (void)child_pipe_wait(child);
    }
    child_pipe_close_input(child);
    (void)close(child->from);
    (void)close(child->err);
    lwb_frame_reader_release(&child->reader);
    lwb_buf_release(&child->errors);
}

/* ---- sending --------------------------------------------------------------------------------- */

const struct lwb_message_head *child_pipe_request(struct child_pipe *child,
                                                  enum lwb_message_type type)
{
    if (type != LWB_MSG_HELLO)
        child->head.request++;
    child->head.type = type;
    return &child->head;
}

void child_pipe_send(struct child_pipe *child, struct lwb_buf *frame)
{
    struct lwb_error err;

    assert_true(lwb_buf_ok(frame));
    if (lwb_file_write_fd(child->to, lwb_buf_bytes(frame), &err) < 0)
        assert_int_equal(err.sys, EPIPE); /* a child that is gone is seen when reading */
    lwb_buf_release(frame);
}

void child_pipe_send_plain(struct child_pipe *child, enum lwb_message_type type)
{
    struct lwb_buf frame = LWB_BUF(4096);
    struct lwb_error err;

    assert_int_equal(lwb_plain_encode(&frame, child_pipe_request(child, type), 4096, &err), 0);
    child_pipe_send(child, &frame);
}

void child_pipe_close_input(struct child_pipe *child)
{
    if (child->to >= 0)
        (void)close(child->to);
    child->to = -1;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static size_t read_some(int fd, char *to, size_t room)
{
    struct pollfd wanted = { .fd = fd, .events = POLLIN };
    ssize_t got;

    assert_int_equal(poll(&wanted, 1, BACK_STOP_MS), 1);
    got = read(fd, to, room);
    assert_true(got >= 0);
    return (size_t)got;
}

int child_pipe_next(struct child_pipe *child, struct lwb_message *message)
{
    struct lwb_bytes payload;
    struct lwb_error err;
    size_t room;
    size_t got;
    char *to;
    int rc;

    while ((rc = lwb_frame_next(&child->reader, &payload, &err)) == 0) {
        to = lwb_frame_reader_room(&child->reader, &room);
        assert_non_null(to);
        got = read_some(child->from, to, room);
        if (!got) {
            assert_int_equal(lwb_frame_reader_end(&child->reader, &err), LWB_OK);
            return 0;
        }
        lwb_frame_reader_commit(&child->reader, got);
    }
    assert_int_equal(rc, 1);
    rc = lwb_message_decode(message, payload, &err);
    if (rc < 0)
        print_error("%s\n", err.text);
    assert_int_equal(rc, LWB_OK);
    return 1;
}

void child_pipe_expect(struct child_pipe *child, struct lwb_message *message,
                       enum lwb_message_type type)
{
    assert_int_equal(child_pipe_next(child, message), 1);
    if (message->head.type == LWB_MSG_REFUSAL && type != LWB_MSG_REFUSAL) {
        struct lwb_refusal refusal;
        struct lwb_error err;

        assert_int_equal(lwb_refusal_decode(&refusal, message, &err), LWB_OK);
        print_error("refused: %s: %s\n", refusal.code, refusal.text);
    }
    assert_string_equal(lwb_message_type_name(message->head.type), lwb_message_type_name(type));
    assert_int_equal(message->head.request, child->head.request);
    assert_int_equal(message->head.generation, child->head.generation);
}

void child_pipe_expect_refusal(struct child_pipe *child, const char *code)
{
    struct lwb_message message = { 0 };
    struct lwb_refusal refusal;
    struct lwb_error err;

    child_pipe_expect(child, &message, LWB_MSG_REFUSAL);
    assert_int_equal(lwb_refusal_decode(&refusal, &message, &err), LWB_OK);
    assert_string_equal(refusal.code, code);
    lwb_message_release(&message);
}

/* ---- the usual requests ---------------------------------------------------------------------- */

void child_pipe_hello(struct child_pipe *child, uint64_t max_frame,
                      struct lwb_hello_response *response)
{
    struct lwb_hello_request request = { .max_frame = max_frame, .parent = "a test" };
    struct lwb_buf frame = LWB_BUF(4096);
    struct lwb_hello_response ignored;
    struct lwb_message message = { 0 };
    struct lwb_error err;

    assert_int_equal(lwb_hello_request_encode(&frame, child_pipe_request(child, LWB_MSG_HELLO),
                                              &request, 4096, &err),
                     LWB_OK);
    child_pipe_send(child, &frame);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    response = response ? response : &ignored;
    assert_int_equal(lwb_hello_response_decode(response, &message, &err), LWB_OK);
    child->worker = (pid_t)response->pid;
    response->child = NULL; /* borrowed from the message, which is not kept */
    response->hosts = NULL;
    response->lean_version = NULL;
    lwb_message_release(&message);
}

void child_pipe_open(struct child_pipe *child, const char *host, const char *capability,
                     const char *scratch)
{
    struct lwb_open_request request = { .host = host,
                                        .capability = capability,
                                        .scratch = scratch };
    struct lwb_buf frame = LWB_BUF(1 << 16);
    struct lwb_error err;

    assert_int_equal(lwb_open_request_encode(&frame, child_pipe_request(child, LWB_MSG_OPEN),
                                             &request, 1 << 16, &err),
                     LWB_OK);
    child_pipe_send(child, &frame);
}

void child_pipe_check(struct child_pipe *child, const char *source)
{
    struct lwb_check_request request = {
        .module = "M",
        .file = "M.lean",
        .source = lwb_bytes_text(source),
    };
    struct lwb_buf frame = LWB_BUF(1 << 20);
    struct lwb_error err;

    assert_int_equal(lwb_check_request_encode(&frame, child_pipe_request(child, LWB_MSG_CHECK),
                                              &request, 1 << 20, &err),
                     LWB_OK);
    child_pipe_send(child, &frame);
}

void child_pipe_export(struct child_pipe *child, enum lwb_message_type type, const char *name,
                       const char *json)
{
    struct lwb_export_request request = { .name = name, .json = lwb_bytes_text(json) };
    struct lwb_buf frame = LWB_BUF(1 << 20);
    struct lwb_error err;

    assert_int_equal(
        lwb_export_request_encode(&frame, child_pipe_request(child, type), &request, 1 << 20, &err),
        LWB_OK);
    child_pipe_send(child, &frame);
}

int child_pipe_wait(struct child_pipe *child)
{
    char text[4096];
    size_t got;
    int status;

    while ((got = read_some(child->err, text, sizeof(text))) > 0)
        lwb_buf_append(&child->errors, text, got);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    child->pid = 0;
    return status;
}
