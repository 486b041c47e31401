#pragma once

/* struct lwb_sinks: the worker delivers, sessions and leases hand it on. */
#include "lwbuild/worker/sinks.h"
