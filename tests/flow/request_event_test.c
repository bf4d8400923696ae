/* Certificates asked for after the handshake, where the host decides: which one, by whose signature, and whether. */
#include <string.h>

#include "base/helper.h"
#include "support/pair.h"

static int64_t apart, apart_key; /* the client's identity with its key elsewhere, and that key */

static void host_begin(void)
{
    int64_t cert = a_handle(tlsshim_identity_cert(certs()->client));
    int64_t public_key = a_handle(tlsshim_cert_public_key(cert)), key = a_handle(tlsshim_key_external(public_key));

    apart = a_handle(tlsshim_identity_new(cert, key));
    apart_key = a_handle(tlsshim_identity_key(certs()->client));
    tlsshim_close(key);
    tlsshim_close(public_key);
    tlsshim_close(cert);
    keep_begin();
}

static void host_end(void)
{
    keep_end();
    ck_assert_int_eq(helpers_busy(), 0);
    tlsshim_close(apart);
    tlsshim_close(apart_key);
}

static struct pair *asked(int64_t identity, int32_t client_events, int32_t server_events, int32_t room)
{
    int64_t client = client_context(0, certs()->trust, identity);
    int64_t server = server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_NONE);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_post_handshake(client, 1));
    ck_assert_ok(tlsshim_context_set_post_handshake(server, 1));
    ck_assert_ok(tlsshim_context_set_events(client, client_events));
    ck_assert_ok(tlsshim_context_set_events(server, server_events));
    pair = pair_new(client, server, room);
    pair_connect(pair);
    ck_assert_int_eq(tlsshim_conn_request_certificate(pair->server), TLSSHIM_OK);
    return pair;
}

/* Both read until nothing moves; an event stays. */
static void settle(struct pair *pair)
{
    char data[64];

    do {
        pair->client_result = tlsshim_conn_read(pair->client, data, sizeof data);
        pair->server_result = tlsshim_conn_read(pair->server, data, sizeof data);
    } while (pair_move(pair));
}

static void wants(int64_t conn, int32_t result, int32_t event)
{
    char byte;

    ck_assert_int_eq(result, TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_event(conn), event);
    ck_assert_int_ne(tlsshim_conn_state(conn) & TLSSHIM_STATE_EVENT_PENDING, 0);
    /* However often it is tried. */
    ck_assert_int_eq(tlsshim_conn_read(conn, &byte, 1), TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_peek(conn, &byte, 1), TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_shutdown(conn), TLSSHIM_WANT_EVENT);
}

static void sign(int64_t conn)
{
    uint8_t message[8192], signature[512];
    char scheme[64];
    int32_t scheme_len = tlsshim_conn_event_text(conn, TLSSHIM_DETAIL_SIGN_SCHEME, scheme, sizeof scheme);
    int32_t len = tlsshim_conn_event_bytes(conn, TLSSHIM_DETAIL_SIGN_MESSAGE, message, sizeof message);

    ck_assert_ok(scheme_len);
    ck_assert_ok(len);
    len = tlsshim_key_sign(apart_key, scheme, scheme_len, message, len, signature, sizeof signature);
    ck_assert_ok(len);
    ck_assert_ok(tlsshim_conn_sign_with(conn, signature, len));
}

static void is_verified(struct pair *pair)
{
    char name[64];
    int32_t len =
        tlsshim_cert_text(keep(tlsshim_conn_peer_cert(pair->server)), TLSSHIM_CERT_COMMON_NAME, name, sizeof name);

    ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_FEED);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(len, 6);
    ck_assert_mem_eq(name, "client", 6);
    pair_send(pair, true, "up", 2);
    pair_send(pair, false, "down", 4);
}

static const int32_t rooms[] = {1, 512, PIPE_MOST, 0};
enum { ROOMS = sizeof rooms / sizeof rooms[0] };

START_TEST(the_host_of_a_client_says_which_certificate_it_shows_late)
{
    struct pair *pair = asked(0, TLSSHIM_EVENT_CERTIFICATE, 0, rooms[_i]);
    char data[16];

    settle(pair);
    wants(pair->client, pair->client_result, TLSSHIM_EVENT_CERTIFICATE);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "early", 5), 5); /* taken, and sent after the answer */
    ck_assert_ok(tlsshim_conn_use_identity(pair->client, certs()->client));
    ck_assert_ok(tlsshim_conn_event_done(pair->client));
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(pair_read(pair, false, data, sizeof data), 5);
    settle(pair);
    is_verified(pair);
}
END_TEST

START_TEST(the_host_of_a_client_signs_late)
{
    struct pair *pair = asked(apart, TLSSHIM_EVENT_SIGN, 0, rooms[_i]);

    settle(pair);
    wants(pair->client, pair->client_result, TLSSHIM_EVENT_SIGN);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "", 0), 0);
    sign(pair->client);
    settle(pair);
    is_verified(pair);
}
END_TEST

START_TEST(a_host_that_does_not_sign_fails_its_connection)
{
    struct pair *pair = asked(apart, TLSSHIM_EVENT_SIGN, 0, 512);

    settle(pair);
    ck_assert_ok(tlsshim_conn_refuse(pair->client, 80));
    settle(pair);
    ck_assert_result(pair->client_result, TLSSHIM_E_VERDICT);
    ck_assert_result(pair->server_result, TLSSHIM_E_ALERT);
    ck_assert_int_eq(tlsshim_conn_peer_cert(pair->server), TLSSHIM_NONE);
}
END_TEST

START_TEST(the_host_of_a_server_judges_what_is_shown_late)
{
    struct pair *pair = asked(certs()->client, 0, TLSSHIM_EVENT_VERIFY, rooms[_i]);
    int64_t n = -1;

    settle(pair);
    wants(pair->server, pair->server_result, TLSSHIM_EVENT_VERIFY);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_ok(tlsshim_conn_event_number(pair->server, TLSSHIM_DETAIL_VERIFY_CODE, &n));
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_peer_cert(pair->server))), 1);
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_verified_chain(pair->server))), 2);
    ck_assert_result(tlsshim_conn_request_certificate(pair->server), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_conn_accept_peer(pair->server));
    settle(pair);
    is_verified(pair);
}
END_TEST

START_TEST(the_host_of_a_server_refuses_what_is_shown_late)
{
    struct pair *pair = asked(certs()->client, 0, TLSSHIM_EVENT_VERIFY, 512);

    settle(pair);
    ck_assert_ok(tlsshim_conn_refuse(pair->server, 44));
    settle(pair);
    settle(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERDICT);
    ck_assert_result(pair->client_result, TLSSHIM_E_REJECTED);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), 44);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
}
END_TEST

START_TEST(accepting_does_not_mend_what_is_shown_late)
{
    struct pair *pair = asked(certs()->client_other, 0, TLSSHIM_EVENT_VERIFY, 512);

    settle(pair);
    ck_assert_ok(tlsshim_conn_accept_peer(pair->server));
    settle(pair);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERIFY);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
}
END_TEST

START_TEST(closing_in_the_middle_leaves_nothing_behind)
{
    struct pair *signs = asked(apart, TLSSHIM_EVENT_SIGN, 0, 512);
    struct pair *judges = asked(certs()->client, 0, TLSSHIM_EVENT_VERIFY, 512);

    settle(signs);
    settle(judges);
    ck_assert_int_eq(tlsshim_conn_event(signs->client), TLSSHIM_EVENT_SIGN);
    ck_assert_int_eq(tlsshim_conn_event(judges->server), TLSSHIM_EVENT_VERIFY);
    ck_assert_int_eq(helpers_busy(), 2);
    ck_assert_ok(tlsshim_close(signs->client));
    ck_assert_ok(tlsshim_close(judges->server));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request_event");
    TCase *tcase = tcase_create("request_event");

    certs();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, host_begin, host_end);
    tcase_add_loop_test(tcase, the_host_of_a_client_says_which_certificate_it_shows_late, 0, ROOMS);
    tcase_add_loop_test(tcase, the_host_of_a_client_signs_late, 0, ROOMS);
    tcase_add_test(tcase, a_host_that_does_not_sign_fails_its_connection);
    tcase_add_loop_test(tcase, the_host_of_a_server_judges_what_is_shown_late, 0, ROOMS);
    tcase_add_test(tcase, the_host_of_a_server_refuses_what_is_shown_late);
    tcase_add_test(tcase, accepting_does_not_mend_what_is_shown_late);
    tcase_add_test(tcase, closing_in_the_middle_leaves_nothing_behind);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
