#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * The header of a Lean source file: `module`, `prelude` and `import` lines, of
 * every Lean 4 from 2021 to the module system. Pure: text in, slices of it out.
 *
 *     ["#lang" line] ["module"] ["prelude"]
 *         { ["public"] ["meta"] "import" ["all" | "runtime"] name }
 *
 * It may see more imports than a given Lean does, never fewer: what one version
 * refuses (`public` without `module`), another accepts. Where Lean stops with a
 * syntax error, parsing stops too and `problem` says why; Lean will reject that
 * file, so what is missed behind the problem cannot turn into a wrong green.
 */
enum lwb_import_flag {
    LWB_IMPORT_PUBLIC = 1,
    LWB_IMPORT_META = 2,
    LWB_IMPORT_ALL = 4,
    LWB_IMPORT_RUNTIME = 8, /* `import runtime A`, 2021 to the module system */
};

struct lwb_lean_import {
    struct lwb_bytes name; /* as written, guillemets included; borrowed from the source */
    unsigned char flags;
};

struct lwb_lean_header {
    bool module_system; /* starts with `module` */
    bool prelude;       /* no implicit `import Init` */
    struct lwb_lean_import *imports;
    size_t n_imports;
    size_t cap;
    size_t end;          /* offset behind the last token of the header; 0 when it is empty */
    size_t body;         /* offset of the first token behind it, or the length of the source */
    const char *problem; /* NULL, or why Lean refuses the header */
    size_t problem_at;
};

/* Overwrites `header`, whose memory is used again. Fails only when memory is out. */
int lwb_lean_header_parse(struct lwb_lean_header *header, struct lwb_bytes source,
                          struct lwb_error *err);
void lwb_lean_header_release(struct lwb_lean_header *header);
LWB_DEFINE_AUTO(struct lwb_lean_header, lwb_lean_header_release);

/* The line, from 1, of an offset in the source. */
size_t lwb_lean_line(struct lwb_bytes source, size_t offset);

/* Length of the module name at the start of `text` ("A.«b c».D"), 0 when there is none. */
size_t lwb_lean_name_len(struct lwb_bytes text);

/* "public meta all " with a blank at the end, "" without flags. */
const char *lwb_import_flags_text(unsigned flags);
