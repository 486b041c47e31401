#include "cache/cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_generation.h"
#include "cache/cache_notes.h"
#include "lwbuild/base/alloc.h"
#include "lwbuild/base/file.h"
#include "lwbuild/base/path.h"

/* ---- where it is ------------------------------------------------------------------------- */

/* An empty variable is none. */
static const char *get(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (; environment && *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return (*environment)[len + 1] ? *environment + len + 1 : NULL;
    return NULL;
}

/* XDG says that a relative path is to be ignored; a relative HOME makes no more sense. */
static const char *get_absolute(char *const *environment, const char *name)
{
    const char *value = get(environment, name);

    return value && value[0] == '/' ? value : NULL;
}

int lwb_cache_default_dir(struct lwb_buf *out, const char *option, char *const *environment,
                          const char *fallback, struct lwb_error *err)
{
    const char *given = option && *option ? option : get(environment, "LWBUILD_CACHE_DIR");
    const char *xdg = get_absolute(environment, "XDG_CACHE_HOME");
    const char *home = get_absolute(environment, "HOME");

    if (given)
        lwb_buf_append_text(out, given);
    else if (xdg)
        lwb_buf_format(out, "%s/lwbuild", xdg);
    else if (home)
        lwb_buf_format(out, "%s/.cache/lwbuild", home);
    else
        lwb_buf_append_text(out, fallback);
    if (!lwb_buf_ok(out))
        return lwb_fail_memory(err);
    return given || xdg || home;
}

/* ---- its generation ---------------------------------------------------------------------- */

int lwb_cache_generation(const char *dir, uint64_t *out, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, "generation");
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64);
    uint64_t generation;
    char *end;

    if (!path)
        return lwb_fail_memory(err);
    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        *out = 0;
        return LWB_OK;
    }
    if (lwb_file_read(&text, path, NULL, err) < 0)
        return err->code;
    errno = 0;
    generation = strtoull(lwb_buf_text(&text), &end, 10);
    if (errno || end == lwb_buf_text(&text) || strcmp(end, "\n") != 0)
        return lwb_fail(err, LWB_ERR_FORMAT, "%s is no number", path);
    *out = generation;
    return LWB_OK;
}

int lwb_cache_set_generation(const char *dir, uint64_t generation, struct lwb_error *err)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, "generation");
    LWB_AUTO(lwb_buf_release) struct lwb_buf text = LWB_BUF(64);

    lwb_buf_format(&text, "%" PRIu64 "\n", generation);
    if (!path || !lwb_buf_ok(&text))
        return lwb_fail_memory(err);
    return lwb_file_write(path, lwb_buf_bytes(&text), 0600, err);
}

/* ---- notes ------------------------------------------------------------------------------- */

void lwb_cache_note_snapshot(const char *dir, const struct lwb_cache_use *use)
{
    LWB_AUTO(lwb_free_text) char *path = lwb_path_join(dir, LWB_NOTES_FILE);
    LWB_AUTO(lwb_buf_release) struct lwb_buf line = LWB_BUF(LWB_PATH_MAX);
    struct lwb_error ignored;
    struct stat st;
    int fd;

    lwb_buf_format(&line, "%" PRIu64 " %" PRIu64 " %s\n", use->modules, use->saved_ns,
                   use->keys ? use->keys : "");
    if (!path || !lwb_buf_ok(&line))
        return;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    /* One write, so that lines of two processes do not mix. Nobody reads? Then no more notes. */
    if (fstat(fd, &st) == 0 && st.st_size < LWB_NOTES_MAX)
        (void)lwb_file_write_fd(fd, lwb_buf_bytes(&line), &ignored);
    close(fd);
}
