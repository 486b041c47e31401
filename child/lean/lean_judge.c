#include "child/lean/lean_judge.h"

/* Lean gave up at a limit that has more to do with the machine and settings than with the proof. */
static bool is_limit(struct lwb_bytes text)
{
    return lwb_bytes_contain(text, "(deterministic) timeout") ||
           lwb_bytes_contain(text, "(kernel) deterministic timeout") ||
           lwb_bytes_contain(text, "maximum number of heartbeats") ||
           lwb_bytes_contain(text, "maximum recursion depth has been reached") ||
           lwb_bytes_contain(text, "deep recursion was detected") ||
           lwb_bytes_contain(text, "(kernel) deep recursion detected");
}

static bool is_memory(struct lwb_bytes text)
{
    return lwb_bytes_contain(text, "excessive memory consumption detected") ||
           lwb_bytes_contain(text, "memory limit exceeded");
}

static bool is_import_failure(struct lwb_bytes text)
{
    static const char *const starts[] = {
        "unknown package '",     "unknown module prefix '", "object file '",
        "failed to read file '", "failed to open file '",   "unknown module '",
        "failed to open '",      "failed to read '",        "failed to stat file '",
    };

    for (size_t i = 0; i < LWB_COUNT(starts); i++)
        if (lwb_bytes_start_with(text, starts[i]))
            return !lwb_bytes_start_with(text, "unknown package '[anonymous]'");
    return false;
}

bool lwb_lean_messages_blame_process(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity == LWB_SEVERITY_ERROR &&
            (is_memory(message->message) || lwb_bytes_contain(message->message, "deep recursion")))
            return true;
    }
    return false;
}

bool lwb_lean_messages_blame_imports(const struct lwb_lean_messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity != LWB_SEVERITY_ERROR)
            continue;
        /* The first error counts: all that follows is about an empty environment. */
        return is_import_failure(message->message);
    }
    return false;
}

static struct lwb_lean_judgement no_verdict(enum lwb_reason reason)
{
    return (struct lwb_lean_judgement){ LWB_VERDICT_NONE, reason, false };
}

/* Exit code 1 or a barrier with errors: Lean's no, if it says where. */
static struct lwb_lean_judgement judge_errors(const struct lwb_lean_messages *messages)
{
    bool located = false;
    bool limit = false;

    if (lwb_lean_messages_blame_imports(messages))
        return no_verdict(LWB_REASON_IMPORT);
    for (size_t i = 0; i < messages->count; i++) {
        const struct lwb_diagnostic *message = &messages->items[i];

        if (message->severity != LWB_SEVERITY_ERROR)
            continue;
        if (is_memory(message->message))
            return no_verdict(LWB_REASON_MEMORY);
        located = located || message->line >= 0;
        limit = limit || is_limit(message->message);
    }
    if (!located)
        return no_verdict(LWB_REASON_NO_MESSAGE);
    return (struct lwb_lean_judgement){ LWB_VERDICT_REJECTED,
                                        limit ? LWB_REASON_LIMIT : LWB_REASON_NONE, !limit };
}

struct lwb_lean_judgement lwb_lean_judge(const struct lwb_lean_messages *messages,
                                         const struct lwb_lean_ending *ending)
{
    struct lwb_lean_judgement judgement;

    if (ending->timed_out)
        return no_verdict(LWB_REASON_TIME);
    if (ending->overflow)
        return no_verdict(LWB_REASON_OVERFLOW);
    if (!ending->finished || ending->signal || ending->exit_code > 1)
        return no_verdict(LWB_REASON_CRASH);
    if (ending->exit_code == 1 || lwb_lean_messages_have_error(messages))
        judgement = judge_errors(messages);
    else
        judgement = (struct lwb_lean_judgement){ LWB_VERDICT_ACCEPTED, LWB_REASON_NONE, true };
    /* Lean goes on after a panic with some default value: its word counts, but is not kept. */
    if (ending->panicked && judgement.verdict != LWB_VERDICT_NONE) {
        judgement.storable = false;
        judgement.reason = LWB_REASON_PANIC;
    }
    return judgement;
}
