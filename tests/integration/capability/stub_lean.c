/*
 * A Lean without Lean. The runtime part knows objects and initialisation; the
 * module part is what lean -c would have written for three exports, with the
 * arguments that this version (STUB_MINOR, STUB_BUILTIN) gives to functions.
 */
#include "stub_lean.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lean_object {
    enum { TEXT, RESULT_OK, RESULT_ERROR } kind;
    unsigned count;
    lean_object *value;
    size_t size;
    char text[];
};

static char log_text[256];
static size_t live;
static bool broken;

static void say(const char *word)
{
    size_t len = strlen(log_text);

    (void)snprintf(log_text + len, sizeof(log_text) - len, "%s%s", len ? " " : "", word);
}

const char *stub_lean_log(void)
{
    return log_text;
}

size_t stub_lean_live(void)
{
    return live;
}

void stub_lean_break(void)
{
    broken = true;
}

/* ---- objects ---------------------------------------------------------------------------------- */

static lean_object *make(int kind, size_t size)
{
    lean_object *o = calloc(1, sizeof(*o) + size);

    assert(o);
    o->kind = kind;
    o->count = 1;
    o->size = size;
    live++;
    return o;
}

lean_object *lean_box(size_t n)
{
    return (lean_object *)(n << 1 | 1);
}

size_t lean_unbox(b_lean_obj_arg o)
{
    return (size_t)o >> 1;
}

void lean_dec_ref(lean_object *o)
{
    assert(o->count > 0);
    if (--o->count > 0)
        return;
    if (o->value && !((size_t)o->value & 1))
        lean_dec_ref(o->value);
    free(o);
    live--;
}

lean_object *stub_lean_string(const char *bytes, size_t len)
{
    lean_object *o = make(TEXT, len + 1);

    memcpy(o->text, bytes, len);
    return o;
}

lean_object *lean_mk_string(const char *text)
{
    return stub_lean_string(text, strlen(text));
}

const char *lean_string_cstr(b_lean_obj_arg o)
{
    assert(o->kind == TEXT);
    return o->text;
}

size_t lean_string_size(b_lean_obj_arg o)
{
    return o->size;
}

/* ---- IO --------------------------------------------------------------------------------------- */

static lean_object *make_result(int kind, lean_object *value)
{
    lean_object *o = make(kind, 0);

    o->value = value;
    return o;
}

lean_object *lean_io_result_mk_ok(lean_object *value)
{
    return make_result(RESULT_OK, value);
}

lean_object *stub_lean_error(const char *text)
{
    return make_result(RESULT_ERROR, lean_mk_string(text));
}

bool lean_io_result_is_ok(b_lean_obj_arg result)
{
    assert(result->kind != TEXT);
    return result->kind == RESULT_OK;
}

b_lean_obj_arg lean_io_result_get_value(b_lean_obj_arg result)
{
    assert(result->kind == RESULT_OK);
    return result->value;
}

void lean_io_result_show_error(b_lean_obj_arg result)
{
    fprintf(stderr, "uncaught exception: %s\n", result->value->text);
}

#if STUB_MINOR < 26
lean_object *lean_io_mk_world(void)
{
    return lean_box(0);
}

void stub_lean_check_world(const lean_object *world)
{
    assert(world == lean_io_mk_world());
}
#endif

/* ---- the runtime ------------------------------------------------------------------------------ */

void lean_initialize_runtime_module(void);
void lean_initialize(void);

void lean_initialize_runtime_module(void)
{
    say("runtime");
}

void lean_initialize(void)
{
    say("library");
}

void lean_set_exit_on_panic(bool flag)
{
    assert(flag);
}

void lean_init_task_manager(void)
{
    say("tasks");
}

void lean_io_mark_end_initialization(void)
{
    say("end");
}

/* ---- the module ------------------------------------------------------------------------------- */

#if !STUB_BUILTIN
lean_object *STUB_INITIALIZER(lean_object *world);
lean_object *STUB_INITIALIZER(lean_object *world)
{
    stub_lean_check_world(world);
#else
lean_object *STUB_INITIALIZER(uint8_t builtin STUB_WORLD);
lean_object *STUB_INITIALIZER(uint8_t builtin STUB_WORLD)
{
    assert(builtin == 1);
    STUB_CHECK_WORLD;
#endif
    say("module");
    return broken ? stub_lean_error("no such luck") : lean_io_result_mk_ok(lean_box(0));
}

/* The request; or, for some requests, what shall not get through. */
lean_object *stub_echo(lean_object *request STUB_WORLD);
lean_object *stub_echo(lean_object *request STUB_WORLD)
{
    lean_object *result;

    STUB_CHECK_WORLD;
    if (strcmp(lean_string_cstr(request), "\"nul\"") == 0)
        result = lean_io_result_mk_ok(stub_lean_string("\"a\0b\"", 5));
    else if (strcmp(lean_string_cstr(request), "\"error\"") == 0)
        result = stub_lean_error("not found\n  file: nowhere");
    else
        return lean_io_result_mk_ok(request);
    lean_dec_ref(request);
    return result;
}

lean_object *lwb_lean_emit(size_t callback, size_t context, b_lean_obj_arg envelope STUB_WORLD);

static size_t last_callback;
static size_t last_context;
static unsigned emitted;

/* The request is an envelope, which is emitted three times, or as long as it is wanted. */
lean_object *stub_repeat(lean_object *request, size_t callback, size_t context STUB_WORLD);
lean_object *stub_repeat(lean_object *request, size_t callback, size_t context STUB_WORLD)
{
    size_t status = 0;

    last_callback = callback;
    last_context = context;
    for (emitted = 0; emitted < 3 && status == 0; emitted++) {
        lean_object *result = lwb_lean_emit(callback, context, request STUB_PASS_WORLD);

        status = lean_unbox(lean_io_result_get_value(result));
        lean_dec_ref(result);
    }
    lean_dec_ref(request);
    return lean_io_result_mk_ok(lean_box(status));
}

lean_object *lwb_lean_row(size_t callback, size_t context, b_lean_obj_arg name,
                          b_lean_obj_arg json STUB_WORLD);

/* The request is a row, which is handed over three times. */
lean_object *stub_rows(lean_object *request, size_t callback, size_t context STUB_WORLD);
lean_object *stub_rows(lean_object *request, size_t callback, size_t context STUB_WORLD)
{
    bool with_nul = strcmp(lean_string_cstr(request), "nul") == 0;
    lean_object *json = with_nul ? stub_lean_string("a\0b", 3) : lean_mk_string(request->text);
    lean_object *name = lean_mk_string("n");
    size_t status = 0;

    for (int i = 0; i < 3 && status == 0; i++) {
        lean_object *result = lwb_lean_row(callback, context, name, json STUB_PASS_WORLD);

        status = lean_unbox(lean_io_result_get_value(result));
        lean_dec_ref(result);
    }
    lean_dec_ref(name);
    lean_dec_ref(json);
    lean_dec_ref(request);
    return lean_io_result_mk_ok(lean_box(status));
}

/* A call-back that was kept and is used when its stream has ended; answers with its status. */
lean_object *stub_late(lean_object *request STUB_WORLD);
lean_object *stub_late(lean_object *request STUB_WORLD)
{
    lean_object *result = lwb_lean_emit(last_callback, last_context, request STUB_PASS_WORLD);
    size_t status = lean_unbox(lean_io_result_get_value(result));

    lean_dec_ref(result);
    lean_dec_ref(request);
    return lean_io_result_mk_ok(lean_mk_string(status ? "\"refused\"" : "\"taken\""));
}
