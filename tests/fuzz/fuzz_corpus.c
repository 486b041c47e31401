/*
 * Runs a fuzz target over the files of a folder, each whole, cut at several
 * places and with single bytes changed: what a fuzzer would try first.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>

#include "lwbuild/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 40, CHANGES = 200 };

static void try_variants(const struct lwb_buf *file)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf copy = LWB_BUF(file->max);
    uint32_t seed = (uint32_t)file->len;
    size_t i;

    (void)LLVMFuzzerTestOneInput((const uint8_t *)file->ptr, file->len);
    for (i = 1; i < CUTS && file->len; i++)
        (void)LLVMFuzzerTestOneInput((const uint8_t *)file->ptr, file->len * i / CUTS);
    lwb_buf_append(&copy, file->ptr, file->len);
    for (i = 0; i < CHANGES && copy.len; i++) {
        static const char bytes[] = "\"{}[],:0189\\n \n-.eatf\xff";
        size_t at;
        char old;

        seed = seed * 1664525 + 1013904223;
        at = (seed >> 4) % copy.len;
        old = copy.ptr[at];
        copy.ptr[at] = bytes[(seed >> 24) % (sizeof(bytes) - 1)];
        (void)LLVMFuzzerTestOneInput((const uint8_t *)copy.ptr, copy.len);
        if (seed & 1)
            copy.ptr[at] = old;
    }
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *entry;
    struct lwb_error err;
    int n = 0;

    if (!dir) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir)) != NULL) {
        LWB_AUTO(lwb_buf_release) struct lwb_buf path = LWB_BUF(10000);
        LWB_AUTO(lwb_buf_release) struct lwb_buf file = LWB_BUF(1 << 20);

        lwb_buf_format(&path, "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] == '.' || lwb_file_read(&file, lwb_buf_text(&path), NULL, &err) < 0)
            continue;
        try_variants(&file);
        n++;
    }
    (void)closedir(dir);
    (void)printf("%d files\n", n);
    return n == 0;
}
