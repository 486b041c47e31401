#pragma once

#include <lean/lean.h>

/* The other end of the stub: what the adaptor did, in order, and what it left behind. */

/* "runtime", "library", "module", "tasks", "end" with blanks between. */
const char *stub_lean_log(void);
void stub_lean_say(const char *word);

/* Objects that nobody has given back. */
size_t stub_lean_live(void);

/* The initialiser of the module fails from now on. */
void stub_lean_break(void);

/* A string with a NUL inside, for what must be refused. */
lean_object *stub_lean_string(const char *bytes, size_t len);
lean_object *stub_lean_error(const char *text);

/* A module of this row: the names are those that its lean_exports.h has. */
#if STUB_MINOR >= 26
#define STUB_WORLD
#define STUB_CHECK_WORLD
#define STUB_PASS_WORLD
#else
#define STUB_WORLD , lean_object *world
#define STUB_CHECK_WORLD stub_lean_check_world(world)
#define STUB_PASS_WORLD , world
void stub_lean_check_world(const lean_object *world);
#endif
