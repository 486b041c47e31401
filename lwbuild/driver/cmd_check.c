#include "lwbuild/driver/cmd_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/tick.h"
#include "lwbuild/base/trace.h"
#include "lwbuild/driver/outputs.h"
#include "lwbuild/driver/run.h"
#include "lwbuild/driver/snapshot.h"

enum { DEFAULT_TIMEOUT_S = 600, MAX_JOBS = 1024 };

static bool is_word(const char *value, const char *word)
{
    return value && strcmp(value, word) == 0;
}

static bool wants_color(const struct lwb_options *options)
{
    const char *force = getenv("CLICOLOR_FORCE");

    if (is_word(options->color, "always"))
        return true;
    if (is_word(options->color, "never") || getenv("NO_COLOR"))
        return false;
    if (force && *force && strcmp(force, "0") != 0)
        return true;
    return isatty(STDOUT_FILENO) == 1;
}

static unsigned choose_jobs(const struct lwb_options *options)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (options->jobs)
        return options->jobs < MAX_JOBS ? (unsigned)options->jobs : MAX_JOBS;
    return processors > 0 ? (unsigned)processors : 1;
}

static void choose_config(struct lwb_run_config *config, const struct lwb_options *options)
{
    *config = (struct lwb_run_config){
        .isolation = is_word(options->isolation, "fresh")     ? LWB_RUN_FRESH
                     : is_word(options->isolation, "confirm") ? LWB_RUN_CONFIRM
                                                              : LWB_RUN_WARM,
        .policy = {
            .fail_on = is_word(options->fail_on, "warning") ? LWB_FAIL_ON_WARNING
                       : is_word(options->fail_on, "sorry") ? LWB_FAIL_ON_SORRY
                                                            : LWB_FAIL_ON_ERROR,
            .allow_axioms = &options->allow_axioms,
            .expect = &options->expect,
        },
        .jobs = choose_jobs(options),
        .timeout_ms = (options->timeout_s ? options->timeout_s : DEFAULT_TIMEOUT_S) * 1000,
        .max_memory = options->max_rss_mib * 1024 * 1024,
        .look_up_only = options->command == LWB_CMD_REPLAY,
        .looked_at_later = options->stamp && options->command == LWB_CMD_CHECK &&
                           !is_word(options->format, "json"), /* whose last line has the answer */
        .json = is_word(options->format, "json"),
        .explain = options->explain,
        .color = wants_color(options),
        .quiet = options->quiet,
        .verbose = options->verbose,
        .progress = !options->quiet && !is_word(options->format, "json") &&
                    isatty(STDERR_FILENO) == 1,
    };
}

static int refuse_kernel_options(const struct lwb_options *options, struct lwb_error *err)
{
    if (options->allow_axioms.count)
        return lwb_fail(err, LWB_ERR_USAGE,
                        "--allow-axiom is for export files; Lean modules do not report their "
                        "axioms (use --fail-on sorry for Lean's own warnings)");
    if (options->expect.count)
        return lwb_fail(err, LWB_ERR_USAGE, "--expect is for export files (.ndjson)");
    return LWB_OK;
}

static int refuse_lean_options(const struct lwb_options *options, struct lwb_error *err)
{
    const char *name = options->lean_options.count   ? "-D"
                       : options->source_roots.count ? "--source-root"
                       : options->import_paths.count ? "--import-path"
                                                     : NULL;

    if (!name)
        return LWB_OK;
    return lwb_fail(err, LWB_ERR_USAGE, "%s is for Lean modules; export files stand for themselves",
                    name);
}

/* Options that only one host understands are refused where they would be silently ignored. */
static int refuse_misplaced(const struct lwb_world *world, struct lwb_error *err)
{
    bool only_exports = true;

    for (size_t i = 0; i < lwb_plan_batch_count(world->plan); i++) {
        const char *host = lwb_plan_batch(world->plan, i)->host;
        int rc = strcmp(host, "lean") == 0 ? refuse_kernel_options(world->options, err) : LWB_OK;

        if (rc < 0)
            return rc;
        only_exports = only_exports && strcmp(host, "kernel") == 0;
    }
    return only_exports ? refuse_lean_options(world->options, err) : LWB_OK;
}

/*
 * The stamp is newer than an edit between the run's last look at the inputs and
 * its own making: the build would take that for checked. So there is one more
 * look, and what comes after it is newer than the stamp (outputs.h).
 */
static int take_back_stamp_if_stale(const struct lwb_world *world, struct lwb_snapshot *snapshot,
                                    enum lwb_exit_code *exit_code)
{
    const char *stamp = world->options->stamp;
    struct lwb_error err;
    int rc = LWB_OK;

    if (stamp)
        rc = lwb_world_check_unchanged(world, &err);
    if (rc == LWB_OK && world->rest)
        rc = lwb_snapshot_check_rest(snapshot, &err);
    if (rc == LWB_OK)
        return 0;
    if (stamp)
        (void)unlink(stamp);
    fprintf(stderr, "lwbuild: %s\n", err.text);
    *exit_code = LWB_EXIT_NO_VERDICT;
    return 1;
}

/* Of an accepted run. `silent` is the run when it had no messages: a snapshot may answer for it. */
static int write_outputs(struct lwb_world *world, struct lwb_snapshot *snapshot,
                         const struct lwb_run *silent, enum lwb_exit_code *exit_code,
                         struct lwb_error *err)
{
    const int64_t last = lwb_outputs_last_date(world->options);
    int64_t date;
    int rc;

    if (world->options->stamp)
        lwb_snapshot_make_way(snapshot, world->options->stamp);
    rc = lwb_outputs_write(world, err);
    if (rc < 0)
        return rc;
    /* Now, when they lie there: their folders may be what the check depends on. */
    date = lwb_outputs_choose_date(world->options, last, lwb_tick_now(NULL));
    if (take_back_stamp_if_stale(world, snapshot, exit_code))
        return LWB_OK;
    /* They may hold sources, and be older than the date: what was checked was true, but not all. */
    if (lwb_world_has_new_folders(world) || snapshot->last_look.new_folders)
        date = LWB_OUTPUTS_DATE_OLD;
    if (silent)
        lwb_snapshot_write(snapshot, world, silent);
    if (!lwb_outputs_date(world->options, date))
        (void)unlink(world->options->stamp);
    return LWB_OK;
}

static int run_plan(struct lwb_world *world, struct lwb_snapshot *snapshot,
                    enum lwb_exit_code *exit_code, struct lwb_error *err)
{
    LWB_AUTO(lwb_run_destroy) struct lwb_run *run = NULL;
    struct lwb_run_config config;
    struct lwb_run_totals totals;
    uv_loop_t loop;
    int rc;

    if (uv_loop_init(&loop) != 0)
        return lwb_fail(err, LWB_ERR_SYSTEM, "cannot make an event loop");
    choose_config(&config, world->options);
    rc = lwb_run_create(&run, &loop, world, &config, err);
    if (rc == LWB_OK)
        rc = lwb_run_all(run, exit_code, err);
    (void)uv_run(&loop, UV_RUN_DEFAULT); /* handles that are still closing */
    (void)uv_loop_close(&loop);
    if (world->options->command == LWB_CMD_CHECK && (rc < 0 || *exit_code != LWB_EXIT_ACCEPTED))
        lwb_snapshot_drop(snapshot, world, rc < 0 ? NULL : run);
    if (rc < 0 || *exit_code != LWB_EXIT_ACCEPTED || world->options->command == LWB_CMD_REPLAY)
        return rc;
    if (world->rest)
        lwb_snapshot_renew(snapshot, world, run);
    lwb_run_totals(run, &totals);
    return write_outputs(world, snapshot, totals.messages == 0 ? run : NULL, exit_code, err);
}

static int check(const struct lwb_options *options, struct lwb_snapshot *snapshot,
                 enum lwb_snapshot_says says, enum lwb_exit_code *exit_code, struct lwb_error *err)
{
    LWB_AUTO(lwb_world_close) struct lwb_world world = { 0 };
    int rc = lwb_world_open(&world, options, err);

    if (rc == LWB_OK && (says != LWB_SNAPSHOT_REST || !lwb_snapshot_plan(snapshot, &world)))
        rc = lwb_world_plan(&world, NULL, err);
    if (rc == LWB_OK)
        rc = refuse_misplaced(&world, err);
    return rc < 0 ? rc : run_plan(&world, snapshot, exit_code, err);
}

int lwb_cmd_check(const struct lwb_options *options)
{
    LWB_AUTO(lwb_snapshot_release) struct lwb_snapshot snapshot = { 0 };
    enum lwb_exit_code exit_code = LWB_EXIT_ACCEPTED;
    enum lwb_snapshot_says says;
    struct lwb_error err;
    int rc = lwb_outputs_precheck(options, &err);

    if (rc == LWB_OK) {
        says = lwb_snapshot_ask(&snapshot, options);
        if (says == LWB_SNAPSHOT_ALL)
            return LWB_EXIT_ACCEPTED;
        rc = check(options, &snapshot, says, &exit_code, &err);
    }
    if (rc == LWB_OK)
        return exit_code;
    fprintf(stderr, "lwbuild: error: %s\n", err.text);
    return lwb_world_exit_code(&err);
}
