/* What lean -c would have written for a few exports, with the arguments that this version gives. */
#include "stub_lean.h"

#include <assert.h>
#include <string.h>

static bool broken;

void stub_lean_break(void)
{
    broken = true;
}

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
    stub_lean_say("module");
    return broken ? stub_lean_error("no such luck") : lean_io_result_mk_ok(lean_box(0));
}

/* The request; or, for some requests, what shall not get through. */
lean_object *stub_echo(lean_object *request STUB_WORLD);
lean_object *stub_echo(lean_object *request STUB_WORLD)
{
    lean_object *result;

    STUB_CHECK_WORLD;
    if (strcmp(lean_string_cstr(request), "\"pure\"") == 0)
        return request;
    if (strcmp(lean_string_cstr(request), "\"number\"") == 0)
        result = lean_io_result_mk_ok(lean_box(7));
    else if (strcmp(lean_string_cstr(request), "\"nul\"") == 0)
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

/* Hands the row over three times. */
static size_t send_rows(b_lean_obj_arg json, size_t callback, size_t context STUB_WORLD)
{
    lean_object *name = lean_mk_string("n");
    size_t status = 0;

    for (int i = 0; i < 3 && status == 0; i++) {
        lean_object *result = lwb_lean_row(callback, context, name, json STUB_PASS_WORLD);

        status = lean_unbox(lean_io_result_get_value(result));
        lean_dec_ref(result);
    }
    lean_dec_ref(name);
    return status;
}

/* The request is the row; or, for some requests, what shall not get through. */
lean_object *stub_rows(lean_object *request, size_t callback, size_t context STUB_WORLD);
lean_object *stub_rows(lean_object *request, size_t callback, size_t context STUB_WORLD)
{
    size_t status;

    if (strcmp(lean_string_cstr(request), "pure") == 0)
        return request;
    if (strcmp(lean_string_cstr(request), "text") == 0)
        return lean_io_result_mk_ok(request);
    if (strcmp(lean_string_cstr(request), "nul") == 0) {
        lean_dec_ref(request);
        request = stub_lean_string("a\0b", 3);
    }
    status = send_rows(request, callback, context STUB_PASS_WORLD);
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
