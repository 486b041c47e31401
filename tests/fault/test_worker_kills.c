#include "tests/support/test.h"

#include <signal.h>
#include <stdlib.h>

#include "lwbuild/worker/subreaper.h"
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
    bool guarded; /* by turns the guardian and the one that works */
    unsigned turn;
};

static void on_timer(uv_timer_t *timer)
{
    struct killer *killer = timer->data;
    const struct lwb_worker *worker = killer->fixture->worker;
    pid_t pid = lwb_worker_pid(worker);

    if (pid && killer->guarded && killer->turn++ % 2)
        pid = (pid_t)lwb_worker_hello(worker)->pid;
    if (pid)
        (void)kill(pid, SIGKILL);
}

static unsigned kills_wanted(void)
{
    const char *text = getenv("LWB_KILLS");

    return text ? (unsigned)strtoul(text, NULL, 10) : 300;
}

/* `json` asks for 20000 rows. */
static void kill_often(struct worker_fixture *fixture, struct killer *killer, const char *json)
{
    unsigned wanted = kills_wanted();
    unsigned killed = 0;
    unsigned survived = 0;
    uint32_t seed = 1;
    unsigned descriptors = 0;

    killer->fixture = fixture;
    fixture->config.policy.window_restarts = 64;
    fixture->config.policy.window_ms = 1;
    fixture_open(fixture, NULL);
    assert_int_equal(0, uv_timer_init(&fixture->loop, &killer->timer));
    killer->timer.data = killer;
    while (killed < wanted && survived < 20 * wanted) {
        seed = seed * 1664525 + 1013904223;
        uv_update_time(&fixture->loop);
        assert_int_equal(0, uv_timer_start(&killer->timer, on_timer, (seed >> 24) % 4, 0));
        if (fixture_run(fixture, LWB_MSG_STREAM, "rows", json) == LWB_OK) {
            assert_int_equal(20000, fixture->rows);
            survived++;
        } else {
            assert_int_equal(LWB_ERR_CHILD_ABORTED, fixture->done.code);
            assert_int_equal(SIGKILL, fixture->done.facts.signal);
            killed++;
        }
        (void)uv_timer_stop(&killer->timer);
        if (lwb_session_is_valid(fixture->session))
            continue; /* a kill may be on its way all the same */
        run_until(fixture, &fixture->gone_calls, (unsigned)lwb_worker_generation(fixture->worker));
        assert_int_equal(0, child_processes());
        fixture_reopen(fixture);
        if (!descriptors)
            descriptors = open_descriptors();
        assert_int_equal(descriptors, open_descriptors());
        assert_int_equal(1, child_processes());
    }
    assert_int_equal(wanted, killed);
    uv_close((uv_handle_t *)&killer->timer, NULL);
}

static void a_child_killed_at_any_moment(void **state)
{
    static struct killer killer; /* libuv closes its timer after the test */

    kill_often(*state, &killer, "{\"n\":20000}");
}

/* The real child: whoever of the two is killed takes the other along. */
static void a_guarded_child_killed_at_any_moment(void **state)
{
    static struct killer killer = { .guarded = true };
    struct worker_fixture *fixture = *state;

    fixture->config.executable = ECHO_CHILD;
    fixture->host = "echo";
    kill_often(fixture, &killer, "{\"rows\":20000,\"bytes\":20}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(a_child_killed_at_any_moment),
        WORKER_TEST(a_guarded_child_killed_at_any_moment),
    };
    struct lwb_error err;

    if (lwb_subreaper_enable(&err) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
