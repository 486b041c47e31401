#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"

/* How `lean --worker` is spoken to over stdin and stdout, seen from its side. */

/* One message into `body`; false at the end of input. */
bool lean_read_frame(struct lwb_buf *body);

void lean_send_frame(struct lwb_bytes body);
