#include "child/lean/lean_worker.h"

#include "child/lean/lean_exchange.h"
#include "child/lean/lean_once.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/trace.h"

/* One document is didChange (didOpen for the first) and the barrier behind it, written together. */
enum {
    MAX_DOCUMENTS = 5000,
    FRAME_MAX = 128 * 1024 * 1024, /* of what we send and of diagnostics */
};

static const uint64_t first_request_max = UINT64_C(1) << 40; /* far below what JSON can count */

static const uint64_t max_growth = UINT64_C(2) << 30; /* private bytes since the first answer */

void lwb_lean_worker_stop(struct lwb_lean_worker *worker)
{
    lwb_lean_process_stop(&worker->process);
    lwb_lsp_reader_release(&worker->reader);
    lwb_free(worker->uri);
    *worker = (struct lwb_lean_worker){ 0 };
}

bool lwb_lean_worker_is_running(const struct lwb_lean_worker *worker)
{
    return worker->process.pid != 0;
}

void lwb_lean_answer_release(struct lwb_lean_answer *answer)
{
    lwb_lean_messages_release(&answer->messages);
}

static int start(struct lwb_lean_worker *worker, const struct lwb_lean_setup *setup,
                 const char *file, struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_command_release) struct lwb_lean_command command = { 0 };
    LWB_AUTO(lwb_free_text) char *uri = lwb_lsp_uri(file);
    int rc;

    if (!uri)
        return lwb_fail_memory(err);
    rc = lwb_lean_setup_worker(setup, &command, err);
    if (rc == LWB_OK)
        rc = lwb_lean_process_start(&worker->process, &command, err);
    if (rc < 0)
        return rc;
    lwb_lsp_reader_init(&worker->reader);
    worker->uri = LWB_TAKE(uri);
    worker->version = 0;
    /* What else speaks the protocol here numbers its requests from 0 or 1. */
    worker->request = lwb_clock_ns() % first_request_max;
    lwb_trace("lean_worker_start", LWB_TRACE_INT("pid", worker->process.pid));
    return LWB_OK;
}

static void write_document(struct lwb_lean_worker *worker, struct lwb_buf *out,
                           struct lwb_bytes document)
{
    worker->version++;
    worker->request++;
    if (worker->version == 1) {
        lwb_lsp_initialize(out);
        lwb_lsp_did_open(out, worker->uri, document);
    } else {
        lwb_lsp_did_change(out, worker->uri, worker->version, document);
    }
    lwb_lsp_wait_for_diagnostics(out, worker->uri, worker->version, worker->request);
}

/* Returns 1 when the barrier is answered, 0 when it never will be. */
static int converse(struct lwb_lean_worker *worker, struct lwb_bytes send, uint64_t deadline,
                    struct lwb_lean_exchange *exchange, struct lwb_lean_ending *ending,
                    struct lwb_error *err)
{
    while (!exchange->answered) {
        struct lwb_bytes body;
        size_t size;
        size_t got = 0;
        char *room = lwb_lsp_reader_room(&worker->reader, &size);
        int rc;

        if (!room) {
            ending->overflow = true;
            return 0;
        }
        rc = lwb_lean_process_wait(&worker->process, &send, room, size, &got, deadline, err);
        if (rc < 0)
            return rc;
        if (rc == LWB_LEAN_WAIT_TIME || rc == LWB_LEAN_WAIT_END) {
            ending->timed_out = rc == LWB_LEAN_WAIT_TIME;
            ending->exit_code = worker->process.exit_code;
            ending->signal = worker->process.signal;
            return 0;
        }
        if (rc == LWB_LEAN_WAIT_DATA)
            lwb_lsp_reader_commit(&worker->reader, got);
        while (rc == LWB_LEAN_WAIT_DATA && lwb_lsp_next(&worker->reader, &body) > 0)
            lwb_lean_exchange_take(exchange, body);
    }
    return 1;
}

/* Returns 1 when the messages are complete and sure, 0 when they are not. */
static int read_answer(const struct lwb_lean_worker *worker,
                       const struct lwb_lean_exchange *exchange, struct lwb_lean_answer *answer)
{
    answer->header_failed = exchange->header_failed;
    answer->ending.panicked = worker->process.panicked;
    if (exchange->refused || !lwb_lean_exchange_read(exchange, &answer->messages))
        return 0;
    /* In 2021 nothing else than the messages says that the header failed. */
    if (lwb_lean_messages_blame_imports(&answer->messages))
        answer->header_failed = true;
    if (answer->header_failed || answer->ending.panicked || !exchange->done)
        return 0;
    answer->ending.finished = true;
    return 1;
}

static void explain(struct lwb_lean_answer *answer, const struct lwb_lean_worker *worker,
                    const struct lwb_lean_exchange *exchange, bool ended)
{
    if (answer->header_failed)
        (void)snprintf(answer->detail, sizeof(answer->detail), "the imports could not be loaded");
    else if (answer->ending.panicked)
        (void)snprintf(answer->detail, sizeof(answer->detail), "lean reported a panic");
    else if (ended)
        lwb_lean_describe_ending(answer->detail, sizeof(answer->detail), &answer->ending,
                                 &worker->process.complaint);
    else if (!exchange->done)
        (void)snprintf(answer->detail, sizeof(answer->detail),
                       "lean --worker did not say that it had come to the end");
    else
        (void)snprintf(answer->detail, sizeof(answer->detail),
                       "the answer of lean --worker could not be read");
}

/* Sends the document and takes the answer; returns what lwb_lean_worker_ask does. */
static int exchange_document(struct lwb_lean_worker *worker,
                             const struct lwb_lean_question *question,
                             struct lwb_lean_answer *answer, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf send = LWB_BUF(FRAME_MAX);
    LWB_AUTO(lwb_lean_exchange_release)
    struct lwb_lean_exchange exchange = {
        .document = question->document,
        .progress = question->progress,
        .ctx = question->ctx,
        .diagnostics = LWB_BUF(FRAME_MAX),
        .told_ns = lwb_clock_ns(),
    };
    bool ended;
    int rc = 0;

    write_document(worker, &send, question->document);
    exchange.uri = worker->uri;
    exchange.version = worker->version;
    exchange.request = worker->request;
    if (lwb_buf_ok(&send))
        rc = converse(worker, lwb_buf_bytes(&send), question->deadline, &exchange, &answer->ending,
                      err);
    lwb_lean_process_drain_stderr(&worker->process);
    if (rc < 0)
        return rc;
    ended = rc == 0;
    if (ended) {
        answer->header_failed = exchange.header_failed;
        answer->ending.panicked = worker->process.panicked;
    } else {
        rc = read_answer(worker, &exchange, answer);
    }
    if (rc == 0)
        explain(answer, worker, &exchange, ended);
    return rc;
}

int lwb_lean_worker_ask(struct lwb_lean_worker *worker, const struct lwb_lean_setup *setup,
                        const struct lwb_lean_question *question, struct lwb_lean_answer *answer,
                        struct lwb_error *err)
{
    int rc = LWB_OK;

    if (!lwb_lean_worker_is_running(worker))
        rc = start(worker, setup, question->file, err);
    if (rc < 0)
        return rc;
    rc = exchange_document(worker, question, answer, err);
    if (rc <= 0)
        lwb_lean_worker_stop(worker);
    else if (worker->version == 1)
        worker->first_memory = lwb_lean_process_memory(&worker->process);
    return rc;
}

/* A third of what a check may use is too much to begin one with. */
static bool has_grown(const struct lwb_lean_worker *worker, uint64_t max_memory)
{
    uint64_t now = lwb_lean_process_memory(&worker->process);

    if (now > worker->first_memory + max_growth)
        return true;
    return max_memory && now > worker->first_memory && now - worker->first_memory > max_memory / 3;
}

void lwb_lean_worker_retire_if_due(struct lwb_lean_worker *worker, uint64_t max_memory)
{
    if (!lwb_lean_worker_is_running(worker))
        return;
    if (worker->version >= MAX_DOCUMENTS || has_grown(worker, max_memory)) {
        lwb_trace("lean_worker_retire", LWB_TRACE_INT("pid", worker->process.pid),
                  LWB_TRACE_INT("documents", worker->version));
        lwb_lean_worker_stop(worker);
    }
}
