#pragma once

#include "child/lean/lean_process.h"
#include "child/lean/lean_version.h"
#include "lwbuild/protocol/message.h"

/*
 * What every `lean` of a session is started with, worked out once from the
 * open request: program, environment, options. The environment is a constant
 * list (design rule T8): no Lake, and nothing of what lwbuild was called with.
 */
struct lwb_lean_setup {
    struct lwb_lean_version version;
    char *program;     /* <toolchain>/bin/lean */
    char *source_root; /* absolute */
    char *scratch;     /* absolute */
    struct lwb_strvec environment;
    struct lwb_strvec options; /* -D, -j, -M, --plugin: the same for worker and command line */
    bool has_options;          /* there are -D among them */
};

/* LWB_ERR_USAGE for requests that make no sense, LWB_ERR_NO_TOOLCHAIN without a lean to run. */
int lwb_lean_setup_init(struct lwb_lean_setup *setup, const struct lwb_open_request *request,
                        struct lwb_error *err);
void lwb_lean_setup_release(struct lwb_lean_setup *setup);
LWB_DEFINE_AUTO(struct lwb_lean_setup, lwb_lean_setup_release);

/* The command line of a worker: lean --worker, in the source root. */
int lwb_lean_setup_worker(const struct lwb_lean_setup *setup, struct lwb_lean_command *command,
                          struct lwb_error *err);

/* lean -R . -o olean FILE in `folder`. */
int lwb_lean_setup_once(const struct lwb_lean_setup *setup, const char *folder, const char *file,
                        const char *olean, struct lwb_lean_command *command, struct lwb_error *err);
