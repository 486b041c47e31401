#pragma once

#include "lwbuild/base/file.h"

/* What an encoded witness list is made of: witness_list.c writes it, witness_changes.c reads it. */

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
