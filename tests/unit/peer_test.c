#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

enum { T = 1, N = 2, B = 4 };

/* Which getters answer a field at all: once the handshake is complete, and before its first step. */
static const struct field {
    int32_t field;
    int done_client, done_server;
    int early_client, early_server;
} fields[] = {
    {TLSSHIM_CONN_VERSION, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_CIPHER, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_CIPHER_BITS, N, N, 0, 0},
    {TLSSHIM_CONN_SHARED_CIPHERS, 0, T, 0, 0},
    {TLSSHIM_CONN_GROUP, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_SIGNATURE, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_PEER_SIGNATURE, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_ALPN, T | B, T | B, 0, 0},
    {TLSSHIM_CONN_ALPN_OFFERED, B, B, B, 0},
    {TLSSHIM_CONN_SERVER_NAME, T, T, T, 0},
    {TLSSHIM_CONN_VERIFY_NAME, T, 0, T, 0},
    {TLSSHIM_CONN_VERIFY_REPORT, T, T, 0, 0},
    {TLSSHIM_CONN_VERIFY_CODE, T | N, T | N, 0, 0},
    {TLSSHIM_CONN_VERIFIED, N, N, 0, 0},
    {TLSSHIM_CONN_RESUMED, N, N, 0, 0},
    {TLSSHIM_CONN_EXTENDED_MASTER_SECRET, N, N, 0, 0},
    {TLSSHIM_CONN_SECURE_RENEGOTIATION, N, N, 0, 0},
    {TLSSHIM_CONN_HELLO_RETRY, N, N, 0, 0},
    {TLSSHIM_CONN_CERTIFICATE_REQUESTED, N, 0, 0, 0},
    {TLSSHIM_CONN_CLIENT_RANDOM, B, B, 0, 0},
    {TLSSHIM_CONN_STAPLE, 0, 0, 0, 0},
    {TLSSHIM_CONN_ERROR, 0, 0, 0, 0},
    {TLSSHIM_CONN_BYTES_IN, N, N, N, N},
    {TLSSHIM_CONN_BYTES_OUT, N, N, N, N},
    {TLSSHIM_CONN_RECORDS_IN, N, N, N, N},
    {TLSSHIM_CONN_RECORDS_OUT, N, N, N, N},
    {TLSSHIM_CONN_HANDSHAKE_MS, N, N, 0, 0},
    {TLSSHIM_CONN_INSECURE, N, N, N, N},
    {TLSSHIM_CONN_PSK_IDENTITY, 0, 0, 0, 0},
};
enum { FIELDS = sizeof fields / sizeof fields[0] };

static struct pair *mutual(int32_t version)
{
    int64_t client = client_context(version, certs()->trust, certs()->client_rsa);
    int64_t server = server_context(version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    set_alpn(client, "h2,x", TLSSHIM_ALPN_CONTINUE);
    set_alpn(server, "h2", TLSSHIM_ALPN_CONTINUE);
    return pair_new(client, server, PIPE_MOST);
}

static int answers(int64_t conn, int32_t field)
{
    char out[4096];
    int64_t n;
    int32_t text = tlsshim_conn_text(conn, field, out, sizeof out);
    int32_t bytes = tlsshim_conn_bytes(conn, field, out, sizeof out);
    int32_t number = tlsshim_conn_number(conn, field, &n);

    ck_assert(text > 0 || text == TLSSHIM_NONE);
    ck_assert(bytes > 0 || bytes == TLSSHIM_NONE);
    ck_assert(number == TLSSHIM_OK || number == TLSSHIM_NONE);
    return (text > 0 ? T : 0) | (number == TLSSHIM_OK ? N : 0) | (bytes > 0 ? B : 0);
}

START_TEST(each_field_answers_its_getters_and_no_other_and_not_too_early)
{
    struct pair *pair = mutual(_i);

    for (size_t i = 0; i < FIELDS; i++) {
        ck_assert_msg(answers(pair->client, fields[i].field) == fields[i].early_client, "field %d of a new client",
                      fields[i].field);
        ck_assert_msg(answers(pair->server, fields[i].field) == fields[i].early_server, "field %d of a new server",
                      fields[i].field);
    }
    pair_connect(pair);
    for (size_t i = 0; i < FIELDS; i++) {
        int server = fields[i].done_server;

        ck_assert_msg(answers(pair->client, fields[i].field) == fields[i].done_client, "field %d of a client: %d",
                      fields[i].field, answers(pair->client, fields[i].field));
        ck_assert_msg(answers(pair->server, fields[i].field) == server, "field %d of a server: %d", fields[i].field,
                      answers(pair->server, fields[i].field));
    }
}
END_TEST

START_TEST(a_getter_refuses_what_is_no_field)
{
    struct pair *pair = mutual(TLSSHIM_TLS_1_3);
    int64_t n = -1;
    char out[8];

    for (int32_t field = -1; field < 100; field += field == 0 ? 30 : 1) {
        ck_assert_result(tlsshim_conn_text(pair->client, field, out, sizeof out), TLSSHIM_E_ARGUMENT);
        ck_assert_result(tlsshim_conn_number(pair->client, field, &n), TLSSHIM_E_ARGUMENT);
        ck_assert_result(tlsshim_conn_bytes(pair->client, field, out, sizeof out), TLSSHIM_E_ARGUMENT);
    }
    ck_assert_result(tlsshim_conn_number(pair->client, TLSSHIM_CONN_BYTES_IN, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(n, -1);
}
END_TEST

START_TEST(values_are_what_was_negotiated_and_agree)
{
    struct pair *pair = mutual(_i);
    bool new_version = _i == TLSSHIM_TLS_1_3;
    uint8_t a[64], b[64];

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERSION), _i);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CIPHER), number_of(pair->server, TLSSHIM_CONN_CIPHER));
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CIPHER) >> 8, new_version ? 0x13 : 0xc0);
    ck_assert(strncmp(text_of(pair->client, TLSSHIM_CONN_CIPHER), "TLS_", 4) == 0);
    ck_assert(number_of(pair->client, TLSSHIM_CONN_CIPHER_BITS) >= 128);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_GROUP), 29);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_GROUP), "X25519");
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SIGNATURE), "ecdsa_secp256r1_sha256");
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_PEER_SIGNATURE), 0x0403);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_SIGNATURE), "rsa_pss_rsae_sha256");
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_PEER_SIGNATURE), 0x0804);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_EXTENDED_MASTER_SECRET), 1);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_HELLO_RETRY), 0);
    ck_assert_int_eq(tlsshim_conn_bytes(pair->client, TLSSHIM_CONN_CLIENT_RANDOM, a, sizeof a), 32);
    ck_assert_int_eq(tlsshim_conn_bytes(pair->server, TLSSHIM_CONN_CLIENT_RANDOM, b, sizeof b), 32);
    ck_assert_mem_eq(a, b, 32);
    ck_assert_int_eq(tlsshim_conn_bytes(pair->client, TLSSHIM_CONN_ALPN_OFFERED, a, sizeof a), 5);
    ck_assert_int_eq(tlsshim_conn_bytes(pair->server, TLSSHIM_CONN_ALPN_OFFERED, b, sizeof b), 5);
    ck_assert_mem_eq(a, b, 5);
    ck_assert_int_eq(tlsshim_conn_bytes(pair->server, TLSSHIM_CONN_ALPN, b, sizeof b), 2);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_BYTES_OUT), pair->up.passed);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_BYTES_IN), pair->up.passed);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_BYTES_IN), pair->down.passed);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_BYTES_OUT), pair->down.passed);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RECORDS_OUT),
                     number_of(pair->client, TLSSHIM_CONN_RECORDS_IN));
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT),
                     number_of(pair->server, TLSSHIM_CONN_RECORDS_IN));
    ck_assert_int_lt(number_of(pair->client, TLSSHIM_CONN_HANDSHAKE_MS), 5000);
}
END_TEST

START_TEST(certificates_are_told_to_both_ends)
{
    struct pair *pair = mutual(_i);
    int64_t mine, theirs;

    ck_assert_int_eq(tlsshim_conn_peer_cert(pair->client), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_conn_local_cert(pair->client), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_conn_verified_chain(pair->client), TLSSHIM_NONE);
    pair_connect(pair);
    for (int i = 0; i < 2; i++) {
        uint8_t a[32], b[32];

        mine = keep(tlsshim_conn_local_cert(i == 0 ? pair->client : pair->server));
        theirs = keep(tlsshim_conn_peer_cert(i == 0 ? pair->server : pair->client));
        ck_assert_int_eq(tlsshim_cert_digest(mine, "SHA256", 6, a, sizeof a), 32);
        ck_assert_int_eq(tlsshim_cert_digest(theirs, "SHA256", 6, b, sizeof b), 32);
        ck_assert_mem_eq(a, b, 32);
    }
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_verified_chain(pair->client))), 2);
}
END_TEST

/* --- keying material --- */

static int32_t keying(int64_t conn, const char *label, int32_t with_context, const char *context, uint8_t *out,
                      int32_t cap)
{
    return tlsshim_conn_export_keying(conn, label, (int32_t)strlen(label), with_context, context,
                                      (int32_t)strlen(context), out, cap);
}

START_TEST(both_ends_derive_the_same_keying_material)
{
    static uint8_t a[8161], b[8161], c[64];
    struct pair *pair = mutual(_i);

    ck_assert_result(keying(pair->client, "EXPORTER-test", 0, "", a, 32), TLSSHIM_E_STATE);
    pair_connect(pair);
    for (int32_t cap = 1; cap <= 8160; cap = cap * 3 + 1) {
        ck_assert_int_eq(keying(pair->client, "EXPORTER-test", 1, "context", a, cap), cap);
        ck_assert_int_eq(keying(pair->server, "EXPORTER-test", 1, "context", b, cap), cap);
        ck_assert_mem_eq(a, b, (size_t)cap);
    }
    ck_assert_int_eq(keying(pair->client, "EXPORTER-test", 1, "context", a, 64), 64);
    ck_assert_int_eq(keying(pair->client, "EXPORTER-else", 1, "context", b, 64), 64);
    ck_assert_mem_ne(a, b, 64);
    ck_assert_int_eq(keying(pair->client, "EXPORTER-test", 1, "other", b, 64), 64);
    ck_assert_mem_ne(a, b, 64);
    ck_assert_int_eq(keying(pair->client, "EXPORTER-test", 1, "", b, 64), 64);
    ck_assert_int_eq(keying(pair->client, "EXPORTER-test", 0, "", c, 64), 64);
    ck_assert_int_eq(memcmp(b, c, 64) == 0, _i == TLSSHIM_TLS_1_3);
    ck_assert_result(keying(pair->client, "EXPORTER-test", 2, "", a, 64), TLSSHIM_E_ARGUMENT);
    ck_assert_result(keying(pair->client, "EXPORTER-test", 0, "", a, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(keying(pair->client, "EXPORTER-test", 0, "", a, 8161), TLSSHIM_E_LIMIT);
    memset(a, 'x', 300);
    ck_assert_result(tlsshim_conn_export_keying(pair->client, a, 256, 0, "", 0, b, 32), TLSSHIM_E_LIMIT);
}
END_TEST

/* --- channel bindings --- */

static int32_t binding(int64_t conn, const char *type, uint8_t *out, int32_t cap)
{
    return tlsshim_conn_channel_binding(conn, type, (int32_t)strlen(type), out, cap);
}

static void equal_binding(struct pair *pair, const char *type, int32_t len)
{
    uint8_t a[64], b[64];

    ck_assert_int_eq(binding(pair->client, type, a, sizeof a), len);
    ck_assert_int_eq(binding(pair->server, type, b, sizeof b), len);
    ck_assert_mem_eq(a, b, (size_t)len);
}

START_TEST(bindings_are_equal_at_both_ends_full_and_resumed)
{
    int64_t client = client_context(_i, certs()->trust, 0), server = server_context(_i, certs()->server, 0, 0);
    struct pair *pair = pair_new(client, server, PIPE_MOST);
    uint8_t full[64], out[64];
    int64_t session;

    ck_assert_result(binding(pair->client, "tls-exporter", out, sizeof out), TLSSHIM_E_STATE);
    for (int resumed = 0; resumed < 2; resumed++) {
        pair_connect(pair);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), resumed);
        equal_binding(pair, "tls-exporter", 32);
        equal_binding(pair, "tls-server-end-point", 32);
        if (_i == TLSSHIM_TLS_1_2)
            equal_binding(pair, "tls-unique", 12);
        else
            ck_assert_result(binding(pair->client, "tls-unique", out, sizeof out), TLSSHIM_E_UNSUPPORTED);
        ck_assert_int_eq(binding(pair->client, "tls-exporter", out, sizeof out), 32);
        if (resumed == 1)
            ck_assert_mem_ne(full, out, 32);
        memcpy(full, out, 32);
        pair_send(pair, false, "x", 1);
        session = keep(tlsshim_conn_take_session(pair->client));
        pair = pair_new(client, server, PIPE_MOST);
        ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    }
    ck_assert_result(binding(pair->client, "tls-else", out, sizeof out), TLSSHIM_E_STATE);
    pair_connect(pair);
    ck_assert_result(binding(pair->client, "tls-else", out, sizeof out), TLSSHIM_E_ARGUMENT);
}
END_TEST

static int64_t self_signed(const char *algorithm, const char *digest)
{
    int64_t key = keep(tlsshim_key_generate(algorithm, (int32_t)strlen(algorithm)));
    int64_t tmpl = keep(tlsshim_template_new());

    ck_assert_ok(tlsshim_template_add_name(tmpl, "www.test", 8));
    if (digest != NULL)
        ck_assert_ok(tlsshim_template_set_digest(tmpl, digest, (int32_t)strlen(digest)));
    return keep(tlsshim_identity_new(keep(tlsshim_template_self_sign(tmpl, key)), key));
}

/* A certificate that is signed with RSA-PSS and this digest. */
static int64_t pss_signed(const EVP_MD *digest)
{
    int64_t identity = self_signed("RSA-2048", "SHA256");
    int64_t key = keep(tlsshim_identity_key(identity));
    OSSL_LIB_CTX *hosts = OSSL_LIB_CTX_set0_default(support_context());
    uint8_t der[8192];
    const uint8_t *at = der;
    int32_t len = tlsshim_cert_export(keep(tlsshim_identity_cert(identity)), TLSSHIM_FORMAT_DER, der, sizeof der);
    X509 *cert = d2i_X509(NULL, &at, len);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options;
    EVP_PKEY *pkey;
    uint8_t *out = NULL;
    int64_t made;

    at = der;
    len = tlsshim_key_export(key, TLSSHIM_FORMAT_DER, "", 0, der, sizeof der);
    pkey = d2i_AutoPrivateKey(NULL, &at, len);
    ck_assert(cert != NULL && pkey != NULL);
    ck_assert_int_eq(EVP_DigestSignInit(sign, &options, digest, NULL, pkey), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
    ck_assert_int_gt(X509_sign_ctx(cert, sign), 0);
    len = i2d_X509(cert, &out);
    made = keep(tlsshim_identity_new(keep(tlsshim_cert_load(out, len)), key));
    OPENSSL_free(out);
    X509_free(cert);
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(sign);
    OSSL_LIB_CTX_set0_default(hosts);
    return made;
}

/* RFC 5929 section 4.1: the digest is that of the certificate's signature, which has none with Ed25519. */
START_TEST(the_end_point_binding_follows_the_certificates_signature)
{
    static const struct {
        const char *algorithm, *digest;
        int32_t len;
    } cases[] = {{"P-256", "SHA256", 32}, {"P-384", "SHA384", 48}, {"RSA-2048", "SHA512", 64},
                 {"ED25519", NULL, 0},    {"PSS", "SHA2-256", 32}, {"PSS", "SHA2-384", 48}};
    bool pss = _i >= 4;
    int64_t identity =
        pss ? pss_signed(_i == 4 ? EVP_sha256() : EVP_sha384()) : self_signed(cases[_i].algorithm, cases[_i].digest);
    int64_t cert = keep(tlsshim_identity_cert(identity));
    int64_t trust = keep(tlsshim_trust_new());
    struct pair *pair;
    uint8_t out[64], digest[64];

    ck_assert_ok(tlsshim_trust_add_cert(trust, cert));
    pair = pair_new(client_context(0, trust, 0), server_context(0, identity, 0, 0), PIPE_MOST);
    pair_connect(pair);
    if (cases[_i].len == 0) {
        ck_assert_result(binding(pair->client, "tls-server-end-point", out, sizeof out), TLSSHIM_E_UNSUPPORTED);
        ck_assert_result(binding(pair->server, "tls-server-end-point", out, sizeof out), TLSSHIM_E_UNSUPPORTED);
        return;
    }
    equal_binding(pair, "tls-server-end-point", cases[_i].len);
    ck_assert_int_eq(binding(pair->client, "tls-server-end-point", out, sizeof out), cases[_i].len);
    ck_assert_int_eq(
        tlsshim_cert_digest(cert, cases[_i].digest, (int32_t)strlen(cases[_i].digest), digest, sizeof digest),
        cases[_i].len);
    ck_assert_mem_eq(out, digest, (size_t)cases[_i].len);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer");
    TCase *tests = tcase_create("peer");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, each_field_answers_its_getters_and_no_other_and_not_too_early, TLSSHIM_TLS_1_2,
                        TLSSHIM_TLS_1_3 + 1);
    tcase_add_test(tests, a_getter_refuses_what_is_no_field);
    tcase_add_loop_test(tests, values_are_what_was_negotiated_and_agree, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, certificates_are_told_to_both_ends, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, both_ends_derive_the_same_keying_material, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, bindings_are_equal_at_both_ends_full_and_resumed, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3 + 1);
    tcase_add_loop_test(tests, the_end_point_binding_follows_the_certificates_signature, 0, 6);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
