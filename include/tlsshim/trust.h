/* Trust: anchors and revocation lists, and the judgement that rests on them. */

enum tlsshim_trust_group {
    TLSSHIM_TRUST_ANCHORS = 1, /* n */
    TLSSHIM_TRUST_CAS = 2,     /* n: the anchors that are CAs */
    TLSSHIM_TRUST_CRLS = 3     /* n */
};

enum tlsshim_verify_group {
    TLSSHIM_VERIFY_STRICT = 1,        /* what RFC 5280 demands and many leave out */
    TLSSHIM_VERIFY_PARTIAL_CHAIN = 2, /* an anchor need not be self-signed */
    TLSSHIM_VERIFY_CRL_LEAF = 4,      /* the leaf must be on no CRL, and there must be one */
    TLSSHIM_VERIFY_CRL_CHAIN = 8,     /* the same for all but the anchor */
    TLSSHIM_VERIFY_CRL_SOFT = 16      /* with either: a missing or outdated CRL is let pass */
};

/* Makes an empty set.
 *
 * return  handle trust
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_trust_new(void);

/* Adds anchors and CRLs: PEM (one or many) or DER (one).
 *
 * A certificate that is not signed by itself helps to build chains, and signs CRLs for others where they say so; it is
 * an anchor under PARTIAL_CHAIN only.
 *
 * trust   handle trust
 * data    in bytes, up to 67108864
 * return  count; of those that were new
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_EMPTY E_FROZEN
 * thread  any
 * blocks  cpu
 * source  RFC 5280, RFC 7468
 * since   1
 */
int32_t tlsshim_trust_add(int64_t trust, const void *data, int32_t data_len);

/* Adds anchors and CRLs from a file, or from each file of a directory that holds any.
 *
 * trust   handle trust
 * path    in path, up to 4095
 * return  count; of those that were new
 * errors  +trust_add E_SYSTEM
 * thread  any
 * blocks  files
 * source  RFC 5280, RFC 7468
 * since   1
 */
int32_t tlsshim_trust_add_file(int64_t trust, const void *path, int32_t path_len);

/* Adds the anchors that the system trusts: SSL_CERT_FILE and SSL_CERT_DIR, else the usual places.
 *
 * They are read once in a process and shared; version(SYSTEM_TRUST) tells the path.
 *
 * trust   handle trust
 * return  count; of the system's anchors
 * errors  E_EMPTY E_FROZEN
 * thread  any
 * blocks  files
 * source  X509_get_default_cert_file(3)
 * since   1
 */
int32_t tlsshim_trust_add_system(int64_t trust);

/* Adds the certificates of a handle as anchors.
 *
 * trust   handle trust
 * cert    handle cert
 * return  count; of those that were new
 * errors  E_FROZEN
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_trust_add_cert(int64_t trust, int64_t cert);

/* Counts what a set holds.
 *
 * trust   handle trust
 * field   one of trust
 * return  count
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_trust_count(int64_t trust, int32_t field);

/* Gives an anchor.
 *
 * trust   handle trust
 * index   number; from 0
 * return  handle cert; NONE past the end
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_trust_at(int64_t trust, int32_t index);

/* Judges a chain just as a handshake does; the error says which certificate, which rule, and what would mend it.
 *
 * trust   handle trust
 * chain   handle cert
 * purpose one of usage, or 0 = any
 * name    in text, up to 1024; empty = the chain alone is judged
 * at_time number; seconds since 1970, taken as it is, or INT64_MIN = now
 * verify_flags any of verify
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_EMPTY E_VERIFY E_NAME E_EXPIRED E_REVOKED E_WEAK
 * thread  any
 * blocks  cpu
 * source  X509_verify_cert(3), RFC 5280, RFC 9525
 * since   1
 */
int32_t tlsshim_trust_verify(int64_t trust, int64_t chain, int32_t purpose, const void *name, int32_t name_len,
                             int64_t at_time, int32_t verify_flags);
