/* Keys: a private key, or only its public half. */
#ifndef SHIM_PKI_KEY_H
#define SHIM_PKI_KEY_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "../base/bytes.h"
#include "../base/refs.h"

struct key {
    struct refs refs;
    EVP_PKEY *pkey;
    bool private_half; /* the private half is in pkey */
    EVP_PKEY *signer;  /* in handshakes, of a key whose private half is elsewhere: asks for signatures. Else NULL */
};

int32_t key_pin(int64_t handle, struct key **key) MUST_USE;
struct key *key_ref(struct key *key);
/* NULL is allowed. */
void key_drop(struct key *key);

/* Makes the object; takes over pkey, on failure too. NULL without memory. */
struct key *key_from_pkey(EVP_PKEY *pkey, bool private_half);
/* Gives a handle that takes over the caller's reference, on failure too. */
int64_t key_handle_new(struct key *key);

/* What signs in a handshake; NULL for a public key. */
EVP_PKEY *key_signer(const struct key *key);
/* E_MISMATCH, saying why, unless the key holds (or stands for) a private half. */
int32_t key_needs_private(const struct key *key);
/* The algorithm as ABI.md spells it: "P-256", "ED25519", "RSA-2048"; the backend's name for others. */
void key_algorithm_text(EVP_PKEY *pkey, struct buffer *out);
/* The digest that signatures with this key use when none is asked for; NULL where the algorithm has its own. */
const EVP_MD *key_default_digest(EVP_PKEY *pkey);

#endif
