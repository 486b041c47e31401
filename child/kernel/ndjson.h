#pragma once

#include "child/kernel/environment.h"
#include "lwbuild/base/buf.h"

/*
 * The reader of lean4export's NDJSON 3.1 (format_ndjson.md there): one JSON
 * object per line; the first names the format; names, levels and expressions
 * are numbered in three separate spaces, in any order and with gaps, each
 * before it is used. Keys may stand in any order, once each. Format 3.0, with
 * lists of definitions and longer key names, is read too.
 *
 * What is not JSON, or lacks something, or refers to what is not there, is
 * malformed; what is well-formed but unknown is not understood, and declined.
 */
enum kn_read { KN_READ_FINE, KN_READ_MALFORMED, KN_READ_UNKNOWN };

/* What is defined under the numbers of one space: an array, and a map for outliers. */
struct kn_dense {
    uint32_t *values1; /* + 1, 0: nothing */
    size_t n;
};

struct kn_index {
    struct kn_dense dense;
    struct kn_map sparse;
};

/* What is read: one text, or what `more` has. */
struct kn_input {
    struct lwb_bytes text;
    const struct lwb_kernel_source *more; /* NULL: there is `text` and nothing else */
    uint64_t bytes;                       /* of all, if known */
};

struct kn_reader {
    struct kn_ctx *ctx;
    struct kn_env *env;
    const struct lwb_kernel_source *more; /* NULL: nothing comes behind `end` */
    char *window;                         /* where it goes; lines move in it, between two lines */
    size_t window_bytes;
    const char *at, *end; /* of what is there of the file */
    const char *line_end; /* of the present line: its newline, or the end */
    uint32_t line;
    enum kn_read state;
    enum lwb_kernel_cause cause; /* of KN_READ_UNKNOWN */
    char text[300];              /* why not fine */
    struct kn_index names, levels, exprs;
    struct lwb_buf scratch; /* a decoded string */
    uint32_t *list;         /* a list being read */
    size_t n_list, cap_list;
};

/* Reads all of it; false with reader->state, line and text set, or the context's fault. */
bool kn_read_export(struct kn_reader *reader, struct kn_ctx *ctx, const struct kn_input *input);
void kn_reader_release(struct kn_reader *reader);

/* For the parts of the reader, ndjson_*.c ------------------------------------------------------ */

/* The state becomes this, unless it is bad already; returns false. */
bool kn_malformed(struct kn_reader *r, const char *format, ...) LWB_PRINTF(2, 3);
bool kn_unknown(struct kn_reader *r, const char *format, ...) LWB_PRINTF(2, 3);
bool kn_read_no_memory(struct kn_reader *r);
bool kn_read_fault(struct kn_reader *r); /* the context's */

/* Eight bytes at a time, the first in the lowest byte of the word. */
enum { KN_WORD = 8 };
#define KN_EACH UINT64_C(0x0101010101010101)
#define KN_HIGH UINT64_C(0x8080808080808080)

static inline uint64_t kn_load(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/*
 * High bits of the bytes that are a quote, a backslash, a control character or
 * no ASCII; those behind the first one may be wrong.
 */
static inline uint64_t kn_text_stops(uint64_t word)
{
    const uint64_t quote = word ^ KN_EACH * '"', back = word ^ KN_EACH * '\\';

    return (((quote - KN_EACH) & ~quote) | ((back - KN_EACH) & ~back) |
            ((word - KN_EACH * ' ') & ~word) | word) &
           KN_HIGH;
}

/* One token; false when something else stands there. */
bool kn_expect(struct kn_reader *r, char c);
bool kn_peek(struct kn_reader *r, char c); /* is c next? Consumes nothing but blanks. */

/*
 * Members of an object: "key": is read if there is another one, and the '}' if
 * not. *first is true before the first. Returns 1, 0, or -1.
 */
int kn_next_key(struct kn_reader *r, bool *first, struct lwb_bytes *key);
int kn_next_item(struct kn_reader *r, bool *first); /* the same for arrays */

/*
 * Which of `keys` this is, each at most once (`seen` has a bit per key); -1 if
 * none. Sorted keys are found sooner, since the exporter sorts them, too.
 */
int kn_which_key(struct kn_reader *r, struct lwb_bytes key, const char *const *keys, int n,
                 uint32_t *seen);
bool kn_require(struct kn_reader *r, uint32_t seen, uint32_t needed, const char *what);

bool kn_read_u64(struct kn_reader *r, uint64_t *out);
bool kn_read_bool(struct kn_reader *r, bool *out);
bool kn_read_string(struct kn_reader *r, struct lwb_bytes *out);
bool kn_skip_value(struct kn_reader *r);

/* What is defined under a number; a number is defined once. `what` is for messages. */
bool kn_index_set(struct kn_reader *r, struct kn_index *index, uint64_t i, uint32_t value,
                  const char *what);
void kn_index_release(struct kn_index *index);

bool kn_read_name(struct kn_reader *r, kn_name *out);
bool kn_read_level(struct kn_reader *r, kn_ref *out);
bool kn_read_expr(struct kn_reader *r, kn_ref *out);
bool kn_read_list(struct kn_reader *r, const struct kn_index *index,
                  const char *what);                                       /* r->list */
bool kn_read_names(struct kn_reader *r, const kn_name **out, uint32_t *n); /* in env->arena */

/* Reads the next line if it is in the exporter's own spelling; else nothing happens. */
bool kn_read_fast(struct kn_reader *r);

/* Records that define something under a number, by the key that stands before their value. */
enum kn_space { KN_SPACE_NAME, KN_SPACE_LEVEL, KN_SPACE_EXPR };

struct kn_term_kind {
    const char *key;
    enum kn_space space;
    bool (*read)(struct kn_reader *r, uint32_t *out);
};
const struct kn_term_kind *kn_term_kind(struct lwb_bytes key); /* NULL: there is none */

/* The first line, and any other. */
bool kn_read_meta(struct kn_reader *r);
bool kn_read_record(struct kn_reader *r);

/* The value of "axiom", "def", ... */
enum kn_record {
    KN_RECORD_AXIOM,
    KN_RECORD_DEF,
    KN_RECORD_THM,
    KN_RECORD_OPAQUE,
    KN_RECORD_QUOT,
    KN_RECORD_INDUCTIVE,
};
bool kn_read_decl(struct kn_reader *r, enum kn_record record);
bool kn_read_decl_name(struct kn_reader *r, kn_name *out); /* any but the anonymous one */
bool kn_read_block(struct kn_reader *r);                   /* of "inductive" */
