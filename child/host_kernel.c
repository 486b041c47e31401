/*
 * A file is hashed while the kernel reads it (export_file.h), and nothing is
 * told of it before its digest is known to be the expected one. The kernel's
 * names and rows become JSON and diagnostics here; it knows nothing of either.
 */
#include "child/host_kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "child/export_file.h"
#include "child/kernel/kernel.h"
#include "host_kernel_digest.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/digest.h"
#include "lwbuild/base/json.h"

enum {
    PROGRESS_NS = 50 * 1000 * 1000, /* between two events: people watch, nobody counts on them */
    TIME_MAX_MS = 9 * 60 * 1000,    /* where the request has no deadline */
    ROW_MAX = 4 * 1024 * 1024,      /* bytes; a frame holds less, and says so */
};

struct kernel_session {
    struct lwb_kernel_limits limits;
    unsigned threads;
    struct lwb_buf detail; /* of the latest answer */
};

/* One export on its way through the kernel: a file, or bytes. */
struct examination {
    struct lwb_kernel *kernel;
    struct lwb_kernel_summary summary;
    struct lwb_call *call;
    struct lwb_export_file *file; /* NULL: `content` */
    struct lwb_bytes content;
    struct lwb_buf text; /* of the row or message being made */
    uint64_t seen;
    uint64_t total;
    uint64_t told_ns; /* when progress was last told */
};

/* ---- sessions -------------------------------------------------------------------------------- */

static int kernel_open(void **out, const struct lwb_open_request *request,
                       struct lwb_open_response *response, struct lwb_error *err)
{
    struct kernel_session *session = lwb_alloc(sizeof(*session));

    (void)response;
    if (!session)
        return lwb_fail_memory(err);
    session->limits.memory_bytes = (size_t)request->max_memory;
    session->threads = (unsigned)request->threads;
    session->detail = LWB_BUF(4096);
    *out = session;
    return LWB_OK;
}

static void kernel_close(void *arg)
{
    struct kernel_session *session = arg;

    lwb_buf_release(&session->detail);
    lwb_free(session);
}

/* ---- what is told while the kernel works ----------------------------------------------------- */

/* Now and then, and at the end. */
static int tell_progress(struct examination *exam)
{
    uint64_t now = lwb_clock_ns();

    if (exam->seen < exam->total && now - exam->told_ns < PROGRESS_NS)
        return LWB_OK;
    exam->told_ns = now;
    return lwb_call_progress(exam->call, "declarations", exam->seen, &exam->total);
}

static void format_row(struct examination *exam, const struct lwb_kernel_row *row)
{
    struct lwb_buf *out = &exam->text;
    bool first = true;

    lwb_buf_clear(out);
    lwb_buf_append_char(out, '{');
    lwb_json_member_bytes(out, &first, "name", row->name);
    lwb_json_member_text(out, &first, "kind", lwb_kernel_kind_name(row->kind));
    if (row->state != LWB_KERNEL_STATE_ACCEPTED)
        lwb_json_member_text(out, &first, "state", lwb_kernel_state_name(row->state));
    lwb_json_member(out, &first, "axioms");
    lwb_buf_append_char(out, '[');
    for (size_t i = 0; i < row->n_axioms; i++) {
        if (i)
            lwb_buf_append_char(out, ',');
        lwb_json_append_string(out, lwb_kernel_axiom(exam->kernel, row->axioms[i]));
    }
    lwb_buf_append_char(out, ']');
    lwb_json_member_int(out, &first, "line", row->line);
    lwb_json_member_int(out, &first, "ns", (int64_t)row->time_ns);
    lwb_buf_append_char(out, '}');
}

/* A blocked declaration is nobody's fault but its blocker's, which has a message already. */
static int tell_failure(struct examination *exam, const struct lwb_kernel_row *row)
{
    struct lwb_diagnostic diagnostic = { .line = row->line, .end_line = -1, .end_column = -1 };
    struct lwb_buf *out = &exam->text;
    bool rejected = row->state == LWB_KERNEL_STATE_REJECTED;

    if (!rejected && row->state != LWB_KERNEL_STATE_DECLINED)
        return LWB_OK;
    lwb_buf_clear(out);
    lwb_buf_format(out, "%s ", lwb_kernel_kind_name(row->kind));
    lwb_buf_append_bytes(out, row->name);
    lwb_buf_append_text(out, rejected ? " is rejected: " : " is not decided: ");
    lwb_buf_append_bytes(out, row->reason);
    diagnostic.severity = rejected ? LWB_SEVERITY_ERROR : LWB_SEVERITY_WARNING;
    diagnostic.code = lwb_bytes_text(lwb_kernel_state_name(row->state));
    diagnostic.message = lwb_buf_bytes(out);
    return lwb_call_diagnostic(exam->call, &diagnostic);
}

static int on_row(void *ctx, const struct lwb_kernel_row *row)
{
    struct examination *exam = ctx;
    int rc;

    exam->seen++;
    rc = tell_failure(exam, row);
    if (rc == LWB_OK) {
        format_row(exam, row);
        rc = lwb_call_row(exam->call, "declarations", lwb_buf_bytes(&exam->text));
    }
    if (rc == LWB_OK)
        rc = tell_progress(exam);
    return rc < 0 || !lwb_buf_ok(&exam->text);
}

/* The file as a whole is wrong, at a line (0: as a whole). */
static int tell_malformed(struct examination *exam)
{
    struct lwb_diagnostic diagnostic = {
        .severity = LWB_SEVERITY_ERROR,
        .line = exam->summary.line ? exam->summary.line : 1,
        .end_line = -1,
        .end_column = -1,
        .code = lwb_bytes_text(lwb_kernel_verdict_name(LWB_KERNEL_MALFORMED)),
        .message = lwb_bytes_text(exam->summary.reason),
    };

    return lwb_call_diagnostic(exam->call, &diagnostic);
}

/* ---- one file -------------------------------------------------------------------------------- */

static enum lwb_kernel_verdict load(struct examination *exam)
{
    struct lwb_kernel_source source;

    if (!exam->file)
        return lwb_kernel_load(exam->kernel, exam->content, &exam->summary);
    source = lwb_export_file_source(exam->file);
    return lwb_kernel_load_from(exam->kernel, &source, &exam->summary);
}

/* A limit that ended the reading says nothing about the file. */
static bool is_about_the_file(const struct lwb_kernel_summary *summary)
{
    return summary->cause == LWB_KERNEL_CAUSE_NONE || summary->cause == LWB_KERNEL_CAUSE_UNKNOWN;
}

/* Returns 1 with the outcome in exam->summary, 0 when the file is not what was hashed. */
static int examine_with(struct examination *exam, const struct kernel_session *session,
                        const struct lwb_digest *expected, struct lwb_error *err)
{
    struct lwb_kernel_request request = { .threads = session->threads, .row = on_row, .ctx = exam };
    enum lwb_kernel_verdict verdict = load(exam);

    if (exam->file && is_about_the_file(&exam->summary) &&
        !lwb_export_file_is(exam->file, expected))
        return 0;
    if (verdict == LWB_KERNEL_ACCEPT) {
        exam->total = exam->summary.declarations;
        (void)lwb_kernel_check(exam->kernel, &request, &exam->summary);
    }
    if (exam->summary.verdict == LWB_KERNEL_MALFORMED && tell_malformed(exam) < 0)
        return lwb_fail(err, LWB_ERR_STREAM_CALLBACK, "a message could not be sent");
    return lwb_buf_ok(&exam->text) ? 1 : lwb_fail_memory(err);
}

static int decline(struct lwb_kernel_summary *summary, const char *reason)
{
    summary->verdict = LWB_KERNEL_DECLINE;
    summary->cause = LWB_KERNEL_CAUSE_MEMORY;
    (void)snprintf(summary->reason, sizeof(summary->reason), "%s", reason);
    return 1;
}

/* Somewhat less than the request has: whoever sent it would rather have an answer than an end. */
static uint64_t time_for(uint64_t deadline_ms)
{
    if (deadline_ms == 0)
        return TIME_MAX_MS;
    return deadline_ms > 1 ? deadline_ms - deadline_ms / 10 - (deadline_ms < 10) : 1;
}

/*
 * Returns 1 with *summary, 0 when the file is not what was hashed. `exam` says
 * what to read and whom to tell.
 */
static int examine(struct kernel_session *session, struct examination *exam, uint64_t deadline_ms,
                   const struct lwb_digest *expected, struct lwb_error *err)
{
    struct lwb_kernel_limits limits = session->limits;
    int rc;

    exam->text = LWB_BUF(ROW_MAX);
    exam->told_ns = lwb_clock_ns();
    limits.time_ms = time_for(deadline_ms);
    rc = lwb_kernel_open(&exam->kernel, &limits, err);
    if (rc == LWB_OK)
        rc = examine_with(exam, session, expected, err);
    else if (rc == LWB_ERR_MEMORY) /* the limit does not even allow a beginning */
        rc = decline(&exam->summary, err->text);
    lwb_kernel_close(exam->kernel);
    lwb_buf_release(&exam->text);
    return rc;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void set_none(struct kernel_session *session, struct lwb_check_response *response,
                     enum lwb_reason reason, const char *detail)
{
    lwb_buf_clear(&session->detail);
    lwb_buf_append_text(&session->detail, detail);
    response->verdict = LWB_VERDICT_NONE;
    response->reason = reason;
    response->detail = lwb_buf_text(&session->detail);
    response->storable = false;
}

static void describe_decline(struct lwb_buf *out, const struct lwb_kernel_summary *summary)
{
    lwb_buf_clear(out);
    if (summary->name[0])
        lwb_buf_format(out, "%s (line %" PRIu32 "): ", summary->name, summary->line);
    else if (summary->line)
        lwb_buf_format(out, "line %" PRIu32 ": ", summary->line);
    lwb_buf_append_text(out, summary->reason);
}

static void conclude(struct kernel_session *session, struct lwb_check_response *response,
                     const struct lwb_kernel_summary *summary)
{
    static const enum lwb_reason reasons[] = {
        [LWB_KERNEL_CAUSE_NONE] = LWB_REASON_DECLINED,
        [LWB_KERNEL_CAUSE_UNKNOWN] = LWB_REASON_DECLINED,
        [LWB_KERNEL_CAUSE_MEMORY] = LWB_REASON_MEMORY,
        [LWB_KERNEL_CAUSE_STACK] = LWB_REASON_LIMIT,
        [LWB_KERNEL_CAUSE_TIME] = LWB_REASON_TIME,
        [LWB_KERNEL_CAUSE_STEPS] = LWB_REASON_LIMIT,
        [LWB_KERNEL_CAUSE_CANCELLED] = LWB_REASON_CANCELLED,
    };

    response->verdict =
        summary->verdict == LWB_KERNEL_ACCEPT ? LWB_VERDICT_ACCEPTED : LWB_VERDICT_REJECTED;
    response->storable = true;
    if (summary->verdict != LWB_KERNEL_DECLINE)
        return;
    set_none(session, response, reasons[summary->cause], "");
    describe_decline(&session->detail, summary);
    response->detail = lwb_buf_text(&session->detail);
}

static int check_content(struct kernel_session *session, const struct lwb_check_request *request,
                         struct examination *exam, const struct lwb_digest *expected,
                         struct lwb_check_response *response, struct lwb_error *err)
{
    int rc = examine(session, exam, request->deadline_ms, expected, err);

    if (rc < 0)
        return rc;
    if (rc == 1) {
        conclude(session, response, &exam->summary);
    } else if (exam->file->failed) {
        errno = exam->file->failed;
        (void)lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read %s", request->path);
        set_none(session, response, LWB_REASON_CHANGED, err->text);
    } else {
        set_none(session, response, LWB_REASON_CHANGED, "the file is not what was hashed");
    }
    return LWB_OK;
}

static int check_file(struct kernel_session *session, const struct lwb_check_request *request,
                      struct examination *exam, struct lwb_check_response *response,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_export_file_close) struct lwb_export_file file = { .fd = -1 };
    struct lwb_digest expected;
    int rc;

    if (!request->digest || lwb_digest_parse(&expected, lwb_bytes_text(request->digest)))
        return lwb_fail(err, LWB_ERR_USAGE, "an export file comes with its digest");
    rc = lwb_export_file_open(&file, request->path, err);
    if (rc == LWB_ERR_SYSTEM) {
        set_none(session, response, LWB_REASON_CHANGED, err->text);
        return LWB_OK;
    }
    if (rc < 0)
        return rc;
    exam->file = &file;
    rc = check_content(session, request, exam, &expected, response, err);
    exam->file = NULL;
    return rc;
}

static int kernel_check(void *arg, const struct lwb_check_request *request, struct lwb_call *call,
                        struct lwb_check_response *response, struct lwb_error *err)
{
    struct examination exam = { .call = call, .content = request->source };

    response->fresh = true;
    if (request->want_artifact)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "an export file has no artifact");
    if (request->path)
        return check_file(arg, request, &exam, response, err);
    return check_content(arg, request, &exam, NULL, response, err);
}

static int kernel_check_text(void *arg, const struct lwb_elaborate_request *request,
                             struct lwb_call *call, struct lwb_kernel_response *response,
                             struct lwb_error *err)
{
    static const enum lwb_kernel_status statuses[] = {
        [LWB_KERNEL_ACCEPT] = LWB_KERNEL_CHECKED,
        [LWB_KERNEL_REJECT] = LWB_KERNEL_REJECTED,
        [LWB_KERNEL_DECLINE] = LWB_KERNEL_UNAVAILABLE,
        [LWB_KERNEL_MALFORMED] = LWB_KERNEL_REJECTED,
    };
    struct examination exam = { .call = call, .content = request->source };
    int rc = examine(arg, &exam, 0, NULL, err);

    if (rc == 1)
        response->status = statuses[exam.summary.verdict];
    return rc < 0 ? rc : LWB_OK;
}

const struct lwb_host lwb_host_kernel = {
    .kind = "kernel",
    .digest = LWB_HOST_KERNEL_DIGEST,
    .open = kernel_open,
    .close = kernel_close,
    .check = kernel_check,
    .kernel_check = kernel_check_text,
};
