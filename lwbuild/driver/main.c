#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwbuild/base/json.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/driver/cmd_cache.h"
#include "lwbuild/driver/cmd_capability.h"
#include "lwbuild/driver/cmd_check.h"
#include "lwbuild/driver/cmd_doctor.h"
#include "lwbuild/driver/cmd_plan.h"
#include "lwbuild/driver/cmd_run.h"
#include "lwbuild/driver/exit_code.h"
#include "lwbuild/driver/options.h"
#include "lwbuild/driver/version.h"

static int dispatch(const struct lwb_options *options)
{
    switch (options->command) {
    case LWB_CMD_CHECK:
    case LWB_CMD_REPLAY:
        return lwb_cmd_check(options);
    case LWB_CMD_PLAN:
        return lwb_cmd_plan(options);
    case LWB_CMD_CACHE_TRIM:
    case LWB_CMD_CACHE_CLEAR:
    case LWB_CMD_CACHE_VERIFY:
        return lwb_cmd_cache(options);
    case LWB_CMD_STATS:
        return lwb_cmd_stats(options);
    case LWB_CMD_RUN:
        return lwb_cmd_run(options);
    case LWB_CMD_CAPABILITY_BUILD:
        return lwb_cmd_capability_build(options);
    case LWB_CMD_DOCTOR:
        return lwb_cmd_doctor(options);
    case LWB_CMD_VERSION:
        printf("lwbuild %s\n", LWB_VERSION);
        return 0;
    case LWB_CMD_HELP:
        lwb_options_print_help(stdout);
        return 0;
    default:
        return LWB_EXIT_USAGE;
    }
}

static void open_trace(const struct lwb_options *options)
{
    const char *path = options->trace ? options->trace : getenv("LWBUILD_TRACE");

    if (path && *path && lwb_trace_open(path))
        fprintf(stderr, "lwbuild: cannot open the trace file %s\n", path);
}

int main(int argc, char **argv)
{
    LWB_AUTO(lwb_options_release) struct lwb_options options = { 0 };
    struct lwb_error err;
    int code;

    (void)signal(SIGPIPE, SIG_IGN);
    lwb_json_init();
    if (lwb_options_parse(&options, argc, argv, &err) < 0) {
        fprintf(stderr, "lwbuild: error: %s\n", err.text);
        return LWB_EXIT_USAGE;
    }
    open_trace(&options);
    code = dispatch(&options);
    lwb_trace_close();
    return code;
}
