#pragma once

#include <stdbool.h>

/*
 * Which Lean this is and what it can do. Pure: a version string in, answers
 * out. A feature counts as present only when every build with that version
 * string has it: a nightly or a release candidate of 4.N is taken for 4.(N-1),
 * and "4.0.0" without a date, which both the final release of 2023 and local
 * builds since 2021 call themselves, for the oldest of them.
 */
struct lwb_lean_version {
    unsigned major, minor, patch;
    unsigned date; /* 20211129 for a nightly of that day; 0 if not known */
};

/* "4.9.0", "4.9.0-rc1", "4.0.0-nightly-2021-11-29". Returns 0, or -1 for anything else. */
int lwb_lean_version_parse(struct lwb_lean_version *out, const char *text);

/* A nightly that does not know its date may be in a folder that elan named after it. */
void lwb_lean_version_take_date(struct lwb_lean_version *version, const char *folder);

enum lwb_lean_feature {
    LWB_LEAN_JSON,           /* --json on the command line (4.8) */
    LWB_LEAN_WORKER_OPTIONS, /* a worker honours -D (2021-09-08); before, it ignores them */
    LWB_LEAN_REPORT_DELAY,   /* server.reportDelayMs exists (4.8) */
    LWB_LEAN_LAKE,           /* the variable LAKE says which Lake a worker runs (2021-10-15) */
    LWB_LEAN_FEW_THREADS,    /* works with fewer than 4 threads: not from 4.12 to 4.19 */
    LWB_LEAN_PARTS,          /* module system: an artifact has several files (4.22) */
    LWB_LEAN_WORKER_TEXT,    /* a worker words messages as the command line does (4.1) */
};

bool lwb_lean_version_has(const struct lwb_lean_version *version, enum lwb_lean_feature feature);
