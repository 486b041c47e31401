#include "lwbuild/worker/worker_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/protocol/frame.h"

int lwb_worker_config_check(const struct lwb_worker_config *config, struct lwb_error *err)
{
    if (!config->executable || !config->executable[0])
        return lwb_fail(err, LWB_ERR_USAGE, "no child executable named");
    if (!strchr(config->executable, '/'))
        return lwb_fail(err, LWB_ERR_USAGE, "%s is no path; PATH is not searched",
                        config->executable);
    if (config->max_frame < LWB_FRAME_MIN_LIMIT || config->max_frame > LWB_FRAME_MAX_LIMIT)
        return lwb_fail(err, LWB_ERR_USAGE, "max_frame of %u bytes is not within %d and %d",
                        config->max_frame, LWB_FRAME_MIN_LIMIT, LWB_FRAME_MAX_LIMIT);
    if (!config->startup_timeout_ms || !config->reap_timeout_ms || !config->memory_sample_ms)
        return lwb_fail(err, LWB_ERR_USAGE, "start, reaping and sampling need a time");
    if (!config->policy.window_restarts || !config->policy.window_ms)
        return lwb_fail(err, LWB_ERR_USAGE, "the restart window is empty");
    return LWB_OK;
}

static int copy_list(const struct lwb_strvec **slot, const struct lwb_strvec *from)
{
    struct lwb_strvec *copy = lwb_alloc(sizeof(*copy));

    *slot = copy;
    return copy && (!from || !lwb_strvec_copy(copy, from)) ? 0 : -1;
}

static int copy_text(const char **slot, const char *from)
{
    *slot = from ? lwb_strdup(from) : NULL;
    return from && !*slot ? -1 : 0;
}

int lwb_worker_config_copy(struct lwb_worker_config **out, const struct lwb_worker_config *config,
                           struct lwb_error *err)
{
    LWB_AUTO(lwb_worker_config_destroy)
    struct lwb_worker_config *copy = lwb_alloc(sizeof(*copy));

    if (!copy)
        return lwb_fail_memory(err);
    *copy = *config;
    copy->executable = copy->cwd = NULL;
    copy->arguments = copy->environment = NULL;
    if (copy_text(&copy->executable, config->executable) || copy_text(&copy->cwd, config->cwd) ||
        copy_list(&copy->arguments, config->arguments) ||
        copy_list(&copy->environment, config->environment))
        return lwb_fail_memory(err);
    *out = LWB_TAKE(copy);
    return LWB_OK;
}

static void destroy_list(const struct lwb_strvec *list)
{
    if (list)
        lwb_strvec_release((struct lwb_strvec *)list);
    lwb_free((void *)list);
}

void lwb_worker_config_destroy(struct lwb_worker_config *config)
{
    if (!config)
        return;
    lwb_free((void *)config->executable);
    lwb_free((void *)config->cwd);
    destroy_list(config->arguments);
    destroy_list(config->environment);
    lwb_free(config);
}

static int append_inherited(struct lwb_strvec *out, const char *name)
{
    const char *value = getenv(name);
    LWB_AUTO(lwb_buf_release) struct lwb_buf line = LWB_BUF(128 * 1024);

    if (!value)
        return 0;
    lwb_buf_format(&line, "%s=%s", name, value);
    return lwb_strvec_append_take(out, lwb_buf_take(&line));
}

int lwb_worker_environment(struct lwb_strvec *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec list = { 0 };

    if (append_inherited(&list, "PATH") || append_inherited(&list, "HOME") ||
        append_inherited(&list, "TMPDIR") || lwb_strvec_append(&list, "LC_ALL=C.UTF-8") ||
        lwb_strvec_append(&list, "LEAN_BACKTRACE=0"))
        return lwb_fail_memory(err);
    *out = LWB_TAKE(list);
    return LWB_OK;
}
