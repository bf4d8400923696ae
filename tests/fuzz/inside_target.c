/* What a peer sends after the handshake of TLS 1.3, under the right keys: session tickets, key changes, alerts and
 * whatever else. The first byte says whether our end is the server; then records: type, length (two bytes), bytes.
 *
 * The other end is OpenSSL's, up to the handshake; its traffic secret seals the records. */
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "fuzz.h"

enum { SECRET = 32, KEY = 16, IV = 12, TAG = 16, RECORD = 16384, RECORDS_MOST = 16 };

static uint8_t secret[SECRET]; /* of the peer's application traffic */
static const char *secret_label;

struct peer {
    SSL *ssl;
    BIO *in, *out;
    uint8_t key[KEY], iv[IV];
    uint64_t records;
};

static void on_secret(const SSL *ssl, const char *line)
{
    const char *at = strrchr(line, ' ') + 1;

    (void)ssl;
    if (strncmp(line, secret_label, strlen(secret_label)) != 0)
        return;
    for (int i = 0; i < SECRET; i++) {
        unsigned byte;

        sscanf(at + 2L * i, "%2x", &byte);
        secret[i] = (uint8_t)byte;
    }
}

static BIO *pem_of(int64_t identity, int key)
{
    int64_t part = fuzz_must(key ? tlsshim_identity_key(identity) : tlsshim_identity_cert(identity));
    int32_t len = key ? tlsshim_key_export(part, TLSSHIM_FORMAT_PEM, "", 0, fuzz_room, FUZZ_ROOM)
                      : tlsshim_cert_export(part, TLSSHIM_FORMAT_PEM, fuzz_room, FUZZ_ROOM);
    BIO *bio = BIO_new(BIO_s_mem());

    BIO_write(bio, fuzz_room, (int)fuzz_must(len));
    fuzz_close(part);
    return bio;
}

static SSL_CTX *peer_context(int server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    BIO *cert = pem_of(fuzz_stage()->server_identity, 0), *key = pem_of(fuzz_stage()->server_identity, 1);
    X509 *x509 = PEM_read_bio_X509(cert, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

    if (SSL_CTX_use_certificate(ctx, x509) != 1 || SSL_CTX_use_PrivateKey(ctx, pkey) != 1)
        fuzz_broken("the peer has a certificate");
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_keylog_callback(ctx, on_secret);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    BIO_free(cert);
    BIO_free(key);
    return ctx;
}

/* RFC 8446 section 7.1, without a context. */
static void expand(const char *label, uint8_t *out, size_t len)
{
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    uint8_t info[64] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    size_t info_len = 3 + 6 + strlen(label) + 1;

    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    if (EVP_PKEY_derive_init(kdf) != 1 || EVP_PKEY_CTX_set_hkdf_mode(kdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) != 1 ||
        EVP_PKEY_CTX_set_hkdf_md(kdf, EVP_sha256()) != 1 || EVP_PKEY_CTX_set1_hkdf_key(kdf, secret, SECRET) != 1 ||
        EVP_PKEY_CTX_add1_hkdf_info(kdf, info, (int)info_len) != 1 || EVP_PKEY_derive(kdf, out, &len) != 1)
        fuzz_broken("the keys can be derived");
    EVP_PKEY_CTX_free(kdf);
}

/* 1 = the handshake is complete at both ends. */
static int connect_to(struct peer *peer, int64_t conn)
{
    int32_t ours, len;
    int theirs, some;

    for (int i = 0; i < 8; i++) {
        ours = tlsshim_conn_handshake(conn);
        while ((len = tlsshim_conn_drain(conn, fuzz_room, FUZZ_ROOM)) > 0)
            BIO_write(peer->in, fuzz_room, len);
        theirs = SSL_do_handshake(peer->ssl);
        while ((some = BIO_read(peer->out, fuzz_room, FUZZ_ROOM)) > 0)
            fuzz_result(tlsshim_conn_feed(conn, fuzz_room, some));
        if (ours == TLSSHIM_OK && theirs == 1)
            return 1;
    }
    return 0;
}

static void send_record(struct peer *peer, int64_t conn, uint8_t type, const uint8_t *data, size_t len)
{
    static uint8_t wire[5 + RECORD + 1 + TAG], plain[RECORD + 1];
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    uint8_t nonce[IV];
    int some;

    memcpy(plain, data, len);
    plain[len] = type;
    memcpy(wire, "\x17\x03\x03", 3);
    wire[3] = (uint8_t)((len + 1 + TAG) >> 8);
    wire[4] = (uint8_t)(len + 1 + TAG);
    memcpy(nonce, peer->iv, IV);
    for (size_t i = 0; i < 8; i++)
        nonce[IV - 1 - i] ^= (uint8_t)(peer->records >> (8 * i));
    peer->records++;
    if (EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, peer->key, nonce) != 1 ||
        EVP_EncryptUpdate(cipher, NULL, &some, wire, 5) != 1 ||
        EVP_EncryptUpdate(cipher, wire + 5, &some, plain, (int)len + 1) != 1 ||
        EVP_EncryptFinal_ex(cipher, wire + 5 + some, &some) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG, wire + 5 + len + 1) != 1)
        fuzz_broken("a record can be sealed");
    EVP_CIPHER_CTX_free(cipher);
    fuzz_result(tlsshim_conn_feed(conn, wire, (int32_t)(5 + len + 1 + TAG)));
    fuzz_drive(conn);
}

/* Sessions that the peer gave are exported, and offered to another server. */
static void use_sessions(int64_t conn)
{
    const struct fuzz_stage *stage = fuzz_stage();
    int64_t session;

    while ((session = fuzz_result(tlsshim_conn_take_session(conn))) > 0) {
        int32_t len = (int32_t)fuzz_must(tlsshim_session_export(session, fuzz_room, FUZZ_ROOM));
        int64_t again = fuzz_must(tlsshim_session_load(fuzz_room, len));
        int64_t client = fuzz_must(tlsshim_conn_new(stage->client, "www.test", 8));
        int64_t server = fuzz_must(tlsshim_conn_new(stage->server, "", 0));

        if (fuzz_result(tlsshim_conn_set_session(client, again)) == TLSSHIM_OK && !fuzz_connect(client, server))
            fuzz_broken("a stranger's ticket costs a full handshake, no failure");
        fuzz_close(server);
        fuzz_close(client);
        fuzz_close(again);
        fuzz_close(session);
    }
}

static void talk(struct peer *peer, int64_t conn, const uint8_t *data, size_t len)
{
    for (int i = 0; i < RECORDS_MOST && len >= 3; i++) {
        size_t size = (size_t)data[1] << 8 | data[2];

        if (size > len - 3)
            size = len - 3;
        if (size > RECORD)
            return;
        send_record(peer, conn, data[0], data + 3, size);
        data += 3 + size;
        len -= 3 + size;
    }
}

void fuzz(const uint8_t *data, size_t len)
{
    static SSL_CTX *contexts[2]; /* the peer's: as a client, as a server */
    struct peer peer = {0};
    int ours_serves;
    int64_t conn;

    if (contexts[0] == NULL) {
        contexts[0] = peer_context(0);
        contexts[1] = peer_context(1);
    }
    if (len == 0)
        return;
    ours_serves = data[0] & 1;
    secret_label = ours_serves ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0";
    peer.in = BIO_new(BIO_s_mem());
    peer.out = BIO_new(BIO_s_mem());
    peer.ssl = SSL_new(contexts[!ours_serves]);
    SSL_set_bio(peer.ssl, peer.in, peer.out);
    if (ours_serves)
        SSL_set_connect_state(peer.ssl);
    else
        SSL_set_accept_state(peer.ssl);
    conn = ours_serves ? fuzz_must(tlsshim_conn_new(fuzz_stage()->server, "", 0))
                       : fuzz_must(tlsshim_conn_new(fuzz_stage()->client, "www.test", 8));
    if (!connect_to(&peer, conn))
        fuzz_broken("the stage's ends connect");
    expand("key", peer.key, KEY);
    expand("iv", peer.iv, IV);
    talk(&peer, conn, data + 1, len - 1);
    if (!ours_serves)
        use_sessions(conn);
    fuzz_close(conn);
    SSL_free(peer.ssl);
}
