#pragma once

#include "lwbuild/session/session.h"

/*
 * A worker on a loop of its own, waited for: what benchmarks drive. Whatever
 * goes wrong that a benchmark does not ask about ends the program.
 */
struct bench_child {
    uv_loop_t loop;
    struct lwb_worker *worker;
    struct lwb_session *session;
    const char *host;

    /* of what was waited for last */
    bool over;
    struct lwb_error err; /* code 0: it went well */
    uint64_t over_ns;
    uint64_t rows;
    uint64_t first_row_ns;
};

/* `config` may be NULL: defaults around `program`. */
void bench_child_create(struct bench_child *child, const char *program, const char *host,
                        const struct lwb_worker_config *config);
void bench_child_destroy(struct bench_child *child);

/* Start the next generation and open a session; the second part alone is begun, not waited for. */
void bench_child_start(struct bench_child *child);
void bench_child_launch(struct bench_child *child);
void bench_child_begin_open(struct bench_child *child, const struct lwb_open_request *request,
                            uint64_t timeout_ms);
void bench_child_stop(struct bench_child *child);

/* A command, or a stream whose rows are counted; bench_child_wait waits for its end. */
void bench_child_begin(struct bench_child *child, bool stream, const char *name, const char *json);
void bench_child_begin_timed(struct bench_child *child, const char *name, uint64_t timeout_ms);
void bench_child_wait(struct bench_child *child);
