#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cache/cache_stats.h"
#include "lwbuild/base/json.h"
#include "lwbuild/driver/cmd_cache.h"
#include "lwbuild/driver/json_schema.h"
#include "lwbuild/driver/world.h"

/* The statistics in three forms, all driven by the cache's table. */

static unsigned depth_of(enum lwb_stat stat)
{
    unsigned depth = 0;

    while (lwb_stat_info(stat)->parent != stat) {
        stat = lwb_stat_info(stat)->parent;
        depth++;
    }
    return depth;
}

static void print_time(int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm parts;
    char text[64];

    if (seconds && localtime_r(&when, &parts) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts))
        printf("%20s", text);
    else
        printf("%20s", "never");
}

static void print_value(enum lwb_stat_unit unit, int64_t value)
{
    switch (unit) {
    case LWB_UNIT_COUNT:
        printf("%20lld", (long long)value);
        break;
    case LWB_UNIT_NS:
        printf("%18.1f s", (double)value / 1e9);
        break;
    case LWB_UNIT_BYTES:
        printf("%16.1f MiB", (double)value / (1024 * 1024));
        break;
    case LWB_UNIT_TIME:
        print_time(value);
        break;
    }
}

/* ccache's habit: rows that are zero and part of another stay out unless they are asked for. */
static bool is_shown(const struct lwb_cache_stats *stats, enum lwb_stat stat, bool all)
{
    return all || depth_of(stat) == 0 || stats->total[stat] != 0;
}

static void print_text(const struct lwb_cache_stats *stats, const char *dir, bool all)
{
    printf("%-34s %s\n", "Cache directory:", dir);
    for (int i = 0; i < LWB_STAT_COUNT; i++) {
        enum lwb_stat stat = (enum lwb_stat)i;
        const struct lwb_stat_info *info = lwb_stat_info(stat);
        int indent = (int)depth_of(stat) * 2;

        if (!is_shown(stats, stat, all))
            continue;
        printf("%*s%s:%*s", indent, "", info->sentence,
               33 - indent - (int)strlen(info->sentence) > 0
                   ? 33 - indent - (int)strlen(info->sentence)
                   : 1,
               "");
        print_value(info->unit, stats->total[stat]);
        if (info->parent != stat && info->unit == LWB_UNIT_COUNT && stats->total[info->parent])
            printf(" (%5.1f%%)",
                   100.0 * (double)stats->total[stat] / (double)stats->total[info->parent]);
        putchar('\n');
    }
}

static void print_tsv(const struct lwb_cache_stats *stats)
{
    for (int i = 0; i < LWB_STAT_COUNT; i++)
        printf("%s\t%lld\n", lwb_stat_info((enum lwb_stat)i)->id, (long long)stats->total[i]);
}

/* A number as JSON; those beyond 2^53 could be misread and travel as strings. */
static void append_number(struct lwb_buf *out, int64_t value)
{
    if (value > LWB_JSON_INT_MAX || value < -LWB_JSON_INT_MAX)
        lwb_buf_format(out, "\"%lld\"", (long long)value);
    else
        lwb_buf_format(out, "%lld", (long long)value);
}

static void append_group(struct lwb_buf *out, const int64_t *values, bool with_gauges)
{
    bool first = true;

    lwb_buf_append_char(out, '{');
    for (int i = 0; i < LWB_STAT_COUNT; i++) {
        const struct lwb_stat_info *info = lwb_stat_info((enum lwb_stat)i);

        if (info->is_gauge && !with_gauges)
            continue;
        lwb_json_member(out, &first, info->id);
        append_number(out, values[i]);
    }
    lwb_buf_append_char(out, '}');
}

static void print_json(const struct lwb_cache_stats *stats, const char *dir)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf out = LWB_BUF(256 * 1024);
    bool first = true;

    lwb_buf_append_char(&out, '{');
    lwb_json_member_int(&out, &first, "schema", LWB_JSON_SCHEMA);
    lwb_json_member_text(&out, &first, "type", "stats");
    lwb_json_member_text(&out, &first, "dir", dir);
    lwb_json_member(&out, &first, "total");
    append_group(&out, stats->total, true);
    lwb_json_member(&out, &first, "last_run");
    append_group(&out, stats->last, false);
    lwb_buf_append_text(&out, "}\n");
    (void)fwrite(lwb_buf_text(&out), 1, out.len, stdout);
}

static int show(struct lwb_world *world, const struct lwb_options *options, struct lwb_error *err)
{
    const char *format = options->format ? options->format : "text";
    struct lwb_cache_stats stats;
    int rc = lwb_cache_read_stats(world->cache, &stats, err);

    if (rc < 0)
        return rc;
    if (strcmp(format, "json") == 0)
        print_json(&stats, world->cache_dir);
    else if (strcmp(format, "tsv") == 0)
        print_tsv(&stats);
    else
        print_text(&stats, world->cache_dir, options->verbose);
    return LWB_OK;
}

int lwb_cmd_stats(const struct lwb_options *options)
{
    LWB_AUTO(lwb_world_close) struct lwb_world world = { 0 };
    struct lwb_error err;
    int rc = lwb_world_open_cache(&world, options, &err);

    if (rc == LWB_OK)
        rc = options->zero ? lwb_cache_zero_stats(world.cache, &err) : show(&world, options, &err);
    if (rc >= 0)
        return LWB_EXIT_ACCEPTED;
    fprintf(stderr, "lwbuild: error: %s\n", err.text);
    return lwb_world_exit_code(&err);
}
