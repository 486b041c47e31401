#include "tests/support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "lwbuild/protocol/frame.h"
#include "lwbuild/worker/exit_status.h"
#include "lwbuild/worker/handshake.h"
#include "lwbuild/worker/restart.h"
#include "lwbuild/worker/worker_state.h"

/* The pure decisions of a worker, as tables. */

/* ---- restart (R17-R20) -------------------------------------------------------------------- */

static void restart_reasons(void **state)
{
    const struct lwb_restart_policy all = {
        .max_requests = 10,
        .max_imports = 2,
        .max_memory = 1000,
        .max_idle_ms = 50,
    };
    const struct lwb_restart_policy none = { 0 };
    static const struct {
        struct lwb_restart_facts facts;
        enum lwb_restart_reason reason;
        uint64_t current;
        uint64_t limit;
    } cases[] = {
        { { 0 }, LWB_RESTART_NONE, 0, 0 },
        { { .requests = 9, .imports = 1, .idle_ms = 49, .has_memory = true, .memory = 999 },
          LWB_RESTART_NONE,
          0,
          0 },
        { { .requests = 11 }, LWB_RESTART_MAX_REQUESTS, 11, 10 },
        { { .requests = 1, .imports = 2 }, LWB_RESTART_MAX_IMPORTS, 2, 2 },
        { { .requests = 1, .has_memory = true, .memory = 1001 }, LWB_RESTART_MEMORY, 1001, 1000 },
        { { .requests = 1, .has_memory = false, .memory = 5000 }, LWB_RESTART_NONE, 0, 0 },
        { { .requests = 1, .idle_ms = 52 }, LWB_RESTART_IDLE, 52, 50 },
        { { .requests = 0, .idle_ms = 5000, .has_memory = true, .memory = 5000 },
          LWB_RESTART_NONE,
          0,
          0 }, /* it did nothing yet */
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_restart_cause cause = lwb_restart_explain(&all, &cases[i].facts);

        assert_int_equal(cases[i].reason, lwb_restart_decide(&all, &cases[i].facts));
        assert_int_equal(cases[i].reason, cause.reason);
        assert_int_equal(cases[i].current, cause.current);
        assert_int_equal(cases[i].limit, cause.limit);
        assert_int_equal(LWB_RESTART_NONE, lwb_restart_decide(&none, &cases[i].facts));
    }
}

static void the_restart_window_moves(void **state)
{
    const struct lwb_restart_policy policy = { .window_restarts = 2, .window_ms = 100 };
    struct lwb_restart_window window = { 0 };
    struct lwb_error err;

    (void)state;
    assert_int_equal(LWB_OK, lwb_restart_admit(&window, &policy, 1000, &err));
    assert_int_equal(LWB_OK, lwb_restart_admit(&window, &policy, 1050, &err));
    assert_int_equal(LWB_ERR_RESTART_LIMIT, lwb_restart_admit(&window, &policy, 1099, &err));
    assert_int_equal(2, err.facts.limit);
    assert_int_equal(100, err.facts.ms);
    assert_int_equal(LWB_OK, lwb_restart_admit(&window, &policy, 1100, &err));
    assert_int_equal(LWB_ERR_RESTART_LIMIT, lwb_restart_admit(&window, &policy, 1149, &err));
    assert_int_equal(LWB_OK, lwb_restart_admit(&window, &policy, 1150, &err));
}

static void every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LWB_RESTART_REASONS; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(lwb_restart_reason_name(i), lwb_restart_reason_name(j));
}

/* ---- states (R32) ---------------------------------------------------------------------------- */

static void only_legal_moves_are_allowed(void **state)
{
    (void)state;
    /* A request has one end: what was killed can only be reaped, what is gone only started. */
    assert_true(lwb_worker_state_allows(LWB_WORKER_KILLING, LWB_WORKER_REAPING));
    assert_false(lwb_worker_state_allows(LWB_WORKER_KILLING, LWB_WORKER_IDLE));
    assert_false(lwb_worker_state_allows(LWB_WORKER_REAPING, LWB_WORKER_IDLE));
    assert_false(lwb_worker_state_allows(LWB_WORKER_ABSENT, LWB_WORKER_IDLE));
    assert_false(lwb_worker_state_allows(LWB_WORKER_STARTING, LWB_WORKER_BUSY));
    assert_true(lwb_worker_state_allows(LWB_WORKER_CRASHED, LWB_WORKER_STARTING));
    /* An exhausted worker accepts nothing more. */
    for (unsigned to = LWB_WORKER_ABSENT; to <= LWB_WORKER_EXHAUSTED; to++)
        assert_false(lwb_worker_state_allows(LWB_WORKER_EXHAUSTED, to));
    /* Every state with a child leads to REAPING. */
    for (unsigned from = LWB_WORKER_STARTING; from < LWB_WORKER_REAPING; from++) {
        assert_true(lwb_worker_state_has_child(from));
        assert_true(lwb_worker_state_allows(from, LWB_WORKER_REAPING));
    }
    assert_false(lwb_worker_state_has_child(LWB_WORKER_CRASHED));
}

/* ---- exits ----------------------------------------------------------------------------------- */

static void exits_in_words(void **state)
{
    static const struct {
        struct lwb_exit exit;
        enum lwb_code code;
        const char *text;
    } cases[] = {
        { { .known = true }, LWB_ERR_CHILD_EXITED, "exited with status 0" },
        { { .known = true, .code = 3 }, LWB_ERR_CHILD_EXITED, "exited with status 3" },
        { { .known = true, .signal = SIGSEGV }, LWB_ERR_CHILD_ABORTED, "killed by SIGSEGV" },
        { { .known = true, .signal = SIGKILL, .out_of_memory = true },
          LWB_ERR_CHILD_ABORTED,
          "killed by SIGKILL, out of memory" },
        { { .known = true, .signal = 40 }, LWB_ERR_CHILD_ABORTED, "killed by signal 40" },
        { { .known = false }, LWB_ERR_WAIT, "cannot be waited for" },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_error err;

        assert_int_equal(cases[i].code, lwb_exit_fail(&cases[i].exit, &err));
        assert_string_equal(cases[i].text, err.text);
        assert_int_equal(cases[i].exit.signal, err.facts.signal);
        assert_int_equal(cases[i].exit.code, err.facts.status);
    }
}

/* L22: the system's count of memory kills, from a file of the shape that the kernel writes. */
static void memory_kills_are_counted(void **state)
{
    char path[] = "/tmp/lwb-vmstat-XXXXXX";
    int fd = mkstemp(path);
    struct lwb_error err;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(0, lwb_oom_kills(path));
    assert_int_equal(LWB_OK,
                     lwb_file_write(path, lwb_bytes_text("a 1\noom_kill 17\nb 2\n"), 0600, &err));
    assert_int_equal(17, lwb_oom_kills(path));
    assert_int_equal(0, unlink(path));
    assert_int_equal(0, lwb_oom_kills(path));
}

/* ---- hello ----------------------------------------------------------------------------------- */

static void hellos_are_judged(void **state)
{
    struct lwb_host_offer good = { "lean", "00" };
    struct lwb_host_offer nameless = { "", "00" };
    const struct {
        struct lwb_hello_response hello;
        int rc;
    } cases[] = {
        { { "c", 1 << 20, 1, &good, 1, NULL }, LWB_OK },
        { { "c", LWB_FRAME_MIN_LIMIT, 1, &good, 1, NULL }, LWB_OK },
        { { "c", LWB_FRAME_MIN_LIMIT - 1, 1, &good, 1, NULL }, LWB_ERR_HANDSHAKE },
        { { "c", (1 << 20) + 1, 1, &good, 1, NULL }, LWB_ERR_HANDSHAKE },
        { { "c", 1 << 20, 1, NULL, 0, NULL }, LWB_ERR_HANDSHAKE },
        { { "c", 1 << 20, 1, &nameless, 1, NULL }, LWB_ERR_HANDSHAKE },
    };

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(cases); i++) {
        struct lwb_error err;

        assert_int_equal(cases[i].rc, lwb_handshake_accept(&cases[i].hello, 1 << 20, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restart_reasons),
        cmocka_unit_test(the_restart_window_moves),
        cmocka_unit_test(every_reason_has_a_name_of_its_own),
        cmocka_unit_test(only_legal_moves_are_allowed),
        cmocka_unit_test(exits_in_words),
        cmocka_unit_test(memory_kills_are_counted),
        cmocka_unit_test(hellos_are_judged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
