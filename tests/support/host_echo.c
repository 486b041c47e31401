#include "tests/support/host_echo_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

/* ---- sessions -------------------------------------------------------------------------------- */

static void echo_close(void *arg)
{
    struct echo_session *session = arg;

    if (!session)
        return;
    lwb_strvec_release(&session->imports);
    lwb_strvec_release(&session->search_path);
    lwb_strvec_release(&session->paths);
    lwb_buf_release(&session->detail);
    lwb_free(session->scratch);
    lwb_free(session->taken);
    lwb_free(session);
}
LWB_DEFINE_AUTO_PTR(struct echo_session, echo_close);

/* "public A" is A here. */
static int copy_imports(struct lwb_strvec *to, const struct lwb_strvec *from)
{
    for (size_t i = 0; from && i < from->count; i++) {
        const char *blank = strrchr(from->items[i], ' ');

        if (lwb_strvec_append(to, blank ? blank + 1 : from->items[i]))
            return -1;
    }
    return 0;
}

static int echo_open(void **out, const struct lwb_open_request *request,
                     struct lwb_open_response *response, struct lwb_error *err)
{
    LWB_AUTO(echo_close) struct echo_session *session = lwb_alloc(sizeof(*session));

    if (!session)
        return lwb_fail_memory(err);
    session->detail = LWB_BUF(4096);
    if (request->scratch) {
        session->scratch = lwb_strdup(request->scratch);
        if (!session->scratch)
            return lwb_fail_memory(err);
    }
    if (copy_imports(&session->imports, request->imports) ||
        (request->search_path && lwb_strvec_copy(&session->search_path, request->search_path)))
        return lwb_fail_memory(err);
    response->note = "answers from directives in comments";
    *out = LWB_TAKE(session);
    return LWB_OK;
}

/* ---- artifacts ------------------------------------------------------------------------------- */

static int artifact_path(struct lwb_buf *out, const char *folder, const char *module,
                         struct lwb_error *err)
{
    lwb_buf_clear(out);
    lwb_buf_format(out, "%s/%s", folder, module);
    for (size_t i = strlen(folder) + 1; i < out->len; i++)
        if (out->ptr[i] == '.')
            out->ptr[i] = '/';
    lwb_buf_append_text(out, ".olean");
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

int echo_read_artifact(const struct echo_session *session, const char *module, struct lwb_buf *out,
                       struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    struct lwb_file_stat st;
    int rc;

    for (size_t i = 0; i < session->search_path.count; i++) {
        rc = artifact_path(&path, session->search_path.items[i], module, err);
        if (rc == LWB_OK)
            rc = lwb_file_stat(&st, lwb_buf_text(&path), err);
        if (rc < 0)
            return rc;
        if (rc == 1) {
            rc = lwb_file_read(out, lwb_buf_text(&path), NULL, err);
            return rc < 0 ? rc : 1;
        }
    }
    return 0;
}

static int digest_imports(struct lwb_hasher *hasher, const struct echo_session *session,
                          struct lwb_error *err)
{
    for (size_t i = 0; i < session->imports.count; i++) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1 << 20);

        if (echo_read_artifact(session, session->imports.items[i], &content, err) < 0)
            return err->code;
        lwb_hasher_text(hasher, 'm', session->imports.items[i]);
        lwb_hasher_field(hasher, 'a', lwb_buf_bytes(&content));
    }
    return LWB_OK;
}

static int digest_module(struct lwb_digest *out, const struct echo_session *session,
                         struct lwb_bytes source, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    struct lwb_bytes line;

    if (!hasher)
        return lwb_fail_memory(err);
    while (echo_next_line(&source, &line))
        if (!echo_is_comment(line))
            lwb_hasher_field(hasher, 'l', line);
    if (digest_imports(hasher, session, err) < 0)
        return err->code;
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

static int artifact_content(struct lwb_buf *out, const struct echo_outcome *outcome,
                            const struct lwb_check_request *request, struct lwb_error *err)
{
    char hex[LWB_DIGEST_HEX + 1];
    struct lwb_digest digest;

    if (outcome->artifact.ptr) {
        lwb_buf_append_bytes(out, outcome->artifact);
    } else {
        if (digest_module(&digest, outcome->session, request->source, err) < 0)
            return err->code;
        lwb_digest_hex(&digest, hex);
        lwb_buf_append_text(out, hex);
    }
    lwb_buf_append_char(out, '\n');
    return lwb_buf_ok(out) ? LWB_OK : lwb_fail_memory(err);
}

int echo_write_artifact(const struct echo_outcome *outcome, const struct lwb_check_request *request,
                        struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(LWB_PATH_MAX);
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(1 << 20);
    struct echo_session *session = outcome->session;
    char *taken;

    if (!session->scratch)
        return lwb_fail(err, LWB_ERR_USAGE, "an artifact needs a scratch folder");
    lwb_buf_format(&path, "%s/%s-%u.olean", session->scratch, request->module,
                   ++session->artifacts);
    if (artifact_content(&content, outcome, request, err) < 0 ||
        lwb_digest_bytes(&session->artifact.digest, lwb_buf_bytes(&content), err) < 0 ||
        lwb_file_write(lwb_buf_text(&path), lwb_buf_bytes(&content), 0644, err) < 0)
        return err->code;
    taken = lwb_buf_take(&path);
    if (!taken || lwb_strvec_append_take(&session->paths, taken))
        return lwb_fail_memory(err);
    session->artifact.part = "olean";
    session->artifact.path = taken;
    session->artifact.size = content.len;
    return LWB_OK;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static struct echo_outcome outcome_of(void *session, struct lwb_call *call,
                                      enum lwb_isolation isolation)
{
    struct echo_session *echo = session;

    lwb_strvec_release(&echo->paths);
    lwb_buf_clear(&echo->detail);
    return (struct echo_outcome){ .session = echo, .call = call, .isolation = isolation };
}

/* What the child shall read itself must be what was hashed. */
static int read_source(struct lwb_buf *out, struct lwb_check_request *request,
                       struct echo_outcome *outcome, struct lwb_error *err)
{
    char hex[LWB_DIGEST_HEX + 1];
    struct lwb_digest digest;

    if (!request->path)
        return LWB_OK;
    if (lwb_file_read(out, request->path, NULL, err) < 0 ||
        lwb_digest_bytes(&digest, lwb_buf_bytes(out), err) < 0)
        return err->code;
    lwb_digest_hex(&digest, hex);
    if (!request->digest || strcmp(hex, request->digest) != 0) {
        outcome->verdict = LWB_VERDICT_NONE;
        outcome->reason = LWB_REASON_CHANGED;
        return LWB_OK;
    }
    request->source = lwb_buf_bytes(out);
    return LWB_OK;
}

static int echo_check(void *session, const struct lwb_check_request *given, struct lwb_call *call,
                      struct lwb_check_response *response, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf content = LWB_BUF(64 << 20);
    struct lwb_check_request request = *given;
    struct echo_outcome outcome = outcome_of(session, call, request.isolation);
    int rc = read_source(&content, &request, &outcome, err);

    if (rc == LWB_OK && outcome.verdict == LWB_VERDICT_ACCEPTED)
        rc = echo_run_directives(&outcome, request.source, err);
    if (rc == LWB_OK && request.want_artifact && outcome.verdict == LWB_VERDICT_ACCEPTED) {
        rc = echo_write_artifact(&outcome, &request, err);
        response->artifacts = &outcome.session->artifact;
        response->n_artifacts = 1;
    }
    response->verdict = outcome.verdict;
    response->reason = outcome.reason;
    response->detail = outcome.reason ? lwb_buf_text(&outcome.session->detail) : NULL;
    response->fresh = request.isolation == LWB_ISOLATION_FRESH;
    response->storable = !outcome.unstorable && outcome.verdict != LWB_VERDICT_NONE;
    return rc;
}

static int echo_elaborate(void *session, const struct lwb_elaborate_request *request,
                          struct lwb_call *call, struct lwb_elaborate_response *response,
                          struct lwb_error *err)
{
    struct echo_outcome outcome = outcome_of(session, call, LWB_ISOLATION_WARM);
    int rc = echo_run_directives(&outcome, request->source, err);

    response->success = outcome.verdict == LWB_VERDICT_ACCEPTED;
    return rc;
}

static int echo_kernel_check(void *session, const struct lwb_elaborate_request *request,
                             struct lwb_call *call, struct lwb_kernel_response *response,
                             struct lwb_error *err)
{
    static const enum lwb_kernel_status statuses[] = {
        [LWB_VERDICT_ACCEPTED] = LWB_KERNEL_CHECKED,
        [LWB_VERDICT_REJECTED] = LWB_KERNEL_REJECTED,
        [LWB_VERDICT_NONE] = LWB_KERNEL_UNAVAILABLE,
    };
    struct echo_outcome outcome = outcome_of(session, call, LWB_ISOLATION_WARM);
    int rc = echo_run_directives(&outcome, request->source, err);

    response->status = statuses[outcome.verdict];
    return rc;
}

const struct lwb_host lwb_host_echo = {
    .kind = "echo",
    .digest = "0000000000000000000000000000000000000000000000000000000000000ec0",
    .open = echo_open,
    .close = echo_close,
    .check = echo_check,
    .elaborate = echo_elaborate,
    .kernel_check = echo_kernel_check,
    .declaration_kinds = echo_declaration_kinds,
    .declaration_names = echo_declaration_names,
    .metadata = echo_metadata,
    .doctor = echo_doctor,
    .command = echo_command,
    .stream = echo_stream,
};
