#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lwbuild/pool/blocking.h"
#include "lwbuild/worker/subreaper.h"
#include "tests/support/syscall_faults.h"
#include "tests/support/worker_fixture.h"

/*
 * Lives of a worker over the real child, again and again; each time another
 * system call fails: first every call of the program, then of what it launches,
 * of the guardian (from its first instruction in the loader), of the one that
 * works. Calls are counted in a life that is not disturbed, so none is left
 * out but those below that cannot fail, and the later rounds of loops that make
 * one call for every signal or process (LWB_SWEEP_ALL=1 takes those in, too).
 *
 * Every life ends in time: well, or with an error that fits who has failed. No
 * process, zombie or descriptor is left. Where libuv, or the C library, answers
 * with abort(), the program dies, and everything that it has started goes with it.
 */

/* ---- what may come of it -------------------------------------------------------------------- */

static const struct {
    long call;
    const char *why;
} infallible[] = {
    { SYS_getpid, "cannot fail" },
    { SYS_gettid, "cannot fail" },
    { SYS_getppid, "cannot fail" },
    { SYS_exit, "does not return" },
    { SYS_exit_group, "does not return" },
    { SYS_rt_sigreturn, "does not return" },
    { SYS_brk, "says no by leaving the break where it was; then there is mmap, which fails here" },
};

static const struct {
    long call;
    const char *by; /* the function that calls abort(), of libuv if nothing else is said */
} aborts[] = {
    { SYS_epoll_ctl, "uv__io_poll" },
#ifdef SYS_epoll_wait
    { SYS_epoll_wait, "uv__io_poll" },
#endif
    { SYS_epoll_pwait, "uv__io_poll" },
    { SYS_pipe2, "uv__signal_global_reinit, in the first loop of a process" },
    { SYS_read, "uv__signal_block_and_lock, there" },
    { SYS_write, "uv__signal_unlock_and_unblock, there" },
    { SYS_futex, "futex_wake of the C library, in pthread_once, there" },
};

struct life {
    const char *name;
    void (*live)(void *ctx);
    bool cancels;
    enum lwb_code code;            /* when nothing fails */
    enum traced_role last;         /* calls of the roles up to this one fail */
    enum lwb_code of_program[6];   /* when a call of the program fails */
    enum lwb_code of_processes[6]; /* when one of what it started does */
};

static struct outcome {
    bool cancel;
    enum lwb_code code;
    char text[300];
} * outcome; /* shared with the life */

static void conclude(const struct lwb_error *err)
{
    outcome->code = err->code;
    (void)snprintf(outcome->text, sizeof(outcome->text), "%s", err->text);
}

/* ---- lives ---------------------------------------------------------------------------------- */

static void on_started(void *ctx, const struct lwb_error *err)
{
    struct worker_fixture *fixture = ctx;

    fixture->started = err ? *err : (struct lwb_error){ 0 };
    fixture->started_calls++;
}

static const struct lwb_error *start(struct worker_fixture *fixture)
{
    if (lwb_worker_start(fixture->worker, on_started, fixture, &fixture->started) == LWB_OK)
        run_until(fixture, &fixture->started_calls, 1);
    return &fixture->started;
}

static const struct lwb_error *open_session(struct worker_fixture *fixture)
{
    const struct lwb_open_request request = { .host = "echo" };
    const struct lwb_session_call call = fixture_call(fixture);

    if (lwb_session_open(fixture->session, &request, &call, &fixture->done) == LWB_OK)
        run_until(fixture, &fixture->done_calls, 1);
    return &fixture->done;
}

static const struct lwb_error *request(struct worker_fixture *fixture, bool cancel)
{
    struct lwb_session_call call = fixture_call(fixture);

    if (fixture_request(fixture, LWB_MSG_STREAM, cancel ? "slow" : "rows",
                        "{\"rows\":2000,\"bytes\":20}", &call, &fixture->done) < 0)
        return &fixture->done;
    if (cancel)
        lwb_worker_cancel(fixture->worker);
    run_until(fixture, &fixture->done_calls, 1);
    return &fixture->done;
}

static void live_with_worker(void *ctx)
{
    const struct lwb_error *err;
    struct worker_fixture *fixture;
    void *state;

    (void)ctx;
    (void)fixture_setup(&state);
    fixture = state;
    fixture->config.executable = ECHO_CHILD;
    fixture->config.drain_ms = 50; /* what is lost is given up soon */
    fixture->config.reap_timeout_ms = 300;
    fixture->config.policy.hard_memory = (uint64_t)1 << 40;
    fixture->config.memory_sample_ms = 1;
    fixture_create(fixture, NULL);
    syscall_faults_arm(true);
    err = start(fixture);
    if (err->code == LWB_OK)
        err = open_session(fixture);
    if (err->code == LWB_OK)
        err = request(fixture, outcome->cancel);
    if (lwb_worker_state_has_child(lwb_worker_state(fixture->worker)))
        fixture_stop(fixture, !outcome->cancel);
    syscall_faults_arm(false); /* tearing down is not part of it, but finds what is left */
    conclude(err);
    (void)fixture_teardown(&state);
}

static void live_with_pool(void *ctx)
{
    struct lwb_pool_config config = { .max_workers = 2, .worker = LWB_WORKER_CONFIG_DEFAULTS };
    unsigned descriptors = open_descriptors();
    struct lwb_blocking *client = NULL;
    struct lwb_error err = { 0 };

    (void)ctx;
    config.worker.executable = ECHO_CHILD;
    syscall_faults_arm(true);
    (void)lwb_blocking_open(&client, &config, &err);
    lwb_blocking_close(client);
    syscall_faults_arm(false);
    conclude(&err);
    /* libuv keeps one pipe for good, and what it had of a loop that it could not make. */
    assert_true(open_descriptors() <= descriptors + (err.code == LWB_OK ? 2 : 5));
}

static const struct life lives[] = {
    { "a life",
      live_with_worker,
      false,
      LWB_OK,
      TRACED_WORKER,
      { LWB_ERR_SPAWN, LWB_ERR_PROTOCOL, LWB_ERR_HANDSHAKE, LWB_ERR_WAIT },
      { LWB_ERR_SPAWN, LWB_ERR_CHILD_EXITED, LWB_ERR_CHILD_ABORTED, LWB_ERR_HANDSHAKE, LWB_ERR_BUSY,
        LWB_ERR_SESSION_INVALID } }, /* these two: it has gone between two requests */
    { "a cancelled life",
      live_with_worker,
      true,
      LWB_ERR_CANCELLED,
      TRACED_PROGRAM,
      { LWB_ERR_SPAWN, LWB_ERR_PROTOCOL, LWB_ERR_HANDSHAKE, LWB_ERR_WAIT },
      { LWB_OK } },
    { "a pool", live_with_pool, false, LWB_OK, TRACED_PROGRAM, { LWB_ERR_SYSTEM }, { LWB_OK } },
};

/* ---- the sweep ------------------------------------------------------------------------------ */

static bool is_infallible(long call)
{
    for (size_t i = 0; i < LWB_COUNT(infallible); i++)
        if (infallible[i].call == call)
            return true;
    return false;
}

static bool may_abort(const struct syscall_fault *fault)
{
    for (size_t i = 0; fault->role == TRACED_PROGRAM && i < LWB_COUNT(aborts); i++)
        if (aborts[i].call == fault->call)
            return true;
    return false;
}

static bool is_expected(const struct life *life, enum traced_role role)
{
    const enum lwb_code *codes = role == TRACED_PROGRAM ? life->of_program : life->of_processes;

    if (outcome->code == life->code)
        return true;
    for (size_t i = 0; i < LWB_COUNT(life->of_program) && codes[i] != LWB_OK; i++)
        if (outcome->code == codes[i])
            return true;
    return false;
}

static void check(const struct life *life, const struct syscall_fault *fault,
                  const struct syscall_trace *trace)
{
    bool aborted = WIFSIGNALED(trace->status) && WTERMSIG(trace->status) == SIGABRT &&
                   syscall_faults_are_armed();
    bool ended = WIFEXITED(trace->status) && WEXITSTATUS(trace->status) == 0;

    if (!trace->hung &&
        ((ended && is_expected(life, fault->role)) || (aborted && may_abort(fault))))
        return;
    fail_msg("%s, call %ld of the %s (its number %ld): %s, wait status %x%s: %s", life->name,
             fault->call, traced_role_name(fault->role), fault->n, lwb_code_name(outcome->code),
             (unsigned)trace->status, trace->hung ? ", hung" : "", outcome->text);
}

enum { OF_A_KIND = 12 };

static unsigned to_fail(long call, unsigned made)
{
    if (is_infallible(call))
        return 0;
    return made > OF_A_KIND && !getenv("LWB_SWEEP_ALL") ? OF_A_KIND : made;
}

/* Returns how many calls have failed. */
static unsigned sweep_role(const struct life *life, const struct syscall_trace *all,
                           enum traced_role role)
{
    struct syscall_fault fault = { .role = role };
    static struct syscall_trace trace;
    unsigned fired = 0;

    for (fault.call = 0; fault.call < TRACED_CALLS; fault.call++) {
        unsigned count = to_fail(fault.call, all->made[role][fault.call]);

        for (fault.n = 0; fault.n < (long)count; fault.n++) {
            *outcome = (struct outcome){ .cancel = life->cancels };
            syscall_faults_run(life->live, NULL, &fault, &trace);
            check(life, &fault, &trace);
            fired += trace.fired;
        }
    }
    return fired;
}

static void sweep(const struct life *life, unsigned least)
{
    const struct syscall_fault none = { .call = -1 };
    static struct syscall_trace all;
    unsigned fired = 0;

    *outcome = (struct outcome){ .cancel = life->cancels };
    syscall_faults_run(life->live, NULL, &none, &all);
    check(life, &none, &all);
    assert_int_equal(life->code, outcome->code);
    for (enum traced_role role = TRACED_PROGRAM; role <= life->last; role++) {
        unsigned calls = sweep_role(life, &all, role);

        print_message("%s: %u calls of the %s\n", life->name, calls, traced_role_name(role));
        assert_true(calls > 0);
        fired += calls;
    }
    assert_true(fired >= least);
}

static void every_system_call_fails_once(void **state)
{
    (void)state;
    sweep(&lives[0], 150);
}

static void every_system_call_of_a_cancel_fails_once(void **state)
{
    (void)state;
    sweep(&lives[1], 50);
}

static void every_system_call_of_a_pool_fails_once(void **state)
{
    (void)state;
    sweep(&lives[2], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_system_call_fails_once),
        cmocka_unit_test(every_system_call_of_a_cancel_fails_once),
        cmocka_unit_test(every_system_call_of_a_pool_fails_once),
    };
    struct lwb_error err;

#ifdef __SANITIZE_ADDRESS__
    fputs("a sanitizer's own calls would fail, too\n", stderr);
    return 77;
#endif
    if (!syscalls_can_be_traced()) {
        fputs("processes cannot be traced here\n", stderr);
        return 77;
    }
    outcome =
        mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcome == MAP_FAILED || lwb_subreaper_enable(&err) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
