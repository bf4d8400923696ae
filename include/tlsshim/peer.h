/* Questions to a connection: what was negotiated, and with whom. */

/* t answers conn_text, n conn_number, b conn_bytes. */
enum tlsshim_conn_group {
    TLSSHIM_CONN_VERSION = 1,                 /* tn: "TLSv1.3", 0x0304 */
    TLSSHIM_CONN_CIPHER = 2,                  /* tn: the IANA name and number */
    TLSSHIM_CONN_CIPHER_BITS = 3,             /* n */
    TLSSHIM_CONN_SHARED_CIPHERS = 4,          /* t: of a server, TLS 1.2 and before */
    TLSSHIM_CONN_GROUP = 5,                   /* tn: key exchange */
    TLSSHIM_CONN_SIGNATURE = 6,               /* tn: our handshake signature */
    TLSSHIM_CONN_PEER_SIGNATURE = 7,          /* tn: the peer's */
    TLSSHIM_CONN_ALPN = 8,                    /* tb: the protocol agreed on */
    TLSSHIM_CONN_ALPN_OFFERED = 9,            /* b: the client's list in wire form */
    TLSSHIM_CONN_SERVER_NAME = 10,            /* t: sent or received */
    TLSSHIM_CONN_VERIFY_NAME = 11,            /* t: the name that was checked */
    TLSSHIM_CONN_VERIFY_REPORT = 12,          /* t: the judgement on the peer, in words */
    TLSSHIM_CONN_VERIFY_CODE = 13,            /* tn: the X509_V_ number, 0 = good */
    TLSSHIM_CONN_VERIFIED = 14,               /* n: 1 = a good certificate, or a pre-shared key */
    TLSSHIM_CONN_RESUMED = 15,                /* n */
    TLSSHIM_CONN_EXTENDED_MASTER_SECRET = 16, /* n */
    TLSSHIM_CONN_SECURE_RENEGOTIATION = 17,   /* n */
    TLSSHIM_CONN_HELLO_RETRY = 18,            /* n */
    TLSSHIM_CONN_CERTIFICATE_REQUESTED = 19,  /* n: of a client: the server asked for a certificate; of a
                                                  server: 1 = conn_request_certificate is unanswered, 0 = answered */
    TLSSHIM_CONN_CLIENT_RANDOM = 20,          /* b */
    TLSSHIM_CONN_STAPLE = 21,                 /* b: the OCSP answer that the server stapled, seen from either end */
    TLSSHIM_CONN_ERROR = 22,                  /* n: the result that it failed with */
    TLSSHIM_CONN_BYTES_IN = 23,               /* n: on the wire */
    TLSSHIM_CONN_BYTES_OUT = 24,              /* n */
    TLSSHIM_CONN_RECORDS_IN = 25,             /* n */
    TLSSHIM_CONN_RECORDS_OUT = 26,            /* n */
    TLSSHIM_CONN_HANDSHAKE_MS = 27,           /* n: from the first step to the end of the handshake */
    TLSSHIM_CONN_INSECURE = 28,               /* n: mask of what was skipped (tlsshim_insecure_group) */
    TLSSHIM_CONN_PSK_IDENTITY = 29            /* t: of the pre-shared key that the peer proved to have */
};

/* Gives a text of the connection.
 *
 * conn    handle conn
 * field   one of conn
 * text    out text, whole
 * return  length; NONE where there is none, or not yet, or it is no text
 * errors  E_ARGUMENT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_text(int64_t conn, int32_t field, void *text, int32_t text_cap);

/* Gives a number of the connection.
 *
 * conn    handle conn
 * field   one of conn
 * n       output
 * return  ok; NONE where there is none, or not yet, or it is no number
 * errors  E_ARGUMENT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_number(int64_t conn, int32_t field, int64_t *n);

/* Gives bytes of the connection.
 *
 * conn    handle conn
 * field   one of conn
 * bytes   out bytes, whole
 * return  length; NONE where there are none, or not yet, or it is no bytes
 * errors  E_ARGUMENT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_conn_bytes(int64_t conn, int32_t field, void *bytes, int32_t bytes_cap);

/* Gives the peer's certificate and chain as it sent them, a refused one too. On resumed connections the leaf alone.
 *
 * conn    handle conn
 * return  handle cert; NONE where it sent none
 * errors  E_LIMIT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_get_peer_cert_chain(3)
 * since   1
 */
int64_t tlsshim_conn_peer_cert(int64_t conn);

/* Gives the chain that was verified, from the peer's certificate to the anchor.
 *
 * conn    handle conn
 * return  handle cert; NONE where none was verified, and on resumed connections
 * errors  E_LIMIT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_get0_verified_chain(3)
 * since   1
 */
int64_t tlsshim_conn_verified_chain(int64_t conn);

/* Gives the certificate that this end presented, with its chain.
 *
 * conn    handle conn
 * return  handle cert; NONE where it presented none, and on resumed connections
 * errors  E_LIMIT
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  SSL_get_certificate(3)
 * since   1
 */
int64_t tlsshim_conn_local_cert(int64_t conn);

/* Derives bytes that both ends share and nobody else knows.
 *
 * conn    handle conn
 * label   in text, up to 255
 * with_context number; 0 or 1: in TLS 1.2 an empty context differs from none
 * context in bytes, up to 65535
 * bytes   out secret, fill; capacity 1..8160
 * return  count; all of the capacity
 * errors  E_ARGUMENT E_LIMIT E_STATE E_UNSUPPORTED +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 5705, RFC 8446 section 7.5
 * since   1
 */
int32_t tlsshim_conn_export_keying(int64_t conn, const void *label, int32_t label_len, int32_t with_context,
                                   const void *context, int32_t context_len, void *bytes, int32_t bytes_cap);

/* Gives a channel binding: "tls-exporter", "tls-server-end-point" or "tls-unique" (TLS 1.2 only).
 *
 * On TLS 1.2 without extended master secret tls-exporter and tls-unique are refused: they would not be unique.
 *
 * conn    handle conn
 * type    in text, up to 64
 * bytes   out bytes, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_STATE E_UNSUPPORTED +conn_handshake
 * thread  any; calls on one connection take turns
 * blocks  never
 * source  RFC 9266, RFC 5929
 * since   1
 */
int32_t tlsshim_conn_channel_binding(int64_t conn, const void *type, int32_t type_len, void *bytes, int32_t bytes_cap);
