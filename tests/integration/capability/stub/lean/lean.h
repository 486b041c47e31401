#pragma once

/*
 * What the adaptor uses of lean.h, imitated: objects are counted, and arguments
 * that a version does not have are not there. Names are Lean's; the rest is not.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lean/version.h>

#define LEAN_EXPORT __attribute__((visibility("default")))

typedef struct lean_object lean_object;
typedef lean_object *b_lean_obj_arg;

lean_object *lean_box(size_t n);
size_t lean_unbox(b_lean_obj_arg o);
bool lean_is_scalar(b_lean_obj_arg o);
bool lean_is_string(b_lean_obj_arg o);
void lean_dec(lean_object *o);
void lean_dec_ref(lean_object *o);

lean_object *lean_mk_string(const char *text);
const char *lean_string_cstr(b_lean_obj_arg o);
size_t lean_string_size(b_lean_obj_arg o);

#if STUB_MINOR < 26
lean_object *lean_io_mk_world(void);
#endif
lean_object *lean_io_result_mk_ok(lean_object *value);
bool lean_io_result_is_ok(b_lean_obj_arg result);
b_lean_obj_arg lean_io_result_get_value(b_lean_obj_arg result);
void lean_io_result_show_error(b_lean_obj_arg result);

void lean_set_exit_on_panic(bool flag);
void lean_init_task_manager(void);
void lean_io_mark_end_initialization(void);
