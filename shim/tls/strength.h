/* How strong a context is: profile, versions, security level, and what old and weak things it may do. */
#ifndef SHIM_TLS_STRENGTH_H
#define SHIM_TLS_STRENGTH_H

#include <openssl/types.h>

#include "settings.h"

/* What no setter can tell by itself, since it takes several settings: E_WEAK or E_MISMATCH for what could only be
 * silently out of force. */
int32_t strength_check(const struct settings *settings, SSL_CTX *ctx) MUST_USE;

#endif
