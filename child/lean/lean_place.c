#include "child/lean/lean_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

/* Guessing too often costs a few links; the words are those that lead to a file. */
bool lwb_lean_place_needs_siblings(struct lwb_bytes source)
{
    return lwb_bytes_contain(source, "include_") || lwb_bytes_contain(source, "IO.FS") ||
           lwb_bytes_contain(source, "readFile") || lwb_bytes_contain(source, "FilePath") ||
           lwb_bytes_contain(source, "IO.Process");
}

static bool is_hidden(const char *name)
{
    return name[0] == '.';
}

/* Links in `to` for every entry of `from` except `taken`. */
static int link_entries(const char *to, const char *from, struct lwb_bytes taken,
                        struct lwb_error *err)
{
    DIR *dir = opendir(from);
    struct dirent *entry;
    int rc = LWB_OK;

    if (!dir) /* a module that is not in the tree has no siblings there */
        return LWB_OK;
    while (rc == LWB_OK && (entry = readdir(dir)) != NULL) {
        LWB_AUTO(lwb_free_text) char *target = NULL;
        LWB_AUTO(lwb_free_text) char *link = NULL;

        if (is_hidden(entry->d_name) || lwb_bytes_is(taken, entry->d_name))
            continue;
        target = lwb_path_join(from, entry->d_name);
        link = lwb_path_join(to, entry->d_name);
        if (!target || !link)
            rc = lwb_fail_memory(err);
        else if (symlink(target, link) < 0 && errno != EEXIST)
            rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", link);
    }
    (void)closedir(dir);
    return rc;
}

/* One level after the other: the part of `file` that leads on is a real folder, the rest links. */
static int link_siblings(const char *folder, const char *file, const char *source_root,
                         struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *to = lwb_strdup(folder);
    LWB_AUTO(lwb_free_text) char *from = lwb_strdup(source_root);

    while (to && from) {
        const char *slash = strchr(file, '/');
        struct lwb_bytes part = lwb_bytes(file, slash ? (size_t)(slash - file) : strlen(file));
        LWB_AUTO(lwb_free_text) char *name = NULL;
        char *deeper;
        int rc = link_entries(to, from, part, err);

        if (rc < 0 || !slash)
            return rc;
        name = lwb_strndup(part.ptr, part.len);
        deeper = name ? lwb_path_join(to, name) : NULL;
        lwb_free(to);
        to = deeper;
        deeper = name ? lwb_path_join(from, name) : NULL;
        lwb_free(from);
        from = deeper;
        file = slash + 1;
    }
    return lwb_fail_memory(err);
}

static int write_source(const char *path, struct lwb_bytes source, struct lwb_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", path);
    rc = lwb_file_write_fd(fd, source, err);
    if (close(fd) < 0 && rc == LWB_OK)
        rc = lwb_fail_errno(err, LWB_ERR_SYSTEM, "%s", path);
    return rc;
}

int lwb_lean_place_make(const char *folder, const char *file, struct lwb_bytes source,
                        const char *source_root, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(folder, file);
    LWB_AUTO(lwb_free_text) char *above = path ? lwb_path_dirname(path) : NULL;
    int rc;

    if (!above)
        return lwb_fail_memory(err);
    rc = lwb_file_make_dirs(above, 0700, err);
    if (rc == LWB_OK && source_root)
        rc = link_siblings(folder, file, source_root, err);
    return rc == LWB_OK ? write_source(path, source, err) : rc;
}

int lwb_lean_place_make_deep(char **source_place, const char *folder, const char *file,
                             struct lwb_bytes source, const char *source_root,
                             struct lwb_error *err)
{
    char *real = realpath(source_root, NULL); /* as ".." goes by folders and not by names */
    const char *below_root = (real ? real : source_root) + 1;
    LWB_AUTO(lwb_free_text) char *place = lwb_path_join(folder, below_root);
    LWB_AUTO(lwb_free_text) char *deep_file = lwb_path_join(below_root, file);
    int rc;

    free(real);
    if (!place || !deep_file)
        return lwb_fail_memory(err);
    rc = lwb_lean_place_make(folder, deep_file, source, "/", err);
    if (rc < 0)
        return rc;
    *source_place = LWB_TAKE(place);
    return LWB_OK;
}
