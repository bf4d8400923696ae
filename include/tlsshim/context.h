/* Contexts: what an endpoint is and demands. Changed until the first connection, then frozen. */

enum tlsshim_role_group {
    TLSSHIM_ROLE_CLIENT = 1, /* connects */
    TLSSHIM_ROLE_SERVER = 2  /* accepts */
};

enum tlsshim_client_certificate_group {
    TLSSHIM_CLIENT_CERTIFICATE_NONE = 1,    /* not asked for */
    TLSSHIM_CLIENT_CERTIFICATE_REQUEST = 2, /* asked for; one that comes must verify */
    TLSSHIM_CLIENT_CERTIFICATE_REQUIRE = 3  /* no handshake without */
};

enum tlsshim_pin_group {
    TLSSHIM_PIN_AND = 1,    /* beside the chain */
    TLSSHIM_PIN_INSTEAD = 2 /* in place of the chain */
};

/* What a client wants to hear about the revocation of its server's certificate. */
enum tlsshim_staple_group {
    TLSSHIM_STAPLE_OFF = 1,    /* nothing is asked for */
    TLSSHIM_STAPLE_ASK = 2,    /* asked for; what comes must be good; must come if the certificate says must-staple */
    TLSSHIM_STAPLE_REQUIRE = 3 /* no full handshake without a good one */
};

/* Protocol versions as on the wire. */
enum tlsshim_tls_group {
    TLSSHIM_TLS_1_0 = 0x0301,
    TLSSHIM_TLS_1_1 = 0x0302,
    TLSSHIM_TLS_1_2 = 0x0303,
    TLSSHIM_TLS_1_3 = 0x0304
};

/* What happens to buffers that are empty. */
enum tlsshim_policy_group {
    TLSSHIM_POLICY_IDLE_SMALL = 1, /* given back: many idle connections cost little */
    TLSSHIM_POLICY_BUSY_FAST = 2   /* kept: a busy connection allocates nothing */
};

/* What a context bounds, in bytes; see context_set_limit. */
enum tlsshim_limit_group {
    TLSSHIM_LIMIT_SEND_FRAGMENT = 1, /* plaintext of a record that is sent: 512..16384 */
    TLSSHIM_LIMIT_PEER_CHAIN = 2,    /* the message with the peer's certificates: 1024..16777216 */
    TLSSHIM_LIMIT_INPUT = 3,         /* fed and not yet read: 65536..16777216 */
    TLSSHIM_LIMIT_OUTPUT = 4         /* written and not yet sealed, or not yet drained: 65536..16777216 */
};

/* Judgements that are made and told, but do not refuse the peer. A mask. */
enum tlsshim_insecure_group {
    TLSSHIM_INSECURE_CHAIN = 1,
    TLSSHIM_INSECURE_NAME = 2,
    TLSSHIM_INSECURE_TIME = 4,
    TLSSHIM_INSECURE_PURPOSE = 8,
    TLSSHIM_INSECURE_LEGACY = 16 /* old versions, weak keys and signatures may be allowed */
};

/* What a context holds; n answers context_number, t answers context_text. */
enum tlsshim_context_group {
    TLSSHIM_CONTEXT_ROLE = 1,               /* n */
    TLSSHIM_CONTEXT_FROZEN = 2,             /* n: 0/1 */
    TLSSHIM_CONTEXT_VERSION_MIN = 3,        /* n: a tlsshim_tls_group value */
    TLSSHIM_CONTEXT_VERSION_MAX = 4,        /* n */
    TLSSHIM_CONTEXT_CIPHERS = 5,            /* t: TLS 1.2, by preference */
    TLSSHIM_CONTEXT_CIPHERSUITES = 6,       /* t: TLS 1.3, by preference */
    TLSSHIM_CONTEXT_GROUPS = 7,             /* t */
    TLSSHIM_CONTEXT_SIGNATURES = 8,         /* t: the schemes accepted from a peer */
    TLSSHIM_CONTEXT_CLIENT_CERTIFICATE = 9, /* n */
    TLSSHIM_CONTEXT_VERIFY_FLAGS = 10,      /* n */
    TLSSHIM_CONTEXT_VERIFY_DEPTH = 11,      /* n */
    TLSSHIM_CONTEXT_SECURITY_LEVEL = 12,    /* n */
    TLSSHIM_CONTEXT_TICKETS = 13,           /* n */
    TLSSHIM_CONTEXT_SESSION_CACHE = 14,     /* n: entries, 0 = off */
    TLSSHIM_CONTEXT_SESSION_LIFETIME = 15,  /* n: seconds */
    TLSSHIM_CONTEXT_HANDSHAKE_TIMEOUT = 16, /* n: milliseconds */
    TLSSHIM_CONTEXT_MEMORY = 17,            /* n: a tlsshim_policy_group value */
    TLSSHIM_CONTEXT_HANDSHAKES = 64,        /* n: full handshakes completed */
    TLSSHIM_CONTEXT_RESUMPTIONS = 65,       /* n: resumed handshakes completed */
    TLSSHIM_CONTEXT_CACHE_HITS = 66,        /* n: sessions found and offered (client) or taken up (server) */
    TLSSHIM_CONTEXT_CACHE_MISSES = 67,      /* n: sessions looked for in vain; why: */
    TLSSHIM_CONTEXT_CACHE_ENTRIES = 68,     /* n: now */
    TLSSHIM_CONTEXT_MISS_UNKNOWN = 69,      /* n: not in the cache, or sealed with no key of ours */
    TLSSHIM_CONTEXT_MISS_EXPIRED = 70,      /* n: past its time */
    TLSSHIM_CONTEXT_MISS_RULES = 71,        /* n: made under other rules */
    TLSSHIM_CONTEXT_MISS_DAMAGED = 72       /* n: sealed with a key of ours, and altered */
};

/* Makes a context with safe defaults: TLS 1.2 and 1.3, forward secrecy and AEAD only, verification on.
 *
 * role    one of role
 * return  handle context
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  SSL_CTX_new_ex(3)
 * since   1
 */
int64_t tlsshim_context_new(int32_t role);

/* Says whom to trust. A client without a trust set uses the system's anchors; a server needs one to ask for
 * client certificates. The set freezes with the context's first connection.
 *
 * context handle context
 * trust   handle trust
 * return  ok
 * errors  E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_set_trust(int64_t context, int64_t trust);

/* Adds a certificate with its key. A server picks by the client's server name: an exact pattern beats a wildcard
 * ("*.example.com"), a wildcard beats the default entry (empty pattern). Several identities with different key types
 * may share a pattern; the same type again replaces. A client has one entry, with an empty pattern.
 *
 * context handle context
 * identity handle identity
 * pattern in text, up to 255; empty = default
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_MISMATCH E_UNSUPPORTED E_WEAK
 * thread  any
 * blocks  never
 * source  RFC 6066 section 3
 * since   1
 */
int32_t tlsshim_context_add_identity(int64_t context, int64_t identity, const void *pattern, int32_t pattern_len);

/* Says whether a server asks its clients for a certificate. Default NONE.
 *
 * context handle context; of a server
 * mode    one of client_certificate
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_STATE
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_verify(3)
 * since   1
 */
int32_t tlsshim_context_set_client_certificate(int64_t context, int32_t mode);

/* Provides for certificates that are asked for after the handshake (TLS 1.3). A client offers to show its identity
 * then, and does so by itself whenever it reads; a server, which needs a trust set, may call conn_request_certificate.
 * Default 0.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  RFC 8446 section 4.2.6, SSL_CTX_set_post_handshake_auth(3)
 * since   1
 */
int32_t tlsshim_context_set_post_handshake(int64_t context, int32_t on);

/* Says how strictly a chain is judged. Default 0.
 *
 * context handle context
 * mask    any of verify
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  X509_VERIFY_PARAM_set_flags(3)
 * since   1
 */
int32_t tlsshim_context_set_verify_flags(int64_t context, int32_t mask);

/* Limits the intermediates between the peer's certificate and an anchor. Default 100.
 *
 * context handle context
 * depth   number; 0..100
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  X509_VERIFY_PARAM_set_depth(3)
 * since   1
 */
int32_t tlsshim_context_set_verify_depth(int64_t context, int32_t depth);

/* Lets peers pass whose chain does not verify. The judgement is still made and readable. Anybody can stand in
 * between.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_insecure_skip_chain(int64_t context, int32_t on);

/* Lets peers pass whose certificate is for other names; a client then also connects without a name to check.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_insecure_skip_name(int64_t context, int32_t on);

/* Lets peers pass whose chain is expired or not yet valid.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_insecure_skip_time(int64_t context, int32_t on);

/* Lets peers pass whose certificate is not made for their role.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_insecure_skip_purpose(int64_t context, int32_t on);

/* Allows what is broken: TLS 1.0 and 1.1, signatures over SHA-1 and MD5, security levels 0 and 1, each of which is then
 * still to be asked for by its own setter. While something of it is set, it cannot be switched off again: E_WEAK names
 * what it is. Connections tell it as INSECURE_LEGACY, and their chains are not remembered (context_set_chain_cache).
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_WEAK
 * thread  any
 * blocks  never
 * source  RFC 8996, RFC 9155
 * since   1
 */
int32_t tlsshim_context_insecure_legacy(int64_t context, int32_t on);

/* Adds a pin: the SHA-256 of the SubjectPublicKeyInfo of a certificate (CERT_SPKI_SHA256). AND: beside a good chain,
 * some certificate of it must have a pinned key. INSTEAD: the peer's own key must be pinned, and its chain, times and
 * purpose are then not asked for; its name still is.
 *
 * context handle context
 * spki_sha256 in bytes, up to 32; 32 bytes
 * mode    one of pin
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN
 * thread  any
 * blocks  never
 * source  RFC 7469 section 2.4
 * since   1
 */
int32_t tlsshim_context_add_pin(int64_t context, const void *spki_sha256, int32_t spki_sha256_len, int32_t mode);

/* Gives the OCSP answer (DER) that a server staples to the certificate of one of its identities, in place of the one
 * before. Callable on a live context: the next handshake shows it. It is shown only to clients that ask, with that very
 * certificate, and only within its time; copies of the context share it, and a context that is replaced takes over its
 * successor's where they are newer.
 *
 * An answer that clients would refuse is refused here, and the one before stays: damaged (E_FORMAT), about another
 * certificate or by nobody who may answer for it (E_MISMATCH; by whom is judged where the identity's chain holds the
 * issuer), expired or not valid yet (E_EXPIRED), or that the certificate was revoked (E_REVOKED: replace it).
 *
 * context handle context; of a server
 * identity handle identity; one of the context's
 * ocsp    in bytes, up to 16380; empty = none
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_STATE E_FORMAT E_MISMATCH E_EXPIRED E_REVOKED
 * thread  any
 * blocks  cpu
 * source  RFC 6066 section 8, RFC 8446 section 4.4.2.1
 * since   1
 */
int32_t tlsshim_context_set_staple(int64_t context, int64_t identity, const void *ocsp, int32_t ocsp_len);

/* Says whether a client asks its server for an OCSP answer beside the certificate, and what it makes of it. Default
 * OFF.
 *
 * The answer is judged within each full handshake, never remembered: a revoked certificate is E_REVOKED; an answer that
 * is damaged, outdated, about another certificate, by the wrong signer, or not there though it must be, is E_STAPLE.
 * The issuer signs it, or one whom the issuer certified for that. insecure_skip_chain lets all of them pass but
 * E_REVOKED, insecure_skip_time those that are out of date. Resumed handshakes carry none: such a session ends with the
 * answer it rests on.
 *
 * context handle context; of a client
 * mode    one of staple
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_STATE
 * thread  any
 * blocks  never
 * source  RFC 6066 section 8, RFC 6960, RFC 7633
 * since   1
 */
int32_t tlsshim_context_set_staple_mode(int64_t context, int32_t mode);

/* Says how long a chain that was found good is not judged again when the very same certificates come under the very
 * same rules. Name, pins, times and stapled answers are judged each time. Default 300, 0 = off.
 *
 * context handle context
 * seconds seconds; 0..300
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_set_chain_cache(int64_t context, int64_t seconds);

/* Adds a key that the other end knows too, under an identity: it proves both ends to each other, without certificates,
 * and with forward secrecy (psk_dhe_ke in TLS 1.3, with SHA-256; ECDHE-PSK and DHE-PSK with AEAD in TLS 1.2, whose
 * ciphers go before those of the context). A server holds up to 65536 and needs no certificate then; a client has one.
 * The same identity again replaces its key. Connections tell the identity as CONN_PSK_IDENTITY; a server gives no TLS
 * 1.3 tickets after a key.
 *
 * A server that chooses a certificate all the same must pass the usual judgement, so a client still needs a name, and
 * trusts the system's anchors or none. Who proves a key is asked for no certificate (RFC 8446 section 4.3.2): a server
 * with keys that also requires certificates is E_MISMATCH when it begins to serve.
 *
 * context handle context
 * identity in text, up to 128; not secret: it is sent in the clear
 * key     in secret, up to 256; at least 16 random bytes, never a password
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN
 * thread  any
 * blocks  never
 * source  RFC 8446 section 4.2.11, RFC 4279, RFC 9257
 * since   1
 */
int32_t tlsshim_context_add_psk(int64_t context, const void *identity, int32_t identity_len, const void *key,
                                int32_t key_len);

/* Sets the protocols that this end speaks, by preference; the server's preference decides.
 *
 * context handle context
 * wire    in bytes, up to 65535; see alpn_encode; empty = none
 * mode    one of alpn
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT
 * thread  any
 * blocks  never
 * source  RFC 7301
 * since   1
 */
int32_t tlsshim_context_set_alpn(int64_t context, const void *wire, int32_t wire_len, int32_t mode);

/* Sets all that is offered at once, as in a new context or stricter: "intermediate" (the default) is TLS 1.2 and 1.3,
 * "modern" is TLS 1.3 only; both with forward secrecy and AEAD only. It replaces the versions, ciphers, suites, groups
 * and both lists of signature schemes, and raises a security level below 2 to 2; what is set afterwards goes beyond it.
 *
 * context handle context
 * name    in text, up to 32; "modern" or "intermediate"
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_WEAK
 * thread  any
 * blocks  never
 * source  RFC 9325
 * since   1
 */
int32_t tlsshim_context_set_profile(int64_t context, const void *name, int32_t name_len);

/* Limits the protocol versions. Default TLS 1.2 to 1.3. Lower ones are E_WEAK unless context_insecure_legacy is on;
 * they also need security level 0 and a cipher that they know, which is checked when the context begins to serve.
 *
 * context handle context
 * min     one of tls, or 0 for the default
 * max     one of tls, or 0 for the default
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_WEAK
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_min_proto_version(3)
 * since   1
 */
int32_t tlsshim_context_set_versions(int64_t context, int32_t min, int32_t max);

/* Sets the ciphers for TLS 1.2 in OpenSSL's names, such as "ECDHE-RSA-AES128-GCM-SHA256", joined by colons.
 *
 * context handle context
 * tls12   in text, up to 4096
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT E_WEAK
 * thread  any
 * blocks  never
 * source  openssl-ciphers(1)
 * since   1
 */
int32_t tlsshim_context_set_ciphers(int64_t context, const void *tls12, int32_t tls12_len);

/* Sets the cipher suites for TLS 1.3, such as "TLS_AES_128_GCM_SHA256", joined by colons.
 *
 * context handle context
 * tls13   in text, up to 4096
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_ciphersuites(3)
 * since   1
 */
int32_t tlsshim_context_set_ciphersuites(int64_t context, const void *tls13, int32_t tls13_len);

/* Sets the groups for key exchange, by preference, such as "X25519:P-256"; one written "?name" is skipped where the
 * backend lacks it.
 *
 * context handle context
 * list    in text, up to 4096
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT
 * thread  any
 * blocks  never
 * source  SSL_CTX_set1_groups_list(3)
 * since   1
 */
int32_t tlsshim_context_set_groups(int64_t context, const void *list, int32_t list_len);

/* Sets the signature schemes that are accepted from the peer in the handshake, and those that this end signs with, by
 * preference. A scheme is written as in TLS 1.3, "ecdsa_secp256r1_sha256", or as a pair, "ECDSA+SHA256".
 * An empty list stands for the default. What rests on SHA-1 or MD5 is E_WEAK unless context_insecure_legacy is on.
 *
 * context handle context
 * accepted in text, up to 4096
 * own     in text, up to 4096
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN E_FORMAT E_WEAK
 * thread  any
 * blocks  never
 * source  SSL_CTX_set1_sigalgs_list(3), RFC 8446 section 4.2.3
 * since   1
 */
int32_t tlsshim_context_set_signature_algorithms(int64_t context, const void *accepted, int32_t accepted_len,
                                                 const void *own, int32_t own_len);

/* Says whether the server's order of ciphers, suites and groups decides (1, the default) or the client's (0).
 * Under the server's, a client whose own first is ChaCha20, for want of AES instructions, still gets that.
 *
 * context handle context; of a server
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_STATE
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_options(3)
 * since   1
 */
int32_t tlsshim_context_set_server_preference(int64_t context, int32_t on);

/* Sets the least strength of keys, signatures, ciphers and groups, own and the peer's: levels 2 to 5 ask for 112, 128,
 * 192 and 256 bits (RSA of 2048, 3072, 7680, 15360; curves of 224, 256, 384, 512). Default 2. Lower ones let keys pass
 * that can be broken (1: RSA of 1024 bits; 0: anything) and are E_WEAK unless context_insecure_legacy is on. An
 * identity that the context already has and that falls short is E_WEAK too, naming it.
 *
 * context handle context
 * level   number; 0..5
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_WEAK
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_security_level(3)
 * since   1
 */
int32_t tlsshim_context_set_security_level(int64_t context, int32_t level);

/* Says how many tickets a server gives after a full TLS 1.3 handshake; one after a resumed one. They go out with the
 * first bytes that the server writes. 0 = no tickets in any version. Default 2.
 *
 * context handle context; of a server
 * count   number; 0..16
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_STATE
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_num_tickets(3)
 * since   1
 */
int32_t tlsshim_context_set_tickets(int64_t context, int32_t count);

/* Keeps sessions in memory. A client files them under the peer's name (see conn_set_session_key) and offers them by
 * itself, each ticket of TLS 1.3 once. A server keeps its sessions here instead of inside tickets: they then resume in
 * this process only. The least recently used goes first.
 *
 * A client's default is 0. A server's is 0 too, but 20480 if it asks for client certificates and was given no ticket
 * keys, since tickets that carry certificates cost more than they save.
 *
 * context handle context
 * entries number; 0..10000000; 0 = off
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_session_cache_mode(3)
 * since   1
 */
int32_t tlsshim_context_set_session_cache(int64_t context, int32_t entries);

/* Gives the keys that a server seals its tickets with: the first seals, all open. Callable on a live context: tickets
 * under keys that are gone lead to full handshakes. Automatic keys are made and rotated where none are given.
 *
 * context handle context; of a server
 * keys    in secret, up to 1280; 80 bytes each, see ticket.h
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_STATE
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_tlsext_ticket_key_evp_cb(3)
 * since   1
 */
int32_t tlsshim_context_set_ticket_keys(int64_t context, const void *keys, int32_t keys_len);

/* Sets how often the automatic ticket keys change; the one before still opens. Callable on a live context.
 * Default 7200.
 *
 * context handle context; of a server
 * period  seconds; 60..604800
 * return  ok
 * errors  E_ARGUMENT E_STATE
 * thread  any
 * blocks  never
 * source  RFC 5077 section 5.5
 * since   1
 */
int32_t tlsshim_context_set_ticket_rotation(int64_t context, int64_t period);

/* Early data (0-RTT) can be replayed by anybody on the path, so it is never on; asking for it says so.
 *
 * context handle context
 * on      number; 0 or 1
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_UNSUPPORTED
 * thread  any
 * blocks  never
 * source  RFC 8446 section 8
 * since   1
 */
int32_t tlsshim_context_set_early_data(int64_t context, int32_t on);

/* Says how long after its full handshake a session may be resumed. Default 7200.
 *
 * context handle context
 * lifetime seconds; 1..604800
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_timeout(3)
 * since   1
 */
int32_t tlsshim_context_set_session_lifetime(int64_t context, int64_t lifetime);

/* Says which decisions are left to the host (event.h). A server whose identity is chosen in HELLO or CERTIFICATE needs
 * none in its table; a key that is elsewhere (key_external) needs SIGN. Default 0.
 *
 * context handle context
 * mask    any of event; HELLO of a server alone, SESSION of a client alone
 * return  ok
 * errors  E_ARGUMENT E_FROZEN E_STATE
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_set_events(int64_t context, int32_t mask);

/* Sets what happens to buffers that are empty. Default IDLE_SMALL.
 *
 * context handle context
 * policy  one of policy
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_mode(3)
 * since   1
 */
int32_t tlsshim_context_set_memory(int64_t context, int32_t policy);

/* Limits the time from a connection's first step to its complete handshake. Default 30,000.
 *
 * context handle context
 * ms      duration ms; 1..3600000
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_set_handshake_timeout(int64_t context, int64_t ms);

/* Appends the secrets of every connection of the context to a file, one line each, in the format that Wireshark reads
 * (tls.keylog_file). Whoever has the file can read that traffic: it is made for its owner alone, and only on this call;
 * no environment variable switches it on. A copy of the context goes on with it, and processes may share it. A line
 * that the disk does not take is lost. Must be a regular file; empty = off.
 *
 * context handle context
 * path    in path, up to 4095
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_FROZEN
 * thread  any
 * blocks  files
 * source  SSL_CTX_set_keylog_callback(3)
 * since   1
 */
int32_t tlsshim_context_set_keylog_file(int64_t context, const void *path, int32_t path_len);

/* Bounds what a connection takes and sends. Defaults: SEND_FRAGMENT 16384 (smaller ones reach slow peers sooner, and
 * fit those that hold little), PEER_CHAIN 262144, INPUT 131072, OUTPUT 65536.
 *
 * context handle context
 * limit   one of limit
 * n       number; bytes, within the limit's own range
 * return  ok
 * errors  E_ARGUMENT E_FROZEN
 * thread  any
 * blocks  never
 * source  SSL_CTX_set_max_send_fragment(3), SSL_CTX_set_max_cert_list(3)
 * since   1
 */
int32_t tlsshim_context_set_limit(int64_t context, int32_t limit, int64_t n);

/* Replaces the whole configuration of a context that serves: later connections take the successor's, earlier ones
 * keep theirs; session cache and ticket keys stay. A successor that cannot serve changes nothing. Later changes of
 * the successor have no effect here.
 *
 * context handle context
 * successor handle context
 * return  ok
 * errors  E_EMPTY E_WEAK E_FORMAT E_MISMATCH E_STATE
 * thread  any
 * blocks  files; once, for a client that trusts the system's anchors
 * source  -
 * since   1
 */
int32_t tlsshim_context_replace(int64_t context, int64_t successor);

/* Gives a text of the context.
 *
 * context handle context
 * field   one of context
 * text    out text, whole
 * return  length; NONE for a field that is no text
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_text(int64_t context, int32_t field, void *text, int32_t text_cap);

/* Gives a number of the context.
 *
 * context handle context
 * field   one of context
 * n       output
 * return  ok; NONE for a field that is no number
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_context_number(int64_t context, int32_t field, int64_t *n);

/* Describes a cipher, called by its IANA name, OpenSSL's, or its number: "TLS_AES_128_GCM_SHA256",
 * "ECDHE-RSA-AES128-GCM-SHA256", "0xc02f". The answer is one line:
 * "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (ECDHE-RSA-AES128-GCM-SHA256, 0xc02f): TLSv1.2, key exchange ECDHE,
 * authentication RSA, encryption aes-128-gcm, MAC AEAD, 128 bits"; the version is the first that has the cipher.
 *
 * name    in text, up to 128
 * text    out text, whole
 * return  length; NONE for a cipher that the backend does not know
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  SSL_CIPHER_description(3)
 * since   1
 */
int32_t tlsshim_cipher_text(const void *name, int32_t name_len, void *text, int32_t text_cap);
