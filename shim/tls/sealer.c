#include "sealer.h"

#include <linux/tls.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/bytes.h"

enum { COPIED_MOST = 1024 };

static const struct {
    const char *name;
    size_t key_len;
} known[SEALER_CIPHERS] = {{"AES-128-GCM", 16}, {"AES-256-GCM", 32}, {"ChaCha20-Poly1305", 32}};

static _Atomic(struct aead *) ciphers[SEALER_CIPHERS]; /* for the life of the process */

/* The offer is made between two halves of OpenSSL, so only the release counts that the tests have seen: 3.0, which gets
 * mends alone. */
bool sealer_understands_backend(void)
{
    return OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0;
}

void sealer_prepare(void)
{
    for (int i = 0; i < SEALER_CIPHERS; i++) {
        struct aead *none = NULL, *cipher;

        if (atomic_load(&ciphers[i]) != NULL)
            continue;
        cipher = aead_find(known[i].name, known[i].key_len);
        if (!atomic_compare_exchange_strong(&ciphers[i], &none, cipher))
            aead_forget(cipher);
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
    memcpy(sealer->key, key, known[cipher].key_len);
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

static const struct aead *cipher_of(const struct sealer *sealer)
{
    return atomic_load_explicit(&ciphers[sealer->cipher], memory_order_acquire);
}

static void nonce_of(const struct sealer *sealer, uint8_t nonce[AEAD_NONCE])
{
    memcpy(nonce, sealer->iv, AEAD_NONCE);
    for (int i = 0; i < 8; i++)
        nonce[AEAD_NONCE - 1 - i] ^= (uint8_t)(sealer->sequence >> 8 * i);
}

/* A small plaintext is copied to where its content type follows, since each piece costs more than that. */
static bool encrypt(const struct sealer *sealer, uint8_t content_type, const uint8_t *plain, size_t len,
                    uint8_t *sealed)
{
    const struct aead *cipher = cipher_of(sealer);

    if (len > COPIED_MOST)
        return aead_piece(cipher, sealer->keyed, (struct bytes){plain, len}, sealed) &&
               aead_piece(cipher, sealer->keyed, (struct bytes){&content_type, 1}, sealed + len);
    memcpy(sealed, plain, len);
    sealed[len] = content_type;
    return aead_piece(cipher, sealer->keyed, (struct bytes){sealed, len + 1}, sealed);
}

static bool seal(const struct sealer *sealer, uint8_t content_type, const uint8_t *plain, size_t len, uint8_t *record)
{
    const struct aead *cipher = cipher_of(sealer);
    uint8_t *sealed = record + SEALER_HEADER, nonce[AEAD_NONCE];

    nonce_of(sealer, nonce);
    return aead_begin(cipher, sealer->keyed, nonce, (struct bytes){record, SEALER_HEADER}) &&
           encrypt(sealer, content_type, plain, len, sealed) && aead_end(cipher, sealer->keyed, sealed + len + 1);
}

bool sealer_seal(struct sealer *sealer, int content_type, const uint8_t *plain, size_t len, uint8_t *record)
{
    size_t sealed = len + SEALER_OVERHEAD - SEALER_HEADER;

    if (sealer->keyed == NULL)
        sealer->keyed = aead_key_new(cipher_of(sealer), sealer->key);
    if (sealer->keyed == NULL)
        return false;
    record[0] = SSL3_RT_APPLICATION_DATA;
    record[1] = TLS1_2_VERSION >> 8;
    record[2] = TLS1_2_VERSION & 0xff;
    record[3] = (uint8_t)(sealed >> 8);
    record[4] = (uint8_t)sealed;
    if (!seal(sealer, (uint8_t)content_type, plain, len, record)) {
        bytes_wipe(record, len + SEALER_OVERHEAD);
        return false;
    }
    sealer->sequence++;
    return true;
}

void sealer_rest(struct sealer *sealer)
{
    if (sealer->keyed != NULL)
        aead_key_free(cipher_of(sealer), sealer->keyed);
    sealer->keyed = NULL;
}

void sealer_end(struct sealer *sealer)
{
    sealer_rest(sealer);
    sealer->on = false;
    bytes_wipe(sealer->key, sizeof sealer->key);
}
