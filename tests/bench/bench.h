#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Series of measurements and how they are printed: one JSON object per line
 * with name, n, median, p90, p99 and, where there is a floor that was measured
 * in the same run, its median, its p99 and the ratio of the medians. Interleave what is compared:
 * these machines are shared, and ratios outlive absolute times.
 */
struct bench_series {
    const char *name;
    uint64_t *ns; /* room for cap values, the caller's */
    size_t count;
    size_t cap;
};

void bench_series_init(struct bench_series *series, const char *name, size_t cap);
void bench_series_release(struct bench_series *series);
void bench_add(struct bench_series *series, uint64_t ns);

/* q from 0 to 100. */
uint64_t bench_percentile(struct bench_series *series, unsigned q);

/* `floor` may be NULL; `items` is what one measurement handled (1: itself). */
void bench_print(struct bench_series *series, struct bench_series *floor, uint64_t items);

/* Print to stderr and exit 1. */
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
