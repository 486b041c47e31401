#include "lwbuild/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the analyzer is told of these is for their callers. */
#undef lwb_fail
#undef lwb_fail_errno
#undef lwb_fail_memory
#undef lwb_error_context

static const struct {
    enum lwb_code code;
    const char *name;
} names[] = {
    { LWB_OK, "ok" },
    { LWB_ERR_MEMORY, "memory" },
    { LWB_ERR_SYSTEM, "system" },
    { LWB_ERR_LIMIT, "limit" },
    { LWB_ERR_FORMAT, "format" },
    { LWB_ERR_USAGE, "usage" },
    { LWB_ERR_CHILD_NOT_FOUND, "child-not-found" },
    { LWB_ERR_CHILD_NOT_EXECUTABLE, "child-not-executable" },
    { LWB_ERR_SPAWN, "spawn" },
    { LWB_ERR_HANDSHAKE, "handshake" },
    { LWB_ERR_PROTOCOL, "protocol" },
    { LWB_ERR_CHILD_EXITED, "child-exited" },
    { LWB_ERR_CHILD_ABORTED, "child-aborted" },
    { LWB_ERR_TIMEOUT, "timeout" },
    { LWB_ERR_CANCELLED, "cancelled" },
    { LWB_ERR_HARD_MEMORY, "hard-memory" },
    { LWB_ERR_RESTART_LIMIT, "restart-limit" },
    { LWB_ERR_SHUTDOWN, "shutdown" },
    { LWB_ERR_WAIT, "wait" },
    { LWB_ERR_WORKER, "worker" },
    { LWB_ERR_UNSUPPORTED, "unsupported" },
    { LWB_ERR_BUSY, "busy" },
    { LWB_ERR_SESSION_INVALID, "session-invalid" },
    { LWB_ERR_PROGRESS_SINK, "progress-sink" },
    { LWB_ERR_ROW_SINK, "row-sink" },
    { LWB_ERR_DIAGNOSTIC_SINK, "diagnostic-sink" },
    { LWB_ERR_STREAM_FAILED, "stream-failed" },
    { LWB_ERR_STREAM_CALLBACK, "stream-callback" },
    { LWB_ERR_ROW_MALFORMED, "row-malformed" },
    { LWB_ERR_METADATA_MALFORMED, "metadata-malformed" },
    { LWB_ERR_METADATA_MISMATCH, "metadata-mismatch" },
    { LWB_ERR_DOCTOR_MALFORMED, "doctor-malformed" },
    { LWB_ERR_ENCODE_REQUEST, "encode-request" },
    { LWB_ERR_DECODE_RESPONSE, "decode-response" },
    { LWB_ERR_DECODE_ROW, "decode-row" },
    { LWB_ERR_DECODE_SUMMARY, "decode-summary" },
    { LWB_ERR_SETUP, "setup" },
    { LWB_ERR_BOOTSTRAP, "bootstrap" },
    { LWB_ERR_CAPABILITY_BUILD, "capability-build" },
    { LWB_ERR_LEASE_INVALID, "lease-invalid" },
    { LWB_ERR_POOL_EXHAUSTED, "pool-exhausted" },
    { LWB_ERR_POOL_MEMORY, "pool-memory" },
    { LWB_ERR_POOL_TIMEOUT, "pool-timeout" },
    { LWB_ERR_NO_PROJECT, "no-project" },
    { LWB_ERR_NO_TOOLCHAIN, "no-toolchain" },
    { LWB_ERR_LAKEFILE, "lakefile" },
    { LWB_ERR_MODULE_NAME, "module-name" },
    { LWB_ERR_TARGET, "target" },
    { LWB_ERR_CYCLE, "cycle" },
    { LWB_ERR_MISSING_IMPORT, "missing-import" },
    { LWB_ERR_DUPLICATE_MODULE, "duplicate-module" },
    { LWB_ERR_NO_MODULES, "no-modules" },
    { LWB_ERR_STALE_IMPORT, "stale-import" },
};

const char *lwb_code_name(enum lwb_code code)
{
    for (size_t i = 0; i < LWB_COUNT(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "unknown";
}

int lwb_code_parse(enum lwb_code *out, const char *name)
{
    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *out = names[i].code;
            return 0;
        }
    }
    return -1;
}

/* Errors are one line, whatever a path or a message that went into them holds. */
static void flatten(char *text)
{
    for (; *text; text++)
        if (*text == '\n' || *text == '\r' || *text == '\t')
            *text = ' ';
}

LWB_PRINTF(3, 0)
static void fill(struct lwb_error *err, enum lwb_code code, const char *format, va_list args)
{
    memset(err, 0, sizeof(*err));
    err->code = code;
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    flatten(err->text);
}

int lwb_fail(struct lwb_error *err, enum lwb_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return code;
}

int lwb_fail_errno(struct lwb_error *err, enum lwb_code code, const char *format, ...)
{
    int sys = errno;
    va_list args;
    size_t len;

    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    err->sys = sys;
    len = strlen(err->text);
    (void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(sys));
    return code;
}

int lwb_fail_memory(struct lwb_error *err)
{
    return lwb_fail(err, LWB_ERR_MEMORY, "out of memory");
}

int lwb_error_context(struct lwb_error *err, const char *format, ...)
{
    char text[sizeof(err->text)];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(text))
        (void)snprintf(text + len, sizeof(text) - (size_t)len, ": %s", err->text);
    flatten(text);
    memcpy(err->text, text, sizeof(text));
    return err->code;
}
