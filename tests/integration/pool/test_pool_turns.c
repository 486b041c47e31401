#include "tests/support/test.h"

#include "tests/support/pool_fixture.h"

/* Who waits for a session, whose turn it is, and who gives up. */

static void a_waiter_is_woken_when_a_lease_comes_back(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.max_workers = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "A");
    assert_int_equal(LWB_OK, check(fixture, 0, "echo")); /* the loop has turned meanwhile */
    assert_int_equal(0, fixture->seekers[1].calls);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.queue_depth);
    give_back(fixture, 0);
    wait_granted(fixture, 1);
}

static void an_idle_worker_makes_room_for_another_key(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    wait_granted(fixture, 1);
    give_back(fixture, 0); /* A: used least recently */
    pool_fixture_pass_ms(fixture, 5);
    give_back(fixture, 1);
    seek(fixture, 2, "C");
    wait_granted(fixture, 2);
    seek(fixture, 3, "B");
    wait_granted(fixture, 3);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.evictions);
    assert_int_equal(1, snapshot.warm_grants); /* B had been kept */
    assert_int_equal(2, snapshot.workers);
}

/* What is warm is not ended for one waiter while another one wants it. */
static void a_warm_session_goes_to_whoever_waits_for_it(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.max_workers = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    seek(fixture, 2, "A");
    give_back(fixture, 0);
    wait_granted(fixture, 2);
    assert_int_equal(0, fixture->seekers[1].calls);
    give_back(fixture, 2);
    wait_granted(fixture, 1);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(2, snapshot.cold_grants);
    assert_int_equal(1, snapshot.warm_grants);
}

static void nobody_is_overtaken_for_ever(void **state)
{
    struct pool_fixture *fixture = *state;
    unsigned overtaken = 0;

    fixture->config.max_workers = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    while (!fixture->seekers[1].calls) {
        unsigned next = overtaken % 2 ? 0 : 2;

        seek(fixture, next, "A");
        give_back(fixture, 2 - next);
        while (!fixture->seekers[next].calls && !fixture->seekers[1].calls)
            (void)uv_run(&fixture->base.loop, UV_RUN_NOWAIT);
        overtaken += fixture->seekers[next].calls;
    }
    assert_int_equal(LWB_POOL_MAX_OVERTAKEN, overtaken);
    assert_non_null(fixture->seekers[1].lease);
}

static void the_first_session_of_a_key_comes_before_a_second(void **state)
{
    struct pool_fixture *fixture = *state;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "B");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    seek(fixture, 2, "A");
    seek(fixture, 3, "C");
    give_back(fixture, 1);
    wait_granted(fixture, 3);
    assert_int_equal(0, fixture->seekers[2].calls);
    give_back(fixture, 3); /* nobody else wants anything: A may have a second one */
    wait_granted(fixture, 2);
}

static void waiting_has_an_end(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.max_workers = 1;
    fixture->config.wait_timeout_ms = 20;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    run_until(&fixture->base, &fixture->seekers[1].calls, 1);
    assert_int_equal(LWB_ERR_POOL_TIMEOUT, fixture->seekers[1].failed.code);
    assert_int_equal(20, fixture->seekers[1].failed.facts.ms);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.queue_timeouts);
    assert_int_equal(0, snapshot.queue_depth);
}

static void a_full_queue_refuses_at_once(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_error err;

    fixture->config.max_workers = 1;
    fixture->config.max_queue = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    assert_int_equal(LWB_ERR_POOL_EXHAUSTED, try_seek(fixture, 2, "C", &err));
    assert_int_equal(1, err.facts.limit);
}

static void a_ticket_can_be_given_up(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->config.max_workers = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    seek(fixture, 1, "B");
    lwb_pool_ticket_cancel(fixture->seekers[1].ticket);
    assert_int_equal(0, fixture->seekers[1].calls);
    run_until(&fixture->base, &fixture->seekers[1].calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->seekers[1].failed.code);
}

/* Until the child has been asked to open the session. */
static void wait_asked_to_open(struct pool_fixture *fixture)
{
    struct lwb_pool_snapshot snapshot = { 0 };

    while (snapshot.sum.requests == 0) {
        (void)uv_run(&fixture->base.loop, UV_RUN_ONCE);
        lwb_pool_snapshot(fixture->pool, &snapshot);
    }
}

static void begin_hopeless_opening(struct pool_fixture *fixture)
{
    fixture->scenario = "picky";
    fixture->config.open_timeout_ms = 10 * 60 * 1000;
    pool_fixture_open(fixture);
    seek(fixture, 0, "never");
    wait_asked_to_open(fixture);
}

static void give_up(struct pool_fixture *fixture, unsigned who)
{
    lwb_pool_ticket_cancel(fixture->seekers[who].ticket);
    run_until(&fixture->base, &fixture->seekers[who].calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->seekers[who].failed.code);
}

/* L44: also while a child is silent. */
static void an_opening_can_be_given_up(void **state)
{
    begin_hopeless_opening(*state);
    give_up(*state, 0);
}

static void an_opening_that_was_given_up_is_in_nobodys_way(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->config.max_workers = 1;
    begin_hopeless_opening(fixture);
    seek(fixture, 1, "B");
    give_up(fixture, 0);
    wait_granted(fixture, 1);
}

static void nor_where_sessions_open_one_at_a_time(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->config.max_total_memory = (uint64_t)1 << 40;
    begin_hopeless_opening(fixture);
    seek(fixture, 1, "B");
    seek(fixture, 2, "C");
    give_up(fixture, 0);
    wait_granted(fixture, 1);
    wait_granted(fixture, 2);
}

static void an_opening_that_was_given_up_is_for_whoever_wants_the_same(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_asked_to_open(fixture);
    lwb_pool_ticket_cancel(fixture->seekers[0].ticket);
    seek(fixture, 1, "A");
    wait_granted(fixture, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->seekers[0].failed.code);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.workers);
    assert_int_equal(1, snapshot.sum.imports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_waiter_is_woken_when_a_lease_comes_back),
        POOL_TEST(an_idle_worker_makes_room_for_another_key),
        POOL_TEST(a_warm_session_goes_to_whoever_waits_for_it),
        POOL_TEST(nobody_is_overtaken_for_ever),
        POOL_TEST(the_first_session_of_a_key_comes_before_a_second),
        POOL_TEST(waiting_has_an_end),
        POOL_TEST(a_full_queue_refuses_at_once),
        POOL_TEST(a_ticket_can_be_given_up),
        POOL_TEST(an_opening_can_be_given_up),
        POOL_TEST(an_opening_that_was_given_up_is_in_nobodys_way),
        POOL_TEST(nor_where_sessions_open_one_at_a_time),
        POOL_TEST(an_opening_that_was_given_up_is_for_whoever_wants_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
