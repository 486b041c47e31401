#include "tests/support/test.h"

#include "tests/support/lean_session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "child/lean/lean_host.h"

void lean_session_prepare(struct lean_session *session, const char *toolchain, const char *version)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as in every child process */
    *session = (struct lean_session){ .text = LWB_BUF(16 * 1024 * 1024) };
    scratch_make(&session->scratch);
    scratch_write(&session->scratch, "p/keep", "");
    scratch_write(&session->scratch, "s/keep", "");
    (void)snprintf(session->source_root, sizeof(session->source_root), "%s/p",
                   session->scratch.dir);
    (void)snprintf(session->own_folder, sizeof(session->own_folder), "%s/s", session->scratch.dir);
    session->open = (struct lwb_open_request){
        .host = "lean",
        .project_root = session->source_root,
        .source_root = session->source_root,
        .toolchain = toolchain,
        .toolchain_version = version,
        .imports = &session->imports,
        .options = &session->options,
        .search_path = &session->search_path,
        .scratch = session->own_folder,
    };
}

void lean_session_open(struct lean_session *session)
{
    struct lwb_open_response response;

    if (lwb_host_lean.open(&session->session, &session->open, &response, &session->err) < 0)
        fail_msg("%s", session->err.text);
}

void lean_session_finish(struct lean_session *session)
{
    if (session->session)
        lwb_host_lean.close(session->session);
    recording_call_clear(&session->call);
    lwb_strvec_release(&session->imports);
    lwb_strvec_release(&session->options);
    lwb_strvec_release(&session->search_path);
    lwb_buf_release(&session->text);
    scratch_remove(&session->scratch);
}

int lean_session_check_as(struct lean_session *session, const struct lwb_check_request *request)
{
    recording_call_clear(&session->call);
    session->response = (struct lwb_check_response){ 0 };
    return lwb_host_lean.check(session->session, request, &session->call, &session->response,
                               &session->err);
}

int lean_session_check(struct lean_session *session, const char *source)
{
    struct lwb_check_request request = {
        .module = "A",
        .file = "A.lean",
        .source = lwb_bytes_text(source),
        .isolation = LWB_ISOLATION_WARM,
    };

    return lean_session_check_as(session, &request);
}

const char *lean_session_text(struct lean_session *session)
{
    lwb_buf_clear(&session->text);
    return recording_call_text(&session->call, "A.lean", &session->text);
}
