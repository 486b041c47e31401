#pragma once

#include "lwbuild/base/strvec.h"
#include "lwbuild/protocol/message.h"

/*
 * Which world a session is about. Two sessions with equal keys can stand in
 * for each other, so everything that a host's answers may depend on is here.
 * Strings are borrowed until lwb_session_key has copied what it needs; the
 * pool keeps its own copy (lwb_session_config_copy).
 *
 * `open.scratch` is not part of the key: it names a folder of the caller's in
 * which a pool makes a private one for each session.
 */
struct lwb_session_config {
    struct lwb_open_request open;
    struct lwb_digest closure; /* of the import closure's content; zero if there is none */
    const char *toolchain_id;  /* identity of the toolchain's binaries, NULL if none */
    const char *policy_class;  /* "default", or a name for a custom restart policy */
    const char *metadata;      /* JSON that the "metadata" export must agree with, or NULL */
};

/* Equal keys: interchangeable sessions (R26). Not a cache key. */
int lwb_session_key(struct lwb_digest *out, const struct lwb_session_config *config,
                    struct lwb_error *err);

/* A copy that owns everything it points to. */
int lwb_session_config_copy(struct lwb_session_config **out,
                            const struct lwb_session_config *config, struct lwb_error *err);
void lwb_session_config_destroy(struct lwb_session_config *config);
LWB_DEFINE_AUTO_PTR(struct lwb_session_config, lwb_session_config_destroy);
