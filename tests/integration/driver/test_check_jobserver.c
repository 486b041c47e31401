#include "tests/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/driver/echo_project.h"

/*
 * Make's jobserver as the whole program meets it: a worker beside the first
 * takes a token, and however the run ends, the same tokens are back.
 */
enum { MODULES = 8, TOKENS = 3 };

static const char tokens[TOKENS + 1] = "+-*"; /* make may tell them apart */

struct jobserver {
    int read_fd;
    int write_fd;
    char makeflags[400];
};

static void open_pipe(struct jobserver *jobserver, struct echo_project *project)
{
    int ends[2];

    (void)project;
    assert_int_equal(pipe(ends), 0); /* inherited, as make's are */
    jobserver->read_fd = ends[0];
    jobserver->write_fd = ends[1];
    (void)snprintf(jobserver->makeflags, sizeof(jobserver->makeflags),
                   "MAKEFLAGS= -j4 --jobserver-auth=%d,%d", ends[0], ends[1]);
}

static void open_fifo(struct jobserver *jobserver, struct echo_project *project)
{
    const char *path = scratch_path(&project->scratch, "fifo");

    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    jobserver->read_fd = jobserver->write_fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(jobserver->read_fd >= 0);
    (void)snprintf(jobserver->makeflags, sizeof(jobserver->makeflags),
                   "MAKEFLAGS= -j4 --jobserver-auth=fifo:%s", path);
}

static void close_jobserver(struct jobserver *jobserver)
{
    close(jobserver->read_fd);
    if (jobserver->write_fd != jobserver->read_fd)
        close(jobserver->write_fd);
}

static int tokens_left(const struct jobserver *jobserver)
{
    int count = -1;

    assert_int_equal(ioctl(jobserver->read_fd, FIONREAD, &count), 0);
    return count;
}

static int compare_bytes(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

static void expect_all_tokens(const struct jobserver *jobserver)
{
    char back[TOKENS + 1] = "";
    char given[TOKENS + 1];

    assert_int_equal(tokens_left(jobserver), TOKENS);
    assert_int_equal(read(jobserver->read_fd, back, TOKENS), TOKENS);
    memcpy(given, tokens, sizeof(given));
    qsort(given, TOKENS, 1, compare_bytes);
    qsort(back, TOKENS, 1, compare_bytes);
    assert_string_equal(back, given);
}

/* Modules that say when they have begun, and wait for a file. */
static void write_modules(struct echo_project *project)
{
    for (int i = 0; i < MODULES; i++) {
        char name[32], text[800];

        (void)snprintf(name, sizeof(name), "M%d.lean", i);
        (void)snprintf(text, sizeof(text), "-- echo: touch %s%d\n-- echo: wait %s\n",
                       scratch_path(&project->scratch, "begun-"), i,
                       scratch_path(&project->scratch, "go"));
        echo_project_write(project, name, text);
    }
}

static void start(struct program_handle *handle, struct echo_project *project,
                  const struct jobserver *jobserver)
{
    const char *const environment[] = { "LWBUILD_CHILD=" LWB_ECHO_CHILD, jobserver->makeflags,
                                        NULL };
    const char *const argv[] = { LWB_PROGRAM, "check",      "--host", "echo", "--jobs",
                                 "8",         "--no-cache", ".",      NULL };

    program_start(handle,
                  &(struct program){ argv, environment, scratch_path(&project->scratch, "src") });
}

/* As many as there are tokens and the job that make has given. Bounded by the test's time-out. */
static void wait_until_all_are_used(struct echo_project *project, const struct jobserver *jobserver)
{
    int begun = 0;

    while (tokens_left(jobserver) > 0 || begun < TOKENS + 1) {
        begun = 0;
        for (int i = 0; i < MODULES; i++) {
            char name[32];

            (void)snprintf(name, sizeof(name), "begun-%d", i);
            begun += access(scratch_path(&project->scratch, name), F_OK) == 0;
        }
        (void)usleep(1000);
    }
    assert_int_equal(begun, TOKENS + 1); /* and no more */
}

static void run_and_end(struct echo_project *project,
                        void (*open_jobserver)(struct jobserver *, struct echo_project *), int with)
{
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct jobserver jobserver;
    struct program_handle handle;

    write_modules(project);
    open_jobserver(&jobserver, project);
    assert_int_equal(write(jobserver.write_fd, tokens, TOKENS), TOKENS);
    start(&handle, project, &jobserver);
    wait_until_all_are_used(project, &jobserver);
    if (with)
        assert_int_equal(kill(handle.pid, with), 0);
    else
        scratch_write(&project->scratch, "go", "");
    program_wait(&run, &handle);
    ASSERT_RUN(run, with ? 130 : 0);
    expect_all_tokens(&jobserver);
    close_jobserver(&jobserver);
}

static void a_run_gives_back_the_tokens_of_a_pipe(void **state)
{
    run_and_end(*state, open_pipe, 0);
}

static void a_run_gives_back_the_tokens_of_a_fifo(void **state)
{
    run_and_end(*state, open_fifo, 0);
}

static void an_interrupt_gives_back_the_tokens_of_a_pipe(void **state)
{
    run_and_end(*state, open_pipe, SIGINT);
}

static void an_interrupt_gives_back_the_tokens_of_a_fifo(void **state)
{
    run_and_end(*state, open_fifo, SIGINT);
}

static void a_termination_gives_them_back(void **state)
{
    run_and_end(*state, open_pipe, SIGTERM);
}

/* Without a token there is one worker, and all is checked. */
static void without_tokens_the_run_goes_on_alone(void **state)
{
    struct echo_project *project = *state;
    LWB_AUTO(program_run_release) struct program_run run = { 0 };
    struct jobserver jobserver;
    struct program_handle handle;

    write_modules(project);
    scratch_write(&project->scratch, "go", "");
    open_fifo(&jobserver, project);
    start(&handle, project, &jobserver);
    program_wait(&run, &handle);
    ASSERT_RUN(run, 0);
    assert_int_equal(tokens_left(&jobserver), 0);
    close_jobserver(&jobserver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_PROJECT(a_run_gives_back_the_tokens_of_a_pipe),
        IN_A_PROJECT(a_run_gives_back_the_tokens_of_a_fifo),
        IN_A_PROJECT(an_interrupt_gives_back_the_tokens_of_a_pipe),
        IN_A_PROJECT(an_interrupt_gives_back_the_tokens_of_a_fifo),
        IN_A_PROJECT(a_termination_gives_them_back),
        IN_A_PROJECT(without_tokens_the_run_goes_on_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
