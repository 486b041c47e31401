#pragma once

#include "lwbuild/base/file.h"
#include "lwbuild/plan/listing.h"

/*
 * Files, folders and absent paths with what stat said of them, as a flat
 * sequence of bytes that can be kept in a file and checked in place: the body
 * of a snapshot.
 *
 * Layout: for each folder a record 'D' with its path; then, for every name in
 * it, a record of kind, stat and name (witness_record.h). All integers in the machine's own
 * order: a snapshot is a short cut for one machine. Records are 8-byte aligned,
 * and so must be the bytes that are handed in.
 */
enum lwb_seen {
    LWB_SEEN_SOURCE, /* of a module: must look the same, but it is known what a change concerns. A
                        source that is an input of others as well is LWB_SEEN_FILE beside that */
    LWB_SEEN_FILE,   /* must look the same to stat */
    LWB_SEEN_FOLDER, /* somebody has listed it: it must hold the names that counted then */
    LWB_SEEN_PROBED, /* must be there */
    LWB_SEEN_ABSENT, /* must not be there */
    LWB_SEEN_OUTPUT, /* must be there with the same size; its times may differ */
};

struct lwb_witness_item {
    char *path; /* absolute, normalised */
    enum lwb_seen kind;
    uint32_t module;            /* its number, of LWB_SEEN_SOURCE */
    struct lwb_listing listing; /* of LWB_SEEN_FOLDER */
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
void lwb_witness_list_add_source(struct lwb_witness_list *list, const char *path,
                                 const struct lwb_file_stat *st, uint32_t module);
void lwb_witness_list_add_folder(struct lwb_witness_list *list, const char *path,
                                 const struct lwb_file_stat *st, const struct lwb_listing *listing);
void lwb_witness_list_release(struct lwb_witness_list *list);
LWB_DEFINE_AUTO(struct lwb_witness_list, lwb_witness_list_release);

/*
 * Sorts the list. Returns 0, or -1 when it cannot be written down: memory was
 * out, or the content of a file may have changed after it was read without stat
 * showing it (lwb_file_stat_is_racy; now_ns is from before anything was read).
 * A source of which that is true is noted as changed, a folder as one to list again.
 */
int lwb_witness_list_encode(struct lwb_buf *out, struct lwb_witness_list *list, int64_t now_ns);

/* How the world differs from a list. */
struct lwb_witness_changes {
    size_t max;       /* of changed sources that are wanted; 0: any change is a no */
    bool during_run;  /* only what spoils a verdict counts: of folders, which sources are there */
    bool new_folders; /* there may be some that nobody has looked into */
    struct lwb_changed_source {
        uint32_t module;
        size_t record; /* where it stands in the encoded list */
    } * items;         /* sources that do not look as they did */
    size_t count;
    size_t cap;
    struct lwb_redated_folder {
        char *path;
        size_t record;
        struct lwb_file_stat stat; /* from before it was listed again */
    } * folders;                   /* that have another date, and the names that counted */
    size_t n_folders;
    size_t cap_folders;
    char *other; /* why it was a no: something else that has changed; NULL when not known */
};

void lwb_witness_changes_release(struct lwb_witness_changes *changes);
LWB_DEFINE_AUTO(struct lwb_witness_changes, lwb_witness_changes_release);

/*
 * Whether the world still looks like that, but for the sources of modules, which
 * are listed. Damaged bytes are a no.
 */
bool lwb_witness_list_holds(struct lwb_bytes encoded, struct lwb_witness_changes *changes);

/* Note in the encoded list how a source or folder looks now. */
void lwb_witness_list_renew(char *encoded, size_t record, const struct lwb_file_stat *st);

/* Note the dates of `changes->folders`, but for those too new to be relied on (now_ns as above). */
void lwb_witness_list_redate(char *encoded, const struct lwb_witness_changes *changes,
                             int64_t now_ns);
