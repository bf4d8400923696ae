/* Reading private keys in every encoding, without ever asking on a terminal. */
#ifndef SHIM_PKI_KEY_LOAD_H
#define SHIM_PKI_KEY_LOAD_H

#include <openssl/evp.h>

#include "pem.h"

enum { PASSPHRASE_LIMIT = 1024 };

/* The first private key of a source: E_FORMAT, E_PASSPHRASE, E_EMPTY, E_UNSUPPORTED. */
int32_t key_from_source(struct source *source, struct bytes passphrase, EVP_PKEY **pkey) MUST_USE;
/* The key of one PEM block: 1, or 0 if the block is no private key, or an error. */
int32_t key_from_block(struct pem_block *block, const char *label, struct bytes passphrase, EVP_PKEY **pkey) MUST_USE;

#endif
