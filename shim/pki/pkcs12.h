/* PKCS#12: keys and certificates in one encrypted file (RFC 7292). */
#ifndef SHIM_PKI_PKCS12_H
#define SHIM_PKI_PKCS12_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "pem.h"

struct pkcs12_content {
    EVP_PKEY *pkey; /* the first key; NULL if there is none */
    STACK_OF(X509) * certs;
};

/* Opens PKCS#12: E_FORMAT, E_PASSPHRASE, E_UNSUPPORTED. Without `legacy` ciphers other than AES are refused. */
int32_t pkcs12_read(struct source *source, struct bytes passphrase, bool legacy,
                    struct pkcs12_content *content) MUST_USE;
void pkcs12_content_end(struct pkcs12_content *content);

#endif
