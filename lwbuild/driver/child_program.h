#pragma once

#include "lwbuild/base/digest.h"
#include "lwbuild/base/error.h"
#include "lwbuild/plan/digest_source.h"

/* The child program, as lwb_child_path_find looks for it; *out is absolute and the caller's. */
int lwb_child_program_find(char **out, struct lwb_error *err);

/*
 * The digest of the sources of one of its hosts, as hex: part of every module
 * key. Asked of the program itself (`lwbuild-child --version` prints a line
 * "host <kind> <digest>" for each) and remembered by the content of the program, so that a run that
 * only hits starts nothing. LWB_ERR_UNSUPPORTED when it has no such host.
 */
int lwb_child_program_host_digest(char hex[LWB_DIGEST_HEX + 1], const char *child, const char *host,
                                  const struct lwb_digest_source *digests, struct lwb_error *err);
