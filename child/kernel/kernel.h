#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwbuild/base/attributes.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * A type checker for Lean 4 in C: reads an export file (lean4export's NDJSON
 * 3.1) and checks every declaration in it from nothing: no Lean, no trusted
 * prelude. The file is a closed world; nothing outlives it but its verdict.
 *
 *     struct lwb_kernel *kernel = NULL;
 *     lwb_kernel_open(&kernel, &limits, &err);          limits and memory
 *     if (lwb_kernel_load(kernel, bytes, &summary) == LWB_KERNEL_ACCEPT)
 *         lwb_kernel_check(kernel, &request, &summary); rows, then the verdict
 *     lwb_kernel_close(kernel);
 *
 * What ACCEPT means: every declaration of the file is well-typed by Lean 4's
 * rules, given the axioms it declares. What those axioms are, and which are
 * allowed, is the caller's decision: each row lists the axioms its declaration
 * rests on, however indirectly. Under the names propext, Classical.choice and
 * Quot.sound only the standard statements are accepted, so that a list of
 * allowed names is a sound policy.
 *
 * What it does not mean: that a theorem says what its name suggests. Names of
 * bound variables, binder kinds and reducibility hints of the file are ignored
 * or used for speed only. Everything else that is redundant in the file (the
 * recursors and their rules, counts, flags) is derived again, compared, and
 * only the derived version is used. The rules are those of the kernel of Lean
 * 4 and of "Type Checking in Lean 4" (ammkrn), with a complete order on
 * universe levels; each source file states the rules it implements.
 *
 * DECLINE is neither: out of memory, stack or time, cancelled, or something in
 * the file that this kernel does not know. It is never turned into a verdict.
 */
struct lwb_kernel;

enum lwb_kernel_verdict {
    LWB_KERNEL_ACCEPT = 0,
    LWB_KERNEL_REJECT = 1,    /* a declaration is wrong: summary.name, line, reason */
    LWB_KERNEL_DECLINE = 2,   /* no verdict: summary.reason */
    LWB_KERNEL_MALFORMED = 3, /* not an export file: summary.line, reason */
};

/* Zero is a default or "no limit". */
struct lwb_kernel_limits {
    size_t memory_bytes; /* of all that grows with the file or a check, but stacks and the
                            room that one operation on large naturals needs, 8 MiB at most */
    size_t stack_bytes;  /* of each thread; default 512 MiB of address space, touched as needed */
    uint64_t time_ms;    /* from the call of load to the end of check */
    uint64_t steps;      /* for one declaration, of reduction or comparison; default 2^33, which is
                            minutes: what runs for ever ends even where there is no time limit */
    atomic_bool *cancelled; /* may be set from any thread; looked at all the time */
};

/* Why there is no verdict: a limit, which another run may have higher, or the file. */
enum lwb_kernel_cause {
    LWB_KERNEL_CAUSE_NONE,      /* there is one */
    LWB_KERNEL_CAUSE_UNKNOWN,   /* something in the file that is not known, or not decided */
    LWB_KERNEL_CAUSE_MEMORY,    /* limits.memory_bytes, or the machine has no more */
    LWB_KERNEL_CAUSE_STACK,     /* limits.stack_bytes */
    LWB_KERNEL_CAUSE_TIME,      /* limits.time_ms */
    LWB_KERNEL_CAUSE_STEPS,     /* limits.steps */
    LWB_KERNEL_CAUSE_CANCELLED, /* by limits.cancelled, or by request.row */
};

enum lwb_kernel_kind {
    LWB_KERNEL_AXIOM,
    LWB_KERNEL_DEFINITION,
    LWB_KERNEL_THEOREM,
    LWB_KERNEL_OPAQUE,
    LWB_KERNEL_QUOT,
    LWB_KERNEL_INDUCTIVE, /* a whole block: one row, by the name of its first type */
};

enum lwb_kernel_state {
    LWB_KERNEL_STATE_ACCEPTED,
    LWB_KERNEL_STATE_REJECTED,
    LWB_KERNEL_STATE_DECLINED,
    LWB_KERNEL_STATE_BLOCKED, /* rests on one that was not accepted: `reason` names it */
};

/* One declaration: one line of the file. Texts are borrowed for the call. */
struct lwb_kernel_row {
    struct lwb_bytes name;
    enum lwb_kernel_kind kind;
    enum lwb_kernel_state state;
    enum lwb_kernel_cause cause; /* if declined */
    struct lwb_bytes reason;     /* one line, empty if accepted */
    const uint32_t *axioms;      /* for lwb_kernel_axiom: all it rests on, itself if it is one */
    size_t n_axioms;
    uint64_t time_ns;
    uint32_t line; /* from 1 */
};

struct lwb_kernel_request {
    unsigned threads; /* 0: one */
    /* Rows in file order, from the calling thread; a non-zero answer cancels. */
    int (*row)(void *ctx, const struct lwb_kernel_row *row);
    void *ctx;
    bool no_caches; /* for tests: ask every question anew */
};

struct lwb_kernel_summary {
    enum lwb_kernel_verdict verdict;
    enum lwb_kernel_cause cause; /* of DECLINE */
    uint32_t line;               /* of the first declaration or text the verdict is about, else 0 */
    char name[256];              /* of that declaration, "" if none */
    char reason[600];            /* one line, "" if accepted */
    size_t declarations, theorems, axioms; /* axioms: those declared */
    size_t rejected, declined, blocked;
    size_t memory_peak; /* bytes, of what the limit counts */
    uint64_t load_ns, check_ns;
};

int lwb_kernel_open(struct lwb_kernel **out, const struct lwb_kernel_limits *limits,
                    struct lwb_error *err);
void lwb_kernel_close(struct lwb_kernel *kernel);
LWB_DEFINE_AUTO_PTR(struct lwb_kernel, lwb_kernel_close);

/*
 * Read the whole export, once per kernel. ACCEPT: it can be checked. A file
 * without declarations is MALFORMED: nothing is proved by it. The bytes are
 * borrowed for the call.
 */
enum lwb_kernel_verdict lwb_kernel_load(struct lwb_kernel *kernel, struct lwb_bytes file,
                                        struct lwb_kernel_summary *summary);

/*
 * The same piece by piece, so that the file is never in memory as a whole:
 * `read` fills in up to `size` bytes and says how many, 0 at the end, or < 0,
 * which ends in DECLINE. It is asked for each byte once, in order, and for none
 * behind a place where the file turns out to be malformed or unknown.
 */
struct lwb_kernel_source {
    ptrdiff_t (*read)(void *ctx, char *out, size_t size);
    void *ctx;
    uint64_t bytes; /* of the whole, for tables of the right size; 0: unknown */
};
enum lwb_kernel_verdict lwb_kernel_load_from(struct lwb_kernel *kernel,
                                             const struct lwb_kernel_source *source,
                                             struct lwb_kernel_summary *summary);

/* The same from a file descriptor, from where it stands. */
enum lwb_kernel_verdict lwb_kernel_load_fd(struct lwb_kernel *kernel, int fd,
                                           struct lwb_kernel_summary *summary);

/* Check what was loaded, once. The verdict does not depend on the number of threads. */
enum lwb_kernel_verdict lwb_kernel_check(struct lwb_kernel *kernel,
                                         const struct lwb_kernel_request *request,
                                         struct lwb_kernel_summary *summary);

/* The name of an axiom that a row refers to; borrowed, until the kernel is closed. */
struct lwb_bytes lwb_kernel_axiom(const struct lwb_kernel *kernel, uint32_t axiom);

/* "theorem", "accepted", "decline": stable words for output. */
const char *lwb_kernel_cause_name(enum lwb_kernel_cause cause); /* "memory", "" for none */
const char *lwb_kernel_kind_name(enum lwb_kernel_kind kind);
const char *lwb_kernel_state_name(enum lwb_kernel_state state);
const char *lwb_kernel_verdict_name(enum lwb_kernel_verdict verdict);
