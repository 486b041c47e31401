#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Programs that are measured from outside: started in a folder, with nothing on
 * stdin, and waited for. What goes wrong ends the benchmark. Times are in
 * nanoseconds.
 */
pid_t bench_start(const char *folder, char *const *argv);

/* Until it is gone; it must exit with 0. */
uint64_t bench_run(const char *folder, char *const *argv);

/* A program on PATH, or NULL. */
const char *bench_find_program(const char *name, char *out, size_t size);

/* A new folder below $TMPDIR; `out` has room for 256 bytes. */
void bench_make_folder(char *out);
void bench_make_folders(const char *path); /* all of a path */
void bench_write_file(const char *path, const char *text);
void bench_remove_folder(const char *path);

/* ccache with some files of which each is a hit; `folder` is ours. False: not installed. */
struct bench_ccache {
    char folder[256];
    char ccache[512];
    char compiler[512];
};
bool bench_ccache_prepare(struct bench_ccache *peer, const char *folder);
uint64_t bench_ccache_hit(const struct bench_ccache *peer, unsigned round);
