#include "child/kernel/ndjson.h"

#include "lwbuild/base/alloc.h"

/*
 * One pass over the bytes without an intermediate form, in a window of the
 * file: what is behind the reader is gone.
 */
enum {
    USUAL_LINE = 64,           /* bytes; a guess at how many nodes are to come */
    MOST_EXPECTED = 64 << 20,  /* bytes: beyond that, tables grow with what is read */
    LOW_WATER = 4096,          /* bytes of the window */
    FIRST_WINDOW = 128 * 1024, /* bytes */
};

/* The window is full: what is left of it moves to its front, or into a larger one. */
static bool make_space(struct kn_reader *r)
{
    const size_t left = (size_t)(r->end - r->at);

    if (left > r->window_bytes / 2 || !r->window) {
        const size_t size = r->window ? 2 * r->window_bytes : FIRST_WINDOW;
        char *larger = kn_take_raw(r->ctx->budget, size);

        if (!larger)
            return kn_read_no_memory(r);
        if (left)
            memcpy(larger, r->at, left);
        kn_give(r->ctx->budget, r->window, r->window_bytes);
        r->window = larger;
        r->window_bytes = size;
    } else if (left) {
        memmove(r->window, r->at, left);
    }
    r->at = r->window;
    r->end = r->window + left;
    return true;
}

/* More of the file, behind what is there. At the end of the file r->more becomes NULL. */
static bool read_more(struct kn_reader *r)
{
    size_t used;
    ptrdiff_t n;

    if ((!r->window || r->end == r->window + r->window_bytes) && !make_space(r))
        return false;
    used = (size_t)(r->end - r->window);
    n = r->more->read(r->more->ctx, r->window + used, r->window_bytes - used);
    if (n < 0)
        return kn_unknown(r, "the file cannot be read");
    if (n == 0)
        r->more = NULL;
    r->end += n;
    return true;
}

/* To the newline, or the end of the file. */
static bool find_line_end(struct kn_reader *r)
{
    size_t looked_at = 0;

    for (;;) {
        r->line_end = memchr(r->at + looked_at, '\n', (size_t)(r->end - r->at) - looked_at);
        if (r->line_end)
            return true;
        looked_at = (size_t)(r->end - r->at);
        if (!r->more) {
            r->line_end = r->end;
            return true;
        }
        if (!read_more(r))
            return false;
    }
}

static bool read_line(struct kn_reader *r)
{
    if (!find_line_end(r))
        return false;
    if (r->line == 1 && lwb_bytes_is(lwb_bytes(r->at, (size_t)(r->line_end - r->at)), "2.0.0"))
        return kn_unknown(r, "the text format 2.0.0 is not read; export as NDJSON 3.1");
    if (r->line == 1 || !kn_peek(r, '\n')) { /* else blank */
        if (!(r->line == 1 ? kn_read_meta(r) : kn_read_record(r)))
            return false;
        if (!kn_peek(r, '\n'))
            return kn_malformed(r, "text behind the record");
    }
    r->at = r->line_end < r->end ? r->line_end + 1 : r->end;
    return true;
}

static bool init(struct kn_reader *r, struct kn_ctx *ctx, const struct kn_input *input)
{
    memset(r, 0, sizeof(*r));
    r->ctx = ctx;
    r->env = ctx->env;
    r->more = input->more;
    r->at = input->text.ptr;
    r->end = input->text.len ? input->text.ptr + input->text.len : input->text.ptr;
    r->scratch = LWB_BUF(SIZE_MAX / 4);
    r->names.sparse.budget = r->levels.sparse.budget = r->exprs.sparse.budget = ctx->budget;
    kn_store_expect(ctx, ctx->lasting,
                    (size_t)(input->bytes < MOST_EXPECTED ? input->bytes : MOST_EXPECTED) /
                        USUAL_LINE);
    return kn_index_set(r, &r->names, 0, KN_ANONYMOUS, "name") &&
           kn_index_set(r, &r->levels, 0, ctx->zero, "level");
}

bool kn_read_export(struct kn_reader *r, struct kn_ctx *ctx, const struct kn_input *input)
{
    if (!init(r, ctx, input))
        return false;
    while (r->at < r->end || r->more) {
        /* The fast reader wants to see some way ahead. */
        if (r->more && r->end - r->at < LOW_WATER && !read_more(r))
            return false;
        if (r->at == r->end)
            continue;
        if (r->line == UINT32_MAX - 1)
            return kn_unknown(r, "more than 4 billion lines");
        r->line++;
        /* The first line says what the others mean, and must be there. */
        if ((r->line == 1 || !kn_read_fast(r)) && !read_line(r))
            return false;
        if ((r->line & 0xfff) == 0 && !kn_may_go_on_slow(ctx))
            return kn_read_fault(r);
    }
    if (r->line == 0)
        return kn_malformed(r, "the file is empty");
    if (r->env->n_items == 0)
        return kn_malformed(r, "the file declares nothing");
    return true;
}

void kn_reader_release(struct kn_reader *r)
{
    kn_index_release(&r->names);
    kn_index_release(&r->levels);
    kn_index_release(&r->exprs);
    kn_give(r->ctx->budget, r->window, r->window_bytes);
    lwb_buf_release(&r->scratch);
    lwb_free(r->list);
    memset(r, 0, sizeof(*r));
}
