#include "tests/support/test.h"

#include "tests/support/plain_digests.h"

#include "lwbuild/base/alloc.h"

static int digest_file(void *ctx, const char *path, struct lwb_digest *out,
                       struct lwb_file_stat *st, struct lwb_error *err)
{
    struct plain_digests *digests = ctx;
    struct lwb_file_stat found;
    int rc = lwb_file_stat(&found, path, err);

    digests->n_files++;
    if (rc <= 0)
        return rc;
    if (st)
        *st = found;
    rc = lwb_digest_file(out, path, err);
    return rc < 0 ? rc : 1;
}

static int recall(void *ctx, const struct lwb_digest *question, struct lwb_digest *answer)
{
    struct plain_digests *digests = ctx;

    for (size_t i = 0; i < digests->n_memory; i++) {
        if (lwb_digest_compare(&digests->memory[i].question, question) == 0) {
            *answer = digests->memory[i].answer;
            digests->n_recalled++;
            return 1;
        }
    }
    return 0;
}

static void keep(void *ctx, const struct lwb_digest *question, const struct lwb_digest *answer)
{
    struct plain_digests *digests = ctx;

    assert_int_equal(
        lwb_grow(&digests->memory, &digests->cap, digests->n_memory, sizeof(*digests->memory)), 0);
    digests->memory[digests->n_memory].question = *question;
    digests->memory[digests->n_memory++].answer = *answer;
}

void plain_digests_init(struct plain_digests *digests)
{
    *digests = (struct plain_digests){
        .source = { .file = digest_file, .recall = recall, .remember = keep, .ctx = digests },
    };
}

void plain_digests_release(struct plain_digests *digests)
{
    lwb_free(digests->memory);
}
