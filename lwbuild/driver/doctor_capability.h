#pragma once

#include "lwbuild/driver/options.h"
#include "lwbuild/session/capability_preflight.h"

/*
 * Looks a capability over, without starting anything and then with a child: it
 * is loaded, its metadata is compared with --expect-metadata, its own doctor is
 * asked. Everything comes as findings; codes are those of
 * session/capability_preflight.h and pool/capability_client.h, "doctor-failed"
 * when the doctor gave no report, and those of the capability's own.
 */
void lwb_doctor_capability(const char *path, const struct lwb_options *options,
                           void (*found)(void *ctx, const struct lwb_preflight_finding *finding),
                           void *ctx);
