#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lwbuild/base/error.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/strvec.h"

/*
 * The command line. One table (options.c) parses it, refuses what a command
 * does not take, and prints --help.
 */
enum lwb_command {
    LWB_CMD_CHECK,
    LWB_CMD_PLAN,
    LWB_CMD_REPLAY,
    LWB_CMD_RUN,
    LWB_CMD_DOCTOR,
    LWB_CMD_CAPABILITY_BUILD,
    LWB_CMD_CACHE_TRIM,
    LWB_CMD_CACHE_CLEAR,
    LWB_CMD_CACHE_VERIFY,
    LWB_CMD_STATS,
    LWB_CMD_VERSION,
    LWB_CMD_HELP,
};

/* Strings live as long as the options; NULL or 0 where nothing was given. */
struct lwb_options {
    enum lwb_command command;
    struct lwb_strvec words; /* the command line with every @file replaced by its lines */
    struct lwb_strvec response_files;
    struct lwb_file_stat *response_stats; /* what each looked like when it was read */
    size_t cap_response_stats;

    struct lwb_strvec targets; /* modules and files, as given */
    const char *project;
    const char *package;
    const char *library;
    struct lwb_strvec source_roots;
    struct lwb_strvec import_paths;
    const char *host;
    const char *toolchain;
    bool ask_lake;
    struct lwb_strvec lean_options; /* of -D */
    struct lwb_strvec inputs;
    bool by_content;
    const char *isolation;
    const char *fail_on;
    struct lwb_strvec allow_axioms;
    struct lwb_strvec expect;
    uint64_t jobs;
    uint64_t max_rss_mib;
    uint64_t timeout_s;

    const char *cache;
    bool no_cache;
    bool read_only;
    bool recache;
    bool no_store;

    const char *depfile;
    const char *stamp;
    const char *stamp_mode;
    bool known_inputs;

    const char *format;
    bool explain;
    const char *trace;
    const char *color;
    bool quiet;
    bool verbose;

    bool zero; /* --stats --zero */
    uint64_t max_size_mib;
    const char *json; /* run: the request */
    bool rows;
    const char *expect_metadata;

    /* capability build */
    struct lwb_strvec commands;
    struct lwb_strvec streams;
    const char *metadata;
    const char *doctor;
    const char *name;
    const char *capability_version;
    struct lwb_strvec lake_targets;
    bool no_lake;
};

/*
 * Returns LWB_OK, or LWB_ERR_USAGE with a text that says what is wrong and
 * what to do. argv is not kept.
 */
int lwb_options_parse(struct lwb_options *out, int argc, char **argv, struct lwb_error *err);
void lwb_options_release(struct lwb_options *options);
LWB_DEFINE_AUTO(struct lwb_options, lwb_options_release);

/*
 * Whether the response files still look as they did when they were read; LWB_ERR_SYSTEM
 * names the first that does not. Those that are pipes are what they were.
 */
int lwb_options_check_unchanged(const struct lwb_options *options, struct lwb_error *err);

void lwb_options_print_help(FILE *out);
