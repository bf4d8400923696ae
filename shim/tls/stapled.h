/* What a client makes of the OCSP answer that its server stapled, or did not. */
#ifndef SHIM_TLS_STAPLED_H
#define SHIM_TLS_STAPLED_H

#include <openssl/x509.h>

#include "../base/bytes.h"

struct conn;

void stapled_install(SSL_CTX *ctx);
/* In TLS 1.3 the answer comes with the certificate, and is judged beside it: OK or E_MEMORY. */
int32_t stapled_with_certificate(struct conn *conn, X509 *leaf);
/* True if that has shown a revoked certificate, which is refused at once, and so by an alert that says it. Other faults
 * have an alert that the backend sends for stapled answers alone, when all of the server's flight is there. */
bool stapled_revoked(const struct conn *conn);
/* The result of the refusal. */
int32_t stapled_failure(const struct conn *conn);
/* The X509_V_ number of the judgement on the answer. */
int stapled_code(const struct conn *conn);
/* False where an answer was asked for and is not good, though a switch let that pass. */
bool stapled_good(const struct conn *conn);
/* The judgement in words, after others; nothing where none was asked for. */
void stapled_report(const struct conn *conn, struct buffer *text);

#endif
