/* The ground: results, error texts, handles, versions, features, constants by name. */

enum tlsshim_result_group {
    TLSSHIM_OK = 0,
    TLSSHIM_WANT_FEED = -1,          /* give the peer's bytes: conn_feed, or conn_feed_end */
    TLSSHIM_WANT_DRAIN = -2,         /* take bytes for the peer: conn_drain */
    TLSSHIM_WANT_EVENT = -3,         /* answer the pending event, then repeat the call */
    TLSSHIM_WANT_READ = -4,          /* repeat when the descriptor is readable */
    TLSSHIM_WANT_WRITE = -5,         /* repeat when the descriptor is writable */
    TLSSHIM_TIMEOUT = -6,            /* the time given ran out; nothing is lost, repeat to go on */
    TLSSHIM_WOKEN = -7,              /* a wait was cut short; repeat with the rest of the time */
    TLSSHIM_NONE = -8,               /* there is no such value; outputs are untouched */
    TLSSHIM_E_HANDLE = -16,          /* not an open handle of the wanted kind */
    TLSSHIM_E_ARGUMENT = -17,        /* an argument is out of its range */
    TLSSHIM_E_STATE = -18,           /* not possible in this state */
    TLSSHIM_E_FROZEN = -19,          /* in use, and so no longer changeable */
    TLSSHIM_E_FORKED = -20,          /* belongs to the process before the fork */
    TLSSHIM_E_UNSUPPORTED = -21,     /* not in this build, backend or machine */
    TLSSHIM_E_LIMIT = -22,           /* past a stated limit */
    TLSSHIM_E_MEMORY = -48,          /* out of memory */
    TLSSHIM_E_SYSTEM = -49,          /* a system call failed: error_number(r, TLSSHIM_ERROR_ERRNO) */
    TLSSHIM_E_INTERNAL = -50,        /* a defect in tlsshim or the backend */
    TLSSHIM_E_RESOLVE = -64,         /* the host name does not resolve */
    TLSSHIM_E_CONNECT = -65,         /* no connection could be made */
    TLSSHIM_E_RESET = -66,           /* the transport broke */
    TLSSHIM_E_TRUNCATED = -67,       /* the transport ended without the peer's goodbye */
    TLSSHIM_E_CLOSED = -68,          /* closed by another thread while this call was inside */
    TLSSHIM_E_DEADLINE = -69,        /* the handshake's time ran out */
    TLSSHIM_E_CANCELLED = -70,       /* the queued operation was cancelled */
    TLSSHIM_E_FORMAT = -96,          /* the data is not what it should be */
    TLSSHIM_E_PASSPHRASE = -97,      /* missing or wrong passphrase */
    TLSSHIM_E_MISMATCH = -98,        /* two things that should belong together do not */
    TLSSHIM_E_WEAK = -99,            /* below the security level */
    TLSSHIM_E_EMPTY = -100,          /* no certificate, key or anchor where one is needed */
    TLSSHIM_E_PROTOCOL = -128,       /* the peer broke the protocol */
    TLSSHIM_E_NOT_TLS = -129,        /* the peer speaks something else; the text says what */
    TLSSHIM_E_ALERT = -130,          /* the peer sent a fatal alert */
    TLSSHIM_E_REJECTED = -131,       /* the peer refused our certificate */
    TLSSHIM_E_VERIFY = -132,         /* the peer's chain does not verify */
    TLSSHIM_E_NAME = -133,           /* the peer's certificate is for other names */
    TLSSHIM_E_EXPIRED = -134,        /* expired or not yet valid */
    TLSSHIM_E_REVOKED = -135,        /* revoked */
    TLSSHIM_E_PIN = -136,            /* none of the pins matches */
    TLSSHIM_E_NO_CERTIFICATE = -137, /* the peer gave no certificate where one is required */
    TLSSHIM_E_ALPN = -138,           /* no application protocol in common */
    TLSSHIM_E_STAPLE = -139,         /* the stapled OCSP answer is missing or bad */
    TLSSHIM_E_VERDICT = -140,        /* the host itself refused the peer */
    TLSSHIM_E_NEGOTIATION = -141     /* no version, cipher, group or signature scheme in common */
};

enum tlsshim_kind_group {
    TLSSHIM_KIND_KEY = 1,
    TLSSHIM_KIND_CERT = 2,
    TLSSHIM_KIND_TEMPLATE = 3,
    TLSSHIM_KIND_IDENTITY = 4,
    TLSSHIM_KIND_TRUST = 5,
    TLSSHIM_KIND_CONTEXT = 6,
    TLSSHIM_KIND_CONN = 7,
    TLSSHIM_KIND_SESSION = 8,
    TLSSHIM_KIND_STREAM = 9,
    TLSSHIM_KIND_LISTENER = 10,
    TLSSHIM_KIND_POLLER = 11,
    TLSSHIM_KIND_QUEUE = 12,
    TLSSHIM_KIND_POOL = 13,
    TLSSHIM_KIND_H2 = 14,
    TLSSHIM_KIND_MOCK = 15
};

enum tlsshim_version_group {
    TLSSHIM_VERSION_SHIM = 1,        /* tlsshim itself */
    TLSSHIM_VERSION_BUILT_WITH = 2,  /* the backend's headers at build time */
    TLSSHIM_VERSION_LOADED = 3,      /* the backend in this process */
    TLSSHIM_VERSION_SYSTEM_TRUST = 4 /* the path that the system's anchors come from */
};

enum tlsshim_side_group {
    TLSSHIM_SIDE_LOCAL = 1,     /* this end decided */
    TLSSHIM_SIDE_PEER = 2,      /* the other end decided or broke a rule */
    TLSSHIM_SIDE_TRANSPORT = 3, /* what lies between */
    TLSSHIM_SIDE_SYSTEM = 4     /* this machine */
};

/* What an error record holds; n answers error_number, t answers error_part. */
enum tlsshim_error_group {
    TLSSHIM_ERROR_VERIFY_CODE = 1,  /* nt: X509_V_ERR_ number and its text */
    TLSSHIM_ERROR_DEPTH = 2,        /* n: of the certificate at fault, 0 = the peer's own */
    TLSSHIM_ERROR_ALERT = 3,        /* nt: TLS alert number and name */
    TLSSHIM_ERROR_ERRNO = 4,        /* nt */
    TLSSHIM_ERROR_REASON = 5,       /* nt: the backend's reason, such as "WRONG_VERSION_NUMBER" */
    TLSSHIM_ERROR_LIBRARY = 6,      /* t: the backend's part that reported it */
    TLSSHIM_ERROR_SIDE = 7,         /* n: a tlsshim_side_group value */
    TLSSHIM_ERROR_SUBJECT = 8,      /* t: of the certificate at fault */
    TLSSHIM_ERROR_ISSUER = 9,       /* t */
    TLSSHIM_ERROR_WANTED_NAME = 10, /* t: the name that was looked for */
    TLSSHIM_ERROR_NAMES = 11        /* t: the names that were there */
};

/* Tells the number of this ABI: a binding made for another number must not go on.
 *
 * return  number; 1
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_abi_version(void);

/* Tells a version as text: "0.1.0", "OpenSSL 3.0.22 25 Aug 2026", or the path of the system's anchors (file, folder, or
 * file:folder).
 *
 * field   one of version
 * text    out text, whole
 * return  length; NONE where the system has no anchors
 * errors  E_ARGUMENT
 * thread  any
 * blocks  files
 * source  OpenSSL_version(3)
 * since   1
 */
int32_t tlsshim_version(int32_t field, void *text, int32_t text_cap);

/* Tells whether this build and backend have a feature: "tls", "legacy", "h2", "ktls", "sendfile".
 *
 * feature in text, up to 64
 * return  0/1; an unknown feature is 0
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_has(const void *feature, int32_t feature_len);

/* Gives the value of any constant of this header by its full name, such as "TLSSHIM_E_NAME".
 *
 * name    in text, up to 64
 * value   output
 * return  ok; NONE where there is no such constant
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_constant(const void *name, int32_t name_len, int64_t *value);

/* Fills a buffer with bytes from the backend's random generator, fit for keys.
 *
 * bytes   out secret, fill; capacity 1..
 * return  count; all of the capacity
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RAND_bytes_ex(3)
 * since   1
 */
int32_t tlsshim_random(void *bytes, int32_t bytes_cap);

/* Reads an openssl.cnf for tlsshim's own library context (providers, FIPS, policy), never the host's.
 *
 * Must come before anything else that needs the backend; the machine's default file is never read for it.
 *
 * path    in path, up to 4095
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT E_SYSTEM
 * thread  any
 * blocks  files
 * source  OSSL_LIB_CTX_load_config(3)
 * since   1
 */
int32_t tlsshim_library_config(const void *path, int32_t path_len);

/* Gives the bare code of a result: -((-r) & 255) for a negative one, 0 for any other.
 *
 * result  number; any
 * return  one of result
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_error_code(int64_t result);

/* Gives the name of a result's code: "E_NAME", "WANT_FEED", "OK".
 *
 * result  number; any
 * name    out text, whole
 * return  length; NONE where the code is none of ours
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_error_name(int64_t result, void *name, int32_t name_cap);

/* Gives the full sentence of an error: what was wrong with what, and what would mend it.
 *
 * A record that was overwritten by later errors (at least 4,096 are kept) gives its code's general text.
 *
 * result  number; any
 * text    out text, whole
 * return  length; NONE where the code is none of ours
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_error_text(int64_t result, void *text, int32_t text_cap);

/* Gives a number that an error's record holds.
 *
 * result  number; any
 * field   one of error
 * n       output
 * return  ok; NONE where the record holds none, or is no longer kept
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_error_number(int64_t result, int32_t field, int64_t *n);

/* Gives a text that an error's record holds.
 *
 * result  number; any
 * field   one of error
 * text    out text, whole
 * return  length; NONE where the record holds none, or is no longer kept
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_error_part(int64_t result, int32_t field, void *text, int32_t text_cap);

/* Closes any handle: at any moment, from any thread, once; made for finalizers.
 *
 * Nothing is sent and nothing is waited for. Who waits inside is woken with E_CLOSED, who computes inside finishes
 * safely, the last one out frees.
 *
 * handle  handle any
 * return  ok
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_close(int64_t handle);

/* Tells what an open handle names.
 *
 * handle  handle any
 * return  one of kind
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_kind(int64_t handle);

/* Counts the open handles of a kind in this process, for leak tests.
 *
 * kind    one of kind, or 0 for all
 * return  count
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_live(int32_t kind);

/* Estimates the bytes of memory that a handle keeps in use, for collectors that weigh foreign objects.
 *
 * handle  handle any
 * return  count
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_memory(int64_t handle);

/* Makes an unfrozen copy of a context, trust or template; parsed parts, session cache and ticket keys are shared.
 *
 * handle  handle context or trust or template
 * return  handle same
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_copy(int64_t handle);
