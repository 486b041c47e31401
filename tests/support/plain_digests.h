#pragma once

#include "lwbuild/plan/digest_source.h"

/*
 * A digest source that reads every file and remembers nothing, and counts. With
 * `memory` it also recalls what it was told to remember.
 */
struct plain_digests {
    struct lwb_digest_source source;
    size_t n_files;
    size_t n_recalled;
    struct {
        struct lwb_digest question;
        struct lwb_digest answer;
    } * memory;
    size_t n_memory;
    size_t cap;
};

void plain_digests_init(struct plain_digests *digests);
void plain_digests_release(struct plain_digests *digests);
