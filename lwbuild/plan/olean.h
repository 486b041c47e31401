#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/olean_header.h"

/*
 * What an .olean file says about itself without loading it: who made it, and
 * which modules it imports. Reads a few small pieces of the file; every pointer
 * in it is checked.
 */
struct lwb_olean {
    struct lwb_olean_header header; /* layout LWB_OLEAN_UNKNOWN when there is none */
    bool understood;                /* else its imports are not known */
    struct lwb_buf imports;         /* module names, each ended by a NUL; max set by the caller */
    size_t n_imports;
};

/*
 * Overwrites `olean`, whose buffer is used again. Returns 1, or 0 when there is
 * no such file. A file that is no .olean, or one of a layout that is not known
 * here, is not an error: it is not understood.
 */
int lwb_olean_read(struct lwb_olean *olean, const char *path, struct lwb_error *err);

static inline void lwb_olean_release(struct lwb_olean *olean)
{
    lwb_buf_release(&olean->imports);
}
LWB_DEFINE_AUTO(struct lwb_olean, lwb_olean_release);

/* For `LWB_AUTO(lwb_olean_release) struct lwb_olean olean = LWB_OLEAN;` */
#define LWB_OLEAN ((struct lwb_olean){ .imports = LWB_BUF(64 * 1024 * 1024) })
