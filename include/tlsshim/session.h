/* Sessions: what lets a client come back without a full handshake. */

/* t answers session_text, n session_number. */
enum tlsshim_session_group {
    TLSSHIM_SESSION_CREATED = 1,         /* n: of the full handshake, seconds since 1970 */
    TLSSHIM_SESSION_LIFETIME = 2,        /* n: seconds from then */
    TLSSHIM_SESSION_VERSION = 3,         /* n: a tlsshim_tls_group value */
    TLSSHIM_SESSION_USABLE = 4,          /* n: 1 = can be offered now */
    TLSSHIM_SESSION_HAS_TICKET = 5,      /* n */
    TLSSHIM_SESSION_TICKET_LIFETIME = 6, /* n: the server's hint, seconds */
    TLSSHIM_SESSION_ID = 7,              /* t: hex */
    TLSSHIM_SESSION_PEER_NAME = 8,       /* t */
    TLSSHIM_SESSION_ALPN = 9             /* t */
};

/* Turns a session into bytes that any process may load later. They are a secret: who has them can pose as the client
 * towards that server, and read what a resumed connection without a fresh key exchange says.
 *
 * session handle session
 * bytes   out secret, whole
 * return  length
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  i2d_SSL_SESSION(3)
 * since   1
 */
int32_t tlsshim_session_export(int64_t session, void *bytes, int32_t bytes_cap);

/* Makes a session from exported bytes. Damage is noticed; what they say is only used under the rules that the
 * session was made under.
 *
 * bytes   in secret, up to 1048576
 * return  handle session
 * errors  E_ARGUMENT E_LIMIT E_FORMAT
 * thread  any
 * blocks  never
 * source  d2i_SSL_SESSION(3)
 * since   1
 */
int64_t tlsshim_session_load(const void *bytes, int32_t bytes_len);

/* Gives a number of the session.
 *
 * session handle session
 * field   one of session
 * n       output
 * return  ok; NONE for a field that is no number
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_session_number(int64_t session, int32_t field, int64_t *n);

/* Gives a text of the session.
 *
 * session handle session
 * field   one of session
 * text    out text, whole
 * return  length; NONE where there is none, or it is no text
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_session_text(int64_t session, int32_t field, void *text, int32_t text_cap);
