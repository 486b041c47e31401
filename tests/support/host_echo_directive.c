#include "tests/support/host_echo_internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"

static const char prefix[] = "-- echo: ";

int echo_next_line(struct lwb_bytes *rest, struct lwb_bytes *line)
{
    const char *newline;

    if (!rest->len)
        return 0;
    newline = memchr(rest->ptr, '\n', rest->len);
    *line = lwb_bytes(rest->ptr, newline ? (size_t)(newline - rest->ptr) : rest->len);
    *rest = lwb_bytes(rest->ptr + line->len, rest->len - line->len);
    if (rest->len)
        *rest = lwb_bytes(rest->ptr + 1, rest->len - 1);
    return 1;
}

bool echo_is_comment(struct lwb_bytes line)
{
    return line.len >= 2 && memcmp(line.ptr, "--", 2) == 0;
}

/* The next word of `*text`, and what follows it without the blank between. */
static void next_word(char **text, char **word)
{
    size_t len = strcspn(*text, " ");

    *word = *text;
    *text += len;
    if (**text)
        *(*text)++ = '\0';
}

static uint64_t number(const char *text, uint64_t missing)
{
    return *text ? strtoull(text, NULL, 10) : missing;
}

void echo_spin(uint64_t ms)
{
    uint64_t end = lwb_clock_ms() + ms;

    while (lwb_clock_ms() < end)
        ;
}

_Noreturn void echo_hang(void)
{
    for (;;)
        (void)pause();
}

/* ---- what to say ----------------------------------------------------------------------------- */

/* [L:C] [TEXT] */
static int say(struct echo_outcome *outcome, enum lwb_severity severity, char *rest,
               const char *missing)
{
    struct lwb_diagnostic diagnostic = { .severity = severity, .end_line = -1, .end_column = -1 };
    int used = 0;

    if (sscanf(rest, "%" SCNd64 ":%" SCNd64 "%n", &diagnostic.line, &diagnostic.column, &used) ==
            2 &&
        (rest[used] == ' ' || rest[used] == '\0')) {
        rest += used;
        rest += *rest == ' ';
    } else {
        diagnostic.line = outcome->line;
        diagnostic.column = 0;
    }
    diagnostic.message = lwb_bytes_text(*rest ? rest : missing);
    return lwb_call_diagnostic(outcome->call, &diagnostic);
}

static int do_error(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)err;
    if (outcome->verdict == LWB_VERDICT_ACCEPTED)
        outcome->verdict = LWB_VERDICT_REJECTED;
    return say(outcome, LWB_SEVERITY_ERROR, rest, "rejected");
}

static int do_warn(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)err;
    return say(outcome, LWB_SEVERITY_WARNING, rest, "warned");
}

static int do_info(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)err;
    return say(outcome, LWB_SEVERITY_INFORMATION, rest, "told");
}

/* One message of many bytes. */
static int do_flood(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    size_t len = (size_t)number(rest, 1);
    LWB_AUTO(lwb_free_text) char *text = lwb_alloc(len + 1);

    if (!text)
        return lwb_fail_memory(err);
    memset(text, 'x', len);
    return say(outcome, LWB_SEVERITY_INFORMATION, text, "");
}

static int do_none(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    char *reason;

    next_word(&rest, &reason);
    if (lwb_reason_parse(&outcome->reason, reason))
        return lwb_fail(err, LWB_ERR_USAGE, "echo: no such reason: %s", reason);
    outcome->verdict = LWB_VERDICT_NONE;
    lwb_buf_clear(&outcome->session->detail);
    lwb_buf_append_text(&outcome->session->detail, *rest ? rest : "as the source says");
    return LWB_OK;
}

static int do_unstorable(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)rest;
    (void)err;
    outcome->unstorable = true;
    return LWB_OK;
}

static int do_require(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1 << 20);
    char *module;
    char missing[200];
    int rc;

    next_word(&rest, &module);
    rc = echo_read_artifact(outcome->session, module, &content, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        (void)snprintf(missing, sizeof(missing), "import %s is not there", module);
        return do_none(outcome, missing, err);
    }
    if (strstr(lwb_buf_text(&content), rest))
        return LWB_OK;
    (void)snprintf(missing, sizeof(missing), "%" PRId64 ":0 %s is not %s", outcome->line, module,
                   rest);
    return do_error(outcome, missing, err);
}

static int do_refuse(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    char *word;

    (void)outcome;
    next_word(&rest, &word);
    (void)lwb_fail(err, LWB_ERR_WORKER, "%s", rest);
    (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "%s", word);
    return err->code;
}

/* The text is kept: the verdict may still change. */
static int do_artifact(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    char *kept = lwb_strdup(rest);

    if (!kept || lwb_strvec_append_take(&outcome->session->paths, kept))
        return lwb_fail_memory(err);
    outcome->artifact = lwb_bytes_text(kept);
    return LWB_OK;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Rows of the fewest bytes that are still JSON of their numbers. */
static int send_short_rows(struct lwb_call *call, const char *stream, uint64_t first,
                           uint64_t count)
{
    char row[40];
    int rc = LWB_OK;

    for (uint64_t i = first; rc == LWB_OK && i < first + count; i++) {
        int len = snprintf(row, sizeof(row), "{\"n\":%" PRIu64 ",\"pad\":\"\"}", i);

        rc = lwb_call_row(call, stream, lwb_bytes(row, (size_t)len));
    }
    return rc;
}

/* Add one to a number of that many digits; false when it would need another one. */
static bool count_up(char *number, size_t digits)
{
    while (digits && number[digits - 1] == '9')
        number[--digits] = '0';
    if (digits)
        number[digits - 1]++;
    return digits != 0;
}

/* Cheap to make: benchmarks measure what is done with rows, not this. */
int echo_send_rows(struct lwb_call *call, const char *stream, uint64_t first, uint64_t count,
                   uint64_t bytes, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf row = LWB_BUF(SIZE_MAX / 2);
    char start[40];
    size_t digits = 0;
    int rc = LWB_OK;

    lwb_buf_append_text(&row, "{\"n\":");
    while (lwb_buf_ok(&row) && row.len + 2 < bytes)
        lwb_buf_append_char(&row, 'x');
    lwb_buf_append_text(&row, "\"}");
    if (!lwb_buf_ok(&row))
        return lwb_fail_memory(err);
    for (uint64_t i = first; rc == LWB_OK && i < first + count; i++) {
        if (!count_up(row.ptr + sizeof("{\"n\":") - 1, digits)) {
            int len = snprintf(start, sizeof(start), "{\"n\":%" PRIu64 ",\"pad\":\"", i);

            if ((size_t)len + 2 > row.len)
                return send_short_rows(call, stream, i, first + count - i);
            memcpy(row.ptr, start, (size_t)len);
            digits = (size_t)len - (sizeof("{\"n\":,\"pad\":\"") - 1);
        }
        rc = lwb_call_row(call, stream, lwb_buf_bytes(&row));
    }
    return rc;
}

static int do_rows(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    char *count;

    next_word(&rest, &count);
    return echo_send_rows(outcome->call, "declarations", 0, number(count, 1), number(rest, 100),
                          err);
}

static int do_progress(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    uint64_t total = number(rest, 1);
    int rc = LWB_OK;

    (void)err;
    for (uint64_t i = 1; rc == LWB_OK && i <= total; i++)
        rc = lwb_call_progress(outcome->call, "echo", i, &total);
    return rc;
}

static int do_stdout(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)err;
    printf("%s\n", rest);
    return LWB_OK;
}

static int do_stderr(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    static const char line[] =
        "a line on stderr that nobody has asked for, but here it is, again\n";
    uint64_t left = number(rest, sizeof(line) - 1);

    (void)outcome;
    while (left) {
        size_t len = left < sizeof(line) - 1 ? (size_t)left : sizeof(line) - 1;

        if (lwb_file_write_fd(STDERR_FILENO, lwb_bytes(line, len), err) < 0)
            return err->code;
        left -= len;
    }
    return LWB_OK;
}

/* ---- behaviour ------------------------------------------------------------------------------- */

static int do_memory(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    size_t bytes = (size_t)number(rest, 1) << 20;

    lwb_free(outcome->session->taken);
    outcome->session->taken = lwb_alloc(bytes);
    if (!outcome->session->taken)
        return lwb_fail_memory(err);
    memset(outcome->session->taken, 1, bytes);
    return LWB_OK;
}

static int do_spin(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)err;
    echo_spin(number(rest, 1));
    return LWB_OK;
}

static int do_hang(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)rest;
    (void)err;
    echo_hang();
}

/* The test that makes the file decides when; looking often is only how we hear of it. */
static int do_wait(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)err;
    while (access(rest, F_OK) != 0)
        (void)usleep(500);
    return LWB_OK;
}

static int do_touch(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    return lwb_file_write(rest, lwb_bytes("", 0), 0644, err);
}

static int do_crash(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)rest;
    (void)err;
    abort();
}

static int do_signal(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    int number_of_it = (int)number(rest, SIGKILL);

    (void)outcome;
    (void)err;
    (void)signal(number_of_it, SIG_DFL);
    (void)raise(number_of_it);
    echo_hang();
}

static int do_exit(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    (void)outcome;
    (void)err;
    _exit((int)number(rest, 0));
}

static int do_crash_when_warm(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    return outcome->isolation == LWB_ISOLATION_WARM ? do_crash(outcome, rest, err) : LWB_OK;
}

static int do_crash_when_fresh(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    return outcome->isolation == LWB_ISOLATION_FRESH ? do_crash(outcome, rest, err) : LWB_OK;
}

static int do_reject_when_warm(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    return outcome->isolation == LWB_ISOLATION_WARM ? do_error(outcome, rest, err) : LWB_OK;
}

static int do_reject_when_fresh(struct echo_outcome *outcome, char *rest, struct lwb_error *err)
{
    return outcome->isolation == LWB_ISOLATION_FRESH ? do_error(outcome, rest, err) : LWB_OK;
}

static const struct {
    const char *word;
    int (*run)(struct echo_outcome *outcome, char *rest, struct lwb_error *err);
} directives[] = {
    { "error", do_error },
    { "reject", do_error },
    { "warn", do_warn },
    { "info", do_info },
    { "flood", do_flood },
    { "none", do_none },
    { "unstorable", do_unstorable },
    { "require", do_require },
    { "artifact", do_artifact },
    { "rows", do_rows },
    { "progress", do_progress },
    { "stdout", do_stdout },
    { "stderr", do_stderr },
    { "memory", do_memory },
    { "spin", do_spin },
    { "hang", do_hang },
    { "wait", do_wait },
    { "touch", do_touch },
    { "refuse", do_refuse },
    { "crash", do_crash },
    { "signal", do_signal },
    { "exit", do_exit },
    { "crash-when-warm", do_crash_when_warm },
    { "crash-when-fresh", do_crash_when_fresh },
    { "reject-when-warm", do_reject_when_warm },
    { "reject-when-fresh", do_reject_when_fresh },
};

static int run_directive(struct echo_outcome *outcome, char *text, struct lwb_error *err)
{
    char *word;

    next_word(&text, &word);
    for (size_t i = 0; i < LWB_COUNT(directives); i++)
        if (strcmp(directives[i].word, word) == 0)
            return directives[i].run(outcome, text, err);
    return lwb_fail(err, LWB_ERR_USAGE, "echo: no such directive: %s", word);
}

int echo_run_directives(struct echo_outcome *outcome, struct lwb_bytes source,
                        struct lwb_error *err)
{
    size_t skip = sizeof(prefix) - 1;
    struct lwb_bytes line;
    int rc = LWB_OK;

    while (rc == LWB_OK && echo_next_line(&source, &line)) {
        outcome->line++;
        if (line.len > skip && memcmp(line.ptr, prefix, skip) == 0) {
            LWB_AUTO(lwb_free_text) char *text = lwb_strndup(line.ptr + skip, line.len - skip);

            rc = text ? run_directive(outcome, text, err) : lwb_fail_memory(err);
        }
    }
    return rc;
}
