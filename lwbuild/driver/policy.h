#pragma once

#include <stdbool.h>

#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"
#include "lwbuild/base/strvec.h"
#include "lwbuild/protocol/diagnostic.h"

/*
 * Judgement: what a run demands beyond the host's verdict. Applied when
 * reporting, to hits and misses alike; never part of a key, never stored.
 */
enum lwb_fail_on { LWB_FAIL_ON_ERROR, LWB_FAIL_ON_WARNING, LWB_FAIL_ON_SORRY };

struct lwb_policy {
    enum lwb_fail_on fail_on;
    const struct lwb_strvec *allow_axioms; /* "*" allows any */
    const struct lwb_strvec *expect;       /* theorems that some export must prove */
};

/*
 * Whether a message fails the check although the host accepted. `sorry` is
 * Lean's own warning in the checked module: by its code where Lean sends one
 * (4.15), else by the words that every version uses.
 */
bool lwb_policy_objects(const struct lwb_policy *policy, const struct lwb_diagnostic *diagnostic);

bool lwb_policy_is_sorry(const struct lwb_diagnostic *diagnostic);

/* propext, Classical.choice, Quot.sound, and what the policy allows. */
bool lwb_policy_allows_axiom(const struct lwb_policy *policy, const char *axiom);

/*
 * Facts of an export file: the kernel host's rows, one JSON object per line:
 * {"name":..,"kind":..,"axioms":[..],"line":N}. Calls `reject` with one text
 * per declaration that rests on an axiom that is not allowed and marks the
 * expected theorems that are there (found[i]). Returns LWB_OK, or
 * LWB_ERR_FORMAT when the facts are damaged.
 */
struct lwb_facts_visitor {
    void (*reject)(void *ctx, int64_t line, const char *text);
    void *ctx;
    bool *found; /* one per policy->expect item */
    uint64_t declarations, theorems, axioms;
};
int lwb_policy_apply_facts(const struct lwb_policy *policy, struct lwb_bytes facts,
                           struct lwb_facts_visitor *visitor, struct lwb_error *err);
