#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/worker_fixture.h"

/* Children that never come up: each ends in the right error, in bounded time (R13). */

struct start_case {
    const char *scenario;
    enum lwb_code code;
    const char *text; /* part of it */
    enum lwb_worker_state state;
    enum lwb_restart_reason reason;
};

static const struct start_case cases[] = {
    { "silent", LWB_ERR_TIMEOUT, "hello took longer than 200 ms", LWB_WORKER_ABSENT,
      LWB_RESTART_STARTUP },
    { "start-exit3", LWB_ERR_CHILD_EXITED, "before it said hello: exited with status 3",
      LWB_WORKER_CRASHED, LWB_RESTART_STARTUP },
    { "start-segv", LWB_ERR_CHILD_ABORTED, "before it said hello: killed by SIGSEGV",
      LWB_WORKER_CRASHED, LWB_RESTART_STARTUP },
    { "half-hello", LWB_ERR_CHILD_ABORTED, "output ended inside a frame", LWB_WORKER_CRASHED,
      LWB_RESTART_STARTUP },
    { "start-stderr", LWB_ERR_CHILD_EXITED, "it said: first line no such host", LWB_WORKER_CRASHED,
      LWB_RESTART_STARTUP },
    { "start-garbage", LWB_ERR_HANDSHAKE, "frame of 1214606444 bytes", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
    { "version", LWB_ERR_HANDSHAKE, "protocol version 2, not 1", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
    { "refuse-hello", LWB_ERR_HANDSHAKE, "child refused: not today", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
    { "no-hosts", LWB_ERR_HANDSHAKE, "child offers no host", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
    { "big-frames", LWB_ERR_HANDSHAKE, "child wants frames of", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
    { "stale-hello", LWB_ERR_HANDSHAKE, "of generation 99 in generation 1", LWB_WORKER_ABSENT,
      LWB_RESTART_PROTOCOL },
};

static void expect_text(const struct lwb_error *err, const char *part)
{
    if (!strstr(err->text, part))
        fail_msg("\"%s\" does not hold \"%s\"", err->text, part);
}

static void run_case(const struct start_case *c)
{
    void *state;
    struct worker_fixture *fixture;
    struct lwb_worker_stats stats;

    (void)fixture_setup(&state);
    fixture = state;
    fixture->config.startup_timeout_ms = strcmp(c->scenario, "silent") == 0 ? 200 : 20000;
    fixture_create(fixture, c->scenario);
    fixture_start(fixture);
    if (fixture->started.code != c->code)
        fail_msg("%s: %s: %s", c->scenario, lwb_code_name(fixture->started.code),
                 fixture->started.text);
    expect_text(&fixture->started, c->text);
    assert_int_equal(c->state, lwb_worker_state(fixture->worker));
    assert_int_equal(1, fixture->gone_calls);
    assert_int_equal(0, child_processes());
    fixture_start(fixture); /* the same again, as the next generation */
    assert_int_equal(2, lwb_worker_generation(fixture->worker));
    lwb_worker_stats(fixture->worker, &stats);
    assert_int_equal(2, stats.exits);
    assert_int_equal(1, stats.restarts_by[c->reason]);
    (void)fixture_teardown(&state);
}

static void children_that_start_badly(void **state)
{
    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++)
        run_case(&cases[i]);
}

static void start_program(struct worker_fixture *fixture, const char *path, const char *cwd)
{
    fixture->config.executable = path;
    fixture->config.cwd = cwd;
    fixture_create(fixture, "normal");
    fixture_start(fixture);
    assert_int_equal(1, fixture->gone_calls);
    assert_int_equal(0, child_processes());
}

static void a_program_that_is_not_there(void **state)
{
    struct worker_fixture *fixture = *state;

    start_program(fixture, "/nowhere/at-all", NULL);
    assert_int_equal(LWB_ERR_CHILD_NOT_FOUND, fixture->started.code);
    assert_string_equal("/nowhere/at-all: no such file or directory", fixture->started.text);
}

static void a_file_that_cannot_be_run(void **state)
{
    struct worker_fixture *fixture = *state;

    start_program(fixture, LWB_SOURCE_DIR "/LICENSE", NULL);
    assert_int_equal(LWB_ERR_CHILD_NOT_EXECUTABLE, fixture->started.code);
}

static void a_folder_that_is_not_there(void **state)
{
    struct worker_fixture *fixture = *state;

    start_program(fixture, FAKE_CHILD, "/nowhere");
    assert_int_equal(LWB_ERR_SPAWN, fixture->started.code);
    expect_text(&fixture->started, "cannot run in /nowhere");
}

static void a_program_that_speaks_another_language(void **state)
{
    struct worker_fixture *fixture = *state;

    start_program(fixture, "/bin/echo", NULL);
    assert_int_equal(LWB_ERR_HANDSHAKE, fixture->started.code);
}

static void a_configuration_that_makes_no_sense(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_worker *worker = NULL;
    struct lwb_error err;

    fixture->config.executable = "lwbuild-child";
    assert_int_equal(LWB_ERR_USAGE,
                     lwb_worker_create(&worker, &fixture->loop, &fixture->config, &err));
    assert_string_equal("lwbuild-child is no path; PATH is not searched", err.text);
    fixture->config.executable = FAKE_CHILD;
    fixture->config.max_frame = 1000;
    assert_int_equal(LWB_ERR_USAGE,
                     lwb_worker_create(&worker, &fixture->loop, &fixture->config, &err));
    assert_null(worker);
}

/* R18: on exhaustion the old child is reaped, nothing is spawned, nothing more is accepted. */
static void restarts_within_the_window_are_limited(void **state)
{
    struct worker_fixture *fixture = *state;
    struct lwb_error err;

    fixture->config.policy.window_restarts = 3;
    fixture_create(fixture, "start-exit3");
    for (unsigned i = 0; i < 4; i++)
        fixture_start(fixture);
    assert_int_equal(LWB_ERR_RESTART_LIMIT, lwb_worker_start(fixture->worker, NULL, NULL, &err));
    assert_int_equal(3, err.facts.limit);
    assert_int_equal(LWB_WORKER_EXHAUSTED, lwb_worker_state(fixture->worker));
    assert_int_equal(LWB_ERR_RESTART_LIMIT, lwb_worker_start(fixture->worker, NULL, NULL, &err));
    assert_int_equal(4, lwb_worker_generation(fixture->worker));
}

static void live_without_standard_descriptors(void)
{
    void *state;
    struct worker_fixture *fixture;

    (void)fixture_setup(&state);
    fixture = state;
    fixture_open(fixture, "normal"); /* what libuv opens for good, it opens now */
    fixture_stop(fixture, true);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        (void)close(fd);
    fixture_reopen(fixture);
    assert_int_equal(LWB_OK, fixture_run(fixture, LWB_MSG_COMMAND, "echo", "{\"n\":1}"));
    assert_string_equal("{\"n\":1}", fixture->answer);
    fixture_stop(fixture, true);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        assert_int_equal(fd, open("/dev/null", O_RDWR)); /* none of them was taken */
    (void)fixture_teardown(&state);
}

/* A daemon that has closed 0, 1 and 2: pipes for the child must not end up there. */
static void a_parent_without_standard_descriptors(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        live_without_standard_descriptors();
        _exit(77); /* not 0: a failed assertion leaves through the runner's exit code */
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    assert_int_equal(77, WEXITSTATUS(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_that_start_badly),
        WORKER_TEST(a_program_that_is_not_there),
        WORKER_TEST(a_file_that_cannot_be_run),
        WORKER_TEST(a_folder_that_is_not_there),
        WORKER_TEST(a_program_that_speaks_another_language),
        WORKER_TEST(a_configuration_that_makes_no_sense),
        cmocka_unit_test(a_parent_without_standard_descriptors),
        WORKER_TEST(restarts_within_the_window_are_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
