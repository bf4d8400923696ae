/* Chains that were found good lately, so that the same peer is not proven again at each handshake.
 *
 * The key is a digest over every certificate that was presented, in order, and every rule that the judgement of a chain
 * depends on. Name, pins and the host's own verdict are no part of it: they are judged each time. docs/verified.md
 * holds the argument why this accepts nothing that a judgement would refuse. */
#ifndef SHIM_TLS_VERIFIED_H
#define SHIM_TLS_VERIFIED_H

#include <openssl/x509.h>

#include "cache.h"

struct conn;

extern const struct cache_holds verified_holds;

/* The chain from leaf to anchor that an equal presentation led to, for the caller to free, and until when it holds;
 * NULL = it must be judged. */
STACK_OF(X509) * verified_find(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, int64_t *until);
/* Remembers a judgement that was good in every way; `from` and `until` bound it in time. */
void verified_keep(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, STACK_OF(X509) * chain,
                   int64_t from, int64_t until);

#endif
