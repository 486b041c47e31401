#include "lwbuild/worker/handshake.h"

#include "lwbuild/protocol/frame.h"

int lwb_handshake_accept(const struct lwb_hello_response *hello, uint32_t max_frame,
                         struct lwb_error *err)
{
    if (hello->max_frame < LWB_FRAME_MIN_LIMIT || hello->max_frame > max_frame)
        return lwb_fail(err, LWB_ERR_HANDSHAKE,
                        "child wants frames of %llu bytes, not within %d and %u",
                        (unsigned long long)hello->max_frame, LWB_FRAME_MIN_LIMIT, max_frame);
    if (!hello->n_hosts)
        return lwb_fail(err, LWB_ERR_HANDSHAKE, "child offers no host");
    for (size_t i = 0; i < hello->n_hosts; i++)
        if (!hello->hosts[i].kind[0])
            return lwb_fail(err, LWB_ERR_HANDSHAKE, "child offers a host without a name");
    return LWB_OK;
}
