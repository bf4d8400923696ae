/* Certificates read from a source and put into the order of a chain. */
#ifndef SHIM_PKI_CHAIN_H
#define SHIM_PKI_CHAIN_H

#include <openssl/x509.h>

#include "pem.h"

/* A chain has at most so many certificates; a longer list is a set of anchors, not a chain. */
enum { CHAIN_MOST = 100 };

/* All certificates of a source, leaf first, doubles left out: E_FORMAT, E_EMPTY, E_MISMATCH, E_LIMIT. */
int32_t chain_from_source(struct source *source, STACK_OF(X509) * *certs) MUST_USE;
/* Puts certificates in order, the leaf first: E_MISMATCH names one that has no place. */
int32_t chain_order(STACK_OF(X509) * certs, bool leaf_is_first, const char *label) MUST_USE;

#endif
