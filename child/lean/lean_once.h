#pragma once

#include "child/lean/lean_judge.h"
#include "child/lean/lean_setup.h"

/*
 * A module checked by a `lean` process of its own: the reference that a warm
 * worker is measured against, and the only way to make an `.olean`.
 */
enum { LWB_LEAN_PARTS_MAX = 5 };

struct lwb_lean_once {
    struct lwb_lean_messages messages;
    struct lwb_lean_judgement judgement;
    char detail[600]; /* one line for people when there is no plain verdict, else "" */
    struct lwb_artifact artifacts[LWB_LEAN_PARTS_MAX]; /* paths are owned */
    size_t n_artifacts;
};

void lwb_lean_once_release(struct lwb_lean_once *once);
LWB_DEFINE_AUTO(struct lwb_lean_once, lwb_lean_once_release);

/*
 * `folder` is made for this run and stays, as it may hold artifacts; the
 * caller removes it. A negative code means that Lean could not be run at all.
 */
int lwb_lean_once_check(struct lwb_lean_once *once, const struct lwb_lean_setup *setup,
                        const struct lwb_check_request *request, const char *folder,
                        struct lwb_error *err);

/* "lean was killed by signal 11 (Segmentation fault): <last words>", within `size`. */
void lwb_lean_describe_ending(char *out, size_t size, const struct lwb_lean_ending *ending,
                              const struct lwb_buf *complaint);
