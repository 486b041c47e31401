#pragma once

#include "lwbuild/plan/lakefile.h"
#include "lwbuild/plan/lean_tokens.h"

/* What the two files that read lakefile.lean share. */

/* A value as people write it into a field. */
enum lwb_lake_value_kind {
    LWB_LAKE_TEXT, /* "src", "a" / "b" */
    LWB_LAKE_NAME, /* `A.B */
    LWB_LAKE_BOOL,
    LWB_LAKE_NUMBER,
    LWB_LAKE_LIST,   /* #[...], [...] */
    LWB_LAKE_TUPLE,  /* ⟨...⟩, (...) */
    LWB_LAKE_FIELDS, /* { a := b, ... }: items carry their names */
    LWB_LAKE_CALL,   /* .submodules `A: text is "submodules", one item */
};

struct lwb_lake_value {
    enum lwb_lake_value_kind kind;
    const char *text; /* as written, decoded; of numbers and booleans too */
    const char *field;
    unsigned line;
    struct lwb_lake_value *first;
    struct lwb_lake_value *last;
    struct lwb_lake_value *next;
};

/* A definition of the file itself: `abbrev options := #[...]`. */
struct lwb_lake_definition {
    const char *name;
    size_t value; /* token */
};

struct lwb_lake_reader {
    struct lwb_tokens tokens;
    size_t at;
    unsigned depth; /* of values and references */
    struct lwb_lake_definition *definitions;
    size_t n_definitions;
    size_t cap_definitions;
    struct lwb_lakefile file;
    struct lwb_strvec defaults;
    struct lwb_error *err;
};

static inline const struct lwb_token *lwb_lake_token(const struct lwb_lake_reader *reader)
{
    return &reader->tokens.items[reader->at];
}

/* Symbol or name. */
bool lwb_lake_token_is(const struct lwb_token *token, const char *text);

/* Take the token if it is `text`. */
bool lwb_lake_take(struct lwb_lake_reader *reader, const char *text);

/* A value, or LWB_ERR_LAKEFILE with its line when it is none of those above. */
int lwb_lake_read_value(struct lwb_lake_reader *reader, struct lwb_lake_value **out);
