#pragma once

#include <string.h>
#include <unistd.h>

#include "lwbuild/base/json.h"
#include "lwbuild/protocol/frame.h"
#include "lwbuild/protocol/message.h"

/*
 * What the parts of fake-child share: fake_child.c says what it can do. It is
 * one process with one conversation, so this is all there is of it.
 */
enum { FAKE_LIMIT = 64 * 1024 * 1024 };

extern const char *fake_scenario; /* first argument */
extern struct lwb_buf fake_out;   /* encoded, not yet written */
extern struct lwb_error fake_err;

/* One request. */
struct fake_work {
    struct lwb_message_head head;
    const char *name; /* of the export, module or label: what to do */
    struct lwb_bytes argument;
    uint64_t n;
};

static inline bool fake_is(const char *name, const char *what)
{
    return strcmp(name, what) == 0;
}

_Noreturn void fake_die(const char *how);
_Noreturn void fake_wait_for_ever(void);

/* Write what is encoded; raw bytes behind it. */
void fake_flush(void);
void fake_raw(const char *bytes, size_t len);

struct lwb_message_head fake_reply_to(const struct lwb_message_head *head,
                                      enum lwb_message_type type);
void fake_answer(const struct fake_work *work);
void fake_put_answer(const struct fake_work *work, struct lwb_message_head head,
                     const struct lwb_stream_count *counts, size_t n_counts);

/* The start and the end of the conversation. */
void fake_start_badly(void);
void fake_say_hello(struct lwb_message *message);
void fake_open_session(struct lwb_message *message);
void fake_terminate(const struct fake_work *work);

/* Memory that stays taken. */
void fake_eat(uint64_t mib);

/* Besides talking; returns unless it ends or waits. */
void fake_do_processes(const struct fake_work *work);

/* How a request goes wrong. Each returns whether it has answered, or would have. */
bool fake_break_frames(const struct fake_work *work);
bool fake_break_ids(const struct fake_work *work);
bool fake_do_rows(const struct fake_work *work);
bool fake_do_events(const struct fake_work *work);

void fake_put_rows(const struct lwb_message_head *head, const char *stream, uint64_t first,
                   uint64_t count, uint64_t announced);
void fake_put_progress(const struct lwb_message_head *head, uint64_t current);

/* segv, abort, exit3, exit0, kill; returns for any other word. */
void fake_end_as(const char *name);
