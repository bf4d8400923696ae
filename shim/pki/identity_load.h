/* Identities read from PEM and PKCS#12, and written as PKCS#12. */
#ifndef SHIM_PKI_IDENTITY_LOAD_H
#define SHIM_PKI_IDENTITY_LOAD_H

#include "identity.h"
#include "pem.h"

/* Puts chain and key together if they belong together; takes both over, on failure too (NULL is E_MEMORY). */
int32_t identity_make(struct cert *cert, struct key *key, struct identity **identity) MUST_USE;

int32_t identity_from_source(struct source *source, struct bytes passphrase, struct identity **identity) MUST_USE;
/* PKCS#12 with ciphers that only the legacy provider has. */
int32_t identity_from_legacy(struct source *source, struct bytes passphrase, struct identity **identity) MUST_USE;
/* The result of identity_export_pkcs12. */
int32_t identity_to_pkcs12(struct identity *identity, struct bytes passphrase, struct bytes friendly_name, void *data,
                           int32_t cap);

#endif
