#include "child/requests.h"

#include "lwbuild/base/clock.h"
#include "lwbuild/protocol/frame.h"

enum {
    ANSWER_HEAD_ROOM = 64 * 1024 / 2
}; /* of a frame, for the head of an answer and its streams */

/* One request on its way: what every operation below needs. */
struct work {
    const struct lwb_host *host;
    void *session;
    struct lwb_message *message;
    struct lwb_call *call;
    struct lwb_message_head head; /* of the response */
    struct lwb_buf *frame;
    uint32_t limit;
};

static int unsupported(const struct work *work, struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_UNSUPPORTED, "the %s host does not offer \"%s\"", work->host->kind,
                    lwb_message_type_name(work->message->head.type));
}

/* Whatever a call-back failed with, the host cannot answer over it. */
static int settle(const struct work *work, int rc, struct lwb_error *err)
{
    if (work->call->failure.code == LWB_OK)
        return rc;
    *err = work->call->failure;
    return err->code;
}

/* ---- sessions ------------------------------------------------------------------------------ */

void lwb_requests_close_session(struct lwb_requests *requests)
{
    if (requests->host)
        requests->host->close(requests->session);
    requests->host = NULL;
    requests->session = NULL;
}

static const struct lwb_host *find_host(const struct lwb_requests *requests, const char *kind)
{
    if (!kind || !*kind)
        return requests->hosts[0];
    for (size_t i = 0; requests->hosts[i]; i++)
        if (strcmp(requests->hosts[i]->kind, kind) == 0)
            return requests->hosts[i];
    return NULL;
}

static int answer_open(struct lwb_requests *requests, struct work *work, struct lwb_error *err)
{
    struct lwb_open_request request;
    struct lwb_open_response response = { 0 };
    const struct lwb_host *host;
    void *session;

    if (lwb_open_request_decode(&request, work->message, err) < 0)
        return err->code;
    host = find_host(requests, request.host);
    if (!host)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "this child has no host \"%.40s\"",
                        request.host ? request.host : "");
    lwb_requests_close_session(requests);
    if (host->open(&session, &request, &response, err) < 0)
        return err->code;
    requests->host = host;
    requests->session = session;
    return lwb_open_response_encode(work->frame, &work->head, &response, work->limit, err);
}

/* ---- checking -------------------------------------------------------------------------------- */

static int answer_check(struct work *work, struct lwb_error *err)
{
    struct lwb_check_request request;
    struct lwb_check_response response = { .storable = true };
    int rc;

    if (!work->host->check)
        return unsupported(work, err);
    if (lwb_check_request_decode(&request, work->message, err) < 0)
        return err->code;
    work->call->diagnostic_bytes = lwb_call_diagnostic_limit(request.max_diagnostic_bytes);
    rc = work->host->check(work->session, &request, work->call, &response, err);
    rc = settle(work, rc, err);
    if (rc < 0)
        return rc;
    response.truncated |= work->call->truncated;
    response.streams = work->call->streams;
    response.n_streams = work->call->n_streams;
    if (!response.check_ns)
        response.check_ns = lwb_clock_ns() - work->call->started_ns;
    return lwb_check_response_encode(work->frame, &work->head, &response, work->limit, err);
}

static int answer_elaborate(struct work *work, struct lwb_error *err)
{
    struct lwb_elaborate_request request;
    struct lwb_elaborate_response response = { 0 };
    int rc;

    if (!work->host->elaborate)
        return unsupported(work, err);
    if (lwb_elaborate_request_decode(&request, work->message, err) < 0)
        return err->code;
    work->call->diagnostic_bytes = lwb_call_diagnostic_limit(request.max_diagnostic_bytes);
    rc = work->host->elaborate(work->session, &request, work->call, &response, err);
    rc = settle(work, rc, err);
    if (rc < 0)
        return rc;
    response.truncated |= work->call->truncated;
    return lwb_elaborate_response_encode(work->frame, &work->head, &response, work->limit, err);
}

static int answer_kernel_check(struct work *work, struct lwb_error *err)
{
    struct lwb_elaborate_request request;
    struct lwb_kernel_response response = { 0 };
    int rc;

    if (!work->host->kernel_check)
        return unsupported(work, err);
    if (lwb_elaborate_request_decode(&request, work->message, err) < 0)
        return err->code;
    work->call->diagnostic_bytes = lwb_call_diagnostic_limit(request.max_diagnostic_bytes);
    rc = work->host->kernel_check(work->session, &request, work->call, &response, err);
    rc = settle(work, rc, err);
    if (rc < 0)
        return rc;
    response.truncated |= work->call->truncated;
    return lwb_kernel_response_encode(work->frame, &work->head, &response, work->limit, err);
}

/* ---- declarations ---------------------------------------------------------------------------- */

static int answer_declaration_kinds(struct work *work, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec kinds = { 0 };
    struct lwb_declaration_kinds_request request;
    struct lwb_strings_response response;
    int rc;

    if (!work->host->declaration_kinds)
        return unsupported(work, err);
    if (lwb_declaration_kinds_request_decode(&request, work->message, err) < 0)
        return err->code;
    rc = work->host->declaration_kinds(work->session, request.names, work->call, &kinds, err);
    rc = settle(work, rc, err);
    response.items = kinds;
    return rc < 0
               ? rc
               : lwb_strings_response_encode(work->frame, &work->head, &response, work->limit, err);
}

static int answer_declaration_names(struct work *work, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec names = { 0 };
    struct lwb_declaration_names_request request;
    struct lwb_strings_response response;
    int rc;

    if (!work->host->declaration_names)
        return unsupported(work, err);
    if (lwb_declaration_names_request_decode(&request, work->message, err) < 0)
        return err->code;
    rc = work->host->declaration_names(work->session, request.prefix, work->call, &names, err);
    rc = settle(work, rc, err);
    response.items = names;
    return rc < 0
               ? rc
               : lwb_strings_response_encode(work->frame, &work->head, &response, work->limit, err);
}

/* ---- capabilities ---------------------------------------------------------------------------- */

static int run_export(struct work *work, const struct lwb_export_request *request,
                      struct lwb_host_answer *answer, struct lwb_error *err)
{
    const struct lwb_host *host = work->host;

    switch (work->message->head.type) {
    case LWB_MSG_METADATA:
        return host->metadata ? host->metadata(work->session, request, answer, err)
                              : unsupported(work, err);
    case LWB_MSG_DOCTOR:
        return host->doctor ? host->doctor(work->session, request, answer, err)
                            : unsupported(work, err);
    case LWB_MSG_COMMAND:
        return host->command ? host->command(work->session, request, work->call, answer, err)
                             : unsupported(work, err);
    default:
        return host->stream ? host->stream(work->session, request, work->call, answer, err)
                            : unsupported(work, err);
    }
}

static int too_large(const struct work *work, struct lwb_error *err)
{
    (void)lwb_fail(err, LWB_ERR_LIMIT, "the answer does not fit a frame of %u bytes", work->limit);
    err->facts.limit = work->limit;
    return err->code;
}

static int encode_export(struct work *work, struct lwb_bytes json, struct lwb_error *err)
{
    struct lwb_stream_summary summary = {
        .total_rows = lwb_call_rows(work->call),
        .streams = work->call->streams,
        .n_streams = work->call->n_streams,
        .child_ns = lwb_clock_ns() - work->call->started_ns,
        .metadata = json,
    };
    struct lwb_answer answer = {
        .json = json,
        .streams = work->call->streams,
        .n_streams = work->call->n_streams,
    };

    if (work->message->head.type == LWB_MSG_STREAM)
        return lwb_stream_summary_encode(work->frame, &work->head, &summary, work->limit, err);
    return lwb_answer_encode(work->frame, &work->head, &answer, work->limit, err);
}

static int answer_export(struct work *work, struct lwb_error *err)
{
    struct lwb_host_answer answer = { .json = LWB_BUF(work->limit - ANSWER_HEAD_ROOM) };
    struct lwb_export_request request;
    int rc;

    if (lwb_export_request_decode(&request, work->message, err) < 0)
        return err->code;
    rc = settle(work, run_export(work, &request, &answer, err), err);
    if (rc == LWB_OK && !lwb_buf_ok(&answer.json))
        rc = too_large(work, err);
    if (rc == LWB_OK)
        rc = encode_export(work, lwb_buf_bytes(&answer.json), err);
    lwb_buf_release(&answer.json);
    return rc;
}

/* ---- which is which -------------------------------------------------------------------------- */

static int answer_in_session(struct work *work, struct lwb_error *err)
{
    switch (work->message->head.type) {
    case LWB_MSG_CHECK:
        return answer_check(work, err);
    case LWB_MSG_ELABORATE:
        return answer_elaborate(work, err);
    case LWB_MSG_KERNEL_CHECK:
        return answer_kernel_check(work, err);
    case LWB_MSG_DECLARATION_KINDS:
        return answer_declaration_kinds(work, err);
    case LWB_MSG_DECLARATION_NAMES:
        return answer_declaration_names(work, err);
    case LWB_MSG_STREAM:
    case LWB_MSG_METADATA:
    case LWB_MSG_DOCTOR:
    case LWB_MSG_COMMAND:
        return answer_export(work, err);
    default:
        return unsupported(work, err);
    }
}

int lwb_requests_answer(struct lwb_requests *requests, struct lwb_message *message,
                        struct lwb_outlet *outlet, struct lwb_buf *frame, struct lwb_error *err)
{
    struct work work = {
        .host = requests->host,
        .session = requests->session,
        .message = message,
        .head = message->head,
        .frame = frame,
        .limit = lwb_outlet_limit(outlet),
    };
    struct lwb_call call;
    int rc;

    work.head.type = LWB_MSG_RESPONSE;
    if (message->head.type == LWB_MSG_OPEN)
        return answer_open(requests, &work, err);
    if (!work.host)
        return lwb_fail(err, LWB_ERR_SESSION_INVALID, "no session is open");
    lwb_call_begin(&call, outlet, &message->head);
    work.call = &call;
    rc = answer_in_session(&work, err);
    lwb_call_end(&call);
    return rc;
}
