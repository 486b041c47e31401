#include "lwbuild/driver/capability_environment.h"

#include <stdlib.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/path.h"
#include "lwbuild/worker/worker_config.h"

int lwb_capability_environment(struct lwb_strvec *out, struct lwb_error *err)
{
    const char *lean_path = getenv("LEAN_PATH");
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(LWB_PATH_MAX);

    if (lwb_worker_environment(out, err) < 0)
        return err->code;
    if (lwb_strvec_append(out, "LEAN_ABORT_ON_PANIC=1"))
        return lwb_fail_memory(err);
    lwb_buf_format(&text, "LEAN_PATH=%s", lean_path ? lean_path : "");
    if (lean_path && lwb_strvec_append(out, lwb_buf_text(&text)))
        return lwb_fail_memory(err);
    return LWB_OK;
}
