#include <string.h>

#include "support/pair.h"

/* --- plain and mutual --- */

START_TEST(both_ends_agree_on_everything)
{
    struct way way = ways[_i];
    struct pair *pair = pair_connected(way);
    const int32_t texts[] = {TLSSHIM_CONN_VERSION, TLSSHIM_CONN_CIPHER, TLSSHIM_CONN_GROUP, TLSSHIM_CONN_SERVER_NAME};

    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_VERSION),
                     way.version == TLSSHIM_TLS_1_3 ? "TLSv1.3" : "TLSv1.2");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_str_ne(text_of(pair->client, texts[i]), "");
        ck_assert_str_eq(text_of(pair->client, texts[i]), text_of(pair->server, texts[i]));
    }
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RESUMED), 0);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    pair_send(pair, true, "ping", 4);
    pair_send(pair, false, "pong!", 5);
}
END_TEST

START_TEST(a_client_certificate_that_is_asked_for_is_verified_and_seen)
{
    struct way way = ways[_i / 2];
    int32_t mode = _i % 2 == 0 ? TLSSHIM_CLIENT_CERTIFICATE_REQUEST : TLSSHIM_CLIENT_CERTIFICATE_REQUIRE;
    struct pair *pair = pair_new(client_context(way.version, certs()->trust, certs()->client),
                                 server_context(way.version, certs()->server, certs()->trust, mode), way.room);
    char name[64];
    int64_t cert;

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    cert = keep(tlsshim_conn_peer_cert(pair->server));
    ck_assert_int_eq(tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, name, sizeof name), 6);
    ck_assert_mem_eq(name, "client", 6);
    cert = keep(tlsshim_conn_verified_chain(pair->server));
    ck_assert_int_eq(tlsshim_cert_count(cert), 2);
    pair_send(pair, true, "hello", 5);
    pair_send(pair, false, "hello", 5);
}
END_TEST

START_TEST(a_client_without_a_certificate_passes_where_one_is_only_requested)
{
    struct way way = ways[_i];
    struct pair *pair = pair_new(
        client_context(way.version, certs()->trust, 0),
        server_context(way.version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST), way.room);

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_int_eq(tlsshim_conn_peer_cert(pair->server), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_conn_local_cert(pair->client), TLSSHIM_NONE);
}
END_TEST

START_TEST(rsa_and_chains_with_intermediates_are_verified)
{
    struct way way = ways[_i / 2];
    int64_t identity = _i % 2 == 0 ? certs()->server_rsa : certs()->server_deep;
    struct pair *pair =
        pair_new(client_context(way.version, certs()->trust, certs()->client_rsa),
                 server_context(way.version, identity, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), way.room);
    int64_t chain;

    pair_connect(pair);
    chain = keep(tlsshim_conn_verified_chain(pair->client));
    ck_assert_int_eq(tlsshim_cert_count(chain), _i % 2 == 0 ? 2 : 3);
    chain = keep(tlsshim_conn_peer_cert(pair->client));
    ck_assert_int_eq(tlsshim_cert_count(chain), _i % 2 == 0 ? 1 : 2);
}
END_TEST

/* --- not a byte of plaintext too early --- */

START_TEST(nothing_is_taken_or_given_before_the_handshake_is_complete)
{
    struct way way = ways[_i];
    struct pair *pair = pair_new(
        client_context(way.version, certs()->trust, certs()->client),
        server_context(way.version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), way.room);
    int64_t ends[] = {pair->client, pair->server};
    uint8_t data[64];

    for (int open = 2, steps = 0; open > 0 && steps < 100000; steps++) {
        open = 0;
        for (int i = 0; i < 2; i++) {
            bool done = (tlsshim_conn_state(ends[i]) & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;
            int32_t written = done ? 0 : tlsshim_conn_write(ends[i], "early", 5);
            bool now_done = (tlsshim_conn_state(ends[i]) & TLSSHIM_STATE_HANDSHAKE_DONE) != 0;

            if (!now_done && written != TLSSHIM_WANT_FEED && written != TLSSHIM_WANT_DRAIN)
                ck_abort_msg("write before the handshake is complete: %s", support_text(written));
            if (!now_done && tlsshim_conn_pending(ends[i]) != 0)
                ck_abort_msg("plaintext is there before the handshake is complete");
            open += !now_done;
        }
        pair_move(pair);
    }
    /* What each of the two has written once its own handshake was complete, and nothing else, is what comes. */
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pair_read(pair, i == 1, data, sizeof data), 5);
        ck_assert_mem_eq(data, "early", 5);
        ck_assert_int_eq(pair_read(pair, i == 1, data, sizeof data), TLSSHIM_WANT_FEED);
    }
}
END_TEST

/* A TLS 1.3 client may be done before the server has judged its certificate: the server gives none of what it says. */
START_TEST(a_refused_client_delivers_no_byte)
{
    struct way way = ways[_i];
    struct pair *pair = pair_new(
        client_context(way.version, certs()->trust, certs()->client_other),
        server_context(way.version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), way.room);
    uint8_t data[64];
    int32_t result = TLSSHIM_WANT_FEED;
    int written = 0;

    for (int steps = 0; steps < 100000 && result > TLSSHIM_E_HANDLE; steps++) {
        if (written < 10 && tlsshim_conn_write(pair->client, "secret", 6) == 6)
            written++;
        pair_move(pair);
        result = tlsshim_conn_read(pair->server, data, sizeof data);
        if (result >= 0)
            ck_abort_msg("%d bytes came from a client that is not verified", result);
    }
    ck_assert_result(result, TLSSHIM_E_VERIFY);
    ck_assert_int_eq(tlsshim_conn_pending(pair->server), 0);
}
END_TEST

/* --- ALPN --- */

static const struct alpn_case {
    const char *client, *server;
    int32_t client_mode, server_mode;
    const char *agreed;
    int32_t client_error, server_error;
} alpn_cases[] = {
    {"h2,http/1.1", "h2,http/1.1", 1, 1, "h2", 0, 0},
    {"http/1.1,h2", "h2,http/1.1", 1, 1, "h2", 0, 0}, /* the server's preference decides */
    {"h2,http/1.1", "http/1.1,h2", 2, 2, "http/1.1", 0, 0},
    {"a,b,c", "d,c,b", 3, 3, "c", 0, 0},
    {"a", "b", 1, 1, "", 0, 0},
    {"a", "b", 2, 1, "", 0, 0}, /* the server goes on without, and so does a client that does not require */
    {"a", "b", 1, 2, "", TLSSHIM_E_ALPN, TLSSHIM_E_ALPN},
    {"a", "b", 1, 3, "", TLSSHIM_E_ALPN, TLSSHIM_E_ALPN},
    {"", "b", 1, 1, "", 0, 0},
    {"", "b", 1, 2, "", 0, 0}, /* FAIL serves a peer without ALPN */
    {"", "b", 1, 3, "", TLSSHIM_E_ALPN, TLSSHIM_E_ALPN},
    {"a", "", 1, 1, "", 0, 0},
    {"a", "", 2, 1, "", 0, 0},
};
enum { ALPN_CASES = sizeof alpn_cases / sizeof alpn_cases[0] };

START_TEST(alpn_is_agreed_on_by_the_servers_preference_or_refused)
{
    const struct alpn_case *c = &alpn_cases[_i % ALPN_CASES];
    struct way way = ways[_i / ALPN_CASES * 4 + 1];
    int64_t client = client_context(way.version, certs()->trust, 0);
    int64_t server = server_context(way.version, certs()->server, 0, 0);
    struct pair *pair;

    set_alpn(client, c->client, c->client_mode);
    set_alpn(server, c->server, c->server_mode);
    pair = pair_new(client, server, way.room);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, c->client_error);
    ck_assert_result(pair->server_result, c->server_error);
    if (c->client_error == 0) {
        ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_ALPN), c->agreed);
        ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_ALPN), c->agreed);
    } else {
        ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 120);
    }
}
END_TEST

/* The client alone knows that it requires a protocol: its refusal reaches the server. */
START_TEST(a_client_that_requires_alpn_refuses_a_server_without)
{
    struct way way = ways[_i];
    int64_t client = client_context(way.version, certs()->trust, 0);
    struct pair *pair;
    char data[8];

    set_alpn(client, "h2", TLSSHIM_ALPN_REQUIRE);
    pair = pair_new(client, server_context(way.version, certs()->server, 0, 0), way.room);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_ALPN);
    ck_assert_result(pair->server_result, TLSSHIM_E_ALERT);
    ck_assert_result(tlsshim_conn_write(pair->client, "x", 1), TLSSHIM_E_ALPN);
    ck_assert_result(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_E_ALPN);
}
END_TEST

START_TEST(a_connections_own_alpn_list_stands_in_for_its_contexts)
{
    struct way way = ways[_i];
    int64_t client = client_context(way.version, certs()->trust, 0);
    int64_t server = server_context(way.version, certs()->server, 0, 0);
    struct pair *pair;
    uint8_t offered[16];

    set_alpn(client, "a", TLSSHIM_ALPN_CONTINUE);
    set_alpn(server, "a", TLSSHIM_ALPN_CONTINUE);
    pair = pair_new(client, server, way.room);
    ck_assert_ok(tlsshim_conn_set_alpn(pair->client, "\1x\1y", 4, TLSSHIM_ALPN_REQUIRE));
    ck_assert_ok(tlsshim_conn_set_alpn(pair->server, "\1y\1x", 4, TLSSHIM_ALPN_FAIL));
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_ALPN), "y");
    ck_assert_int_eq(tlsshim_conn_bytes(pair->server, TLSSHIM_CONN_ALPN_OFFERED, offered, sizeof offered), 4);
    ck_assert_mem_eq(offered, "\1x\1y", 4);
    ck_assert_result(tlsshim_conn_set_alpn(pair->client, "\1x", 2, TLSSHIM_ALPN_FAIL), TLSSHIM_E_STATE);
}
END_TEST

/* --- nothing in common --- */

START_TEST(ends_without_a_version_in_common_say_so)
{
    bool old_client = _i == 0;
    struct pair *pair =
        pair_new(client_context(old_client ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3, certs()->trust, 0),
                 server_context(old_client ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2, certs()->server, 0, 0), 512);

    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 70);
}
END_TEST

START_TEST(ends_without_a_cipher_or_group_in_common_say_so)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = client_context(version, certs()->trust, 0);
    int64_t server = server_context(version, certs()->server, 0, 0);
    struct pair *pair;

    if (_i / 2 == 0) {
        ck_assert_ok(tlsshim_context_set_groups(client, "P-384", 5));
        ck_assert_ok(tlsshim_context_set_groups(server, "X25519", 6));
    } else if (version == TLSSHIM_TLS_1_2) {
        ck_assert_ok(tlsshim_context_set_ciphers(client, "ECDHE-ECDSA-AES128-GCM-SHA256", 29));
        ck_assert_ok(tlsshim_context_set_ciphers(server, "ECDHE-ECDSA-AES256-GCM-SHA384", 29));
    } else {
        ck_assert_ok(tlsshim_context_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256", 22));
        ck_assert_ok(tlsshim_context_set_ciphersuites(server, "TLS_AES_256_GCM_SHA384", 22));
    }
    pair = pair_new(client, server, 512);
    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_result(pair->client_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 40);
}
END_TEST

START_TEST(a_retried_hello_ends_well_and_is_told)
{
    int64_t client = client_context(TLSSHIM_TLS_1_3, certs()->trust, 0);
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_groups(client, "X25519:P-384", 12));
    ck_assert_ok(tlsshim_context_set_groups(server, "P-384", 5));
    pair = pair_new(client, server, ways[_i].room);
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_HELLO_RETRY), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_HELLO_RETRY), 1);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_GROUP), "P-384");
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SERVER_NAME), "www.test");
}
END_TEST

START_TEST(a_fallback_is_refused_by_a_server_that_can_do_better)
{
    struct pair *pair =
        pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, 0), server_context(0, certs()->server, 0, 0), 512);

    ck_assert_ok(tlsshim_conn_set_fallback(pair->client, 1));
    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 86);
    /* Without it, and with it where the server has nothing better, all is well. */
    pair_connect(
        pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, 0), server_context(0, certs()->server, 0, 0), 512));
    pair = pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, 0),
                    server_context(TLSSHIM_TLS_1_2, certs()->server, 0, 0), 512);
    ck_assert_ok(tlsshim_conn_set_fallback(pair->client, 1));
    pair_connect(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handshake");
    TCase *tests = tcase_create("handshake");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, both_ends_agree_on_everything, 0, WAYS);
    tcase_add_loop_test(tests, a_client_certificate_that_is_asked_for_is_verified_and_seen, 0, 2 * WAYS);
    tcase_add_loop_test(tests, a_client_without_a_certificate_passes_where_one_is_only_requested, 0, WAYS);
    tcase_add_loop_test(tests, rsa_and_chains_with_intermediates_are_verified, 0, 2 * WAYS);
    tcase_add_loop_test(tests, nothing_is_taken_or_given_before_the_handshake_is_complete, 0, WAYS);
    tcase_add_loop_test(tests, a_refused_client_delivers_no_byte, 0, WAYS);
    tcase_add_loop_test(tests, alpn_is_agreed_on_by_the_servers_preference_or_refused, 0, 2 * ALPN_CASES);
    tcase_add_loop_test(tests, a_client_that_requires_alpn_refuses_a_server_without, 0, WAYS);
    tcase_add_loop_test(tests, a_connections_own_alpn_list_stands_in_for_its_contexts, 0, WAYS);
    tcase_add_loop_test(tests, ends_without_a_version_in_common_say_so, 0, 2);
    tcase_add_loop_test(tests, ends_without_a_cipher_or_group_in_common_say_so, 0, 4);
    tcase_add_loop_test(tests, a_retried_hello_ends_well_and_is_told, 4, WAYS);
    tcase_add_test(tests, a_fallback_is_refused_by_a_server_that_can_do_better);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
