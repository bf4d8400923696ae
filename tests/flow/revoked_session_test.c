/* Sessions and revocation: what was revoked since, or is no longer known to be good, does not resume. */
#include <string.h>

#include "support/certs.h"
#include "support/clock.h"
#include "support/pair.h"

/* Version x the server's store. */
enum { KINDS = 4 };

static int32_t version_of(int i)
{
    return i & 1 ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2;
}

/* The CA of certs() with its list of revoked certificates: that of the client, or none. Lasts for `seconds`. */
static int64_t trust_with_list(bool revoked, int64_t seconds)
{
    int64_t trust = keep(certs_trust(certs()->ca));
    int64_t cert = keep(tlsshim_identity_cert(certs()->client));
    int64_t now = time(NULL);
    char serial[128];
    uint8_t crl[4096];
    int32_t serial_len = tlsshim_cert_text(cert, TLSSHIM_CERT_SERIAL, serial, sizeof serial);
    int32_t len = tlsshim_crl_issue(certs()->ca, serial, revoked ? serial_len : 0, now - 10, now + seconds,
                                    TLSSHIM_FORMAT_DER, crl, sizeof crl);

    ck_assert_int_gt(serial_len, 0);
    ck_assert_int_gt(len, 0);
    ck_assert_int_eq(tlsshim_trust_add(trust, crl, len), 1);
    return trust;
}

static int64_t a_server(int kind, int64_t trust, int32_t flags)
{
    int64_t server = server_context(version_of(kind), certs()->server, trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);

    ck_assert_ok(tlsshim_context_set_session_cache(server, kind & 2 ? 100 : 0));
    ck_assert_ok(tlsshim_context_set_verify_flags(server, flags));
    return server;
}

static int64_t a_client(int kind)
{
    int64_t client = client_context(version_of(kind), certs()->trust, certs()->client);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    return client;
}

/* One connection: 0 or 1 = resumed, or the server's error. */
static int64_t visit(int64_t client, int64_t server)
{
    struct pair *pair = pair_new(client, server, 0);

    pair_handshake(pair);
    pair_settle(pair);
    if (pair->server_result < 0)
        return pair->server_result;
    pair_send(pair, true, "a", 1);
    pair_send(pair, false, "b", 1);
    return number_of(pair->server, TLSSHIM_CONN_RESUMED);
}

START_TEST(a_client_that_was_revoked_since_is_refused)
{
    int64_t server = a_server(_i, trust_with_list(false, 1000), TLSSHIM_VERIFY_CRL_LEAF);
    int64_t client = a_client(_i);

    ck_assert_int_eq(visit(client, server), 0);
    ck_assert_int_eq(visit(client, server), 1);
    ck_assert_ok(tlsshim_context_replace(server, a_server(_i, trust_with_list(true, 1000), TLSSHIM_VERIFY_CRL_LEAF)));
    ck_assert_result(visit(client, server), TLSSHIM_E_REVOKED);
}
END_TEST

START_TEST(a_session_does_not_outlive_the_list_that_it_rests_on)
{
    int64_t server = a_server(_i, trust_with_list(false, 500), TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_CRL_SOFT);
    int64_t client = a_client(_i);

    ck_assert_int_eq(visit(client, server), 0);
    clock_shift = 400;
    ck_assert_int_eq(visit(client, server), 1);
    clock_shift = 600; /* the lifetime is far from over, and an outdated list is let pass */
    ck_assert_int_eq(visit(client, server), 0);
    clock_shift = 0;
}
END_TEST

START_TEST(a_renewed_list_is_another_rule)
{
    int64_t server = a_server(_i, trust_with_list(false, 1000), TLSSHIM_VERIFY_CRL_LEAF);
    int64_t client = a_client(_i);

    ck_assert_int_eq(visit(client, server), 0);
    ck_assert_ok(tlsshim_context_replace(server, a_server(_i, trust_with_list(false, 2000), TLSSHIM_VERIFY_CRL_LEAF)));
    ck_assert_int_eq(visit(client, server), 0);
    ck_assert_int_eq(visit(client, server), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("revoked sessions");
    TCase *tcase = tcase_create("revoked sessions");

    certs();
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_loop_test(tcase, a_client_that_was_revoked_since_is_refused, 0, KINDS);
    tcase_add_loop_test(tcase, a_session_does_not_outlive_the_list_that_it_rests_on, 0, KINDS);
    tcase_add_loop_test(tcase, a_renewed_list_is_another_rule, 0, KINDS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
