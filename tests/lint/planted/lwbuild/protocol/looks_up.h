#pragma once

#include "lwbuild/base/buf.h"
#include "lwbuild/worker/worker.h"
