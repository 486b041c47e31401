#include "cache/cache_entry.h"

#include <string.h>

#include "cache/cache_bytes.h"
#include "lwbuild/base/alloc.h"

/*
 *   entry     format(1) verdict(1) fresh(1) check_ns(8) report facts count(4) artifact...
 *   report    length(4) bytes; facts likewise
 *   artifact  length(4) text NUL, digest(32), size(8)
 *
 * All numbers are big-endian. The NUL is there so that a decoded part can be
 * borrowed as a string.
 */
enum { ENTRY_FORMAT = 1 };

static struct lwb_checksum seal_of(struct lwb_bytes body, char kind, const struct lwb_digest *key)
{
    struct lwb_digest name = *key;

    name.bytes[sizeof(name.bytes) - 1] ^= (unsigned char)kind;
    return lwb_checksum_of(name.bytes, body.ptr, body.len);
}

void lwb_seal(struct lwb_buf *body, size_t from, char kind, const struct lwb_digest *key)
{
    struct lwb_checksum seal;

    if (!lwb_buf_ok(body))
        return;
    seal = seal_of(lwb_bytes(body->ptr + from, body->len - from), kind, key);
    lwb_buf_append(body, seal.bytes, sizeof(seal.bytes));
}

bool lwb_unseal(struct lwb_bytes *body, char kind, const struct lwb_digest *key)
{
    struct lwb_checksum seal;
    struct lwb_bytes content;

    if (body->len < LWB_SEAL_SIZE)
        return false;
    content = lwb_bytes(body->ptr, body->len - LWB_SEAL_SIZE);
    seal = seal_of(content, kind, key);
    if (memcmp(seal.bytes, content.ptr + content.len, LWB_SEAL_SIZE) != 0)
        return false;
    *body = content;
    return true;
}

void lwb_cache_entry_encode(struct lwb_buf *out, const struct lwb_cache_entry *entry)
{
    lwb_buf_append_char(out, ENTRY_FORMAT);
    lwb_buf_append_char(out, (char)entry->verdict);
    lwb_buf_append_char(out, (char)entry->fresh);
    lwb_put_u64(out, entry->check_ns);
    lwb_put_bytes(out, entry->report);
    lwb_put_bytes(out, entry->facts);
    lwb_buf_append_u32be(out, (uint32_t)entry->n_artifacts);
    for (size_t i = 0; i < entry->n_artifacts; i++) {
        const struct lwb_cache_artifact *artifact = &entry->artifacts[i];

        lwb_put_text(out, artifact->part);
        lwb_put_digest(out, &artifact->digest);
        lwb_put_u64(out, artifact->size);
    }
}

static struct lwb_cache_artifact take_artifact(struct lwb_reader *in)
{
    struct lwb_cache_artifact artifact = { .part = lwb_take_text(in) };

    artifact.digest = lwb_take_digest(in);
    artifact.size = lwb_take_u64(in);
    return artifact;
}

int lwb_cache_entry_decode(struct lwb_cache_entry *out, struct lwb_cache_artifact **artifacts,
                           size_t *cap, struct lwb_bytes body, struct lwb_error *err)
{
    struct lwb_reader in = lwb_reader(body);
    struct lwb_cache_entry entry = { 0 };
    uint8_t format = lwb_take_u8(&in);
    uint8_t verdict = lwb_take_u8(&in);
    uint8_t fresh = lwb_take_u8(&in);
    uint32_t count;

    entry.check_ns = lwb_take_u64(&in);
    entry.report = lwb_take_bytes(&in);
    entry.facts = lwb_take_bytes(&in);
    count = lwb_take_u32(&in);
    while (in.ok && entry.n_artifacts < count) {
        if (lwb_grow(artifacts, cap, entry.n_artifacts, sizeof(**artifacts)) < 0)
            return lwb_fail_memory(err);
        (*artifacts)[entry.n_artifacts++] = take_artifact(&in);
    }
    if (!lwb_reader_is_done(&in) || format != ENTRY_FORMAT || fresh > 1 ||
        (verdict != LWB_CACHE_ACCEPTED && verdict != LWB_CACHE_REJECTED))
        return lwb_fail(err, LWB_ERR_FORMAT, "a stored result that is none");
    entry.verdict = (enum lwb_cache_verdict)verdict;
    entry.fresh = fresh != 0;
    entry.artifacts = *artifacts;
    *out = entry;
    return LWB_OK;
}
