/* Identities: a chain and the private key of its leaf. */

/* Puts a chain and its key together.
 *
 * cert    handle cert
 * key     handle key
 * return  handle identity
 * errors  E_MISMATCH E_FORMAT E_LIMIT
 * thread  any
 * blocks  never
 * source  X509_check_private_key(3)
 * since   1
 */
int64_t tlsshim_identity_new(int64_t cert, int64_t key);

/* Reads PEM that holds certificates and a key, or PKCS#12; which of them is seen from the data. Never prompts.
 *
 * data    in secret, up to 16777216
 * passphrase in secret, up to 1024; empty if there is none
 * return  handle identity
 * errors  +cert_load +key_load E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  PKCS12_parse(3), RFC 7292
 * since   1
 */
int64_t tlsshim_identity_load(const void *data, int32_t data_len, const void *passphrase, int32_t passphrase_len);

/* Reads an identity from a file, as identity_load does.
 *
 * path    in path, up to 4095
 * passphrase in secret, up to 1024; empty if there is none
 * return  handle identity
 * errors  +identity_load E_SYSTEM
 * thread  any
 * blocks  files
 * source  PKCS12_parse(3)
 * since   1
 */
int64_t tlsshim_identity_load_file(const void *path, int32_t path_len, const void *passphrase, int32_t passphrase_len);

/* Reads PKCS#12 whose ciphers are too weak to trust (RC2, 3DES): for moving old files over, then export them anew.
 *
 * data    in secret, up to 16777216
 * passphrase in secret, up to 1024; empty if there is none
 * return  handle identity
 * errors  +identity_load E_UNSUPPORTED
 * thread  any
 * blocks  files
 * source  OSSL_PROVIDER-legacy(7)
 * since   1
 */
int64_t tlsshim_identity_insecure_load_legacy(const void *data, int32_t data_len, const void *passphrase,
                                              int32_t passphrase_len);

/* Writes an identity as PKCS#12 with its whole chain (AES-256, PBKDF2 and HMAC with SHA-256).
 *
 * identity handle identity
 * passphrase in secret, up to 1024
 * friendly_name in text, up to 256; empty = none
 * data    out secret, whole; computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH
 * thread  any
 * blocks  cpu
 * source  PKCS12_create_ex(3), RFC 7292
 * since   1
 */
int32_t tlsshim_identity_export_pkcs12(int64_t identity, const void *passphrase, int32_t passphrase_len,
                                       const void *friendly_name, int32_t friendly_name_len, void *data,
                                       int32_t data_cap);

/* Gives an identity's chain.
 *
 * identity handle identity
 * return  handle cert
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_identity_cert(int64_t identity);

/* Gives an identity's key.
 *
 * identity handle identity
 * return  handle key
 * errors  E_LIMIT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_identity_key(int64_t identity);
