#include "sealer.h"

#include <linux/tls.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/bytes.h"

enum { TAG = 16, COPIED_MOST = 1024 };

static const char *const names[SEALER_CIPHERS] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
static _Atomic(EVP_CIPHER *) ciphers[SEALER_CIPHERS]; /* for the life of the process */

/* The offer is made between two halves of OpenSSL, so only the release counts that the tests have seen: 3.0, which gets
 * mends alone. */
bool sealer_understands_backend(void)
{
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}

void sealer_prepare(void)
{
    for (int i = 0; i < SEALER_CIPHERS; i++) {
        EVP_CIPHER *none = NULL, *cipher;

        if (atomic_load(&ciphers[i]) != NULL)
            continue;
        cipher = EVP_CIPHER_fetch(backend_context(), names[i], NULL);
        if (!atomic_compare_exchange_strong(&ciphers[i], &none, cipher))
            EVP_CIPHER_free(cipher);
    }
    error_forget_backend();
}

static uint64_t number_of(const uint8_t bytes[8])
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void take(struct sealer *sealer, enum sealer_cipher cipher, const uint8_t *key, const uint8_t *sequence)
{
    if (atomic_load(&ciphers[cipher]) == NULL)
        return;
    sealer->cipher = (uint8_t)cipher;
    memcpy(sealer->key, key, cipher == SEALER_AES_128_GCM ? 16 : 32);
    sealer->sequence = number_of(sequence);
    sealer->on = true;
}

bool sealer_take(struct sealer *sealer, const void *offer)
{
    const struct tls_crypto_info *info = offer;
    const struct tls12_crypto_info_aes_gcm_128 *gcm128 = offer;
    const struct tls12_crypto_info_aes_gcm_256 *gcm256 = offer;
    const struct tls12_crypto_info_chacha20_poly1305 *chacha = offer;

    sealer_end(sealer);
    if (info->version != TLS1_3_VERSION)
        return false;
    switch (info->cipher_type) {
    case TLS_CIPHER_AES_GCM_128:
        memcpy(sealer->iv, gcm128->salt, sizeof gcm128->salt);
        memcpy(sealer->iv + sizeof gcm128->salt, gcm128->iv, sizeof gcm128->iv);
        take(sealer, SEALER_AES_128_GCM, gcm128->key, gcm128->rec_seq);
        break;
    case TLS_CIPHER_AES_GCM_256:
        memcpy(sealer->iv, gcm256->salt, sizeof gcm256->salt);
        memcpy(sealer->iv + sizeof gcm256->salt, gcm256->iv, sizeof gcm256->iv);
        take(sealer, SEALER_AES_256_GCM, gcm256->key, gcm256->rec_seq);
        break;
    case TLS_CIPHER_CHACHA20_POLY1305:
        memcpy(sealer->iv, chacha->iv, sizeof chacha->iv);
        take(sealer, SEALER_CHACHA20_POLY1305, chacha->key, chacha->rec_seq);
        break;
    default:
        break;
    }
    return sealer->on;
}

/* With the key in place. */
static bool ready(struct sealer *sealer)
{
    if (sealer->keyed != NULL)
        return true;
    sealer->keyed = EVP_CIPHER_CTX_new();
    if (sealer->keyed != NULL &&
        EVP_EncryptInit_ex2(sealer->keyed, atomic_load(&ciphers[sealer->cipher]), sealer->key, NULL, NULL) == 1)
        return true;
    sealer_rest(sealer);
    return false;
}

static void nonce_of(const struct sealer *sealer, uint8_t nonce[SEALER_IV])
{
    memcpy(nonce, sealer->iv, SEALER_IV);
    for (int i = 0; i < 8; i++)
        nonce[SEALER_IV - 1 - i] ^= (uint8_t)(sealer->sequence >> 8 * i);
}

static bool put_tag(EVP_CIPHER_CTX *keyed, uint8_t *tag)
{
    OSSL_PARAM wanted[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, TAG), OSSL_PARAM_END};

    return EVP_CIPHER_CTX_get_params(keyed, wanted) == 1;
}

/* A small plaintext is copied to where its content type follows, since each call of the backend costs more than that.
 */
static bool encrypt(EVP_CIPHER_CTX *keyed, uint8_t content_type, const uint8_t *plain, size_t len, uint8_t *sealed)
{
    int count;

    if (len > COPIED_MOST)
        return EVP_EncryptUpdate(keyed, sealed, &count, plain, (int)len) == 1 &&
               EVP_EncryptUpdate(keyed, sealed + len, &count, &content_type, 1) == 1;
    memcpy(sealed, plain, len);
    sealed[len] = content_type;
    return EVP_EncryptUpdate(keyed, sealed, &count, sealed, (int)len + 1) == 1;
}

static bool seal(EVP_CIPHER_CTX *keyed, const uint8_t *nonce, uint8_t content_type, const uint8_t *plain, size_t len,
                 uint8_t *record)
{
    uint8_t *sealed = record + SEALER_HEADER;
    int count;

    return EVP_EncryptInit_ex2(keyed, NULL, NULL, nonce, NULL) == 1 &&
           EVP_EncryptUpdate(keyed, NULL, &count, record, SEALER_HEADER) == 1 &&
           encrypt(keyed, content_type, plain, len, sealed) &&
           EVP_EncryptFinal_ex(keyed, sealed + len + 1, &count) == 1 && put_tag(keyed, sealed + len + 1);
}

bool sealer_seal(struct sealer *sealer, int content_type, const uint8_t *plain, size_t len, uint8_t *record)
{
    size_t sealed = len + SEALER_OVERHEAD - SEALER_HEADER;
    uint8_t nonce[SEALER_IV];

    if (!ready(sealer))
        return false;
    nonce_of(sealer, nonce);
    record[0] = SSL3_RT_APPLICATION_DATA;
    record[1] = TLS1_2_VERSION >> 8;
    record[2] = TLS1_2_VERSION & 0xff;
    record[3] = (uint8_t)(sealed >> 8);
    record[4] = (uint8_t)sealed;
    if (!seal(sealer->keyed, nonce, (uint8_t)content_type, plain, len, record)) {
        bytes_wipe(record, len + SEALER_OVERHEAD);
        return false;
    }
    sealer->sequence++;
    return true;
}

void sealer_rest(struct sealer *sealer)
{
    EVP_CIPHER_CTX_free(sealer->keyed);
    sealer->keyed = NULL;
}

void sealer_end(struct sealer *sealer)
{
    sealer_rest(sealer);
    sealer->on = false;
    bytes_wipe(sealer->key, sizeof sealer->key);
}
