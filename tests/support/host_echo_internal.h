#pragma once

#include "lwbuild/base/strvec.h"
#include "tests/support/host_echo.h"

struct echo_session {
    struct lwb_strvec imports; /* module names, without modifiers */
    struct lwb_strvec search_path;
    char *scratch;           /* NULL: none */
    char *taken;             /* what `memory` took */
    unsigned artifacts;      /* written so far */
    struct lwb_strvec paths; /* of the artifacts in the latest answer */
    struct lwb_artifact artifact;
    struct lwb_buf detail;
};

/* What the directives of one source have come to. */
struct echo_outcome {
    struct echo_session *session;
    struct lwb_call *call;
    enum lwb_isolation isolation;
    enum lwb_verdict verdict;
    enum lwb_reason reason;
    bool unstorable;
    struct lwb_bytes artifact; /* ptr NULL: not said */
    int64_t line;              /* that is being read, from 1 */
};

/* Goes through `source`; a detail of a missing verdict goes to session->detail. */
int echo_run_directives(struct echo_outcome *outcome, struct lwb_bytes source,
                        struct lwb_error *err);

/* Lines without comments. Returns 0 at the end. */
int echo_next_line(struct lwb_bytes *rest, struct lwb_bytes *line);
bool echo_is_comment(struct lwb_bytes line);

/* Append the content of module's artifact. Returns 1, or 0 if the search path has none. */
int echo_read_artifact(const struct echo_session *session, const char *module, struct lwb_buf *out,
                       struct lwb_error *err);

int echo_write_artifact(const struct echo_outcome *outcome, const struct lwb_check_request *request,
                        struct lwb_error *err);

int echo_command(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                 struct lwb_host_answer *answer, struct lwb_error *err);
int echo_stream(void *session, const struct lwb_export_request *request, struct lwb_call *call,
                struct lwb_host_answer *answer, struct lwb_error *err);
int echo_metadata(void *session, const struct lwb_export_request *request,
                  struct lwb_host_answer *answer, struct lwb_error *err);
int echo_doctor(void *session, const struct lwb_export_request *request,
                struct lwb_host_answer *answer, struct lwb_error *err);
int echo_declaration_kinds(void *session, const struct lwb_strvec *names, struct lwb_call *call,
                           struct lwb_strvec *kinds, struct lwb_error *err);
int echo_declaration_names(void *session, const char *prefix, struct lwb_call *call,
                           struct lwb_strvec *names, struct lwb_error *err);

/* Rows of `bytes` bytes: JSON of their number, padded. */
int echo_send_rows(struct lwb_call *call, const char *stream, uint64_t first, uint64_t count,
                   uint64_t bytes, struct lwb_error *err);
void echo_spin(uint64_t ms);
_Noreturn void echo_hang(void);
