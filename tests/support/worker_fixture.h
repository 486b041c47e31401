#pragma once

#include <uv.h>

#include "lwbuild/session/session.h"

/*
 * A loop, a worker over fake-child and a session on it, and what their
 * call-backs said last. run_until_* turn the loop with a generous back-stop,
 * so that what never comes fails the test. Tear-down checks that nothing is
 * left: no handle, no descriptor, no child process.
 */
struct worker_fixture {
    uv_loop_t loop;
    uv_timer_t backstop;
    uv_prepare_t prepare;
    struct lwb_worker_config config; /* change before fixture_start */
    struct lwb_strvec arguments;
    const char *host;
    struct lwb_worker *worker;
    struct lwb_session *session;
    unsigned descriptors_before;

    /* what came */
    unsigned started_calls;
    struct lwb_error started;
    unsigned done_calls;
    struct lwb_error done;  /* code 0: a reply */
    struct lwb_reply reply; /* texts in it are gone */
    char answer[256];
    unsigned stopped_calls;
    struct lwb_stop_report report;
    unsigned gone_calls;

    /* sinks */
    struct lwb_sinks sinks;
    uint64_t rows;
    uint64_t row_bytes;
    uint64_t progresses;
    uint64_t diagnostics;
    uint64_t stop_at_row; /* UINT64_MAX: never */
    bool stop_progress;
    bool stop_diagnostic;
    char row_log[256]; /* "a0 b0 a1 " for few rows */
    unsigned events_after_done;
};

/* For fixtures that are built upon this one; the others are cmocka's. */
void fixture_init(struct worker_fixture *fixture);
void fixture_release(struct worker_fixture *fixture);
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Make the worker (scenario: first argument of fake-child, NULL: none) and start it. */
void fixture_create(struct worker_fixture *fixture, const char *scenario);
void fixture_start(struct worker_fixture *fixture);

/* Start and open a session; both must succeed. */
void fixture_open(struct worker_fixture *fixture, const char *scenario);

/* Start the next generation and open; fixture->done says how that went. */
void fixture_reopen(struct worker_fixture *fixture);

/* A call that reports to the fixture. */
struct lwb_session_call fixture_call(struct worker_fixture *fixture);

/* A request of any export type; returns what the call did. */
int fixture_request(struct worker_fixture *fixture, enum lwb_message_type type, const char *name,
                    const char *json, struct lwb_session_call *call, struct lwb_error *err);

/* Request, which must be accepted, and wait for its end. Returns the code. */
enum lwb_code fixture_run(struct worker_fixture *fixture, enum lwb_message_type type,
                          const char *name, const char *json);

void fixture_stop(struct worker_fixture *fixture, bool politely);

void run_until(struct worker_fixture *fixture, const unsigned *counter, unsigned value);

unsigned open_descriptors(void);

/* Children of this process, zombies included. */
unsigned child_processes(void);
