/* Policy and judge meet the handshake: the one place where a peer's certificate is accepted or refused. */
#ifndef SHIM_TLS_VERIFY_H
#define SHIM_TLS_VERIFY_H

#include <openssl/types.h>

#include "../base/bytes.h"
#include "../pki/judge.h"

struct conn;

/* The backend's verification, replaced whole: judges the chain that the peer sent under the connection's rules.
 * 1 = go on. */
int verify_peer(X509_STORE_CTX *store_ctx, void *setup);
/* E_ALPN or E_PROTOCOL unless the application protocol is one that this end may go on with. */
int32_t verify_protocol(const struct conn *conn);
/* The result for a handshake that failed because verify_peer said no. */
int32_t verify_failure(struct conn *conn);
/* The X509_V_ number of the judgement. */
int32_t verify_code(const struct conn *conn);
/* The rules that the peer of this connection is judged under. */
struct judge_rules verify_rules(const struct conn *conn);
/* The judgement in words. */
void verify_report(const struct conn *conn, struct buffer *text);

#endif
