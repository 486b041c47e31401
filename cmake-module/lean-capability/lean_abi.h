#pragma once

#include <lean/lean.h>
#include <lean/version.h>

/*
 * How the C that a Lean compiles wants to be called. It changes by version:
 *
 *                              initialiser              IO function      IO call-back
 *     until 2022-01            f(world)                 f(..., world)    f(..., world)
 *     until v4.25              f(builtin, world)        f(..., world)    f(..., world)
 *     from v4.26 on            f(builtin)               f(...)           f(...)
 *
 * A version header tells the rows apart but for one line: every Lean before the
 * first release calls itself 4.0.0. So the C of the library's own root module is
 * looked at, and LWB_LEAN_BUILTIN_FLAG comes with the names (lean_exports.h).
 * The name of the initialiser comes from there too: from v4.27 on it holds
 * the package.
 *
 * All IO results are the same object everywhere: tag 0 and a value, or tag 1
 * and an error. Arguments of exports are given away, results are ours.
 */
#define LWB_LEAN_AT_LEAST(minor)                                                                   \
    (LEAN_VERSION_MAJOR > 4 || (LEAN_VERSION_MAJOR == 4 && LEAN_VERSION_MINOR >= (minor)))

#if LEAN_VERSION_MAJOR < 4
#error "Lean 4 is needed"
#endif

#ifdef LEAN_VERSION_STRING
#define LWB_LEAN_VERSION LEAN_VERSION_STRING
#else
#define LWB_LEAN_TEXT_OF(a) #a
#define LWB_LEAN_DOTS(a, b, c) LWB_LEAN_TEXT_OF(a) "." LWB_LEAN_TEXT_OF(b) "." LWB_LEAN_TEXT_OF(c)
#define LWB_LEAN_VERSION LWB_LEAN_DOTS(LEAN_VERSION_MAJOR, LEAN_VERSION_MINOR, LEAN_VERSION_PATCH)
#endif

/* The world goes behind other arguments: its declaration, its type and its value. */
#if LWB_LEAN_AT_LEAST(26)
#define LWB_LEAN_WORLD_PARAMETER
#define LWB_LEAN_WORLD_TYPE
#define LWB_LEAN_WORLD
#define LWB_LEAN_IGNORE_WORLD (void)0
#else
#define LWB_LEAN_WORLD_PARAMETER , lean_object *world
#define LWB_LEAN_WORLD_TYPE , lean_object *
#define LWB_LEAN_WORLD , lean_io_mk_world()
#define LWB_LEAN_IGNORE_WORLD (void)world
#endif

#if !LWB_LEAN_BUILTIN_FLAG && LWB_LEAN_AT_LEAST(1)
#error "since 2022 every initialiser takes the builtin flag"
#endif

#if LWB_LEAN_BUILTIN_FLAG
typedef lean_object *lwb_lean_initializer(uint8_t builtin LWB_LEAN_WORLD_TYPE);
#define LWB_LEAN_INITIALIZE(function) function(1 LWB_LEAN_WORLD)
#else
typedef lean_object *lwb_lean_initializer(lean_object *world);
#define LWB_LEAN_INITIALIZE(function) function(lean_io_mk_world())
#endif

/* String -> IO String, and String -> USize -> USize -> IO UInt8. */
typedef lean_object *lwb_lean_command(lean_object *request LWB_LEAN_WORLD_TYPE);
typedef lean_object *lwb_lean_stream(lean_object *request, size_t callback,
                                     size_t context LWB_LEAN_WORLD_TYPE);

/* The runtime has these, its header does not. From v4.34 on module initialisers call them. */
#define LWB_LEAN_STARTS_ITSELF LWB_LEAN_AT_LEAST(34)
extern void lean_initialize_runtime_module(void);
extern void lean_initialize(void);
