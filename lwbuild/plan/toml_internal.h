#pragma once

#include "lwbuild/plan/toml.h"

/* What the two files of the reader share. */
struct lwb_toml_reader {
    const char *text;
    size_t len;
    size_t at;
    unsigned line;
    unsigned depth;
    struct lwb_arena *arena;
    struct lwb_error *err;
};

enum { LWB_TOML_MAX_DEPTH = 64 };

/* LWB_ERR_FORMAT with the line in front. */
#define lwb_toml_fail(reader, format, ...)                                                         \
    lwb_fail((reader)->err, LWB_ERR_FORMAT, "line %u: " format, (reader)->line, ##__VA_ARGS__)

static inline char lwb_toml_peek(const struct lwb_toml_reader *reader, size_t ahead)
{
    return reader->at + ahead < reader->len ? reader->text[reader->at + ahead] : '\0';
}

/* Take `word` if it stands here. */
bool lwb_toml_take(struct lwb_toml_reader *reader, const char *word);

/* A quoted string at `reader`, in any of the four forms; keys may not be multi-line. */
int lwb_toml_read_string(struct lwb_toml_reader *reader, bool multi_line, const char **out);

/* Booleans, numbers and dates. */
int lwb_toml_read_scalar(struct lwb_toml_reader *reader, struct lwb_toml *out);
