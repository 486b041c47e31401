#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What benchmarks of workers measure, without lwbuild: processes, pipes and signals as
 * the machine has them. Times are in nanoseconds.
 */
enum { BENCH_ROWS = 1000 * 1000, BENCH_ROW = 110 };

struct bench_raw {
    pid_t pid;
    int to;
    int from;
};

/* A process that runs `body` on the other ends of two pipes. */
struct bench_raw bench_raw_start(void (*body)(int in, int out));
void bench_raw_end(struct bench_raw *raw);

/* All of it; the process ends at the end of the pipe. */
void bench_raw_read(int fd, char *buf, size_t len);
void bench_raw_write(int fd, const char *buf, size_t len);

/* A body that answers each message by itself, and how long one takes there and back. */
void bench_raw_pong(int in, int out);
uint64_t bench_raw_ping(const struct bench_raw *raw);

/*
 * A body that writes BENCH_ROWS rows as the child packs them, in writes of 64 KiB,
 * whenever a byte asks for it; and how long it takes to read them and to look at
 * every row's length.
 */
void bench_raw_pour(int in, int out);
uint64_t bench_raw_drink(const struct bench_raw *raw);

/* From killing a process to its end being known. */
uint64_t bench_raw_kill(void);

/* Starting a program that does nothing, and waiting for it. */
uint64_t bench_raw_spawn(void);

/* This process, and what it starts from here on, on one processor; -1: on any. */
void bench_pin(int cpu);
