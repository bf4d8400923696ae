/* Security levels: what they ask for, and which key or signature falls short of one. */
#ifndef SHIM_PKI_LEVEL_H
#define SHIM_PKI_LEVEL_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "../base/error.h"

enum { LEVEL_MOST = 5, LEVEL_TEXT_CAP = 256 };

/* The bits of security that a level asks for; 0 at level 0. */
int level_bits(int level);
/* True if the certificate's key is too weak for a level; the text then says by how much: "has 1024 bits, security level
 * 2 asks for 2048". */
bool level_key_short(X509 *cert, int level, char text[LEVEL_TEXT_CAP]);
/* The same for the signature on it, which nobody looks at where it is its own: "is by RSA-SHA1 (63 bits of security),
 * security level 2 asks for 112". */
bool level_signature_short(X509 *cert, int level, char text[LEVEL_TEXT_CAP]);
/* OK, or E_WEAK naming the first key or signature of a chain that falls short. */
int32_t level_check_chain(X509 *const *chain, int count, int level) MUST_USE;

#endif
