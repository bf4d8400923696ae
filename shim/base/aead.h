/* The backend's AEAD ciphers by the functions that its provider has for them (provider-cipher(7)).
 *
 * EVP asks for each length and the tag by a parameter's name, at each message anew: a fifth of what sealing a small
 * record costs. Here the lengths are those of TLS 1.3's ciphers (RFC 8446 section 5.3), which need no asking. */
#ifndef SHIM_BASE_AEAD_H
#define SHIM_BASE_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

enum { AEAD_NONCE = 12, AEAD_TAG = 16 };

struct aead;
struct aead_key; /* a cipher with its key; used by one thread at a time */

/* The cipher of this name. Takes locks and memory. NULL if no provider has it, if it is another kind of cipher, or
 * without memory. */
struct aead *aead_find(const char *name, size_t key_len);
void aead_forget(struct aead *aead);
/* NULL without memory. */
struct aead_key *aead_key_new(const struct aead *aead, const uint8_t *key);
void aead_key_free(const struct aead *aead, struct aead_key *key);

/* Seals a message in steps: what is authenticated, then plaintext in pieces of any length, to where its ciphertext is
 * wanted (in place, or elsewhere), then the tag. False if the backend fails. */
bool aead_begin(const struct aead *aead, struct aead_key *key, const uint8_t nonce[AEAD_NONCE], struct bytes also);
bool aead_piece(const struct aead *aead, struct aead_key *key, struct bytes plain, uint8_t *sealed);
bool aead_end(const struct aead *aead, struct aead_key *key, uint8_t tag[AEAD_TAG]);

#endif
