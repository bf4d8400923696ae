/* TLS over real sockets: what both ends learn, how connections end, deadlines, several threads on one stream. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

static const int32_t versions[] = {TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3};
static char bulk[BULK];
static char back[BULK + 1];

static int64_t conn_number_of(int64_t stream, int32_t field)
{
    int64_t conn = a_handle(tlsshim_stream_conn(stream)), n = -1;

    ck_assert_int_eq(tlsshim_conn_number(conn, field, &n), TLSSHIM_OK);
    ck_assert_ok(tlsshim_close(conn));
    return n;
}

static void expect_conn_text(int64_t stream, int32_t field, const char *wanted)
{
    int64_t conn = a_handle(tlsshim_stream_conn(stream));
    char text[128];
    int32_t len = tlsshim_conn_text(conn, field, text, sizeof text - 1);

    ck_assert_ok(len);
    text[len] = 0;
    ck_assert_str_eq(text, wanted);
    ck_assert_ok(tlsshim_close(conn));
}

static void expect_peer(int64_t stream, const char *common_name)
{
    int64_t conn = a_handle(tlsshim_stream_conn(stream));
    int64_t cert = a_handle(tlsshim_conn_peer_cert(conn));
    char text[128];
    int32_t len = tlsshim_cert_text(cert, TLSSHIM_CERT_COMMON_NAME, text, sizeof text - 1);

    ck_assert_ok(len);
    text[len] = 0;
    ck_assert_str_eq(text, common_name);
    close_both(cert, conn);
}

START_TEST(mutual_tls_agrees_on_a_protocol_and_echoes_a_mebibyte)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    struct worker echoing, reading;
    int64_t client, server, n;

    fill_bulk(bulk);
    offer_alpn(p.client, "h2,http/1.1", TLSSHIM_ALPN_REQUIRE);
    offer_alpn(p.server, "h2", TLSSHIM_ALPN_REQUIRE);
    connected_streams(p.client, p.server, &client, &server);
    start(&echoing, echo, server, NULL, 0);
    start(&reading, read_all, client, back, 0);
    ck_assert_int_eq(tlsshim_stream_write(client, bulk, BULK, SOON), BULK);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_result(finish(&reading), TLSSHIM_OK);
    ck_assert_result(finish(&echoing), TLSSHIM_OK);
    ck_assert_int_eq(reading.len, BULK);
    ck_assert_mem_eq(back, bulk, BULK);

    ck_assert_int_eq(conn_number_of(client, TLSSHIM_CONN_VERSION), versions[_i]);
    ck_assert_int_eq(conn_number_of(server, TLSSHIM_CONN_VERSION), versions[_i]);
    ck_assert_int_eq(conn_number_of(client, TLSSHIM_CONN_VERIFIED), 1);
    ck_assert_int_eq(conn_number_of(server, TLSSHIM_CONN_VERIFIED), 1);
    expect_conn_text(client, TLSSHIM_CONN_ALPN, "h2");
    expect_conn_text(server, TLSSHIM_CONN_ALPN, "h2");
    expect_conn_text(client, TLSSHIM_CONN_VERIFY_NAME, "localhost");
    expect_conn_text(server, TLSSHIM_CONN_SERVER_NAME, "localhost");
    expect_peer(client, "server.test");
    expect_peer(server, "client.test");
    ck_assert_ok(tlsshim_stream_number(client, TLSSHIM_STREAM_TLS, &n));
    ck_assert_int_eq(n, 1);
    ck_assert_int_gt(tlsshim_memory(client), 1000);
    close_both(client, server);
    parties_close(&p);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

START_TEST(addresses_are_verified_as_addresses)
{
    static const char *const hosts[] = {"::1", "127.0.0.1"};
    struct parties p = mutual_parties(0, 0);
    int64_t client, server;

    connected_streams_at(hosts[_i], p.client, p.server, &client, &server);
    shake(client, server);
    expect_conn_text(client, TLSSHIM_CONN_VERIFY_NAME, hosts[_i]);
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(the_dot_at_the_end_of_a_host_is_no_part_of_its_name)
{
    struct parties p = mutual_parties(0, 0);
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t client = connect_to("localhost.", tlsshim_listener_port(listener), p.client, SOON);
    int64_t server;

    if (support_has_code(client, TLSSHIM_E_RESOLVE)) /* then no resolver here knows it by its full name */
        client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), p.client, SOON));
    server = a_handle(tlsshim_listener_accept(listener, p.server, SOON));
    shake(client, server);
    expect_conn_text(server, TLSSHIM_CONN_SERVER_NAME, "localhost");
    close_both(client, server);
    ck_assert_ok(tlsshim_close(listener));
    parties_close(&p);
}
END_TEST

/* One thread, no waiting inside: what a host with a loop of its own does. */
static int32_t step(int32_t *result, int64_t stream, struct pollfd *ready)
{
    int32_t wants;

    if (*result == TLSSHIM_OK)
        return 0;
    *result = tlsshim_stream_handshake(stream, 0);
    wants = tlsshim_stream_wants(stream);
    ready->fd = (int)tlsshim_stream_fd(stream);
    ready->events =
        (short)(((wants & TLSSHIM_READY_READ) != 0 ? POLLIN : 0) | ((wants & TLSSHIM_READY_WRITE) != 0 ? POLLOUT : 0));
    return *result;
}

START_TEST(without_time_a_loop_of_the_hosts_own_does_the_waiting)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), p.client, 0));
    int64_t server = 0;
    int32_t mine = TLSSHIM_WANT_READ, theirs = TLSSHIM_WANT_READ;
    struct pollfd ready[2] = {{.fd = -1}, {.fd = -1}};

    for (int turns = 0; mine != TLSSHIM_OK || theirs != TLSSHIM_OK; turns++) {
        ck_assert_int_lt(turns, 1000);
        if (server <= 0)
            server = tlsshim_listener_accept(listener, p.server, 0);
        ck_assert_int_ge(step(&mine, client, &ready[0]), TLSSHIM_WANT_WRITE);
        if (server > 0)
            ck_assert_int_ge(step(&theirs, server, &ready[1]), TLSSHIM_WANT_WRITE);
        if (mine != TLSSHIM_OK || theirs != TLSSHIM_OK)
            poll(ready, 2, 10);
    }
    ck_assert_int_eq(tlsshim_stream_wants(client), 0);
    send_text(client, "done");
    expect_text(server, "done");
    close_both(client, server);
    ck_assert_ok(tlsshim_close(listener));
    parties_close(&p);
}
END_TEST

START_TEST(a_silent_peer_is_a_timeout_of_the_call)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, began;
    char byte;

    connected_streams(p.client, p.server, &client, &server);
    began = now_ms();
    ck_assert_int_eq(tlsshim_stream_handshake(client, 40), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, 40), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_write(client, "x", 1, 40), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 120);
    shake(client, server); /* nothing was lost by it */
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(a_peer_silent_past_the_handshakes_limit_is_an_error)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, began = now_ms();
    char byte;

    ck_assert_ok(tlsshim_context_set_handshake_timeout(p.client, 80));
    connected_streams(p.client, p.server, &client, &server);
    ck_assert_result(tlsshim_stream_handshake(client, SOON), TLSSHIM_E_DEADLINE);
    ck_assert_int_ge(now_ms() - began, 80);
    ck_assert_int_lt(now_ms() - began, SOON / 2);
    ck_assert_result(tlsshim_stream_read(client, &byte, 1, SOON), TLSSHIM_E_DEADLINE);
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(the_three_ends_of_a_connection_are_told_apart)
{
    const struct linger now = {.l_onoff = 1};
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server;
    char byte;

    shaken_streams(&p, &client, &server);
    send_text(server, "clean");
    ck_assert_int_eq(tlsshim_stream_shutdown(server, SOON), TLSSHIM_OK);
    ck_assert_ok(tlsshim_close(server));
    expect_text(client, "clean");
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    ck_assert_ok(tlsshim_close(client));

    shaken_streams(&p, &client, &server);
    send_text(server, "cut");
    ck_assert_ok(tlsshim_close(server));
    expect_text(client, "cut");
    ck_assert_result(tlsshim_stream_read(client, &byte, 1, SOON), TLSSHIM_E_TRUNCATED);
    ck_assert_ok(tlsshim_close(client));

    shaken_streams(&p, &client, &server);
    setsockopt((int)tlsshim_stream_fd(server), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ck_assert_ok(tlsshim_close(server));
    ck_assert_result(tlsshim_stream_read(client, &byte, 1, SOON), TLSSHIM_E_RESET);
    ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_RESET);
    ck_assert_ok(tlsshim_close(client));
    parties_close(&p);
}
END_TEST

START_TEST(what_arrived_before_a_failed_write_is_readable)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server;
    int32_t result;
    char byte;

    shaken_streams(&p, &client, &server);
    send_text(server, "last words");
    send_text(client, "unread, so that the close resets");
    ck_assert_ok(tlsshim_close(server));
    while ((result = tlsshim_stream_write(client, "x", 1, SOON)) > 0)
        continue;
    ck_assert_result(result, TLSSHIM_E_RESET);
    expect_text(client, "last words");
    ck_assert_int_lt(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    ck_assert_ok(tlsshim_close(client));
    parties_close(&p);
}
END_TEST

START_TEST(a_client_without_certificate_learns_that_it_is_refused)
{
    struct parties p = one_sided_parties(versions[_i], versions[_i]);
    struct worker serving;
    int64_t client, server;
    int32_t result;
    char byte;

    ck_assert_ok(tlsshim_context_set_client_certificate(p.server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    connected_streams(p.client, p.server, &client, &server);
    start(&serving, handshake_once, server, NULL, 0);
    result = tlsshim_stream_handshake(client, SOON);
    if (versions[_i] == TLSSHIM_TLS_1_3) /* the client is done before the server has judged it */
        ck_assert_result(result, TLSSHIM_OK);
    else
        ck_assert_result(result, TLSSHIM_E_REJECTED);
    ck_assert_result(finish(&serving), TLSSHIM_E_NO_CERTIFICATE);
    ck_assert_ok(tlsshim_close(server));
    result = tlsshim_stream_read(client, &byte, 1, SOON);
    ck_assert_result(result, TLSSHIM_E_REJECTED);
    ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_REJECTED);
    ck_assert_ok(tlsshim_close(client));
    parties_close(&p);
}
END_TEST

START_TEST(a_client_that_writes_first_learns_it_too)
{
    struct parties p = one_sided_parties(TLSSHIM_TLS_1_3, TLSSHIM_TLS_1_3);
    struct worker serving;
    int64_t client, server;
    int32_t result;

    ck_assert_ok(tlsshim_context_set_client_certificate(p.server, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE));
    connected_streams(p.client, p.server, &client, &server);
    start(&serving, handshake_once, server, NULL, 0);
    ck_assert_result(tlsshim_stream_handshake(client, SOON), TLSSHIM_OK);
    ck_assert_result(finish(&serving), TLSSHIM_E_NO_CERTIFICATE);
    ck_assert_ok(tlsshim_close(server));
    while ((result = tlsshim_stream_write(client, "x", 1, SOON)) > 0)
        continue;
    ck_assert_result(result, TLSSHIM_E_REJECTED);
    ck_assert_ok(tlsshim_close(client));
    parties_close(&p);
}
END_TEST

START_TEST(a_server_of_another_name_or_root_is_refused_and_told)
{
    struct parties p = one_sided_parties(versions[_i], versions[_i]), q = one_sided_parties(0, 0);
    struct worker serving;
    int64_t listener = listener_at("127.0.0.1", 0), client, server, conn;
    int32_t wanted[] = {TLSSHIM_E_VERIFY, TLSSHIM_E_NAME};

    for (int i = 0; i < 2; i++) {
        client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), i == 0 ? q.client : p.client, SOON));
        server = a_handle(tlsshim_listener_accept(listener, p.server, SOON));
        if (i == 1) {
            conn = a_handle(tlsshim_stream_conn(client));
            ck_assert_ok(tlsshim_conn_set_verify_name(conn, "other.test", 10));
            ck_assert_ok(tlsshim_close(conn));
        }
        start(&serving, handshake_once, server, NULL, 0);
        ck_assert_result(tlsshim_stream_handshake(client, SOON), wanted[i]);
        if (versions[_i] == TLSSHIM_TLS_1_2) {
            ck_assert_result(finish(&serving), TLSSHIM_E_REJECTED); /* by the alert */
        } else {
            ck_assert_int_lt(finish(&serving), TLSSHIM_NONE);
        }
        close_both(client, server);
    }
    ck_assert_ok(tlsshim_close(listener));
    parties_close(&p);
    parties_close(&q);
}
END_TEST

START_TEST(a_peer_that_speaks_something_else_is_named)
{
    struct parties p = one_sided_parties(0, 0);
    int64_t client, server;
    int32_t result;

    connected_streams(p.client, 0, &client, &server);
    send_text(server, "HTTP/1.1 400 Bad Request\r\n\r\n");
    result = tlsshim_stream_handshake(client, SOON);
    ck_assert_result(result, TLSSHIM_E_NOT_TLS);
    ck_assert_ptr_nonnull(strstr(support_text(result), "HTTP"));
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(after_our_goodbye_the_peer_may_go_on)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server;
    char byte;

    shaken_streams(&p, &client, &server);
    send_text(client, "question");
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_STATE);
    expect_text(server, "question");
    ck_assert_int_eq(tlsshim_stream_read(server, &byte, 1, SOON), 0);
    send_text(server, "answer");
    ck_assert_int_eq(tlsshim_stream_shutdown(server, SOON), TLSSHIM_OK);
    expect_text(client, "answer");
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(a_stream_may_begin_in_the_clear)
{
    struct parties p = one_sided_parties(versions[_i], versions[_i]);
    struct worker shaking;
    int64_t client, server;
    char text[512];
    int32_t got;

    connected_streams(0, 0, &client, &server);
    send_text(server, "220 ready\n");
    expect_text(client, "220 ready\n");
    ck_assert_result(tlsshim_stream_start_tls(client, 12345, "localhost", 9, "", 0), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_stream_start_tls(client, p.client, "localhost", 9, bulk, 65537), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_stream_start_tls(client, p.client, "local\0host", 10, "", 0), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_stream_start_tls(client, p.client, "localhost", 9, "", 0));
    ck_assert_result(tlsshim_stream_start_tls(client, p.client, "localhost", 9, "", 0), TLSSHIM_E_STATE);
    start(&shaking, handshake_once, client, NULL, 0);
    got = tlsshim_stream_read(server, text, 100, SOON); /* the server reads too far */
    ck_assert_int_gt(got, 0);
    ck_assert_ok(tlsshim_stream_start_tls(server, p.server, "", 0, text, got));
    ck_assert_result(tlsshim_stream_handshake(server, SOON), TLSSHIM_OK);
    ck_assert_result(finish(&shaking), TLSSHIM_OK);
    send_text(server, "secret");
    expect_text(client, "secret");
    close_both(client, server);
    parties_close(&p);
}
END_TEST

START_TEST(a_stream_that_connects_cannot_begin_tls_yet)
{
    struct parties p = one_sided_parties(0, 0);
    int64_t stream = a_handle(connect_to("127.0.0.1", silent_port(), 0, 0));

    ck_assert_result(tlsshim_stream_start_tls(stream, p.client, "localhost", 9, "", 0), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_close(stream));
    parties_close(&p);
}
END_TEST

START_TEST(the_engine_of_a_stream_outlives_it_and_is_kept_from_its_bytes)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, conn, other;
    char room[100];
    int32_t taken;

    shaken_streams(&p, &client, &server);
    conn = a_handle(tlsshim_stream_conn(client));
    other = a_handle(tlsshim_stream_conn(client));
    ck_assert_int_ne(conn, other);
    ck_assert_result(tlsshim_conn_drain(conn, room, sizeof room), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_feed(conn, "x", 1), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_feed_end(conn), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_open(conn, "x", 1, room, sizeof room, &taken), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_seal(conn, "x", 1, room, sizeof room, &taken), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_close(other));
    send_text(client, "unharmed");
    expect_text(server, "unharmed");
    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_conn_text(conn, TLSSHIM_CONN_CIPHER, room, sizeof room));
    ck_assert_result(tlsshim_conn_read(conn, room, sizeof room), TLSSHIM_E_TRUNCATED);
    ck_assert_result(tlsshim_conn_write(conn, "x", 1), TLSSHIM_E_RESET);
    close_both(conn, server);
    parties_close(&p);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

START_TEST(tls_runs_over_local_sockets_that_the_host_made)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, n;
    int ends[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    client = a_handle(tlsshim_stream_adopt(ends[0], p.client, "localhost", 9, TLSSHIM_FD_KEEP));
    server = a_handle(tlsshim_stream_adopt(ends[1], p.server, "", 0, TLSSHIM_FD_TAKE));
    shake(client, server);
    send_text(client, "local");
    expect_text(server, "local");
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_text(client, TLSSHIM_STREAM_PEER_ADDRESS, &byte, 0), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_stream_number(client, TLSSHIM_STREAM_PEER_PORT, &n), TLSSHIM_NONE);
    close_both(client, server);
    close(ends[0]);
    parties_close(&p);
}
END_TEST

START_TEST(a_context_that_cannot_serve_is_told_and_loses_no_connection)
{
    struct parties p = one_sided_parties(0, 0);
    int64_t bare = a_handle(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), p.client, SOON));
    int64_t server;

    ck_assert_result(tlsshim_listener_accept(listener, bare, SOON), TLSSHIM_E_EMPTY);
    server = a_handle(tlsshim_listener_accept(listener, p.server, SOON));
    shake(client, server);
    close_both(client, server);
    close_both(listener, bare);
    parties_close(&p);
}
END_TEST

START_TEST(a_second_connection_resumes)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server, conn, session;

    shaken_streams(&p, &client, &server);
    send_text(server, "with it the ticket");
    expect_text(client, "with it the ticket");
    conn = a_handle(tlsshim_stream_conn(client));
    session = a_handle(tlsshim_conn_take_session(conn));
    ck_assert_int_eq(conn_number_of(client, TLSSHIM_CONN_RESUMED), 0);
    close_both(client, server);
    ck_assert_ok(tlsshim_close(conn));

    connected_streams(p.client, p.server, &client, &server);
    conn = a_handle(tlsshim_stream_conn(client));
    ck_assert_ok(tlsshim_conn_set_session(conn, session));
    shake(client, server);
    ck_assert_int_eq(conn_number_of(client, TLSSHIM_CONN_RESUMED), 1);
    ck_assert_int_eq(conn_number_of(server, TLSSHIM_CONN_RESUMED), 1);
    expect_peer(server, "client.test");
    send_text(client, "again");
    expect_text(server, "again");
    close_both(client, server);
    close_both(conn, session);
    parties_close(&p);
}
END_TEST

static bool resumes(const struct parties *p, int64_t listener)
{
    int64_t client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), p->client, SOON));
    int64_t server = a_handle(tlsshim_listener_accept(listener, p->server, SOON));
    bool resumed;

    shake(client, server);
    send_text(server, "with it the ticket");
    expect_text(client, "with it the ticket");
    resumed = conn_number_of(client, TLSSHIM_CONN_RESUMED) == 1;
    close_both(client, server);
    return resumed;
}

START_TEST(kept_sessions_belong_to_a_host_and_a_port)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t one = listener_at("127.0.0.1", 0), other = listener_at("127.0.0.1", 0);

    ck_assert_ok(tlsshim_context_set_session_cache(p.client, 10));
    ck_assert(!resumes(&p, one));
    ck_assert(resumes(&p, one));
    ck_assert(!resumes(&p, other));
    ck_assert(resumes(&p, other));
    ck_assert(resumes(&p, one));
    close_both(one, other);
    parties_close(&p);
}
END_TEST

/* Listener and context were made before the fork: what a prefork server does. */
static bool child_serves(const struct parties *p, int64_t listener)
{
    struct worker serving = {.stream = tlsshim_listener_accept(listener, p->server, SOON)};

    if (serving.stream < 0)
        return false;
    echo(&serving);
    return serving.result == TLSSHIM_OK && tlsshim_close(serving.stream) == TLSSHIM_OK;
}

START_TEST(a_forked_child_serves_tls)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t listener = listener_at("127.0.0.1", 0), client;
    int status;
    char byte;
    pid_t child = fork();

    if (child == 0)
        _exit(child_serves(&p, listener) ? 0 : 1);
    client = a_handle(connect_to("localhost", tlsshim_listener_port(listener), p.client, SOON));
    send_text(client, "to the child");
    expect_text(client, "to the child");
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close_both(client, listener);
    parties_close(&p);
}
END_TEST

START_TEST(a_child_that_closes_an_inherited_stream_says_nothing_to_its_peer)
{
    struct parties p = mutual_parties(versions[_i], versions[_i]);
    int64_t client, server;
    int status;
    char byte;
    pid_t child;

    shaken_streams(&p, &client, &server);
    child = fork();
    if (child == 0)
        _exit(support_has_code(tlsshim_stream_write(client, "x", 1, 0), TLSSHIM_E_FORKED) &&
                      support_has_code(tlsshim_stream_conn(client), TLSSHIM_E_FORKED) &&
                      tlsshim_close(client) == TLSSHIM_OK && tlsshim_close(server) == TLSSHIM_OK
                  ? 0
                  : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(tlsshim_stream_read(server, &byte, 1, 30), TLSSHIM_TIMEOUT);
    send_text(client, "the parent's");
    expect_text(server, "the parent's");
    close_both(client, server);
    parties_close(&p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_flow");
    TCase *all = tcase_create("tls");

    tcase_add_loop_test(all, mutual_tls_agrees_on_a_protocol_and_echoes_a_mebibyte, 0, 2);
    tcase_add_loop_test(all, addresses_are_verified_as_addresses, 0, 2);
    tcase_add_test(all, the_dot_at_the_end_of_a_host_is_no_part_of_its_name);
    tcase_add_loop_test(all, without_time_a_loop_of_the_hosts_own_does_the_waiting, 0, 2);
    tcase_add_loop_test(all, a_silent_peer_is_a_timeout_of_the_call, 0, 2);
    tcase_add_loop_test(all, a_peer_silent_past_the_handshakes_limit_is_an_error, 0, 2);
    tcase_add_loop_test(all, the_three_ends_of_a_connection_are_told_apart, 0, 2);
    tcase_add_loop_test(all, what_arrived_before_a_failed_write_is_readable, 0, 2);
    tcase_add_loop_test(all, a_client_without_certificate_learns_that_it_is_refused, 0, 2);
    tcase_add_test(all, a_client_that_writes_first_learns_it_too);
    tcase_add_loop_test(all, a_server_of_another_name_or_root_is_refused_and_told, 0, 2);
    tcase_add_test(all, a_peer_that_speaks_something_else_is_named);
    tcase_add_loop_test(all, after_our_goodbye_the_peer_may_go_on, 0, 2);
    tcase_add_loop_test(all, a_stream_may_begin_in_the_clear, 0, 2);
    tcase_add_test(all, a_stream_that_connects_cannot_begin_tls_yet);
    tcase_add_loop_test(all, the_engine_of_a_stream_outlives_it_and_is_kept_from_its_bytes, 0, 2);
    tcase_add_loop_test(all, tls_runs_over_local_sockets_that_the_host_made, 0, 2);
    tcase_add_test(all, a_context_that_cannot_serve_is_told_and_loses_no_connection);
    tcase_add_loop_test(all, a_second_connection_resumes, 0, 2);
    tcase_add_loop_test(all, kept_sessions_belong_to_a_host_and_a_port, 0, 2);
    tcase_add_loop_test(all, a_forked_child_serves_tls, 0, 2);
    tcase_add_loop_test(all, a_child_that_closes_an_inherited_stream_says_nothing_to_its_peer, 0, 2);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
