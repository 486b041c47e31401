#pragma once

#include "lwbuild/protocol/message.h"

/*
 * Is this hello acceptable, and if not, why. Pure. LWB_ERR_HANDSHAKE with a
 * sentence that names what was offered and what is needed.
 */
int lwb_handshake_accept(const struct lwb_hello_response *hello, uint32_t max_frame,
                         struct lwb_error *err);
