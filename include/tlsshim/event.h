/* Events: what OpenSSL decides by callback is a question here.
 *
 * A step of a connection answers WANT_EVENT; conn_event tells which, conn_event_text, _number and _bytes its
 * details. The host answers with plain calls, from any thread and at any later time within the handshake's limit,
 * ends the event and repeats the step. Off unless asked for (context_set_events). Closing the connection abandons an
 * event.
 */

/* A mask. */
enum tlsshim_event_group {
    TLSSHIM_EVENT_HELLO = 1,       /* of a server: the client has said hello; nothing is chosen yet */
    TLSSHIM_EVENT_VERIFY = 2,      /* the peer's certificate was judged, well or badly: the host's own verdict; a
                                      stapled OCSP answer with it in TLS 1.3, in TLS 1.2 later */
    TLSSHIM_EVENT_CERTIFICATE = 4, /* this end is to show a certificate; not on a resumed connection */
    TLSSHIM_EVENT_SESSION = 8,     /* of a client: conn_take_session has one. Holds nothing but reading up */
    TLSSHIM_EVENT_KEYLOG = 16,     /* a line for a key-log file. Holds nothing but reading up */
    TLSSHIM_EVENT_SIGN = 32        /* a key that is elsewhere (key_external) is to sign */
};

/* t answers conn_event_text, n conn_event_number, b conn_event_bytes. Lists are big-endian 16-bit numbers. */
enum tlsshim_detail_group {
    TLSSHIM_DETAIL_SERVER_NAME = 1,  /* t: HELLO, and CERTIFICATE of a server */
    TLSSHIM_DETAIL_ALPN = 2,         /* b: the client's list in wire form; as above */
    TLSSHIM_DETAIL_VERSIONS = 3,     /* b: the client's list; as above */
    TLSSHIM_DETAIL_CIPHERS = 4,      /* b: the client's list; as above */
    TLSSHIM_DETAIL_GROUPS = 5,       /* b: the client's list; as above */
    TLSSHIM_DETAIL_SIGNATURES = 6,   /* b: the schemes that the peer accepts; as above, and CERTIFICATE of a client */
    TLSSHIM_DETAIL_VERIFY_CODE = 7,  /* tn: VERIFY: the X509_V_ number, 0 = good */
    TLSSHIM_DETAIL_DEPTH = 8,        /* n: VERIFY: where in the chain a bad judgement was made */
    TLSSHIM_DETAIL_CA_NAMES = 9,     /* t: CERTIFICATE of a client: the authorities that the server names, by line */
    TLSSHIM_DETAIL_KEYLOG_LINE = 10, /* t: KEYLOG, without a newline */
    TLSSHIM_DETAIL_SIGN_SCHEME = 11, /* tn: SIGN: "rsa_pss_rsae_sha256", 0x0804 (RFC 8446 section 4.2.3) */
    TLSSHIM_DETAIL_SIGN_DIGEST = 12, /* t: SIGN: "SHA256"; NONE for Ed25519 and Ed448, which sign the message itself */
    TLSSHIM_DETAIL_SIGN_INPUT = 13,  /* b: SIGN: the digest of the message, or where there is none, the message */
    TLSSHIM_DETAIL_SIGN_MESSAGE = 14 /* b: SIGN: the message */
};

/* Tells which event waits for the host.
 *
 * conn    handle conn
 * return  one of event; NONE when none waits
 * errors  +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_event(int64_t conn);

/* Gives a text of the event that waits. The peer's bytes in it are escaped.
 *
 * conn    handle conn
 * field   one of detail
 * text    out text, whole
 * return  length; NONE where the event has none
 * errors  E_ARGUMENT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_event_text(int64_t conn, int32_t field, void *text, int32_t text_cap);

/* Gives a number of the event that waits.
 *
 * conn    handle conn
 * field   one of detail
 * n       output
 * return  ok; NONE where the event has none
 * errors  E_ARGUMENT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_event_number(int64_t conn, int32_t field, int64_t *n);

/* Gives bytes of the event that waits.
 *
 * conn    handle conn
 * field   one of detail
 * bytes   out bytes, whole
 * return  length; NONE where the event has none
 * errors  E_ARGUMENT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_client_hello_get0_ext(3)
 * since   1
 */
int32_t tlsshim_conn_event_bytes(int64_t conn, int32_t field, void *bytes, int32_t bytes_cap);

/* Within HELLO: goes on under another context of a server, with all of its settings, as if the connection had been
 * made under it. What came is read again.
 *
 * conn    handle conn
 * context handle context; of a server
 * return  ok
 * errors  E_STATE E_MISMATCH E_EMPTY E_WEAK E_FORMAT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_use_context(int64_t conn, int64_t context);

/* Within HELLO or CERTIFICATE, or before the handshake of a client: shows this identity, in place of the context's.
 * A session resumes only where the same was chosen before the handshake.
 *
 * conn    handle conn
 * identity handle identity
 * return  ok
 * errors  E_STATE E_WEAK E_FORMAT +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_use_cert_and_key(3)
 * since   1
 */
int32_t tlsshim_conn_use_identity(int64_t conn, int64_t identity);

/* Ends HELLO, CERTIFICATE, SESSION or KEYLOG: the handshake goes on with what was chosen. Without a choice in
 * CERTIFICATE a client shows no certificate, and a server the one of its table.
 *
 * conn    handle conn
 * return  ok
 * errors  E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_event_done(int64_t conn);

/* Ends VERIFY: a good judgement stands. After a bad one the next step fails with its error all the same, unless an
 * insecure switch of the context lets the peer pass.
 *
 * conn    handle conn
 * return  ok
 * errors  E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_accept_peer(int64_t conn);

/* Ends HELLO, VERIFY, CERTIFICATE or SIGN: the next step fails with E_VERDICT, and the peer is sent the alert. In
 * CERTIFICATE and SIGN, where the peer has done nothing wrong, it is 80 (internal_error).
 *
 * conn    handle conn
 * alert   number; 40, 42 to 46, 48, 51 or 80 (RFC 8446 section 6.2)
 * return  ok
 * errors  E_ARGUMENT E_STATE +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_refuse(int64_t conn, int32_t alert);

/* Ends SIGN with the signature over what the event tells, as TLS carries it: ECDSA in DER, RSA-PSS with a salt as
 * long as the digest. It is checked with the public key at once; one that is wrong changes nothing.
 *
 * conn    handle conn
 * signature in bytes, up to 4096
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE E_MISMATCH +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 8446 section 4.4.3, RFC 5246 section 7.4.8
 * since   1
 */
int32_t tlsshim_conn_sign_with(int64_t conn, const void *signature, int32_t signature_len);
