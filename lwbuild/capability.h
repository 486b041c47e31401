#pragma once

/*
 * Capability libraries: shared libraries that lwbuild-child loads and runs on
 * behalf of a C program which talks to it through lwbuild/lwbuild.h. This
 * header is all that such a library needs; it links nothing of lwbuild.
 * examples/capability is the smallest one worth the name.
 *
 * A library exports two functions, both made by LWB_CAPABILITY_DEFINE:
 *
 *     uint32_t lwb_capability_abi(void);                       the number below
 *     const struct lwb_capability *lwb_capability_get(void);   a constant table
 *
 * and its table names at least the exports "metadata" and "doctor". What is
 * missing, or of another ABI, is refused by name before anything is run.
 *
 * Everything is called on one thread, one call after the other. A library may
 * crash, hang or print to stdout: it harms only its own process.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a struct below changes its meaning; members are only ever added at the end. */
#define LWB_CAPABILITY_ABI 1

enum lwb_capability_severity {
    LWB_CAPABILITY_INFORMATION = 0,
    LWB_CAPABILITY_WARNING = 1,
    LWB_CAPABILITY_ERROR = 2,
};

/*
 * What an export may do while it runs. Every function returns 0, or another
 * number when the export shall stop: it then returns at once, with any value;
 * the call has failed already. Texts are UTF-8 and copied.
 */
struct lwb_capability_call {
    uint32_t size; /* of this struct in the child that calls */
    void *host;    /* the child's own */

    /* The answer: a JSON object. A command must give one, once; a stream may (its summary). */
    int (*reply)(const struct lwb_capability_call *call, const char *json, size_t len);

    /* Why it fails: a short word for programs and a line for people. Then return a status. */
    int (*fail)(const struct lwb_capability_call *call, const char *code, const char *text);

    /* Streams only: one row, a JSON text. Rows are numbered per stream by the child. */
    int (*row)(const struct lwb_capability_call *call, const char *stream, const char *json,
               size_t len);

    /* Commands and streams. `total` is NULL when nobody knows. */
    int (*progress)(const struct lwb_capability_call *call, const char *phase, uint64_t current,
                    const uint64_t *total);
    int (*diagnostic)(const struct lwb_capability_call *call, enum lwb_capability_severity severity,
                      const char *code, const char *text);
};

/*
 * `request` is JSON of `len` bytes and a NUL. Returns 0, or a status that the
 * program which asked will see. `state` is what open made, else NULL.
 */
typedef int lwb_capability_run(void *state, const struct lwb_capability_call *call,
                               const char *request, size_t len);

enum lwb_capability_kind {
    LWB_CAPABILITY_COMMAND = 0, /* one answer */
    LWB_CAPABILITY_STREAM = 1,  /* rows, and an answer if it likes */
    LWB_CAPABILITY_METADATA =
        2,                     /* {"name":..,"version":..,"commands":[{"name":..,"version":..}]} */
    LWB_CAPABILITY_DOCTOR = 3, /* {"diagnostics":[{"severity":"pass","code":..,"message":..}]},
                                  with "details" in those and "metadata" beside them if it likes */
};

struct lwb_capability_export {
    enum lwb_capability_kind kind;
    const char *name;
    lwb_capability_run *run;
};

struct lwb_capability {
    uint32_t abi;  /* LWB_CAPABILITY_ABI */
    uint32_t size; /* sizeof(struct lwb_capability) */
    const char *name;
    const char *version;
    const struct lwb_capability_export *exports;
    size_t n_exports;

    /*
     * Both or none. `request` describes the session: project_root, package,
     * library, scratch (texts, absent when unknown) and imports (a list). call
     * serves fail only. close ends what open made, once.
     */
    int (*open)(void **state, const struct lwb_capability_call *call, const char *request,
                size_t len);
    void (*close)(void *state);
};

#define LWB_CAPABILITY_PUBLIC __attribute__((visibility("default")))

LWB_CAPABILITY_PUBLIC uint32_t lwb_capability_abi(void);
LWB_CAPABILITY_PUBLIC const struct lwb_capability *lwb_capability_get(void);

/* LWB_CAPABILITY_DEFINE(table), once, at the end of a file and without a semicolon. */
#define LWB_CAPABILITY_DEFINE(table)                                                               \
    uint32_t lwb_capability_abi(void)                                                              \
    {                                                                                              \
        return LWB_CAPABILITY_ABI;                                                                 \
    }                                                                                              \
    const struct lwb_capability *lwb_capability_get(void)                                          \
    {                                                                                              \
        return &(table);                                                                           \
    }

#ifdef __cplusplus
}
#endif
