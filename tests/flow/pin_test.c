/* Pins, and chains that are remembered. */
#include <string.h>

#include "../../shim/tls/conn.h"
#include "../../shim/tls/verified.h"
#include "support/certs.h"
#include "support/clock.h"
#include "support/pair.h"

static void pin(int64_t context, int64_t identity, int32_t mode)
{
    int64_t cert = keep(tlsshim_identity_cert(identity));
    char hex[65] = {0};
    uint8_t digest[32];

    ck_assert_int_eq(tlsshim_cert_text(cert, TLSSHIM_CERT_SPKI_SHA256, hex, 64), 64);
    for (int i = 0; i < 32; i++) {
        unsigned byte;

        ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        digest[i] = (uint8_t)byte;
    }
    ck_assert_ok(tlsshim_context_add_pin(context, digest, sizeof digest, mode));
}

/* How a client with this context fares against a server with this identity. */
static int32_t meets(int64_t client, int64_t server_identity, const char *name)
{
    struct pair *pair = pair_named(client, server_context(0, server_identity, 0, 0), 0, name);

    pair_handshake(pair);
    return pair->client_result;
}

START_TEST(a_pin_beside_the_chain_may_be_any_key_of_it)
{
    const int64_t pinned[] = {certs()->server, certs()->ca};

    for (int i = 0; i < 2; i++) {
        int64_t client = client_context(0, certs()->trust, 0);

        pin(client, pinned[i], TLSSHIM_PIN_AND);
        ck_assert_int_eq(meets(client, certs()->server, "www.test"), TLSSHIM_OK);
    }
}
END_TEST

START_TEST(a_good_chain_without_a_pinned_key_is_refused)
{
    int64_t client = client_context(0, certs()->trust, 0);
    int32_t result;

    pin(client, certs()->other_ca, TLSSHIM_PIN_AND);
    result = meets(client, certs()->server, "www.test");
    ck_assert_result(result, TLSSHIM_E_PIN);
    ck_assert_ptr_nonnull(strstr(error_text_of(result), "none of the 1 pins"));
}
END_TEST

START_TEST(a_pin_beside_the_chain_does_not_mend_the_chain)
{
    int64_t client = client_context(0, certs()->trust, 0);

    pin(client, certs()->server_other, TLSSHIM_PIN_AND);
    ck_assert_result(meets(client, certs()->server_other, "www.test"), TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(a_pin_instead_of_the_chain_needs_no_anchor)
{
    int64_t client = keep(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));

    pin(client, certs()->server_other, TLSSHIM_PIN_INSTEAD);
    pin(client, certs()->server_old, TLSSHIM_PIN_INSTEAD);
    ck_assert_int_eq(meets(client, certs()->server_other, "www.test"), TLSSHIM_OK);
    ck_assert_int_eq(meets(client, certs()->server_old, "www.test"), TLSSHIM_OK);
    ck_assert_result(meets(client, certs()->server_other, "www.else"), TLSSHIM_E_NAME);
    ck_assert_result(meets(client, certs()->server, "www.test"), TLSSHIM_E_PIN);
}
END_TEST

START_TEST(a_pin_of_the_authority_is_no_pin_of_the_peer)
{
    int64_t client = client_context(0, certs()->trust, 0);

    pin(client, certs()->ca, TLSSHIM_PIN_INSTEAD);
    ck_assert_result(meets(client, certs()->server, "www.test"), TLSSHIM_E_PIN);
}
END_TEST

START_TEST(bad_pins_are_refused)
{
    int64_t client = keep(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
    uint8_t digest[33] = {0};

    ck_assert_result(tlsshim_context_add_pin(client, digest, 31, TLSSHIM_PIN_AND), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_add_pin(client, digest, 33, TLSSHIM_PIN_AND), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_context_add_pin(client, digest, 32, 3), TLSSHIM_E_ARGUMENT);
    for (int i = 0; i < 64; i++)
        ck_assert_ok(tlsshim_context_add_pin(client, digest, 32, TLSSHIM_PIN_AND));
    ck_assert_result(tlsshim_context_add_pin(client, digest, 32, TLSSHIM_PIN_AND), TLSSHIM_E_LIMIT);
}
END_TEST

/* --- remembered chains --- */

/* Whether the chain that the last handshake of the context met would be taken for known. */
static bool known(int64_t client, int64_t server_identity)
{
    struct pair *pair = pair_named(client, server_context(0, server_identity, 0, 0), 0, "www.test");
    struct conn_call call;
    STACK_OF(X509) * chain;
    int64_t until;

    pair_handshake(pair);
    ck_assert_int_eq(pair->client_result, TLSSHIM_OK);
    ck_assert_int_eq(conn_enter(pair->client, &call), TLSSHIM_OK);
    chain = verified_find(call.conn, SSL_get0_peer_certificate(call.conn->ssl), SSL_get_peer_cert_chain(call.conn->ssl),
                          &until);
    conn_leave(&call);
    sk_X509_pop_free(chain, X509_free);
    return chain != NULL;
}

START_TEST(a_good_chain_is_remembered_unless_switched_off)
{
    int64_t on = client_context(0, certs()->trust, 0);
    int64_t off = client_context(0, certs()->trust, 0);

    ck_assert_ok(tlsshim_context_set_chain_cache(off, 0));
    ck_assert(known(on, certs()->server));
    ck_assert(known(on, certs()->server_deep));
    ck_assert(!known(off, certs()->server));
    ck_assert_result(tlsshim_context_set_chain_cache(off, 1), TLSSHIM_E_FROZEN);
    ck_assert_result(tlsshim_context_set_chain_cache(keep(tlsshim_copy(off)), 301), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(a_remembered_chain_has_its_verified_chain)
{
    int64_t client = client_context(0, certs()->trust, 0);
    int64_t server = server_context(0, certs()->server_deep, 0, 0);

    for (int i = 0; i < 2; i++) {
        struct pair *pair = pair_new(client, server, 0);

        pair_connect(pair);
        ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_verified_chain(pair->client))), 3);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFY_CODE), 0);
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    }
}
END_TEST

START_TEST(the_name_is_judged_each_time)
{
    int64_t client = client_context(0, certs()->trust, 0);

    ck_assert(known(client, certs()->server));
    ck_assert_result(meets(client, certs()->server, "www.else"), TLSSHIM_E_NAME);
    ck_assert_int_eq(meets(client, certs()->server, "www.test"), TLSSHIM_OK);
}
END_TEST

START_TEST(a_remembered_chain_expires_with_its_certificates)
{
    int64_t brief = keep(certs_leaf(certs()->ca, "P-256", "CN=www.test", "www.test", -10, 100));
    int64_t client = client_context(0, certs()->trust, 0);

    ck_assert(known(client, brief));
    clock_shift = 200; /* the cache's own five minutes are not over */
    ck_assert_result(meets(client, brief, "www.test"), TLSSHIM_E_EXPIRED);
    clock_shift = -200; /* and before it begins */
    ck_assert_result(meets(client, brief, "www.test"), TLSSHIM_E_EXPIRED);
    clock_shift = 0;
}
END_TEST

START_TEST(a_remembered_chain_is_forgotten_after_five_minutes_of_any_clock)
{
    int64_t client = client_context(0, certs()->trust, 0);
    struct pair *pair = pair_new(client, server_context(0, certs()->server, 0, 0), 0);
    struct conn_call call;
    int64_t until;

    pair_connect(pair);
    ck_assert_int_eq(conn_enter(pair->client, &call), TLSSHIM_OK);
    clock_shift = -100; /* the wall clock stepped back */
    monotonic_shift = 301;
    ck_assert_ptr_null(verified_find(call.conn, SSL_get0_peer_certificate(call.conn->ssl),
                                     SSL_get_peer_cert_chain(call.conn->ssl), &until));
    clock_shift = monotonic_shift = 0;
    conn_leave(&call);
}
END_TEST

START_TEST(other_rules_do_not_find_a_remembered_chain)
{
    int64_t client = client_context(0, certs()->trust, 0);
    int64_t other = client_context(0, certs()->other_trust, 0);
    int64_t shallow = client_context(0, certs()->trust, 0);

    ck_assert_ok(tlsshim_context_set_verify_depth(shallow, 0));
    ck_assert(known(client, certs()->server_deep));
    ck_assert_ok(tlsshim_context_replace(client, shallow)); /* the memory stays with the handle */
    ck_assert_result(meets(client, certs()->server_deep, "www.test"), TLSSHIM_E_VERIFY);
    ck_assert_ok(tlsshim_context_replace(client, other));
    ck_assert_result(meets(client, certs()->server_deep, "www.test"), TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(what_an_insecure_switch_let_pass_is_not_remembered)
{
    int64_t client = client_context(0, certs()->other_trust, 0);
    int64_t strict = client_context(0, certs()->other_trust, 0);

    ck_assert_ok(tlsshim_context_insecure_skip_chain(client, 1));
    ck_assert(!known(client, certs()->server));
    ck_assert_ok(tlsshim_context_replace(client, strict));
    ck_assert_result(meets(client, certs()->server, "www.test"), TLSSHIM_E_VERIFY);
}
END_TEST

START_TEST(pins_are_judged_beside_a_remembered_chain)
{
    int64_t client = client_context(0, certs()->trust, 0);
    int64_t pinned = client_context(0, certs()->trust, 0);

    pin(pinned, certs()->other_ca, TLSSHIM_PIN_AND);
    ck_assert(known(client, certs()->server));
    ck_assert_ok(tlsshim_context_replace(client, pinned));
    for (int i = 0; i < 2; i++)
        ck_assert_result(meets(client, certs()->server, "www.test"), TLSSHIM_E_PIN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pin");
    TCase *tcase = tcase_create("pin");

    certs();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_test(tcase, a_pin_beside_the_chain_may_be_any_key_of_it);
    tcase_add_test(tcase, a_good_chain_without_a_pinned_key_is_refused);
    tcase_add_test(tcase, a_pin_beside_the_chain_does_not_mend_the_chain);
    tcase_add_test(tcase, a_pin_instead_of_the_chain_needs_no_anchor);
    tcase_add_test(tcase, a_pin_of_the_authority_is_no_pin_of_the_peer);
    tcase_add_test(tcase, bad_pins_are_refused);
    tcase_add_test(tcase, a_good_chain_is_remembered_unless_switched_off);
    tcase_add_test(tcase, a_remembered_chain_has_its_verified_chain);
    tcase_add_test(tcase, the_name_is_judged_each_time);
    tcase_add_test(tcase, a_remembered_chain_expires_with_its_certificates);
    tcase_add_test(tcase, a_remembered_chain_is_forgotten_after_five_minutes_of_any_clock);
    tcase_add_test(tcase, other_rules_do_not_find_a_remembered_chain);
    tcase_add_test(tcase, what_an_insecure_switch_let_pass_is_not_remembered);
    tcase_add_test(tcase, pins_are_judged_beside_a_remembered_chain);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
