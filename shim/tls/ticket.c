#include "ticket.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "conn.h"

enum { SECRET_LEAST = 32, SECRET_MOST = 65535, PERIOD_LEAST = 60, PERIOD_MOST = 604800, DERIVED = 3 };
static const int64_t DEFAULT_PERIOD_MS = 7200000; /* a ticket opens for at least as long as sessions live by default */

_Static_assert(sizeof(struct ticket_key) == TICKET_KEY_SIZE, "a ticket key is its 80 bytes");

/* The end of a derived key's name, by which every machine of the fleet knows it again. */
static const uint8_t derived_mark[4] = {'d', 'r', 'v', '1'};

/* Whoever learns the fleet's secret, however late, has every key that was ever derived from it. In TLS 1.3 that opens
 * no recorded traffic; in TLS 1.2, where the ticket holds the keys of the traffic itself, it would open all. */
static bool too_lasting(const SSL *ssl, const struct ticket_key *key)
{
    return SSL_version(ssl) < TLS1_3_VERSION &&
           memcmp(key->name + sizeof key->name - sizeof derived_mark, derived_mark, sizeof derived_mark) == 0;
}

void ticket_ring_init(struct ticket_ring *ring)
{
    pthread_mutex_init(&ring->lock, NULL);
    ring->count = 0;
    ring->given = false;
    ring->period_ms = DEFAULT_PERIOD_MS;
}

void ticket_ring_free(struct ticket_ring *ring)
{
    bytes_wipe(ring->keys, sizeof ring->keys);
    pthread_mutex_destroy(&ring->lock);
}

static int32_t random_key(struct ticket_key *key)
{
    if (RAND_bytes_ex(backend_context(), key->name, sizeof key->name, 0) == 1 &&
        RAND_priv_bytes_ex(backend_context(), key->mac, sizeof key->mac, 0) == 1 &&
        RAND_priv_bytes_ex(backend_context(), key->cipher, sizeof key->cipher, 0) == 1)
        return TLSSHIM_OK;
    return error_backend(TLSSHIM_E_INTERNAL, "the random generator failed");
}

/* The lock is held: a new key in front, the one before it still opens. */
static int32_t rotate(struct ticket_ring *ring)
{
    struct ticket_key fresh;
    int32_t result = random_key(&fresh);

    if (result < 0)
        return result;
    ring->keys[1] = ring->keys[0];
    ring->keys[0] = fresh;
    ring->count = ring->count == 0 ? 1 : 2;
    ring->rotated = clock_ms();
    bytes_wipe(&fresh, sizeof fresh);
    return TLSSHIM_OK;
}

/* The lock is held. Both keys are too old to open anything once two periods have passed unused. */
static int32_t rotate_if_due(struct ticket_ring *ring)
{
    int64_t age = clock_ms() - ring->rotated;
    int32_t result = TLSSHIM_OK;

    if (ring->given || ring->count == 0 || age < ring->period_ms)
        return TLSSHIM_OK;
    if (age >= 2 * ring->period_ms)
        result = rotate(ring);
    return result < 0 ? result : rotate(ring);
}

int32_t ticket_ring_start(struct ticket_ring *ring)
{
    int32_t result = TLSSHIM_OK;

    pthread_mutex_lock(&ring->lock);
    if (ring->count == 0)
        result = rotate(ring);
    pthread_mutex_unlock(&ring->lock);
    return result;
}

void ticket_ring_give(struct ticket_ring *ring, struct bytes keys)
{
    pthread_mutex_lock(&ring->lock);
    bytes_wipe(ring->keys, sizeof ring->keys);
    memcpy(ring->keys, keys.data, keys.len);
    ring->count = (int)(keys.len / TICKET_KEY_SIZE);
    ring->given = true;
    pthread_mutex_unlock(&ring->lock);
}

bool ticket_ring_given(struct ticket_ring *ring)
{
    bool given;

    pthread_mutex_lock(&ring->lock);
    given = ring->given;
    pthread_mutex_unlock(&ring->lock);
    return given;
}

void ticket_ring_rotate_every(struct ticket_ring *ring, int64_t seconds)
{
    pthread_mutex_lock(&ring->lock);
    ring->period_ms = seconds * 1000;
    pthread_mutex_unlock(&ring->lock);
}

/* 0 = the sealing key, n = the n-th that opens too, -1 = none has this name. */
static int pick(struct ticket_ring *ring, const uint8_t *name, struct ticket_key *key)
{
    int found = -1;

    pthread_mutex_lock(&ring->lock);
    if (rotate_if_due(ring) == TLSSHIM_OK)
        for (int i = 0; i < ring->count && found < 0; i++)
            if (name == NULL || memcmp(ring->keys[i].name, name, sizeof key->name) == 0)
                found = i;
    if (found >= 0)
        *key = ring->keys[found];
    pthread_mutex_unlock(&ring->lock);
    return found;
}

static bool use_key(const struct setup *setup, struct ticket_key *key, uint8_t *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int seal)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1 &&
           EVP_CipherInit_ex2(cipher, setup->ticket_cipher, key->cipher, iv, seal, NULL) == 1;
}

static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                         int seal)
{
    struct conn *conn = conn_of(ssl);
    struct ticket_key key;
    int at = pick(&conn->context->store->ring, seal ? NULL : name, &key);
    int answer;

    conn->ticket_key_known = at >= 0 && !too_lasting(ssl, &key);
    if (at < 0)
        return seal ? -1 : 0;
    if (!conn->ticket_key_known) {
        bytes_wipe(&key, sizeof key);
        return 0; /* the client gets an empty ticket, RFC 5077 section 3.3 */
    }
    if (seal) {
        memcpy(name, key.name, sizeof key.name);
        if (RAND_bytes_ex(backend_context(), iv, 16, 0) != 1)
            return -1;
    }
    answer = use_key(conn->setup, &key, iv, cipher, mac, seal) ? (seal || at == 0 ? 1 : 2) : -1;
    bytes_wipe(&key, sizeof key);
    return answer;
}

void ticket_install(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
}

static int32_t keys_new(int32_t count, void *keys, int32_t keys_cap)
{
    struct ticket_key made[TICKET_KEYS_MOST];
    int32_t result = TLSSHIM_OK;

    for (int i = 0; i < count && result == TLSSHIM_OK; i++)
        result = random_key(&made[i]);
    if (result == TLSSHIM_OK)
        result = bytes_out(keys, keys_cap, made, (size_t)count * TICKET_KEY_SIZE);
    bytes_wipe(made, sizeof made);
    return result;
}

int32_t tlsshim_ticket_keys_new(int32_t count, void *keys, int32_t keys_cap)
{
    struct visit visit;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    if (count < 1 || count > TICKET_KEYS_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d ticket keys are not within 1..%d", count, TICKET_KEYS_MOST);
    else
        result = keys_new(count, keys, keys_cap);
    visit_leave(&visit);
    return result;
}

static int32_t derive_one(EVP_KDF_CTX *kdf, struct bytes secret, int64_t period_number, struct ticket_key *key)
{
    uint8_t info[] = "tlsshim ticket key 1........";
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.data, secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info - 1),
        OSSL_PARAM_construct_end(),
    };

    for (int i = 0; i < 8; i++)
        info[sizeof info - 2 - (size_t)i] = (uint8_t)((uint64_t)period_number >> (8 * i));
    if (EVP_KDF_derive(kdf, (uint8_t *)key, sizeof *key, params) != 1)
        return error_backend(TLSSHIM_E_INTERNAL, "the ticket keys cannot be derived");
    memcpy(key->name + sizeof key->name - sizeof derived_mark, derived_mark, sizeof derived_mark);
    return TLSSHIM_OK;
}

static int32_t derive(struct bytes secret, int64_t period_number, void *keys, int32_t keys_cap)
{
    static const int offsets[DERIVED] = {0, -1, 1};
    EVP_KDF *hkdf = EVP_KDF_fetch(backend_context(), "HKDF", NULL);
    EVP_KDF_CTX *kdf = EVP_KDF_CTX_new(hkdf);
    struct ticket_key made[DERIVED];
    int32_t result = TLSSHIM_OK;

    if (kdf == NULL)
        result = error_backend(TLSSHIM_E_INTERNAL, "HKDF is missing");
    for (int i = 0; i < DERIVED && result == TLSSHIM_OK; i++)
        result = derive_one(kdf, secret, period_number + offsets[i], &made[i]);
    if (result == TLSSHIM_OK)
        result = bytes_out(keys, keys_cap, made, sizeof made);
    bytes_wipe(made, sizeof made);
    EVP_KDF_CTX_free(kdf);
    EVP_KDF_free(hkdf);
    return result;
}

int32_t tlsshim_ticket_keys_derive(const void *secret, int32_t secret_len, int64_t now, int64_t period, void *keys,
                                   int32_t keys_cap)
{
    struct visit visit;
    struct bytes in;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(secret, secret_len, SECRET_MOST, "secret", &in);
    if (result == TLSSHIM_OK && in.len < SECRET_LEAST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a ticket secret of %zu bytes is too short: at least %d random ones",
                           in.len, SECRET_LEAST);
    if (result == TLSSHIM_OK && (period < PERIOD_LEAST || period > PERIOD_MOST))
        result = error_new(TLSSHIM_E_ARGUMENT, "a period of %lld s is not within %d..%d", (long long)period,
                           PERIOD_LEAST, PERIOD_MOST);
    if (result == TLSSHIM_OK && now < 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "a time before 1970");
    if (result == TLSSHIM_OK)
        result = derive(in, now / period, keys, keys_cap);
    visit_leave(&visit);
    return result;
}
