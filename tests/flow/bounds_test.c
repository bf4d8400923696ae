/* What a connection holds, and for how long a call holds it, whatever its ends do; and when a key has served its time.
 */
#include <stdlib.h>
#include <string.h>

#include "support/pair.h"
#include "tls/conn.h"

enum { MIB = 1 << 20, MUCH = 4 * MIB };

static uint8_t plain[MUCH], wire[MUCH + 65536], back[MUCH];

static struct pair *joined_with(int version, int32_t memory)
{
    int32_t v = version == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t client = client_context(v, certs()->trust, 0), server = server_context(v, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_memory(client, memory));
    ck_assert_ok(tlsshim_context_set_memory(server, memory));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    pair_settle(pair);
    return pair;
}

static struct pair *joined(int version)
{
    return joined_with(version, TLSSHIM_POLICY_IDLE_SMALL);
}

static void fill(void)
{
    for (int32_t i = 0; i < MUCH; i++)
        plain[i] = (uint8_t)(i * 7 + (i >> 8) + (i >> 16));
}

/* --- megabytes in one call --- */

/* Each call does a part that others can wait for, and says how much; the caller loops, as always. */
START_TEST(megabytes_are_sealed_and_opened_in_steps_that_others_can_wait_for)
{
    struct pair *pair = joined(_i);
    int32_t sealed = 0, len = 0, opened = 0, at = 0, most = 0;

    fill();
    while (sealed < MUCH) {
        int32_t taken = -1;
        int32_t got = tlsshim_conn_seal(pair->client, plain + sealed, MUCH - sealed, wire + len,
                                        (int32_t)sizeof wire - len, &taken);

        ck_assert_int_gt(got, 0);
        ck_assert_int_gt(taken, 0);
        ck_assert_int_le(taken, 300000);
        sealed += taken;
        len += got;
    }
    ck_assert_int_eq(tlsshim_conn_pending_out(pair->client), 0);
    while (opened < MUCH) {
        int32_t taken = -1;
        int32_t got = tlsshim_conn_open(pair->server, wire + at, len - at, back + opened, MUCH - opened, &taken);

        ck_assert_int_gt(got, 0);
        ck_assert_int_le(got, 300000);
        most = got > most ? got : most;
        opened += got;
        at += taken;
    }
    ck_assert_int_eq(at, len);
    ck_assert_int_ge(most, 100000);
    ck_assert_mem_eq(back, plain, MUCH);
}
END_TEST

START_TEST(megabytes_are_fed_as_they_find_room)
{
    struct pair *pair = joined(_i);
    int32_t len = 0, at = 0, got = 0;

    fill();
    for (int32_t sealed = 0; sealed < MUCH;) {
        int32_t taken = 0;

        len += tlsshim_conn_seal(pair->client, plain + sealed, MUCH - sealed, wire + len, (int32_t)sizeof wire - len,
                                 &taken);
        sealed += taken;
    }
    while (got < MUCH) {
        int32_t taken = tlsshim_conn_feed(pair->server, wire + at, len - at), some;

        ck_assert_int_ge(taken, 0);
        ck_assert_int_le(taken, 128 * 1024);
        at += taken;
        some = tlsshim_conn_read(pair->server, back + got, MUCH - got);
        ck_assert_int_gt(some, 0);
        got += some;
    }
    ck_assert_int_eq(at, len);
    ck_assert_mem_eq(back, plain, MUCH);
}
END_TEST

/* Where buffers are kept, one that was used would show. */
START_TEST(bytes_pass_from_callers_buffer_to_callers_buffer_and_through_no_other)
{
    struct pair *pair = joined_with(_i, TLSSHIM_POLICY_BUSY_FAST);
    int64_t sending = tlsshim_memory(pair->client), receiving = tlsshim_memory(pair->server);

    fill();
    for (int round = 0; round < 20; round++) {
        int32_t taken = -1, len;

        len = tlsshim_conn_seal(pair->client, plain, 100000, wire, sizeof wire, &taken);
        must_be(taken, 100000);
        for (int32_t at = 0; at < len; at += taken)
            ck_assert_int_gt(tlsshim_conn_open(pair->server, wire + at, len - at, back, sizeof back, &taken), 0);
    }
    ck_assert_int_eq(tlsshim_memory(pair->client), sending);
    ck_assert_int_eq(tlsshim_memory(pair->server), receiving);
}
END_TEST

/* --- what waits --- */

START_TEST(what_waits_is_bounded_however_often_it_is_counted)
{
    struct pair *pair = joined(_i);
    int32_t result = 0, pending = 0;

    for (int i = 0; i < 100 && result >= 0; i++) {
        result = tlsshim_conn_write(pair->client, plain, 65536);
        pending = tlsshim_conn_pending_out(pair->client);
    }
    ck_assert_int_eq(result, TLSSHIM_WANT_DRAIN);
    ck_assert_int_le(pending, 2 * 65536 + 4096);
    ck_assert_int_le(tlsshim_memory(pair->client), 512 * 1024);
    ck_assert_int_eq(tlsshim_conn_drain(pair->client, wire, sizeof wire), pending);
    ck_assert_int_ge(tlsshim_conn_write(pair->client, plain, MUCH), 65536);
}
END_TEST

/* A record that is damaged, while as much waits as can, and room for a few bytes at a time. */
START_TEST(an_alert_gets_out_behind_whatever_waits)
{
    static const int32_t rooms[] = {1, 100, 16000, 200000};
    static const uint8_t nonsense[64] = {23, 3, 3, 0, 59};
    struct pair *pair = joined(_i % 2);
    int32_t room = rooms[_i / 2], len = 0, got, at = 0;
    int64_t whole = 0;

    while (tlsshim_conn_write(pair->client, plain, 65536) > 0)
        ck_assert_int_gt(tlsshim_conn_pending_out(pair->client), 0); /* sealed */
    while (tlsshim_conn_write(pair->client, plain, 65536) > 0)
        continue;
    ck_assert_int_eq(tlsshim_conn_feed(pair->client, nonsense, sizeof nonsense), (int32_t)sizeof nonsense);
    ck_assert_result(tlsshim_conn_read(pair->client, back, sizeof back), TLSSHIM_E_PROTOCOL);
    while ((got = tlsshim_conn_drain(pair->client, wire + len, room)) > 0)
        len += got;
    ck_assert_int_eq(got, 0);
    ck_assert_int_gt(len, 65536);
    do {
        at += tlsshim_conn_feed(pair->server, wire + at, len - at);
        got = tlsshim_conn_read(pair->server, back, sizeof back);
        whole += got > 0 ? got : 0;
    } while (got > 0);
    ck_assert_result(got, TLSSHIM_E_ALERT);
    ck_assert_int_eq(error_number_of(got, TLSSHIM_ERROR_ALERT), 20);
    ck_assert_int_ge(whole, 65536);
}
END_TEST

/* --- keys --- */

/* As if so much had been sent; the way there would take hours. */
static void let_pass(int64_t conn, uint32_t records, int64_t bytes)
{
    struct conn_call call;

    ck_assert_ok(conn_enter(conn, &call));
    call.conn->transport.records_keyed = records;
    call.conn->transport.bytes_out = bytes;
    conn_leave(&call);
}

START_TEST(a_key_is_changed_before_it_wears_out)
{
    struct pair *pair = joined(1);
    int64_t records;

    let_pass(pair->client, (1 << 23) - 3, 1);
    for (int i = 0; i < 10; i++) {
        records = number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT);
        pair_send(pair, true, "under which key?", 16);
        /* the fourth goes behind a key update, and the peer has followed */
        ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT), records + (i == 3 ? 2 : 1));
        pair_send(pair, false, "any", 3);
    }
}
END_TEST

/* Also in the midst of megabytes in one call. */
START_TEST(a_key_changes_between_two_records_of_one_write)
{
    struct pair *pair = joined(1);
    int64_t records = number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT);

    fill();
    let_pass(pair->client, (1 << 23) - 2, 1);
    pair_send(pair, true, plain, 65536);
    ck_assert_int_eq(number_of(pair->client, TLSSHIM_CONN_RECORDS_OUT), records + 5);
}
END_TEST

/* Below TLS 1.3 there is no other key. */
START_TEST(a_key_that_cannot_be_changed_is_used_no_more)
{
    struct pair *pair = joined(0);
    int32_t result, taken = -1;
    char data[16];

    let_pass(pair->client, 1 << 30, (INT64_C(1) << 38) - 1);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "taken", 5), 5);
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_read(pair->server, data, sizeof data), 5);
    result = tlsshim_conn_write(pair->client, "x", 1);
    ck_assert_result(result, TLSSHIM_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(support_text(result), "TLSv1.2"));
    ck_assert_result(tlsshim_conn_seal(pair->client, "x", 1, wire, sizeof wire, &taken), TLSSHIM_E_LIMIT);
    pair_send(pair, false, "we still listen", 15);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_read(pair->server, data, sizeof data), 0);
}
END_TEST

START_TEST(a_cipher_without_such_a_bound_goes_on)
{
    int64_t client = client_context(TLSSHIM_TLS_1_2, certs()->trust, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_ciphers(client, "ECDHE-ECDSA-CHACHA20-POLY1305", 29));
    pair = pair_new(client, server_context(TLSSHIM_TLS_1_2, certs()->server, 0, 0), PIPE_MOST);
    pair_connect(pair);
    let_pass(pair->client, 1 << 30, INT64_C(1) << 40);
    pair_send(pair, true, "goes on", 7);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bounds");
    TCase *tests = tcase_create("bounds");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, megabytes_are_sealed_and_opened_in_steps_that_others_can_wait_for, 0, 2);
    tcase_add_loop_test(tests, megabytes_are_fed_as_they_find_room, 0, 2);
    tcase_add_loop_test(tests, bytes_pass_from_callers_buffer_to_callers_buffer_and_through_no_other, 0, 2);
    tcase_add_loop_test(tests, what_waits_is_bounded_however_often_it_is_counted, 0, 2);
    tcase_add_loop_test(tests, an_alert_gets_out_behind_whatever_waits, 0, 8);
    tcase_add_test(tests, a_key_is_changed_before_it_wears_out);
    tcase_add_test(tests, a_key_changes_between_two_records_of_one_write);
    tcase_add_test(tests, a_key_that_cannot_be_changed_is_used_no_more);
    tcase_add_test(tests, a_cipher_without_such_a_bound_goes_on);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
