#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/child.h"
#include "tests/support/child_pipe.h"
#include "tests/support/test.h"

static void start(struct child_pipe *child, const struct child_pipe_options *options)
{
    struct lwb_message message = { 0 };

    child_pipe_start(child, ECHO_CHILD, options);
    child_pipe_hello(child, LWB_FRAME_DEFAULT_LIMIT, NULL);
    child_pipe_open(child, "echo", NULL, NULL);
    child_pipe_expect(child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
}

static void stray_prints_go_to_stderr_and_not_between_frames(void **state)
{
    struct lwb_check_response response;
    struct lwb_message message = { 0 };
    struct child_pipe child;
    struct lwb_error err;

    (void)state;
    start(&child, NULL);
    for (int i = 0; i < 100; i++) {
        child_pipe_check(&child, "-- echo: stdout I was printed\n");
        child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
        assert_int_equal(lwb_check_response_decode(&response, &message, &err), LWB_OK);
        assert_int_equal(response.verdict, LWB_VERDICT_ACCEPTED);
        lwb_message_release(&message);
    }
    child_pipe_close_input(&child);
    (void)child_pipe_wait(&child);
    assert_int_equal(child.errors.len, 100 * strlen("I was printed\n"));
    assert_int_equal(strncmp(child.errors.ptr, "I was printed\nI was", 19), 0);
    child_pipe_stop(&child);
}

/* What /proc says about the child's descriptors; "" when there is none. */
static void read_link_of(char *out, size_t size, pid_t pid, int fd)
{
    char path[64];
    ssize_t len;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
    len = readlink(path, out, size - 1);
    out[len < 0 ? 0 : len] = '\0';
}

static int count_descriptors(pid_t pid)
{
    char path[64];
    int count = 0;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    (void)closedir(dir);
    return count - 2; /* . and .. */
}

static void only_the_frames_have_their_pipes(void **state)
{
    struct child_pipe_options options = { .inherited_fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
    struct child_pipe child;
    char in[256];
    char out[256];
    char err[256];

    (void)state;
    start(&child, &options);
    read_link_of(in, sizeof(in), child.worker, 0);
    read_link_of(out, sizeof(out), child.worker, 1);
    read_link_of(err, sizeof(err), child.worker, 2);
    assert_string_equal(in, "/dev/null");
    assert_string_equal(out, err);
    assert_int_equal(strncmp(err, "pipe:", 5), 0);
    /* 0, 1, 2 and the two private ones: what was inherited besides is gone. */
    assert_int_equal(count_descriptors(child.worker), 5);
    (void)close(options.inherited_fd);
    child_pipe_stop(&child);
}

static void it_cannot_dump_core_and_can_be_measured(void **state)
{
    struct child_pipe child;
    struct rlimit limit;
    char path[64];

    (void)state;
    start(&child, NULL);
    assert_int_equal(prlimit(child.worker, RLIMIT_CORE, NULL, &limit), 0);
    assert_true(limit.rlim_cur <= 1);
    /* Owned by the user and not by root: the process is dumpable, its smaps readable. */
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", child.worker);
    assert_int_equal(access(path, R_OK), 0);
    child_pipe_stop(&child);
}

static void without_its_pipes_it_does_not_start(void **state)
{
    static const struct {
        unsigned closed;
        const char *words;
    } cases[] = { { 1 << 0, "stdin is not usable" }, { 1 << 1, "stdout is not usable" } };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct child_pipe_options options = { .closed = cases[i].closed };
        struct child_pipe child;
        int status;

        child_pipe_start(&child, ECHO_CHILD, &options);
        status = child_pipe_wait(&child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), LWB_CHILD_EXIT_SYSTEM);
        assert_non_null(strstr(lwb_buf_text(&child.errors), cases[i].words));
        child_pipe_stop(&child);
    }
}

/* A stray print then goes nowhere, and still not between frames. */
static void without_stderr_it_serves_all_the_same(void **state)
{
    struct child_pipe_options options = { .closed = 1 << 2 };
    struct lwb_message message = { 0 };
    struct child_pipe child;
    char out[256];

    (void)state;
    start(&child, &options);
    child_pipe_check(&child, "-- echo: stdout lost\n-- echo: stderr 1000\n");
    child_pipe_expect(&child, &message, LWB_MSG_RESPONSE);
    lwb_message_release(&message);
    read_link_of(out, sizeof(out), child.worker, 1);
    assert_string_equal(out, "/dev/null");
    child_pipe_stop(&child);
}

static void arguments_it_does_not_know_are_refused(void **state)
{
    struct child_pipe_options options = { .parent_pid = INT32_MAX };
    struct child_pipe child;
    int status;

    (void)state;
    child_pipe_start(&child, ECHO_CHILD, &options); /* a pid, but nobody's parent */
    status = child_pipe_wait(&child);
    assert_int_equal(WEXITSTATUS(status), LWB_CHILD_EXIT_PARENT);
    child_pipe_stop(&child);
    assert_int_equal(WEXITSTATUS(system(ECHO_CHILD " --parent-pid 0 2>&1 | grep -q usage")), 0);
    assert_int_equal(WEXITSTATUS(system(ECHO_CHILD " --frobnicate 2>/dev/null")),
                     LWB_CHILD_EXIT_USAGE);
    assert_int_equal(WEXITSTATUS(system(ECHO_CHILD " --version | grep -q '^host echo 0'")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stray_prints_go_to_stderr_and_not_between_frames),
        cmocka_unit_test(only_the_frames_have_their_pipes),
        cmocka_unit_test(it_cannot_dump_core_and_can_be_measured),
        cmocka_unit_test(without_its_pipes_it_does_not_start),
        cmocka_unit_test(without_stderr_it_serves_all_the_same),
        cmocka_unit_test(arguments_it_does_not_know_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
