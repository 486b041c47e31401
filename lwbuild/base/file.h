#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * What stat says about a file, as far as it tells one content from another.
 * ctime is there because an in-place edit with the modification time put back
 * shows nowhere else.
 */
struct lwb_file_stat {
    uint64_t device;
    uint64_t inode;
    uint64_t size;
    int64_t mtime_ns;
    int64_t ctime_ns;
};

void lwb_file_stat_from(struct lwb_file_stat *out, const struct stat *st);
bool lwb_file_stat_equal(const struct lwb_file_stat *a, const struct lwb_file_stat *b);

/* Returns 1 and fills out, 0 if there is nothing at `path`; follows links. */
int lwb_file_stat(struct lwb_file_stat *out, const char *path, struct lwb_error *err);

/*
 * Whether a content read while the file looked like `st` may still change
 * without stat showing it: the rule git calls "racy". `now_ns` is the file
 * system's time (lwb_file_now), taken before the file was read. Where whole
 * seconds are kept, files are racy for 2 s.
 */
bool lwb_file_stat_is_racy(const struct lwb_file_stat *st, int64_t now_ns);

/*
 * The time as the file system that holds `dir` tells it: the mtime of a
 * temporary file made there. Network file systems have clocks of their own.
 */
int lwb_file_now(int64_t *out, const char *dir, struct lwb_error *err);

/* Append the whole file to `out`, whose max is the limit. `st`, if not NULL, is of what was read.
 */
int lwb_file_read(struct lwb_buf *out, const char *path, struct lwb_file_stat *st,
                  struct lwb_error *err);

/* Write by temporary file and rename: nobody sees half a file, and a failure leaves the old one. */
int lwb_file_write(const char *path, struct lwb_bytes content, mode_t mode, struct lwb_error *err);

/* As above, but leave a file that already has this content alone. Returns 1 if written, 0 if not.
 */
int lwb_file_write_if_changed(const char *path, struct lwb_bytes content, mode_t mode,
                              struct lwb_error *err);

/* write(2) until all is written. */
int lwb_file_write_fd(int fd, struct lwb_bytes content, struct lwb_error *err);

/* mkdir -p; directories that are made get `mode`. */
int lwb_file_make_dirs(const char *path, mode_t mode, struct lwb_error *err);

/* rm -rf, not following links. A path that is not there is fine. */
int lwb_file_remove_tree(const char *path, struct lwb_error *err);
