#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/checksum.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * What somebody who lists a folder takes from it: the names that count, not when
 * it was last written to. Editors save by a temporary file and a rename, which
 * dates the folder anew and leaves the names that count as they were.
 */
enum lwb_listing_of {
    LWB_LISTING_OF_SOURCES, /* .lean files, and all that may be a folder */
    LWB_LISTING_OF_PROJECT, /* the same without the folders that build tools make */
    LWB_LISTING_OF_IMAGES, /* .olean files and what comes with them, and all that may be a folder */
    LWB_LISTING_OF_ALL,    /* by several who count other names: only its date tells */
};

struct lwb_listing {
    uint64_t of;               /* enum lwb_listing_of */
    struct lwb_checksum files; /* by name, whether they are regular files, and where links lead */
    struct lwb_checksum folders;
};

/* An entry is its kind, then its name. */
enum {
    LWB_ENTRY_FILE = 'f',     /* a regular file, with a name that counts */
    LWB_ENTRY_ANYTHING = '?', /* a folder, a link, a file whose folder did not say so */
};

/*
 * The entries of the folder `path` (relative to `at`, as for openat) that count,
 * sorted by name. Names that begin with a dot never count.
 */
int lwb_listing_read(struct lwb_strvec *entries, struct lwb_listing *out, int at, const char *path,
                     enum lwb_listing_of of, struct lwb_error *err);

/* What importing may load: A.olean, A.olean.private, A.ir, ... */
bool lwb_listing_is_image(const char *name);

enum lwb_listing_change { LWB_LISTING_SAME, LWB_LISTING_FOLDERS_DIFFER, LWB_LISTING_FILES_DIFFER };

/* Compare a folder with what was taken from it. One that cannot be read, or told, differs. */
enum lwb_listing_change lwb_listing_compare(const struct lwb_listing *seen, int at,
                                            const char *path);
