#include <stdio.h>
#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static const char key_a[] = "0123456789abcdef0123456789abcdef", key_b[] = "0123456789abcdef0123456789abcdeX";

static int32_t add(int64_t context, const char *identity, const char *key)
{
    return tlsshim_context_add_psk(context, identity, (int32_t)strlen(identity), key, (int32_t)strlen(key));
}

static int64_t with_key(int64_t context, const char *identity, const char *key)
{
    ck_assert_ok(add(context, identity, key));
    return context;
}

/* Without certificate or trust. */
static int64_t bare(int32_t role, int32_t version)
{
    int64_t context = keep(tlsshim_context_new(role));

    ck_assert_ok(tlsshim_context_set_versions(context, version, version));
    return context;
}

static int64_t bare_client(int32_t version, const char *identity, const char *key)
{
    return with_key(bare(TLSSHIM_ROLE_CLIENT, version), identity, key);
}

static int64_t bare_server(int32_t version)
{
    return with_key(bare(TLSSHIM_ROLE_SERVER, version), "alice", key_a);
}

static const int32_t versions[] = {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3};

static void says(int64_t result, int32_t code, const char *part)
{
    ck_assert_result(result, code);
    ck_assert_msg(strstr(error_text_of(result), part) != NULL, "%s", error_text_of(result));
}

static void proved(const struct pair *pair, const char *identity)
{
    for (int end = 0; end < 2; end++) {
        int64_t conn = end == 0 ? pair->client : pair->server, n;
        const char *report = text_of(conn, TLSSHIM_CONN_VERIFY_REPORT);

        ck_assert_str_eq(text_of(conn, TLSSHIM_CONN_PSK_IDENTITY), identity);
        must_be(number_of(conn, TLSSHIM_CONN_VERIFIED), 1);
        ck_assert_msg(strstr(report, "the peer proved that it has the pre-shared key") != NULL, "%s", report);
        must_be(tlsshim_conn_peer_cert(conn), TLSSHIM_NONE);
        must_be(tlsshim_conn_local_cert(conn), TLSSHIM_NONE);
        must_be(tlsshim_conn_verified_chain(conn), TLSSHIM_NONE);
        must_be(tlsshim_conn_number(conn, TLSSHIM_CONN_VERIFY_CODE, &n), TLSSHIM_NONE);
        must_be(tlsshim_conn_number(conn, TLSSHIM_CONN_SIGNATURE, &n), TLSSHIM_NONE);
        must_be(tlsshim_conn_channel_binding(conn, "tls-server-end-point", 20, NULL, 0), TLSSHIM_NONE);
        must_be(number_of(conn, TLSSHIM_CONN_INSECURE), 0);
    }
}

START_TEST(a_key_connects_two_ends_without_certificates)
{
    struct way way = ways[_i];
    int64_t server = bare_server(way.version), handshakes = -1;
    struct pair *pair = pair_new(bare_client(way.version, "alice", key_a), server, way.room);
    static uint8_t data[50000];

    memset(data, 'k', sizeof data);
    pair_connect(pair);
    proved(pair, "alice");
    must_be(number_of(pair->client, TLSSHIM_CONN_RESUMED), 0);
    must_be(number_of(pair->server, TLSSHIM_CONN_RESUMED), 0);
    ck_assert_int_ne(number_of(pair->client, TLSSHIM_CONN_GROUP), 0); /* forward secrecy */
    ck_assert_ok(tlsshim_context_number(server, TLSSHIM_CONTEXT_HANDSHAKES, &handshakes));
    ck_assert_int_eq(handshakes, 1);
    pair_send(pair, true, data, way.room == 1 ? 500 : (int32_t)sizeof data);
    pair_send(pair, false, data, way.room == 1 ? 500 : (int32_t)sizeof data);
}
END_TEST

START_TEST(each_client_of_a_server_has_a_key_of_its_own)
{
    int64_t server = bare_server(versions[_i]);
    char identity[32], key[40];

    for (int i = 0; i < 300; i++) {
        snprintf(identity, sizeof identity, "client-%d", i * 7919 % 300);
        snprintf(key, sizeof key, "a secret of its own, number %05d", i * 7919 % 300);
        must_be(add(server, identity, key), TLSSHIM_OK);
    }
    for (int i = 0; i < 300; i += 23) {
        struct pair *pair;

        snprintf(identity, sizeof identity, "client-%d", i);
        snprintf(key, sizeof key, "a secret of its own, number %05d", i);
        pair = pair_new(bare_client(versions[_i], identity, key), server, PIPE_MOST);
        pair_connect(pair);
        proved(pair, identity);
    }
}
END_TEST

START_TEST(another_key_and_an_unknown_identity_are_refused_in_words)
{
    int32_t version = versions[_i];
    int64_t server = bare_server(version);
    struct pair *other = pair_new(bare_client(version, "alice", key_b), server, PIPE_MOST);
    struct pair *stranger = pair_new(bare_client(version, "m\xc3\xa4llory", key_a), server, PIPE_MOST);
    struct pair *keyless = pair_new(client_context(version, certs()->trust, 0), server, PIPE_MOST);

    pair_handshake(other);
    says(other->server_result, TLSSHIM_E_VERIFY, "the client has another key for \"alice\"");
    says(other->client_result, TLSSHIM_E_REJECTED, "our pre-shared key \"alice\"");
    pair_handshake(stranger);
    if (version == TLSSHIM_TLS_1_2)
        says(stranger->server_result, TLSSHIM_E_VERIFY, "pre-shared key \"m\xc3\xa4llory\" is not known here");
    else
        says(stranger->server_result, TLSSHIM_E_NEGOTIATION, "no pre-shared key that is known here");
    ck_assert(stranger->client_result < TLSSHIM_E_HANDLE);
    pair_handshake(keyless);
    says(keyless->server_result, TLSSHIM_E_NEGOTIATION, "no pre-shared key that is known here");
    ck_assert(keyless->client_result < TLSSHIM_E_HANDLE);
}
END_TEST

/* A server with a certificate serves both kinds of client. */
START_TEST(keys_and_certificates_stand_side_by_side)
{
    int32_t version = versions[_i];
    int64_t server = with_key(server_context(version, certs()->server, 0, 0), "alice", key_a);
    struct pair *by_key = pair_new(bare_client(version, "alice", key_a), server, PIPE_MOST);
    struct pair *by_cert = pair_new(client_context(version, certs()->trust, 0), server, PIPE_MOST);

    pair_connect(by_key);
    proved(by_key, "alice");
    pair_connect(by_cert);
    must_be(number_of(by_cert->client, TLSSHIM_CONN_VERIFIED), 1);
    must_be(number_of(by_cert->server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_str_eq(text_of(by_cert->client, TLSSHIM_CONN_PSK_IDENTITY), "");
    ck_assert_str_eq(text_of(by_cert->server, TLSSHIM_CONN_PSK_IDENTITY), "");
}
END_TEST

/* The key is no reason to accept whoever does not use it. */
START_TEST(a_client_with_a_key_judges_a_server_that_shows_a_certificate)
{
    int32_t version = versions[_i % 2];
    static const struct {
        const char *name;
        int32_t error;
    } cases[] = {{"www.test", 0}, {"www.test", TLSSHIM_E_VERIFY}, {"else.test", TLSSHIM_E_NAME}};
    int which = _i / 2;
    int64_t trust = which == 1 ? certs()->other_trust : certs()->trust;
    int64_t client = with_key(client_context(version, trust, 0), "alice", key_a);
    struct pair *pair =
        pair_named(client, server_context(version, certs()->server, 0, 0), PIPE_MOST, cases[which].name);

    pair_handshake(pair);
    ck_assert_result(pair->client_result, cases[which].error);
    if (cases[which].error == 0) {
        ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_PSK_IDENTITY), "");
        must_be(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    }
}
END_TEST

START_TEST(a_client_with_a_key_and_without_anchors_accepts_no_certificate)
{
    int32_t version = versions[_i];
    int64_t client = bare_client(version, "alice", key_a);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_trust(client, keep(tlsshim_trust_new())));
    pair = pair_new(client, server_context(version, certs()->server, 0, 0), PIPE_MOST);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_VERIFY);
    pair_connect(pair_new(client, bare_server(version), PIPE_MOST));
    ck_assert_result(tlsshim_conn_handshake(keep(tlsshim_conn_new(client, "", 0))), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_server_cannot_require_certificates_of_those_who_have_keys)
{
    int64_t require = with_key(server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE),
                               "alice", key_a);
    int64_t request =
        with_key(server_context(versions[_i], certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST),
                 "alice", key_a);
    struct pair *by_key = pair_new(bare_client(versions[_i], "alice", key_a), request, PIPE_MOST);
    struct pair *by_cert = pair_new(client_context(versions[_i], certs()->trust, certs()->client), request, PIPE_MOST);
    struct pair *bad =
        pair_new(client_context(versions[_i], certs()->trust, certs()->client_other), request, PIPE_MOST);

    says(tlsshim_conn_new(require, "", 0), TLSSHIM_E_MISMATCH, "use REQUEST");
    pair_connect(by_key);
    proved(by_key, "alice");
    pair_connect(by_cert);
    ck_assert_int_gt(keep(tlsshim_conn_peer_cert(by_cert->server)), 0);
    pair_handshake(bad);
    ck_assert_result(bad->server_result, TLSSHIM_E_VERIFY);
}
END_TEST

/* In TLS 1.2 the session remembers whose key it was; in TLS 1.3 there is none. */
START_TEST(a_session_made_by_a_key_stays_that_keys)
{
    int32_t version = versions[_i / 2];
    int64_t client = bare_client(version, "alice", key_a), server = bare_server(version), session;
    struct pair *pair, *again;

    if (_i % 2 == 1)
        ck_assert_ok(tlsshim_context_set_session_cache(server, 100));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    pair_send(pair, false, "x", 1);
    session = tlsshim_conn_take_session(pair->client);
    if (version == TLSSHIM_TLS_1_3) {
        ck_assert_int_eq(session, TLSSHIM_NONE);
        return;
    }
    keep(session);
    again = pair_new(client, server, PIPE_MOST);
    ck_assert_ok(tlsshim_conn_set_session(again->client, session));
    pair_connect(again);
    must_be(number_of(again->client, TLSSHIM_CONN_RESUMED), 1);
    must_be(number_of(again->server, TLSSHIM_CONN_RESUMED), 1);
    proved(again, "alice");
    again = pair_new(bare_client(version, "alice", key_b), server, PIPE_MOST);
    ck_assert_result(tlsshim_conn_set_session(again->client, session), TLSSHIM_E_MISMATCH);
}
END_TEST

/* Whose key was taken back does not come in by an old ticket. */
START_TEST(a_key_that_changed_ends_its_sessions)
{
    int64_t client = bare_client(TLSSHIM_TLS_1_2, "alice", key_a), server = bare_server(TLSSHIM_TLS_1_2), session;
    int64_t other = keep(tlsshim_copy(server));
    struct pair *pair = pair_new(client, server, PIPE_MOST);

    pair_connect(pair);
    session = keep(tlsshim_conn_take_session(pair->client));
    ck_assert_ok(add(other, "alice", key_b));
    ck_assert_ok(tlsshim_context_replace(server, other));
    pair = pair_new(client, server, PIPE_MOST);
    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERIFY);
}
END_TEST

/* A hello retry offers the key anew. */
START_TEST(a_key_survives_a_hello_retry)
{
    int64_t client = bare_client(TLSSHIM_TLS_1_3, "alice", key_a), server = bare_server(TLSSHIM_TLS_1_3);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_groups(client, "X25519:P-256", 12));
    ck_assert_ok(tlsshim_context_set_groups(server, "P-256", 5));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    must_be(number_of(pair->client, TLSSHIM_CONN_HELLO_RETRY), 1);
    proved(pair, "alice");
}
END_TEST

START_TEST(without_a_suite_of_its_hash_a_key_is_no_use_in_tls_1_3)
{
    int64_t context = _i == 0 ? bare_client(0, "alice", key_a) : bare_server(0);

    ck_assert_ok(tlsshim_context_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384", 22));
    says(tlsshim_conn_new(context, _i == 0 ? "www.test" : "", _i == 0 ? 8 : 0), TLSSHIM_E_MISMATCH, "SHA-256");
    ck_assert_ok(tlsshim_context_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", 51));
    keep(tlsshim_conn_new(context, _i == 0 ? "www.test" : "", _i == 0 ? 8 : 0));
}
END_TEST

/* Where the server prefers a suite of another hash, one of the key's is still taken. */
START_TEST(a_server_without_certificate_takes_the_suite_that_the_key_needs)
{
    int64_t server = bare_server(TLSSHIM_TLS_1_3);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_ciphersuites(server, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256", 45));
    pair = pair_new(bare_client(TLSSHIM_TLS_1_3, "alice", key_a), server, PIPE_MOST);
    pair_connect(pair);
    proved(pair, "alice");
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_CIPHER), "TLS_AES_128_GCM_SHA256");
}
END_TEST

/* What would have no forward secrecy is out of force, whatever the list says. */
START_TEST(a_key_alone_never_makes_the_secrets)
{
    int64_t client = bare_client(TLSSHIM_TLS_1_2, "alice", key_a), server = bare_server(TLSSHIM_TLS_1_2);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_ciphers(client, "PSK-AES128-GCM-SHA256:RSA-PSK-AES128-GCM-SHA256", 47));
    ck_assert_ok(tlsshim_context_set_ciphers(server, "PSK-AES128-GCM-SHA256:RSA-PSK-AES128-GCM-SHA256", 47));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    ck_assert_msg(strstr(text_of(pair->client, TLSSHIM_CONN_CIPHER), "DHE_PSK") != NULL, "%s",
                  text_of(pair->client, TLSSHIM_CONN_CIPHER));
}
END_TEST

START_TEST(bad_identities_and_keys_are_refused_at_once)
{
    int64_t client = bare(TLSSHIM_ROLE_CLIENT, 0), server = bare(TLSSHIM_ROLE_SERVER, 0);
    char big[257];

    memset(big, 'i', sizeof big);
    ck_assert_result(add(client, "", key_a), TLSSHIM_E_ARGUMENT);
    ck_assert_result(add(client, "a", ""), TLSSHIM_E_ARGUMENT);
    says(add(client, "a", "123456789012345"), TLSSHIM_E_ARGUMENT, "at least 16 random bytes, not 15");
    ck_assert_result(tlsshim_context_add_psk(client, "a\0b", 3, key_a, 32), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_add_psk(client, "\xff\xfe", 2, key_a, 32), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_add_psk(client, big, 129, key_a, 32), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_context_add_psk(client, "a", 1, big, 257), TLSSHIM_E_LIMIT);
    ck_assert_ok(tlsshim_context_add_psk(server, big, 128, big, 256));
    ck_assert_ok(tlsshim_context_add_psk(client, big, 128, big, 256));
    says(add(client, "b", key_a), TLSSHIM_E_LIMIT, "a client has one pre-shared key");
    for (int i = 0; i < 2; i++) {
        int64_t there = keep(tlsshim_copy(client)), here = keep(tlsshim_copy(server));

        ck_assert_ok(tlsshim_context_set_versions(there, versions[i], versions[i]));
        pair_connect(pair_new(there, here, PIPE_MOST));
    }
    ck_assert_ok(tlsshim_context_add_psk(client, big, 128, key_a, 32)); /* replaces */
    ck_assert_ok(tlsshim_context_set_security_level(server, 5));
    ck_assert_ok(add(server, "short", "1234567890123456"));
    says(tlsshim_conn_new(server, "", 0), TLSSHIM_E_WEAK,
         "the pre-shared key \"short\" has 128 bits, security level 5 asks for 256");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("psk");
    TCase *tests = tcase_create("psk");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_key_connects_two_ends_without_certificates, 0, WAYS);
    tcase_add_loop_test(tests, each_client_of_a_server_has_a_key_of_its_own, 0, 2);
    tcase_add_loop_test(tests, another_key_and_an_unknown_identity_are_refused_in_words, 0, 2);
    tcase_add_loop_test(tests, keys_and_certificates_stand_side_by_side, 0, 2);
    tcase_add_loop_test(tests, a_client_with_a_key_judges_a_server_that_shows_a_certificate, 0, 6);
    tcase_add_loop_test(tests, a_client_with_a_key_and_without_anchors_accepts_no_certificate, 0, 2);
    tcase_add_loop_test(tests, a_server_cannot_require_certificates_of_those_who_have_keys, 0, 2);
    tcase_add_loop_test(tests, a_session_made_by_a_key_stays_that_keys, 0, 4);
    tcase_add_test(tests, a_key_that_changed_ends_its_sessions);
    tcase_add_test(tests, a_key_survives_a_hello_retry);
    tcase_add_loop_test(tests, without_a_suite_of_its_hash_a_key_is_no_use_in_tls_1_3, 0, 2);
    tcase_add_test(tests, a_server_without_certificate_takes_the_suite_that_the_key_needs);
    tcase_add_test(tests, a_key_alone_never_makes_the_secrets);
    tcase_add_test(tests, bad_identities_and_keys_are_refused_at_once);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
