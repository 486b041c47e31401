#pragma once

#include "lwbuild/base/file.h"
#include "lwbuild/plan/plan.h"

/*
 * Files, folders and absent paths with what stat said of them, as a flat
 * sequence of bytes that can be kept in a file and checked in place: the body
 * of a snapshot.
 *
 * Layout: for each folder a record 'D' with its path; then, for every name in
 * it, a record of kind, stat and name. All integers in the machine's own
 * order: a snapshot is a short cut for one machine. Records are 8-byte aligned.
 */
enum lwb_seen {
    LWB_SEEN_FILE,   /* must look the same to stat */
    LWB_SEEN_ABSENT, /* must not be there */
    LWB_SEEN_OUTPUT, /* must be there with the same size; its times may differ */
};

struct lwb_witness_item {
    char *path; /* absolute, normalised */
    enum lwb_seen kind;
    struct lwb_file_stat stat;
};

struct lwb_witness_list {
    struct lwb_witness_item *items;
    size_t count;
    size_t cap;
    bool failed; /* memory was out: the list is not complete */
};

void lwb_witness_list_add(struct lwb_witness_list *list, enum lwb_seen kind, const char *path,
                          const struct lwb_file_stat *st);
void lwb_witness_list_release(struct lwb_witness_list *list);
LWB_DEFINE_AUTO(struct lwb_witness_list, lwb_witness_list_release);

/* Sorts the list. Returns 0, or -1 when it cannot be written down. */
int lwb_witness_list_encode(struct lwb_buf *out, struct lwb_witness_list *list);

/* Whether the world still looks like that. Damaged bytes are a no. */
bool lwb_witness_list_holds(struct lwb_bytes encoded);

/* A file whose content may have changed after it was read without stat showing it. */
bool lwb_witness_list_is_racy(const struct lwb_witness_list *list, int64_t now_ns);
