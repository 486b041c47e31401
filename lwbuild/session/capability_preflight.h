#pragma once

#include <stdbool.h>

#include "lwbuild/base/error.h"

/*
 * What can be known of a capability before any process is started: from its
 * manifest (a path that ends in ".json", see README of examples/lean-capability)
 * or, for any other path, from the library alone. A library is never loaded
 * here; what only loading can tell, the child says when it opens the session.
 *
 * Codes are stable:
 *     manifest-unreadable   the manifest cannot be read
 *     manifest-malformed    it is not what a manifest is
 *     manifest-schema       it was made by a later lwbuild
 *     capability-abi        the library speaks another version of lwbuild/capability.h
 *     library-missing       there is no library where the manifest says
 *     library-unreadable    it is there, but not for this user
 *     library-changed       another content than when the manifest was made
 *     toolchain-missing     the Lean that it was built for is not there any more
 *     toolchain-unreadable  it is there, but not for this user
 *     toolchain-changed     another Lean is there: its lean.h differs
 *     export-missing        it has no command, or no stream, of that name
 *     capability-found      all is well; the message says what it is and offers
 */
enum lwb_preflight_severity {
    LWB_PREFLIGHT_INFO,
    LWB_PREFLIGHT_WARNING,
    LWB_PREFLIGHT_ERROR,
};

/* Borrowed for the call. */
struct lwb_preflight_finding {
    enum lwb_preflight_severity severity;
    const char *code;
    const char *subject;
    const char *message;
    const char *hint; /* what to do; NULL when there is nothing to do */
};

struct lwb_preflight {
    const char *path;
    const char *command; /* that will be called; NULL: none in particular */
    bool is_stream;      /* it will be called as a stream */

    void (*found)(void *ctx,
                  const struct lwb_preflight_finding *finding); /* NULL: nobody listens */
    void *ctx;
};

/*
 * LWB_OK, or LWB_ERR_BOOTSTRAP for the first finding that is an error: its code in
 * facts.child_code, its message and hint in the text. Checking goes on as far as it makes sense.
 */
int lwb_capability_preflight(const struct lwb_preflight *preflight, struct lwb_error *err);
