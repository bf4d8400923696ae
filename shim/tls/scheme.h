/* Groups and signature schemes by their numbers on the wire (RFC 8446 sections 4.2.3 and 4.2.7). */
#ifndef SHIM_TLS_SCHEME_H
#define SHIM_TLS_SCHEME_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "../pki/manner.h"

/* 0 or NULL where there is none. */
int32_t scheme_group(SSL *ssl);
const char *scheme_group_name(SSL *ssl);
int32_t scheme_signature(SSL *ssl, bool of_peer);
/* The scheme of a signature that such a key makes in this manner. */
int32_t scheme_of(const EVP_PKEY *key, const struct manner *manner);
const char *scheme_signature_name(int32_t scheme);

#endif
