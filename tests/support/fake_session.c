#include "tests/support/test.h"

#include "tests/support/fake_session.h"

void fake_session_prepare(struct fake_session *fixture, const char *era)
{
    lean_session_prepare(&fixture->lean, NULL, NULL);
    fake_toolchain_make(&fixture->toolchain, &fixture->lean.scratch, era);
    fixture->lean.open.toolchain = fixture->toolchain.prefix;
    fixture->lean.open.toolchain_version = fixture->toolchain.version;
}

void fake_session_open(struct fake_session *fixture, const char *era)
{
    fake_session_prepare(fixture, era);
    lean_session_open(&fixture->lean);
}

void fake_session_check(struct fake_session *fixture, const char *source)
{
    if (lean_session_check(&fixture->lean, source) < 0)
        fail_msg("%s", fixture->lean.err.text);
}

void fake_session_expect(const struct fake_session *fixture, enum lwb_verdict verdict,
                         enum lwb_reason reason, bool fresh)
{
    const struct lwb_check_response *response = &fixture->lean.response;

    assert_string_equal(lwb_verdict_name(response->verdict), lwb_verdict_name(verdict));
    assert_string_equal(lwb_reason_name(response->reason), lwb_reason_name(reason));
    assert_int_equal(response->fresh, fresh);
}
