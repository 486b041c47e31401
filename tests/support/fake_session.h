#pragma once

#include "tests/support/fake_toolchain.h"
#include "tests/support/lean_session.h"

/* A session of the Lean host over fake_lean of some era. Failures end the test. */
struct fake_session {
    struct lean_session lean;
    struct fake_toolchain toolchain;
};

/* Not opened yet, so that a test may change lean.open, lean.imports, lean.options. */
void fake_session_prepare(struct fake_session *fixture, const char *era);
void fake_session_open(struct fake_session *fixture, const char *era);

/* `source` as A.lean, warm if the host sees fit. */
void fake_session_check(struct fake_session *fixture, const char *source);

/* What the last check came to. */
void fake_session_expect(const struct fake_session *fixture, enum lwb_verdict verdict,
                         enum lwb_reason reason, bool fresh);
