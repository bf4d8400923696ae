/* A server's request for a certificate after the handshake (TLS 1.3, RFC 8446 section 4.6.2), and its answer. */
#ifndef SHIM_TLS_REQUEST_H
#define SHIM_TLS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* Of a server, how far it is; of a client only whether it was asked. */
enum request {
    REQUEST_NONE,
    REQUEST_SENT,     /* or, of a client, received */
    REQUEST_ARRIVING, /* the certificate is there, and not yet proven to be the client's */
    REQUEST_FINISHED, /* the last message is there, and not yet looked at */
    REQUEST_ANSWERED
};

/* A handshake message passes after the handshake. */
void request_message(struct conn *conn, bool sent, int type);
/* Takes note of an answer that was judged whole. Called where nothing of it can be under way. */
void request_settle(struct conn *conn);
/* What the backend now holds for the peer's certificate is not yet known to be the peer's. */
bool request_unproven(const struct conn *conn);
/* The next message may be part of an answer for which the host is asked by an event that parks. */
bool request_may_park(const struct conn *conn);
/* Of a server: 1 = the answer is awaited, 0 = it has come, NONE = nothing was asked. */
int64_t request_state(const struct conn *conn);

#endif
