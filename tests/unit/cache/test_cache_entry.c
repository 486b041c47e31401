#include "tests/support/test.h"

#include "cache/cache_entry.h"
#include "lwbuild/base/alloc.h"

static const struct lwb_digest key = { { 1, 2, 3 } };

static const struct lwb_cache_artifact artifacts[] = {
    { "olean", { { 0xaa } }, 12345 },
    { "olean.server", { { 0xbb } }, UINT64_C(0x123456789abcdef0) },
};

static struct lwb_cache_entry some_entry(void)
{
    return (struct lwb_cache_entry){
        .verdict = LWB_CACHE_REJECTED,
        .fresh = true,
        .check_ns = UINT64_C(0xfedcba9876543210),
        .report = lwb_bytes("warn\0ing", 8),
        .facts = lwb_bytes_text("{}"),
        .artifacts = artifacts,
        .n_artifacts = 2,
    };
}

/* Decodes into memory that the caller frees. */
static int decode(struct lwb_cache_entry *entry, struct lwb_cache_artifact **memory,
                  struct lwb_bytes body)
{
    struct lwb_error err;
    size_t cap = 0;

    return lwb_cache_entry_decode(entry, memory, &cap, body, &err);
}

static void an_entry_comes_back_as_it_was(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_artifact *memory = NULL;
    struct lwb_cache_entry in = some_entry();
    struct lwb_cache_entry out;

    (void)state;
    lwb_cache_entry_encode(&body, &in);
    assert_int_equal(decode(&out, &memory, lwb_buf_bytes(&body)), LWB_OK);
    assert_int_equal(out.verdict, in.verdict);
    assert_true(out.fresh);
    assert_true(out.check_ns == in.check_ns);
    assert_true(lwb_bytes_equal(out.report, in.report));
    assert_true(lwb_bytes_equal(out.facts, in.facts));
    assert_int_equal(out.n_artifacts, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(out.artifacts[i].part, artifacts[i].part);
        assert_true(out.artifacts[i].size == artifacts[i].size);
        assert_int_equal(lwb_digest_compare(&out.artifacts[i].digest, &artifacts[i].digest), 0);
    }
    lwb_free(memory);
}

static void an_empty_entry_is_one_too(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_artifact *memory = NULL;
    struct lwb_cache_entry in = { .verdict = LWB_CACHE_ACCEPTED };
    struct lwb_cache_entry out;

    (void)state;
    lwb_cache_entry_encode(&body, &in);
    assert_int_equal(decode(&out, &memory, lwb_buf_bytes(&body)), LWB_OK);
    assert_int_equal(out.verdict, LWB_CACHE_ACCEPTED);
    assert_false(out.fresh);
    assert_int_equal(out.report.len, 0);
    assert_int_equal(out.n_artifacts, 0);
    lwb_free(memory);
}

static void every_shorter_or_longer_body_is_refused(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_entry in = some_entry();
    struct lwb_cache_entry out;

    (void)state;
    lwb_cache_entry_encode(&body, &in);
    lwb_buf_append_char(&body, 'x');
    for (size_t len = 0; len <= body.len; len++) {
        struct lwb_cache_artifact *memory = NULL;
        /* A copy of its own, so that the address sanitizer sees a step too far. */
        LWB_AUTO(lwb_free_text) char *copy = lwb_strndup(body.ptr, len);
        int rc = decode(&out, &memory, lwb_bytes(copy, len));

        assert_int_equal(rc, len == body.len - 1 ? LWB_OK : LWB_ERR_FORMAT);
        lwb_free(memory);
    }
}

static void a_count_beyond_the_bytes_costs_no_memory(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_artifact *memory = NULL;
    struct lwb_cache_entry in = { .verdict = LWB_CACHE_ACCEPTED };
    struct lwb_cache_entry out;
    struct lwb_error err;
    size_t cap = 0;

    (void)state;
    lwb_cache_entry_encode(&body, &in);
    body.len -= 4;
    lwb_buf_append_u32be(&body, UINT32_MAX);
    assert_int_equal(lwb_cache_entry_decode(&out, &memory, &cap, lwb_buf_bytes(&body), &err),
                     LWB_ERR_FORMAT);
    assert_true(cap < 100);
    lwb_free(memory);
}

static void a_part_must_be_one_string(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_artifact *memory = NULL;
    struct lwb_cache_entry in = some_entry();
    struct lwb_cache_entry out;
    char *part;

    (void)state;
    lwb_cache_entry_encode(&body, &in);
    part = memmem(body.ptr, body.len, "olean", 6);
    assert_non_null(part);
    part[1] = '\0';
    assert_int_equal(decode(&out, &memory, lwb_buf_bytes(&body)), LWB_ERR_FORMAT);
    part[1] = 'l';
    part[5] = 'x';
    assert_int_equal(decode(&out, &memory, lwb_buf_bytes(&body)), LWB_ERR_FORMAT);
    lwb_free(memory);
}

static void a_seal_knows_every_bit(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_cache_entry in = some_entry();
    struct lwb_bytes sealed;

    (void)state;
    lwb_buf_append_text(&body, "in front");
    lwb_cache_entry_encode(&body, &in);
    lwb_seal(&body, 8, 'e', &key);
    for (size_t bit = 0; bit < 8 * (body.len - 8); bit++) {
        body.ptr[8 + bit / 8] ^= (char)(1 << bit % 8);
        sealed = lwb_bytes(body.ptr + 8, body.len - 8);
        assert_false(lwb_unseal(&sealed, 'e', &key));
        body.ptr[8 + bit / 8] ^= (char)(1 << bit % 8);
    }
    sealed = lwb_bytes(body.ptr + 8, body.len - 8);
    assert_true(lwb_unseal(&sealed, 'e', &key));
    assert_int_equal(sealed.len, body.len - 8 - LWB_SEAL_SIZE);
}

static void a_seal_is_for_one_kind_and_key(void **state)
{
    LWB_AUTO(lwb_buf_release) struct lwb_buf body = LWB_BUF(1000);
    struct lwb_digest other = key;
    struct lwb_bytes sealed;

    (void)state;
    other.bytes[31] = 1;
    lwb_buf_append_text(&body, "value");
    lwb_seal(&body, 0, 'e', &key);
    sealed = lwb_buf_bytes(&body);
    assert_false(lwb_unseal(&sealed, 'f', &key));
    assert_false(lwb_unseal(&sealed, 'e', &other));
    sealed.len = LWB_SEAL_SIZE - 1;
    assert_false(lwb_unseal(&sealed, 'e', &key));
    sealed = lwb_buf_bytes(&body);
    assert_true(lwb_unseal(&sealed, 'e', &key));
    assert_true(lwb_bytes_is(sealed, "value"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_back_as_it_was),
        cmocka_unit_test(an_empty_entry_is_one_too),
        cmocka_unit_test(every_shorter_or_longer_body_is_refused),
        cmocka_unit_test(a_count_beyond_the_bytes_costs_no_memory),
        cmocka_unit_test(a_part_must_be_one_string),
        cmocka_unit_test(a_seal_knows_every_bit),
        cmocka_unit_test(a_seal_is_for_one_kind_and_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
