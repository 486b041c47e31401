#pragma once

#include "lwbuild/plan/toolchain.h"

/* ---- toolchain_choice.c ---- */

/* Fill prefix, name and origin, and note what was looked at. */
int lwb_toolchain_choose(struct lwb_toolchain *out, const struct lwb_toolchain_request *request,
                         struct lwb_error *err);

/* ---- toolchain_version.c ---- */

/* Fill version, githash, the numbers and the date; the identity must be known. */
int lwb_toolchain_read_version(struct lwb_toolchain *out, const struct lwb_digest_source *digests,
                               struct lwb_error *err);
