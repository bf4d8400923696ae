/* Names: does a certificate hold a host name or address. */
#ifndef SHIM_PKI_NAME_H
#define SHIM_PKI_NAME_H

#include <openssl/x509.h>

#include "../base/bytes.h"

enum { NAME_LIMIT = 1024 };

/* 1 if the leaf's subject alternative names hold the name, else 0, or an error. A host name matches DNS names, with
 * a wildcard as the whole leftmost label only; an address matches IP names only; never the common name. */
int32_t name_matches(X509 *leaf, struct bytes name) MUST_USE;
/* The leaf's names as one line: "DNS:www.test, IP:10.0.0.1"; "none" if there is none. */
void name_list(X509 *leaf, struct buffer *out);
/* True for an IPv4 or IPv6 literal, with or without brackets; a scope (%eth0) is not part of it. */
bool name_is_ip(struct bytes name);
/* The 4 or 16 bytes of such a literal; 0 if it is none. */
int name_ip_bytes(struct bytes name, uint8_t out[16]);
/* A host name in the form that certificates hold: lower case, international labels as A-labels, no final dot.
 * E_ARGUMENT, saying why, if it is none. */
int32_t name_to_ascii(struct bytes name, char *out, size_t cap) MUST_USE;

#endif
