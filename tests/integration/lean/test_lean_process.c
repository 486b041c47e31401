#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child/lean/lean_process.h"
#include "lwbuild/base/alloc.h"
#include "tests/support/scratch.h"

/* Processes as such; /bin/sh stands for lean. */

static void shell(struct lwb_lean_command *command, const char *script)
{
    *command = (struct lwb_lean_command){ .program = "/bin/sh", .folder = "/" };
    assert_int_equal(lwb_strvec_append(&command->arguments, "-c"), 0);
    assert_int_equal(lwb_strvec_append(&command->arguments, script), 0);
    assert_int_equal(lwb_strvec_append(&command->environment, "PATH=/usr/bin:/bin"), 0);
}

static void run(const char *script, struct lwb_lean_run *result, struct lwb_buf *output)
{
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command command = { 0 };
    struct lwb_error err;

    shell(&command, script);
    if (lwb_lean_process_run(result, &command, output, 0, &err) < 0)
        fail_msg("%s", err.text);
}

static void exit_codes_signals_and_output_are_told(void **state)
{
    static const struct {
        const char *script;
        int exit_code, signal;
        const char *output, *complaint;
        bool panicked;
    } cases[] = {
        { "echo out; echo err >&2; exit 3", 3, 0, "out\n", "err\n", false },
        { "kill -9 $$", -1, SIGKILL, "", "", false },
        { "echo PANIC at x >&2", 0, 0, "", "PANIC at x\n", true },
        { "echo '[file:///a] PANIC at x' >&2", 0, 0, "", "[file:///a] PANIC at x\n", true },
        { "printf 'INTERNAL PANIC: x' >&2; exit 1", 1, 0, "", "INTERNAL PANIC: x", true },
        { "echo no PANIC at x >&2", 0, 0, "", "no PANIC at x\n", false },
        { "pwd; env | grep -v ^_ | grep -v ^PWD | sort", 0, 0, "/\nPATH=/usr/bin:/bin\n", "",
          false },
        { "cat; echo end", 0, 0, "end\n", "", false },          /* stdin is empty */
        { "ls /proc/self/fd | wc -l", 0, 0, "4\n", "", false }, /* 0, 1, 2 and that folder */
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run result = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(10000);

        run(cases[i].script, &result, &output);
        assert_int_equal(result.exit_code, cases[i].exit_code);
        assert_int_equal(result.signal, cases[i].signal);
        assert_string_equal(lwb_buf_text(&output), cases[i].output);
        assert_string_equal(lwb_buf_text(&result.complaint), cases[i].complaint);
        assert_int_equal(result.panicked, cases[i].panicked);
    }
}

static void too_much_output_ends_the_run(void **state)
{
    LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run result = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(100000);

    (void)state;
    run("while :; do echo and so on and so on; done", &result, &output);
    assert_true(result.overflow);
}

static void only_the_end_of_stderr_is_kept(void **state)
{
    LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run result = { 0 };
    LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(100000);
    size_t len;

    (void)state;
    run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done >&2", &result, &output);
    len = result.complaint.len;
    assert_in_range(len, 1000, 2 * LWB_LEAN_STDERR_KEPT);
    assert_string_equal(lwb_buf_text(&result.complaint) + len - 11, "line 19999\n");
}

static void what_cannot_be_run_is_an_error(void **state)
{
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command command = { 0 };
    struct lwb_lean_process process = { 0 };
    struct lwb_error err;

    (void)state;
    shell(&command, "true");
    command.program = "/nonexistent/lean";
    assert_int_equal(lwb_lean_process_start(&process, &command, &err), LWB_ERR_SPAWN);
    assert_int_equal(err.sys, ENOENT);
    command.program = "/bin/sh";
    command.folder = "/nonexistent";
    assert_int_equal(lwb_lean_process_start(&process, &command, &err), LWB_ERR_SPAWN);
    assert_int_equal(process.pid, 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left to wait for */
}

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void descriptors_and_children_do_not_pile_up(void **state)
{
    int before = count_descriptors();

    (void)state;
    for (int i = 0; i < 20; i++) {
        LWB_AUTO(lwb_lean_run_release) struct lwb_lean_run result = { 0 };
        LWB_AUTO(lwb_buf_release) struct lwb_buf output = LWB_BUF(1000);

        run("echo x", &result, &output);
    }
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/* In a process of its own: starts a shell that writes its pid and waits for ever. */
static void start_and_wait(const char *file)
{
    struct lwb_lean_command command;
    struct lwb_lean_process process = { 0 };
    struct lwb_error err;
    char script[400];

    (void)snprintf(script, sizeof(script), "echo $$ > %s.new; mv %s.new %s; exec sleep 600", file,
                   file, file);
    shell(&command, script);
    if (lwb_lean_process_start(&process, &command, &err) < 0)
        _exit(1);
    for (;;)
        (void)pause();
}

static pid_t read_pid(const char *file)
{
    int pid = 0;

    for (;;) { /* the test's own time limit is the back-stop */
        FILE *in = fopen(file, "r");
        int n = in ? fscanf(in, "%d", &pid) : 0;

        if (in)
            (void)fclose(in);
        if (n == 1)
            return pid;
        (void)sched_yield();
    }
}

static void lean_dies_with_us_however_we_die(void **state)
{
    struct scratch scratch;
    const char *file;
    pid_t middle, lean;
    int status;

    (void)state;
    scratch_make(&scratch);
    file = scratch_path(&scratch, "pid");
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that the orphan is ours to reap */
    middle = fork();
    assert_true(middle >= 0);
    if (middle == 0)
        start_and_wait(file);
    lean = read_pid(file);
    assert_int_equal(getpgid(lean), getpgid(0)); /* it stayed in the group */
    assert_int_equal(kill(middle, SIGKILL), 0);
    assert_int_equal(waitpid(middle, &status, 0), middle);
    assert_int_equal(waitpid(lean, &status, 0), lean);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_signals_and_output_are_told),
        cmocka_unit_test(too_much_output_ends_the_run),
        cmocka_unit_test(only_the_end_of_stderr_is_kept),
        cmocka_unit_test(what_cannot_be_run_is_an_error),
        cmocka_unit_test(descriptors_and_children_do_not_pile_up),
        cmocka_unit_test(lean_dies_with_us_however_we_die),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as in every child process */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
