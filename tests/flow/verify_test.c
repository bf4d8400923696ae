#include <stdlib.h>
#include <string.h>

#include "support/pair.h"

enum { BAD_CERTIFICATE = 42, EXPIRED = 45, UNKNOWN_CA = 48, HANDSHAKE_FAILURE = 40, CERTIFICATE_REQUIRED = 116 };

/* --- a client judges its server --- */

static const struct server_case {
    size_t identity; /* of struct certs */
    const char *name;
    int32_t error;
    int32_t alert;
    const char *says;
} server_cases[] = {
    {offsetof(struct certs, server), "www.test", 0, 0, ""},
    {offsetof(struct certs, server), "WWW.Test.", 0, 0, ""},
    {offsetof(struct certs, server), "a.wild.test", 0, 0, ""},
    {offsetof(struct certs, server), "10.0.0.1", 0, 0, ""},
    {offsetof(struct certs, server), "::1", 0, 0, ""},
    {offsetof(struct certs, server), "[::1]", 0, 0, ""},
    {offsetof(struct certs, server), "api.test", TLSSHIM_E_NAME, BAD_CERTIFICATE,
     "name \"api.test\" is not in the certificate: DNS:www.test, DNS:*.wild.test, IP:10.0.0.1, IP:::1"},
    {offsetof(struct certs, server), "a.b.wild.test", TLSSHIM_E_NAME, BAD_CERTIFICATE, "a.b.wild.test"},
    {offsetof(struct certs, server), "wild.test", TLSSHIM_E_NAME, BAD_CERTIFICATE, "wild.test"},
    {offsetof(struct certs, server), "server", TLSSHIM_E_NAME, BAD_CERTIFICATE, "server"}, /* its common name */
    {offsetof(struct certs, server), "10.0.0.2", TLSSHIM_E_NAME, BAD_CERTIFICATE, "10.0.0.2"},
    {offsetof(struct certs, server), "::2", TLSSHIM_E_NAME, BAD_CERTIFICATE, "::2"},
    {offsetof(struct certs, server_other), "www.test", TLSSHIM_E_VERIFY, UNKNOWN_CA, "CN=other server"},
    {offsetof(struct certs, server_old), "www.test", TLSSHIM_E_EXPIRED, EXPIRED, "certificate expired on 20"},
    {offsetof(struct certs, server_early), "www.test", TLSSHIM_E_EXPIRED, EXPIRED, "valid"},
    {offsetof(struct certs, client), "www.test", TLSSHIM_E_VERIFY, 43, "CN=client"}, /* not meant for servers */
};
enum { SERVER_CASES = sizeof server_cases / sizeof server_cases[0] };

static int64_t identity_at(size_t offset)
{
    return *(const int64_t *)(const void *)((const char *)certs() + offset);
}

START_TEST(a_client_accepts_and_refuses_its_server_by_chain_name_time_and_purpose)
{
    const struct server_case *c = &server_cases[_i / 2];
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    struct pair *pair = pair_named(client_context(version, certs()->trust, 0),
                                   server_context(version, identity_at(c->identity), 0, 0), 512, c->name);
    char data[8];

    pair_handshake(pair);
    ck_assert_result(pair->client_result, c->error);
    if (c->error == 0) {
        ck_assert_result(pair->server_result, TLSSHIM_OK);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
        return;
    }
    ck_assert_msg(strstr(error_text_of(pair->client_result), c->says) != NULL, "%s",
                  error_text_of(pair->client_result));
    ck_assert_int_ne(error_number_of(pair->client_result, TLSSHIM_ERROR_VERIFY_CODE), TLSSHIM_NONE);
    ck_assert_int_ne(number_of(pair->client, TLSSHIM_CONN_VERIFY_CODE), 0);
    ck_assert_result(pair->server_result, TLSSHIM_E_REJECTED);
    ck_assert_int_eq(error_number_of(pair->server_result, TLSSHIM_ERROR_ALERT), c->alert);
    /* Nothing goes through what has failed. */
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "x", 1), pair->client_result);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), pair->client_result);
    ck_assert_int_eq(tlsshim_conn_state(pair->client) & TLSSHIM_STATE_HANDSHAKE_DONE, 0);
    /* Who was refused can still be looked at. */
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_peer_cert(pair->client))), 1);
    ck_assert_int_eq(tlsshim_conn_verified_chain(pair->client), TLSSHIM_NONE);
}
END_TEST

START_TEST(a_client_without_a_name_to_verify_refuses_to_begin)
{
    int64_t loose = client_context(ways[_i].version, certs()->trust, 0);
    int64_t server = server_context(ways[_i].version, certs()->server, 0, 0);
    struct pair *pair = pair_named(client_context(ways[_i].version, certs()->trust, 0), server, ways[_i].room, "");

    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(pair->up.passed, 0);
    pair = pair_named(client_context(ways[_i].version, certs()->trust, 0), server, ways[_i].room, "");
    ck_assert_ok(tlsshim_conn_set_verify_name(pair->client, "www.test", 8));
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SERVER_NAME), "");
    ck_assert_ok(tlsshim_context_insecure_skip_name(loose, 1));
    pair = pair_named(loose, server, ways[_i].room, "");
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_INSECURE), TLSSHIM_INSECURE_NAME);
}
END_TEST

START_TEST(the_name_sent_and_the_name_verified_may_differ)
{
    struct pair *pair =
        pair_named(client_context(0, certs()->trust, 0), server_context(0, certs()->server, 0, 0), 512, "front.test");

    ck_assert_ok(tlsshim_conn_set_verify_name(pair->client, "www.test", 8));
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SERVER_NAME), "front.test");
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_VERIFY_NAME), "www.test");
    /* An address is verified, and never sent. */
    pair = pair_named(client_context(0, certs()->trust, 0), server_context(0, certs()->server, 0, 0), 512, "10.0.0.1");
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SERVER_NAME), "");
    ck_assert_result(tlsshim_conn_set_server_name(keep(tlsshim_conn_new(client_context(0, certs()->trust, 0), "", 0)),
                                                  "10.0.0.1", 8),
                     TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(the_depth_limits_intermediates)
{
    int64_t client = client_context(0, certs()->trust, 0);
    int64_t server = server_context(0, certs()->server_deep, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_verify_depth(client, _i));
    pair = pair_new(client, server, 512);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, _i == 0 ? TLSSHIM_E_VERIFY : TLSSHIM_OK);
}
END_TEST

/* --- a server judges its client --- */

static const struct client_case {
    size_t identity;
    int32_t error;
    int32_t alert_12, alert_13;
} client_cases[] = {
    {offsetof(struct certs, client_other), TLSSHIM_E_VERIFY, UNKNOWN_CA, UNKNOWN_CA},
    {offsetof(struct certs, client_old), TLSSHIM_E_EXPIRED, EXPIRED, EXPIRED},
    {offsetof(struct certs, server), TLSSHIM_E_VERIFY, 43, 43},
    {0, TLSSHIM_E_NO_CERTIFICATE, HANDSHAKE_FAILURE, CERTIFICATE_REQUIRED},
};
enum { CLIENT_CASES = sizeof client_cases / sizeof client_cases[0] };

START_TEST(a_refused_client_learns_it_within_the_handshake_or_on_its_first_read)
{
    const struct client_case *c = &client_cases[_i / WAYS];
    struct way way = ways[_i % WAYS];
    int64_t identity = c->identity == 0 ? 0 : identity_at(c->identity);
    struct pair *pair = pair_new(
        client_context(way.version, certs()->trust, identity),
        server_context(way.version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), way.room);
    int32_t result;
    char data[8];

    pair_handshake(pair);
    ck_assert_result(pair->server_result, c->error);
    ck_assert_int_eq(tlsshim_conn_state(pair->server) & TLSSHIM_STATE_HANDSHAKE_DONE, 0);
    if (way.version == TLSSHIM_TLS_1_3) {
        ck_assert_result(pair->client_result, TLSSHIM_OK);
        ck_assert_int_ne(tlsshim_conn_state(pair->client) & TLSSHIM_STATE_READABLE, 0);
        result = tlsshim_conn_read(pair->client, data, sizeof data);
    } else {
        result = pair->client_result;
    }
    ck_assert_result(result, TLSSHIM_E_REJECTED);
    ck_assert_int_eq(error_number_of(result, TLSSHIM_ERROR_ALERT),
                     way.version == TLSSHIM_TLS_1_3 ? c->alert_13 : c->alert_12);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), result);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_ERROR), result);
}
END_TEST

START_TEST(a_client_certificate_that_is_only_requested_must_still_be_good)
{
    struct pair *pair =
        pair_new(client_context(0, certs()->trust, certs()->client_other),
                 server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST), 512);

    pair_handshake(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(a_server_may_demand_a_name_of_its_client)
{
    int64_t server = server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_insecure_skip_purpose(server, 1)); /* the client shows a server's certificate */
    pair = pair_new(client_context(0, certs()->trust, certs()->server), server, 512);
    ck_assert_ok(tlsshim_conn_set_verify_name(pair->server, _i == 0 ? "www.test" : "else.test", _i == 0 ? 8 : 9));
    pair_handshake(pair);
    ck_assert_result(pair->server_result, _i == 0 ? TLSSHIM_OK : TLSSHIM_E_NAME);
}
END_TEST

/* --- weakened on purpose --- */

static const struct insecure_case {
    size_t identity;
    const char *name;
    int32_t (*skip)(int64_t context, int32_t on);
    int32_t error; /* that the switch lets pass */
    int32_t mask;
} insecure_cases[] = {
    {offsetof(struct certs, server_other), "www.test", tlsshim_context_insecure_skip_chain, TLSSHIM_E_VERIFY,
     TLSSHIM_INSECURE_CHAIN},
    {offsetof(struct certs, server), "api.test", tlsshim_context_insecure_skip_name, TLSSHIM_E_NAME,
     TLSSHIM_INSECURE_NAME},
    {offsetof(struct certs, server_old), "www.test", tlsshim_context_insecure_skip_time, TLSSHIM_E_EXPIRED,
     TLSSHIM_INSECURE_TIME},
};
enum { INSECURE_CASES = sizeof insecure_cases / sizeof insecure_cases[0] };

START_TEST(an_insecure_switch_lets_its_own_fault_pass_and_no_other_and_is_told)
{
    for (int fault = 0; fault < INSECURE_CASES; fault++) {
        const struct insecure_case *c = &insecure_cases[fault];
        const struct insecure_case *s = &insecure_cases[_i];
        int64_t client = client_context(0, certs()->trust, 0);
        struct pair *pair;

        ck_assert_ok(s->skip(client, 1));
        pair = pair_named(client, server_context(0, identity_at(c->identity), 0, 0), 512, c->name);
        pair_handshake(pair);
        ck_assert_result(pair->client_result, fault == _i ? TLSSHIM_OK : c->error);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_INSECURE), s->mask);
        ck_assert_int_ne(number_of(pair->client, TLSSHIM_CONN_VERIFY_CODE), 0);
        if (fault == _i) {
            ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 0);
            ck_assert_ptr_nonnull(
                strstr(text_of(pair->client, TLSSHIM_CONN_VERIFY_REPORT), "let pass by an insecure switch"));
            ck_assert_int_eq(tlsshim_conn_verified_chain(pair->client), TLSSHIM_NONE);
        }
    }
}
END_TEST

START_TEST(a_pin_beside_the_chain_is_demanded_also_where_a_switch_lets_the_chain_pass)
{
    const struct insecure_case *c = &insecure_cases[_i / 2];
    bool right = _i % 2 == 0;
    int64_t client = client_context(0, certs()->trust, 0);
    int64_t cert = keep(tlsshim_identity_cert(right ? identity_at(c->identity) : certs()->client));
    char hex[65];
    uint8_t pin[32];
    struct pair *pair;

    ck_assert_int_eq(tlsshim_cert_text(cert, TLSSHIM_CERT_SPKI_SHA256, hex, sizeof hex), 64);
    for (int i = 0; i < 32; i++) {
        const char byte[3] = {hex[2 * i], hex[2 * i + 1], 0};

        pin[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    ck_assert_ok(c->skip(client, 1));
    ck_assert_ok(tlsshim_context_add_pin(client, pin, sizeof pin, TLSSHIM_PIN_AND));
    pair = pair_named(client, server_context(0, identity_at(c->identity), 0, 0), 512, c->name);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, right ? TLSSHIM_OK : TLSSHIM_E_PIN);
}
END_TEST

START_TEST(a_switch_that_was_switched_off_again_lets_nothing_pass)
{
    int64_t client = client_context(0, certs()->trust, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_insecure_skip_chain(client, 1));
    ck_assert_ok(tlsshim_context_insecure_skip_chain(client, 0));
    pair = pair_new(client, server_context(0, certs()->server_other, 0, 0), 512);
    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_VERIFY);
}
END_TEST

/* --- contexts that could verify nobody --- */

START_TEST(asking_for_certificates_without_trust_is_refused)
{
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    int64_t empty = keep(tlsshim_trust_new());

    ck_assert_result(tlsshim_conn_new(server, "", 0), TLSSHIM_E_EMPTY); /* no identity */
    ck_assert_ok(tlsshim_context_add_identity(server, certs()->server, "", 0));
    ck_assert_ok(tlsshim_context_set_client_certificate(server, TLSSHIM_CLIENT_CERTIFICATE_REQUEST));
    ck_assert_result(tlsshim_conn_new(server, "", 0), TLSSHIM_E_EMPTY); /* no trust */
    ck_assert_ok(tlsshim_context_set_trust(server, empty));
    ck_assert_result(tlsshim_conn_new(server, "", 0), TLSSHIM_E_EMPTY); /* no anchor */
    ck_assert_ok(tlsshim_context_set_trust(server, certs()->trust));
    keep(tlsshim_conn_new(server, "", 0));
    ck_assert_result(tlsshim_conn_new(client_context(0, empty, 0), "www.test", 8), TLSSHIM_E_EMPTY);
}
END_TEST

START_TEST(a_trust_set_is_frozen_by_its_first_connection)
{
    int64_t trust = keep(tlsshim_copy(certs()->trust));
    int64_t client = client_context(0, trust, 0);
    int64_t cert = keep(tlsshim_identity_cert(certs()->other_ca));

    keep(tlsshim_conn_new(client, "www.test", 8));
    ck_assert_result(tlsshim_trust_add_cert(trust, cert), TLSSHIM_E_FROZEN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("verify");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_client_accepts_and_refuses_its_server_by_chain_name_time_and_purpose, 0,
                        2 * SERVER_CASES);
    tcase_add_loop_test(tests, a_client_without_a_name_to_verify_refuses_to_begin, 0, WAYS);
    tcase_add_test(tests, the_name_sent_and_the_name_verified_may_differ);
    tcase_add_loop_test(tests, the_depth_limits_intermediates, 0, 2);
    tcase_add_loop_test(tests, a_refused_client_learns_it_within_the_handshake_or_on_its_first_read, 0,
                        CLIENT_CASES * WAYS);
    tcase_add_test(tests, a_client_certificate_that_is_only_requested_must_still_be_good);
    tcase_add_loop_test(tests, a_server_may_demand_a_name_of_its_client, 0, 2);
    tcase_add_loop_test(tests, an_insecure_switch_lets_its_own_fault_pass_and_no_other_and_is_told, 0, INSECURE_CASES);
    tcase_add_loop_test(tests, a_pin_beside_the_chain_is_demanded_also_where_a_switch_lets_the_chain_pass, 0,
                        2 * INSECURE_CASES);
    tcase_add_test(tests, a_switch_that_was_switched_off_again_lets_nothing_pass);
    tcase_add_test(tests, asking_for_certificates_without_trust_is_refused);
    tcase_add_test(tests, a_trust_set_is_frozen_by_its_first_connection);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
