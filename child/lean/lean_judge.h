#pragma once

#include "child/lean/lean_message.h"

/*
 * What a run of Lean comes to (design rule T3): out of what it said and how it
 * ended, and nothing else.
 */

/* How a run of Lean ended, as far as the verdict depends on it. */
struct lwb_lean_ending {
    bool finished;  /* it came to its end: an exit code, or the barrier of a worker */
    int exit_code;  /* if it is a process that ended by itself */
    int signal;     /* what killed it, or 0 */
    bool panicked;  /* "PANIC" on stderr */
    bool timed_out; /* stopped by us */
    bool overflow;  /* said more than can be kept */
};

struct lwb_lean_judgement {
    enum lwb_verdict verdict;
    enum lwb_reason reason;
    bool storable;
};

struct lwb_lean_judgement lwb_lean_judge(const struct lwb_lean_messages *messages,
                                         const struct lwb_lean_ending *ending);

/*
 * Whether an error tells of the memory or stack of the process, of which a
 * worker may have used a part for documents before.
 */
bool lwb_lean_messages_blame_process(const struct lwb_lean_messages *messages);

/* Whether the only errors are that imports could not be loaded. */
bool lwb_lean_messages_blame_imports(const struct lwb_lean_messages *messages);
