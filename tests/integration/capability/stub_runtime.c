/*
 * A Lean without Lean: the runtime part, which knows objects and
 * initialisation. As a shared library it is the libleanshared of a fake
 * toolchain (fake_lean.cmake).
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

void stub_lean_say(const char *word)
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

/* ---- objects --------------------------------------------------------------------------------- */

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

bool lean_is_scalar(b_lean_obj_arg o)
{
    return (size_t)o & 1;
}

bool lean_is_string(b_lean_obj_arg o)
{
    return o->kind == TEXT;
}

void lean_dec(lean_object *o)
{
    if (!lean_is_scalar(o))
        lean_dec_ref(o);
}

void lean_dec_ref(lean_object *o)
{
    assert(o->count > 0);
    if (--o->count > 0)
        return;
    if (o->value)
        lean_dec(o->value);
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

/* ---- IO -------------------------------------------------------------------------------------- */

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

/* ---- the runtime ----------------------------------------------------------------------------- */

void lean_initialize_runtime_module(void);
void lean_initialize(void);

void lean_initialize_runtime_module(void)
{
    stub_lean_say("runtime");
}

void lean_initialize(void)
{
    stub_lean_say("library");
}

void lean_set_exit_on_panic(bool flag)
{
    assert(flag);
}

void lean_init_task_manager(void)
{
    stub_lean_say("tasks");
}

void lean_io_mark_end_initialization(void)
{
    stub_lean_say("end");
}
