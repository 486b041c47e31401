#include "lwbuild/driver/jobserver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- MAKEFLAGS ----------------------------------------------------------------------------- */

static void parse_auth(struct lwb_jobserver_auth *out, const char *value, size_t len)
{
    char text[sizeof(out->path)];
    int used = 0;

    *out = (struct lwb_jobserver_auth){ 0 };
    if (len >= sizeof(text))
        return;
    memcpy(text, value, len);
    text[len] = '\0';
    if (strncmp(text, "fifo:", 5) == 0) {
        out->kind = LWB_JOBSERVER_FIFO;
        memcpy(out->path, text + 5, len - 4);
    } else if (sscanf(text, "%d,%d%n", &out->read_fd, &out->write_fd, &used) == 2 && /* NOLINT */
               (size_t)used == len && out->read_fd >= 0 && out->write_fd >= 0) {
        out->kind = LWB_JOBSERVER_PIPE;
    }
}

void lwb_jobserver_parse(struct lwb_jobserver_auth *out, const char *makeflags)
{
    static const char *const names[] = { "--jobserver-auth=", "--jobserver-fds=" };

    *out = (struct lwb_jobserver_auth){ 0 };
    for (const char *word = makeflags ? makeflags : ""; *word; word += strspn(word, " ")) {
        size_t len = strcspn(word, " ");

        if (len == 2 && memcmp(word, "--", 2) == 0)
            return;
        for (size_t i = 0; i < LWB_COUNT(names); i++) {
            size_t name_len = strlen(names[i]);

            if (len > name_len && strncmp(word, names[i], name_len) == 0)
                parse_auth(out, word + name_len, len - name_len);
        }
        word += len;
    }
}

/* ---- the pipe ------------------------------------------------------------------------------ */

static bool is_fifo(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

/*
 * A description of our own for reading: O_NONBLOCK on make's own one would be
 * seen by make and by all its other children.
 */
static int reopen_for_reading(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

static void open_ends(struct lwb_jobserver *jobserver, const struct lwb_jobserver_auth *auth)
{
    if (auth->kind == LWB_JOBSERVER_FIFO) {
        jobserver->read_fd = open(auth->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        jobserver->write_fd = open(auth->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    } else if (is_fifo(auth->read_fd) && is_fifo(auth->write_fd)) {
        jobserver->read_fd = reopen_for_reading(auth->read_fd);
        jobserver->write_fd = fcntl(auth->write_fd, F_DUPFD_CLOEXEC, 3);
    }
}

void lwb_jobserver_open(struct lwb_jobserver *jobserver, const char *makeflags,
                        struct lwb_buf *note)
{
    struct lwb_jobserver_auth auth;

    *jobserver = (struct lwb_jobserver){ .read_fd = -1, .write_fd = -1 };
    lwb_jobserver_parse(&auth, makeflags);
    if (auth.kind == LWB_JOBSERVER_NONE)
        return;
    open_ends(jobserver, &auth);
    if (jobserver->read_fd >= 0 && jobserver->write_fd >= 0 && is_fifo(jobserver->read_fd) &&
        is_fifo(jobserver->write_fd)) {
        jobserver->active = true;
        return;
    }
    lwb_jobserver_close(jobserver);
    lwb_buf_append_text(note, "make's jobserver is named in MAKEFLAGS but cannot be used; "
                              "mark the rule with + or set --jobs");
}

bool lwb_jobserver_take(struct lwb_jobserver *jobserver)
{
    ssize_t got;

    if (!jobserver->active || jobserver->taken == sizeof(jobserver->tokens))
        return false;
    do
        got = read(jobserver->read_fd, &jobserver->tokens[jobserver->taken], 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        return false;
    jobserver->taken++;
    return true;
}

void lwb_jobserver_give(struct lwb_jobserver *jobserver)
{
    ssize_t put;

    assert(jobserver->taken > 0);
    jobserver->taken--;
    do
        put = write(jobserver->write_fd, &jobserver->tokens[jobserver->taken], 1);
    while (put < 0 && errno == EINTR);
    /* A pipe that held the byte before has room for it; a make that is gone needs none. */
}

void lwb_jobserver_close(struct lwb_jobserver *jobserver)
{
    while (jobserver->taken)
        lwb_jobserver_give(jobserver);
    if (jobserver->read_fd >= 0)
        close(jobserver->read_fd);
    if (jobserver->write_fd >= 0)
        close(jobserver->write_fd);
    *jobserver = (struct lwb_jobserver){ .read_fd = -1, .write_fd = -1 };
}
