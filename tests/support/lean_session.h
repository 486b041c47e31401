#pragma once

#include "child/host.h"
#include "tests/support/recording_call.h"
#include "tests/support/scratch.h"

/*
 * A session of the Lean host in this process, with a scratch folder that holds
 * the project ("p"), the session's own folder ("s") and whatever the test adds.
 */
struct lean_session {
    struct scratch scratch;
    struct lwb_open_request open;
    struct lwb_strvec imports;
    struct lwb_strvec options;
    struct lwb_strvec search_path;
    char source_root[300];
    char own_folder[300];
    void *session; /* of the host; NULL while closed */
    struct lwb_call call;
    struct lwb_check_response response; /* of the last check; valid until the next one */
    struct lwb_error err;               /* of the last call */
    struct lwb_buf text;
};

/* Folders and an open request for this toolchain; not opened yet, so that a test may change it. */
void lean_session_prepare(struct lean_session *session, const char *toolchain, const char *version);
void lean_session_open(struct lean_session *session);
void lean_session_finish(struct lean_session *session);

/* Checks `source` as module A in A.lean; what it returns is the host's. */
int lean_session_check(struct lean_session *session, const char *source);
int lean_session_check_as(struct lean_session *session, const struct lwb_check_request *request);

/* The messages of the last request as `lean` would print them for A.lean; borrowed. */
const char *lean_session_text(struct lean_session *session);
