#include "lwbuild/plan/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/path.h"

enum { MAX_NAMES = 256 * 1024 * 1024, MAX_TARGET = 4096 };

/* ---- which names count --------------------------------------------------------------------- */

bool lwb_listing_is_image(const char *name)
{
    return strstr(name, ".olean") || lwb_path_has_suffix(name, ".ir") ||
           lwb_path_has_suffix(name, ".ir.sig");
}

static bool is_wanted_file(const char *name, enum lwb_listing_of of)
{
    return of == LWB_LISTING_OF_IMAGES ? lwb_listing_is_image(name)
                                       : lwb_path_has_suffix(name, ".lean");
}

static bool is_of_a_build_tool(const char *name)
{
    return strcmp(name, "build") == 0 || strcmp(name, "lake-packages") == 0 ||
           strcmp(name, "lean_packages") == 0;
}

static bool counts(const struct dirent *entry, enum lwb_listing_of of)
{
    if (entry->d_name[0] == '.' ||
        (of == LWB_LISTING_OF_PROJECT && is_of_a_build_tool(entry->d_name)))
        return false;
    return entry->d_type != DT_REG || is_wanted_file(entry->d_name, of);
}

/* ---- reading ------------------------------------------------------------------------------- */

static int add_entry(struct lwb_strvec *entries, const struct dirent *entry)
{
    char text[sizeof(entry->d_name) + 1];
    size_t len = strlen(entry->d_name);

    text[0] = entry->d_type == DT_REG ? LWB_ENTRY_FILE : LWB_ENTRY_ANYTHING;
    memcpy(text + 1, entry->d_name, len);
    return lwb_strvec_append_len(entries, text, len + 1);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

static DIR *open_folder(int at, const char *path)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (fd >= 0 && !dir)
        close(fd);
    return dir;
}

static int read_entries(struct lwb_strvec *entries, DIR *dir, const char *path,
                        enum lwb_listing_of of, struct lwb_error *err)
{
    const struct dirent *entry;
    int rc = LWB_OK;

    for (errno = 0; rc == LWB_OK && (entry = readdir(dir)) != NULL; errno = 0)
        if (counts(entry, of) && add_entry(entries, entry))
            rc = lwb_fail_memory(err);
    if (rc == LWB_OK && errno)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", path);
    if (entries->count)
        qsort(entries->items, entries->count, sizeof(*entries->items), compare_entries);
    return rc;
}

/* A link that leads elsewhere may be a folder, or a source, that it was not before. */
static void append_target(struct lwb_buf *names, int dir, const char *name)
{
    char target[MAX_TARGET];
    ssize_t len = readlinkat(dir, name, target, sizeof(target));

    if (len >= 0) {
        lwb_buf_append(names, target, (size_t)len);
        lwb_buf_append(names, "", 1);
    }
}

static struct lwb_checksum sum(const struct lwb_buf *names)
{
    static const unsigned char name[LWB_CHECKSUM_NAME] = "listing";

    return lwb_checksum_of(name, lwb_buf_text(names), names->len);
}

static int sum_up(struct lwb_listing *out, const struct lwb_strvec *entries, DIR *dir,
                  enum lwb_listing_of of, struct lwb_error *err)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf files = LWB_BUF(MAX_NAMES);
    LWB_AUTO(lwb_buf_release) struct lwb_buf folders = LWB_BUF(MAX_NAMES);

    for (size_t i = 0; i < entries->count; i++) {
        const char *entry = entries->items[i];
        struct lwb_buf *names = is_wanted_file(entry + 1, of) ? &files : &folders;

        lwb_buf_append(names, entry, strlen(entry) + 1);
        if (entry[0] == LWB_ENTRY_ANYTHING)
            append_target(names, dirfd(dir), entry + 1);
    }
    if (!lwb_buf_ok(&files) || !lwb_buf_ok(&folders))
        return lwb_fail_memory(err);
    *out = (struct lwb_listing){ .of = of, .files = sum(&files), .folders = sum(&folders) };
    return LWB_OK;
}

int lwb_listing_read(struct lwb_strvec *entries, struct lwb_listing *out, int at, const char *path,
                     enum lwb_listing_of of, struct lwb_error *err)
{
    DIR *dir = open_folder(at, path);
    int rc;

    if (!dir)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot list %s", path);
    rc = read_entries(entries, dir, path, of, err);
    if (rc == LWB_OK)
        rc = sum_up(out, entries, dir, of, err);
    closedir(dir);
    return rc;
}

enum lwb_listing_change lwb_listing_compare(const struct lwb_listing *seen, int at,
                                            const char *path)
{
    LWB_AUTO(lwb_strvec_release) struct lwb_strvec entries = { 0 };
    struct lwb_listing now;
    struct lwb_error ignored;

    if (seen->of >= LWB_LISTING_OF_ALL ||
        lwb_listing_read(&entries, &now, at, path, (enum lwb_listing_of)seen->of, &ignored) < 0 ||
        memcmp(&seen->files, &now.files, sizeof(now.files)) != 0)
        return LWB_LISTING_FILES_DIFFER;
    return memcmp(&seen->folders, &now.folders, sizeof(now.folders)) == 0
               ? LWB_LISTING_SAME
               : LWB_LISTING_FOLDERS_DIFFER;
}
