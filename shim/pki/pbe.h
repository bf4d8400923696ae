/* How keys and PKCS#12 are encrypted with a passphrase (RFC 8018): by which scheme, and with how much work. */
#ifndef SHIM_PKI_PBE_H
#define SHIM_PKI_PBE_H

#include <openssl/asn1.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "../base/bytes.h"

/* Ten million rounds take seconds; who asks for more wants to keep a processor busy. */
enum { PBE_ROUNDS_MOST = 10000000 };

struct pbe {
    bool modern; /* PBES2 with AES */
    char name[80];
};

/* Looks at the algorithm that something is encrypted with; E_LIMIT where decrypting it would take too long. */
int32_t pbe_of(const X509_ALGOR *algorithm, const char *label, struct pbe *pbe) MUST_USE;
/* E_LIMIT if a number of rounds (NULL = 1) is too large. */
int32_t pbe_rounds(const ASN1_INTEGER *rounds, const char *label) MUST_USE;

#endif
