#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/plan/arena.h"

/*
 * The words of a Lean text, as far as one has to know them to read a
 * declarative lakefile: comments are gone, strings are decoded, brackets and
 * signs are symbols. What Lean's extensible grammar makes of them is not known
 * here.
 */
enum lwb_token_kind {
    LWB_TOKEN_END,
    LWB_TOKEN_NAME,   /* package, Foo.bar, «a b», .submodules */
    LWB_TOKEN_QUOTED, /* `Foo.Bar, ``Foo; text is the name, with ".*" or ".+" of a glob */
    LWB_TOKEN_STRING, /* text is what it stands for */
    LWB_TOKEN_NUMBER, /* digits only */
    LWB_TOKEN_SYMBOL, /* := #[ @[ ++ ⟨ and single characters */
};

struct lwb_token {
    enum lwb_token_kind kind;
    const char *text;
    unsigned line;
    bool starts_line; /* nothing but space stands before it */
    bool at_margin;   /* in column 0, where commands start */
};

struct lwb_tokens {
    struct lwb_arena arena;
    struct lwb_token *items; /* the last is LWB_TOKEN_END */
    size_t count;
    size_t cap;
};

/* LWB_ERR_FORMAT with "line N: " when a comment or string is not closed. */
int lwb_tokens_read(struct lwb_tokens *out, struct lwb_bytes text, struct lwb_error *err);
void lwb_tokens_release(struct lwb_tokens *tokens);
LWB_DEFINE_AUTO(struct lwb_tokens, lwb_tokens_release);
