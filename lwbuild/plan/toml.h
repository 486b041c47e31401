#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/plan/arena.h"

/*
 * A strict reader for TOML 1.0, as lakefile.toml and elan's settings.toml are
 * written in it. The tree remembers the line of every value, so that whoever
 * does not like one can say where it stands. Strings cannot hold NUL.
 */
enum lwb_toml_type {
    LWB_TOML_STRING,
    LWB_TOML_INTEGER,
    LWB_TOML_FLOAT,
    LWB_TOML_BOOL,
    LWB_TOML_DATE, /* dates and times, as they were written */
    LWB_TOML_ARRAY,
    LWB_TOML_TABLE,
};

/* A value; members of tables and items of arrays are chained by `next`, in order. */
struct lwb_toml {
    enum lwb_toml_type type;
    unsigned line;
    const char *key;  /* NULL in arrays */
    const char *text; /* string, date */
    int64_t integer;
    double number;
    bool boolean;
    unsigned char origin; /* the reader's: how a table or array came to be */
    struct lwb_toml *first;
    struct lwb_toml *last;
    struct lwb_toml *next;
};

/* Memory of the whole tree. */
struct lwb_toml_document {
    struct lwb_arena arena;
    struct lwb_toml *root; /* a table */
};

/* LWB_ERR_FORMAT with "line 3: ..." when the text is not TOML. */
int lwb_toml_parse(struct lwb_toml_document *out, struct lwb_bytes text, struct lwb_error *err);
void lwb_toml_release(struct lwb_toml_document *document);
LWB_DEFINE_AUTO(struct lwb_toml_document, lwb_toml_release);

/* The member of a table, or NULL. */
const struct lwb_toml *lwb_toml_get(const struct lwb_toml *table, const char *key);

/* "string", "array", ... for error texts. */
const char *lwb_toml_type_name(enum lwb_toml_type type);
