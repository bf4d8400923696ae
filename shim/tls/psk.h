/* External pre-shared keys (RFC 8446 section 4.2.11, RFC 4279): both ends know a key, and need no certificate. */
#ifndef SHIM_TLS_PSK_H
#define SHIM_TLS_PSK_H

#include <openssl/types.h>

#include "../base/error.h"
#include "psk_table.h"

struct conn;
struct settings;
struct setup;

/* Takes the list of TLS 1.2 ciphers, with those for keys before it. 1 = done, as the backend's own. */
int psk_set_cipher_list(SSL_CTX *ctx, const struct settings *settings);
/* Sets the callbacks, if there are keys; E_MISMATCH or E_WEAK for what cannot be served together with them. */
int32_t psk_install(const struct setup *setup) MUST_USE;

/* The handshake is complete: notes whether a key was what proved the peer. */
void psk_complete(struct conn *conn);
/* The identity of that key, or NULL. */
const char *psk_identity(const struct conn *conn);
/* The result for a handshake that failed by the backend's reason, if keys are why; else OK. */
int32_t psk_failure(const struct conn *conn, int reason, struct error_detail *detail);
/* The same for an alert that came. */
int32_t psk_refused(const struct conn *conn, int alert, const char *name, struct error_detail *detail);

#endif
