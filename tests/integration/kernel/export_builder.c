#include "tests/integration/kernel/export_builder.h"

#include <stdio.h>

void builder_start(struct builder *b)
{
    *b = (struct builder){ .out = LWB_BUF(1 << 24), .names = 1, .levels = 1 };
    b_line(b, "{\"meta\":{\"format\":{\"version\":\"3.1.0\"}}}");
}

void builder_continue(struct builder *b, struct lwb_bytes file)
{
    *b = (struct builder){
        .out = LWB_BUF(1 << 24), .names = 90000, .levels = 90000, .exprs = 90000
    };
    lwb_buf_append_bytes(&b->out, file);
}

void builder_release(struct builder *b)
{
    lwb_buf_release(&b->out);
}

unsigned b_name(struct builder *b, const char *dotted)
{
    unsigned parent = 0;

    for (;;) {
        size_t n = strcspn(dotted, ".");

        b_line(b, "{\"in\":%u,\"str\":{\"pre\":%u,\"str\":\"%.*s\"}}", b->names, parent, (int)n,
               dotted);
        parent = b->names++;
        if (!dotted[n])
            return parent;
        dotted += n + 1;
    }
}

unsigned b_param(struct builder *b, unsigned name)
{
    b_line(b, "{\"il\":%u,\"param\":%u}", b->levels, name);
    return b->levels++;
}

unsigned b_level(struct builder *b, const char *op, unsigned x)
{
    b_line(b, "{\"il\":%u,\"%s\":%u}", b->levels, op, x);
    return b->levels++;
}

unsigned b_level2(struct builder *b, const char *op, unsigned x, unsigned y)
{
    b_line(b, "{\"il\":%u,\"%s\":[%u,%u]}", b->levels, op, x, y);
    return b->levels++;
}

unsigned b_sort(struct builder *b, unsigned level)
{
    b_line(b, "{\"ie\":%u,\"sort\":%u}", b->exprs, level);
    return b->exprs++;
}

unsigned b_var(struct builder *b, unsigned index)
{
    b_line(b, "{\"bvar\":%u,\"ie\":%u}", index, b->exprs);
    return b->exprs++;
}

unsigned b_const(struct builder *b, const char *dotted)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"const\":{\"name\":%u,\"us\":[]},\"ie\":%u}", name, b->exprs);
    return b->exprs++;
}

unsigned b_const_at(struct builder *b, const char *dotted, unsigned level)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"const\":{\"name\":%u,\"us\":[%u]},\"ie\":%u}", name, level, b->exprs);
    return b->exprs++;
}

unsigned b_const_at2(struct builder *b, const char *dotted, unsigned x, unsigned y)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"const\":{\"name\":%u,\"us\":[%u,%u]},\"ie\":%u}", name, x, y, b->exprs);
    return b->exprs++;
}

unsigned b_app(struct builder *b, unsigned f, unsigned a)
{
    b_line(b, "{\"app\":{\"arg\":%u,\"fn\":%u},\"ie\":%u}", a, f, b->exprs);
    return b->exprs++;
}

static unsigned binder(struct builder *b, const char *kind, unsigned type, unsigned body)
{
    b_line(b, "{\"%s\":{\"binderInfo\":\"default\",\"body\":%u,\"name\":0,\"type\":%u},\"ie\":%u}",
           kind, body, type, b->exprs);
    return b->exprs++;
}

unsigned b_lam(struct builder *b, unsigned type, unsigned body)
{
    return binder(b, "lam", type, body);
}

unsigned b_pi(struct builder *b, unsigned type, unsigned body)
{
    return binder(b, "forallE", type, body);
}

unsigned b_let(struct builder *b, unsigned type, unsigned value, unsigned body)
{
    b_line(b,
           "{\"ie\":%u,\"letE\":{\"body\":%u,\"name\":0,\"nondep\":false,\"type\":%u,"
           "\"value\":%u}}",
           b->exprs, body, type, value);
    return b->exprs++;
}

unsigned b_proj(struct builder *b, const char *dotted, unsigned field, unsigned value)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"ie\":%u,\"proj\":{\"idx\":%u,\"struct\":%u,\"typeName\":%u}}", b->exprs, field,
           value, name);
    return b->exprs++;
}

unsigned b_nat(struct builder *b, const char *digits)
{
    b_line(b, "{\"ie\":%u,\"natVal\":\"%s\"}", b->exprs, digits);
    return b->exprs++;
}

unsigned b_str(struct builder *b, const char *text)
{
    b_line(b, "{\"ie\":%u,\"strVal\":\"%s\"}", b->exprs, text);
    return b->exprs++;
}

void b_axiom(struct builder *b, const char *dotted, unsigned type)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"axiom\":{\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,\"type\":%u}}", name,
           type);
}

void b_def(struct builder *b, const char *dotted, unsigned type, unsigned value)
{
    unsigned name = b_name(b, dotted);

    b_line(b,
           "{\"def\":{\"all\":[%u],\"hints\":\"abbrev\",\"levelParams\":[],\"name\":%u,"
           "\"safety\":\"safe\",\"type\":%u,\"value\":%u}}",
           name, name, type, value);
}

void b_def_at(struct builder *b, const char *dotted, unsigned level_name, unsigned type,
              unsigned value)
{
    unsigned name = b_name(b, dotted);

    b_line(b,
           "{\"def\":{\"all\":[%u],\"hints\":\"abbrev\",\"levelParams\":[%u],\"name\":%u,"
           "\"safety\":\"safe\",\"type\":%u,\"value\":%u}}",
           name, level_name, name, type, value);
}

void b_thm(struct builder *b, const char *dotted, unsigned type, unsigned value)
{
    unsigned name = b_name(b, dotted);

    b_line(b, "{\"thm\":{\"all\":[%u],\"levelParams\":[],\"name\":%u,\"type\":%u,\"value\":%u}}",
           name, name, type, value);
}

void b_opaque(struct builder *b, const char *dotted, unsigned type, unsigned value)
{
    unsigned name = b_name(b, dotted);

    b_line(b,
           "{\"opaque\":{\"all\":[%u],\"isUnsafe\":false,\"levelParams\":[],\"name\":%u,"
           "\"type\":%u,\"value\":%u}}",
           name, name, type, value);
}
