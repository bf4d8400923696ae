#include <string.h>
#include <time.h>

#include "support/pair.h"

static void has_state(int64_t conn, int32_t mask, int32_t want)
{
    ck_assert_int_eq(tlsshim_conn_state(conn) & mask, want);
}

/* --- goodbyes --- */

START_TEST(a_goodbye_closes_one_direction_and_is_said_once)
{
    struct pair *pair = pair_connected(ways[_i / 2]);
    bool client = _i % 2 == 0;
    int64_t first = client ? pair->client : pair->server;
    int64_t other = client ? pair->server : pair->client;
    struct pipe *way = client ? &pair->up : &pair->down;
    int64_t passed;
    char data[16];

    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_write(first, "last", 4), 4);
    ck_assert_int_eq(tlsshim_conn_shutdown(first), TLSSHIM_WANT_DRAIN);
    has_state(first, TLSSHIM_STATE_WE_CLOSED | TLSSHIM_STATE_PEER_CLOSED, TLSSHIM_STATE_WE_CLOSED);
    ck_assert_result(tlsshim_conn_write(first, "x", 1), TLSSHIM_E_STATE);
    ck_assert_int_eq(pair_read(pair, !client, data, sizeof data), 4);
    ck_assert_int_eq(pair_read(pair, !client, data, sizeof data), 0);
    ck_assert_int_eq(tlsshim_conn_read(other, data, sizeof data), 0);
    ck_assert_int_eq(tlsshim_conn_peek(other, data, sizeof data), 0);
    has_state(other, TLSSHIM_STATE_WE_CLOSED | TLSSHIM_STATE_PEER_CLOSED, TLSSHIM_STATE_PEER_CLOSED);
    passed = way->passed;
    ck_assert_int_eq(tlsshim_conn_shutdown(first), TLSSHIM_OK);
    pair_settle(pair);
    ck_assert_int_eq(way->passed, passed);
    /* The other direction still works, until its own goodbye. */
    ck_assert_int_eq(tlsshim_conn_write(other, "more", 4), 4);
    ck_assert_int_eq(pair_read(pair, client, data, sizeof data), 4);
    ck_assert_int_eq(pair_read(pair, client, data, sizeof data), TLSSHIM_WANT_FEED);
    ck_assert_int_eq(tlsshim_conn_shutdown(other), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(pair_read(pair, client, data, sizeof data), 0);
    has_state(first, TLSSHIM_STATE_WE_CLOSED | TLSSHIM_STATE_PEER_CLOSED | TLSSHIM_STATE_FAILED,
              TLSSHIM_STATE_WE_CLOSED | TLSSHIM_STATE_PEER_CLOSED);
    ck_assert_ok(tlsshim_conn_feed_end(first));
    ck_assert_int_eq(tlsshim_conn_read(first, data, sizeof data), 0);
}
END_TEST

START_TEST(a_goodbye_comes_after_all_that_was_written_corked_or_not)
{
    struct pair *pair = pair_connected(ways[_i]);
    static char data[40000];
    int32_t got, total = 0;

    ck_assert_ok(tlsshim_conn_cork(pair->client, 1));
    ck_assert_int_eq(tlsshim_conn_write(pair->client, data, sizeof data), (int32_t)sizeof data);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    while ((got = pair_read(pair, false, data, sizeof data)) > 0)
        total += got;
    ck_assert_int_eq(got, 0);
    ck_assert_int_eq(total, (int32_t)sizeof data);
}
END_TEST

START_TEST(there_is_no_goodbye_before_the_handshake_is_complete)
{
    int64_t conn = keep(tlsshim_conn_new(client_context(ways[_i].version, certs()->trust, 0), "www.test", 8));

    ck_assert_result(tlsshim_conn_shutdown(conn), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_conn_handshake(conn), TLSSHIM_WANT_DRAIN);
    ck_assert_result(tlsshim_conn_shutdown(conn), TLSSHIM_E_STATE);
    has_state(conn, TLSSHIM_STATE_WE_CLOSED | TLSSHIM_STATE_FAILED, 0);
}
END_TEST

/* --- ends without a goodbye --- */

START_TEST(an_end_without_goodbye_is_told_after_the_data_and_every_time)
{
    struct pair *pair = pair_connected(ways[_i]);
    char data[16];

    ck_assert_int_eq(tlsshim_conn_write(pair->server, "tail", 4), 4);
    pair_settle(pair);
    ck_assert_ok(tlsshim_conn_feed_end(pair->client));
    has_state(pair->client, TLSSHIM_STATE_INPUT_ENDED | TLSSHIM_STATE_READABLE,
              TLSSHIM_STATE_INPUT_ENDED | TLSSHIM_STATE_READABLE);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, data, sizeof data), 4);
    for (int i = 0; i < 3; i++) {
        ck_assert_result(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_E_TRUNCATED);
        ck_assert_result(tlsshim_conn_peek(pair->client, data, sizeof data), TLSSHIM_E_TRUNCATED);
    }
    has_state(pair->client, TLSSHIM_STATE_PEER_CLOSED | TLSSHIM_STATE_READABLE, TLSSHIM_STATE_READABLE);
    ck_assert_result(tlsshim_conn_feed(pair->client, "x", 1), TLSSHIM_E_STATE);
    /* One direction has ended; the other has not. */
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "bye", 3), 3);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(pair_read(pair, false, data, sizeof data), 3);
    ck_assert_int_eq(pair_read(pair, false, data, sizeof data), 0);
}
END_TEST

START_TEST(an_end_within_a_record_is_a_truncation_after_the_records_before)
{
    struct pair *pair = pair_connected(ways[_i / 4 * 4 + 2]);
    uint8_t wire[512];
    char data[16];
    int32_t whole, len;

    ck_assert_int_eq(tlsshim_conn_write(pair->client, "whole", 5), 5);
    whole = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "cut", 3), 3);
    len = whole + tlsshim_conn_drain(pair->client, wire + whole, (int32_t)sizeof wire - whole);
    ck_assert_int_gt(len, whole + 5);
    len = _i % 4 == 0 ? whole + 1 : _i % 4 == 1 ? whole + 5 : _i % 4 == 2 ? whole + 6 : len - 1;
    ck_assert_int_eq(tlsshim_conn_feed(pair->server, wire, len), len);
    ck_assert_ok(tlsshim_conn_feed_end(pair->server));
    ck_assert_int_eq(tlsshim_conn_read(pair->server, data, sizeof data), 5);
    ck_assert_mem_eq(data, "whole", 5);
    ck_assert_result(tlsshim_conn_read(pair->server, data, sizeof data), TLSSHIM_E_TRUNCATED);
}
END_TEST

/* --- early ends: after each byte that a whole handshake would give --- */

/* Feeds one end no more than `most` bytes, then the end; gives what was fed. */
static int64_t handshake_cut(struct pair *pair, bool cut_client, int64_t most)
{
    int64_t fed = 0;
    bool moved = true;

    for (int steps = 0; moved && steps < 1000; steps++) {
        moved = false;
        for (int client = 0; client < 2; client++) {
            int64_t from = client ? pair->server : pair->client, to = client ? pair->client : pair->server;
            bool cut = (client == 1) == cut_client;
            uint8_t wire[PIPE_MOST];
            int32_t len;

            (void)tlsshim_conn_handshake(from);
            len = tlsshim_conn_drain(from, wire, sizeof wire);
            if (len < 0)
                ck_abort_msg("drain: %s", support_text(len));
            moved = moved || len > 0;
            if (cut && fed + len > most)
                len = (int32_t)(most - fed);
            if (len > 0 && (tlsshim_conn_state(to) & TLSSHIM_STATE_FAILED) == 0)
                must_be(tlsshim_conn_feed(to, wire, len), len);
            fed += cut ? len : 0;
        }
    }
    (void)tlsshim_conn_feed_end(cut_client ? pair->client : pair->server);
    return fed;
}

START_TEST(an_end_at_any_byte_of_the_handshake_is_a_truncation)
{
    int32_t version = _i / 4 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool cut_client = _i / 2 % 2 == 0;
    bool mutual = _i % 2 == 0;
    int64_t client = client_context(version, certs()->trust, mutual ? certs()->client : 0);
    int64_t server =
        server_context(version, certs()->server, mutual ? certs()->trust : 0, TLSSHIM_CLIENT_CERTIFICATE_REQUIRE);
    int64_t whole = handshake_cut(pair_new(client, server, 512), cut_client, INT32_MAX);
    int64_t live = tlsshim_live(TLSSHIM_KIND_CONN);

    ck_assert_int_gt(whole, 200);
    for (int64_t most = 0; most <= whole; most += mutual ? 5 : 1) {
        struct pair pair = {.client = a_handle(tlsshim_conn_new(client, "www.test", 8)),
                            .server = a_handle(tlsshim_conn_new(server, "", 0))};
        int64_t ended = cut_client ? pair.client : pair.server;
        char data[8];
        int32_t result;

        handshake_cut(&pair, cut_client, most);
        result = tlsshim_conn_read(ended, data, sizeof data);
        if (!support_has_code(result, TLSSHIM_E_TRUNCATED))
            ck_abort_msg("an end after %lld of %lld bytes: %s", (long long)most, (long long)whole,
                         support_text(result));
        if (most < whole - 16 && !support_has_code(tlsshim_conn_handshake(ended), TLSSHIM_E_TRUNCATED) &&
            (tlsshim_conn_state(ended) & TLSSHIM_STATE_HANDSHAKE_DONE) == 0)
            ck_abort_msg("the handshake of an ended connection goes on");
        must_be(tlsshim_close(pair.client), TLSSHIM_OK);
        must_be(tlsshim_close(pair.server), TLSSHIM_OK);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_CONN), live);
}
END_TEST

/* --- what speaks something else --- */

static const struct stranger {
    const char *says;
    const char *named;
} strangers[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", "plain HTTP"},
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain HTTP"},
    {"HEAD / HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"POST /x HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"PUT /x HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"DELETE /x HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"OPTIONS * HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"PATCH /x HTTP/1.1\r\n\r\n", "plain HTTP"},
    {"<html><body>", "plain HTTP"},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "plain HTTP/2"},
    {"CONNECT a.test:443 HTTP/1.1\r\n\r\n", "an HTTP proxy request"},
    {"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "the PROXY protocol"},
    {"SSH-2.0-OpenSSH_9.2\r\n", "SSH"},
    {"220 mail.test ESMTP\r\n", "SMTP or FTP before STARTTLS"},
    {"EHLO a.test\r\n", "SMTP before STARTTLS"},
    {"* OK IMAP4rev1\r\n", "IMAP before STARTTLS"},
    {"+OK POP3\r\n", "POP3 before STARTTLS"},
    {"RFB 003.008\n", "VNC"},
    {"AMQP\1\1\0\12", "plain AMQP"},
    {"what is this\r\n", "first bytes are \"what "},
};
enum { STRANGERS = sizeof strangers / sizeof strangers[0] };

START_TEST(a_peer_that_speaks_something_else_is_named)
{
    const struct stranger *s = &strangers[_i / 4];
    bool client = _i % 2 == 0, slowly = _i / 2 % 2 == 1;
    int64_t conn = client ? keep(tlsshim_conn_new(client_context(0, certs()->trust, 0), "www.test", 8))
                          : keep(tlsshim_conn_new(server_context(0, certs()->server, 0, 0), "", 0));
    int32_t len = (int32_t)strlen(s->says), result = TLSSHIM_WANT_FEED;

    for (int32_t at = 0; at < len && result > TLSSHIM_E_HANDLE; at += slowly ? 1 : len) {
        must_be(tlsshim_conn_feed(conn, s->says + at, slowly ? 1 : len), slowly ? 1 : len);
        result = tlsshim_conn_handshake(conn);
    }
    if (result > TLSSHIM_E_HANDLE && tlsshim_conn_feed_end(conn) == TLSSHIM_OK)
        result = tlsshim_conn_handshake(conn);
    ck_assert_result(result, TLSSHIM_E_NOT_TLS);
    ck_assert_msg(strstr(error_text_of(result), s->named) != NULL, "%s: %s", s->says, error_text_of(result));
}
END_TEST

/* --- failed connections --- */

START_TEST(a_failed_connection_gives_its_alert_and_then_only_its_first_error)
{
    struct way way = ways[_i];
    struct pair *pair = pair_named(client_context(way.version, certs()->trust, 0),
                                   server_context(way.version, certs()->server, 0, 0), way.room, "else.test");
    int32_t error, taken = -77;
    uint8_t wire[64];
    char data[64];
    int64_t n;

    for (int steps = 0; pair->client_result > TLSSHIM_E_HANDLE && steps < 100000; steps++) {
        pair->client_result = tlsshim_conn_handshake(pair->client);
        pair->server_result = tlsshim_conn_handshake(pair->server);
        if (pair->client_result > TLSSHIM_E_HANDLE)
            pair_move(pair);
    }
    error = pair->client_result;
    ck_assert_result(error, TLSSHIM_E_NAME);
    strncpy(data, error_text_of(error), sizeof data - 1);
    has_state(pair->client, TLSSHIM_STATE_FAILED | TLSSHIM_STATE_OUTPUT_PENDING,
              TLSSHIM_STATE_FAILED | TLSSHIM_STATE_OUTPUT_PENDING);
    ck_assert_int_gt(tlsshim_conn_pending_out(pair->client), 0);
    ck_assert_int_eq(tlsshim_conn_seal(pair->client, "x", 1, wire, sizeof wire, &taken), error);
    ck_assert_int_eq(taken, -77);
    if (_i % 2 == 0) {
        ck_assert_int_eq(tlsshim_conn_seal(pair->client, "", 0, wire, 1, &taken), 1);
        ck_assert_int_eq(taken, 0);
    }
    while (tlsshim_conn_pending_out(pair->client) > 0)
        ck_assert_int_gt(tlsshim_conn_drain(pair->client, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), 0);
    ck_assert_int_eq(tlsshim_conn_seal(pair->client, "", 0, wire, sizeof wire, &taken), 0);
    for (int i = 0; i < 20000; i++) /* others come and go: the record of the first stays */
        if (tlsshim_conn_read(pair->server, wire, 0) >= 0)
            ck_abort_msg("reading into no room must fail");
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), error);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, wire, sizeof wire), error);
    ck_assert_int_eq(tlsshim_conn_peek(pair->client, wire, sizeof wire), error);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "x", 1), error);
    ck_assert_int_eq(tlsshim_conn_feed(pair->client, "x", 1), error);
    ck_assert_int_eq(tlsshim_conn_feed_end(pair->client), error);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), error);
    ck_assert_int_eq(tlsshim_conn_cork(pair->client, 1), error);
    ck_assert_int_eq(tlsshim_conn_key_update(pair->client, 0), error);
    ck_assert_int_eq(tlsshim_conn_open(pair->client, "x", 1, wire, sizeof wire, &taken), error);
    ck_assert_int_eq(tlsshim_conn_set_verify_name(pair->client, "www.test", 8), error);
    ck_assert_int_eq(tlsshim_conn_export_keying(pair->client, "EXPORTER-x", 10, 0, "", 0, wire, 16), error);
    ck_assert_int_eq(tlsshim_conn_take_session(pair->client), error);
    ck_assert_int_eq(tlsshim_conn_number(pair->client, TLSSHIM_CONN_ERROR, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, error);
    ck_assert_int_eq(strncmp(error_text_of(error), data, sizeof data - 1), 0);
    ck_assert_int_eq(tlsshim_conn_pending(pair->client), 0);
    ck_assert_ok(tlsshim_close(pair->client));
    ck_assert_result(tlsshim_conn_handshake(pair->client), TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(a_damaged_record_is_told_after_the_data_before_it_and_again)
{
    struct pair *pair = pair_connected(ways[_i / 4 * 4 + 2]);
    bool by_open = _i % 2 == 0;
    uint8_t wire[512];
    char data[64];
    int32_t whole, len, taken = 0, result;

    ck_assert_int_eq(tlsshim_conn_write(pair->client, "whole", 5), 5);
    whole = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "damaged", 7), 7);
    len = whole + tlsshim_conn_drain(pair->client, wire + whole, (int32_t)sizeof wire - whole);
    wire[len - 1] ^= 1;
    if (by_open) {
        ck_assert_int_eq(tlsshim_conn_open(pair->server, wire, len, data, sizeof data, &taken), 5);
        result = tlsshim_conn_open(pair->server, wire + taken, len - taken, data, sizeof data, &taken);
    } else {
        ck_assert_int_eq(tlsshim_conn_feed(pair->server, wire, len), len);
        ck_assert_int_eq(tlsshim_conn_read(pair->server, data, sizeof data), 5);
        result = tlsshim_conn_read(pair->server, data, sizeof data);
    }
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    ck_assert_int_eq(tlsshim_conn_read(pair->server, data, sizeof data), result);
    result = pair_read(pair, true, data, sizeof data);
    ck_assert_result(result, TLSSHIM_E_ALERT);
    ck_assert_int_eq(error_number_of(result, TLSSHIM_ERROR_ALERT), 20);
}
END_TEST

START_TEST(a_handshake_past_its_time_is_E_DEADLINE)
{
    const struct timespec pause = {0, 60000000};
    int64_t client = client_context(ways[_i].version, certs()->trust, 0);
    struct pair *pair;
    char data[8];

    ck_assert_ok(tlsshim_context_set_handshake_timeout(client, 40));
    pair = pair_new(client, server_context(ways[_i].version, certs()->server, 0, 0), ways[_i].room);
    nanosleep(&pause, NULL); /* time before the first step does not count */
    ck_assert_int_eq(tlsshim_conn_handshake(pair->client), TLSSHIM_WANT_DRAIN);
    nanosleep(&pause, NULL);
    ck_assert_result(tlsshim_conn_handshake(pair->client), TLSSHIM_E_DEADLINE);
    ck_assert_result(tlsshim_conn_read(pair->client, data, sizeof data), TLSSHIM_E_DEADLINE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("close");
    TCase *tests = tcase_create("close");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_goodbye_closes_one_direction_and_is_said_once, 0, 2 * WAYS);
    tcase_add_loop_test(tests, a_goodbye_comes_after_all_that_was_written_corked_or_not, 0, WAYS);
    tcase_add_loop_test(tests, there_is_no_goodbye_before_the_handshake_is_complete, 0, WAYS);
    tcase_add_loop_test(tests, an_end_without_goodbye_is_told_after_the_data_and_every_time, 0, WAYS);
    tcase_add_loop_test(tests, an_end_within_a_record_is_a_truncation_after_the_records_before, 0, 8);
    tcase_add_loop_test(tests, an_end_at_any_byte_of_the_handshake_is_a_truncation, 0, 8);
    tcase_add_loop_test(tests, a_peer_that_speaks_something_else_is_named, 0, 4 * STRANGERS);
    tcase_add_loop_test(tests, a_failed_connection_gives_its_alert_and_then_only_its_first_error, 0, WAYS);
    tcase_add_loop_test(tests, a_damaged_record_is_told_after_the_data_before_it_and_again, 0, 8);
    tcase_add_loop_test(tests, a_handshake_past_its_time_is_E_DEADLINE, 0, WAYS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
