/* The extensions of certificates and requests, made one by one. Each answers false without memory. */
#ifndef SHIM_PKI_EXTENSION_H
#define SHIM_PKI_EXTENSION_H

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

bool extension_basic(STACK_OF(X509_EXTENSION) * *to, bool ca, int32_t path_length);
bool extension_key_usage(STACK_OF(X509_EXTENSION) * *to, int bits);
bool extension_usages(STACK_OF(X509_EXTENSION) * *to, int32_t mask, const STACK_OF(ASN1_OBJECT) * more);
/* Subject and authority key identifiers; `issuer` NULL = the certificate itself. */
bool extension_key_ids(STACK_OF(X509_EXTENSION) * *to, X509 *cert, X509 *issuer);
bool extension_names(STACK_OF(X509_EXTENSION) * *to, GENERAL_NAMES *names, bool critical);
bool extension_constraints(STACK_OF(X509_EXTENSION) * *to, NAME_CONSTRAINTS *constraints);
bool extension_crl_urls(STACK_OF(X509_EXTENSION) * *to, const GENERAL_NAMES *urls);
bool extension_ocsp_urls(STACK_OF(X509_EXTENSION) * *to, const GENERAL_NAMES *urls);
bool extension_must_staple(STACK_OF(X509_EXTENSION) * *to);

#endif
