/* OCSP answers with any fault, made through OpenSSL: ocsp_issue makes only sound ones. */
#ifndef TESTS_SUPPORT_ANSWERS_H
#define TESTS_SUPPORT_ANSWERS_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct answer {
    int64_t about;  /* identities */
    int64_t issuer; /* whose name and key the answer says have issued it */
    int64_t signer;
    bool brings_signer; /* the signer's certificate is in it */
    int status;         /* a tlsshim_ocsp_group value */
    int64_t from;       /* seconds from now */
    int64_t until;      /* INT64_MIN = it does not say */
    const char *digest; /* of the signature; NULL = SHA256 */
    const char *hash;   /* of the issuer's name and key; NULL = SHA1 */
};

/* A good answer, by its CA, for an hour. */
struct answer answer_of(int64_t about, int64_t ca);
/* Its DER; the length. */
int32_t answer_der(const struct answer *answer, uint8_t *out, int32_t cap);

/* Certificate and key of an identity, for OpenSSL. */
X509 *answers_cert(int64_t identity);
EVP_PKEY *answers_key(int64_t identity);

#endif
