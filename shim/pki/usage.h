/* What certificates may be used for: masks of ours to and from the backend's bits and object identifiers. */
#ifndef SHIM_PKI_USAGE_H
#define SHIM_PKI_USAGE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

enum { USAGE_ALL = 63, KEY_USAGE_ALL = 511 };

/* The USAGE mask of a certificate; false where it restricts nothing. */
bool usage_of(X509 *cert, int32_t *mask);
/* The KEY_USAGE mask of a certificate; false where it restricts nothing. */
bool key_usage_of(X509 *cert, int32_t *mask);
/* The object identifier of one USAGE bit, and the other way round (0 if it is none of ours). */
int usage_nid(int32_t bit);
int32_t usage_bit(int nid);
/* "server", "client", ... for texts. */
const char *usage_name(int32_t bit);
/* True for 0 or exactly one USAGE bit. */
bool usage_is_purpose(int32_t purpose);
/* True if the certificate demands a stapled OCSP answer (RFC 7633). */
bool usage_must_staple(const STACK_OF(X509_EXTENSION) * extensions);

#endif
