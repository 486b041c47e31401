#include "child/lean/lean_exchange.h"

#include "lwbuild/base/clock.h"

/*
 * While waiting, only the last publishDiagnostics is kept, since each one
 * replaces those before it, and with it those behind it that say that they only
 * add to it. That is the whole set when the barrier is answered, and is parsed
 * once, then.
 *
 * We never ask for diagnostics that add (4.31 and later offer them), but to take
 * one for the whole set would lose an error, so it is not left to good faith.
 * Nor is it that an error stays: what is published about a version only grows,
 * so a set without the errors of those before it is not Lean's, but of something
 * that the file has started and that writes to the same descriptor.
 * Nor is it that the barrier is answered last: an answer counts only when the
 * worker has also said that nothing is left to process. All versions say it
 * before they answer, so one that does not is not believed.
 */
enum {
    PROGRESS_NS = 100 * 1000 * 1000, /* between two events, and before the first */
};

void lwb_lean_exchange_release(struct lwb_lean_exchange *exchange)
{
    lwb_buf_release(&exchange->diagnostics);
    lwb_strvec_release(&exchange->more);
}

static uint64_t count_lines(struct lwb_bytes text)
{
    const char *end = text.ptr + text.len;
    uint64_t count = 0;

    for (const char *at = text.ptr; at < end; at++)
        count += *at == '\n';
    return count;
}

/* Most documents are done before the first event is due; then a clock is all that is looked at. */
static void tell_progress(struct lwb_lean_exchange *exchange, struct lwb_bytes body)
{
    uint64_t now = lwb_clock_ns();
    uint64_t line, lines;

    if (!exchange->progress || now - exchange->told_ns < PROGRESS_NS ||
        !lwb_lsp_progress(body, &line))
        return;
    exchange->told_ns = now;
    lines = count_lines(exchange->document);
    exchange->progress(exchange->ctx, line < lines ? line : lines, lines);
}

static void take_reply(struct lwb_lean_exchange *exchange, struct lwb_bytes body)
{
    uint64_t id = 0;
    bool is_error = false;

    if (!lwb_lsp_reply(body, &id, &is_error) || id != exchange->request)
        return;
    exchange->answered = true;
    exchange->refused = is_error;
}

static void take_done(struct lwb_lean_exchange *exchange, struct lwb_bytes body)
{
    uint64_t version;

    if (lwb_lsp_done(body, &version) && version == exchange->version)
        exchange->done = true;
}

/* Whether a set about the present version holds an error; most hold none and are not parsed. */
static bool tells_error(const struct lwb_lean_exchange *exchange, struct lwb_bytes body)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error ignored;
    const cJSON *list;
    uint64_t version;

    return (lwb_bytes_contain(body, "\"severity\":1,") ||
            lwb_bytes_contain(body, "\"severity\":1}")) &&
           lwb_lsp_diagnostics(body, &json, &version, &list, &ignored) == LWB_OK &&
           version == exchange->version;
}

void lwb_lean_exchange_take(struct lwb_lean_exchange *exchange, struct lwb_bytes body)
{
    enum lwb_lsp_kind kind = lwb_lsp_classify(body);

    if (kind != LWB_LSP_REPLY && !lwb_lsp_is_about(body, exchange->uri))
        return;
    if ((kind == LWB_LSP_DIAGNOSTICS || kind == LWB_LSP_MORE_DIAGNOSTICS) && !exchange->had_error)
        exchange->had_error = tells_error(exchange, body);
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
        take_done(exchange, body);
        break;
    case LWB_LSP_FATAL:
        exchange->header_failed = true;
        break;
    case LWB_LSP_REPLY:
        take_reply(exchange, body);
        break;
    case LWB_LSP_OTHER:
        break;
    }
}

/* Returns 0 when the body is not about this document or cannot be read. */
static int read_published(const struct lwb_lean_exchange *exchange, struct lwb_bytes body,
                          const struct lwb_lean_lines *lines, struct lwb_lean_messages *messages)
{
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;
    struct lwb_error why;
    const cJSON *list;
    uint64_t version;

    return lwb_lsp_diagnostics(body, &json, &version, &list, &why) == LWB_OK &&
           version == exchange->version &&
           lwb_lean_messages_add_lsp(messages, list, lines, &why) == LWB_OK;
}

int lwb_lean_exchange_read(const struct lwb_lean_exchange *exchange,
                           struct lwb_lean_messages *messages)
{
    LWB_AUTO(lwb_lean_lines_release) struct lwb_lean_lines lines = { 0 };

    if (exchange->lost || !lwb_buf_ok(&exchange->diagnostics) ||
        lwb_lean_lines_init(&lines, exchange->document) < 0 ||
        !read_published(exchange, lwb_buf_bytes(&exchange->diagnostics), &lines, messages))
        return 0;
    for (size_t i = 0; i < exchange->more.count; i++)
        if (!read_published(exchange, lwb_bytes_text(exchange->more.items[i]), &lines, messages))
            return 0;
    return !exchange->had_error || lwb_lean_messages_have_error(messages);
}
