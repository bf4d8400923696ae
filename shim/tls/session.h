/* Sessions: what a client keeps, and what a server writes into its tickets. */
#ifndef SHIM_TLS_SESSION_H
#define SHIM_TLS_SESSION_H

#include <openssl/ssl.h>

#include "../base/refs.h"
#include "setup.h"

struct conn;

struct session {
    struct refs refs;
    SSL_SESSION *ssl_session;
    uint8_t rules[DIGEST_SIZE]; /* what it was made under */
    struct session_span span;
    char *peer_name;
};

/* A handle for a session that the connection was given; takes over the reference to it. */
int64_t session_handle(const struct conn *conn, SSL_SESSION *ssl_session);
int32_t session_pin(int64_t handle, struct session **session) MUST_USE;
bool session_usable(const struct session *session, int64_t now);

#endif
