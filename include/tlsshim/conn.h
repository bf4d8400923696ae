/* Connections: the TLS engine without I/O. Bytes from the peer are fed, bytes for the peer are drained.
 *
 * Any call that moves plaintext drives the handshake itself. When a step cannot go on it answers WANT_EVENT, else
 * WANT_DRAIN, else WANT_FEED; so WANT_FEED, and 0 from handshake and shutdown, mean that nothing is left to drain.
 * Not a byte of plaintext moves before the handshake is complete and the peer is judged.
 * A failed connection stays failed: drain once more (the alert), read what was decrypted, ask, close.
 * Draining and sending what was drained must be one task of the host: two threads would change the order.
 */

/* What conn_state tells. A mask. */
enum tlsshim_state_group {
    TLSSHIM_STATE_HANDSHAKE_DONE = 1,
    TLSSHIM_STATE_READABLE = 2, /* plaintext, a complete record, or an end or error to tell */
    TLSSHIM_STATE_OUTPUT_PENDING = 4,
    TLSSHIM_STATE_EVENT_PENDING = 8,
    TLSSHIM_STATE_PEER_CLOSED = 16, /* the peer said goodbye */
    TLSSHIM_STATE_WE_CLOSED = 32,
    TLSSHIM_STATE_FAILED = 64,
    TLSSHIM_STATE_INPUT_ENDED = 128
};

/* Makes a connection, and freezes its context. The peer's name is what a client sends as server name and what the
 * peer's certificate must hold; a server passes none, or the name that its client's certificate must hold.
 *
 * context handle context
 * peer_name in text, up to 255; a host name or an IP address; may be empty
 * return  handle conn
 * errors  E_ARGUMENT E_LIMIT E_EMPTY E_WEAK E_MISMATCH E_FORMAT E_STATE
 * thread  any
 * blocks  files; once, for a client that trusts the system's anchors
 * source  SSL_new(3)
 * since   1
 */
int64_t tlsshim_conn_new(int64_t context, const void *peer_name, int32_t peer_name_len);

/* Sets the server name that a client sends, apart from the name that is verified; empty = none.
 *
 * conn    handle conn
 * name    in text, up to 255; a host name, no address
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 6066 section 3
 * since   1
 */
int32_t tlsshim_conn_set_server_name(int64_t conn, const void *name, int32_t name_len);

/* Sets the name that the peer's certificate must hold, apart from the server name sent.
 *
 * conn    handle conn
 * name    in text, up to 255; a host name or an IP address; empty only on a server
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 6125, RFC 9525
 * since   1
 */
int32_t tlsshim_conn_set_verify_name(int64_t conn, const void *name, int32_t name_len);

/* Sets the protocols for this connection alone, in place of its context's.
 *
 * conn    handle conn
 * wire    in bytes, up to 65535; see alpn_encode; empty = none
 * mode    one of alpn
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE E_FORMAT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 7301
 * since   1
 */
int32_t tlsshim_conn_set_alpn(int64_t conn, const void *wire, int32_t wire_len, int32_t mode);

/* Says that this is a second try with a lower version, so that a server can tell an attack (RFC 7507).
 *
 * conn    handle conn
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 7507
 * since   1
 */
int32_t tlsshim_conn_set_fallback(int64_t conn, int32_t on);

/* Takes bytes that came from the peer; legal before the handshake starts.
 *
 * conn    handle conn
 * bytes   in bytes, any length
 * return  count; taken; 0 when full, at least 65536 when empty
 * errors  E_ARGUMENT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_feed(int64_t conn, const void *bytes, int32_t bytes_len);

/* Tells that the transport has ended: nothing more will be fed.
 *
 * conn    handle conn
 * return  ok
 * errors  E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_feed_end(int64_t conn);

/* Gives bytes to send to the peer. Plaintext written since the last drain is sealed here, several writes a record.
 *
 * conn    handle conn
 * bytes   out bytes, stream; capacity 1..
 * return  count; 0 when nothing is left
 * errors  E_ARGUMENT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_write_ex(3)
 * since   1
 */
int32_t tlsshim_conn_drain(int64_t conn, void *bytes, int32_t bytes_cap);

/* Goes on with the handshake.
 *
 * conn    handle conn
 * return  ok; WANT_FEED WANT_DRAIN WANT_EVENT
 * errors  E_ARGUMENT E_STATE E_TRUNCATED E_RESET E_DEADLINE E_PROTOCOL E_NOT_TLS E_ALERT E_REJECTED E_VERIFY E_NAME
 *         E_EXPIRED E_REVOKED E_STAPLE E_PIN E_NO_CERTIFICATE E_ALPN E_NEGOTIATION E_WEAK E_VERDICT E_LIMIT
 * thread  any; calls on one connection take turns
 * blocks  cpu
 * source  SSL_do_handshake(3)
 * since   1
 */
int32_t tlsshim_conn_handshake(int64_t conn);

/* Takes decrypted bytes that the peer has sent.
 *
 * conn    handle conn
 * plain   out bytes, stream; capacity 1..
 * return  count; 0 = the peer's goodbye; WANT_FEED WANT_DRAIN WANT_EVENT
 * errors  +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_read_ex(3)
 * since   1
 */
int32_t tlsshim_conn_read(int64_t conn, void *plain, int32_t plain_cap);

/* Looks at decrypted bytes without taking them.
 *
 * conn    handle conn
 * plain   out bytes, stream; capacity 1..
 * return  count; 0 = the peer's goodbye; WANT_FEED WANT_DRAIN WANT_EVENT
 * errors  +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_peek_ex(3)
 * since   1
 */
int32_t tlsshim_conn_peek(int64_t conn, void *plain, int32_t plain_cap);

/* Takes bytes to send, by copy; they are sealed when drained. There is no same-buffer-again rule.
 *
 * Under TLS 1.3 keys change by themselves long before they wear out. Below it they cannot: after 256 GiB sent under one
 * AES key only the goodbye is left, and writing is E_LIMIT.
 *
 * conn    handle conn
 * plain   in bytes, any length
 * return  count; taken, at least 65536 when empty; 0 only for length 0; WANT_DRAIN when full; WANT_FEED WANT_EVENT
 * errors  E_LIMIT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_write_ex(3)
 * since   1
 */
int32_t tlsshim_conn_write(int64_t conn, const void *plain, int32_t plain_len);

/* Says goodbye once, after all that was written; reading goes on. Never waits for the peer's goodbye.
 *
 * conn    handle conn
 * return  ok; WANT_DRAIN; WANT_FEED within a message of the peer that is still incomplete
 * errors  +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_shutdown(3), RFC 8446 section 6.1
 * since   1
 */
int32_t tlsshim_conn_shutdown(int64_t conn);

/* Decrypts from one buffer into another: what was fed comes first, then bytes. Empty input = read.
 *
 * conn    handle conn
 * bytes   in bytes, any length; received from the peer
 * plain   out bytes, stream; capacity 1..
 * taken   output; bytes used up, written unless an error comes back
 * return  count; 0 = the peer's goodbye; WANT_FEED WANT_DRAIN WANT_EVENT; with taken below bytes_len, call again
 * errors  +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_read_ex(3)
 * since   1
 */
int32_t tlsshim_conn_open(int64_t conn, const void *bytes, int32_t bytes_len, void *plain, int32_t plain_cap,
                          int32_t *taken);

/* Encrypts from one buffer into another: what was pending comes first, then plain. Empty input = drain. The two may
 * overlap, at the price of a copy.
 *
 * conn    handle conn
 * plain   in bytes, any length
 * bytes   out bytes, stream; capacity 1.., best 17000 or more; to send to the peer
 * taken   output; bytes used up, written unless an error comes back
 * return  count; bytes to send, 0 when there is nothing; WANT_FEED WANT_EVENT
 * errors  +conn_write
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_write_ex(3)
 * since   1
 */
int32_t tlsshim_conn_seal(int64_t conn, const void *plain, int32_t plain_len, void *bytes, int32_t bytes_cap,
                          int32_t *taken);

/* Holds back written bytes that do not fill a record, until switched off.
 *
 * conn    handle conn
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_cork(int64_t conn, int32_t on);

/* Tells the state, without a step.
 *
 * conn    handle conn
 * return  any of state
 * errors  -
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_state(int64_t conn);

/* Counts the decrypted bytes that a read would give at once.
 *
 * conn    handle conn
 * return  count
 * errors  -
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_pending(3)
 * since   1
 */
int32_t tlsshim_conn_pending(int64_t conn);

/* Counts the bytes that drain would now give; corked bytes do not count.
 *
 * Written plaintext is sealed for the count: asking after each write gives up gathering.
 *
 * conn    handle conn
 * return  count
 * errors  -
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_pending_out(int64_t conn);

/* Changes the sending key, and asks the peer for the same if both is 1. TLS 1.3 only. What was written and not yet
 * drained goes out under the new key, and all that follows takes a little more time to seal than before.
 *
 * conn    handle conn
 * both    number; 0 or 1
 * return  ok; WANT_DRAIN WANT_FEED WANT_EVENT: not done yet
 * errors  E_UNSUPPORTED +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 8446 section 4.6.3
 * since   1
 */
int32_t tlsshim_conn_key_update(int64_t conn, int32_t both);

/* Asks the client for a certificate after the handshake. TLS 1.3 only, and only of clients that have offered it. The
 * answer comes in by reading; CONN_CERTIFICATE_REQUESTED is 1 until it has, then 0, and conn_peer_cert, VERIFIED and
 * VERIFY_REPORT speak of what it brought. It is judged like one in the handshake: a certificate that is refused fails
 * the connection; none is an answer too, but where client certificates are required (E_NO_CERTIFICATE). Writing goes on
 * meanwhile. The request goes out before what was written and not yet drained.
 *
 * Tickets that went out before know nothing of the certificate; one that does follows with the next write.
 *
 * conn    handle conn; of a server whose context was set with context_set_post_handshake
 * return  ok; WANT_DRAIN WANT_FEED: not asked yet
 * errors  E_STATE E_UNSUPPORTED +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 8446 section 4.6.2, SSL_verify_client_post_handshake(3)
 * since   1
 */
int32_t tlsshim_conn_request_certificate(int64_t conn);

/* Sets what the client's automatic session cache files this connection's sessions under. Default: the verified name.
 *
 * conn    handle conn; of a client
 * key     in bytes, up to 1024; empty = the default
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_set_session_key(int64_t conn, const void *key, int32_t key_len);

/* Offers a session for resumption, before the handshake. A session made under other rules (another trust set, verify
 * name, own identity...) is refused; one that the server no longer knows leads to a full handshake.
 *
 * conn    handle conn; of a client
 * session handle session
 * return  ok
 * errors  E_STATE E_MISMATCH E_EXPIRED +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_set_session(3)
 * since   1
 */
int32_t tlsshim_conn_set_session(int64_t conn, int64_t session);

/* Gives the newest session that the server offered and that can be resumed. In TLS 1.3 it comes with the server's
 * first bytes after the handshake, and each is given once.
 *
 * conn    handle conn; of a client
 * return  handle session; NONE while there is none
 * errors  E_STATE E_LIMIT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_CTX_sess_set_new_cb(3)
 * since   1
 */
int64_t tlsshim_conn_take_session(int64_t conn);
