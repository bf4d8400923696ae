/* Peers that do what no good peer does. */
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "support/pair.h"

/* --- a client that is the bare backend, whose records can be forged --- */

struct rogue {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out;
    uint8_t secret[32]; /* of what it sends once the handshake is complete */
    uint64_t sequence;
};

static struct rogue rogue;

static void on_secret(const SSL *ssl, const char *line)
{
    const char *hex = strrchr(line, ' ');

    (void)ssl;
    if (strncmp(line, "CLIENT_TRAFFIC_SECRET_0 ", 24) != 0 || hex == NULL || strlen(hex + 1) != 64)
        return;
    for (int i = 0; i < 32; i++) {
        unsigned byte = 0;

        sscanf(hex + 1 + 2 * i, "%2x", &byte);
        rogue.secret[i] = (uint8_t)byte;
    }
}

static void rogue_begin(bool client)
{
    rogue = (struct rogue){0};
    rogue.ctx = SSL_CTX_new_ex(support_context(), NULL, client ? TLS_client_method() : TLS_server_method());
    ck_assert_ptr_nonnull(rogue.ctx);
    SSL_CTX_set_keylog_callback(rogue.ctx, on_secret);
    ck_assert_int_eq(SSL_CTX_set_ciphersuites(rogue.ctx, "TLS_AES_128_GCM_SHA256"), 1);
}

static void rogue_connect(bool client)
{
    rogue.ssl = SSL_new(rogue.ctx);
    rogue.in = BIO_new(BIO_s_mem());
    rogue.out = BIO_new(BIO_s_mem());
    SSL_set_bio(rogue.ssl, rogue.in, rogue.out);
    if (client)
        SSL_set_connect_state(rogue.ssl);
    else
        SSL_set_accept_state(rogue.ssl);
}

static void rogue_end(void)
{
    SSL_free(rogue.ssl);
    SSL_CTX_free(rogue.ctx);
}

/* Both step until nothing moves; gives the result of the connection's last step. */
static int32_t rogue_handshake(int64_t conn)
{
    uint8_t wire[16384];
    int32_t result = TLSSHIM_WANT_FEED;

    for (int steps = 0; steps < 20; steps++) {
        int len;

        SSL_do_handshake(rogue.ssl);
        len = BIO_read(rogue.out, wire, sizeof wire);
        if (len > 0)
            (void)tlsshim_conn_feed(conn, wire, len);
        result = tlsshim_conn_handshake(conn);
        while ((len = tlsshim_conn_drain(conn, wire, sizeof wire)) > 0)
            BIO_write(rogue.in, wire, len);
    }
    return result;
}

static void expand(const char *label, uint8_t *out, size_t len)
{
    uint8_t info[64] = {0, (uint8_t)len, (uint8_t)(6 + strlen(label))};
    size_t info_len = 3 + 6 + strlen(label) + 1;
    EVP_PKEY_CTX *kdf = EVP_PKEY_CTX_new_from_name(support_context(), "HKDF", NULL);

    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, strlen(label));
    ck_assert_int_eq(EVP_PKEY_derive_init(kdf), 1);
    EVP_PKEY_CTX_set_hkdf_mode(kdf, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY);
    EVP_PKEY_CTX_set_hkdf_md(kdf, EVP_sha256());
    EVP_PKEY_CTX_set1_hkdf_key(kdf, rogue.secret, sizeof rogue.secret);
    EVP_PKEY_CTX_add1_hkdf_info(kdf, info, (int)info_len);
    ck_assert_int_eq(EVP_PKEY_derive(kdf, out, &len), 1);
    EVP_PKEY_CTX_free(kdf);
}

/* A record of TLS 1.3 as the rogue would send it next (RFC 8446 section 5.2); gives its length. */
static int32_t forge(uint8_t type, const void *data, size_t len, uint8_t *record)
{
    uint8_t key[16], nonce[12], inner[512];
    EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(support_context(), "AES-128-GCM", NULL);
    int done;

    expand("key", key, sizeof key);
    expand("iv", nonce, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[11 - i] ^= (uint8_t)(rogue.sequence >> (8 * i));
    rogue.sequence++;
    memcpy(inner, data, len);
    inner[len] = type;
    memcpy(record, (uint8_t[]){23, 3, 3, (uint8_t)((len + 17) >> 8), (uint8_t)(len + 17)}, 5);
    EVP_EncryptInit_ex2(gcm, cipher, key, nonce, NULL);
    EVP_EncryptUpdate(gcm, NULL, &done, record, 5);
    EVP_EncryptUpdate(gcm, record + 5, &done, inner, (int)len + 1);
    EVP_EncryptFinal_ex(gcm, record + 5 + done, &done);
    EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, 16, record + 5 + len + 1);
    EVP_CIPHER_CTX_free(gcm);
    EVP_CIPHER_free(cipher);
    return (int32_t)(5 + len + 17);
}

static int64_t forged_server(void)
{
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    int64_t conn;

    ck_assert_ok(tlsshim_context_set_tickets(server, 0));
    conn = keep(tlsshim_conn_new(server, "", 0));
    rogue_begin(true);
    rogue_connect(true);
    ck_assert_int_eq(rogue_handshake(conn), TLSSHIM_OK);
    return conn;
}

static void feed(int64_t conn, const uint8_t *data, int32_t len)
{
    must_be(tlsshim_conn_feed(conn, data, len), len);
}

START_TEST(a_forged_record_is_read_like_any_other)
{
    int64_t conn = forged_server();
    uint8_t record[600];
    char data[16];

    feed(conn, record, forge(23, "forged", 6, record));
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), 6);
    ck_assert_mem_eq(data, "forged", 6);
    rogue_end();
}
END_TEST

/* The backend can seal nothing while it is within a message: what is written waits, and nothing fails or spins. */
START_TEST(a_message_begun_and_not_ended_keeps_writes_waiting)
{
    static const uint8_t update[5] = {24, 0, 0, 1, 1};
    int64_t conn = forged_server();
    uint8_t record[600], wire[600];
    char data[16];
    int32_t taken = -1;

    feed(conn, record, forge(22, update, 4, record));
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_write(conn, "waits", 5), 5);
    ck_assert_int_eq(tlsshim_conn_pending_out(conn), 0);
    ck_assert_int_eq(tlsshim_conn_state(conn) & (TLSSHIM_STATE_OUTPUT_PENDING | TLSSHIM_STATE_FAILED), 0);
    ck_assert_int_eq(tlsshim_conn_drain(conn, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_seal(conn, "x", 1, wire, sizeof wire, &taken), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(taken, 0);
    ck_assert_int_eq(tlsshim_conn_key_update(conn, 0), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_shutdown(conn), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_FEED);
    feed(conn, record, forge(22, update + 4, 1, record));
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_DRAIN);
    taken = tlsshim_conn_drain(conn, wire, sizeof wire);
    ck_assert_int_gt(taken, 40); /* the answer to the update, and what was written */
    BIO_write(rogue.in, wire, taken);
    ck_assert_int_eq(SSL_read(rogue.ssl, data, sizeof data), 5);
    ck_assert_mem_eq(data, "waits", 5);
    rogue_end();
}
END_TEST

START_TEST(a_flood_of_empty_records_ends_the_connection)
{
    int64_t conn = forged_server();
    uint8_t record[600];
    char data[16];
    int32_t result = TLSSHIM_WANT_FEED;

    for (int i = 0; i < 1000 && result > TLSSHIM_E_HANDLE; i++) {
        feed(conn, record, forge(23, "", 0, record));
        if (i % 100 == 99)
            result = tlsshim_conn_read(conn, data, sizeof data);
    }
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    rogue_end();
}
END_TEST

/* Alerts that are no end, data of an unknown kind, a message that no peer sends now, a second hello. */
START_TEST(records_that_make_no_sense_end_the_connection)
{
    static const struct {
        uint8_t type;
        const char *data;
        size_t len;
        int32_t error;
    } cases[] = {
        {21, "\2\50", 2, TLSSHIM_E_ALERT},         {21, "\1\50", 2, TLSSHIM_E_ALERT},
        {21, "\1", 1, TLSSHIM_E_PROTOCOL},         {99, "x", 1, TLSSHIM_E_PROTOCOL},
        {20, "\1", 1, TLSSHIM_E_PROTOCOL},         {22, "\24\0\0\1\0", 5, TLSSHIM_E_PROTOCOL},
        {22, "\1\0\0\1\0", 5, TLSSHIM_E_PROTOCOL}, {22, "\30\0\0\1\7", 5, TLSSHIM_E_PROTOCOL},
        {22, "", 0, TLSSHIM_E_PROTOCOL},
    };
    int64_t conn = forged_server();
    uint8_t record[600];
    char data[16];

    feed(conn, record, forge(23, "good", 4, record));
    feed(conn, record, forge(cases[_i].type, cases[_i].data, cases[_i].len, record));
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), 4);
    ck_assert_result(tlsshim_conn_read(conn, data, sizeof data), cases[_i].error);
    ck_assert_result(tlsshim_conn_read(conn, data, sizeof data), cases[_i].error);
    rogue_end();
}
END_TEST

START_TEST(a_second_hello_must_name_the_same_server)
{
    static const char *const second[] = {"www.test", "other.test", NULL};
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    uint8_t wire[16384];
    int32_t len;
    int64_t conn;

    ck_assert_ok(tlsshim_context_set_groups(server, "P-384", 5));
    conn = keep(tlsshim_conn_new(server, "", 0));
    rogue_begin(true);
    rogue_connect(true);
    ck_assert_int_eq((int)SSL_set1_groups_list(rogue.ssl, "X25519:P-384"), 1);
    ck_assert_int_eq((int)SSL_set_tlsext_host_name(rogue.ssl, "www.test"), 1);
    SSL_do_handshake(rogue.ssl);
    len = BIO_read(rogue.out, wire, sizeof wire);
    feed(conn, wire, len);
    ck_assert_int_eq(tlsshim_conn_handshake(conn), TLSSHIM_WANT_DRAIN);
    len = tlsshim_conn_drain(conn, wire, sizeof wire);
    BIO_write(rogue.in, wire, len);
    ck_assert_int_eq((int)SSL_set_tlsext_host_name(rogue.ssl, second[_i]), 1);
    ck_assert_result(rogue_handshake(conn), _i == 0 ? TLSSHIM_OK : TLSSHIM_E_PROTOCOL);
    rogue_end();
}
END_TEST

/* --- a server that is the bare backend --- */

static int choose_unoffered(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                            unsigned in_len, void *arg)
{
    (void)ssl, (void)in, (void)in_len, (void)arg;
    *out = (const unsigned char *)"zz";
    *out_len = 2;
    return SSL_TLSEXT_ERR_OK;
}

START_TEST(a_server_that_chooses_a_protocol_that_was_not_offered_is_refused)
{
    int64_t client = client_context(_i, certs()->trust, 0);
    int64_t conn;
    uint8_t der[8192];
    int32_t len;

    set_alpn(client, "h2", TLSSHIM_ALPN_CONTINUE);
    conn = keep(tlsshim_conn_new(client, "www.test", 8));
    rogue_begin(false);
    len = tlsshim_cert_export(keep(tlsshim_identity_cert(certs()->server)), TLSSHIM_FORMAT_DER, der, sizeof der);
    ck_assert_int_eq(SSL_CTX_use_certificate_ASN1(rogue.ctx, len, der), 1);
    len = tlsshim_key_export(keep(tlsshim_identity_key(certs()->server)), TLSSHIM_FORMAT_DER, "", 0, der, sizeof der);
    {
        const uint8_t *at = der;
        EVP_PKEY *key = d2i_AutoPrivateKey_ex(NULL, &at, len, support_context(), NULL);

        ck_assert_int_eq(SSL_CTX_use_PrivateKey(rogue.ctx, key), 1);
        EVP_PKEY_free(key);
    }
    SSL_CTX_set_alpn_select_cb(rogue.ctx, choose_unoffered, NULL);
    rogue_connect(false);
    ck_assert_result(rogue_handshake(conn), TLSSHIM_E_PROTOCOL);
    rogue_end();
}
END_TEST

/* --- bytes altered on the way --- */

START_TEST(empty_records_before_the_handshake_hold_nobody)
{
    int64_t conn = _i == 0 ? keep(tlsshim_conn_new(client_context(0, certs()->trust, 0), "www.test", 8))
                           : keep(tlsshim_conn_new(server_context(0, certs()->server, 0, 0), "", 0));
    int32_t result = TLSSHIM_WANT_FEED;

    for (int i = 0; i < 200 && result > TLSSHIM_E_HANDLE; i++) {
        ck_assert_int_eq(tlsshim_conn_feed(conn, "\26\3\1\0\0", 5), 5);
        result = tlsshim_conn_handshake(conn);
    }
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
}
END_TEST

/* Whatever bit is flipped: an end that calls itself connected has the very same keys as the other, or none is. */
START_TEST(a_flipped_bit_never_makes_two_ends_disagree)
{
    bool up = _i % 2 == 0;
    int32_t version = _i / 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = client_context(version, certs()->trust, certs()->client);
    int64_t server = server_context(version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t whole = 2000;

    for (int64_t flip = 0; flip < whole; flip += 7) {
        int64_t ends[2] = {a_handle(tlsshim_conn_new(client, "www.test", 8)),
                           a_handle(tlsshim_conn_new(server, "", 0))};
        int64_t passed = 0;
        uint8_t wire[PIPE_MOST], a[32], b[32];

        for (int steps = 0; steps < 12; steps++) {
            int from = steps % 2, len;

            (void)tlsshim_conn_handshake(ends[from]);
            len = tlsshim_conn_drain(ends[from], wire, sizeof wire);
            if ((from == 0) == up) {
                if (flip >= passed && flip < passed + len)
                    wire[flip - passed] ^= (uint8_t)(1 << flip % 8);
                passed += len;
            }
            (void)tlsshim_conn_feed(ends[1 - from], wire, len);
        }
        whole = passed > flip ? whole : flip;
        if (tlsshim_conn_export_keying(ends[0], "EXPORTER-x", 10, 0, "", 0, a, 32) == 32 &&
            tlsshim_conn_export_keying(ends[1], "EXPORTER-x", 10, 0, "", 0, b, 32) == 32 && memcmp(a, b, 32) != 0)
            ck_abort_msg("bit flipped in byte %lld: both are connected, and not to each other", (long long)flip);
        must_be(tlsshim_close(ends[0]), TLSSHIM_OK);
        must_be(tlsshim_close(ends[1]), TLSSHIM_OK);
    }
}
END_TEST

/* The rogue end is OpenSSL's own, throughout. */
static void own_algorithms(void)
{
    OSSL_LIB_CTX_set0_default(support_context());
}

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = tcase_create("hostile");

    certs();
    tcase_add_checked_fixture(tests, own_algorithms, NULL);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_test(tests, a_forged_record_is_read_like_any_other);
    tcase_add_test(tests, a_message_begun_and_not_ended_keeps_writes_waiting);
    tcase_add_test(tests, a_flood_of_empty_records_ends_the_connection);
    tcase_add_loop_test(tests, records_that_make_no_sense_end_the_connection, 0, 9);
    tcase_add_loop_test(tests, a_second_hello_must_name_the_same_server, 0, 3);
    tcase_add_loop_test(tests, a_server_that_chooses_a_protocol_that_was_not_offered_is_refused, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, empty_records_before_the_handshake_hold_nobody, 0, 2);
    tcase_add_loop_test(tests, a_flipped_bit_never_makes_two_ends_disagree, 0, 4);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
