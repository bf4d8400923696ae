/* Revocation: certificate revocation lists and OCSP answers, issued and read. */

enum tlsshim_ocsp_group { TLSSHIM_OCSP_GOOD = 1, TLSSHIM_OCSP_REVOKED = 2, TLSSHIM_OCSP_UNKNOWN = 3 };

/* Issues a list of revoked certificates. Each line of the entries is
 * "SERIAL-HEX [REASON] [SECONDS-SINCE-1970]", or once "number N" for the number of the list (else this_update).
 *
 * Reasons are those of RFC 5280: keyCompromise, CACompromise, affiliationChanged, superseded, cessationOfOperation,
 * certificateHold, privilegeWithdrawn, AACompromise, unspecified. Without a time, this_update is the time.
 *
 * identity handle identity
 * entries in text, up to 16777216; empty = nothing is revoked
 * this_update number; seconds since 1970
 * next_update number; seconds since 1970, not before this_update
 * format  one of format; PEM or DER
 * crl     out bytes, whole; computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  X509_CRL_sign(3), RFC 5280 section 5
 * since   1
 */
int32_t tlsshim_crl_issue(int64_t identity, const void *entries, int32_t entries_len, int64_t this_update,
                          int64_t next_update, int32_t format, void *crl, int32_t crl_cap);

/* Gives all that a CRL (PEM or DER) says, for people.
 *
 * crl     in bytes, up to 67108864
 * text    out text, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_EMPTY
 * thread  any
 * blocks  cpu
 * source  X509_CRL_print_ex(3)
 * since   1
 */
int32_t tlsshim_crl_text(const void *crl, int32_t crl_len, void *text, int32_t text_cap);

/* Issues an OCSP answer (DER) about the leaf of a chain, signed by the CA that issued it; fit for stapling.
 *
 * cert    handle cert
 * ca      handle identity
 * status  one of ocsp
 * revoked_at number; seconds since 1970; only looked at with REVOKED
 * this_update number; seconds since 1970
 * next_update number; seconds since 1970, not before this_update
 * response out bytes, whole; computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  OCSP_basic_sign(3), RFC 6960
 * since   1
 */
int32_t tlsshim_ocsp_issue(int64_t cert, int64_t ca, int32_t status, int64_t revoked_at, int64_t this_update,
                           int64_t next_update, void *response, int32_t response_cap);

/* Gives all that an OCSP answer (DER) says, for people.
 *
 * response in bytes, up to 1048576
 * text    out text, whole
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_FORMAT
 * thread  any
 * blocks  cpu
 * source  OCSP_RESPONSE_print(3)
 * since   1
 */
int32_t tlsshim_ocsp_text(const void *response, int32_t response_len, void *text, int32_t text_cap);
