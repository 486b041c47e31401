#include "child/lean/lean_worker.h"

#include "child/lean/lean_once.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/trace.h"

/*
 * One document is didChange (didOpen for the first) and the barrier behind it,
 * written together. While waiting, only the last publishDiagnostics is kept:
 * each one replaces those before it, and the one before the answer to the
 * barrier is the whole set. It is parsed once, then.
 */
enum {
    MAX_DOCUMENTS = 5000,
    FRAME_MAX = 128 * 1024 * 1024, /* of what we send and of diagnostics */
};

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
    worker->request = 0;
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

/* What one exchange has brought so far. */
struct exchange {
    struct lwb_buf diagnostics; /* body of the last publishDiagnostics */
    bool header_failed;
    bool answered; /* the barrier */
    bool refused;  /* the barrier, with an error */
};

static void take_body(const struct lwb_lean_worker *worker, struct exchange *exchange,
                      struct lwb_bytes body)
{
    uint64_t id = 0;
    bool is_error = false;

    switch (lwb_lsp_classify(body)) {
    case LWB_LSP_DIAGNOSTICS:
        lwb_buf_clear(&exchange->diagnostics);
        lwb_buf_append_bytes(&exchange->diagnostics, body);
        break;
    case LWB_LSP_FATAL:
        exchange->header_failed = true;
        break;
    case LWB_LSP_REPLY:
        if (lwb_lsp_reply(body, &id, &is_error) && id == worker->request) {
            exchange->answered = true;
            exchange->refused = is_error;
        }
        break;
    case LWB_LSP_OTHER:
        break;
    }
}

/* Returns 1 when the barrier is answered, 0 when it never will be. */
static int converse(struct lwb_lean_worker *worker, struct lwb_bytes send, uint64_t deadline,
                    struct exchange *exchange, struct lwb_lean_ending *ending,
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
            take_body(worker, exchange, body);
    }
    return 1;
}

/* Returns 1 when the messages are complete and sure, 0 when they are not. */
static int read_answer(struct lwb_lean_worker *worker, struct exchange *exchange,
                       struct lwb_bytes document, struct lwb_lean_answer *answer)
{
    LWB_AUTO(lwb_lean_lines_release) struct lwb_lean_lines lines = { 0 };
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error why;
    const cJSON *list;
    uint64_t version;

    answer->header_failed = exchange->header_failed;
    answer->ending.panicked = worker->process.panicked;
    if (exchange->refused || !lwb_buf_ok(&exchange->diagnostics))
        return 0;
    if (lwb_lsp_diagnostics(lwb_buf_bytes(&exchange->diagnostics), &json, &version, &list, &why) <
            0 ||
        version != worker->version)
        return 0;
    if (lwb_lean_lines_init(&lines, document) < 0 ||
        lwb_lean_messages_add_lsp(&answer->messages, list, &lines, &why) < 0)
        return 0;
    /* In 2021 nothing else than the messages says that the header failed. */
    if (lwb_lean_messages_blame_imports(&answer->messages))
        answer->header_failed = true;
    if (answer->header_failed || answer->ending.panicked)
        return 0;
    answer->ending.finished = true;
    return 1;
}

static void explain(struct lwb_lean_answer *answer, const struct lwb_lean_worker *worker,
                    bool ended)
{
    if (answer->header_failed)
        (void)snprintf(answer->detail, sizeof(answer->detail), "the imports could not be loaded");
    else if (answer->ending.panicked)
        (void)snprintf(answer->detail, sizeof(answer->detail), "lean reported a panic");
    else if (ended)
        lwb_lean_describe_ending(answer->detail, sizeof(answer->detail), &answer->ending,
                                 &worker->process.complaint);
    else
        (void)snprintf(answer->detail, sizeof(answer->detail),
                       "the answer of lean --worker could not be read");
}

int lwb_lean_worker_ask(struct lwb_lean_worker *worker, const struct lwb_lean_setup *setup,
                        const char *file, struct lwb_bytes document, uint64_t deadline,
                        struct lwb_lean_answer *answer, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf send = LWB_BUF(FRAME_MAX);
    struct exchange exchange = { .diagnostics = LWB_BUF(FRAME_MAX) };
    bool first;
    int rc = LWB_OK;

    if (!lwb_lean_worker_is_running(worker))
        rc = start(worker, setup, file, err);
    if (rc < 0)
        return rc;
    write_document(worker, &send, document);
    first = worker->version == 1;
    if (lwb_buf_ok(&send))
        rc = converse(worker, lwb_buf_bytes(&send), deadline, &exchange, &answer->ending, err);
    lwb_lean_process_drain_stderr(&worker->process);
    if (rc > 0) {
        rc = read_answer(worker, &exchange, document, answer);
        if (rc == 0)
            explain(answer, worker, false);
    } else if (rc == 0) {
        answer->header_failed = exchange.header_failed;
        answer->ending.panicked = worker->process.panicked;
        explain(answer, worker, true);
    }
    if (rc <= 0)
        lwb_lean_worker_stop(worker);
    else if (first)
        worker->first_memory = lwb_lean_process_memory(&worker->process);
    lwb_buf_release(&exchange.diagnostics);
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
