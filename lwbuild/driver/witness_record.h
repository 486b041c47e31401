#pragma once

#include "lwbuild/driver/witness_list.h"

/*
 * What an encoded witness list is made of: witness_list.c writes it,
 * witness_changes.c reads it, and witness_look.c says who reads which part.
 */

enum lwb_witness_kind {
    LWB_RECORD_FOLDER = 'D',
    LWB_RECORD_SOURCE = 'S',
    LWB_RECORD_FILE = 'F',
    LWB_RECORD_LISTED = 'L', /* behind its text: struct lwb_listing */
    LWB_RECORD_PROBED = 'P',
    LWB_RECORD_ABSENT = 'A',
    LWB_RECORD_OUTPUT = 'O',
};

struct lwb_witness_record {
    uint16_t kind;     /* enum lwb_witness_kind */
    uint16_t text_len; /* without the NUL; the text follows, padded to 8 bytes */
    uint32_t module;
    struct lwb_file_stat stat;
};

/* With the text behind it, and what else its kind has there. */
static inline size_t lwb_witness_record_len(const struct lwb_witness_record *record)
{
    return sizeof(*record) + (record->text_len / 8 + 1) * (size_t)8 +
           (record->kind == LWB_RECORD_LISTED ? sizeof(struct lwb_listing) : 0);
}

/*
 * lwb_witness_list_holds for the records from one offset to another; at `from` is a
 * folder's. What is noted in `changes` has its place in the whole list.
 */
bool lwb_witness_part_holds(struct lwb_bytes encoded, size_t from, size_t to,
                            struct lwb_witness_changes *changes);
