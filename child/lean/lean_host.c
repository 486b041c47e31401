#include "child/lean/lean_host.h"

#include "child/lean/lean_host_internal.h"
#include "child/lean/lean_place.h"
#include "host_lean_digest.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/clock.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"
#include "lwbuild/base/trace.h"

/*
 * Anything odd in a warm worker is decided by a fresh process, which is the
 * reference by definition: what `lean FILE` says. So a wrong idea about some
 * version's worker costs time and never a verdict. Nor a word: before 4.1 a
 * worker does not say what is wrong in the words of `lean FILE`, so there a
 * rejection costs the time of a fresh process as well.
 */

/* ---- open and close -------------------------------------------------------------------------- */

static void discard_last_run(struct lwb_lean_session *session)
{
    struct lwb_error ignored;

    lwb_lean_once_release(&session->once);
    session->once = (struct lwb_lean_once){ 0 };
    if (session->folder)
        (void)lwb_file_remove_tree(session->folder, &ignored);
    lwb_free(session->folder);
    session->folder = NULL;
}

static void destroy_session(struct lwb_lean_session *session)
{
    if (!session)
        return;
    lwb_lean_worker_stop(&session->worker);
    discard_last_run(session);
    lwb_lean_setup_release(&session->setup);
    lwb_strvec_release(&session->imports);
    lwb_buf_release(&session->canonical);
    lwb_free(session);
}
LWB_DEFINE_AUTO_PTR(struct lwb_lean_session, destroy_session);

static int lean_open(void **out, const struct lwb_open_request *request,
                     struct lwb_open_response *response, struct lwb_error *err)
{
    LWB_AUTO(destroy_session) struct lwb_lean_session *session = lwb_alloc(sizeof(*session));
    int rc;

    if (!session)
        return lwb_fail_memory(err);
    rc = lwb_lean_setup_init(&session->setup, request, err);
    if (rc < 0)
        return rc;
    if (request->imports && lwb_strvec_copy(&session->imports, request->imports) < 0)
        return lwb_fail_memory(err);
    session->header = (struct lwb_lean_session_header){
        .imports = &session->imports,
        .prelude = request->prelude,
        .module_system = request->module_system,
    };
    session->canonical = LWB_BUF(LWB_LEAN_DOCUMENT_MAX);
    lwb_lean_document_header(&session->canonical, &session->header);
    if (!lwb_buf_ok(&session->canonical))
        return lwb_fail_memory(err);
    session->max_memory = request->max_memory;
    response->lean_version = request->toolchain_version;
    response->note = NULL;
    *out = LWB_TAKE(session);
    return LWB_OK;
}

static void lean_close(void *session)
{
    destroy_session(session);
}

/* ---- messages -------------------------------------------------------------------------------- */

int lwb_lean_session_send(struct lwb_lean_session *session, struct lwb_call *call,
                          struct lwb_lean_messages *messages, int64_t lines, uint64_t max_bytes,
                          bool *truncated, struct lwb_error *err)
{
    uint64_t sent = 0;
    int rc =
        lwb_lean_messages_reroot(messages, session->setup.source_root, LWB_DIAGNOSTIC_ROOT, err);

    for (size_t i = 0; rc == LWB_OK && i < messages->count; i++) {
        struct lwb_diagnostic message = messages->items[i];

        sent += message.message.len;
        if (max_bytes && sent > max_bytes) {
            *truncated = true;
            break;
        }
        message.line = message.line > lines ? message.line - lines : message.line;
        message.end_line = message.end_line > lines ? message.end_line - lines : message.end_line;
        rc = lwb_call_diagnostic(call, &message);
        if (rc < 0)
            return lwb_fail(err, (enum lwb_code)rc, "a message of Lean could not be handed on");
    }
    return rc;
}

/* ---- check ----------------------------------------------------------------------------------- */

/* Relative, with an end that Lean takes for a module, and nothing that leads out of a folder. */
static int check_label(const char *file, struct lwb_error *err)
{
    bool bad =
        !file || !*file || *file == '/' || *file == '-' || !lwb_path_has_suffix(file, ".lean");

    if (!bad) {
        LWB_AUTO(lwb_free_text) char *plain = lwb_path_normalise(file);

        if (!plain)
            return lwb_fail_memory(err);
        bad = strcmp(plain, file) != 0 || strncmp(file, "../", 3) == 0;
    }
    return bad ? lwb_fail(err, LWB_ERR_USAGE, "not a relative name of a .lean file: \"%s\"",
                          file ? file : "")
               : LWB_OK;
}

static int make_folder_name(struct lwb_lean_session *session, struct lwb_error *err)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "run-%llu", (unsigned long long)++session->runs);
    session->folder = lwb_path_join(session->setup.scratch, name);
    return session->folder ? LWB_OK : lwb_fail_memory(err);
}

static int check_fresh(struct lwb_lean_session *session, const struct lwb_check_request *request,
                       struct lwb_error *err)
{
    int rc = make_folder_name(session, err);

    if (rc == LWB_OK)
        rc = lwb_lean_once_check(&session->once, &session->setup, request, session->folder, err);
    return rc;
}

/* What the module's own name and place decide, a worker that has another name cannot tell. */
static bool may_be_warm(const struct lwb_lean_session *session,
                        const struct lwb_check_request *request)
{
    if (request->want_artifact || request->isolation == LWB_ISOLATION_FRESH)
        return false;
    if (session->setup.has_options &&
        !lwb_lean_version_has(&session->setup.version, LWB_LEAN_WORKER_OPTIONS))
        return false;
    return !lwb_lean_place_needs_siblings(request->source) &&
           !lwb_lean_document_asks_its_name(request->source);
}

/* A parent that cannot be told is noticed when the verdict is. */
void lwb_lean_session_tell(void *call, uint64_t done, uint64_t lines)
{
    (void)lwb_call_progress(call, "lines", done, &lines);
}

/* How far what a worker said can be relied on. */
enum trust {
    TRUST_NOTHING,
    TRUST_VERDICT, /* it stands unless there is time to ask `lean FILE` */
    TRUST_ALL,
};

static int trust_in_answer(const struct lwb_lean_session *session,
                           const struct lwb_check_request *request)
{
    if (lwb_lean_messages_blame_process(&session->once.messages)) {
        lwb_trace("lean_warm_unsure", LWB_TRACE_TEXT("module", request->module),
                  LWB_TRACE_TEXT("why", "a worker's memory and stack know its past"));
        return TRUST_VERDICT;
    }
    if (lwb_lean_version_has(&session->setup.version, LWB_LEAN_WORKER_TEXT) ||
        !lwb_lean_messages_may_be_reworded(&session->once.messages))
        return TRUST_ALL;
    lwb_trace("lean_warm_unsure", LWB_TRACE_TEXT("module", request->module),
              LWB_TRACE_TEXT("why", "a worker of this version has its own words"));
    return TRUST_VERDICT;
}

/* Returns how much trust the answer deserves that session->once holds now, if any. */
static int check_warm(struct lwb_lean_session *session, const struct lwb_check_request *request,
                      const struct lwb_lean_split *split, uint64_t deadline, struct lwb_call *call,
                      struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf document = LWB_BUF(LWB_LEAN_DOCUMENT_MAX);
    LWB_AUTO(lwb_lean_answer_release) struct lwb_lean_answer answer = { 0 };
    LWB_AUTO(lwb_free_text) char *file = NULL;
    struct lwb_lean_question question = {
        .deadline = deadline,
        .progress = lwb_lean_session_tell,
        .ctx = call,
    };
    int rc;

    if (!lwb_lean_document_append(&document, lwb_buf_bytes(&session->canonical), request->source,
                                  split) ||
        !lwb_buf_ok(&document))
        return TRUST_NOTHING;
    file = lwb_path_join(session->setup.source_root, request->file);
    if (!file)
        return lwb_fail_memory(err);
    question.file = file;
    question.document = lwb_buf_bytes(&document);
    lwb_lean_worker_retire_if_due(&session->worker, session->max_memory);
    rc = lwb_lean_worker_ask(&session->worker, &session->setup, &question, &answer, err);
    if (rc < 0)
        return rc;
    if (rc == 0 && !answer.ending.timed_out) {
        lwb_trace("lean_warm_unsure", LWB_TRACE_TEXT("module", request->module),
                  LWB_TRACE_TEXT("why", answer.detail));
        return TRUST_NOTHING;
    }
    session->once.judgement = lwb_lean_judge(&answer.messages, &answer.ending);
    session->once.messages = LWB_TAKE(answer.messages);
    (void)snprintf(session->once.detail, sizeof(session->once.detail), "%s", answer.detail);
    return rc == 0 ? TRUST_ALL : trust_in_answer(session, request);
}

/* The same request with what is left of its time. */
static struct lwb_check_request with_rest_of_time(const struct lwb_check_request *request,
                                                  uint64_t deadline)
{
    struct lwb_check_request rest = *request;
    uint64_t now = lwb_clock_ns();

    if (deadline)
        rest.deadline_ms = deadline > now ? (deadline - now) / 1000000 + 1 : 1;
    return rest;
}

/* A process that was only to find the words takes no verdict away when no time was left for it. */
static int find_words(struct lwb_lean_session *session, const struct lwb_check_request *request,
                      bool *fresh, struct lwb_error *err)
{
    LWB_AUTO(lwb_lean_once_release) struct lwb_lean_once warm = LWB_TAKE(session->once);
    int rc = check_fresh(session, request, err);

    if (rc < 0)
        return rc;
    *fresh = session->once.judgement.reason != LWB_REASON_TIME;
    if (!*fresh) {
        lwb_lean_once_release(&session->once);
        session->once = LWB_TAKE(warm);
    }
    return LWB_OK;
}

static int decide(struct lwb_lean_session *session, const struct lwb_check_request *request,
                  struct lwb_call *call, bool *fresh, struct lwb_error *err)
{
    uint64_t deadline = request->deadline_ms ? lwb_clock_ns() + request->deadline_ms * 1000000 : 0;
    struct lwb_check_request rest;
    struct lwb_lean_split split;
    int known = lwb_lean_document_split(&split, &session->header, request->source, err);
    int rc = known < 0 ? known : TRUST_NOTHING;

    if (known > 0 && may_be_warm(session, request))
        rc = check_warm(session, request, &split, deadline, call, err);
    *fresh = rc != TRUST_ALL;
    if (rc < 0 || rc == TRUST_ALL)
        return rc < 0 ? rc : LWB_OK;
    rest = with_rest_of_time(request, deadline);
    if (rc == TRUST_VERDICT)
        return find_words(session, &rest, fresh, err);
    rc = check_fresh(session, &rest, err);
    /* A header that is not the session's is not what the key was made of: true, but not to keep. */
    if (rc == LWB_OK && known == 0)
        session->once.judgement.storable = false;
    return rc;
}

static int lean_check(void *opaque, const struct lwb_check_request *request, struct lwb_call *call,
                      struct lwb_check_response *response, struct lwb_error *err)
{
    struct lwb_lean_session *session = opaque;
    uint64_t start = lwb_clock_ns();
    bool fresh = false;
    bool truncated = false;
    int rc = check_label(request->file, err);

    if (rc < 0)
        return rc;
    discard_last_run(session);
    rc = decide(session, request, call, &fresh, err);
    if (rc == LWB_OK)
        rc = lwb_lean_session_send(session, call, &session->once.messages, 0,
                                   request->max_diagnostic_bytes, &truncated, err);
    if (rc < 0)
        return rc;
    *response = (struct lwb_check_response){
        .verdict = session->once.judgement.verdict,
        .reason = session->once.judgement.reason,
        .detail = session->once.detail[0] ? session->once.detail : NULL,
        .fresh = fresh,
        .storable = session->once.judgement.storable,
        .truncated = truncated,
        .check_ns = lwb_clock_ns() - start,
        .artifacts = session->once.artifacts,
        .n_artifacts = session->once.n_artifacts,
    };
    return LWB_OK;
}

const struct lwb_host lwb_host_lean = {
    .kind = "lean",
    .digest = LWB_HOST_LEAN_DIGEST,
    .open = lean_open,
    .close = lean_close,
    .check = lean_check,
    .elaborate = lwb_lean_elaborate,
    .kernel_check = lwb_lean_kernel_check,
    .declaration_kinds = lwb_lean_declaration_kinds,
    .declaration_names = lwb_lean_declaration_names,
};
