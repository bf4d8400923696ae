/* What is done with a key: written out, signed with, checked with. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "key.h"
#include "key_load.h"
#include "manner.h"
#include "pem.h"

/* PBKDF2 with HMAC-SHA256: about 30 ms a guess on a core of today. */
enum { KEY_ITERATIONS = 100000, KEY_SALT = 16, PBES2_OVERHEAD = 192 };

static int32_t give(struct buffer *out, const char *name, struct bytes der, bool pem)
{
    if (pem)
        pem_write(out, name, der);
    else
        buffer_add(out, der.data, der.len);
    return TLSSHIM_OK;
}

static int32_t export_public(EVP_PKEY *pkey, bool pem, struct buffer *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);

    if (len <= 0)
        return error_backend(TLSSHIM_E_INTERNAL, "the public key cannot be written");
    give(out, PEM_STRING_PUBLIC, (struct bytes){der, (size_t)len}, pem);
    OPENSSL_free(der);
    return TLSSHIM_OK;
}

static int32_t encrypt(PKCS8_PRIV_KEY_INFO *info, struct bytes passphrase, bool pem, struct buffer *out)
{
    X509_SIG *encrypted = PKCS8_encrypt_ex(-1, EVP_aes_256_cbc(), (const char *)passphrase.data, (int)passphrase.len,
                                           NULL, KEY_SALT, KEY_ITERATIONS, info, backend_context(), NULL);
    unsigned char *der = NULL;
    int len = encrypted == NULL ? 0 : i2d_X509_SIG(encrypted, &der);

    X509_SIG_free(encrypted);
    if (len <= 0)
        return error_backend(TLSSHIM_E_INTERNAL, "the key cannot be encrypted");
    give(out, PEM_STRING_PKCS8, (struct bytes){der, (size_t)len}, pem);
    OPENSSL_free(der);
    return TLSSHIM_OK;
}

/* The result, or 0 when `out` holds what to give. */
static int32_t export_private(EVP_PKEY *pkey, bool pem, struct bytes passphrase, int32_t cap, struct buffer *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    unsigned char *der = NULL;
    int len = info == NULL ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    int32_t result = TLSSHIM_OK;

    if (len <= 0)
        result = error_backend(TLSSHIM_E_UNSUPPORTED, "a key of this kind cannot be written");
    else if (passphrase.len == 0)
        give(out, PEM_STRING_PKCS8INF, (struct bytes){der, (size_t)len}, pem);
    else {
        size_t bound = (size_t)len + PBES2_OVERHEAD;

        if (pem)
            bound = pem_length(PEM_STRING_PKCS8, bound);
        result = (size_t)cap < bound ? (int32_t)bound : encrypt(info, passphrase, pem, out);
    }
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return result;
}

static int32_t key_export(struct key *key, int32_t format, struct bytes passphrase, void *data, int32_t cap)
{
    bool pem = format == TLSSHIM_FORMAT_PEM || format == TLSSHIM_FORMAT_PUBLIC_PEM;
    bool public_only = format == TLSSHIM_FORMAT_PUBLIC_PEM || format == TLSSHIM_FORMAT_PUBLIC_DER;
    struct buffer out = {0};
    int32_t result;

    if (format < TLSSHIM_FORMAT_PEM || format > TLSSHIM_FORMAT_PUBLIC_DER)
        return error_new(TLSSHIM_E_ARGUMENT, "format is none of PEM, DER, PUBLIC_PEM, PUBLIC_DER");
    if (cap < 0 || (cap > 0 && data == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "data has a negative capacity, or no address");
    if (public_only && passphrase.len > 0)
        return error_new(TLSSHIM_E_ARGUMENT, "a public key is not encrypted: leave the passphrase empty");
    if (public_only)
        result = export_public(key->pkey, pem, &out);
    else {
        result = key_needs_private(key);
        if (result == TLSSHIM_OK)
            result = export_private(key->pkey, pem, passphrase, cap, &out);
    }
    if (result == TLSSHIM_OK)
        return buffer_out(&out, data, cap);
    buffer_free(&out);
    return result;
}

int32_t tlsshim_key_export(int64_t key, int32_t format, const void *passphrase, int32_t passphrase_len, void *data,
                           int32_t data_cap)
{
    struct visit visit;
    struct bytes pass;
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &k);
    if (result == TLSSHIM_OK) {
        result = bytes_in(passphrase, passphrase_len, PASSPHRASE_LIMIT, "passphrase", &pass);
        if (result == TLSSHIM_OK)
            result = key_export(k, format, pass, data, data_cap);
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}

static int32_t sign(EVP_PKEY *pkey, const struct manner *manner, struct bytes data, void *signature, int32_t cap)
{
    int bound = EVP_PKEY_get_size(pkey);
    unsigned char *made;
    size_t len = (size_t)bound;
    int32_t result;

    if (cap < 0 || (cap > 0 && signature == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "signature has a negative capacity, or no address");
    if (cap < bound)
        return bound;
    made = OPENSSL_malloc((size_t)bound);
    if (made == NULL)
        result = TLSSHIM_E_MEMORY;
    else if (!manner_sign(pkey, manner, data, made, &len))
        result = error_backend(TLSSHIM_E_MISMATCH, "this key cannot sign with that digest");
    else
        result = bytes_out(signature, cap, made, len);
    OPENSSL_free(made);
    return result;
}

static int32_t key_sign(struct key *key, struct bytes name, struct bytes data, void *signature, int32_t cap)
{
    struct manner manner;
    int32_t result = key_needs_private(key);

    if (result < 0)
        return result;
    result = manner_of(key->pkey, name, &manner);
    if (result < 0)
        return result;
    result = sign(key->pkey, &manner, data, signature, cap);
    manner_free(&manner);
    return result;
}

int32_t tlsshim_key_sign(int64_t key, const void *digest_name, int32_t digest_name_len, const void *data,
                         int32_t data_len, void *signature, int32_t signature_cap)
{
    struct visit visit;
    struct bytes name;
    struct bytes in;
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &k);
    if (result == TLSSHIM_OK) {
        result = text_in(digest_name, digest_name_len, 64, "digest_name", &name);
        if (result == TLSSHIM_OK)
            result = bytes_in(data, data_len, INT32_MAX, "data", &in);
        if (result == TLSSHIM_OK)
            result = key_sign(k, name, in, signature, signature_cap);
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}

static int32_t key_verify(struct key *key, struct bytes name, struct bytes data, struct bytes signature)
{
    struct manner manner;
    int32_t result = manner_of(key->pkey, name, &manner);

    if (result < 0)
        return result;
    result = manner_verify(key->pkey, &manner, data, signature);
    manner_free(&manner);
    error_forget_backend();
    return result;
}

int32_t tlsshim_key_verify(int64_t key, const void *digest_name, int32_t digest_name_len, const void *data,
                           int32_t data_len, const void *signature, int32_t signature_len)
{
    struct visit visit;
    struct bytes name;
    struct bytes in;
    struct bytes made;
    struct key *k;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = key_pin(key, &k);
    if (result == TLSSHIM_OK) {
        result = text_in(digest_name, digest_name_len, 64, "digest_name", &name);
        if (result == TLSSHIM_OK)
            result = bytes_in(data, data_len, INT32_MAX, "data", &in);
        if (result == TLSSHIM_OK)
            result = bytes_in(signature, signature_len, 65536, "signature", &made);
        if (result == TLSSHIM_OK)
            result = key_verify(k, name, in, made);
        handle_unpin(key);
    }
    visit_leave(&visit);
    return result;
}
