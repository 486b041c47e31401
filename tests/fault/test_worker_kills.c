#include "tests/support/test.h"

#include <signal.h>
#include <stdlib.h>

#include "tests/support/worker_fixture.h"

/*
 * SIGKILL at any moment of a request, many times: the caller always gets its
 * one answer, rows that were delivered before never go backwards, and no
 * zombie, orphan or descriptor is left. LWB_KILLS sets how often (10,000 when
 * it counts; a few hundred here).
 */
struct killer {
    uv_timer_t timer;
    struct worker_fixture *fixture;
};

static void on_timer(uv_timer_t *timer)
{
    struct killer *killer = timer->data;
    pid_t pid = lwb_worker_pid(killer->fixture->worker);

    if (pid)
        (void)kill(pid, SIGKILL);
}

static unsigned kills_wanted(void)
{
    const char *text = getenv("LWB_KILLS");

    return text ? (unsigned)strtoul(text, NULL, 10) : 300;
}

static void a_child_killed_at_any_moment(void **state)
{
    struct worker_fixture *fixture = *state;
    static struct killer killer; /* libuv closes its timer after the test */
    unsigned wanted = kills_wanted();
    unsigned killed = 0;
    unsigned survived = 0;
    uint32_t seed = 1;
    unsigned descriptors = 0;

    killer.fixture = fixture;
    fixture->config.policy.window_restarts = 64;
    fixture->config.policy.window_ms = 1;
    fixture_open(fixture, "normal");
    assert_int_equal(0, uv_timer_init(&fixture->loop, &killer.timer));
    killer.timer.data = &killer;
    while (killed < wanted && survived < 20 * wanted) {
        seed = seed * 1664525 + 1013904223;
        uv_update_time(&fixture->loop);
        assert_int_equal(0, uv_timer_start(&killer.timer, on_timer, (seed >> 24) % 4, 0));
        if (fixture_run(fixture, LWB_MSG_STREAM, "rows", "{\"n\":20000}") == LWB_OK) {
            assert_int_equal(20000, fixture->rows);
            survived++;
        } else {
            assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture->done.code);
            assert_int_equal(SIGKILL, fixture->done.facts.signal);
            killed++;
        }
        (void)uv_timer_stop(&killer.timer);
        if (!lwb_session_is_valid(fixture->session))
            fixture_reopen(fixture);
        if (!descriptors)
            descriptors = open_descriptors();
        assert_int_equal(descriptors, open_descriptors());
        assert_int_equal(1, child_processes());
    }
    assert_int_equal(wanted, killed);
    uv_close((uv_handle_t *)&killer.timer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { WORKER_TEST(a_child_killed_at_any_moment) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
