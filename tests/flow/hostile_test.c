/* Peers that do what no good peer does. */
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/pair.h"
#include "support/rogue.h"

/* --- a client that is OpenSSL's own, whose records can be forged --- */

static struct rogue rogue;

/* What the rogue has on its wire goes to the connection, what that has to say goes back. */
static void exchange(int64_t conn)
{
    uint8_t wire[16384];
    int32_t len;

    if (rogue.wire.len > 0)
        (void)tlsshim_conn_feed(conn, rogue.wire.data, (int32_t)rogue.wire.len);
    rogue.wire.len = 0;
    (void)tlsshim_conn_handshake(conn);
    while ((len = tlsshim_conn_drain(conn, wire, sizeof wire)) > 0)
        rogue_hear(&rogue, wire, (size_t)len);
}

/* Both step until nothing moves; gives the result of the connection's last step. */
static int32_t rogue_handshake(int64_t conn)
{
    for (int steps = 0; steps < 20; steps++) {
        rogue_step(&rogue);
        exchange(conn);
    }
    return tlsshim_conn_handshake(conn);
}

/* A record as the rogue would send it next. */
static void forge(int64_t conn, uint8_t type, const void *data, size_t len)
{
    rogue.wire.len = 0;
    rogue_say(&rogue, type, data, len);
    must_be(tlsshim_conn_feed(conn, rogue.wire.data, (int32_t)rogue.wire.len), (int64_t)rogue.wire.len);
    rogue.wire.len = 0;
}

static int64_t forged_server(void)
{
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    int64_t conn;

    ck_assert_ok(tlsshim_context_set_tickets(server, 0));
    conn = keep(tlsshim_conn_new(server, "", 0));
    rogue_begin(&rogue, true);
    rogue_connect(&rogue);
    ck_assert_int_eq(rogue_handshake(conn), TLSSHIM_OK);
    return conn;
}

START_TEST(a_forged_record_is_read_like_any_other)
{
    int64_t conn = forged_server();
    char data[16];

    forge(conn, 23, "forged", 6);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), 6);
    ck_assert_mem_eq(data, "forged", 6);
    rogue_end(&rogue);
}
END_TEST

/* The backend can seal nothing while it is within a message: what is written waits, and nothing fails or spins. */
START_TEST(a_message_begun_and_not_ended_keeps_writes_waiting)
{
    static const uint8_t update[5] = {24, 0, 0, 1, 1};
    int64_t conn = forged_server();
    uint8_t wire[600];
    char data[16];
    int32_t taken = -1;

    forge(conn, 22, update, 4);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_write(conn, "waits", 5), 5);
    ck_assert_int_eq(tlsshim_conn_pending_out(conn), 0);
    ck_assert_int_eq(tlsshim_conn_state(conn) & (TLSSHIM_STATE_OUTPUT_PENDING | TLSSHIM_STATE_FAILED), 0);
    ck_assert_int_eq(tlsshim_conn_drain(conn, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_seal(conn, "x", 1, wire, sizeof wire, &taken), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(taken, 0);
    ck_assert_int_eq(tlsshim_conn_key_update(conn, 0), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_shutdown(conn), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_FEED);
    forge(conn, 22, update + 4, 1);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), TLSSHIM_WANT_DRAIN);
    taken = tlsshim_conn_drain(conn, wire, sizeof wire);
    ck_assert_int_gt(taken, 40); /* the answer to the update, and what was written */
    rogue_hear(&rogue, wire, (size_t)taken);
    ck_assert_int_eq(SSL_read(rogue.ssl, data, sizeof data), 5);
    ck_assert_mem_eq(data, "waits", 5);
    rogue_end(&rogue);
}
END_TEST

/* --- the same over a stream: the rogue holds the other socket --- */

static int rogue_fd;

static void rogue_to_socket(void)
{
    if (rogue.wire.len > 0)
        must_be(send(rogue_fd, rogue.wire.data, rogue.wire.len, MSG_NOSIGNAL), (int64_t)rogue.wire.len);
    rogue.wire.len = 0;
}

static void rogue_from_socket(void)
{
    uint8_t wire[16384];
    ssize_t len;

    while ((len = recv(rogue_fd, wire, sizeof wire, MSG_DONTWAIT)) > 0)
        rogue_hear(&rogue, wire, (size_t)len);
}

static int64_t forged_stream(void)
{
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    int64_t stream;
    int fds[2];

    ck_assert_ok(tlsshim_context_set_tickets(server, 0));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    rogue_fd = fds[1];
    stream = keep(tlsshim_stream_adopt(fds[0], server, "", 0, TLSSHIM_FD_TAKE));
    rogue_begin(&rogue, true);
    rogue_connect(&rogue);
    for (int steps = 0; steps < 4; steps++) {
        rogue_step(&rogue);
        rogue_to_socket();
        (void)tlsshim_stream_handshake(stream, 0);
        rogue_from_socket();
    }
    ck_assert_int_eq(tlsshim_stream_handshake(stream, 0), TLSSHIM_OK);
    return stream;
}

static void rogue_send(uint8_t type, const void *data, size_t len)
{
    rogue_say(&rogue, type, data, len);
    rogue_to_socket();
}

static int64_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* What cannot be sealed waits for the rest of the message: for input, and without turning round and round. */
START_TEST(a_message_begun_and_not_ended_lets_senders_wait_in_peace)
{
    static const uint8_t update[5] = {24, 0, 0, 1, 0};
    static char bulk[1 << 17], back[1 << 17];
    int64_t stream = forged_stream(), cpu;
    int32_t taken, got = 0;
    char byte;

    rogue_send(22, update, 4);
    ck_assert_int_eq(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_WANT_READ);
    cpu = cpu_ms();
    taken = tlsshim_stream_write(stream, bulk, sizeof bulk, 100);
    ck_assert_int_eq(taken, 1 << 16);
    ck_assert_int_eq(tlsshim_stream_write(stream, bulk, 1, 100), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_flush(stream, 100), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_shutdown(stream, 100), TLSSHIM_TIMEOUT);
    ck_assert_int_lt(cpu_ms() - cpu, 100);
    ck_assert_int_eq(tlsshim_stream_write(stream, bulk, 1, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_flush(stream, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_wants(stream) & TLSSHIM_READY_READ, TLSSHIM_READY_READ);

    rogue_send(22, update + 4, 1); /* and nobody reads: who sends goes on with it */
    ck_assert_int_eq(tlsshim_stream_write(stream, bulk, sizeof bulk - (size_t)taken, 1000),
                     (int32_t)sizeof bulk - taken);
    ck_assert_int_eq(tlsshim_stream_shutdown(stream, 1000), TLSSHIM_OK);
    rogue_from_socket();
    for (int step; (step = SSL_read(rogue.ssl, back + got, (int)sizeof back - got)) > 0;)
        got += step;
    ck_assert_int_eq(got, (int)sizeof bulk);
    ck_assert_int_eq(SSL_get_shutdown(rogue.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    close(rogue_fd);
    rogue_end(&rogue);
}
END_TEST

/* An end, a goodbye, nonsense or a reset within the message: senders learn it, and do not wait for what never comes. */
START_TEST(a_message_that_never_ends_is_told_to_senders)
{
    static const uint8_t update[4] = {24, 0, 0, 1};
    static const int32_t errors[] = {TLSSHIM_E_TRUNCATED, TLSSHIM_E_PROTOCOL, TLSSHIM_E_PROTOCOL};
    int64_t stream = forged_stream();
    char byte;

    rogue_send(22, update, 4);
    ck_assert_int_eq(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_WANT_READ);
    if (_i == 0)
        ck_assert_int_eq(shutdown(rogue_fd, SHUT_WR), 0);
    else if (_i == 1)
        rogue_send(21, "\1\0", 2);
    else
        rogue_send(23, "data within a message", 21);
    for (int again = 0; again < 2; again++) {
        ck_assert_result(tlsshim_stream_write(stream, "x", 1, 1000), errors[_i]);
        ck_assert_result(tlsshim_stream_shutdown(stream, 1000), errors[_i]);
        ck_assert_result(tlsshim_stream_flush(stream, 1000), errors[_i]);
    }
    close(rogue_fd);
    rogue_end(&rogue);
}
END_TEST

START_TEST(a_flood_of_empty_records_ends_the_connection)
{
    int64_t conn = forged_server();
    char data[16];
    int32_t result = TLSSHIM_WANT_FEED;

    for (int i = 0; i < 1000 && result > TLSSHIM_E_HANDLE; i++) {
        forge(conn, 23, "", 0);
        if (i % 100 == 99)
            result = tlsshim_conn_read(conn, data, sizeof data);
    }
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    rogue_end(&rogue);
}
END_TEST

/* Alerts that are no end, data of an unknown kind, a message that no peer sends now, a second hello. */
START_TEST(records_that_make_no_sense_end_the_connection)
{
    static const struct {
        uint8_t type;
        const char *data;
        size_t len;
        int32_t error;
    } cases[] = {
        {21, "\2\50", 2, TLSSHIM_E_ALERT},         {21, "\1\50", 2, TLSSHIM_E_ALERT},
        {21, "\1", 1, TLSSHIM_E_PROTOCOL},         {99, "x", 1, TLSSHIM_E_PROTOCOL},
        {20, "\1", 1, TLSSHIM_E_PROTOCOL},         {22, "\24\0\0\1\0", 5, TLSSHIM_E_PROTOCOL},
        {22, "\1\0\0\1\0", 5, TLSSHIM_E_PROTOCOL}, {22, "\30\0\0\1\7", 5, TLSSHIM_E_PROTOCOL},
        {22, "", 0, TLSSHIM_E_PROTOCOL},
    };
    int64_t conn = forged_server();
    char data[16];

    forge(conn, 23, "good", 4);
    forge(conn, cases[_i].type, cases[_i].data, cases[_i].len);
    ck_assert_int_eq(tlsshim_conn_read(conn, data, sizeof data), 4);
    ck_assert_result(tlsshim_conn_read(conn, data, sizeof data), cases[_i].error);
    ck_assert_result(tlsshim_conn_read(conn, data, sizeof data), cases[_i].error);
    rogue_end(&rogue);
}
END_TEST

START_TEST(a_second_hello_must_name_the_same_server)
{
    static const char *const second[] = {"www.test", "other.test", NULL};
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    int64_t conn;

    ck_assert_ok(tlsshim_context_set_groups(server, "P-384", 5));
    conn = keep(tlsshim_conn_new(server, "", 0));
    rogue_begin(&rogue, true);
    rogue_connect(&rogue);
    ck_assert_int_eq((int)SSL_set1_groups_list(rogue.ssl, "X25519:P-384"), 1);
    ck_assert_int_eq((int)SSL_set_tlsext_host_name(rogue.ssl, "www.test"), 1);
    rogue_step(&rogue);
    exchange(conn);
    ck_assert_int_eq(number_of(conn, TLSSHIM_CONN_HELLO_RETRY), 1);
    ck_assert_int_eq((int)SSL_set_tlsext_host_name(rogue.ssl, second[_i]), 1);
    ck_assert_result(rogue_handshake(conn), _i == 0 ? TLSSHIM_OK : TLSSHIM_E_PROTOCOL);
    rogue_end(&rogue);
}
END_TEST

/* --- bytes altered on the way --- */

START_TEST(empty_records_before_the_handshake_hold_nobody)
{
    int64_t conn = _i == 0 ? keep(tlsshim_conn_new(client_context(0, certs()->trust, 0), "www.test", 8))
                           : keep(tlsshim_conn_new(server_context(0, certs()->server, 0, 0), "", 0));
    int32_t result = TLSSHIM_WANT_FEED;

    for (int i = 0; i < 200 && result > TLSSHIM_E_HANDLE; i++) {
        ck_assert_int_eq(tlsshim_conn_feed(conn, "\26\3\1\0\0", 5), 5);
        result = tlsshim_conn_handshake(conn);
    }
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
}
END_TEST

/* Whatever bit is flipped: an end that calls itself connected has the very same keys as the other, or none is. */
START_TEST(a_flipped_bit_never_makes_two_ends_disagree)
{
    bool up = _i % 2 == 0;
    int32_t version = _i / 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = client_context(version, certs()->trust, certs()->client);
    int64_t server = server_context(version, certs()->server, certs()->trust, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t whole = 2000;

    for (int64_t flip = 0; flip < whole; flip += 7) {
        int64_t ends[2] = {a_handle(tlsshim_conn_new(client, "www.test", 8)),
                           a_handle(tlsshim_conn_new(server, "", 0))};
        int64_t passed = 0;
        uint8_t wire[PIPE_MOST], a[32], b[32];

        for (int steps = 0; steps < 12; steps++) {
            int from = steps % 2, len;

            (void)tlsshim_conn_handshake(ends[from]);
            len = tlsshim_conn_drain(ends[from], wire, sizeof wire);
            if ((from == 0) == up) {
                if (flip >= passed && flip < passed + len)
                    wire[flip - passed] ^= (uint8_t)(1 << flip % 8);
                passed += len;
            }
            (void)tlsshim_conn_feed(ends[1 - from], wire, len);
        }
        whole = passed > flip ? whole : flip;
        if (tlsshim_conn_export_keying(ends[0], "EXPORTER-x", 10, 0, "", 0, a, 32) == 32 &&
            tlsshim_conn_export_keying(ends[1], "EXPORTER-x", 10, 0, "", 0, b, 32) == 32 && memcmp(a, b, 32) != 0)
            ck_abort_msg("bit flipped in byte %lld: both are connected, and not to each other", (long long)flip);
        must_be(tlsshim_close(ends[0]), TLSSHIM_OK);
        must_be(tlsshim_close(ends[1]), TLSSHIM_OK);
    }
}
END_TEST

/* The rogue end is OpenSSL's own, throughout. */
static void own_algorithms(void)
{
    OSSL_LIB_CTX_set0_default(support_context());
}

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tests = tcase_create("hostile");

    certs();
    tcase_add_checked_fixture(tests, own_algorithms, NULL);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_test(tests, a_forged_record_is_read_like_any_other);
    tcase_add_test(tests, a_message_begun_and_not_ended_keeps_writes_waiting);
    tcase_add_test(tests, a_message_begun_and_not_ended_lets_senders_wait_in_peace);
    tcase_add_loop_test(tests, a_message_that_never_ends_is_told_to_senders, 0, 3);
    tcase_add_test(tests, a_flood_of_empty_records_ends_the_connection);
    tcase_add_loop_test(tests, records_that_make_no_sense_end_the_connection, 0, 9);
    tcase_add_loop_test(tests, a_second_hello_must_name_the_same_server, 0, 3);
    tcase_add_loop_test(tests, empty_records_before_the_handshake_hold_nobody, 0, 2);
    tcase_add_loop_test(tests, a_flipped_bit_never_makes_two_ends_disagree, 0, 4);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
