#pragma once

#include "lwbuild/base/buf.h"

/*
 * Writes small exports by hand: each function appends a line and returns its
 * number. For attacks, which no Lean will export.
 */
struct builder {
    struct lwb_buf out;
    unsigned names, levels, exprs; /* the next numbers */
};

void builder_start(struct builder *b);
/* Continue an export that exists, with numbers above all of its own. */
void builder_continue(struct builder *b, struct lwb_bytes file);
void builder_release(struct builder *b);

unsigned b_name(struct builder *b, const char *dotted);
unsigned b_param(struct builder *b, unsigned name);
unsigned b_level(struct builder *b, const char *op, unsigned x);              /* succ */
unsigned b_level2(struct builder *b, const char *op, unsigned x, unsigned y); /* max, imax */
unsigned b_sort(struct builder *b, unsigned level);
unsigned b_var(struct builder *b, unsigned index);
unsigned b_const(struct builder *b, const char *dotted);
unsigned b_const_at(struct builder *b, const char *dotted, unsigned level);
unsigned b_const_at2(struct builder *b, const char *dotted, unsigned x, unsigned y);
unsigned b_app(struct builder *b, unsigned f, unsigned a);
unsigned b_lam(struct builder *b, unsigned type, unsigned body);
unsigned b_pi(struct builder *b, unsigned type, unsigned body);
unsigned b_let(struct builder *b, unsigned type, unsigned value, unsigned body);
unsigned b_proj(struct builder *b, const char *dotted, unsigned field, unsigned value);
unsigned b_nat(struct builder *b, const char *digits);
unsigned b_str(struct builder *b, const char *text);

void b_axiom(struct builder *b, const char *dotted, unsigned type);
void b_def(struct builder *b, const char *dotted, unsigned type, unsigned value);
void b_def_at(struct builder *b, const char *dotted, unsigned level_name, unsigned type,
              unsigned value);
void b_thm(struct builder *b, const char *dotted, unsigned type, unsigned value);
void b_opaque(struct builder *b, const char *dotted, unsigned type, unsigned value);
/* A line of its own: a format and what goes into it. */
#define b_line(b, ...)                                                                             \
    (lwb_buf_format(&(b)->out, __VA_ARGS__), lwb_buf_append_char(&(b)->out, '\n'))
