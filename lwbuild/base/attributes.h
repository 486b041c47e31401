#pragma once

#include <stddef.h>

/* Compiler attributes, and the one idiom for cleaning up locals. */

#define LWB_PRINTF(text, first) __attribute__((format(printf, text, first)))
#define LWB_UNUSED __attribute__((unused))

/*
 * LWB_AUTO(destroy) before a local runs its destructor when the scope is left,
 * whatever way. The destructor's module says once how:
 *
 *     LWB_DEFINE_AUTO_PTR(struct lwb_cache, lwb_cache_close)  for "struct lwb_cache *cache = NULL"
 *     LWB_DEFINE_AUTO(struct lwb_buf, lwb_buf_release)        for "struct lwb_buf buf = ..."
 *
 * LWB_TAKE(local) hands a pointer or a struct over: it yields the value and leaves NULL, or zeros,
 * of which the destructor makes nothing.
 */
#define LWB_AUTO(destroy) __attribute__((cleanup(destroy##_auto)))

#define LWB_DEFINE_AUTO_PTR(type, destroy)                                                         \
    static inline void destroy##_auto(type **p)                                                    \
    {                                                                                              \
        if (*p)                                                                                    \
            destroy(*p);                                                                           \
    }                                                                                              \
    struct lwb_expect_semicolon

#define LWB_DEFINE_AUTO(type, release)                                                             \
    static inline void release##_auto(type *p)                                                     \
    {                                                                                              \
        release(p);                                                                                \
    }                                                                                              \
    struct lwb_expect_semicolon

#define LWB_TAKE(local)                                                                            \
    ({                                                                                             \
        __typeof__(local) *lwb_taken_from = &(local);                                              \
        __typeof__(local) lwb_taken = *lwb_taken_from;                                             \
        *lwb_taken_from = (__typeof__(local)){ 0 };                                                \
        lwb_taken;                                                                                 \
    })

#define LWB_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The object that embeds `member` at `pointer`. */
#define LWB_CONTAINER(pointer, type, member)                                                       \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
