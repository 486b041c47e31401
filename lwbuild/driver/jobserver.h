#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"

/*
 * Client of GNU make's jobserver (make 4.x, also spoken by Ninja 1.13): how
 * many workers may run beside those of other rules. The first worker needs no
 * token; each further one takes a byte from the pipe and the same byte is put
 * back when it ends. Never waits: without a token there are fewer workers.
 */
enum lwb_jobserver_kind {
    LWB_JOBSERVER_NONE, /* not started by a make that offers one */
    LWB_JOBSERVER_PIPE, /* --jobserver-auth=R,W (and --jobserver-fds before make 4.2) */
    LWB_JOBSERVER_FIFO, /* --jobserver-auth=fifo:PATH (make 4.4) */
};

/* What MAKEFLAGS says; the last word counts, words behind "--" do not. Pure. */
struct lwb_jobserver_auth {
    enum lwb_jobserver_kind kind;
    int read_fd, write_fd;
    char path[512];
};
void lwb_jobserver_parse(struct lwb_jobserver_auth *out, const char *makeflags);

struct lwb_jobserver {
    bool active;
    int read_fd; /* our own description, non-blocking */
    int write_fd;
    char tokens[1024]; /* bytes taken and not yet given back */
    unsigned taken;
};

/*
 * Descriptors are checked before they are used: make closes them for rules that
 * it does not know to be recursive but leaves them in MAKEFLAGS. `note` gets a
 * line for --verbose when one is named that does not work.
 */
void lwb_jobserver_open(struct lwb_jobserver *jobserver, const char *makeflags,
                        struct lwb_buf *note);

/* A token for one more worker; always false when there is no jobserver. */
bool lwb_jobserver_take(struct lwb_jobserver *jobserver);
void lwb_jobserver_give(struct lwb_jobserver *jobserver);

/* Gives back whatever was taken. */
void lwb_jobserver_close(struct lwb_jobserver *jobserver);
