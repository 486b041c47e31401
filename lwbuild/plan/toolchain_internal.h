#pragma once

#include "lwbuild/plan/toolchain.h"

/* ---- toolchain.c ---- */

/* A file or folder that counts; `st` is from before it was read. */
int lwb_toolchain_note(struct lwb_toolchain *out, const char *path, const struct lwb_file_stat *st,
                       struct lwb_error *err);

/* The same of one that may be absent: a folder about to be read, a program that cannot be run. */
int lwb_toolchain_note_as_it_is(struct lwb_toolchain *out, const char *path, struct lwb_error *err);

/* ---- toolchain_choice.c ---- */

/* Fill prefix, name and origin, and note what was looked at. */
int lwb_toolchain_choose(struct lwb_toolchain *out, const struct lwb_toolchain_request *request,
                         struct lwb_error *err);

/* ---- toolchain_version.c ---- */

/* Fill version, githash, the numbers and the date; the identity must be known. */
int lwb_toolchain_read_version(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                               struct lwb_error *err);
