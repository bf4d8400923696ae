#include "support/rogue.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>

enum { KEY = 16, IV = 12, SALT = 4, TAG = 16, HEAD = 5, MASTER = 4 };

/* --- secrets and keys --- */

/* Secrets by epoch and side; the last is TLS 1.2's. */
static const char *const labels[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                     "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ", "CLIENT_RANDOM "};

static void on_secret(const SSL *ssl, const char *line)
{
    struct rogue *rogue = SSL_get_app_data(ssl);
    const char *hex = strrchr(line, ' ') + 1;

    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        size_t len = strlen(hex) / 2;

        if (strncmp(line, labels[i], strlen(labels[i])) != 0 || len > sizeof rogue->secrets[i])
            continue;
        for (size_t at = 0; at < len; at++) {
            unsigned byte = 0;

            sscanf(hex + 2 * at, "%2x", &byte);
            rogue->secrets[i][at] = (uint8_t)byte;
        }
    }
}

static void expand(const uint8_t *secret, const char *label, uint8_t *out, size_t len)
{
    uint8_t info[64] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_from_name(support_context(), "HKDF", NULL);

    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    ck_assert_int_eq(EVP_PKEY_derive_init(kdf), 1);
    EVP_PKEY_CTX_set_hkdf_mode(kdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
    EVP_PKEY_CTX_set_hkdf_md(kdf, EVP_sha256());
    EVP_PKEY_CTX_set1_hkdf_key(kdf, secret, 32);
    EVP_PKEY_CTX_add1_hkdf_info(kdf, info, (int)(3 + 6 + strlen(label) + 1));
    ck_assert_int_eq(EVP_PKEY_derive(kdf, out, &len), 1);
    EVP_PKEY_CTX_free(kdf);
}

/* RFC 5246 section 6.3: client's key, server's key, client's salt, server's salt. Made once, since a wish to
 * renegotiate brings new random numbers. */
static void key_block(struct rogue *rogue)
{
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_from_name(support_context(), "TLS1-PRF", NULL);
    uint8_t random[32];
    size_t len = sizeof rogue->block;

    rogue->block_made = true;
    ck_assert_int_eq(EVP_PKEY_derive_init(kdf), 1);
    EVP_PKEY_CTX_set_tls1_prf_md(kdf, EVP_sha256());
    EVP_PKEY_CTX_set1_tls1_prf_secret(kdf, rogue->secrets[MASTER], 48);
    EVP_PKEY_CTX_add1_tls1_prf_seed(kdf, (const uint8_t *)"key expansion", 13);
    SSL_get_server_random(rogue->ssl, random, sizeof random);
    EVP_PKEY_CTX_add1_tls1_prf_seed(kdf, random, sizeof random);
    SSL_get_client_random(rogue->ssl, random, sizeof random);
    EVP_PKEY_CTX_add1_tls1_prf_seed(kdf, random, sizeof random);
    ck_assert_int_eq(EVP_PKEY_derive(kdf, rogue->block, &len), 1);
    EVP_PKEY_CTX_free(kdf);
}

static bool modern(const struct rogue *rogue)
{
    return SSL_version(rogue->ssl) >= TLS1_3_VERSION;
}

/* Key and nonce of a record; TLS 1.2 has the nonce's end in the record. */
static void keys_of(struct rogue *rogue, const struct cursor *cursor, bool client, uint8_t key[KEY], uint8_t nonce[IV],
                    const uint8_t *explicit)
{
    const uint8_t *secret = rogue->secrets[2 * cursor->epoch + (client ? 0 : 1)];

    if (modern(rogue)) {
        expand(secret, "key", key, KEY);
        expand(secret, "iv", nonce, IV);
        for (int i = 0; i < 8; i++)
            nonce[IV - 1 - i] ^= (uint8_t)(cursor->sequence >> (8 * i));
        return;
    }
    if (!rogue->block_made)
        key_block(rogue);
    memcpy(key, rogue->block + (client ? 0 : KEY), KEY);
    memcpy(nonce, rogue->block + 2 * KEY + (client ? 0 : SALT), SALT);
    memcpy(nonce + SALT, explicit, IV - SALT);
}

/* --- records --- */

struct aad {
    uint8_t data[13];
    int len;
};

static void big_endian(uint8_t *out, int bytes, uint64_t n)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(n >> (8 * (bytes - 1 - i)));
}

static struct aad aad_of(const struct rogue *rogue, const struct cursor *cursor, const uint8_t *head, size_t plain_len)
{
    struct aad aad = {.len = HEAD};

    if (modern(rogue)) {
        memcpy(aad.data, head, HEAD);
        return aad;
    }
    big_endian(aad.data, 8, cursor->sequence);
    memcpy(aad.data + 8, head, 3);
    big_endian(aad.data + 11, 2, plain_len);
    aad.len = 13;
    return aad;
}

static bool crypt(bool seal, const uint8_t *key, const uint8_t *nonce, const struct aad *aad, const uint8_t *in,
                  size_t len, uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(support_context(), "AES-128-GCM", NULL);
    uint8_t end[16];
    int done, good;

    EVP_CipherInit_ex2(gcm, cipher, key, nonce, seal, NULL);
    EVP_CipherUpdate(gcm, NULL, &done, aad->data, aad->len);
    EVP_CipherUpdate(gcm, out, &done, in, (int)len);
    if (!seal)
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, TAG, tag);
    good = EVP_CipherFinal_ex(gcm, end, &done);
    if (seal)
        EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TAG, tag);
    EVP_CIPHER_CTX_free(gcm);
    EVP_CIPHER_free(cipher);
    return good == 1;
}

/* What a record changes for those behind it in its direction. */
static void cursor_pass(const struct rogue *rogue, struct cursor *cursor, uint8_t type, const uint8_t *data)
{
    cursor->sequence += cursor->sealed;
    if (!modern(rogue) && type == CCS)
        *cursor = (struct cursor){.sealed = true};
    if (modern(rogue) && cursor->sealed && cursor->epoch == 0 && type == HANDSHAKE && data[0] == FINISHED)
        *cursor = (struct cursor){.sealed = true, .epoch = 1};
}

static bool record_open(struct rogue *rogue, struct cursor *cursor, bool client, const uint8_t *record, size_t len,
                        struct piece *piece)
{
    size_t front = modern(rogue) ? 0 : IV - SALT;
    const uint8_t *body = record + HEAD;
    uint8_t key[KEY], nonce[IV], tag[TAG];
    struct aad aad;

    piece->type = record[0];
    piece->dropped = false;
    piece->len = len - HEAD;
    if (modern(rogue)) /* alerts may still be plain then, and change_cipher_spec always is */
        cursor->sealed = record[0] == DATA;
    if (!cursor->sealed) {
        memcpy(piece->data, body, piece->len);
        cursor_pass(rogue, cursor, piece->type, piece->data);
        return true;
    }
    if (piece->len < front + TAG)
        return false;
    piece->len -= front + TAG;
    keys_of(rogue, cursor, client, key, nonce, body);
    aad = aad_of(rogue, cursor, record, piece->len);
    memcpy(tag, record + len - TAG, TAG);
    if (!crypt(false, key, nonce, &aad, body + front, piece->len, piece->data, tag))
        return false;
    if (modern(rogue)) {
        while (piece->len > 0 && piece->data[piece->len - 1] == 0)
            piece->len--;
        piece->type = piece->len > 0 ? piece->data[--piece->len] : 0;
    }
    cursor_pass(rogue, cursor, piece->type, piece->data);
    return true;
}

void rogue_raw(struct rogue *rogue, const void *data, size_t len)
{
    ck_assert_uint_le(rogue->wire.len + len, ROGUE_WIRE);
    memcpy(rogue->wire.data + rogue->wire.len, data, len);
    rogue->wire.len += len;
}

static void say_sealed(struct rogue *rogue, uint8_t type, const void *data, size_t len)
{
    size_t front = modern(rogue) ? 0 : IV - SALT, inner = modern(rogue) ? len + 1 : len;
    uint8_t record[HEAD + ROGUE_PIECE + 64], plain[ROGUE_PIECE + 1];
    uint8_t key[KEY], nonce[IV], explicit[IV - SALT];
    struct aad aad;

    memcpy(plain, data, len);
    plain[len] = type;
    record[0] = modern(rogue) ? DATA : type;
    memcpy(record + 1, "\3\3", 2);
    big_endian(record + 3, 2, front + inner + TAG);
    big_endian(explicit, 8, rogue->saying.sequence);
    memcpy(record + HEAD, explicit, front);
    keys_of(rogue, &rogue->saying, rogue->client, key, nonce, explicit);
    aad = aad_of(rogue, &rogue->saying, record, len);
    crypt(true, key, nonce, &aad, plain, inner, record + HEAD + front, record + HEAD + front + inner);
    if (rogue->spoil)
        record[HEAD + front] ^= 1;
    rogue->spoil = false;
    rogue_raw(rogue, record, HEAD + front + inner + TAG);
}

void rogue_say(struct rogue *rogue, uint8_t type, const void *data, size_t len)
{
    const uint8_t head[HEAD] = {type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len};
    bool plain = modern(rogue) && type == CCS;

    if (rogue->saying.sealed && !plain) {
        say_sealed(rogue, type, data, len);
    } else {
        rogue_raw(rogue, head, HEAD);
        rogue_raw(rogue, data, len);
    }
    if (!plain)
        cursor_pass(rogue, &rogue->saying, type, data);
}

/* --- what goes out and what comes in --- */

static size_t whole_record(const struct stretch *stretch)
{
    size_t len = stretch->len < HEAD ? 0 : (size_t)HEAD + ((size_t)stretch->data[3] << 8 | stretch->data[4]);

    return len > 0 && len <= stretch->len ? len : 0;
}

static void stretch_skip(struct stretch *stretch, size_t len)
{
    memmove(stretch->data, stretch->data + len, stretch->len - len);
    stretch->len -= len;
}

bool piece_is(const struct piece *piece, uint8_t message)
{
    return piece->type == HANDSHAKE && piece->len >= 4 && piece->data[0] == message;
}

static void send_piece(struct rogue *rogue, struct piece *piece)
{
    bool last = piece_is(piece, FINISHED);

    rogue->saying.sealed = rogue->saying.sealed || (modern(rogue) && rogue->opening.sealed);
    if (rogue->hook != NULL)
        rogue->hook(rogue, piece);
    if (!piece->dropped)
        rogue_say(rogue, piece->type, piece->data, piece->len);
    rogue->finished = rogue->finished || last;
}

static void send_made(struct rogue *rogue)
{
    struct piece piece;
    int some;
    size_t len;

    while ((some = BIO_read(rogue->out, rogue->made.data + rogue->made.len, (int)(ROGUE_WIRE - rogue->made.len))) > 0)
        rogue->made.len += (size_t)some;
    while ((len = whole_record(&rogue->made)) > 0) {
        ck_assert_msg(record_open(rogue, &rogue->opening, rogue->client, rogue->made.data, len, &piece),
                      "the rogue's own record cannot be opened");
        stretch_skip(&rogue->made, len);
        send_piece(rogue, &piece);
    }
}

static void listen_to(struct rogue *rogue)
{
    struct piece piece;
    size_t len;

    while ((len = whole_record(&rogue->heard)) > 0) {
        bool opened = rogue->ssl == NULL && rogue->heard.data[0] == ALERT;

        if (opened) {
            piece = (struct piece){.type = ALERT, .len = len - HEAD};
            memcpy(piece.data, rogue->heard.data + HEAD, piece.len);
        } else if (rogue->ssl != NULL) {
            opened = record_open(rogue, &rogue->hearing, !rogue->client, rogue->heard.data, len, &piece);
        }
        stretch_skip(&rogue->heard, len);
        if (!opened) {
            rogue->unreadable += rogue->ssl != NULL;
        } else if (piece.type == ALERT && piece.len == 2) {
            rogue->alerts++;
            rogue->alert_level = piece.data[0];
            rogue->alert = piece.data[1];
        } else if (piece.type == DATA) {
            rogue->data_heard += piece.len;
        }
    }
}

void rogue_hear(struct rogue *rogue, const void *data, size_t len)
{
    ck_assert_uint_le(rogue->heard.len + len, ROGUE_WIRE);
    memcpy(rogue->heard.data + rogue->heard.len, data, len);
    rogue->heard.len += len;
    if (rogue->ssl != NULL)
        BIO_write(rogue->in, data, (int)len);
}

bool rogue_done(const struct rogue *rogue)
{
    return rogue->ssl != NULL && SSL_is_init_finished(rogue->ssl);
}

void rogue_step(struct rogue *rogue)
{
    char data[256];

    if (rogue->ssl != NULL) {
        if (SSL_do_handshake(rogue->ssl) == 1)
            (void)SSL_read(rogue->ssl, data, sizeof data);
        send_made(rogue);
    }
    listen_to(rogue);
}

void rogue_begin(struct rogue *rogue, bool client)
{
    memset(rogue, 0, sizeof *rogue);
    rogue->client = client;
    rogue->ctx = SSL_CTX_new_ex(support_context(), NULL, client ? TLS_client_method() : TLS_server_method());
    ck_assert_ptr_nonnull(rogue->ctx);
    SSL_CTX_set_security_level(rogue->ctx, 0);
    SSL_CTX_set_keylog_callback(rogue->ctx, on_secret);
    SSL_CTX_set_num_tickets(rogue->ctx, 0);
    ck_assert_int_eq(SSL_CTX_set_ciphersuites(rogue->ctx, "TLS_AES_128_GCM_SHA256"), 1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(rogue->ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
                     1);
}

void rogue_connect(struct rogue *rogue)
{
    rogue->ssl = SSL_new(rogue->ctx);
    rogue->in = BIO_new(BIO_s_mem());
    rogue->out = BIO_new(BIO_s_mem());
    SSL_set_bio(rogue->ssl, rogue->in, rogue->out);
    SSL_set_app_data(rogue->ssl, rogue);
    if (rogue->client)
        SSL_set_connect_state(rogue->ssl);
    else
        SSL_set_accept_state(rogue->ssl);
}

void rogue_end(struct rogue *rogue)
{
    SSL_free(rogue->ssl);
    SSL_CTX_free(rogue->ctx);
}
