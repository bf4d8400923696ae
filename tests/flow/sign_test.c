/* Keys that are elsewhere: the connection asks for their signatures. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "support/pair.h"
#include "support/pki.h"

/* The "elsewhere" of these tests: OpenSSL, with the private halves. */
static struct agent {
    int64_t identity; /* with the external key */
    EVP_PKEY *private_half;
    char algorithm[16];
} agents[2]; /* of the client, of the server */

static int asked;
static int32_t last_scheme;

static EVP_PKEY *private_half_of(int64_t key)
{
    struct blob pem;
    EVP_PKEY *pkey;
    BIO *bio;

    ck_assert_ok(blob_fill(&pem, tlsshim_key_export, key, TLSSHIM_FORMAT_PEM, NULL, 0));
    bio = BIO_new_mem_buf(pem.data, pem.len);
    pkey = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, support_context(), NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(pkey);
    return pkey;
}

/* The leaf of an identity with a key that is elsewhere. */
static struct agent agent_new(const char *algorithm, const char *subject, const char *names)
{
    struct agent agent = {0};
    int64_t whole = certs_leaf(certs()->ca, algorithm, subject, names, -CERTS_DAY, 30 * CERTS_DAY);
    int64_t key = a_handle(tlsshim_identity_key(whole));
    int64_t cert = a_handle(tlsshim_identity_cert(whole));
    int64_t public_key = a_handle(tlsshim_cert_public_key(cert));
    int64_t external = a_handle(tlsshim_key_external(public_key));

    agent.private_half = private_half_of(key);
    agent.identity = a_handle(tlsshim_identity_new(cert, external));
    snprintf(agent.algorithm, sizeof agent.algorithm, "%s", algorithm);
    ck_assert_ok(tlsshim_close(whole));
    ck_assert_ok(tlsshim_close(key));
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ok(tlsshim_close(public_key));
    ck_assert_ok(tlsshim_close(external));
    return agent;
}

static void agents_make(const char *client, const char *server)
{
    agents[0] = agent_new(client, "CN=client", "");
    agents[1] = agent_new(server, "CN=server", "www.test");
    asked = 0;
}

static void agents_free(void)
{
    for (int i = 0; i < 2; i++) {
        EVP_PKEY_free(agents[i].private_half);
        ck_assert_ok(tlsshim_close(agents[i].identity));
    }
}

static int32_t bytes_of(int64_t conn, int32_t field, uint8_t *data, int32_t cap)
{
    return tlsshim_conn_event_bytes(conn, field, data, cap);
}

/* Signs the digest, as a device does that never sees the message. */
static size_t sign_digest(EVP_PKEY *pkey, const char *digest, bool pss, const uint8_t *input, int32_t input_len,
                          uint8_t *signature, size_t cap)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(support_context(), pkey, NULL);
    EVP_MD *md = EVP_MD_fetch(support_context(), digest, NULL);

    ck_assert_int_eq(EVP_PKEY_sign_init(context), 1);
    if (EVP_PKEY_is_a(pkey, "RSA"))
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING), 1);
    if (pss)
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 1);
    ck_assert_int_eq(EVP_PKEY_CTX_set_signature_md(context, md), 1);
    ck_assert_int_eq(EVP_PKEY_sign(context, signature, &cap, input, (size_t)input_len), 1);
    EVP_MD_free(md);
    EVP_PKEY_CTX_free(context);
    return cap;
}

static size_t sign_message(EVP_PKEY *pkey, const uint8_t *message, int32_t len, uint8_t *signature, size_t cap)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    ck_assert_int_eq(EVP_DigestSignInit_ex(context, NULL, NULL, support_context(), NULL, pkey, NULL), 1);
    ck_assert_int_eq(EVP_DigestSign(context, signature, &cap, message, (size_t)len), 1);
    EVP_MD_CTX_free(context);
    return cap;
}

static int32_t make_signature(int64_t conn, EVP_PKEY *pkey, uint8_t *signature, size_t cap)
{
    uint8_t input[8192];
    char digest[32] = "";
    char scheme[64] = "";
    int64_t number = 0;
    int32_t len = bytes_of(conn, TLSSHIM_DETAIL_SIGN_INPUT, input, sizeof input);
    int32_t digest_len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_DIGEST, digest, sizeof digest - 1);

    ck_assert_int_gt(len, 0);
    ck_assert_ok(tlsshim_conn_event_number(conn, TLSSHIM_DETAIL_SIGN_SCHEME, &number));
    ck_assert_int_gt(tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_SCHEME, scheme, sizeof scheme - 1), 0);
    last_scheme = (int32_t)number;
    if (digest_len == TLSSHIM_NONE)
        return (int32_t)sign_message(pkey, input, len, signature, cap);
    return (int32_t)sign_digest(pkey, digest, strncmp(scheme, "rsa_pss", 7) == 0, input, len, signature, cap);
}

static EVP_PKEY *key_for(int64_t conn)
{
    return agents[number_of(conn, TLSSHIM_CONN_CERTIFICATE_REQUESTED) == TLSSHIM_NONE].private_half;
}

static void answer(int64_t conn, int32_t event)
{
    uint8_t signature[1024];

    ck_assert_int_eq(event, TLSSHIM_EVENT_SIGN);
    asked++;
    ck_assert_ok(
        tlsshim_conn_sign_with(conn, signature, make_signature(conn, key_for(conn), signature, sizeof signature)));
    ck_assert_int_eq(tlsshim_conn_event(conn), TLSSHIM_NONE);
}

/* Contexts whose keys are elsewhere. */
static struct pair *pair_of_agents(int32_t version, int32_t room)
{
    int64_t client = client_context(version, certs()->trust, agents[0].identity);
    int64_t server = server_context(version, agents[1].identity, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    ck_assert_ok(tlsshim_context_set_events(client, TLSSHIM_EVENT_SIGN));
    ck_assert_ok(tlsshim_context_set_events(server, TLSSHIM_EVENT_SIGN));
    return pair_new(client, server, room);
}

static const char *const algorithms[] = {"P-256", "P-384", "P-521", "RSA-2048", "ED25519", "ED448"};
enum { ALGORITHMS = sizeof algorithms / sizeof algorithms[0] };

START_TEST(both_ends_prove_keys_that_are_elsewhere)
{
    const char *algorithm = algorithms[_i / WAYS];
    struct way way = ways[_i % WAYS];
    struct pair *pair;

    agents_make(algorithm, algorithm);
    pair = pair_of_agents(way.version, way.room);
    pair_handshake_asked(pair, answer);
    ck_assert_ok(pair->client_result);
    ck_assert_ok(pair->server_result);
    ck_assert_int_eq(asked, 2);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    pair_send(pair, true, "up", 2);
    pair_send(pair, false, "down", 4);
    agents_free();
}
END_TEST

/* TLS 1.2 still knows PKCS #1 v1.5; a context that accepts nothing else makes the other end use it. */
START_TEST(rsa_signs_as_pkcs1_where_the_peer_asks_for_that)
{
    int64_t client, server;
    struct pair *pair;

    agents_make("RSA-2048", "RSA-2048");
    client = client_context(TLSSHIM_TLS_1_2, certs()->trust, agents[0].identity);
    server = server_context(TLSSHIM_TLS_1_2, agents[1].identity, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    ck_assert_ok(tlsshim_context_set_events(client, TLSSHIM_EVENT_SIGN));
    ck_assert_ok(tlsshim_context_set_events(server, TLSSHIM_EVENT_SIGN));
    pair = pair_new(client, server, 512);
    pair_handshake_asked(pair, answer);
    ck_assert_ok(pair->client_result);
    ck_assert_int_eq(last_scheme, (int32_t)number_of(pair->client, TLSSHIM_CONN_SIGNATURE));
    ck_assert_int_eq(last_scheme, (int32_t)number_of(pair->server, TLSSHIM_CONN_PEER_SIGNATURE));
    agents_free();
}
END_TEST

static void answer_wrongly_first(int64_t conn, int32_t event)
{
    uint8_t signature[1024];
    int32_t len = make_signature(conn, key_for(conn), signature, sizeof signature);

    signature[len / 2] ^= 1;
    ck_assert_result(tlsshim_conn_sign_with(conn, signature, len), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_conn_sign_with(conn, NULL, 0), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_conn_sign_with(conn, signature, 4097), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_conn_event_done(conn), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_accept_peer(conn), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_conn_handshake(conn), TLSSHIM_WANT_EVENT);
    answer(conn, event);
}

START_TEST(a_wrong_signature_is_refused_and_the_event_stays)
{
    struct pair *pair;

    agents_make("P-256", "RSA-2048");
    pair = pair_of_agents(ways[_i].version, 512);
    pair_handshake_asked(pair, answer_wrongly_first);
    ck_assert_ok(pair->client_result);
    ck_assert_ok(pair->server_result);
    agents_free();
}
END_TEST

static void refuse(int64_t conn, int32_t event)
{
    (void)event;
    ck_assert_result(tlsshim_conn_refuse(conn, 40), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_conn_refuse(conn, 80));
    ck_assert_result(tlsshim_conn_refuse(conn, 80), TLSSHIM_E_STATE);
}

START_TEST(refusing_to_sign_ends_the_handshake_with_an_alert)
{
    struct pair *pair;

    agents_make("P-256", "P-256");
    pair = pair_of_agents(ways[_i].version, 512);
    pair_handshake_asked(pair, refuse);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERDICT);
    ck_assert_result(pair->client_result, TLSSHIM_E_ALERT);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 80);
    agents_free();
}
END_TEST

START_TEST(closing_while_a_signature_is_wanted_leaks_nothing)
{
    struct pair *pair;

    agents_make("P-256", "P-256");
    pair = pair_of_agents(ways[_i].version, 512);
    pair_handshake(pair);
    ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_EVENT);
    ck_assert_int_ne(tlsshim_conn_state(pair->server) & TLSSHIM_STATE_EVENT_PENDING, 0);
    agents_free();
}
END_TEST

START_TEST(a_signature_that_never_comes_runs_into_the_deadline)
{
    int64_t server;
    struct pair *pair;

    agents_make("P-256", "P-256");
    server = server_context(0, agents[1].identity, 0, 0);
    ck_assert_ok(tlsshim_context_set_events(server, TLSSHIM_EVENT_SIGN));
    ck_assert_ok(tlsshim_context_set_handshake_timeout(server, 1));
    pair = pair_new(client_context(0, certs()->trust, 0), server, 512);
    for (int i = 0; i < 1000000 && pair->server_result > TLSSHIM_E_HANDLE; i++)
        pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_DEADLINE);
    agents_free();
}
END_TEST

START_TEST(a_key_that_is_elsewhere_needs_the_event)
{
    int64_t server;

    agents_make("P-256", "P-256");
    server = server_context(0, agents[1].identity, 0, 0);
    ck_assert_result(tlsshim_conn_new(server, "", 0), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_context_set_events(server, TLSSHIM_EVENT_SIGN));
    keep(a_handle(tlsshim_conn_new(server, "", 0)));
    agents_free();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sign");
    TCase *flow = tcase_create("flow");

    tcase_add_checked_fixture(flow, keep_begin, keep_end);
    tcase_set_timeout(flow, 60);
    tcase_add_loop_test(flow, both_ends_prove_keys_that_are_elsewhere, 0, ALGORITHMS * WAYS);
    tcase_add_test(flow, rsa_signs_as_pkcs1_where_the_peer_asks_for_that);
    tcase_add_loop_test(flow, a_wrong_signature_is_refused_and_the_event_stays, 0, WAYS);
    tcase_add_loop_test(flow, refusing_to_sign_ends_the_handshake_with_an_alert, 0, WAYS);
    tcase_add_loop_test(flow, closing_while_a_signature_is_wanted_leaks_nothing, 0, WAYS);
    tcase_add_test(flow, a_signature_that_never_comes_runs_into_the_deadline);
    tcase_add_test(flow, a_key_that_is_elsewhere_needs_the_event);
    suite_add_tcase(suite, flow);
    certs();
    return run_suite(suite);
}
