/* Certificates: a leaf followed by its chain, read, written and asked. */

/* What a certificate says; n answers cert_number, t answers cert_text. */
enum tlsshim_cert_group {
    TLSSHIM_CERT_SUBJECT = 1,             /* t */
    TLSSHIM_CERT_ISSUER = 2,              /* t */
    TLSSHIM_CERT_COMMON_NAME = 3,         /* t: the subject's last one */
    TLSSHIM_CERT_SERIAL = 4,              /* t: hex */
    TLSSHIM_CERT_FINGERPRINT = 5,         /* t: SHA-256 of the certificate, hex */
    TLSSHIM_CERT_SPKI_SHA256 = 6,         /* t: of the public key, hex; what pins hold */
    TLSSHIM_CERT_KEY_ALGORITHM = 7,       /* t */
    TLSSHIM_CERT_SIGNATURE_ALGORITHM = 8, /* t */
    TLSSHIM_CERT_SUBJECT_KEY_ID = 9,      /* t: hex */
    TLSSHIM_CERT_AUTHORITY_KEY_ID = 10,   /* t: hex */
    TLSSHIM_CERT_FULL = 11,               /* t: everything, for people */
    TLSSHIM_CERT_NOT_BEFORE = 12,         /* nt: seconds since 1970, or ISO 8601 */
    TLSSHIM_CERT_NOT_AFTER = 13,          /* nt */
    TLSSHIM_CERT_IS_CA = 14,              /* n: 0/1 */
    TLSSHIM_CERT_PATH_LENGTH = 15,        /* n */
    TLSSHIM_CERT_VERSION = 16,            /* n: 3 in practice */
    TLSSHIM_CERT_KEY_USAGE = 17,          /* n: key_usage mask; none where all is allowed */
    TLSSHIM_CERT_USAGE = 18,              /* n: usage mask; none where all is allowed */
    TLSSHIM_CERT_KEY_BITS = 19,           /* n */
    TLSSHIM_CERT_SELF_SIGNED = 20,        /* n: 0/1, the signature checked */
    TLSSHIM_CERT_MUST_STAPLE = 21         /* n: 0/1 */
};

enum tlsshim_cert_list_group {
    TLSSHIM_CERT_LIST_SUBJECT = 1, /* attributes in their order; SET counts the sets they stand in */
    TLSSHIM_CERT_LIST_ISSUER = 2,
    TLSSHIM_CERT_LIST_NAMES = 3, /* subject alternative names */
    TLSSHIM_CERT_LIST_USAGES = 4,
    TLSSHIM_CERT_LIST_OCSP_URLS = 5,
    TLSSHIM_CERT_LIST_CA_ISSUER_URLS = 6,
    TLSSHIM_CERT_LIST_CRL_URLS = 7,
    TLSSHIM_CERT_LIST_POLICIES = 8,
    TLSSHIM_CERT_LIST_EXTENSIONS = 9 /* KIND is "critical" for those that are */
};

enum tlsshim_part_group {
    TLSSHIM_PART_VALUE = 1,
    TLSSHIM_PART_KIND = 2, /* "CN", "DNS", "IP", "URI", "EMAIL", "DIRNAME", "RID", "OTHER" */
    TLSSHIM_PART_NAME = 3, /* in full: "commonName", "TLS Web Server Authentication" */
    TLSSHIM_PART_OID = 4,
    TLSSHIM_PART_SET = 5
};

/* What a certificate may be used for; as a purpose one bit, or 0 = any. */
enum tlsshim_usage_group {
    TLSSHIM_USAGE_SERVER = 1,
    TLSSHIM_USAGE_CLIENT = 2,
    TLSSHIM_USAGE_CODE_SIGNING = 4,
    TLSSHIM_USAGE_EMAIL = 8,
    TLSSHIM_USAGE_OCSP = 16,
    TLSSHIM_USAGE_TIMESTAMP = 32
};

enum tlsshim_key_usage_group {
    TLSSHIM_KEY_USAGE_DIGITAL_SIGNATURE = 1,
    TLSSHIM_KEY_USAGE_NON_REPUDIATION = 2,
    TLSSHIM_KEY_USAGE_KEY_ENCIPHERMENT = 4,
    TLSSHIM_KEY_USAGE_DATA_ENCIPHERMENT = 8,
    TLSSHIM_KEY_USAGE_KEY_AGREEMENT = 16,
    TLSSHIM_KEY_USAGE_KEY_CERT_SIGN = 32,
    TLSSHIM_KEY_USAGE_CRL_SIGN = 64,
    TLSSHIM_KEY_USAGE_ENCIPHER_ONLY = 128,
    TLSSHIM_KEY_USAGE_DECIPHER_ONLY = 256
};

/* Reads a certificate with its chain: PEM (one or many) or DER (one).
 *
 * The first certificate that issued none of the others is the leaf; the rest is put in the order in which each
 * issued the one before. One that has no place in that chain is E_MISMATCH, and the error names it. Keys and other
 * PEM blocks are passed over, encrypted ones too: there is no prompt.
 *
 * data    in bytes, up to 16777216
 * return  handle cert
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_MISMATCH E_EMPTY
 * thread  any
 * blocks  cpu
 * source  d2i_X509(3), RFC 5280, RFC 7468
 * since   1
 */
int64_t tlsshim_cert_load(const void *data, int32_t data_len);

/* Reads a certificate with its chain from a file, as cert_load does.
 *
 * path    in path, up to 4095
 * return  handle cert
 * errors  +cert_load E_SYSTEM
 * thread  any
 * blocks  files
 * source  d2i_X509(3)
 * since   1
 */
int64_t tlsshim_cert_load_file(const void *path, int32_t path_len);

/* Counts the leaf and the certificates behind it.
 *
 * cert    handle cert
 * return  count
 * errors  -
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_cert_count(int64_t cert);

/* Gives one certificate of a chain alone, 0 = the leaf.
 *
 * cert    handle cert
 * index   number; from 0
 * return  handle cert; NONE past the end
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_cert_at(int64_t cert, int32_t index);

/* Puts the certificates of another handle behind a leaf and its chain, in order as cert_load does.
 *
 * cert    handle cert
 * rest    handle cert
 * return  handle cert
 * errors  E_MISMATCH E_LIMIT
 * thread  any
 * blocks  cpu
 * source  -
 * since   1
 */
int64_t tlsshim_cert_join(int64_t cert, int64_t rest);

/* Writes a certificate: PEM = the whole chain, DER = the leaf, the public formats = the leaf's public key.
 *
 * cert    handle cert
 * format  one of format
 * data    out bytes, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  i2d_X509(3), RFC 7468
 * since   1
 */
int32_t tlsshim_cert_export(int64_t cert, int32_t format, void *data, int32_t data_cap);

/* Gives what the leaf says as text. Distinguished names follow RFC 4514; what others wrote is escaped.
 *
 * cert    handle cert
 * field   one of cert
 * text    out text, whole
 * return  length; NONE where the certificate does not say
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280, RFC 4514
 * since   1
 */
int32_t tlsshim_cert_text(int64_t cert, int32_t field, void *text, int32_t text_cap);

/* Gives what the leaf says as a number.
 *
 * cert    handle cert
 * field   one of cert
 * n       output
 * return  ok; NONE where the certificate does not say
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5280
 * since   1
 */
int32_t tlsshim_cert_number(int64_t cert, int32_t field, int64_t *n);

/* Gives the digest of the leaf's DER form.
 *
 * cert    handle cert
 * digest_name in text, up to 64; empty = SHA256
 * digest  out bytes, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_UNSUPPORTED
 * thread  any
 * blocks  never
 * source  X509_digest(3)
 * since   1
 */
int32_t tlsshim_cert_digest(int64_t cert, const void *digest_name, int32_t digest_name_len, void *digest,
                            int32_t digest_cap);

/* Counts the entries of one of the leaf's lists.
 *
 * cert    handle cert
 * list    one of cert_list
 * return  count
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5280
 * since   1
 */
int32_t tlsshim_cert_list_count(int64_t cert, int32_t list);

/* Gives a part of one entry of one of the leaf's lists.
 *
 * cert    handle cert
 * list    one of cert_list
 * index   number; from 0
 * part    one of part
 * text    out text, whole
 * return  length; NONE past the end, or where such entries have no such part
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280
 * since   1
 */
int32_t tlsshim_cert_list_at(int64_t cert, int32_t list, int32_t index, int32_t part, void *text, int32_t text_cap);

/* Tells whether the leaf is for a host name or address: whole-label wildcards, addresses only against IP names,
 * never the common name.
 *
 * cert    handle cert
 * name    in text, up to 1024
 * return  0/1
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 9525
 * since   1
 */
int32_t tlsshim_cert_matches_name(int64_t cert, const void *name, int32_t name_len);

/* Tells whether the leaf is for this key.
 *
 * cert    handle cert
 * key     handle key
 * return  0/1
 * errors  E_FORMAT
 * thread  any
 * blocks  never
 * source  X509_get0_pubkey(3)
 * since   1
 */
int32_t tlsshim_cert_matches_key(int64_t cert, int64_t key);

/* Gives the leaf's public key.
 *
 * cert    handle cert
 * return  handle key
 * errors  E_FORMAT E_LIMIT
 * thread  any
 * blocks  never
 * source  X509_get0_pubkey(3)
 * since   1
 */
int64_t tlsshim_cert_public_key(int64_t cert);

/* Makes a server certificate for names at once, signed with its own key: not a CA, and fit as its own anchor.
 *
 * key     handle key
 * names   in text, up to 65536; as template_add_name takes them, with commas between: "localhost,127.0.0.1,::1"
 * days    number; 1..36500, of which the first hour has passed, for clocks that go wrong
 * return  handle cert
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  RFC 5280
 * since   1
 */
int64_t tlsshim_cert_self_signed(int64_t key, const void *names, int32_t names_len, int32_t days);
