/* Keys and certificates, and what the machine does of the arithmetic alone. */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "../meter.h"
#include "plain.h"

enum { ROOM = 65536 };

static EVP_PKEY *key;
static char pem[ROOM];
static int pem_len;

static EVP_PKEY *key_new(void)
{
    const char *algorithm = option("algorithm", "P-256");
    EVP_PKEY *made = strcmp(algorithm, "RSA-2048") == 0  ? EVP_RSA_gen(2048)
                     : strcmp(algorithm, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                                         : EVP_EC_gen(algorithm);

    if (made == NULL)
        fail("no key");
    return made;
}

void key_work(long times)
{
    for (; times > 0; times--)
        EVP_PKEY_free(key_new());
}

void self_signed_prepare(void)
{
    key = key_new();
}

static void add_extension(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

    if (extension == NULL || X509_add_ext(x509, extension, -1) != 1)
        fail("an extension is refused");
    X509_EXTENSION_free(extension);
}

/* The fields and extensions of tlsshim_cert_self_signed, put together as the manual pages show. */
void self_signed_work(long times)
{
    for (; times > 0; times--) {
        X509 *x509 = X509_new();
        BIGNUM *serial = BN_new();
        X509_NAME *name = X509_get_subject_name(x509);
        X509V3_CTX ctx;

        BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
        BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
        X509_set_version(x509, X509_VERSION_3);
        X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
        X509_gmtime_adj(X509_getm_notAfter(x509), 90L * 86400);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"localhost", -1, -1, 0);
        X509_set_issuer_name(x509, name);
        X509_set_pubkey(x509, key);
        X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
        add_extension(x509, &ctx, NID_basic_constraints, "critical,CA:FALSE");
        add_extension(x509, &ctx, NID_key_usage, "critical,digitalSignature");
        add_extension(x509, &ctx, NID_ext_key_usage, "serverAuth");
        add_extension(x509, &ctx, NID_subject_key_identifier, "hash");
        add_extension(x509, &ctx, NID_authority_key_identifier, "keyid");
        add_extension(x509, &ctx, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
        if (X509_sign(x509, key, EVP_sha256()) <= 0)
            fail("no certificate");
        BN_free(serial);
        X509_free(x509);
    }
}

void parse_prepare(void)
{
    pem_len = read_file(certs_file("server.pem"), pem, ROOM);
}

void parse_work(long times)
{
    for (; times > 0; times--) {
        BIO *bio = BIO_new_mem_buf(pem, pem_len);
        X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

        if (x509 == NULL)
            fail("the certificate cannot be read");
        X509_free(x509);
        BIO_free(bio);
    }
}

void bundle_work(long times)
{
    for (; times > 0; times--) {
        X509_STORE *store = X509_STORE_new();

        if (X509_STORE_load_file(store, option("file", "/etc/ssl/certs/ca-certificates.crt")) != 1)
            fail("the bundle cannot be loaded");
        X509_STORE_free(store);
    }
}

void system_context_work(long times)
{
    for (; times > 0; times--) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
        SSL *ssl;

        if (ctx == NULL || SSL_CTX_load_verify_file(ctx, option("file", "/etc/ssl/certs/ca-certificates.crt")) != 1)
            fail("no context with the system's trust");
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        ssl = SSL_new(ctx);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
}

/* --- the arithmetic alone --- */

static EVP_CIPHER_CTX *cipher;
static unsigned char block[16384 + 16], tag[16];

void cipher_prepare(void)
{
    static const unsigned char zero[32];

    cipher = EVP_CIPHER_CTX_new();
    if (EVP_EncryptInit_ex(cipher, EVP_get_cipherbyname(option("cipher", "AES-128-GCM")), NULL, zero, zero) != 1)
        fail("no cipher");
}

/* Sealed and opened, as each byte of a connection is. */
void cipher_work(long times)
{
    static const unsigned char zero[12];
    int len;

    for (long i = 0; i < 2 * times; i++) {
        bool seal = i % 2 == 0;

        if (EVP_CipherInit_ex(cipher, NULL, NULL, NULL, zero, seal) != 1 ||
            (!seal && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, 16, tag) != 1) ||
            EVP_CipherUpdate(cipher, NULL, &len, zero, 5) != 1 ||
            EVP_CipherUpdate(cipher, block, &len, block, 16384) != 1 ||
            EVP_CipherFinal_ex(cipher, block + len, &len) != 1 ||
            (seal && EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1))
            fail("the cipher failed");
    }
}

static EVP_PKEY *own, *theirs;
static unsigned char digest[32], signature[128];
static size_t signature_len;

void curve_prepare(void)
{
    EVP_PKEY_CTX *ctx;

    key = EVP_EC_gen("P-256");
    own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    theirs = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    ctx = EVP_PKEY_CTX_new(key, NULL);
    signature_len = sizeof signature;
    if (EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_sign(ctx, signature, &signature_len, digest, sizeof digest) != 1)
        fail("signing failed");
    EVP_PKEY_CTX_free(ctx);
}

/* what=sign, verify, or derive. */
void curve_work(long times)
{
    const char *what = option("what", "sign");

    for (; times > 0; times--) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(strcmp(what, "derive") == 0 ? own : key, NULL);
        unsigned char out[128];
        size_t len = sizeof out;
        int done;

        if (strcmp(what, "sign") == 0)
            done = EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, out, &len, digest, sizeof digest) == 1;
        else if (strcmp(what, "verify") == 0)
            done = EVP_PKEY_verify_init(ctx) == 1 &&
                   EVP_PKEY_verify(ctx, signature, signature_len, digest, sizeof digest) == 1;
        else
            done = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
                   EVP_PKEY_derive(ctx, out, &len) == 1;
        if (!done)
            fail("the arithmetic failed");
        EVP_PKEY_CTX_free(ctx);
    }
}
