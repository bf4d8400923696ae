/* Templates: what a certificate is to say, and signing it.
 *
 * What is not set follows from the rest: a random serial number; from one hour ago for 397 days (a CA 3,653), but not
 * past the issuer's end; server usage if hosts or addresses are named, else client usage; the first name as common
 * name. Key identifiers are always there.
 */

/* Makes an empty template.
 *
 * return  handle template
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 4211
 * since   1
 */
int64_t tlsshim_template_new(void);

/* Sets the subject: "CN=x,O=y", escaped as RFC 4514 says, the most specific part first.
 *
 * tmpl    handle template
 * subject in text, up to 16384; empty = the first name as common name
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 4514
 * since   1
 */
int32_t tlsshim_template_set_subject(int64_t tmpl, const void *subject, int32_t subject_len);

/* Adds a name; its kind is inferred, or told by a prefix: "DNS:", "IP:", "EMAIL:", "URI:".
 *
 * Host names may be international and may begin with "*.".
 *
 * tmpl    handle template
 * name    in text, up to 1024
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.6
 * since   1
 */
int32_t tlsshim_template_add_name(int64_t tmpl, const void *name, int32_t name_len);

/* Sets from when until when the certificate is valid.
 *
 * tmpl    handle template
 * not_before number; seconds since 1970
 * not_after number; seconds since 1970, not before not_before
 * return  ok
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.1.2.5
 * since   1
 */
int32_t tlsshim_template_set_validity(int64_t tmpl, int64_t not_before, int64_t not_after);

/* Makes it a CA's certificate.
 *
 * tmpl    handle template
 * path_length number; CAs that may stand between it and a leaf, -1 = no limit
 * return  ok
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.9
 * since   1
 */
int32_t tlsshim_template_set_ca(int64_t tmpl, int32_t path_length);

/* Sets what the certificate may be used for, in place of what follows from its names.
 *
 * tmpl    handle template
 * mask    any of usage; 0 = not restricted
 * return  ok
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.12
 * since   1
 */
int32_t tlsshim_template_set_usage(int64_t tmpl, int32_t mask);

/* Adds a usage by object identifier: "1.3.6.1.5.5.7.3.17".
 *
 * tmpl    handle template
 * oid     in text, up to 256
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.12
 * since   1
 */
int32_t tlsshim_template_add_usage(int64_t tmpl, const void *oid, int32_t oid_len);

/* Sets the serial number: a positive number, big-endian.
 *
 * tmpl    handle template
 * serial  in bytes, up to 20; empty = random
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.1.2.2
 * since   1
 */
int32_t tlsshim_template_set_serial(int64_t tmpl, const void *serial, int32_t serial_len);

/* Sets the digest of the signature: "SHA256", "SHA384", "SHA512". EdDSA keys have their own and take none.
 *
 * tmpl    handle template
 * digest_name in text, up to 64; empty = the signing key's usual one
 * return  ok
 * errors  E_ARGUMENT E_LIMIT E_WEAK
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_template_set_digest(int64_t tmpl, const void *digest_name, int32_t digest_name_len);

/* Sets whether clients must insist on a stapled OCSP answer.
 *
 * tmpl    handle template
 * on      number; 0/1
 * return  ok
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  RFC 7633
 * since   1
 */
int32_t tlsshim_template_set_must_staple(int64_t tmpl, int32_t on);

/* Sets where the issuer's CRL and OCSP answers are found.
 *
 * tmpl    handle template
 * crl     in text, up to 4096; one URL or several with spaces between; empty = none
 * ocsp    in text, up to 4096; the same
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.13, 4.2.2.1
 * since   1
 */
int32_t tlsshim_template_set_urls(int64_t tmpl, const void *crl, int32_t crl_len, const void *ocsp, int32_t ocsp_len);

/* Adds a name constraint to a CA: "corp.test", "DNS:corp.test", "10.0.0.0/8", "EMAIL:corp.test", "URI:.corp.test".
 *
 * tmpl    handle template
 * permitted number; 1 = only such names, 0 = no such names
 * name    in text, up to 1024
 * return  ok
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  RFC 5280 4.2.1.10
 * since   1
 */
int32_t tlsshim_template_add_constraint(int64_t tmpl, int32_t permitted, const void *name, int32_t name_len);

/* Signs with the certificate's own key.
 *
 * tmpl    handle template
 * key     handle key
 * return  handle cert
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  X509_sign(3), RFC 5280
 * since   1
 */
int64_t tlsshim_template_self_sign(int64_t tmpl, int64_t key);

/* Signs as a CA; the result carries the leaf and the CA's chain, without a self-signed root.
 *
 * tmpl    handle template
 * subject_key handle key or 0; 0 = the key of the request that the template came from; its public half is enough
 * ca      handle identity
 * return  handle cert
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH E_EMPTY
 * thread  any
 * blocks  cpu
 * source  X509_sign(3), RFC 5280
 * since   1
 */
int64_t tlsshim_template_issue(int64_t tmpl, int64_t subject_key, int64_t ca);

/* Makes a certificate request of the subject, names, usages and staple demand.
 *
 * tmpl    handle template
 * key     handle key
 * format  one of format; PEM or DER
 * csr     out bytes, whole; computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  X509_REQ_sign(3), RFC 2986
 * since   1
 */
int32_t tlsshim_template_request(int64_t tmpl, int64_t key, int32_t format, void *csr, int32_t csr_cap);

/* Reads a certificate request (PEM or DER) and checks its signature.
 *
 * The subject, the names, the requested usages and the staple demand are taken over, and the key for template_issue;
 * whether it is a CA, how long it is valid and all else the CA decides.
 *
 * csr     in bytes, up to 1048576
 * return  handle template
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_MISMATCH E_EMPTY
 * thread  any
 * blocks  cpu
 * source  X509_REQ_verify(3), RFC 2986
 * since   1
 */
int64_t tlsshim_template_from_request(const void *csr, int32_t csr_len);

/* Gives the public key of the request that the template came from.
 *
 * tmpl    handle template
 * return  handle key; NONE if it came from none
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_template_key(int64_t tmpl);

/* Gives what the template says as text.
 *
 * tmpl    handle template
 * field   one of cert
 * text    out text, whole
 * return  length; NONE where signing decides it
 * errors  E_ARGUMENT E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_template_text(int64_t tmpl, int32_t field, void *text, int32_t text_cap);

/* Gives what the template says as a number.
 *
 * tmpl    handle template
 * field   one of cert
 * n       output
 * return  ok; NONE where signing decides it
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_template_number(int64_t tmpl, int32_t field, int64_t *n);

/* Gives all that a certificate request (PEM or DER) says, for people.
 *
 * csr     in bytes, up to 1048576
 * text    out text, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_EMPTY
 * thread  any
 * blocks  never
 * source  X509_REQ_print_ex(3)
 * since   1
 */
int32_t tlsshim_request_text(const void *csr, int32_t csr_len, void *text, int32_t text_cap);
