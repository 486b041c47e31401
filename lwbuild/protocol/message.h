#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/protocol/diagnostic.h"

/*
 * Messages between a parent and its child, as plain structs; PROTOCOL.md lists
 * every field. Each struct has one encode and one decode function. Strings in
 * a decoded message are borrowed from the message (struct lwb_message), which
 * keeps the parsed JSON; arrays in it belong to the message as well.
 */
#define LWB_PROTOCOL_VERSION 1

enum lwb_message_type {
    /* requests, parent to child; each is answered by one response or one refusal */
    LWB_MSG_HELLO,
    LWB_MSG_HEALTH,
    LWB_MSG_OPEN,
    LWB_MSG_CHECK,
    LWB_MSG_ELABORATE,
    LWB_MSG_KERNEL_CHECK,
    LWB_MSG_DECLARATION_KINDS,
    LWB_MSG_DECLARATION_NAMES,
    LWB_MSG_STREAM,
    LWB_MSG_METADATA,
    LWB_MSG_DOCTOR,
    LWB_MSG_COMMAND,
    LWB_MSG_TERMINATE,
    /* terminal answers, child to parent */
    LWB_MSG_RESPONSE, /* success: fields depend on the request */
    LWB_MSG_REFUSAL,  /* failure: code and text */
    /* events, child to parent, only between a request and its terminal answer */
    LWB_MSG_PROGRESS,
    LWB_MSG_DIAGNOSTIC,
    LWB_MSG_ROWS,
};

/* In every frame; version, generation and request are checked on both sides. */
struct lwb_message_head {
    uint64_t version;
    uint64_t generation; /* counts the child processes of one worker, from 1 */
    uint64_t request;    /* counts the requests of one generation, from 1 */
    enum lwb_message_type type;
};

/* ---- hello ---------------------------------------------------------------------------- */

struct lwb_hello_request {
    uint64_t max_frame; /* bytes the parent accepts and asks the child to accept */
    const char *parent; /* "lwbuild 0.1.0" */
};

struct lwb_host_offer {
    const char *kind;   /* "lean", "kernel", "capability", "echo" */
    const char *digest; /* hex digest of the host's sources: part of every module key */
};

struct lwb_hello_response {
    const char *child;  /* "lwbuild-child 0.1.0" */
    uint64_t max_frame; /* what will be used: at most what was asked for */
    uint64_t pid;
    struct lwb_host_offer *hosts;
    size_t n_hosts;
    const char *lean_version; /* NULL if not known before a session is open */
};

/* ---- open: which world the session is about -------------------------------------------- */

/* Absolute paths. What a host does not need, it ignores. */
struct lwb_open_request {
    const char *host;
    const char *project_root;
    const char *package;
    const char *library;
    const char *source_root;              /* -R of lean, cwd of its worker */
    const char *toolchain;                /* prefix: <toolchain>/bin/lean */
    const char *toolchain_version;        /* "4.9.0", "4.0.0-nightly-2021-11-29" */
    const struct lwb_strvec *imports;     /* header lines' modules in order, modifiers included:
                                             "Init.Data", "public import A" is "public A" */
    const struct lwb_strvec *options;     /* "name=value", in order */
    const struct lwb_strvec *search_path; /* folders with .olean files, in order */
    const struct lwb_strvec *plugins;     /* shared libraries to load */
    const char *capability;               /* path of a capability library, or of its manifest */
    const char *scratch; /* private folder for temporary files; exists, is the session's */
    bool prelude;        /* the modules start with `prelude` */
    bool module_system;  /* the modules start with `module` */
    uint64_t threads;    /* 0: host's choice */
    uint64_t max_memory; /* bytes a check may use; 0: no limit of the host's own */
};

struct lwb_open_response {
    const char *lean_version; /* NULL for hosts without one */
    const char *note;         /* one line for people, or NULL */
};

/* ---- check: is this module right? ------------------------------------------------------- */

enum lwb_isolation { LWB_ISOLATION_WARM, LWB_ISOLATION_FRESH };

struct lwb_check_request {
    const char *module;      /* "A.B" */
    const char *file;        /* label for messages, relative to the source root: "A/B.lean" */
    const char *path;        /* set when the child shall read the file itself (exports) */
    const char *digest;      /* with path: hex SHA-256 that its content must have */
    struct lwb_bytes source; /* attachment: the bytes that were hashed (when path is NULL) */
    enum lwb_isolation isolation;
    bool want_artifact;   /* others import this module: produce its .olean in scratch */
    uint64_t deadline_ms; /* soft limit for hosts that can stop by themselves; 0: none */
    uint64_t max_diagnostic_bytes;
};

enum lwb_verdict {
    LWB_VERDICT_ACCEPTED,
    LWB_VERDICT_REJECTED, /* the host's own no, with an error message that says where */
    LWB_VERDICT_NONE,     /* no verdict: reason says why; never stored */
};

/* Why there is no verdict, or why a rejection must not be stored. Stable words in JSON. */
enum lwb_reason {
    LWB_REASON_NONE,        /* "" */
    LWB_REASON_TIME,        /* "time" */
    LWB_REASON_MEMORY,      /* "memory" */
    LWB_REASON_CRASH,       /* "crash" */
    LWB_REASON_PANIC,       /* "panic" */
    LWB_REASON_CANCELLED,   /* "cancelled" */
    LWB_REASON_NO_MESSAGE,  /* "no-message": exit 1 without an error in this file */
    LWB_REASON_IMPORT,      /* "import": an import could not be loaded */
    LWB_REASON_CHANGED,     /* "changed": the input is not what was hashed */
    LWB_REASON_DECLINED,    /* "declined": the kernel does not decide this file */
    LWB_REASON_LIMIT,       /* "limit": of heartbeats, steps, recursion or stack */
    LWB_REASON_OVERFLOW,    /* "overflow": answer too large */
    LWB_REASON_ARTIFACT,    /* "artifact": the .olean is not whole, or was never written */
    LWB_REASON_UNSUPPORTED, /* "unsupported" */
    LWB_REASON_BLOCKED,     /* "blocked": an import was rejected (driver only) */
};

const char *lwb_reason_name(enum lwb_reason reason);
int lwb_reason_parse(enum lwb_reason *out, const char *name);
const char *lwb_verdict_name(enum lwb_verdict verdict); /* "accepted", "rejected", "none" */
int lwb_verdict_parse(enum lwb_verdict *out, const char *name);

struct lwb_artifact {
    const char *part; /* "olean", "olean.server", "olean.private", "ir", "ir.sig" */
    const char *path; /* private file in the session's scratch folder; the parent takes it */
    struct lwb_digest digest;
    uint64_t size;
};

/* How many rows of a stream a request has sent; every response that follows rows carries this. */
struct lwb_stream_count {
    const char *stream;
    uint64_t rows;
};

/* Diagnostics come before, as events; so do rows (stream "declarations" of the kernel host). */
struct lwb_check_response {
    enum lwb_verdict verdict;
    enum lwb_reason reason;
    const char *detail; /* one line for people when reason is set, else NULL */
    bool fresh;         /* how it was made: in a process of its own */
    bool storable;  /* false when the verdict must not be kept: it rests on a limit, or a panic */
    bool truncated; /* diagnostics over the byte limit were dropped */
    uint64_t check_ns; /* the host's own time */
    struct lwb_artifact *artifacts;
    size_t n_artifacts;
    struct lwb_stream_count *streams; /* filled by the serve loop, not by hosts */
    size_t n_streams;
};

/* ---- elaborate, kernel check, declarations ------------------------------------------------ */

struct lwb_elaborate_request {
    const char *label;
    const char *namespace_context; /* NULL: root */
    uint64_t heartbeats;           /* 0: host's default; the child enforces a ceiling */
    uint64_t max_diagnostic_bytes;
    struct lwb_bytes source; /* attachment */
};

struct lwb_elaborate_response {
    bool success;
    bool truncated;
};

enum lwb_kernel_status {
    LWB_KERNEL_CHECKED,
    LWB_KERNEL_REJECTED,
    LWB_KERNEL_UNAVAILABLE,
    LWB_KERNEL_UNSUPPORTED,
};

struct lwb_kernel_response {
    enum lwb_kernel_status status;
    bool truncated;
};

/* names: kinds[i] answers names[i]; "" when there is no such declaration. */
struct lwb_declaration_kinds_request {
    const struct lwb_strvec *names;
};

struct lwb_declaration_names_request {
    const char *prefix; /* "" for all */
};

/* Decoded: the strings and the array are the message's; do not release them. */
struct lwb_strings_response {
    struct lwb_strvec items;
};

/* ---- capabilities ---------------------------------------------------------------------------- */

/* For command, stream, metadata and doctor: an export and a JSON text for it (attachment). */
struct lwb_export_request {
    const char *name;
    struct lwb_bytes json;
};

/* The response of command, metadata and doctor. */
struct lwb_answer {
    struct lwb_bytes json; /* attachment */
    struct lwb_stream_count *streams;
    size_t n_streams;
};

/* The response of stream. */
struct lwb_stream_summary {
    uint64_t total_rows; /* the sum of streams[].rows */
    struct lwb_stream_count *streams;
    size_t n_streams;
    uint64_t child_ns;
    struct lwb_bytes metadata; /* attachment: JSON, or empty */
};

/* ---- events ---------------------------------------------------------------------------------- */

struct lwb_progress {
    const char *phase;
    uint64_t current;
    bool has_total;
    uint64_t total;
    uint64_t elapsed_ns;
};

/*
 * Rows: the head names the stream and the sequence number of the first row; the
 * attachment is rows, each a 4-byte big-endian length and that many bytes.
 */
struct lwb_rows {
    const char *stream;
    uint64_t first;
    uint64_t count;
    struct lwb_bytes packed;
};

/* Next row of a packed list: 1, 0 at its end, -1 when it is cut. */
int lwb_rows_next(struct lwb_bytes *packed, struct lwb_bytes *row);

/* ---- refusal: why a request was not answered ------------------------------------------------- */

/*
 * `code` is a name of lwb_code_name, or a word of the host's own. Numbers that
 * say nothing are 0, texts NULL.
 */
struct lwb_refusal {
    const char *code;
    const char *text;
    int64_t status;
    const char *stream;
    uint64_t sequence;
    uint64_t current;
    uint64_t limit;
};

/* Borrows from err: LWB_ERR_WORKER with facts.child_code becomes that word. */
void lwb_refusal_from_error(struct lwb_refusal *out, const struct lwb_error *err);

/*
 * Returns the code put into err. A child may claim what only it can know
 * (unsupported, session, command and project codes); whatever else it says,
 * "timeout" for example, becomes LWB_ERR_WORKER with facts.child_code.
 */
int lwb_refusal_to_error(const struct lwb_refusal *refusal, struct lwb_error *err);

/* ---- bytes <-> structs ----------------------------------------------------------------------- */

struct cJSON;
struct lwb_member;
struct lwb_message_block;

/* One received payload, parsed. The payload's bytes must outlive it. */
struct lwb_message {
    struct lwb_message_head head;
    struct lwb_bytes attachment; /* ptr is NULL when there is none */

    /* The codecs' own: the members, scanned or as a tree. */
    struct lwb_bytes text;
    struct lwb_member *members;
    size_t n_members;
    struct cJSON *json;
    struct lwb_message_block *blocks;
};

/* "hello", "kernel-check", "rows", ... */
const char *lwb_message_type_name(enum lwb_message_type type);
bool lwb_message_type_is_request(enum lwb_message_type type);

/*
 * LWB_ERR_PROTOCOL: not JSON, another protocol version, an unknown type, ids
 * that are missing. Members that this version does not know are ignored.
 */
int lwb_message_decode(struct lwb_message *out, struct lwb_bytes payload, struct lwb_error *err);
void lwb_message_release(struct lwb_message *message);
LWB_DEFINE_AUTO(struct lwb_message, lwb_message_release);

/*
 * Encoders append one whole frame to `out`. The version is put in by them,
 * generation, request and type come from `head` (which says which request an
 * lwb_export_request or lwb_elaborate_request is). A payload over `limit` is
 * LWB_ERR_LIMIT with facts and leaves `out` as it was.
 *
 * Decoders take a message of the right type; LWB_ERR_PROTOCOL names what is
 * missing or wrong.
 */
#define LWB_DECLARE_CODEC(name, type)                                                              \
    int lwb_##name##_encode(struct lwb_buf *out, const struct lwb_message_head *head,              \
                            const type *value, uint32_t limit, struct lwb_error *err);             \
    int lwb_##name##_decode(type *out, struct lwb_message *message, struct lwb_error *err)

/* health and terminate, and the responses to them: nothing but the head. */
int lwb_plain_encode(struct lwb_buf *out, const struct lwb_message_head *head, uint32_t limit,
                     struct lwb_error *err);

LWB_DECLARE_CODEC(hello_request, struct lwb_hello_request);
LWB_DECLARE_CODEC(open_request, struct lwb_open_request);
LWB_DECLARE_CODEC(check_request, struct lwb_check_request);
LWB_DECLARE_CODEC(elaborate_request, struct lwb_elaborate_request);
LWB_DECLARE_CODEC(declaration_kinds_request, struct lwb_declaration_kinds_request);
LWB_DECLARE_CODEC(declaration_names_request, struct lwb_declaration_names_request);
LWB_DECLARE_CODEC(export_request, struct lwb_export_request);

LWB_DECLARE_CODEC(hello_response, struct lwb_hello_response);
LWB_DECLARE_CODEC(open_response, struct lwb_open_response);
LWB_DECLARE_CODEC(check_response, struct lwb_check_response);
LWB_DECLARE_CODEC(elaborate_response, struct lwb_elaborate_response);
LWB_DECLARE_CODEC(kernel_response, struct lwb_kernel_response);
LWB_DECLARE_CODEC(strings_response, struct lwb_strings_response);
LWB_DECLARE_CODEC(answer, struct lwb_answer);
LWB_DECLARE_CODEC(stream_summary, struct lwb_stream_summary);
LWB_DECLARE_CODEC(refusal, struct lwb_refusal);

LWB_DECLARE_CODEC(progress, struct lwb_progress);
LWB_DECLARE_CODEC(diagnostic, struct lwb_diagnostic);
LWB_DECLARE_CODEC(rows, struct lwb_rows);

/* The row counts of any response; none when it carries none. */
int lwb_message_streams(struct lwb_message *response, struct lwb_stream_count **streams,
                        size_t *n_streams, struct lwb_error *err);
