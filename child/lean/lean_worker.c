#include "child/lean/lean_worker.h"

#include "child/lean/lean_once.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/base/trace.h"

/*
 * One document is didChange (didOpen for the first) and the barrier behind it,
 * written together. While waiting, only the last publishDiagnostics is kept,
 * since each one replaces those before it, and with it those behind it that say
 * that they only add to it. That is the whole set when the barrier is answered,
 * and is parsed once, then.
 *
 * We never ask for diagnostics that add (4.31 and later offer them), but to take
 * one for the whole set would lose an error, so it is not left to good faith.
 * Nor is it that the barrier is answered last: an answer counts only when the
 * worker has also said that nothing is left to process. All versions say it
 * before they answer, so one that does not is not believed.
 */
enum {
    MAX_DOCUMENTS = 5000,
    FRAME_MAX = 128 * 1024 * 1024,   /* of what we send and of diagnostics */
    PROGRESS_NS = 100 * 1000 * 1000, /* between two events, and before the first */
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

/* What one exchange has brought so far. */
struct exchange {
    const struct lwb_lean_question *question;
    struct lwb_buf diagnostics; /* body of the last publishDiagnostics that stands for itself */
    struct lwb_strvec more;     /* bodies of those behind it */
    uint64_t told_ns;           /* when progress was last told */
    bool header_failed;
    bool done;     /* the document has been processed to its end */
    bool answered; /* the barrier */
    bool refused;  /* the barrier, with an error */
    bool lost;     /* something could not be kept */
};

static void release_exchange(struct exchange *exchange)
{
    lwb_buf_release(&exchange->diagnostics);
    lwb_strvec_release(&exchange->more);
}
LWB_DEFINE_AUTO(struct exchange, release_exchange);

static uint64_t count_lines(struct lwb_bytes text)
{
    const char *end = text.ptr + text.len;
    uint64_t count = 0;

    for (const char *at = text.ptr; at < end; at++)
        count += *at == '\n';
    return count;
}

/* Most documents are done before the first event is due; then a clock is all that is looked at. */
static void tell_progress(struct exchange *exchange, struct lwb_bytes body)
{
    const struct lwb_lean_question *question = exchange->question;
    uint64_t now = lwb_clock_ns();
    uint64_t line, lines;

    if (!question->progress || now - exchange->told_ns < PROGRESS_NS ||
        !lwb_lsp_progress(body, &line))
        return;
    exchange->told_ns = now;
    lines = count_lines(question->document);
    question->progress(question->ctx, line < lines ? line : lines, lines);
}

static void take_reply(const struct lwb_lean_worker *worker, struct exchange *exchange,
                       struct lwb_bytes body)
{
    uint64_t id = 0;
    bool is_error = false;

    if (!lwb_lsp_reply(body, &id, &is_error) || id != worker->request)
        return;
    exchange->answered = true;
    exchange->refused = is_error;
}

static void take_done(const struct lwb_lean_worker *worker, struct exchange *exchange,
                      struct lwb_bytes body)
{
    uint64_t version;

    if (lwb_lsp_done(body, &version) && version == worker->version)
        exchange->done = true;
}

static void take_body(const struct lwb_lean_worker *worker, struct exchange *exchange,
                      struct lwb_bytes body)
{
    enum lwb_lsp_kind kind = lwb_lsp_classify(body);

    if (kind != LWB_LSP_REPLY && !lwb_lsp_is_about(body, worker->uri))
        return;
    switch (kind) {
    case LWB_LSP_DIAGNOSTICS:
        lwb_strvec_release(&exchange->more);
        lwb_buf_clear(&exchange->diagnostics);
        lwb_buf_append_bytes(&exchange->diagnostics, body);
        break;
    case LWB_LSP_MORE_DIAGNOSTICS:
        if (lwb_strvec_append_len(&exchange->more, body.ptr, body.len) < 0)
            exchange->lost = true;
        break;
    case LWB_LSP_PROGRESS:
        tell_progress(exchange, body);
        break;
    case LWB_LSP_DONE:
        take_done(worker, exchange, body);
        break;
    case LWB_LSP_FATAL:
        exchange->header_failed = true;
        break;
    case LWB_LSP_REPLY:
        take_reply(worker, exchange, body);
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

/* Returns 0 when the body is not about this document or cannot be read. */
static int read_published(const struct lwb_lean_worker *worker, struct lwb_bytes body,
                          const struct lwb_lean_lines *lines, struct lwb_lean_answer *answer)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error why;
    const cJSON *list;
    uint64_t version;

    return lwb_lsp_diagnostics(body, &json, &version, &list, &why) == LWB_OK &&
           version == worker->version &&
           lwb_lean_messages_add_lsp(&answer->messages, list, lines, &why) == LWB_OK;
}

static int read_all_published(const struct lwb_lean_worker *worker, const struct exchange *exchange,
                              struct lwb_lean_answer *answer)
{
    LWB_AUTO(lwb_lean_lines_release) struct lwb_lean_lines lines = { 0 };

    if (exchange->lost || !lwb_buf_ok(&exchange->diagnostics) ||
        lwb_lean_lines_init(&lines, exchange->question->document) < 0 ||
        !read_published(worker, lwb_buf_bytes(&exchange->diagnostics), &lines, answer))
        return 0;
    for (size_t i = 0; i < exchange->more.count; i++)
        if (!read_published(worker, lwb_bytes_text(exchange->more.items[i]), &lines, answer))
            return 0;
    return 1;
}

/* Returns 1 when the messages are complete and sure, 0 when they are not. */
static int read_answer(const struct lwb_lean_worker *worker, const struct exchange *exchange,
                       struct lwb_lean_answer *answer)
{
    answer->header_failed = exchange->header_failed;
    answer->ending.panicked = worker->process.panicked;
    if (exchange->refused || !read_all_published(worker, exchange, answer))
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
                    const struct exchange *exchange, bool ended)
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
    LWB_AUTO(release_exchange)
    struct exchange exchange = {
        .question = question,
        .diagnostics = LWB_BUF(FRAME_MAX),
        .told_ns = lwb_clock_ns(),
    };
    bool ended;
    int rc = 0;

    write_document(worker, &send, question->document);
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
