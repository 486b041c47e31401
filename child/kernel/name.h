#pragma once

#include "child/kernel/arena.h"
#include "child/kernel/intern.h"
#include "lwbuild/base/buf.h"

/*
 * Names and texts of one file, each kept once: equal names have equal numbers.
 * Name 0 is the anonymous name. Filled while the file is read; from then on only looked
 * at, also while declarations are admitted.
 */
typedef uint32_t kn_name;
#define KN_ANONYMOUS 0
#define KN_NO_NAME UINT32_MAX

/* The last component of a name: a text, or a number, which if large is kept as its digits. */
struct kn_name_part {
    kn_name parent;
    uint32_t part; /* a text, a small number | KN_NUMBER, or a text | KN_NUMBER | KN_DIGITS */
};

#define KN_NUMBER UINT32_C(0x80000000)
#define KN_DIGITS UINT32_C(0x40000000)

struct kn_names {
    struct kn_budget *budget;
    struct kn_arena arena;
    struct lwb_bytes *texts;
    size_t n_texts, cap_texts;
    struct kn_name_part *parts;
    size_t n_parts, cap_parts;
    struct kn_intern by_text, by_part;
};

bool kn_names_init(struct kn_names *names, struct kn_budget *budget);
void kn_names_release(struct kn_names *names);

/* These return KN_NO_NAME when memory is out. The text is copied. */
uint32_t kn_text(struct kn_names *names, struct lwb_bytes text);
kn_name kn_name_text(struct kn_names *names, kn_name parent, uint32_t text);
kn_name kn_name_number(struct kn_names *names, kn_name parent, uint64_t number);

/* The name written with dots, such as "Nat.add": for names the kernel knows. */
kn_name kn_name_parse(struct kn_names *names, const char *dotted);

/*
 * The same name below `parent`, or KN_NO_NAME where nothing has that name:
 * nothing is added, so that any number of threads may look at once.
 */
kn_name kn_name_find(const struct kn_names *names, kn_name parent, const char *dotted);

/* A component anywhere in `name` is the text `text`. */
bool kn_name_mentions(const struct kn_names *names, kn_name name, const char *text);

/* As people write it, with French quotes around components that need them. */
void kn_name_describe(const struct kn_names *names, kn_name name, struct lwb_buf *out);
