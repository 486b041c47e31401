#include "tests/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwbuild/base/alloc.h"

void bench_series_init(struct bench_series *series, const char *name, size_t cap)
{
    *series = (struct bench_series){ name, lwb_alloc_array(cap, sizeof(uint64_t)), 0, cap };
    if (!series->ns)
        bench_die("no memory");
}

void bench_series_release(struct bench_series *series)
{
    lwb_free(series->ns);
    series->ns = NULL;
}

void bench_add(struct bench_series *series, uint64_t ns)
{
    if (series->count < series->cap)
        series->ns[series->count++] = ns;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

uint64_t bench_percentile(struct bench_series *series, unsigned q)
{
    if (!series->count)
        return 0;
    qsort(series->ns, series->count, sizeof(*series->ns), compare);
    return series->ns[(series->count - 1) * q / 100];
}

void bench_print(struct bench_series *series, struct bench_series *floor, uint64_t items)
{
    uint64_t median = bench_percentile(series, 50);

    printf("{\"name\":\"%s\",\"n\":%zu,\"median_ns\":%llu,\"p90_ns\":%llu,\"p99_ns\":%llu",
           series->name, series->count, (unsigned long long)median,
           (unsigned long long)bench_percentile(series, 90),
           (unsigned long long)bench_percentile(series, 99));
    if (items > 1)
        printf(",\"items\":%llu,\"ns_per_item\":%.1f", (unsigned long long)items,
               (double)median / (double)items);
    if (floor)
        printf(",\"floor\":\"%s\",\"floor_ns\":%llu,\"floor_p99_ns\":%llu,\"ratio\":%.3f",
               floor->name, (unsigned long long)bench_percentile(floor, 50),
               (unsigned long long)bench_percentile(floor, 99),
               (double)median / (double)bench_percentile(floor, 50));
    printf("}\n");
    (void)fflush(stdout);
}

void bench_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}
