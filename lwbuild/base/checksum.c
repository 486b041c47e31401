#include "lwbuild/base/checksum.h"

#include <assert.h>
#include <openssl/evp.h>

#include "lwbuild/base/alloc.h"

/*
 * Poly1305 with the name as its key: a polynomial modulo 2^130 - 5 at a point
 * that half of the name chooses, plus the other half. Two values of n bytes that
 * nobody has chosen have the same checksum with a probability of about n / 2^107.
 *
 * Of what libcrypto has it was the fastest or as fast as the fastest from 64
 * bytes to 2.4 KB: at 300 bytes two to four times as fast as SHA-256 without
 * SHA instructions, at 2.4 KB ten times.
 */
struct lwb_checker {
    EVP_MAC *algorithm;
    EVP_MAC_CTX *context;
};

struct lwb_checker *lwb_checker_create(void)
{
    LWB_AUTO(lwb_checker_destroy) struct lwb_checker *checker = lwb_alloc(sizeof(*checker));

    if (!checker)
        return NULL;
    checker->algorithm = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    checker->context = checker->algorithm ? EVP_MAC_CTX_new(checker->algorithm) : NULL;
    return checker->context ? LWB_TAKE(checker) : NULL;
}

void lwb_checker_destroy(struct lwb_checker *checker)
{
    if (!checker)
        return;
    EVP_MAC_CTX_free(checker->context);
    EVP_MAC_free(checker->algorithm);
    lwb_free(checker);
}

struct lwb_checksum lwb_checksum_of(struct lwb_checker *checker,
                                    const unsigned char name[LWB_CHECKSUM_NAME], const void *data,
                                    size_t len)
{
    struct lwb_checksum sum;
    size_t size = 0;
    int rc = EVP_MAC_init(checker->context, name, LWB_CHECKSUM_NAME, NULL);

    if (rc == 1 && len)
        rc = EVP_MAC_update(checker->context, data, len);
    if (rc == 1)
        rc = EVP_MAC_final(checker->context, sum.bytes, &size, sizeof(sum.bytes));
    assert(rc == 1 && size == sizeof(sum.bytes));
    (void)rc;
    return sum;
}
