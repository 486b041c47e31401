#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Structured events, one JSON object per line, for people who want to know
 * what lwbuild did: {"t":<ms since start, to the us>,"event":"worker_ready",...}. Off by
 * default, and then one load and one branch. The target is process-wide and is
 * set once by a program's main.
 */

/* Appends to `path`. Returns 0, or -1 with errno when it cannot be opened. */
int lwb_trace_open(const char *path);
void lwb_trace_close(void);
bool lwb_trace_is_on(void);

struct lwb_trace_field {
    const char *key;
    const char *text; /* NULL: number */
    int64_t number;
};

#define LWB_TRACE_TEXT(name, value) ((struct lwb_trace_field){ (name), (value), 0 })
#define LWB_TRACE_INT(name, value) ((struct lwb_trace_field){ (name), NULL, (int64_t)(value) })

/* lwb_trace("worker_ready", LWB_TRACE_INT("pid", pid)); each line is one write(2). */
#define lwb_trace(event, ...)                                                                      \
    do {                                                                                           \
        if (lwb_trace_is_on()) {                                                                   \
            const struct lwb_trace_field lwb_fields[] = { __VA_ARGS__ };                           \
            lwb_trace_write((event), lwb_fields, LWB_TRACE_COUNT(lwb_fields));                     \
        }                                                                                          \
    } while (0)
#define LWB_TRACE_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

void lwb_trace_write(const char *event, const struct lwb_trace_field *fields, unsigned long count);
