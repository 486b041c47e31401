#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/attributes.h"

/*
 * Why a call failed: a code for programs, a sentence for people, and the facts
 * behind it where the code has some.
 *
 * A failing call returns a negative code and fills the error; outcomes that a
 * caller expects are 0, 1 or an enum and are documented at the function. An
 * error is only read after a negative return. Codes are never reused or
 * renumbered: they appear in JSON output by name (lwb_code_name).
 */
enum lwb_code {
    LWB_OK = 0,

    /* the machine */
    LWB_ERR_MEMORY = -1, /* out of memory */
    LWB_ERR_SYSTEM = -2, /* a system call failed: sys holds errno */
    LWB_ERR_LIMIT = -3,  /* larger than a stated limit: facts.current, facts.limit */
    LWB_ERR_FORMAT = -4, /* text or bytes that are not what they should be */
    LWB_ERR_USAGE = -5,  /* the caller asked for something that makes no sense */

    /* one worker */
    LWB_ERR_CHILD_NOT_FOUND = -10,      /* no executable; the text names the paths tried */
    LWB_ERR_CHILD_NOT_EXECUTABLE = -11, /* it is there but may not be run */
    LWB_ERR_SPAWN = -12,                /* the system refused to start it */
    LWB_ERR_HANDSHAKE = -13,            /* it did not introduce itself as it must */
    LWB_ERR_PROTOCOL = -14,             /* a frame that must not come now, or at all */
    LWB_ERR_CHILD_EXITED = -15,         /* it ended: facts.status is its exit code */
    LWB_ERR_CHILD_ABORTED = -16,        /* it died of a signal: facts.signal */
    LWB_ERR_TIMEOUT = -17,              /* facts.operation, facts.ms */
    LWB_ERR_CANCELLED = -18,            /* facts.operation, facts.work_entered_child */
    LWB_ERR_HARD_MEMORY = -19,          /* killed over its memory limit: current, limit (bytes) */
    LWB_ERR_RESTART_LIMIT = -20,        /* too many replacements in the window */
    LWB_ERR_SHUTDOWN = -21,             /* the worker or pool is being shut down */
    LWB_ERR_WAIT = -22,                 /* the child could not be waited for */
    LWB_ERR_WORKER = -23,               /* the child refused: facts.child_code */
    LWB_ERR_UNSUPPORTED = -24,          /* this host does not offer that request */
    LWB_ERR_BUSY = -25,                 /* one request at a time */

    /* sessions and commands */
    LWB_ERR_SESSION_INVALID = -30,
    LWB_ERR_PROGRESS_SINK = -31, /* the caller's sink said stop */
    LWB_ERR_ROW_SINK = -32,
    LWB_ERR_DIAGNOSTIC_SINK = -33,
    LWB_ERR_STREAM_FAILED = -34,   /* the export ended with facts.status */
    LWB_ERR_STREAM_CALLBACK = -35, /* a call-back inside the child failed */
    LWB_ERR_ROW_MALFORMED = -36,   /* facts.stream, facts.sequence */
    LWB_ERR_METADATA_MALFORMED = -37,
    LWB_ERR_METADATA_MISMATCH = -38,
    LWB_ERR_DOCTOR_MALFORMED = -39,
    LWB_ERR_ENCODE_REQUEST = -40,
    LWB_ERR_DECODE_RESPONSE = -41,
    LWB_ERR_DECODE_ROW = -42, /* facts.stream, facts.sequence */
    LWB_ERR_DECODE_SUMMARY = -43,
    LWB_ERR_SETUP = -44,
    LWB_ERR_BOOTSTRAP = -45, /* facts.child_code: the bootstrap check that failed */
    LWB_ERR_CAPABILITY_BUILD = -46,

    /* the pool */
    LWB_ERR_LEASE_INVALID = -50,
    LWB_ERR_POOL_EXHAUSTED = -51,
    LWB_ERR_POOL_MEMORY = -52,
    LWB_ERR_POOL_TIMEOUT = -53,

    /* projects and plans */
    LWB_ERR_NO_PROJECT = -60,
    LWB_ERR_NO_TOOLCHAIN = -61,
    LWB_ERR_LAKEFILE = -62, /* a lakefile that is wrong or not understood: text has the line */
    LWB_ERR_MODULE_NAME = -63,
    LWB_ERR_TARGET = -64, /* a package or library that is not declared */
    LWB_ERR_CYCLE = -65,
    LWB_ERR_MISSING_IMPORT = -66,
    LWB_ERR_DUPLICATE_MODULE = -67,
    LWB_ERR_NO_MODULES = -68,
    LWB_ERR_STALE_IMPORT = -69,
};

/* What the code refers to; a field that says nothing is 0, "" or NULL. */
struct lwb_facts {
    const char *operation; /* a string constant, such as "check" */
    uint64_t ms;           /* the time that was allowed */
    uint64_t current;
    uint64_t limit;
    uint64_t sequence;
    int status;
    int signal;
    bool out_of_memory;      /* the kernel killed the child for want of memory */
    bool work_entered_child; /* the request had been sent, wholly or in part */
    char child_code[40];
    char stream[64];
};

struct lwb_error {
    enum lwb_code code;
    int sys;        /* errno, 0 if none */
    char text[600]; /* one line, no newline, no trailing dot */
    struct lwb_facts facts;
};

/* Fill err and return code, so that a failure is one line: return lwb_fail(...). Clears facts. */
int lwb_fail(struct lwb_error *err, enum lwb_code code, const char *format, ...) LWB_PRINTF(3, 4);

/* As above with ": <strerror(errno)>" behind the text and errno in err->sys. */
int lwb_fail_errno(struct lwb_error *err, enum lwb_code code, const char *format, ...)
    LWB_PRINTF(3, 4);

/* LWB_ERR_MEMORY, with the one text that needs no words. */
int lwb_fail_memory(struct lwb_error *err);

/* Say where it happened: puts "<context>: " in front of err->text. Returns err->code. */
int lwb_error_context(struct lwb_error *err, const char *format, ...) LWB_PRINTF(2, 3);

#ifdef __clang_analyzer__
/* These live in another file, where the analyzer cannot see that codes of failures are negative. */
static inline int lwb_is_negative(int code)
{
    __builtin_assume(code < 0);
    return code;
}
#define lwb_fail(...) lwb_is_negative((lwb_fail)(__VA_ARGS__))
#define lwb_fail_errno(...) lwb_is_negative((lwb_fail_errno)(__VA_ARGS__))
#define lwb_fail_memory(err) lwb_is_negative((lwb_fail_memory)(err))
#define lwb_error_context(...) lwb_is_negative((lwb_error_context)(__VA_ARGS__))
#endif

/* "missing-import", "timeout": stable names for JSON output; "unknown" for others. */
const char *lwb_code_name(enum lwb_code code);

/* Returns 0, or -1 for a word that names no code. */
int lwb_code_parse(enum lwb_code *out, const char *name);
