/* Events of streams: the same calls, on the engine that stream_conn gives. */
#include <pthread.h>
#include <string.h>

#include "support/pki.h"
#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

static const int32_t versions[] = {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3};

/* A server that asks its host for everything, the signature included. */
static struct parties asking_parties(int32_t version, int64_t *private_key)
{
    struct parties p = mutual_parties(version, version);
    int64_t cert = a_handle(tlsshim_identity_cert(p.server_identity));
    int64_t public_key = a_handle(tlsshim_cert_public_key(cert)), external = a_handle(tlsshim_key_external(public_key));
    int64_t apart = a_handle(tlsshim_identity_new(cert, external));

    *private_key = a_handle(tlsshim_identity_key(p.server_identity));
    ck_assert_ok(tlsshim_context_add_identity(p.server, apart, "", 0));
    ck_assert_ok(tlsshim_context_set_events(p.server, TLSSHIM_EVENT_HELLO | TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_SIGN));
    close_both(cert, public_key);
    close_both(external, apart);
    return p;
}

static void answer(int64_t stream, int64_t private_key)
{
    int64_t conn = a_handle(tlsshim_stream_conn(stream));
    int32_t event = tlsshim_conn_event(conn);
    struct blob message, signature, scheme;

    if (event == TLSSHIM_EVENT_HELLO) {
        ck_assert_ok(tlsshim_conn_event_done(conn));
    } else if (event == TLSSHIM_EVENT_VERIFY) {
        ck_assert_ok(tlsshim_conn_accept_peer(conn));
    } else {
        ck_assert_int_eq(event, TLSSHIM_EVENT_SIGN);
        ck_assert_ok(blob_fill(&scheme, tlsshim_conn_event_text, conn, TLSSHIM_DETAIL_SIGN_SCHEME));
        ck_assert_ok(blob_fill(&message, tlsshim_conn_event_bytes, conn, TLSSHIM_DETAIL_SIGN_MESSAGE));
        ck_assert_ok(blob_fill(&signature, tlsshim_key_sign, private_key, of_blob(&scheme), of_blob(&message)));
        ck_assert_ok(tlsshim_conn_sign_with(conn, of_blob(&signature)));
    }
    ck_assert_ok(tlsshim_close(conn));
}

/* Waits for the peer, but never for the host: that is what WANT_EVENT is for. */
static int answered_handshake(int64_t stream, int64_t private_key)
{
    int32_t result;
    int events = 0;

    while ((result = tlsshim_stream_handshake(stream, SOON)) == TLSSHIM_WANT_EVENT) {
        events++;
        answer(stream, private_key);
    }
    ck_assert_ok(result);
    return events;
}

START_TEST(a_stream_asks_its_host_and_goes_on)
{
    int64_t private_key, client, server;
    struct parties p = asking_parties(versions[_i], &private_key);
    struct worker peer;

    connected_streams(p.client, p.server, &client, &server);
    start(&peer, handshake_once, client, NULL, 0);
    ck_assert_int_eq(answered_handshake(server, private_key), 3);
    ck_assert_ok(finish(&peer));
    send_text(server, "hello");
    expect_text(client, "hello");
    close_both(client, server);
    parties_close(&p);
    ck_assert_ok(tlsshim_close(private_key));
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

START_TEST(reading_and_writing_meet_the_events_too)
{
    int64_t private_key, client, server;
    struct parties p = asking_parties(versions[_i], &private_key);
    struct worker peer;
    char text[8];
    int32_t result;

    connected_streams(p.client, p.server, &client, &server);
    start(&peer, handshake_once, client, NULL, 0);
    while ((result = _i == 0 ? tlsshim_stream_write(server, "x", 1, SOON)
                             : tlsshim_stream_read(server, text, sizeof text, 0)) == TLSSHIM_WANT_EVENT ||
           result == TLSSHIM_WANT_READ)
        if (result == TLSSHIM_WANT_EVENT)
            answer(server, private_key);
        else if (tlsshim_stream_handshake(server, 0) == TLSSHIM_OK)
            break;
    ck_assert_ok(finish(&peer));
    close_both(client, server);
    parties_close(&p);
    ck_assert_ok(tlsshim_close(private_key));
}
END_TEST

START_TEST(a_stream_is_closed_while_its_host_is_asked)
{
    int64_t private_key, client, server;
    struct parties p = asking_parties(versions[_i], &private_key);
    struct worker peer;

    connected_streams(p.client, p.server, &client, &server);
    start(&peer, handshake_once, client, NULL, 0);
    ck_assert_int_eq(tlsshim_stream_handshake(server, SOON), TLSSHIM_WANT_EVENT);
    answer(server, private_key);
    ck_assert_int_eq(tlsshim_stream_handshake(server, SOON), TLSSHIM_WANT_EVENT); /* parked, by now */
    ck_assert_ok(tlsshim_close(server));
    ck_assert_result(finish(&peer), TLSSHIM_E_TRUNCATED);
    ck_assert_ok(tlsshim_close(client));
    parties_close(&p);
    ck_assert_ok(tlsshim_close(private_key));
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream events");
    TCase *flow = tcase_create("flow");

    tcase_set_timeout(flow, 60);
    tcase_add_loop_test(flow, a_stream_asks_its_host_and_goes_on, 0, 2);
    tcase_add_loop_test(flow, reading_and_writing_meet_the_events_too, 0, 2);
    tcase_add_loop_test(flow, a_stream_is_closed_while_its_host_is_asked, 0, 2);
    suite_add_tcase(suite, flow);
    return run_suite(suite);
}
