#pragma once

#include "child/kernel/kernel.h"
#include "lwbuild/base/digest.h"

/*
 * An export file on its way from the disk to the kernel: hashed while it is
 * read, piece by piece, so that hash and kernel see the same bytes whatever
 * happens to the file, and it is never in memory as a whole.
 */
struct lwb_export_file {
    int fd;     /* -1: not open */
    int failed; /* errno of a read, or 0 */
    struct lwb_hasher *hasher;
};

int lwb_export_file_open(struct lwb_export_file *file, const char *path, struct lwb_error *err);
void lwb_export_file_close(struct lwb_export_file *file);
LWB_DEFINE_AUTO(struct lwb_export_file, lwb_export_file_close);

/* For lwb_kernel_load_from; refers to `file`. */
struct lwb_kernel_source lwb_export_file_source(struct lwb_export_file *file);

/*
 * The file has this digest. Reads what is left of it, for where the kernel did
 * not want to see the end; once per file.
 */
bool lwb_export_file_is(struct lwb_export_file *file, const struct lwb_digest *expected);
