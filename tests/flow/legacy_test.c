#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static const char ciphers[] = "ECDHE+AESGCM:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA";

/* Down to TLS 1.0, and up to what is asked for. */
static int64_t old(int64_t context, int32_t most)
{
    ck_assert_ok(tlsshim_context_insecure_legacy(context, 1));
    ck_assert_ok(tlsshim_context_set_security_level(context, 0));
    ck_assert_ok(tlsshim_context_set_versions(context, TLSSHIM_TLS_1_0, most));
    ck_assert_ok(tlsshim_context_set_ciphers(context, ciphers, sizeof ciphers - 1));
    return context;
}

static int64_t client(void)
{
    return client_context(0, certs()->trust, certs()->client);
}

static int64_t server(bool rsa)
{
    return server_context(0, rsa ? certs()->server_rsa : certs()->server, certs()->trust,
                          TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
}

enum { ROOMS = 4 };

START_TEST(old_versions_work_once_they_are_asked_for_at_both_ends)
{
    int32_t version = _i / ROOMS % 2 == 0 ? TLSSHIM_TLS_1_0 : TLSSHIM_TLS_1_1;
    struct pair *pair = pair_new(old(client(), version), old(server(_i / ROOMS / 2 == 1), 0), ways[_i % ROOMS].room);
    static uint8_t data[50000];

    memset(data, 'x', sizeof data);
    pair_connect(pair);
    for (int end = 0; end < 2; end++) {
        int64_t conn = end == 0 ? pair->client : pair->server;
        const char *report = text_of(conn, TLSSHIM_CONN_VERIFY_REPORT);

        ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERSION), version);
        ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_INSECURE), TLSSHIM_INSECURE_LEGACY);
        ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_VERIFIED), 1);
        ck_assert_msg(strstr(report, "context_insecure_legacy") != NULL, "%s", report);
        pair_send(pair, end == 0, data, _i % ROOMS == 0 ? 500 : (int32_t)sizeof data);
    }
    must_be(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    must_be(tlsshim_conn_shutdown(pair->server), TLSSHIM_WANT_DRAIN);
    pair_settle(pair);
    ck_assert_int_eq(pair_read(pair, true, data, 1), 0);
    ck_assert_int_eq(pair_read(pair, false, data, 1), 0);
}
END_TEST

START_TEST(the_best_version_is_still_taken)
{
    struct pair *pair = pair_new(old(client(), 0), old(server(false), 0), PIPE_MOST);

    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERSION), TLSSHIM_TLS_1_3);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_INSECURE), TLSSHIM_INSECURE_LEGACY);
}
END_TEST

START_TEST(an_end_that_does_not_allow_old_versions_refuses_them)
{
    struct pair *up = pair_new(old(client(), TLSSHIM_TLS_1_1), server(false), PIPE_MOST);
    struct pair *down = pair_new(client(), old(server(false), TLSSHIM_TLS_1_1), PIPE_MOST);

    pair_handshake(up);
    ck_assert_result(up->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_result(up->client_result, TLSSHIM_E_NEGOTIATION);
    pair_handshake(down);
    ck_assert_result(down->server_result, TLSSHIM_E_NEGOTIATION);
    ck_assert_result(down->client_result, TLSSHIM_E_NEGOTIATION);
}
END_TEST

START_TEST(the_old_way_still_judges_the_peer)
{
    struct pair *pair =
        pair_new(old(client(), TLSSHIM_TLS_1_0),
                 old(server_context(0, certs()->server_other, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), 0),
                 PIPE_MOST);

    pair_handshake(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_VERIFY);
}
END_TEST

/* TLS 1.2 with signatures over SHA-1 alone. */
START_TEST(sha1_signatures_work_once_they_are_asked_for)
{
    static const char sha1[] = "ECDSA+SHA1:RSA+SHA1";
    int64_t there = old(client(), TLSSHIM_TLS_1_2), here = old(server(false), TLSSHIM_TLS_1_2);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_signature_algorithms(there, sha1, sizeof sha1 - 1, sha1, sizeof sha1 - 1));
    ck_assert_ok(tlsshim_context_set_signature_algorithms(here, sha1, sizeof sha1 - 1, sha1, sizeof sha1 - 1));
    pair = pair_new(there, here, PIPE_MOST);
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_PEER_SIGNATURE), "ecdsa_sha1");
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_PEER_SIGNATURE), "ecdsa_sha1");
}
END_TEST

/* What was made where weak things were allowed is never taken up where they are not. */
START_TEST(a_session_of_the_old_way_does_not_resume_in_the_new)
{
    int64_t there = old(client(), TLSSHIM_TLS_1_2), anew = client(), session;
    struct pair *pair = pair_new(there, old(server(false), 0), PIPE_MOST);

    pair_connect(pair);
    pair_send(pair, false, "x", 1);
    session = keep(tlsshim_conn_take_session(pair->client));
    ck_assert_ok(tlsshim_conn_set_session(keep(tlsshim_conn_new(there, "www.test", 8)), session));
    ck_assert_result(tlsshim_conn_set_session(keep(tlsshim_conn_new(anew, "www.test", 8)), session),
                     TLSSHIM_E_MISMATCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("legacy");
    TCase *tests = tcase_create("legacy");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, old_versions_work_once_they_are_asked_for_at_both_ends, 0, 4 * ROOMS);
    tcase_add_test(tests, the_best_version_is_still_taken);
    tcase_add_test(tests, an_end_that_does_not_allow_old_versions_refuses_them);
    tcase_add_test(tests, the_old_way_still_judges_the_peer);
    tcase_add_test(tests, sha1_signatures_work_once_they_are_asked_for);
    tcase_add_test(tests, a_session_of_the_old_way_does_not_resume_in_the_new);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
