#pragma once

#include "child/host.h"

/*
 * The host over capability libraries (lwbuild/capability.h). The library, or
 * its manifest, comes with the request to open a session. Offers metadata,
 * doctor, commands and streams; it checks no modules.
 */
extern const struct lwb_host lwb_host_capability;
