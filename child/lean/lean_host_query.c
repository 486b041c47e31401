#include "child/lean/lean_host_internal.h"

#include "child/lean/lean_query.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/path.h"

/* Questions put to the warm worker that are no checks of a module. */

/* Puts a document to the worker; a question has no second opinion, so doubt is a refusal. */
static int ask(struct lwb_lean_session *session, const struct lwb_buf *document,
               struct lwb_call *call, struct lwb_lean_answer *answer, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *file = lwb_path_join(session->setup.source_root, "lwbuild.lean");
    struct lwb_lean_question question = {
        .file = file,
        .document = lwb_buf_bytes(document),
        .progress = lwb_lean_session_tell,
        .ctx = call,
    };
    int rc;

    if (!file)
        return lwb_fail_memory(err);
    lwb_lean_worker_retire_if_due(&session->worker, session->max_memory);
    rc = lwb_lean_worker_ask(&session->worker, &session->setup, &question, answer, err);
    if (rc < 0)
        return rc;
    if (rc > 0)
        return LWB_OK;
    return lwb_fail(err, answer->header_failed ? LWB_ERR_SETUP : LWB_ERR_WORKER, "%s",
                    answer->detail);
}

/* What elaboration of a text says, to those who ask about the text and those who ask the kernel. */
struct outcome {
    bool success;
    enum lwb_kernel_status kernel;
    bool truncated;
};

static int elaborate_text(struct lwb_lean_session *session,
                          const struct lwb_elaborate_request *request, struct lwb_call *call,
                          struct outcome *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf document = LWB_BUF(LWB_LEAN_DOCUMENT_MAX);
    LWB_AUTO(lwb_lean_answer_release) struct lwb_lean_answer answer = { 0 };
    bool truncated = false;
    int rc = lwb_lean_query_elaborate(&document, lwb_buf_bytes(&session->canonical), request, err);

    if (rc == LWB_OK)
        rc = ask(session, &document, call, &answer, err);
    if (rc == LWB_OK)
        rc = lwb_lean_session_send(session, call, &answer.messages, LWB_LEAN_QUERY_LINES,
                                   request->max_diagnostic_bytes, &truncated, err);
    if (rc < 0)
        return rc;
    *out = (struct outcome){
        .success = !lwb_lean_messages_have_error(&answer.messages),
        .kernel = lwb_lean_query_kernel_status(request->source, &answer.messages),
        .truncated = truncated,
    };
    return LWB_OK;
}

int lwb_lean_elaborate(void *session, const struct lwb_elaborate_request *request,
                       struct lwb_call *call, struct lwb_elaborate_response *response,
                       struct lwb_error *err)
{
    struct outcome outcome;
    int rc = elaborate_text(session, request, call, &outcome, err);

    if (rc < 0)
        return rc;
    response->success = outcome.success;
    response->truncated = outcome.truncated;
    return LWB_OK;
}

int lwb_lean_kernel_check(void *session, const struct lwb_elaborate_request *request,
                          struct lwb_call *call, struct lwb_kernel_response *response,
                          struct lwb_error *err)
{
    struct outcome outcome;
    int rc = elaborate_text(session, request, call, &outcome, err);

    if (rc < 0)
        return rc;
    response->status = outcome.kernel;
    response->truncated = outcome.truncated;
    return LWB_OK;
}

static int look_up(struct lwb_lean_session *session, const struct lwb_buf *document,
                   struct lwb_call *call, struct lwb_strvec *lines, struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_answer_release) struct lwb_lean_answer answer = { 0 };
    int rc = ask(session, document, call, &answer, err);

    return rc == LWB_OK ? lwb_lean_query_read(lines, &answer.messages, err) : rc;
}

static int check_looks_into_lean(const struct lwb_lean_session *session, struct lwb_error *err)
{
    if (lwb_lean_query_is_supported(&session->imports))
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_UNSUPPORTED,
                    "declarations can be looked up only in a session "
                    "that imports Lean");
}

int lwb_lean_declaration_kinds(void *opaque, const struct lwb_strvec *names, struct lwb_call *call,
                               struct lwb_strvec *kinds, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf document = LWB_BUF(LWB_LEAN_DOCUMENT_MAX);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec lines = { 0 };
    struct lwb_lean_session *session = opaque;
    int rc = check_looks_into_lean(session, err);

    if (rc < 0 || names->count == 0)
        return rc;
    rc = lwb_lean_query_kinds(&document, lwb_buf_bytes(&session->canonical), names, err);
    if (rc == LWB_OK)
        rc = look_up(session, &document, call, &lines, err);
    if (rc < 0)
        return rc;
    if (lines.count != names->count)
        return lwb_fail(err, LWB_ERR_WORKER, "Lean answered %zu of %zu names", lines.count,
                        names->count);
    return lwb_strvec_copy(kinds, &lines) < 0 ? lwb_fail_memory(err) : LWB_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lwb_lean_declaration_names(void *opaque, const char *prefix, struct lwb_call *call,
                               struct lwb_strvec *names, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf document = LWB_BUF(LWB_LEAN_DOCUMENT_MAX);
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec lines = { 0 };
    struct lwb_lean_session *session = opaque;
    int rc = check_looks_into_lean(session, err);

    if (rc == LWB_OK)
        rc = lwb_lean_query_names(&document, lwb_buf_bytes(&session->canonical), prefix, err);
    if (rc == LWB_OK)
        rc = look_up(session, &document, call, &lines, err);
    if (rc < 0)
        return rc;
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof(*lines.items), compare_texts);
    return lwb_strvec_copy(names, &lines) < 0 ? lwb_fail_memory(err) : LWB_OK;
}
