/* Certificates that a server asks for after the handshake (TLS 1.3). */
#include <string.h>

#include "support/bare.h"
#include "support/clock.h"
#include "support/pair.h"
#include "support/parties.h"
#include "support/socket.h"

enum { TLS13 = WAYS / 2, KINDS = 2 }; /* ways of TLS 1.3; tickets and the cache */

static struct way way_of(int i)
{
    return ways[TLS13 + i % TLS13];
}

static int64_t offering(int64_t identity)
{
    int64_t client = client_context(0, certs()->trust, identity);

    ck_assert_ok(tlsshim_context_set_post_handshake(client, 1));
    return client;
}

static int64_t asking(int32_t mode)
{
    int64_t server = server_context(0, certs()->server, certs()->trust, mode);

    ck_assert_ok(tlsshim_context_set_post_handshake(server, 1));
    return server;
}

static struct pair *connected(int64_t client, int64_t server, int32_t room)
{
    struct pair *pair = pair_new(client, server, room);

    pair_connect(pair);
    return pair;
}

static void ask(struct pair *pair)
{
    int32_t result = tlsshim_conn_request_certificate(pair->server);

    ck_assert_msg(result == TLSSHIM_OK, "%s", support_text(result));
}

/* Both read until nothing moves; gives the server's result. */
static int32_t answered(struct pair *pair)
{
    int32_t result = TLSSHIM_WANT_FEED;
    char data[64];

    do {
        pair->client_result = tlsshim_conn_read(pair->client, data, sizeof data);
        result = tlsshim_conn_read(pair->server, data, sizeof data);
    } while (pair_move(pair));
    return result;
}

static bool peer_is(int64_t conn, const char *name)
{
    int64_t cert = tlsshim_conn_peer_cert(conn);
    char text[64];
    int32_t len;

    if (cert == TLSSHIM_NONE)
        return name[0] == 0;
    len = tlsshim_cert_text(keep(cert), TLSSHIM_CERT_COMMON_NAME, text, sizeof text);
    return len == (int32_t)strlen(name) && memcmp(text, name, (size_t)len) == 0;
}

START_TEST(a_client_answers_while_it_reads_and_the_facts_follow)
{
    struct pair *pair = connected(offering(certs()->client), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), way_of(_i).room);

    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), TLSSHIM_NONE);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert(peer_is(pair->server, ""));
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_VERIFY_REPORT), "the peer has no certificate");
    ask(pair);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
    ck_assert_int_eq(answered(pair), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
    ck_assert(peer_is(pair->server, "client"));
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFY_CODE), 0);
    ck_assert_str_eq(text_of(pair->server, TLSSHIM_CONN_VERIFY_REPORT), "the peer's certificate was judged good");
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_verified_chain(pair->server))), 2);
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_local_cert(pair->client))), 1);
    pair_send(pair, true, "up", 2);
    pair_send(pair, false, "down", 4);
}
END_TEST

/* The backend sends one message at a time, and would take the answer to the client's update for the question. */
START_TEST(a_question_goes_out_behind_the_answer_to_a_key_update)
{
    struct pair *pair = connected(offering(certs()->client), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), PIPE_MOST);
    char data[64];

    pair_send(pair, false, "tickets", 7);
    ck_assert_int_eq(tlsshim_conn_key_update(pair->client, 1), TLSSHIM_OK);
    ck_assert_int_eq(pair_read(pair, false, data, sizeof data), TLSSHIM_WANT_FEED);
    ask(pair);
    ck_assert_int_eq(answered(pair), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    pair_send(pair, false, "under the new key", 17);
}
END_TEST

START_TEST(data_flows_both_ways_while_the_answer_is_awaited)
{
    static uint8_t data[40000];
    struct pair *pair =
        connected(offering(certs()->client_rsa), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), way_of(_i).room);

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 11);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "before", 6), 6);
    ask(pair);
    pair_send(pair, false, data, sizeof data);
    ck_assert_int_eq(tlsshim_conn_write(pair->server, "again", 5), 5);
    answered(pair);
    pair_send(pair, true, data, sizeof data);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert(peer_is(pair->server, "rsa client"));
}
END_TEST

/* The answer cut anywhere: what is not yet proven is not told, and writing goes on as soon as the rest is there. */
START_TEST(what_is_not_proven_yet_is_not_told)
{
    struct pair *pair = connected(offering(certs()->client), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), PIPE_MOST);
    uint8_t flight[8192];
    int32_t len;
    char data[16];

    ask(pair);
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_WANT_DRAIN);
    len = tlsshim_conn_drain(pair->client, flight, sizeof flight);
    ck_assert_int_gt(len, 0);
    for (int32_t i = 0; i < len; i++) {
        must_be(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 1);
        must_be(tlsshim_conn_peer_cert(pair->server), TLSSHIM_NONE);
        must_be(tlsshim_conn_verified_chain(pair->server), TLSSHIM_NONE);
        must_be(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
        must_be(number_of(pair->server, TLSSHIM_CONN_VERIFY_CODE), TLSSHIM_NONE);
        must_be(tlsshim_conn_write(pair->server, "x", 1), 1);
        must_be(tlsshim_conn_feed(pair->server, flight + i, 1), 1);
        must_be(tlsshim_conn_read(pair->server, data, sizeof data),
                tlsshim_conn_pending_out(pair->server) > 0 ? TLSSHIM_WANT_DRAIN : TLSSHIM_WANT_FEED);
    }
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert(peer_is(pair->server, "client"));
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    for (int32_t got = 0; got < len;) {
        char back[8192];
        int32_t some = pair_read(pair, true, back, sizeof back);

        ck_assert_int_gt(some, 0);
        got += some;
    }
}
END_TEST

static const struct trial {
    size_t identity; /* of struct certs; 0 = none */
    int32_t mode;
    int32_t code; /* 0 = good, or no certificate is good too */
    int alert;
} trials[] = {
    {offsetof(struct certs, client), TLSSHIM_CLIENT_CERTIFICATE_NONE, 0, 0},
    {offsetof(struct certs, client_rsa), TLSSHIM_CLIENT_CERTIFICATE_REQUEST, 0, 0},
    {0, TLSSHIM_CLIENT_CERTIFICATE_NONE, 0, 0},
    {0, TLSSHIM_CLIENT_CERTIFICATE_REQUEST, 0, 0},
    {offsetof(struct certs, client_other), TLSSHIM_CLIENT_CERTIFICATE_NONE, TLSSHIM_E_VERIFY, 48},
    {offsetof(struct certs, client_old), TLSSHIM_CLIENT_CERTIFICATE_NONE, TLSSHIM_E_EXPIRED, 45},
    {offsetof(struct certs, server), TLSSHIM_CLIENT_CERTIFICATE_NONE, TLSSHIM_E_VERIFY, 43},
};
enum { TRIALS = sizeof trials / sizeof trials[0] };

static int64_t identity_at(size_t offset)
{
    return offset == 0 ? 0 : *(const int64_t *)(const void *)((const char *)certs() + offset);
}

START_TEST(an_answer_is_judged_as_in_the_handshake)
{
    const struct trial *trial = &trials[_i];
    int64_t identity = identity_at(trial->identity);
    /* Shown at the handshake already it would be judged there. */
    struct pair *pair =
        connected(offering(trial->mode == TLSSHIM_CLIENT_CERTIFICATE_NONE ? identity : 0), asking(trial->mode), 512);
    int32_t result;

    ask(pair);
    result = answered(pair);
    ck_assert_result(result, trial->code == 0 ? TLSSHIM_WANT_FEED : trial->code);
    if (trial->code == 0) {
        ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
        ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED),
                         trial->mode == TLSSHIM_CLIENT_CERTIFICATE_NONE && identity != 0);
        return;
    }
    ck_assert_result(pair->client_result, TLSSHIM_E_REJECTED);
    ck_assert_int_eq(error_number_of(pair->client_result, TLSSHIM_ERROR_ALERT), trial->alert);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_ERROR), result);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_int_ne(number_of(pair->server, TLSSHIM_CONN_VERIFY_CODE), 0);
    ck_assert(!peer_is(pair->server, "")); /* who was refused can still be looked at */
    ck_assert_int_eq(tlsshim_conn_write(pair->server, "x", 1), result);
    ck_assert_int_eq(tlsshim_conn_request_certificate(pair->server), result);
}
END_TEST

/* Ours shows in each answer what it shows in the handshake: the peer that shows nothing later is the bare backend. */
START_TEST(no_answer_is_refused_where_certificates_are_required)
{
    struct bare *client = bare_new(true, TLSSHIM_TLS_1_3, certs()->client);
    int64_t server = keep(tlsshim_conn_new(asking(TLSSHIM_CLIENT_CERTIFICATE_REQUIRE), "", 0));
    int32_t result;
    char byte;

    SSL_CTX_set_post_handshake_auth(client->ctx, 1);
    bare_begin(client);
    ck_assert_int_eq(bare_meet(client, server), TLSSHIM_OK);
    ck_assert(peer_is(server, "client"));
    SSL_certs_clear(client->ssl);
    ck_assert_int_eq(tlsshim_conn_request_certificate(server), TLSSHIM_OK);
    bare_move(client, server);
    result = tlsshim_conn_read(server, &byte, 1);
    ck_assert_result(result, TLSSHIM_E_NO_CERTIFICATE);
    bare_move(client, server);
    ck_assert_int_eq(client->alert, 116);
    ck_assert_int_eq(tlsshim_conn_peer_cert(server), TLSSHIM_NONE);
    bare_free(client);
}
END_TEST

START_TEST(no_answer_takes_the_place_of_the_certificate_before)
{
    struct bare *client = bare_new(true, TLSSHIM_TLS_1_3, certs()->client);
    int64_t server = keep(tlsshim_conn_new(asking(TLSSHIM_CLIENT_CERTIFICATE_REQUEST), "", 0));
    char byte;

    SSL_CTX_set_post_handshake_auth(client->ctx, 1);
    bare_begin(client);
    ck_assert_int_eq(bare_meet(client, server), TLSSHIM_OK);
    ck_assert_int_eq(number_of(server, TLSSHIM_CONN_VERIFIED), 1);
    SSL_certs_clear(client->ssl);
    ck_assert_int_eq(tlsshim_conn_request_certificate(server), TLSSHIM_OK);
    bare_move(client, server);
    ck_assert_int_eq(tlsshim_conn_read(server, &byte, 1), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(number_of(server, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert_int_eq(number_of(server, TLSSHIM_CONN_VERIFIED), 0);
    ck_assert_int_eq(tlsshim_conn_peer_cert(server), TLSSHIM_NONE);
    ck_assert_str_eq(text_of(server, TLSSHIM_CONN_VERIFY_REPORT), "the peer has no certificate");
    bare_free(client);
}
END_TEST

START_TEST(asking_is_refused_where_nobody_could_answer)
{
    struct pair *old = pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, certs()->client),
                                asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), 512);
    struct pair *mute =
        connected(client_context(0, certs()->trust, certs()->client), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), 512);
    struct pair *pair = pair_new(offering(certs()->client), asking(TLSSHIM_CLIENT_CERTIFICATE_NONE), 512);
    struct pair *unprepared = connected(offering(certs()->client), server_context(0, certs()->server, 0, 0), 512);

    pair_connect(old);
    ck_assert_result(tlsshim_conn_request_certificate(old->server), TLSSHIM_E_UNSUPPORTED);
    ck_assert_result(tlsshim_conn_request_certificate(mute->server), TLSSHIM_E_UNSUPPORTED);
    ck_assert_result(tlsshim_conn_request_certificate(unprepared->server), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_request_certificate(pair->server), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_conn_state(pair->server) & TLSSHIM_STATE_FAILED, 0);
    pair_connect(pair);
    ck_assert_result(tlsshim_conn_request_certificate(pair->client), TLSSHIM_E_STATE);
    ask(pair);
    ck_assert_result(tlsshim_conn_request_certificate(pair->server), TLSSHIM_E_STATE);
    answered(pair);
    ask(pair); /* once more is fine */
    answered(pair);
    ck_assert(peer_is(pair->server, "client"));
    ck_assert_ok(tlsshim_conn_shutdown(pair->server) == TLSSHIM_WANT_DRAIN ? 0 : -1);
    ck_assert_result(tlsshim_conn_request_certificate(pair->server), TLSSHIM_E_STATE);
    /* None of these refusals has broken anything. */
    pair_send(mute, true, "a", 1);
    pair_send(mute, false, "b", 1);
    pair_send(old, true, "a", 1);
}
END_TEST

START_TEST(a_server_that_may_ask_needs_trust)
{
    int64_t server = server_context(0, certs()->server, 0, 0);

    ck_assert_result(tlsshim_context_set_post_handshake(server, 2), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_context_set_post_handshake(server, 1));
    ck_assert_result(tlsshim_conn_new(server, "", 0), TLSSHIM_E_EMPTY);
    ck_assert_ok(tlsshim_context_set_trust(server, certs()->trust));
    keep(tlsshim_conn_new(server, "", 0));
    ck_assert_result(tlsshim_context_set_post_handshake(server, 0), TLSSHIM_E_FROZEN);
}
END_TEST

/* --- sessions --- */

static int64_t remembering(void)
{
    int64_t client = offering(certs()->client);

    ck_assert_ok(tlsshim_context_set_session_cache(client, 10));
    return client;
}

static int64_t storing(int kind)
{
    int64_t server = asking(TLSSHIM_CLIENT_CERTIFICATE_NONE);

    ck_assert_ok(tlsshim_context_set_session_cache(server, kind == 0 ? 0 : 100));
    ck_assert_ok(tlsshim_context_set_tickets(server, 1));
    return server;
}

static int64_t session_of(struct pair *pair)
{
    pair_send(pair, false, "ticket", 6);
    return keep(tlsshim_conn_take_session(pair->client));
}

static struct pair *resumed(int64_t client, int64_t server, int64_t session)
{
    struct pair *pair = pair_new(client, server, 512);

    ck_assert_ok(tlsshim_conn_set_session(pair->client, session));
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), 1);
    return pair;
}

START_TEST(sessions_carry_the_certificate_from_the_answer_on_and_not_before)
{
    int64_t client = offering(certs()->client), server = storing(_i);
    struct pair *pair = connected(client, server, 512);
    int64_t before = session_of(pair), between, after;

    ask(pair);
    answered(pair);
    after = session_of(pair);
    pair = resumed(client, server, before);
    ck_assert(peer_is(pair->server, ""));
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 0);
    ask(pair); /* a resumed connection can be asked as well */
    between = session_of(pair);
    answered(pair);
    ck_assert(peer_is(pair->server, "client"));
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_verified_chain(pair->server))), 2);
    ck_assert_int_eq(tlsshim_cert_count(keep(tlsshim_conn_local_cert(pair->client))), 1);
    ck_assert_int_eq(tlsshim_conn_local_cert(pair->server), TLSSHIM_NONE);
    pair = resumed(client, server, between);
    ck_assert(peer_is(pair->server, ""));
    pair = resumed(client, server, after);
    ck_assert(peer_is(pair->server, "client"));
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert(strncmp(text_of(pair->server, TLSSHIM_CONN_VERIFY_REPORT), "resumed: ", 9) == 0);
}
END_TEST

START_TEST(a_session_ends_with_the_certificate_that_came_late)
{
    int64_t brief = keep(certs_leaf(certs()->ca, "P-256", "CN=brief", "", -10, 500));
    int64_t client = offering(brief), server = storing(_i % KINDS);
    struct pair *pair = connected(client, server, 512);
    int64_t before = session_of(pair), after;
    bool late = _i / KINDS % 2 == 1;

    if (_i / KINDS / 2 == 1) /* the same on a connection that was resumed itself */
        pair = resumed(client, server, before);
    ask(pair);
    answered(pair);
    after = session_of(pair);
    clock_shift = late ? 600 : 400;
    pair = pair_new(client, server, 512);
    ck_assert_ok(tlsshim_conn_set_session(pair->client, after));
    pair_connect(pair);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), !late);
    clock_shift = 0;
}
END_TEST

START_TEST(a_server_that_never_asks_takes_no_session_of_one_that_does)
{
    int64_t client = remembering(), server = storing(_i);
    struct pair *pair = connected(client, server, 512);
    int64_t other = server_context(0, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_NONE);

    ask(pair);
    answered(pair);
    pair_send(pair, false, "ticket", 6);
    ck_assert_ok(tlsshim_context_set_session_cache(other, _i == 0 ? 0 : 100));
    ck_assert_ok(tlsshim_context_replace(server, other));
    pair = connected(client, server, 512);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RESUMED), 0);
}
END_TEST

/* --- streams --- */

START_TEST(a_stream_asks_and_answers_over_its_descriptor)
{
    struct parties parties = one_sided_parties(0, 0);
    int64_t client, server, conn;
    char data[16];

    ck_assert_ok(tlsshim_context_add_identity(parties.client, parties.client_identity, "", 0));
    ck_assert_ok(tlsshim_context_set_post_handshake(parties.client, 1));
    ck_assert_ok(tlsshim_context_set_post_handshake(parties.server, 1));
    shaken_streams(&parties, &client, &server);
    conn = a_handle(tlsshim_stream_conn(server));
    ck_assert_int_eq(tlsshim_conn_request_certificate(conn), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_write(server, "who?", 4, SOON), 4);
    ck_assert_int_eq(tlsshim_stream_read(client, data, sizeof data, SOON), 4);
    ck_assert_int_eq(tlsshim_stream_write(client, "me", 2, SOON), 2);
    ck_assert_int_eq(tlsshim_stream_read(server, data, sizeof data, SOON), 2);
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_CERTIFICATE_REQUESTED), 0);
    ck_assert(peer_is(conn, "client.test"));
    tlsshim_close(conn);
    tlsshim_close(client);
    tlsshim_close(server);
    parties_close(&parties);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("request");
    TCase *tcase = tcase_create("request");

    certs();
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, keep_begin, keep_end);
    tcase_add_loop_test(tcase, a_client_answers_while_it_reads_and_the_facts_follow, 0, TLS13);
    tcase_add_test(tcase, a_question_goes_out_behind_the_answer_to_a_key_update);
    tcase_add_loop_test(tcase, data_flows_both_ways_while_the_answer_is_awaited, 0, TLS13);
    tcase_add_test(tcase, what_is_not_proven_yet_is_not_told);
    tcase_add_loop_test(tcase, an_answer_is_judged_as_in_the_handshake, 0, TRIALS);
    tcase_add_test(tcase, no_answer_is_refused_where_certificates_are_required);
    tcase_add_test(tcase, no_answer_takes_the_place_of_the_certificate_before);
    tcase_add_test(tcase, asking_is_refused_where_nobody_could_answer);
    tcase_add_test(tcase, a_server_that_may_ask_needs_trust);
    tcase_add_loop_test(tcase, sessions_carry_the_certificate_from_the_answer_on_and_not_before, 0, KINDS);
    tcase_add_loop_test(tcase, a_session_ends_with_the_certificate_that_came_late, 0, 4 * KINDS);
    tcase_add_loop_test(tcase, a_server_that_never_asks_takes_no_session_of_one_that_does, 0, KINDS);
    tcase_add_test(tcase, a_stream_asks_and_answers_over_its_descriptor);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
