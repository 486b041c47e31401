#include "lwbuild/worker/subreaper.h"

#include <sys/prctl.h>

int lwb_subreaper_enable(struct lwb_error *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot become the reaper of orphans");
    return LWB_OK;
}
