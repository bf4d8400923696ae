/* How bytes move through a connection: handshake.c, send.c, receive.c, rekey.c. */
#ifndef SHIM_TLS_FLOW_H
#define SHIM_TLS_FLOW_H

#include "conn.h"

/* Goes on with the handshake: OK once it is complete, WANT_FEED, WANT_DRAIN or an error. */
int32_t flow_handshake_step(struct conn *conn);
static inline int32_t flow_handshake(struct conn *conn)
{
    if (conn->failure != 0)
        return conn->failure;
    return conn->done ? TLSSHIM_OK : flow_handshake_step(conn);
}
/* Around each call that may touch a descriptor: what waits is sent. */
void flow_begin(struct conn *conn);
void flow_end(struct conn *conn);
/* No more may be sent under the key, and the version cannot change it. What was taken before still goes out. */
bool flow_key_worn(const struct conn *conn);
/* Before each record: another key, if this one has served its time or the peer has asked for another. */
int32_t flow_fresh_key(struct conn *conn);
/* OK if more may be written: the handshake is complete, no goodbye was said, the key holds. */
int32_t flow_writable(struct conn *conn);
/* Seals what was written while the backend was midway. */
void flow_seal_kept(struct conn *conn);
/* WANT_DRAIN or WANT_FEED: nothing else is wanted while something waits to be drained. */
int32_t flow_want(const struct conn *conn);
/* What is wanted to get through a message that is under way: WANT_EVENT, or as above. */
int32_t flow_want_midway(const struct conn *conn);
/* Output waits that can still go out. */
bool flow_pending(const struct conn *conn);
/* True while the backend is within a message that the peer has begun after the handshake: it seals nothing then. */
static inline bool flow_midway(const struct conn *conn)
{
    return conn->done && SSL_in_init(conn->ssl);
}
/* Goes on with such a message as far as it has come, so that who only sends need not wait for a reader. */
int32_t flow_settle(struct conn *conn);
/* E_RESET, or what the peer said before it stopped listening. */
int32_t flow_sending_failed(struct conn *conn);
/* E_STATE on a connection whose bytes a stream moves. */
int32_t flow_on_fd(void);
static inline int32_t flow_not_on_fd(const struct conn *conn)
{
    return conn->transport.fd < 0 ? TLSSHIM_OK : flow_on_fd();
}

#endif
