#include "tests/integration/kernel/forged_block.h"

#include <stdio.h>

/* The parts of the line under their numbers. */
struct parts {
    unsigned type, rec, ctors[FORGED_CTORS];
    unsigned of_rec, of_ctors[FORGED_CTORS], rules[FORGED_CTORS];
    unsigned self, elim, elim_name, level_name;
};

static unsigned constant(struct builder *b, const struct forged *f, const char *name)
{
    if (!f->level)
        return b_const(b, name);
    return b_const_at(b, name, b_param(b, b_name(b, f->level)));
}

static unsigned minor_type(struct builder *b, const struct forged *f, int i, unsigned depth)
{
    unsigned ctor = constant(b, f, f->ctors[i]);

    if (!f->fields[i])
        return b_app(b, b_var(b, depth), ctor);
    return b_pi(b, f->fields[i] - 1, b_app(b, b_var(b, depth + 1), b_app(b, ctor, b_var(b, 0))));
}

static unsigned rec_type(struct builder *b, const struct forged *f, const struct parts *p)
{
    const unsigned n = (unsigned)f->n_ctors;
    unsigned type = b_pi(b, p->self, b_app(b, b_var(b, n + 1), b_var(b, 0)));
    int i;

    for (i = f->n_ctors - 1; i >= 0; i--)
        type = b_pi(b, minor_type(b, f, i, (unsigned)i), type);
    return b_pi(b, b_pi(b, p->self, b_sort(b, p->elim)), type);
}

static unsigned rule_rhs(struct builder *b, const struct forged *f, const struct parts *p, int rule)
{
    const unsigned n = (unsigned)f->n_ctors;
    const bool field = f->fields[rule] != 0;
    unsigned term = b_var(b, n - 1 - (unsigned)rule + field);
    int i;

    if (field)
        term = b_lam(b, f->fields[rule] - 1, b_app(b, term, b_var(b, 0)));
    for (i = f->n_ctors - 1; i >= 0; i--)
        term = b_lam(b, minor_type(b, f, i, (unsigned)i), term);
    return b_lam(b, b_pi(b, p->self, b_sort(b, p->elim)), term);
}

static void write_parts(struct builder *b, const struct forged *f, struct parts *p)
{
    int i;

    *p = (struct parts){ .type = b_name(b, f->type), .rec = b_name(b, f->rec) };
    p->elim_name = b_name(b, "elim");
    p->level_name = f->level ? b_name(b, f->level) : 0;
    p->self = constant(b, f, f->type);
    p->elim = f->large ? b_param(b, p->elim_name) : 0;
    for (i = 0; i < f->n_ctors; i++) {
        p->ctors[i] = b_name(b, f->ctors[i]);
        p->of_ctors[i] = f->fields[i] ? b_pi(b, f->fields[i] - 1, p->self) : p->self;
        p->rules[i] = rule_rhs(b, f, p, f->swapped_rules ? f->n_ctors - 1 - i : i);
    }
    p->of_rec = rec_type(b, f, p);
}

/* "[1,2]" of the numbers that are not 0 */
static void append_list(struct lwb_buf *out, unsigned first, unsigned second)
{
    lwb_buf_append_char(out, '[');
    if (first)
        lwb_buf_format(out, "%u", first);
    if (second)
        lwb_buf_format(out, first ? ",%u" : "%u", second);
    lwb_buf_append_char(out, ']');
}

static void append_ctors(struct lwb_buf *out, const struct forged *f, const struct parts *p)
{
    int i;

    for (i = 0; i < f->n_ctors; i++) {
        lwb_buf_format(out, "%s{\"cidx\":%d,\"induct\":%u,\"isUnsafe\":false,\"levelParams\":",
                       i ? "," : "", i, p->type);
        append_list(out, p->level_name, 0);
        lwb_buf_format(out, ",\"name\":%u,\"numFields\":%d,\"numParams\":0,\"type\":%u}",
                       p->ctors[i], (f->fields[i] != 0) - f->fields_less, p->of_ctors[i]);
    }
    lwb_buf_append_text(out, f->more_ctors ? f->more_ctors : "");
}

static void append_rec(struct lwb_buf *out, const struct forged *f, const struct parts *p)
{
    int i;

    lwb_buf_format(out, "{\"all\":[%u],\"isUnsafe\":false,\"k\":%s,\"levelParams\":", p->type,
                   f->k ? "true" : "false");
    append_list(out, f->large ? p->elim_name : 0, p->level_name);
    lwb_buf_format(out,
                   ",\"name\":%u,\"numIndices\":0,\"numMinors\":%d,\"numMotives\":1,"
                   "\"numParams\":0,\"rules\":[",
                   p->rec, f->n_ctors);
    for (i = 0; i < f->n_ctors; i++)
        lwb_buf_format(out, "%s{\"ctor\":%u,\"nfields\":%d,\"rhs\":%u}", i ? "," : "", p->ctors[i],
                       (f->fields[i] != 0) - f->fields_less, p->rules[i]);
    lwb_buf_format(out, "],\"type\":%u}", p->of_rec);
}

static void append_type(struct lwb_buf *out, const struct forged *f, const struct parts *p)
{
    lwb_buf_format(out, "{\"all\":[%u],\"ctors\":", p->type);
    append_list(out, p->ctors[0], p->ctors[1]);
    lwb_buf_append_text(out, ",\"isRec\":false,\"isReflexive\":false,\"isUnsafe\":false,"
                             "\"levelParams\":");
    append_list(out, p->level_name, 0);
    lwb_buf_format(out,
                   ",\"name\":%u,\"numIndices\":0,\"numNested\":0,\"numParams\":0,\"type\":%u}",
                   p->type, f->sort);
}

void forge(struct builder *b, const struct forged *f)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf line = LWB_BUF(1 << 16);
    struct parts p;

    write_parts(b, f, &p);
    lwb_buf_append_text(&line, "{\"inductive\":{\"ctors\":[");
    append_ctors(&line, f, &p);
    lwb_buf_append_text(&line, "],\"recs\":[");
    append_rec(&line, f, &p);
    if (f->rec_twice) {
        lwb_buf_append_char(&line, ',');
        append_rec(&line, f, &p);
    }
    lwb_buf_append_text(&line, f->more_recs ? f->more_recs : "");
    lwb_buf_append_text(&line, "],\"types\":[");
    if (!f->no_types)
        append_type(&line, f, &p);
    lwb_buf_append_text(&line, "]}}");
    b_line(b, "%s", lwb_buf_text(&line));
}
