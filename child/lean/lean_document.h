#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"

/*
 * What a warm worker gets to read. One worker serves one header, letter by
 * letter: told of another it fails, and one of July 2021 goes on with the old
 * environment without a word. So every document of a session starts with the
 * same canonical header on line 1, and blank lines stand in for what the
 * module's own header took, so that the body keeps its lines and columns.
 *
 * Pure text; nothing here knows of processes.
 */

/* A header as a session states it: modifiers stand before the name ("public meta all A.B"). */
struct lwb_lean_session_header {
    const struct lwb_strvec *imports;
    bool prelude;
    bool module_system;
};

/* "module prelude public import A import all B", without a newline; empty for no header. */
void lwb_lean_document_header(struct lwb_buf *out, const struct lwb_lean_session_header *header);

/*
 * Does `source` begin with exactly this header? Returns 1 and where its last
 * token ends and the body begins, 0 if it has another one or one that does not
 * parse, a negative code when memory is out.
 */
struct lwb_lean_split {
    size_t end;  /* behind the last token of the header; 0 when it is empty */
    size_t body; /* first token behind it, or the length of the source */
};
int lwb_lean_document_split(struct lwb_lean_split *split,
                            const struct lwb_lean_session_header *header, struct lwb_bytes source,
                            struct lwb_error *err);

/*
 * Whether a text reaches every worker as it is: UTF-8 without control
 * characters, which JSON writes as "\u000b" and Leans of 2021 misread.
 */
bool lwb_lean_document_can_travel(struct lwb_bytes text);

/*
 * The document for a source with that split: canonical header and padded body. Returns 1, or 0 when
 * there is no document that keeps the positions: the body starts on the first line, the text cannot
 * travel, the header holds a carriage return that ends no line, or there is something before the
 * header (`#lang` for the command line's own reader, a byte order mark).
 */
int lwb_lean_document_append(struct lwb_buf *out, struct lwb_bytes canonical,
                             struct lwb_bytes source, const struct lwb_lean_split *split);

/*
 * Whether a source asks for the name of its own module, which a worker takes
 * from its first document or does not know at all. Words are enough: to guess
 * too often costs a process.
 */
bool lwb_lean_document_asks_its_name(struct lwb_bytes source);

/*
 * Where lines start, to turn positions of the language server protocol (line
 * from 0, column in UTF-16 units) into Lean's (line from 1, code points).
 */
struct lwb_lean_lines {
    struct lwb_bytes text; /* borrowed */
    size_t *starts;
    size_t count;
    size_t cap;
};

/* Returns 0, or -1 when memory is out. */
int lwb_lean_lines_init(struct lwb_lean_lines *lines, struct lwb_bytes text);
void lwb_lean_lines_release(struct lwb_lean_lines *lines);
LWB_DEFINE_AUTO(struct lwb_lean_lines, lwb_lean_lines_release);

/* Code points before UTF-16 column `column` of line `line` (from 0); stops at the line's end. */
int64_t lwb_lean_lines_column(const struct lwb_lean_lines *lines, int64_t line, int64_t column);
