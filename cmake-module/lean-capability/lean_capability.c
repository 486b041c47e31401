/*
 * A Lean library as a capability library (lwbuild/capability.h). Compiled by
 * add_lean_capability() against the lean.h of the project's own toolchain and
 * linked with the project's modules; the child that loads it never meets Lean.
 *
 * Names and signatures come from two headers: lean_exports.h, which the build
 * makes for each library, and lean_abi.h, which knows Lean's versions.
 *
 * Lean is started once per process, by the first session, and never ends; only
 * the thread that started it may call into it. A panic aborts, so that no default
 * value is taken for an answer, and a stack overflow aborts by itself: both
 * are the death of the child, with Lean's words on stderr. What IO throws is a
 * failure of that call alone.
 *
 * A stream's call-back takes one string per event, made by LWBuild.lean, which
 * hands rows over without:
 *
 *     row        <stream> <JSON>
 *     progress   <phase>  <current>[/<total>]
 *     diagnostic information|warning|error  <code> <text>
 *
 * with a line feed between the parts. Its last part may hold line feeds.
 *
 * This is one file on purpose: it becomes a part of other people's libraries, in
 * which it defines what capability.h names and what LWBuild.lean calls, and no
 * other word that could clash with theirs.
 */
#include "lean_exports.h"
#include "lean_abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/capability.h"

enum { FAILED = 1 }; /* what exports return after call->fail */

static int fail(const struct lwb_capability_call *call, const char *code, const char *text)
{
    (void)call->fail(call, code, text);
    return FAILED;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at `text`, 0 if it is none. `text` ends with a NUL. */
static size_t sequence_length(const unsigned char *text)
{
    static const unsigned smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = *text;
    size_t len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned point = len == 1 ? first : first & (0x7fU >> len);

    if (len == 0 || first >= 0xf8)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3f);
    }
    if (point < smallest[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    return len;
}

/* Lean counts on valid strings, and C ends them at the first NUL. */
static int check_request(const struct lwb_capability_call *call, const char *request, size_t len)
{
    size_t at = 0;
    size_t step = 1;

    if (memchr(request, '\0', len))
        return fail(call, "lean.nul", "the request holds a NUL");
    while (at < len && step) {
        step = sequence_length((const unsigned char *)request + at);
        at += step;
    }
    return step ? 0 : fail(call, "lean.utf8", "the request is not UTF-8");
}

/* ---- Lean's errors --------------------------------------------------------------------------- */

/* One line, and no half character at the end of a text that was cut. */
static void make_line(char *text)
{
    char *out = text;
    size_t step;

    for (const char *in = text; *in; in += step) {
        step = sequence_length((const unsigned char *)in);
        if (step == 0)
            break;
        if (*in != '\n')
            for (size_t i = 0; i < step; i++)
                *out++ = in[i];
        else if (strspn(in, "\n ") < strlen(in)) {
            *out++ = ' ';
            step = strspn(in, "\n ");
        }
    }
    *out = '\0';
}

/* An unnamed file, kept for the next error. Returns -1 when there is none to be had. */
static int open_error_file(void)
{
    static FILE *file;

    if (!file && (file = tmpfile()))
        (void)fcntl(fileno(file), F_SETFD, FD_CLOEXEC);
    if (!file || ftruncate(fileno(file), 0) != 0)
        return -1;
    return lseek(fileno(file), 0, SEEK_SET) == 0 ? fileno(file) : -1;
}

/*
 * Every Lean can print an error and none exports a function that returns its
 * text, so it prints into a file. Whatever the process itself has to say on
 * stderr meanwhile lands in the message.
 */
static void describe(b_lean_obj_arg result, char *text, size_t size)
{
    static const char prefix[] = "uncaught exception: ";
    int file = open_error_file();
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    ssize_t len = 0;

    if (file >= 0 && saved >= 0 && dup2(file, STDERR_FILENO) >= 0) {
        lean_io_result_show_error(result);
        (void)fflush(stderr);
        (void)dup2(saved, STDERR_FILENO);
        len = pread(file, text, size - 1, 0);
    }
    if (saved >= 0)
        (void)close(saved);
    text[len > 0 ? len : 0] = '\0';
    make_line(text);
    if (strncmp(text, prefix, strlen(prefix)) == 0)
        memmove(text, text + strlen(prefix), strlen(text + strlen(prefix)) + 1);
    if (!*text)
        (void)snprintf(text, size, "an error that cannot be shown");
}

static int fail_io(const struct lwb_capability_call *call, const char *code, b_lean_obj_arg result)
{
    char text[4096];

    describe(result, text, sizeof(text));
    return fail(call, code, text);
}

/* ---- the runtime ----------------------------------------------------------------------------- */

extern lwb_lean_initializer LWB_LEAN_INITIALIZER;

static struct {
    enum { NOT_STARTED, BROKEN, RUNNING } state;
    pthread_t thread;
    bool inside; /* of a function of the library */
} lean;

/* Read by Lean when it panics, and by its own search for modules. What is set on purpose stays. */
static void set_environment(void)
{
    (void)setenv("LEAN_SYSROOT", LWB_LEAN_SYSROOT, 0);
    (void)setenv("LEAN_ABORT_ON_PANIC", "1", 0);
    (void)setenv("LEAN_BACKTRACE", "0", 0); /* it calls back into Lean and can hang */
    lean_set_exit_on_panic(true);           /* for a Lean that does not know or heed the variable */
}

/*
 * Some Leans of 2021 abort by a write through a null pointer, which a compiler
 * may leave out; what remains is exit(1). Nobody shall take that, or an
 * IO.Process.exit, for an orderly end.
 */
static void on_exit_of_process(void)
{
    if (lean.inside)
        abort();
}

/* In Lean's own order: the runtime, its library, ours, tasks, the end of initialisation. */
static lean_object *initialize(void)
{
    lean_object *result;

#if !LWB_LEAN_STARTS_ITSELF
#if LWB_LEAN_USES_LEAN
    lean_initialize();
#else
    lean_initialize_runtime_module();
#endif
#endif
    set_environment();
    result = LWB_LEAN_INITIALIZE(LWB_LEAN_INITIALIZER);
    if (lean_io_result_is_ok(result))
        lean_init_task_manager();
    lean_io_mark_end_initialization();
    return result;
}

static int start(const struct lwb_capability_call *call)
{
    lean_object *result;
    int status = 0;

    /*
     * Modules remember that they were initialised, not that it went wrong: there
     * is no second try.
     */
    if (lean.state == BROKEN)
        return fail(call, "lean.initialize", "the library could not be initialised before");
    lean.state = BROKEN;
    lean.thread = pthread_self();
    if (atexit(on_exit_of_process) != 0)
        return fail(call, "lean.initialize", "out of memory");
    lean.inside = true;
    result = initialize();
    lean.inside = false;
    if (lean_io_result_is_ok(result))
        lean.state = RUNNING;
    else
        status = fail_io(call, "lean.initialize", result);
    lean_dec_ref(result);
    return status;
}

static int open_session(void **state, const struct lwb_capability_call *call, const char *request,
                        size_t len)
{
    (void)request;
    (void)len;
    if (lean.state != RUNNING && start(call) != 0)
        return FAILED;
    if (!pthread_equal(lean.thread, pthread_self()))
        return fail(call, "lean.thread", "Lean was started by another thread");
    *state = &lean;
    return 0;
}

/* Lean stays: it cannot be started twice in one process. */
static void close_session(void *state)
{
    (void)state;
}

/* What must hold before every call into Lean. */
static int prepare(const void *state, const struct lwb_capability_call *call, const char *request,
                   size_t len)
{
    if (state != &lean || lean.state != RUNNING)
        return fail(call, "lean.session", "there is no open session");
    if (!pthread_equal(lean.thread, pthread_self()))
        return fail(call, "lean.thread", "Lean was started by another thread");
    return check_request(call, request, len);
}

/* ---- commands -------------------------------------------------------------------------------- */

static bool is_text(b_lean_obj_arg object)
{
    return !lean_is_scalar(object) && lean_is_string(object);
}

/* In C a function of another type can look the same: one that is not in IO, from v4.26 on. */
static bool is_io_result(b_lean_obj_arg result)
{
    return !lean_is_scalar(result) && !lean_is_string(result);
}

static int fail_type(const struct lwb_capability_call *call, const char *type)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "the export does not have the type %s", type);
    return fail(call, "lean.type", text);
}

static int reply(const struct lwb_capability_call *call, b_lean_obj_arg answer)
{
    const char *json;
    size_t len;

    if (!is_text(answer))
        return fail_type(call, "String -> IO String");
    json = lean_string_cstr(answer);
    len = lean_string_size(answer) - 1;
    if (memchr(json, '\0', len))
        return fail(call, "lean.nul", "the answer holds a NUL");
    return call->reply(call, json, len);
}

static int run_command(void *state, const struct lwb_capability_call *call,
                       lwb_lean_command *export, const char *request, size_t len)
{
    lean_object *result;
    int status;

    if (prepare(state, call, request, len) != 0)
        return FAILED;
    lean.inside = true;
    result = export(lean_mk_string(request) LWB_LEAN_WORLD);
    lean.inside = false;
    if (!is_io_result(result))
        status = fail_type(call, "String -> IO String");
    else if (lean_io_result_is_ok(result))
        status = reply(call, lean_io_result_get_value(result));
    else
        status = fail_io(call, "lean.io", result);
    lean_dec(result);
    return status;
}

/* ---- streams --------------------------------------------------------------------------------- */

/* The stream that runs: there is one thread, so at most one. */
static struct {
    const struct lwb_capability_call *call; /* NULL: none */
    int status;                             /* not 0: nobody wants the rest */
} stream;

/* Copies the part up to the next line feed. Returns what is behind, NULL if there is none. */
static const char *take_part(char *out, size_t size, const char *text)
{
    const char *end = strchr(text, '\n');

    if (!end || (size_t)(end - text) >= size)
        return NULL;
    memcpy(out, text, (size_t)(end - text));
    out[end - text] = '\0';
    return end + 1;
}

static int malformed(const struct lwb_capability_call *call)
{
    return fail(call, "lean.envelope",
                "what was emitted is no row, progress or diagnostic as LWBuild.lean makes them");
}

static int emit_progress(const struct lwb_capability_call *call, const char *phase,
                         const char *numbers)
{
    char *end;
    uint64_t current = strtoull(numbers, &end, 10);
    uint64_t total;

    if (end == numbers)
        return malformed(call);
    if (*end == '\0')
        return call->progress(call, phase, current, NULL);
    if (*end != '/')
        return malformed(call);
    total = strtoull(end + 1, &end, 10);
    return *end == '\0' ? call->progress(call, phase, current, &total) : malformed(call);
}

static int emit_diagnostic(const struct lwb_capability_call *call, const char *severity,
                           const char *rest)
{
    static const char *const severities[] = {
        [LWB_CAPABILITY_INFORMATION] = "information",
        [LWB_CAPABILITY_WARNING] = "warning",
        [LWB_CAPABILITY_ERROR] = "error",
    };
    char code[128];
    const char *text = take_part(code, sizeof(code), rest);

    for (int i = 0; text && i <= LWB_CAPABILITY_ERROR; i++)
        if (strcmp(severity, severities[i]) == 0)
            return call->diagnostic(call, (enum lwb_capability_severity)i, code, text);
    return malformed(call);
}

static int emit(const struct lwb_capability_call *call, const char *text, size_t len)
{
    char kind[16];
    char name[256];
    const char *rest;

    if (memchr(text, '\0', len))
        return fail(call, "lean.nul", "what was emitted holds a NUL");
    rest = take_part(kind, sizeof(kind), text);
    if (rest)
        rest = take_part(name, sizeof(name), rest);
    if (!rest)
        return malformed(call);
    if (strcmp(kind, "row") == 0)
        return call->row(call, name, rest, len - (size_t)(rest - text));
    if (strcmp(kind, "progress") == 0)
        return emit_progress(call, name, rest);
    if (strcmp(kind, "diagnostic") == 0)
        return emit_diagnostic(call, name, rest);
    return malformed(call);
}

/* The stream that runs, on its own thread; not one that has ended, and not from a task. */
static bool is_running(size_t context)
{
    return pthread_equal(lean.thread, pthread_self()) && stream.call &&
           context == (size_t)(uintptr_t)stream.call;
}

typedef uint8_t on_envelope_fn(size_t context, b_lean_obj_arg envelope);

/* Borrows the envelope; its bytes are copied before this returns. */
static uint8_t on_envelope(size_t context, b_lean_obj_arg envelope)
{
    if (!is_running(context))
        return FAILED;
    if (stream.status == 0)
        stream.status =
            emit(stream.call, lean_string_cstr(envelope), lean_string_size(envelope) - 1);
    return stream.status == 0 ? 0 : FAILED;
}

/* The most frequent event without an envelope: nothing is put together and taken apart again. */
static uint8_t on_row(size_t context, b_lean_obj_arg name, b_lean_obj_arg json)
{
    size_t len = lean_string_size(json) - 1;

    if (!is_running(context))
        return FAILED;
    if (stream.status != 0)
        return FAILED;
    if (memchr(lean_string_cstr(json), '\0', len))
        stream.status = fail(stream.call, "lean.nul", "what was emitted holds a NUL");
    else
        stream.status =
            stream.call->row(stream.call, lean_string_cstr(name), lean_string_cstr(json), len);
    return stream.status == 0 ? 0 : FAILED;
}

/* What LWBuild.lean declares:
 *     lwb_lean_emit (callback context : USize) (envelope : @& String) : IO UInt8
 *     lwb_lean_row (callback context : USize) (stream json : @& String) : IO UInt8
 */
lean_object *lwb_lean_emit(size_t callback, size_t context,
                           b_lean_obj_arg envelope LWB_LEAN_WORLD_PARAMETER);
lean_object *lwb_lean_row(size_t callback, size_t context, b_lean_obj_arg name,
                          b_lean_obj_arg json LWB_LEAN_WORLD_PARAMETER);

lean_object *lwb_lean_emit(size_t callback, size_t context,
                           b_lean_obj_arg envelope LWB_LEAN_WORLD_PARAMETER)
{
    on_envelope_fn *function = (on_envelope_fn *)(uintptr_t)callback;

    LWB_LEAN_IGNORE_WORLD;
    return lean_io_result_mk_ok(
        lean_box(function == on_envelope ? function(context, envelope) : FAILED));
}

lean_object *lwb_lean_row(size_t callback, size_t context, b_lean_obj_arg name,
                          b_lean_obj_arg json LWB_LEAN_WORLD_PARAMETER)
{
    on_envelope_fn *function = (on_envelope_fn *)(uintptr_t)callback;

    LWB_LEAN_IGNORE_WORLD;
    return lean_io_result_mk_ok(
        lean_box(function == on_envelope ? on_row(context, name, json) : FAILED));
}

/* ---- texts of rows --------------------------------------------------------------------------- */

/* What LWBuild.lean declares, for rows: what Lean does itself by lists of characters.
 *     lwb_lean_decimal (n : USize) : String
 *     lwb_lean_json_text (text : @& String) : String
 */
lean_object *lwb_lean_decimal(size_t n);
lean_object *lwb_lean_json_text(b_lean_obj_arg text);

lean_object *lwb_lean_decimal(size_t n)
{
    char digits[24];
    char *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do
        *--at = (char)('0' + n % 10);
    while (n /= 10);
    return lean_mk_string(at);
}

/* Bytes that `c` takes in a JSON text. */
static size_t escaped_size(unsigned char c)
{
    if (c == '"' || c == '\\')
        return 2;
    return c < 0x20 ? 6 : 1;
}

static char *escape(char *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char start[] = { '\\', 'u', '0', '0' };

    if (c >= 0x20) {
        *out++ = '\\';
        *out++ = (char)c;
        return out;
    }
    memcpy(out, start, sizeof(start));
    out[4] = hex[c >> 4];
    out[5] = hex[c & 0xf];
    return out + 6;
}

lean_object *lwb_lean_json_text(b_lean_obj_arg text)
{
    const unsigned char *in = (const unsigned char *)lean_string_cstr(text);
    size_t len = lean_string_size(text) - 1;
    size_t size = sizeof("\"\"");
    char small[512];
    char *json;
    char *out;
    lean_object *made;

    for (size_t i = 0; i < len; i++)
        size += escaped_size(in[i]);
    json = size <= sizeof(small) ? small : malloc(size);
    if (!json)
        abort(); /* as Lean does */
    out = json;
    *out++ = '"';
    for (size_t i = 0; i < len; i++) {
        if (escaped_size(in[i]) == 1)
            *out++ = (char)in[i];
        else
            out = escape(out, in[i]);
    }
    *out++ = '"';
    *out = '\0';
    made = lean_mk_string(json);
    if (json != small)
        free(json);
    return made;
}

/* ---- a stream from start to end -------------------------------------------------------------- */

static int finish_stream(const struct lwb_capability_call *call, b_lean_obj_arg result)
{
    if (stream.status != 0)
        return stream.status;
    if (is_io_result(result) && !lean_io_result_is_ok(result))
        return fail_io(call, "lean.io", result);
    if (!is_io_result(result) || !lean_is_scalar(lean_io_result_get_value(result)))
        return fail_type(call, "String -> USize -> USize -> IO UInt8");
    return (int)lean_unbox(lean_io_result_get_value(result));
}

static int run_stream(void *state, const struct lwb_capability_call *call, lwb_lean_stream *export,
                      const char *request, size_t len)
{
    on_envelope_fn *callback = on_envelope;
    lean_object *result;
    int status;

    if (prepare(state, call, request, len) != 0)
        return FAILED;
    stream.call = call;
    stream.status = 0;
    lean.inside = true;
    result = export(lean_mk_string(request), (size_t)(uintptr_t)callback,
                    (size_t)(uintptr_t)call LWB_LEAN_WORLD);
    lean.inside = false;
    status = finish_stream(call, result);
    stream.call = NULL;
    lean_dec(result);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define DEFINE_COMMAND(name, symbol)                                                               \
    extern lwb_lean_command symbol;                                                                \
    static int run_##symbol(void *state, const struct lwb_capability_call *call,                   \
                            const char *request, size_t len)                                       \
    {                                                                                              \
        return run_command(state, call, symbol, request, len);                                     \
    }

#define DEFINE_STREAM(name, symbol)                                                                \
    extern lwb_lean_stream symbol;                                                                 \
    static int run_##symbol(void *state, const struct lwb_capability_call *call,                   \
                            const char *request, size_t len)                                       \
    {                                                                                              \
        return run_stream(state, call, symbol, request, len);                                      \
    }

LWB_LEAN_METADATA(DEFINE_COMMAND)
LWB_LEAN_DOCTOR(DEFINE_COMMAND)
LWB_LEAN_COMMANDS(DEFINE_COMMAND)
LWB_LEAN_STREAMS(DEFINE_STREAM)

/* For a library that exports no metadata or doctor of its own. */
static int run_default_metadata(void *state, const struct lwb_capability_call *call,
                                const char *request, size_t len)
{
    static const char answer[] = LWB_LEAN_DEFAULT_METADATA(LWB_LEAN_VERSION);

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

static int run_default_doctor(void *state, const struct lwb_capability_call *call,
                              const char *request, size_t len)
{
    static const char answer[] = "{\"diagnostics\":[{\"severity\":\"pass\",\"code\":\"lean.ready\","
                                 "\"message\":\"Lean " LWB_LEAN_VERSION " is initialised\"}]}";

    (void)state;
    (void)request;
    (void)len;
    return call->reply(call, answer, sizeof(answer) - 1);
}

/* The child takes the first of a name. */
#define METADATA_ENTRY(name, symbol) { LWB_CAPABILITY_METADATA, name, run_##symbol },
#define DOCTOR_ENTRY(name, symbol) { LWB_CAPABILITY_DOCTOR, name, run_##symbol },
#define COMMAND_ENTRY(name, symbol) { LWB_CAPABILITY_COMMAND, name, run_##symbol },
#define STREAM_ENTRY(name, symbol) { LWB_CAPABILITY_STREAM, name, run_##symbol },

/* clang-format off */
static const struct lwb_capability_export exports[] = {
    LWB_LEAN_METADATA(METADATA_ENTRY)
    LWB_LEAN_DOCTOR(DOCTOR_ENTRY)
    LWB_LEAN_COMMANDS(COMMAND_ENTRY)
    LWB_LEAN_STREAMS(STREAM_ENTRY)
    { LWB_CAPABILITY_METADATA, "metadata", run_default_metadata },
    { LWB_CAPABILITY_DOCTOR, "doctor", run_default_doctor },
};
/* clang-format on */

static const struct lwb_capability table = {
    .abi = LWB_CAPABILITY_ABI,
    .size = sizeof(table),
    .name = LWB_LEAN_NAME,
    .version = LWB_LEAN_CAPABILITY_VERSION,
    .exports = exports,
    .n_exports = sizeof(exports) / sizeof(exports[0]),
    .open = open_session,
    .close = close_session,
};

LWB_CAPABILITY_DEFINE(table)
