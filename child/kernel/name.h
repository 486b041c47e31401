#pragma once

#include "child/kernel/arena.h"
#include "lwbuild/base/buf.h"

/*
 * Names and texts of one file, each kept once: equal names have equal numbers.
 * Name 0 is the anonymous name. Filled while the file is read; from then on only looked
 * at, also while declarations are admitted.
 */
typedef uint32_t kn_name;
#define KN_ANONYMOUS 0
#define KN_NO_NAME UINT32_MAX

struct kn_name_part {
    kn_name parent;
    uint32_t text;   /* of a text component, else KN_NO_NAME */
    uint64_t number; /* of a numeric component */
};

struct kn_name_slot {
    uint32_t index1; /* + 1, 0: free */
    uint32_t hash;
};

struct kn_name_table {
    struct kn_name_slot *slots;
    uint32_t mask;
};

struct kn_names {
    struct kn_budget *budget;
    struct kn_arena arena;
    struct lwb_bytes *texts;
    size_t n_texts, cap_texts;
    struct kn_name_part *parts;
    size_t n_parts, cap_parts;
    struct kn_name_table by_text, by_part;
};

bool kn_names_init(struct kn_names *names, struct kn_budget *budget);
void kn_names_release(struct kn_names *names);

/* These return KN_NO_NAME when memory is out. The text is copied unless it is `lasting`. */
uint32_t kn_text(struct kn_names *names, struct lwb_bytes text, bool lasting);
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
