#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lwbuild/base/attributes.h"
#include "lwbuild/base/buf.h"
#include "lwbuild/base/error.h"

/*
 * SHA-256 by libcrypto: content addresses and keys. Fields of a key are
 * written typed and length-prefixed (lwb_hasher_field), so that no two
 * different lists of fields give the same bytes.
 */
struct lwb_digest {
    unsigned char bytes[32];
};

#define LWB_DIGEST_HEX 64 /* characters, without the NUL */

struct lwb_hasher;

/* NULL when memory is out. A hasher may be used again after lwb_hasher_end. */
struct lwb_hasher *lwb_hasher_create(void);
void lwb_hasher_destroy(struct lwb_hasher *hasher);
LWB_DEFINE_AUTO_PTR(struct lwb_hasher, lwb_hasher_destroy);

void lwb_hasher_update(struct lwb_hasher *hasher, const void *data, size_t len);

/* tag, length and bytes; `tag` is one letter per kind of field. */
void lwb_hasher_field(struct lwb_hasher *hasher, char tag, struct lwb_bytes value);
void lwb_hasher_text(struct lwb_hasher *hasher, char tag, const char *text);
void lwb_hasher_u64(struct lwb_hasher *hasher, char tag, uint64_t value);
void lwb_hasher_digest(struct lwb_hasher *hasher, char tag, const struct lwb_digest *value);

/* The digest of all since the last end; the hasher starts anew. */
struct lwb_digest lwb_hasher_end(struct lwb_hasher *hasher);

/* One-shot; fails only when memory is out. */
int lwb_digest_bytes(struct lwb_digest *out, struct lwb_bytes data, struct lwb_error *err);

/* The content of an open file from its current offset to its end. */
int lwb_digest_fd(struct lwb_digest *out, int fd, struct lwb_error *err);
int lwb_digest_file(struct lwb_digest *out, const char *path, struct lwb_error *err);

int lwb_digest_compare(const struct lwb_digest *a, const struct lwb_digest *b);
void lwb_digest_hex(const struct lwb_digest *digest, char hex[LWB_DIGEST_HEX + 1]);

/* 64 lower-case hexadecimal digits; returns 0, or -1 when they are not. */
int lwb_digest_parse(struct lwb_digest *out, struct lwb_bytes hex);
