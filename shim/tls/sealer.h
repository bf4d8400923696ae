/* Seals the records of TLS 1.3's application data key in the backend's place (RFC 8446 section 5.2).
 *
 * OpenSSL offers a kernel the sending of records (kTLS): it hands over the key once, and from then on plaintext with
 * its content type. Whoever takes the offer seals. The sealer takes it, and lets a cipher seal straight from the
 * caller's memory into the place where the record is wanted: no copies, and the backend's record layer need not be
 * asked for each piece of application data. A key update takes the key back: OpenSSL 3.0 does not offer the next one.
 */
#ifndef SHIM_TLS_SEALER_H
#define SHIM_TLS_SEALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/aead.h"

enum {
    SEALER_KEY_MOST = 32,
    SEALER_HEADER = 5,
    SEALER_OVERHEAD = SEALER_HEADER + 1 + AEAD_TAG, /* with the content type and the tag */
};

/* OpenSSL's controls of a BIO that have no public name: its offer, told by the number whether it is for sending, and
 * the content type of the next record that is not application data. */
enum { SEALER_OFFER = 72, SEALER_CONTENT_TYPE = 74 };

enum sealer_cipher { SEALER_AES_128_GCM, SEALER_AES_256_GCM, SEALER_CHACHA20_POLY1305, SEALER_CIPHERS };

struct sealer {
    bool on;
    uint8_t cipher; /* one of enum sealer_cipher */
    uint8_t key[SEALER_KEY_MOST];
    uint8_t iv[AEAD_NONCE];
    uint64_t sequence;      /* of the next record */
    struct aead_key *keyed; /* NULL until the first record, and while nothing is sent */
};

/* True if this backend is one whose offer is understood. */
bool sealer_understands_backend(void);
/* Looks up the ciphers that a sealer may need, which takes locks and memory: before a connection does. One that this
 * backend's providers do not have is not taken. */
void sealer_prepare(void);

/* Takes the key of the backend's offer; false if it is for something else than sending TLS 1.3. */
bool sealer_take(struct sealer *sealer, const void *offer);
/* Seals a record of len + SEALER_OVERHEAD bytes, elsewhere than the plaintext; false without memory, or if the backend
 * fails, and then nothing is left in its place. */
bool sealer_seal(struct sealer *sealer, int content_type, const uint8_t *plain, size_t len, uint8_t *record);
/* Lets go of what only sealing needs. */
void sealer_rest(struct sealer *sealer);
/* Forgets the key; the next record is the backend's. */
void sealer_end(struct sealer *sealer);

#endif
