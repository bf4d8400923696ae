/* Keys: made, loaded, saved, compared; signing and checking with them. */

enum tlsshim_format_group {
    TLSSHIM_FORMAT_PEM = 1,
    TLSSHIM_FORMAT_DER = 2,
    TLSSHIM_FORMAT_PUBLIC_PEM = 3, /* the public half of a key alone */
    TLSSHIM_FORMAT_PUBLIC_DER = 4
};

/* Makes a new private key: "P-256", "P-384", "P-521", "ED25519", "ED448", or "RSA-2048" to "RSA-8192".
 *
 * algorithm in text, up to 64
 * return  handle key
 * errors  E_ARGUMENT E_LIMIT E_UNSUPPORTED
 * thread  any
 * blocks  cpu
 * source  EVP_PKEY_Q_keygen(3)
 * since   1
 */
int64_t tlsshim_key_generate(const void *algorithm, int32_t algorithm_len);

/* Reads a private key: PEM or DER; PKCS#8 plain or encrypted, SEC1, PKCS#1. Never prompts.
 *
 * In PEM the first private key counts; text and certificates around it are passed over. A public key is E_FORMAT.
 *
 * data    in secret, up to 16777216
 * passphrase in secret, up to 1024; empty for a key that is not encrypted
 * return  handle key
 * errors  E_ARGUMENT E_LIMIT E_FORMAT E_PASSPHRASE E_EMPTY E_UNSUPPORTED
 * thread  any
 * blocks  cpu
 * source  OSSL_DECODER_from_data(3), RFC 5958, RFC 5915, RFC 8017
 * since   1
 */
int64_t tlsshim_key_load(const void *data, int32_t data_len, const void *passphrase, int32_t passphrase_len);

/* Reads a private key from a file, as key_load does.
 *
 * path    in path, up to 4095
 * passphrase in secret, up to 1024; empty for a key that is not encrypted
 * return  handle key
 * errors  +key_load E_SYSTEM
 * thread  any
 * blocks  files
 * source  OSSL_DECODER_from_data(3)
 * since   1
 */
int64_t tlsshim_key_load_file(const void *path, int32_t path_len, const void *passphrase, int32_t passphrase_len);

/* Makes a key whose private half is elsewhere: a connection asks for its signatures by the SIGN event.
 *
 * public_key handle key; RSA, RSA-PSS, EC, Ed25519 or Ed448, else E_UNSUPPORTED
 * return  handle key
 * errors  E_LIMIT E_UNSUPPORTED
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int64_t tlsshim_key_external(int64_t public_key);

/* Writes a key. The private formats are PKCS#8, encrypted (PBES2, AES-256) if a passphrase is given.
 *
 * key     handle key
 * format  one of format
 * passphrase in secret, up to 1024; empty = not encrypted; not for the public formats
 * data    out secret, whole; encrypted = computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH E_UNSUPPORTED
 * thread  any
 * blocks  cpu
 * source  OSSL_ENCODER_to_data(3), RFC 5958, RFC 8018
 * since   1
 */
int32_t tlsshim_key_export(int64_t key, int32_t format, const void *passphrase, int32_t passphrase_len, void *data,
                           int32_t data_cap);

/* Names a key's algorithm as key_generate takes it, or as the backend calls another one.
 *
 * key     handle key
 * text    out text, whole
 * return  length
 * errors  E_ARGUMENT
 * thread  any
 * blocks  never
 * source  -
 * since   1
 */
int32_t tlsshim_key_algorithm(int64_t key, void *text, int32_t text_cap);

/* Tells a key's size in bits.
 *
 * key     handle key
 * return  count
 * errors  -
 * thread  any
 * blocks  never
 * source  EVP_PKEY_get_bits(3)
 * since   1
 */
int32_t tlsshim_key_bits(int64_t key);

/* Tells whether two keys have the same public half.
 *
 * key     handle key
 * other   handle key
 * return  0/1
 * errors  -
 * thread  any
 * blocks  never
 * source  EVP_PKEY_eq(3)
 * since   1
 */
int32_t tlsshim_key_equal(int64_t key, int64_t other);

/* Signs data: ECDSA, EdDSA, or RSA with PKCS #1 v1.5 padding; the name of a signature scheme of TLS, such as
 * "rsa_pss_rsae_sha256" (DETAIL_SIGN_SCHEME), in place of a digest's makes the signature that a SIGN event asks for.
 *
 * key     handle key
 * digest_name in text, up to 64; "SHA256", "SHA384"..., or a scheme's; empty = the key's usual one
 * data    in bytes, up to 2147483647
 * signature out bytes, whole; computed, so the size asked for is an upper bound
 * return  length
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH E_UNSUPPORTED
 * thread  any
 * blocks  cpu
 * source  EVP_DigestSign(3)
 * since   1
 */
int32_t tlsshim_key_sign(int64_t key, const void *digest_name, int32_t digest_name_len, const void *data,
                         int32_t data_len, void *signature, int32_t signature_cap);

/* Tells whether a signature over data is by this key.
 *
 * key     handle key
 * digest_name in text, up to 64; as for signing
 * data    in bytes, up to 2147483647
 * signature in bytes, up to 65536
 * return  0/1
 * errors  E_ARGUMENT E_LIMIT E_MISMATCH E_UNSUPPORTED
 * thread  any
 * blocks  cpu
 * source  EVP_DigestVerify(3)
 * since   1
 */
int32_t tlsshim_key_verify(int64_t key, const void *digest_name, int32_t digest_name_len, const void *data,
                           int32_t data_len, const void *signature, int32_t signature_len);
