#include "tls/sealer.h"

#include <linux/tls.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/backend.h"
#include "support/support.h"

static struct sealer sealer;

static void begin(void)
{
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    sealer_prepare();
    visit_leave(&visit);
    sealer = (struct sealer){0};
}

static void end(void)
{
    sealer_end(&sealer);
}

static struct tls12_crypto_info_aes_gcm_128 gcm128(const uint8_t key[16], const uint8_t iv[12])
{
    struct tls12_crypto_info_aes_gcm_128 offer = {
        .info = {.version = TLS1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128}};

    memcpy(offer.key, key, 16);
    memcpy(offer.salt, iv, 4);
    memcpy(offer.iv, iv + 4, 8);
    return offer;
}

/* The client's application data and its goodbye in RFC 8448 section 3. */
START_TEST(records_are_those_of_rfc_8448)
{
    static const uint8_t key[] = {0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9,
                                  0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f, 0x50, 0x51};
    static const uint8_t iv[] = {0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5, 0x23, 0xd9};
    static const uint8_t data[] = {
        0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6, 0x2c, 0x94, 0xd0, 0xaf, 0xfa, 0xfe, 0x82, 0x28,
        0xba, 0x55, 0xcb, 0xef, 0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc, 0xab, 0x3f, 0x2b, 0x98, 0x19, 0xa8,
        0xa5, 0xb4, 0x6b, 0x39, 0x5b, 0xd5, 0x4a, 0x9a, 0x20, 0x44, 0x1e, 0x2b, 0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62,
        0x92, 0xa2, 0x97, 0x70, 0x14, 0xbd, 0x1e, 0x3d, 0xea, 0xe6, 0x3a, 0xee, 0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4};
    static const uint8_t goodbye[] = {0x17, 0x03, 0x03, 0x00, 0x13, 0xc9, 0x87, 0x27, 0x60, 0x65, 0x56, 0x66,
                                      0xb7, 0x4d, 0x7f, 0xf1, 0x15, 0x3e, 0xfd, 0x6d, 0xb6, 0xd0, 0xb0, 0xe3};
    static const uint8_t close_notify[] = {1, 0};
    const struct tls12_crypto_info_aes_gcm_128 offer = gcm128(key, iv);
    uint8_t plain[50], record[sizeof plain + SEALER_OVERHEAD];

    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)i;
    ck_assert(sealer_take(&sealer, &offer));
    ck_assert(sealer_seal(&sealer, SSL3_RT_APPLICATION_DATA, plain, sizeof plain, record));
    ck_assert_mem_eq(record, data, sizeof record);
    sealer_rest(&sealer); /* costs nothing but time */
    ck_assert(sealer_seal(&sealer, SSL3_RT_ALERT, close_notify, sizeof close_notify, record));
    ck_assert_mem_eq(record, goodbye, sizeof goodbye);
}
END_TEST

static const char *const names[SEALER_CIPHERS] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
static const uint16_t types[SEALER_CIPHERS] = {TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256,
                                               TLS_CIPHER_CHACHA20_POLY1305};

static const uint8_t key[32] = "thirty-two bytes of a test's key", iv[12] = "twelve bytes";
static const uint8_t sequence[8] = {0, 0, 0, 0, 0, 0xff, 0xff, 0xff}; /* the next carries over */

/* As OpenSSL lays it out for that cipher. */
union offer {
    struct tls_crypto_info info;
    struct tls12_crypto_info_aes_gcm_128 gcm128;
    struct tls12_crypto_info_aes_gcm_256 gcm256;
    struct tls12_crypto_info_chacha20_poly1305 chacha;
};

static union offer offer_of(uint16_t cipher_type)
{
    union offer offer = {0};

    offer.info = (struct tls_crypto_info){.version = TLS1_3_VERSION, .cipher_type = cipher_type};
    if (cipher_type == TLS_CIPHER_AES_GCM_128) {
        offer.gcm128 = gcm128(key, iv);
        memcpy(offer.gcm128.rec_seq, sequence, 8);
    } else if (cipher_type == TLS_CIPHER_AES_GCM_256) {
        memcpy(offer.gcm256.key, key, 32);
        memcpy(offer.gcm256.salt, iv, 4);
        memcpy(offer.gcm256.iv, iv + 4, 8);
        memcpy(offer.gcm256.rec_seq, sequence, 8);
    } else {
        memcpy(offer.chacha.key, key, 32);
        memcpy(offer.chacha.iv, iv, 12);
        memcpy(offer.chacha.rec_seq, sequence, 8);
    }
    return offer;
}

/* Opens the record with this number under the key; the length of what was in it, content type included, or -1. */
static int opened(const char *name, uint64_t number, uint8_t *record, size_t len, uint8_t *inner)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(support_context(), name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12];
    int count, more, body = (int)len - 5 - 16;
    bool good;

    memcpy(nonce, iv, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(number >> 8 * i);
    good = EVP_DecryptInit_ex2(ctx, cipher, key, nonce, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, record + len - 16) == 1 &&
           EVP_DecryptUpdate(ctx, NULL, &count, record, 5) == 1 &&
           EVP_DecryptUpdate(ctx, inner, &count, record + 5, body) == 1 &&
           EVP_DecryptFinal_ex(ctx, inner + count, &more) == 1;
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return good ? body : -1;
}

START_TEST(records_of_every_length_and_type_open_under_their_number)
{
    static const size_t lens[] = {0, 1, 15, 16, 17, 255, 16383, 16384};
    static uint8_t plain[16384], record[16384 + SEALER_OVERHEAD], inner[16385];
    const union offer offer = offer_of(types[_i]);
    uint64_t number = 0xffffff;

    memset(plain, 'p', sizeof plain);
    ck_assert(sealer_take(&sealer, &offer));
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        int content_type = i % 2 == 0 ? SSL3_RT_APPLICATION_DATA : SSL3_RT_HANDSHAKE;
        size_t len = lens[i] + SEALER_OVERHEAD;

        ck_assert(sealer_seal(&sealer, content_type, plain, lens[i], record));
        must_be(record[0], 23);
        must_be(record[1] << 8 | record[2], 0x303);
        must_be(record[3] << 8 | record[4], (int64_t)len - 5);
        must_be(opened(names[_i], number, record, len, inner), (int64_t)lens[i] + 1);
        ck_assert(memcmp(inner, plain, lens[i]) == 0);
        must_be(inner[lens[i]], content_type);
        must_be(opened(names[_i], ++number, record, len, inner), -1);
    }
}
END_TEST

START_TEST(only_what_it_understands_is_taken)
{
    union offer offer = offer_of(types[0]);

    offer.info.version = TLS1_2_VERSION;
    ck_assert(!sealer_take(&sealer, &offer));
    offer.info.version = TLS1_3_VERSION;
    offer.info.cipher_type = TLS_CIPHER_AES_CCM_128;
    ck_assert(!sealer_take(&sealer, &offer));
    ck_assert(!sealer.on);
    offer = offer_of(types[2]);
    ck_assert(sealer_take(&sealer, &offer));
    ck_assert(sealer.on);
}
END_TEST

START_TEST(a_key_that_was_let_go_is_nowhere)
{
    static const uint8_t nothing[SEALER_KEY_MOST];
    const union offer offer = offer_of(types[1]);
    uint8_t record[4 + SEALER_OVERHEAD];

    ck_assert(sealer_take(&sealer, &offer));
    ck_assert(sealer_seal(&sealer, SSL3_RT_APPLICATION_DATA, key, 4, record));
    sealer_end(&sealer);
    ck_assert(!sealer.on);
    ck_assert_ptr_null(sealer.keyed);
    ck_assert_mem_eq(sealer.key, nothing, sizeof nothing);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sealer");
    TCase *tcase = tcase_create("sealer");

    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, records_are_those_of_rfc_8448);
    tcase_add_loop_test(tcase, records_of_every_length_and_type_open_under_their_number, 0, SEALER_CIPHERS);
    tcase_add_test(tcase, only_what_it_understands_is_taken);
    tcase_add_test(tcase, a_key_that_was_let_go_is_nowhere);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
