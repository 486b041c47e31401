#include "lwbuild/protocol/diagnostic.h"

static const char *const names[] = {
    [LWB_SEVERITY_INFORMATION] = "information",
    [LWB_SEVERITY_WARNING] = "warning",
    [LWB_SEVERITY_ERROR] = "error",
};

const char *lwb_severity_name(enum lwb_severity severity)
{
    return names[severity];
}

int lwb_severity_parse(enum lwb_severity *out, const char *name)
{
    for (size_t i = 0; i < LWB_COUNT(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum lwb_severity)i;
            return 0;
        }
    }
    return -1;
}
