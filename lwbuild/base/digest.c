#include "lwbuild/base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/*
 * SHA256_* is the old face of libcrypto. Its new one, EVP, is the same code
 * behind configuration files and providers, which cost a process 2 ms before its
 * first byte: more than all else that it takes to have one module checked.
 */
#define OPENSSL_API_COMPAT 10101
#include <openssl/sha.h>

#include "lwbuild/base/alloc.h"

/* Keys are made of many small fields: gathered, they cost libcrypto one call. */
enum { GATHERED = 1024 };

struct lwb_hasher {
    SHA256_CTX context;
    size_t n_gathered;
    unsigned char gathered[GATHERED];
};

struct lwb_hasher *lwb_hasher_create(void)
{
    struct lwb_hasher *hasher = lwb_alloc(sizeof(*hasher));

    if (hasher)
        (void)SHA256_Init(&hasher->context);
    return hasher;
}

void lwb_hasher_destroy(struct lwb_hasher *hasher)
{
    lwb_free(hasher);
}

static void pass_on_gathered(struct lwb_hasher *hasher)
{
    (void)SHA256_Update(&hasher->context, hasher->gathered, hasher->n_gathered);
    hasher->n_gathered = 0;
}

void lwb_hasher_update(struct lwb_hasher *hasher, const void *data, size_t len)
{
    if (len > GATHERED - hasher->n_gathered)
        pass_on_gathered(hasher);
    if (len > GATHERED) {
        (void)SHA256_Update(&hasher->context, data, len);
    } else if (len) {
        memcpy(hasher->gathered + hasher->n_gathered, data, len);
        hasher->n_gathered += len;
    }
}

void lwb_hasher_field(struct lwb_hasher *hasher, char tag, struct lwb_bytes value)
{
    unsigned char head[9] = { (unsigned char)tag };

    for (int i = 0; i < 8; i++)
        head[1 + i] = (unsigned char)((uint64_t)value.len >> (56 - 8 * i));
    lwb_hasher_update(hasher, head, sizeof(head));
    lwb_hasher_update(hasher, value.ptr, value.len);
}

void lwb_hasher_text(struct lwb_hasher *hasher, char tag, const char *text)
{
    lwb_hasher_field(hasher, tag, lwb_bytes_text(text));
}

void lwb_hasher_u64(struct lwb_hasher *hasher, char tag, uint64_t value)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (56 - 8 * i));
    lwb_hasher_field(hasher, tag, lwb_bytes(bytes, sizeof(bytes)));
}

void lwb_hasher_digest(struct lwb_hasher *hasher, char tag, const struct lwb_digest *value)
{
    lwb_hasher_field(hasher, tag, lwb_bytes(value->bytes, sizeof(value->bytes)));
}

struct lwb_digest lwb_hasher_end(struct lwb_hasher *hasher)
{
    struct lwb_digest digest;

    pass_on_gathered(hasher);
    (void)SHA256_Final(digest.bytes, &hasher->context);
    (void)SHA256_Init(&hasher->context);
    return digest;
}

int lwb_digest_bytes(struct lwb_digest *out, struct lwb_bytes data, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();

    if (!hasher)
        return lwb_fail_memory(err);
    lwb_hasher_update(hasher, data.ptr, data.len);
    *out = lwb_hasher_end(hasher);
    return LWB_OK;
}

static int hash_rest(struct lwb_hasher *hasher, int fd, struct lwb_error *err)
{
    enum { CHUNK = 256 * 1024 };
    LWB_AUTO(lwb_free_text) char *chunk = lwb_realloc(NULL, CHUNK);

    if (!chunk)
        return lwb_fail_memory(err);
    for (;;) {
        ssize_t got = read(fd, chunk, CHUNK);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot read");
        if (got == 0)
            return LWB_OK;
        lwb_hasher_update(hasher, chunk, (size_t)got);
    }
}

int lwb_digest_fd(struct lwb_digest *out, int fd, struct lwb_error *err)
{
    LWB_AUTO(lwb_hasher_destroy) struct lwb_hasher *hasher = lwb_hasher_create();
    int rc;

    if (!hasher)
        return lwb_fail_memory(err);
    rc = hash_rest(hasher, fd, err);
    if (rc == LWB_OK)
        *out = lwb_hasher_end(hasher);
    return rc;
}

int lwb_digest_file(struct lwb_digest *out, const char *path, struct lwb_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return lwb_fail_errno(err, LWB_ERR_SYSTEM, "cannot open %s", path);
    rc = lwb_digest_fd(out, fd, err);
    close(fd);
    return rc < 0 ? lwb_error_context(err, "%s", path) : rc;
}

int lwb_digest_compare(const struct lwb_digest *a, const struct lwb_digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

void lwb_digest_hex(const struct lwb_digest *digest, char hex[LWB_DIGEST_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < sizeof(digest->bytes); i++) {
        hex[2 * i] = digits[digest->bytes[i] >> 4];
        hex[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    hex[LWB_DIGEST_HEX] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int lwb_digest_parse(struct lwb_digest *out, struct lwb_bytes hex)
{
    struct lwb_digest digest;

    if (hex.len != LWB_DIGEST_HEX)
        return -1;
    for (size_t i = 0; i < sizeof(digest.bytes); i++) {
        int high = hex_value(hex.ptr[2 * i]);
        int low = hex_value(hex.ptr[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        digest.bytes[i] = (unsigned char)(high * 16 + low);
    }
    *out = digest;
    return 0;
}
