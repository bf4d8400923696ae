/* Instants: seconds since 1970 as 64-bit numbers, to and from ASN.1 and ISO 8601, without time_t. */
#ifndef SHIM_PKI_INSTANT_H
#define SHIM_PKI_INSTANT_H

#include <openssl/asn1.h>
#include <stdbool.h>
#include <stdint.h>

/* The years 0000 to 9999, which ASN.1 can express. */
#define INSTANT_MIN (-62167219200)
#define INSTANT_MAX 253402300799

enum { INSTANT_TEXT_CAP = 32 };

int64_t instant_now(void);
bool instant_from_asn1(const ASN1_TIME *time, int64_t *instant);
/* NULL without memory; the instant must be in range. */
ASN1_TIME *instant_to_asn1(int64_t instant);
/* "2026-11-21T22:30:00Z"; "unreadable" out of range. */
void instant_text(int64_t instant, char text[INSTANT_TEXT_CAP]);

#endif
