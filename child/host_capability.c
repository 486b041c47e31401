/*
 * The library is given functions, not symbols of ours to link against. They
 * may be called wrongly: with NULL, from another thread, after the export has
 * returned. None of that may touch a later request, so the functions belong to
 * the session and know whether a call is under way, whose it is and what it
 * may do. What was done wrong fails the call even if the library does not care.
 */
#include "child/host_capability.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "child/call.h"
#include "child/capability_library.h"
#include "host_capability_digest.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/json.h"

enum { STOP = 1 }; /* what call-backs return when the export shall stop */

/* What the export that runs may do. */
enum allowance {
    MAY_NOTHING = 0,
    MAY_FAIL = 1 << 0,
    MAY_REPLY = 1 << 1,
    MAY_TELL = 1 << 2, /* progress and diagnostics */
    MAY_ROW = 1 << 3,
};

static const unsigned allowed[] = {
    [LWB_CAPABILITY_COMMAND] = MAY_FAIL | MAY_REPLY | MAY_TELL,
    [LWB_CAPABILITY_STREAM] = MAY_FAIL | MAY_REPLY | MAY_TELL | MAY_ROW,
    [LWB_CAPABILITY_METADATA] = MAY_FAIL | MAY_REPLY,
    [LWB_CAPABILITY_DOCTOR] = MAY_FAIL | MAY_REPLY,
};

struct capability_session {
    struct lwb_capability_library library;
    void *state;
    struct lwb_capability_call face; /* what the library sees */

    pthread_t thread;
    atomic_uint may;       /* enum allowance; MAY_NOTHING while no call is under way */
    atomic_bool intruded;  /* somebody called who must not */
    struct lwb_call *call; /* NULL for metadata, doctor and open */
    struct lwb_host_answer *answer;
    bool replied;
    struct lwb_error misuse; /* of a call-back; code LWB_OK while there is none */
    struct lwb_error said;   /* by fail */
};

/* ---- call-backs ------------------------------------------------------------------------------ */

static int misuse(struct capability_session *session, const char *text)
{
    if (session->misuse.code == LWB_OK)
        (void)lwb_fail(&session->misuse, LWB_ERR_STREAM_CALLBACK, "%s", text);
    return STOP;
}

/* NULL when the call-back must do nothing. */
static struct capability_session *enter(const struct lwb_capability_call *face, unsigned wanted,
                                        const char *complaint)
{
    struct capability_session *session = face->host;

    if (!atomic_load(&session->may) || !pthread_equal(pthread_self(), session->thread)) {
        atomic_store(&session->intruded, true);
        return NULL;
    }
    if (session->misuse.code != LWB_OK)
        return NULL;
    if (!(atomic_load(&session->may) & wanted)) {
        (void)misuse(session, complaint);
        return NULL;
    }
    return session;
}

static int on_reply(const struct lwb_capability_call *face, const char *json, size_t len)
{
    struct capability_session *session = enter(face, MAY_REPLY, "reply is not for open");

    if (!session)
        return STOP;
    if (!json)
        return misuse(session, "reply without a text");
    if (session->replied)
        return misuse(session, "a second reply");
    session->replied = true;
    lwb_buf_append(&session->answer->json, json, len);
    return lwb_buf_ok(&session->answer->json) ? 0 : STOP;
}

static int on_fail(const struct lwb_capability_call *face, const char *code, const char *text)
{
    struct capability_session *session = enter(face, MAY_FAIL, "");

    if (!session)
        return STOP;
    if (!code || !text)
        return misuse(session, "fail without a code and a text");
    (void)lwb_fail(&session->said, LWB_ERR_WORKER, "%s", text);
    (void)snprintf(session->said.facts.child_code, sizeof(session->said.facts.child_code), "%s",
                   code);
    return 0;
}

static int on_row(const struct lwb_capability_call *face, const char *stream, const char *json,
                  size_t len)
{
    struct capability_session *session = enter(face, MAY_ROW, "rows are for streams only");

    if (!session)
        return STOP;
    if (!stream || !json)
        return misuse(session, "a row without a stream or a text");
    return lwb_call_row(session->call, stream, lwb_bytes(json, len)) < 0 ? STOP : 0;
}

static int on_progress(const struct lwb_capability_call *face, const char *phase, uint64_t current,
                       const uint64_t *total)
{
    struct capability_session *session =
        enter(face, MAY_TELL, "progress is for commands and streams only");

    if (!session)
        return STOP;
    if (!phase)
        return misuse(session, "progress without a phase");
    return lwb_call_progress(session->call, phase, current, total) < 0 ? STOP : 0;
}

static int on_diagnostic(const struct lwb_capability_call *face,
                         enum lwb_capability_severity severity, const char *code, const char *text)
{
    static const enum lwb_severity severities[] = {
        [LWB_CAPABILITY_INFORMATION] = LWB_SEVERITY_INFORMATION,
        [LWB_CAPABILITY_WARNING] = LWB_SEVERITY_WARNING,
        [LWB_CAPABILITY_ERROR] = LWB_SEVERITY_ERROR,
    };
    struct capability_session *session =
        enter(face, MAY_TELL, "diagnostics are for commands and streams only");
    struct lwb_diagnostic diagnostic = {
        .line = -1, .column = -1, .end_line = -1, .end_column = -1
    };

    if (!session)
        return STOP;
    if (!text || (size_t)severity >= LWB_COUNT(severities))
        return misuse(session, "a diagnostic without a text or with an unknown severity");
    diagnostic.severity = severities[severity];
    diagnostic.code = lwb_bytes_text(code ? code : "");
    diagnostic.message = lwb_bytes_text(text);
    return lwb_call_diagnostic(session->call, &diagnostic) < 0 ? STOP : 0;
}

static void give_face(struct capability_session *session)
{
    session->face = (struct lwb_capability_call){
        .size = sizeof(session->face),
        .host = session,
        .reply = on_reply,
        .fail = on_fail,
        .row = on_row,
        .progress = on_progress,
        .diagnostic = on_diagnostic,
    };
    session->thread = pthread_self();
}

/* ---- one call -------------------------------------------------------------------------------- */

static void begin(struct capability_session *session, struct lwb_call *call,
                  struct lwb_host_answer *answer, unsigned may)
{
    session->call = call;
    session->answer = answer;
    session->replied = false;
    session->misuse.code = LWB_OK;
    session->said.code = LWB_OK;
    atomic_store(&session->intruded, false);
    atomic_store(&session->may, may);
}

/* What the call has come to, apart from what lwb_call knows. */
static int finish(struct capability_session *session, int status, struct lwb_error *err)
{
    atomic_store(&session->may, MAY_NOTHING);
    if (atomic_load(&session->intruded))
        return lwb_fail(err, LWB_ERR_STREAM_CALLBACK,
                        "a call-back was used outside of its call or by another thread");
    if (session->misuse.code != LWB_OK) {
        *err = session->misuse;
        return err->code;
    }
    if (session->said.code != LWB_OK) {
        *err = session->said;
        err->facts.status = status;
        return err->code;
    }
    return LWB_OK;
}

static int fail_status(enum lwb_capability_kind kind, const char *name, int status,
                       struct lwb_error *err)
{
    enum lwb_code code = kind == LWB_CAPABILITY_STREAM ? LWB_ERR_STREAM_FAILED : LWB_ERR_WORKER;

    (void)lwb_fail(err, code, "%s \"%.80s\" ended with status %d", lwb_capability_kind_name(kind),
                   name, status);
    (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "status");
    err->facts.status = status;
    return err->code;
}

/* A stream that says why it failed is a failed stream first. */
static int as_stream_failure(enum lwb_capability_kind kind, struct lwb_error *err)
{
    if (kind != LWB_CAPABILITY_STREAM || err->code != LWB_ERR_WORKER)
        return err->code;
    err->code = LWB_ERR_STREAM_FAILED;
    return lwb_error_context(err, "%s", err->facts.child_code);
}

static int check_reply(const struct capability_session *session, enum lwb_capability_kind kind,
                       const char *name, struct lwb_error *err)
{
    static const enum lwb_code codes[] = {
        [LWB_CAPABILITY_COMMAND] = LWB_ERR_WORKER,
        [LWB_CAPABILITY_METADATA] = LWB_ERR_METADATA_MALFORMED,
        [LWB_CAPABILITY_DOCTOR] = LWB_ERR_DOCTOR_MALFORMED,
    };
    LWB_AUTO(lwb_json_free) cJSON *json = NULL;

    if (kind == LWB_CAPABILITY_STREAM)
        return LWB_OK;
    if (!session->replied) {
        (void)lwb_fail(err, codes[kind], "%s \"%.80s\" gave no reply",
                       lwb_capability_kind_name(kind), name);
        (void)snprintf(err->facts.child_code, sizeof(err->facts.child_code), "no-reply");
        return err->code;
    }
    if (kind == LWB_CAPABILITY_COMMAND) /* a program decodes it, and says so if it cannot */
        return LWB_OK;
    if (!lwb_buf_ok(&session->answer->json))
        return LWB_OK; /* too large: said by the caller */
    if (lwb_json_parse(&json, lwb_buf_bytes(&session->answer->json), err) < 0) {
        err->code = codes[kind];
        return lwb_error_context(err, "%s \"%.80s\"", lwb_capability_kind_name(kind), name);
    }
    return LWB_OK;
}

static int run(void *arg, enum lwb_capability_kind kind, const struct lwb_export_request *request,
               struct lwb_call *call, struct lwb_host_answer *answer, struct lwb_error *err)
{
    struct capability_session *session = arg;
    const char *name = request->name;
    const struct lwb_capability_export *export;
    LWB_AUTO(lwb_free_text) char *json = NULL;
    int status;

    if (!*name && (kind == LWB_CAPABILITY_METADATA || kind == LWB_CAPABILITY_DOCTOR))
        name = lwb_capability_kind_name(kind);
    export = lwb_capability_library_find(&session->library, kind, name);
    if (!export)
        return lwb_fail(err, LWB_ERR_UNSUPPORTED, "%s has no %s \"%.80s\"",
                        session->library.table->name, lwb_capability_kind_name(kind), name);
    json = lwb_strndup(request->json.ptr ? request->json.ptr : "", request->json.len);
    if (!json)
        return lwb_fail_memory(err);
    begin(session, call, answer, allowed[kind]);
    status = export->run(session->state, &session->face, json, request->json.len);
    if (finish(session, status, err) < 0)
        return as_stream_failure(kind, err);
    if (status != 0)
        return fail_status(kind, name, status, err);
    return check_reply(session, kind, name, err);
}

static int on_metadata_request(void *session, const struct lwb_export_request *request,
                               struct lwb_host_answer *answer, struct lwb_error *err)
{
    return run(session, LWB_CAPABILITY_METADATA, request, NULL, answer, err);
}

static int on_doctor_request(void *session, const struct lwb_export_request *request,
                             struct lwb_host_answer *answer, struct lwb_error *err)
{
    return run(session, LWB_CAPABILITY_DOCTOR, request, NULL, answer, err);
}

static int on_command_request(void *session, const struct lwb_export_request *request,
                              struct lwb_call *call, struct lwb_host_answer *answer,
                              struct lwb_error *err)
{
    return run(session, LWB_CAPABILITY_COMMAND, request, call, answer, err);
}

static int on_stream_request(void *session, const struct lwb_export_request *request,
                             struct lwb_call *call, struct lwb_host_answer *answer,
                             struct lwb_error *err)
{
    return run(session, LWB_CAPABILITY_STREAM, request, call, answer, err);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void capability_close(void *arg)
{
    struct capability_session *session = arg;

    if (!session)
        return;
    if (session->state)
        session->library.table->close(session->state);
    lwb_capability_library_unload(&session->library);
    lwb_free(session);
}
LWB_DEFINE_AUTO_PTR(struct capability_session, capability_close);

static void describe(struct lwb_buf *out, const struct lwb_open_request *request)
{
    bool first = true;

    lwb_buf_append_char(out, '{');
    if (request->project_root)
        lwb_json_member_text(out, &first, "project_root", request->project_root);
    if (request->package)
        lwb_json_member_text(out, &first, "package", request->package);
    if (request->library)
        lwb_json_member_text(out, &first, "library", request->library);
    if (request->scratch)
        lwb_json_member_text(out, &first, "scratch", request->scratch);
    lwb_json_member(out, &first, "imports");
    lwb_buf_append_char(out, '[');
    for (size_t i = 0; request->imports && i < request->imports->count; i++) {
        if (i)
            lwb_buf_append_char(out, ',');
        lwb_json_append_text(out, request->imports->items[i]);
    }
    lwb_buf_append_text(out, "]}");
}

static int open_library(struct capability_session *session, const struct lwb_open_request *request,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf json = LWB_BUF(1 << 24);
    const struct lwb_capability *table = session->library.table;
    void *state = NULL;
    int status;

    if (!table->open)
        return LWB_OK;
    describe(&json, request);
    if (!lwb_buf_ok(&json))
        return lwb_fail_memory(err);
    begin(session, NULL, NULL, MAY_FAIL);
    status = table->open(&state, &session->face, lwb_buf_text(&json), json.len);
    if (status == 0)
        session->state = state;
    if (finish(session, status, err) < 0)
        return err->code;
    if (status == 0)
        return LWB_OK;
    (void)lwb_fail(err, LWB_ERR_SETUP, "%s could not be opened: status %d", table->name, status);
    err->facts.status = status;
    return err->code;
}

static int capability_open(void **out, const struct lwb_open_request *request,
                           struct lwb_open_response *response, struct lwb_error *err)
{
    LWB_AUTO(lwb_capability_manifest_release) struct lwb_capability_manifest manifest = { 0 };
    LWB_AUTO(capability_close) struct capability_session *session = NULL;

    if (!request->capability)
        return lwb_fail(err, LWB_ERR_SETUP, "no capability library was named");
    session = lwb_alloc(sizeof(*session));
    if (!session)
        return lwb_fail_memory(err);
    give_face(session);
    if (lwb_capability_manifest_read(&manifest, request->capability, err) < 0 ||
        lwb_capability_library_load(&session->library, &manifest, err) < 0 ||
        open_library(session, request, err) < 0)
        return err->code;
    response->note = session->library.table->name;
    *out = LWB_TAKE(session);
    return LWB_OK;
}

const struct lwb_host lwb_host_capability = {
    .kind = "capability",
    .digest = LWB_HOST_CAPABILITY_DIGEST,
    .open = capability_open,
    .close = capability_close,
    .metadata = on_metadata_request,
    .doctor = on_doctor_request,
    .command = on_command_request,
    .stream = on_stream_request,
};
