#include "tests/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/file.h"
#include "tests/support/pool_fixture.h"

/* A pool over fake children: leases, workers, and what becomes of them. Turns: test_pool_turns.c. */

static void a_lease_is_granted_used_and_granted_again_warm(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    assert_int_equal(LWB_OK, check(fixture, 0, "echo"));
    give_back(fixture, 0);
    seek(fixture, 1, "A");
    wait_granted(fixture, 1);
    assert_int_equal(LWB_OK, check(fixture, 1, "echo"));
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.workers);
    assert_int_equal(1, snapshot.active);
    assert_int_equal(1, snapshot.cold_grants);
    assert_int_equal(1, snapshot.warm_grants);
    assert_int_equal(1, snapshot.sum.imports);
}

/* Not merely warm capacity: two requests run at the same time. */
static void leases_run_at_once(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "A");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    begin_check(fixture, 0, "silent", 0);
    assert_int_equal(LWB_OK, check(fixture, 1, "echo"));
    assert_int_equal(0, fixture->seekers[0].done_calls);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(2, snapshot.active);
    lwb_lease_cancel(fixture->seekers[0].lease);
    run_until(&fixture->base, &fixture->seekers[0].done_calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->seekers[0].done.code);
}

/* R24: what ends the child ends the lease, and using it then does no work. */
static void a_dead_child_makes_the_lease_invalid(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_error err;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    assert_int_equal(LWB_ERR_CHILD_ABORTED, check(fixture, 0, "segv"));
    assert_false(lwb_lease_is_valid(fixture->seekers[0].lease));
    assert_int_equal(LWB_ERR_LEASE_INVALID, try_check(fixture, 0, "echo", 0, &err));
    give_back(fixture, 0);
    seek(fixture, 1, "A"); /* the next generation */
    wait_granted(fixture, 1);
    assert_int_equal(LWB_OK, check(fixture, 1, "echo"));
}

static void a_policy_restart_comes_before_the_request(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;
    struct lwb_error err;

    fixture->config.max_workers = 1;
    fixture->config.worker.policy.max_requests = 3; /* open is one */
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    assert_int_equal(LWB_OK, check(fixture, 0, "echo"));
    assert_int_equal(LWB_OK, check(fixture, 0, "echo"));
    assert_int_equal(LWB_ERR_LEASE_INVALID, try_check(fixture, 0, "echo", 0, &err));
    assert_string_equal("session has ended: its child is to be replaced (max-requests)", err.text);
    give_back(fixture, 0);
    seek(fixture, 1, "A");
    wait_granted(fixture, 1);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.sum.restarts_by[LWB_RESTART_MAX_REQUESTS]);
    assert_int_equal(LWB_RESTART_MAX_REQUESTS, snapshot.sum.last_restart.reason);
    assert_int_equal(3, snapshot.sum.last_restart.current);
    assert_int_equal(3, snapshot.sum.last_restart.limit);
}

static void a_session_that_cannot_be_opened_is_the_seekers_news(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->scenario = "refuse-open";
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    run_until(&fixture->base, &fixture->seekers[0].calls, 1);
    assert_int_equal(LWB_ERR_NO_TOOLCHAIN, fixture->seekers[0].failed.code);
    assert_string_equal("opening a session: no Lean here", fixture->seekers[0].failed.text);
}

static void a_child_that_cannot_start_is_the_seekers_news(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->scenario = "start-stderr";
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    run_until(&fixture->base, &fixture->seekers[0].calls, 1);
    assert_int_equal(LWB_ERR_CHILD_EXITED, fixture->seekers[0].failed.code);
    assert_non_null(strstr(fixture->seekers[0].failed.text, "no such host"));
}

/* R18: a key whose child never comes up is not tried for ever. */
static void restarts_are_limited(void **state)
{
    struct pool_fixture *fixture = *state;

    fixture->scenario = "start-exit3";
    fixture->config.worker.policy.window_restarts = 2;
    pool_fixture_open(fixture);
    for (unsigned i = 0; i < 4; i++) {
        seek(fixture, i, "A");
        run_until(&fixture->base, &fixture->seekers[i].calls, 1);
    }
    assert_int_equal(LWB_ERR_CHILD_EXITED, fixture->seekers[2].failed.code);
    assert_int_equal(LWB_ERR_RESTART_LIMIT, fixture->seekers[3].failed.code);
}

static void shutdown_ends_requests_waiters_and_children(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_error err;

    fixture->config.max_workers = 2;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "B");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    begin_check(fixture, 0, "silent", 0);
    seek(fixture, 2, "C");
    pool_fixture_shut_down(fixture);
    assert_int_equal(LWB_ERR_SHUTDOWN, fixture->seekers[0].done.code);
    assert_int_equal(LWB_ERR_SHUTDOWN, fixture->seekers[2].failed.code);
    assert_int_equal(1, lwb_pool_report(fixture->pool)->stopped[LWB_STOP_KILLED]);
    assert_int_equal(1, lwb_pool_report(fixture->pool)->stopped[LWB_STOP_GRACEFUL]);
    assert_int_equal(0, child_processes());
    assert_int_equal(LWB_ERR_LEASE_INVALID, try_check(fixture, 1, "echo", 0, &err));
    assert_int_equal(LWB_ERR_SHUTDOWN, try_seek(fixture, 3, "A", &err));
}

static void a_lease_returned_in_flight_still_hears_of_its_end(void **state)
{
    struct pool_fixture *fixture = *state;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    begin_check(fixture, 0, "silent", 0);
    give_back(fixture, 0);
    run_until(&fixture->base, &fixture->seekers[0].done_calls, 1);
    assert_int_equal(LWB_ERR_CANCELLED, fixture->seekers[0].done.code);
    seek(fixture, 1, "A");
    wait_granted(fixture, 1);
}

static void idle_workers_are_ended_after_their_time(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.idle_timeout_ms = 10;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    give_back(fixture, 0);
    do {
        (void)uv_run(&fixture->base.loop, UV_RUN_ONCE);
        lwb_pool_snapshot(fixture->pool, &snapshot);
    } while (snapshot.workers);
    assert_int_equal(1, snapshot.sum.exits);
}

/* R22: admission by memory: an idle worker is ended for it, a leased one makes others wait. */
static void memory_is_admitted_within_the_budget(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.max_total_memory = 64 << 20;
    fixture->config.worker.memory_sample_ms = 10;
    fixture->config.wait_timeout_ms = 1500; /* ending a large worker takes a while */
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    assert_int_equal(LWB_OK, check_n(fixture, 0, "eat", 96));
    seek(fixture, 1, "B");
    run_until(&fixture->base, &fixture->seekers[1].calls, 1);
    assert_int_equal(LWB_ERR_POOL_MEMORY, fixture->seekers[1].failed.code);
    assert_int_equal(64 << 20, fixture->seekers[1].failed.facts.limit);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.memory_rejections);
    assert_int_equal(0, snapshot.queue_timeouts);
    assert_true(snapshot.total_memory > 96 << 20);
    give_back(fixture, 0);
    seek(fixture, 1, "B");
    wait_granted(fixture, 1);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.evictions);
    while (snapshot.workers > 1) { /* the one that was ended may still be on its way out */
        (void)uv_run(&fixture->base.loop, UV_RUN_ONCE);
        lwb_pool_snapshot(fixture->pool, &snapshot);
    }
}

/* Each session has a folder of its own; it is there while leased and gone in the end. */
static void sessions_have_scratch_folders_of_their_own(void **state)
{
    struct pool_fixture *fixture = *state;
    char base[] = "/tmp/lwb-scratch-XXXXXX";

    assert_non_null(mkdtemp(base));
    fixture->scratch = base;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "A");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    assert_int_equal(2, count_entries(base));
    assert_int_equal(LWB_ERR_CHILD_ABORTED, check(fixture, 0, "segv"));
    assert_int_equal(2, count_entries(base)); /* what lies there may still be taken */
    pool_fixture_shut_down(fixture);
    give_back(fixture, 0);
    give_back(fixture, 1);
    lwb_pool_destroy(fixture->pool);
    fixture->pool = NULL;
    assert_int_equal(0, count_entries(base));
    assert_int_equal(0, rmdir(base));
}

/* R23, R24: a cycle ends the lease; the slot is used again for the next generation. */
static void a_cycle_ends_the_lease(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;
    struct lwb_error err;

    fixture->config.max_workers = 1;
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    lwb_lease_cycle(fixture->seekers[0].lease);
    assert_false(lwb_lease_is_valid(fixture->seekers[0].lease));
    assert_int_equal(LWB_ERR_LEASE_INVALID, try_check(fixture, 0, "echo", 0, &err));
    give_back(fixture, 0);
    seek(fixture, 1, "A");
    wait_granted(fixture, 1);
    assert_int_equal(LWB_OK, check(fixture, 1, "echo"));
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(1, snapshot.sum.restarts_by[LWB_RESTART_EXPLICIT]);
    assert_int_equal(1, snapshot.workers);
}

/*
 * R4, R12, R14: a timeout has its facts, claims nothing about the child's work,
 * and the pool goes on.
 */
static void a_timeout_ends_only_its_lease(void **state)
{
    struct pool_fixture *fixture = *state;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "A");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    begin_check(fixture, 0, "silent", 50);
    run_until(&fixture->base, &fixture->seekers[0].done_calls, 1);
    assert_int_equal(LWB_ERR_TIMEOUT, fixture->seekers[0].done.code);
    assert_int_equal(50, fixture->seekers[0].done.facts.ms);
    assert_string_equal("check", fixture->seekers[0].done.facts.operation);
    assert_true(fixture->seekers[0].done.facts.work_entered_child);
    assert_int_equal(LWB_OK, check(fixture, 1, "echo"));
}

/* R24: what a session is expected to be is looked at before anybody gets it, in every child. */
static void metadata_is_compared_before_a_session_is_granted(void **state)
{
    struct pool_fixture *fixture = *state;
    struct lwb_pool_snapshot snapshot;

    fixture->config.worker.executable = ECHO_CHILD;
    fixture->config.max_workers = 1;
    fixture->host = "echo";
    fixture->scenario = NULL; /* it is no fake, and knows none */
    fixture->metadata = "{\"commands\":[{\"name\":\"rows\",\"version\":\"1\"}]}";
    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    wait_granted(fixture, 0);
    lwb_lease_cycle(fixture->seekers[0].lease);
    give_back(fixture, 0);
    seek(fixture, 0, "A"); /* the same worker, another child */
    wait_granted(fixture, 0);
    give_back(fixture, 0);

    fixture->metadata = "{\"commands\":[{\"name\":\"rows\",\"version\":\"2\"}]}";
    seek(fixture, 1, "A"); /* the same world, but something else is expected of it */
    run_until(&fixture->base, &fixture->seekers[1].calls, 1);
    assert_null(fixture->seekers[1].lease);
    assert_int_equal(LWB_ERR_METADATA_MISMATCH, fixture->seekers[1].failed.code);
    assert_string_equal("commands: expected {\"name\":\"rows\",\"version\":\"2\"}, is "
                        "{\"name\":\"rows\",\"version\":\"1\"}",
                        fixture->seekers[1].failed.text);
    lwb_pool_snapshot(fixture->pool, &snapshot);
    assert_int_equal(2, snapshot.cold_grants);
    assert_int_equal(0, snapshot.active);
}

/* R25: two leases of one key cannot be told apart, so nobody can come to rely on which it is. */
static void a_lease_does_not_say_whose_it_is(void **state)
{
    struct pool_fixture *fixture = *state;
    const struct lwb_hello_response *one;
    const struct lwb_hello_response *other;

    pool_fixture_open(fixture);
    seek(fixture, 0, "A");
    seek(fixture, 1, "A");
    wait_granted(fixture, 0);
    wait_granted(fixture, 1);
    one = lwb_lease_hello(fixture->seekers[0].lease);
    other = lwb_lease_hello(fixture->seekers[1].lease);
    assert_int_equal(0, one->pid);
    assert_int_equal(0, other->pid);
    assert_string_equal(one->child, other->child);
    assert_int_equal(one->max_frame, other->max_frame);
    assert_int_equal(1, one->n_hosts);
    assert_int_equal(1, other->n_hosts);
}

/* Blanks instead of comments: those may speak of what declarations must not. */
static void blank_comments(char *text)
{
    for (char *at = text; (at = strstr(at, "/*"));) {
        char *end = strstr(at, "*/");

        assert_non_null(end);
        while (at < end + 2)
            *at++ = ' ';
    }
}

/* R25: nothing that is declared for leases hands out a process, a descriptor or a worker. */
static void the_pool_has_no_words_for_processes(void **state)
{
    static const char *const headers[] = { "pool.h", "blocking.h", "capability_client.h" };
    static const char *const words[] = {
        "pid", "_fd", "uv_pipe", "uv_process", "struct lwb_worker *", "struct lwb_process"
    };
    char path[300];

    (void)state;
    for (size_t i = 0; i < LWB_COUNT(headers); i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(1 << 20);
        struct lwb_error err;

        (void)snprintf(path, sizeof(path), "%s/lwbuild/pool/%s", LWB_SOURCE_DIR, headers[i]);
        assert_int_equal(LWB_OK, lwb_file_read(&text, path, NULL, &err));
        blank_comments(text.ptr);
        assert_non_null(strstr(text.ptr, "struct lwb_lease"));
        for (size_t word = 0; word < LWB_COUNT(words); word++)
            if (strstr(text.ptr, words[word]))
                fail_msg("%s declares something of \"%s\"", headers[i], words[word]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(a_lease_is_granted_used_and_granted_again_warm),
        POOL_TEST(leases_run_at_once),
        POOL_TEST(a_dead_child_makes_the_lease_invalid),
        POOL_TEST(a_policy_restart_comes_before_the_request),
        POOL_TEST(a_session_that_cannot_be_opened_is_the_seekers_news),
        POOL_TEST(a_child_that_cannot_start_is_the_seekers_news),
        POOL_TEST(restarts_are_limited),
        POOL_TEST(shutdown_ends_requests_waiters_and_children),
        POOL_TEST(a_lease_returned_in_flight_still_hears_of_its_end),
        POOL_TEST(memory_is_admitted_within_the_budget),
        POOL_TEST(sessions_have_scratch_folders_of_their_own),
        POOL_TEST(a_cycle_ends_the_lease),
        POOL_TEST(a_timeout_ends_only_its_lease),
        POOL_TEST(idle_workers_are_ended_after_their_time),
        POOL_TEST(metadata_is_compared_before_a_session_is_granted),
        POOL_TEST(a_lease_does_not_say_whose_it_is),
        cmocka_unit_test(the_pool_has_no_words_for_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
