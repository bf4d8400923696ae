/* How a key signs: with which digest, and an RSA key with which padding. */
#ifndef SHIM_PKI_MANNER_H
#define SHIM_PKI_MANNER_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "../base/bytes.h"

struct manner {
    EVP_MD *digest; /* NULL = the algorithm has its own (Ed25519, Ed448) */
    bool pss;       /* of an RSA key: RSASSA-PSS with a salt as long as the digest, else PKCS #1 v1.5 */
};

/* From the name of a digest, or of a signature scheme (RFC 8446 section 4.2.3); empty = the key's usual one.
 * E_ARGUMENT, E_MISMATCH (another kind of key), E_UNSUPPORTED. */
int32_t manner_of(EVP_PKEY *key, struct bytes name, struct manner *manner) MUST_USE;
void manner_free(struct manner *manner);
/* Signs into a room of *len bytes; false with the backend's error. */
bool manner_sign(EVP_PKEY *key, const struct manner *manner, struct bytes data, uint8_t *signature, size_t *len);
bool manner_verify(EVP_PKEY *key, const struct manner *manner, struct bytes data, struct bytes signature);

#endif
