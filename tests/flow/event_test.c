/* Decisions that the host makes in the middle of a handshake. */
#include <string.h>

#include "support/pair.h"
#include "support/pki.h"

enum { HELLO = TLSSHIM_EVENT_HELLO, VERIFY = TLSSHIM_EVENT_VERIFY, CERTIFICATE = TLSSHIM_EVENT_CERTIFICATE };

static struct {
    int32_t seen; /* mask */
    int count;
    int64_t context, identity; /* to choose */
    int32_t alert;             /* to refuse with */
    char text[512];
    uint8_t list[512];
    int32_t list_len;
} host;

static void host_begin(void)
{
    keep_begin();
    memset(&host, 0, sizeof host);
}

static void events(int64_t context, int32_t mask)
{
    ck_assert_ok(tlsshim_context_set_events(context, mask));
}

static int64_t a_client(int32_t version, int64_t identity)
{
    return client_context(version, certs()->trust, identity);
}

static int64_t a_server(int32_t version, int64_t identity)
{
    return server_context(version, identity, certs()->both_trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
}

static const char *event_text(int64_t conn, int32_t field)
{
    int32_t len = tlsshim_conn_event_text(conn, field, host.text, sizeof host.text - 1);

    host.text[len > 0 ? len : 0] = 0;
    return host.text;
}

static bool list_holds(int64_t conn, int32_t field, int number)
{
    host.list_len = tlsshim_conn_event_bytes(conn, field, host.list, sizeof host.list);
    for (int i = 0; i + 1 < host.list_len; i += 2)
        if (host.list[i] << 8 == (number & 0xff00) && host.list[i + 1] == (number & 0xff))
            return true;
    return false;
}

static int64_t event_number(int64_t conn, int32_t field)
{
    int64_t n = -12345;
    int32_t result = tlsshim_conn_event_number(conn, field, &n);

    return result == TLSSHIM_OK ? n : result;
}

/* Takes what there is to choose, refuses if it is to. */
static void answer(int64_t conn, int32_t event)
{
    host.seen |= event;
    host.count++;
    if (host.context != 0)
        ck_assert_ok(tlsshim_conn_use_context(conn, host.context));
    if (host.identity != 0 && event != VERIFY)
        ck_assert_ok(tlsshim_conn_use_identity(conn, host.identity));
    if (host.alert != 0)
        ck_assert_ok(tlsshim_conn_refuse(conn, host.alert));
    else if (event == VERIFY)
        ck_assert_ok(tlsshim_conn_accept_peer(conn));
    else
        ck_assert_ok(tlsshim_conn_event_done(conn));
    ck_assert_int_eq(tlsshim_conn_event(conn), TLSSHIM_NONE);
    ck_assert_result(tlsshim_conn_event_done(conn), TLSSHIM_E_STATE);
}

static void connect_asked(struct pair *pair)
{
    pair_handshake_asked(pair, answer);
    ck_assert_msg(pair->client_result == TLSSHIM_OK && pair->server_result == TLSSHIM_OK, "client %s, server %s",
                  support_text(pair->client_result), support_text(pair->server_result));
    pair_send(pair, true, "up", 2);
    pair_send(pair, false, "down", 4);
}

static const char *subject_of(int64_t cert)
{
    int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, host.text, sizeof host.text - 1);

    host.text[len > 0 ? len : 0] = 0;
    return host.text;
}

/* --- HELLO --- */

START_TEST(a_hello_tells_what_the_client_offers)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, certs()->client), server = a_server(way.version, certs()->server);
    struct pair *pair;

    set_alpn(client, "h2,http/1.1", TLSSHIM_ALPN_CONTINUE);
    events(server, HELLO);
    pair = pair_new(client, server, way.room);
    pair_handshake(pair);
    ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_event(pair->server), HELLO);
    ck_assert_int_ne(tlsshim_conn_state(pair->server) & TLSSHIM_STATE_EVENT_PENDING, 0);
    ck_assert_str_eq(event_text(pair->server, TLSSHIM_DETAIL_SERVER_NAME), "www.test");
    ck_assert_int_eq(tlsshim_conn_event_bytes(pair->server, TLSSHIM_DETAIL_ALPN, host.list, 64), 12);
    ck_assert_mem_eq(host.list, "\x02h2\x08http/1.1", 12);
    ck_assert(list_holds(pair->server, TLSSHIM_DETAIL_VERSIONS, way.version));
    ck_assert(list_holds(pair->server, TLSSHIM_DETAIL_GROUPS, 29));
    ck_assert(list_holds(pair->server, TLSSHIM_DETAIL_SIGNATURES, 0x0403));
    ck_assert(list_holds(pair->server, TLSSHIM_DETAIL_CIPHERS, way.version == TLSSHIM_TLS_1_3 ? 0x1301 : 0xc02b));
    ck_assert_int_eq(event_number(pair->server, TLSSHIM_DETAIL_VERIFY_CODE), TLSSHIM_NONE);
    connect_asked(pair);
    ck_assert_int_eq(host.count, 1);
}
END_TEST

START_TEST(another_context_takes_over_whole)
{
    struct way way = ways[_i];
    int64_t first = a_server(way.version, certs()->server_other);
    int64_t chosen = server_context(way.version, certs()->server, 0, 0);
    struct pair *pair;
    int64_t n = 0;

    set_alpn(chosen, "b", TLSSHIM_ALPN_FAIL);
    set_alpn(first, "a", TLSSHIM_ALPN_FAIL);
    events(first, HELLO);
    host.context = chosen;
    pair = pair_new(a_client(way.version, 0), first, way.room);
    ck_assert_ok(tlsshim_conn_set_alpn(pair->client,
                                       "\x01"
                                       "b",
                                       2, TLSSHIM_ALPN_REQUIRE));
    connect_asked(pair);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_ALPN), "b");
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_SERVER_NAME), "www.test");
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert_ok(tlsshim_context_number(chosen, TLSSHIM_CONTEXT_HANDSHAKES, &n));
    ck_assert_int_eq(n, 1);
    ck_assert_ok(tlsshim_context_number(first, TLSSHIM_CONTEXT_HANDSHAKES, &n));
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_BYTES_IN), number_of(pair->client, TLSSHIM_CONN_BYTES_OUT));
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RECORDS_IN),
                     number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT));
}
END_TEST

/* The policy of the chosen context holds: switching the backend's context alone would have kept the old one. */
START_TEST(the_chosen_context_demands_what_it_demands)
{
    struct way way = ways[_i];
    int64_t first = server_context(way.version, certs()->server, 0, 0);
    struct pair *pair;

    events(first, HELLO);
    host.context = a_server(way.version, certs()->server);
    pair = pair_new(a_client(way.version, 0), first, way.room);
    pair_handshake_asked(pair, answer);
    ck_assert_result(pair->server_result, TLSSHIM_E_NO_CERTIFICATE);
}
END_TEST

START_TEST(sessions_of_the_chosen_context_resume_there)
{
    struct way way = ways[_i];
    int64_t first = server_context(way.version, certs()->server_other, 0, 0);
    int64_t client = a_client(way.version, 0);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    events(first, HELLO);
    host.context = server_context(way.version, certs()->server, 0, 0);
    for (int round = 0; round < 2; round++) {
        struct pair *pair = pair_new(client, first, way.room);

        connect_asked(pair);
        ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), round);
    }
}
END_TEST

START_TEST(an_identity_and_protocols_can_be_chosen_at_the_hello)
{
    struct way way = ways[_i];
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    struct pair *pair;

    events(server, HELLO);
    pair = pair_new(a_client(way.version, 0), server, way.room);
    ck_assert_ok(tlsshim_conn_set_alpn(pair->client,
                                       "\x01"
                                       "b",
                                       2, TLSSHIM_ALPN_REQUIRE));
    pair_handshake(pair);
    ck_assert_ok(tlsshim_conn_set_alpn(pair->server,
                                       "\x01"
                                       "b",
                                       2, TLSSHIM_ALPN_FAIL));
    host.identity = certs()->server;
    connect_asked(pair);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_ALPN), "b");
}
END_TEST

static const int32_t alerts[] = {40, 42, 43, 44, 45, 46, 48, 51, 80};
enum { ALERTS = sizeof alerts / sizeof alerts[0] };

START_TEST(a_hello_is_refused_with_the_alert_of_choice)
{
    int32_t version = _i < ALERTS ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t server = a_server(version, certs()->server);
    struct pair *pair;

    events(server, HELLO);
    host.alert = alerts[_i % ALERTS];
    pair = pair_new(a_client(version, certs()->client), server, 512);
    pair_handshake_asked(pair, answer);
    ck_assert_result(pair->server_result, TLSSHIM_E_VERDICT);
    ck_assert_int_eq(error_number_of(pair->server_result, TLSSHIM_ERROR_ALERT), host.alert);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), host.alert);
}
END_TEST

START_TEST(the_hello_is_asked_about_once_although_the_client_says_it_twice)
{
    int64_t client = a_client(TLSSHIM_TLS_1_3, certs()->client), server = a_server(TLSSHIM_TLS_1_3, certs()->server);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_groups(client, str("X25519:P-256")));
    ck_assert_ok(tlsshim_context_set_groups(server, str("P-256")));
    events(server, HELLO);
    if (_i == 1) {
        host.context = a_server(TLSSHIM_TLS_1_3, certs()->server);
        ck_assert_ok(tlsshim_context_set_groups(host.context, str("P-256")));
    }
    pair = pair_new(client, server, 512);
    connect_asked(pair);
    ck_assert_int_eq(host.count, 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_HELLO_RETRY), 1);
}
END_TEST

/* --- VERIFY --- */

START_TEST(both_ends_are_asked_about_a_good_peer)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, certs()->client), server = a_server(way.version, certs()->server);
    struct pair *pair;

    events(client, VERIFY);
    events(server, VERIFY);
    pair = pair_new(client, server, way.room);
    pair_handshake(pair);
    ck_assert_int_eq(pair->client_result, TLSSHIM_WANT_EVENT);
    ck_assert_str_eq(subject_of(keep(a_handle(tlsshim_conn_peer_cert(pair->client)))), "server");
    ck_assert_int_eq(tlsshim_cert_count(keep(a_handle(tlsshim_conn_verified_chain(pair->client)))), 2);
    ck_assert_int_eq(event_number(pair->client, TLSSHIM_DETAIL_VERIFY_CODE), 0);
    ck_assert_int_eq(event_number(pair->client, TLSSHIM_DETAIL_DEPTH), TLSSHIM_NONE);
    ck_assert_result(tlsshim_conn_event_done(pair->client), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_conn_accept_peer(pair->client));
    pair->client_result = TLSSHIM_WANT_FEED;
    pair_handshake(pair);
    ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_EVENT);
    ck_assert_str_eq(subject_of(keep(a_handle(tlsshim_conn_peer_cert(pair->server)))), "client");
    ck_assert_int_eq(tlsshim_cert_count(keep(a_handle(tlsshim_conn_verified_chain(pair->server)))), 2);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFY_CODE), 0);
    connect_asked(pair);
    ck_assert_int_eq(host.count, 1);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_str_eq(subject_of(keep(a_handle(tlsshim_conn_peer_cert(pair->server)))), "client");
}
END_TEST

START_TEST(the_host_refuses_with_the_alert_of_choice)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool by_client = _i / 2 % 2 == 0;
    int64_t client = a_client(version, certs()->client), server = a_server(version, certs()->server);
    struct pair *pair;
    int32_t refused, told;

    events(by_client ? client : server, VERIFY);
    host.alert = alerts[_i / 4];
    pair = pair_new(client, server, 512);
    pair_handshake_asked(pair, answer);
    refused = by_client ? pair->client_result : pair->server_result;
    told = by_client ? pair->server_result : pair->client_result;
    if (!by_client && version == TLSSHIM_TLS_1_3)
        told = pair_read(pair, true, host.list, 1); /* a client is done before */
    ck_assert_result(refused, TLSSHIM_E_VERDICT);
    ck_assert_int_eq(error_number_of(refused, TLSSHIM_ERROR_ALERT), host.alert);
    ck_assert_int_eq(error_number_of(told, TLSSHIM_ERROR_ALERT), host.alert);
    keep(a_handle(tlsshim_conn_peer_cert(by_client ? pair->client : pair->server)));
}
END_TEST

/* The host cannot let pass whom the judgement refuses; it can look, and it can say why not. */
START_TEST(a_bad_judgement_stands_although_the_host_accepts)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool by_client = _i / 2 == 0;
    int64_t client = a_client(version, by_client ? certs()->client : certs()->client_old);
    int64_t server = a_server(version, by_client ? certs()->server_old : certs()->server);
    struct pair *pair;

    events(by_client ? client : server, VERIFY);
    pair = pair_new(client, server, 512);
    pair_handshake_asked(pair, answer);
    ck_assert_int_eq(host.count, 1);
    ck_assert_result(by_client ? pair->client_result : pair->server_result, TLSSHIM_E_EXPIRED);
}
END_TEST

START_TEST(a_switch_and_the_host_together_let_a_bad_peer_pass)
{
    int32_t version = _i == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = a_client(version, certs()->client);
    struct pair *pair;

    events(client, VERIFY);
    ck_assert_ok(tlsshim_context_insecure_skip_time(client, 1));
    pair = pair_new(client, a_server(version, certs()->server_old), 512);
    pair_handshake(pair);
    ck_assert_int_ne(event_number(pair->client, TLSSHIM_DETAIL_VERIFY_CODE), 0);
    ck_assert_int_eq(event_number(pair->client, TLSSHIM_DETAIL_DEPTH), 0);
    connect_asked(pair);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 0);
}
END_TEST

/* --- CERTIFICATE --- */

START_TEST(a_client_is_asked_for_its_certificate)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, 0);
    struct pair *pair;

    events(client, CERTIFICATE);
    pair = pair_new(client, a_server(way.version, certs()->server), way.room);
    pair_handshake(pair);
    ck_assert_int_eq(pair->client_result, TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_event(pair->client), CERTIFICATE);
    event_text(pair->client, TLSSHIM_DETAIL_CA_NAMES);
    ck_assert_msg(strchr(host.text, '\n') != NULL, "two authorities, a line each: %s", host.text);
    ck_assert(list_holds(pair->client, TLSSHIM_DETAIL_SIGNATURES, 0x0403));
    host.identity = certs()->client;
    connect_asked(pair);
    ck_assert_str_eq(subject_of(keep(a_handle(tlsshim_conn_peer_cert(pair->server)))), "client");
    ck_assert_str_eq(subject_of(keep(a_handle(tlsshim_conn_local_cert(pair->client)))), "client");
}
END_TEST

START_TEST(a_client_that_chooses_none_shows_none)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, certs()->client);
    struct pair *pair;

    events(client, CERTIFICATE);
    pair = pair_new(client,
                    server_context(way.version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUEST),
                    way.room);
    connect_asked(pair);
    ck_assert_int_eq(tlsshim_conn_peer_cert(pair->server), TLSSHIM_NONE);
}
END_TEST

START_TEST(a_server_is_asked_for_its_certificate)
{
    struct way way = ways[_i];
    int64_t server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    struct pair *pair;

    events(server, CERTIFICATE);
    host.identity = certs()->server;
    pair = pair_new(a_client(way.version, 0), server, way.room);
    connect_asked(pair);
    ck_assert_int_eq(host.seen, CERTIFICATE);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_VERIFIED), 1);
}
END_TEST

START_TEST(refusing_to_show_a_certificate_ends_the_handshake)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool by_client = _i / 2 == 0;
    int64_t client = a_client(version, certs()->client), server = a_server(version, certs()->server);
    struct pair *pair;

    events(by_client ? client : server, CERTIFICATE);
    host.alert = 80;
    pair = pair_new(client, server, 512);
    pair_handshake_asked(pair, answer);
    ck_assert_result(by_client ? pair->client_result : pair->server_result, TLSSHIM_E_VERDICT);
    ck_assert_int_eq(error_number_of(by_client ? pair->server_result : pair->client_result, TLSSHIM_ERROR_ALERT), 80);
}
END_TEST

/* A session is bound to the identity that was shown: who is asked for another shows it again. */
START_TEST(a_session_resumes_only_with_the_identity_that_it_was_made_with)
{
    struct way way = ways[_i / 3];
    int64_t client = a_client(way.version, 0), server = a_server(way.version, certs()->server);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    pair = pair_new(client, server, way.room);
    ck_assert_ok(tlsshim_conn_use_identity(pair->client, certs()->client));
    connect_asked(pair);
    pair = pair_new(client, server, way.room);
    if (_i % 3 != 2)
        ck_assert_ok(tlsshim_conn_use_identity(pair->client, _i % 3 == 0 ? certs()->client : certs()->client_rsa));
    pair_handshake(pair);
    if (_i % 3 == 2)
        ck_assert_result(pair->server_result, TLSSHIM_E_NO_CERTIFICATE);
    else
        ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), _i % 3 == 0);
}
END_TEST

/* --- SESSION --- */

START_TEST(a_session_is_announced_and_holds_up_reading_alone)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, 0);
    struct pair *pair;
    int64_t session;

    events(client, TLSSHIM_EVENT_SESSION);
    pair = pair_new(client, server_context(way.version, certs()->server, 0, 0), way.room);
    if (way.version == TLSSHIM_TLS_1_3) {
        pair_connect(pair);
        ck_assert_int_eq(tlsshim_conn_write(pair->server, "x", 1), 1);
        ck_assert_int_eq(pair_read(pair, true, host.list, 1),
                         way.room == 1 || way.room == 512 ? TLSSHIM_WANT_EVENT : 1);
    } else {
        pair_handshake(pair);
    }
    ck_assert_int_eq(tlsshim_conn_event(pair->client), TLSSHIM_EVENT_SESSION);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, host.list, 1), TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "y", 1), 1);
    session = keep(a_handle(tlsshim_conn_take_session(pair->client)));
    ck_assert_result(tlsshim_conn_refuse(pair->client, 80), TLSSHIM_E_STATE);
    do
        ck_assert_ok(tlsshim_conn_event_done(pair->client));
    while (tlsshim_conn_event(pair->client) == TLSSHIM_EVENT_SESSION);
    ck_assert_int_ne(tlsshim_conn_read(pair->client, host.list, 1), TLSSHIM_WANT_EVENT);
    ck_assert_int_eq(tlsshim_kind(session), TLSSHIM_KIND_SESSION);
}
END_TEST

/* --- all of them --- */

START_TEST(every_event_at_once_in_its_order)
{
    struct way way = ways[_i];
    int64_t client = a_client(way.version, 0), server = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_trust(server, certs()->trust));
    ck_assert_ok(tlsshim_context_set_client_certificate(server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    events(client, VERIFY | CERTIFICATE | TLSSHIM_EVENT_SIGN | TLSSHIM_EVENT_SESSION);
    events(server, HELLO | VERIFY | CERTIFICATE | TLSSHIM_EVENT_SIGN);
    pair = pair_new(client, server, way.room);
    for (int i = 0; i < 100000 && (pair->client_result < 0 || pair->server_result < 0); i++) {
        pair_handshake(pair);
        for (int end = 0; end < 2; end++) {
            int64_t conn = end == 0 ? pair->client : pair->server;
            int32_t event = tlsshim_conn_event(conn);

            if (event == TLSSHIM_NONE)
                continue;
            host.identity = event == CERTIFICATE ? (end == 0 ? certs()->client : certs()->server) : 0;
            answer(conn, event);
        }
    }
    ck_assert_ok(pair->client_result);
    ck_assert_ok(pair->server_result);
    ck_assert_int_eq(host.seen & ~TLSSHIM_EVENT_SESSION, HELLO | VERIFY | CERTIFICATE);
    ck_assert_int_ge(host.count, 5);
    pair_send(pair, true, "up", 2);
}
END_TEST

START_TEST(closing_in_the_middle_of_an_event_leaks_nothing)
{
    struct way way = ways[_i % WAYS];
    static const int32_t masks[] = {HELLO, VERIFY, CERTIFICATE};
    int64_t client = a_client(way.version, certs()->client), server = a_server(way.version, certs()->server);
    struct pair *pair;

    events(server, masks[_i / WAYS]);
    pair = pair_new(client, server, way.room);
    pair_handshake(pair);
    ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_EVENT);
    if (masks[_i / WAYS] == HELLO) /* chosen, and never gone on with */
        ck_assert_ok(tlsshim_conn_use_context(pair->server, server));
}
END_TEST

START_TEST(what_does_not_belong_to_an_event_is_refused)
{
    int64_t client = a_client(0, certs()->client), server = a_server(0, certs()->server);
    struct pair *pair;

    ck_assert_result(tlsshim_context_set_events(client, 64), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_events(client, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_events(client, HELLO), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_context_set_events(server, TLSSHIM_EVENT_SESSION), TLSSHIM_E_STATE);
    events(server, HELLO);
    pair = pair_new(client, server, 512);
    ck_assert_result(tlsshim_conn_use_context(pair->server, server), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_use_identity(pair->server, certs()->server), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_conn_event(pair->client), TLSSHIM_NONE);
    pair_handshake(pair);
    ck_assert_result(tlsshim_context_set_events(server, 0), TLSSHIM_E_FROZEN);
    ck_assert_result(tlsshim_conn_use_context(pair->server, client), TLSSHIM_E_MISMATCH);
    ck_assert_result(tlsshim_conn_use_context(pair->server, pair->server), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_conn_use_identity(pair->server, server), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_conn_accept_peer(pair->server), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_sign_with(pair->server, "x", 1), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_event_text(pair->server, 0, NULL, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_event_number(pair->server, 15, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_event_number(pair->server, TLSSHIM_DETAIL_DEPTH, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_refuse(pair->server, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_refuse(pair->server, 41), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(tlsshim_conn_handshake(pair->server), TLSSHIM_WANT_EVENT);
    connect_asked(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("event");
    TCase *flow = tcase_create("flow");

    tcase_add_checked_fixture(flow, host_begin, keep_end);
    tcase_set_timeout(flow, 60);
    tcase_add_loop_test(flow, a_hello_tells_what_the_client_offers, 0, WAYS);
    tcase_add_loop_test(flow, another_context_takes_over_whole, 0, WAYS);
    tcase_add_loop_test(flow, the_chosen_context_demands_what_it_demands, 0, WAYS);
    tcase_add_loop_test(flow, sessions_of_the_chosen_context_resume_there, 0, WAYS);
    tcase_add_loop_test(flow, an_identity_and_protocols_can_be_chosen_at_the_hello, 0, WAYS);
    tcase_add_loop_test(flow, a_hello_is_refused_with_the_alert_of_choice, 0, 2 * ALERTS);
    tcase_add_loop_test(flow, the_hello_is_asked_about_once_although_the_client_says_it_twice, 0, 2);
    tcase_add_loop_test(flow, both_ends_are_asked_about_a_good_peer, 0, WAYS);
    tcase_add_loop_test(flow, the_host_refuses_with_the_alert_of_choice, 0, 4 * ALERTS);
    tcase_add_loop_test(flow, a_bad_judgement_stands_although_the_host_accepts, 0, 4);
    tcase_add_loop_test(flow, a_switch_and_the_host_together_let_a_bad_peer_pass, 0, 2);
    tcase_add_loop_test(flow, a_client_is_asked_for_its_certificate, 0, WAYS);
    tcase_add_loop_test(flow, a_client_that_chooses_none_shows_none, 0, WAYS);
    tcase_add_loop_test(flow, a_server_is_asked_for_its_certificate, 0, WAYS);
    tcase_add_loop_test(flow, refusing_to_show_a_certificate_ends_the_handshake, 0, 4);
    tcase_add_loop_test(flow, a_session_resumes_only_with_the_identity_that_it_was_made_with, 0, 3 * WAYS);
    tcase_add_loop_test(flow, a_session_is_announced_and_holds_up_reading_alone, 0, WAYS);
    tcase_add_loop_test(flow, every_event_at_once_in_its_order, 0, WAYS);
    tcase_add_loop_test(flow, closing_in_the_middle_of_an_event_leaks_nothing, 0, 3 * WAYS);
    tcase_add_test(flow, what_does_not_belong_to_an_event_is_refused);
    suite_add_tcase(suite, flow);
    certs();
    return run_suite(suite);
}
