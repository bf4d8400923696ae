/* Pins: digests of public keys, beside the chain or instead of it. */
#ifndef SHIM_TLS_PIN_H
#define SHIM_TLS_PIN_H

#include <openssl/x509.h>

#include "../base/bytes.h"

enum { PIN_SIZE = 32, PINS_MOST = 64 };

struct pin {
    int32_t mode; /* tlsshim_pin_group */
    uint8_t spki[PIN_SIZE];
};

struct pins {
    struct pin at[PINS_MOST];
    int count;
};

bool pins_have(const struct pins *pins, int32_t mode);
/* True if a pin of this mode is the digest of the certificate's public key. */
bool pins_match(const struct pins *pins, int32_t mode, X509 *cert, const EVP_MD *sha256);

#endif
