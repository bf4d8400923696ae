#include <stdio.h>
#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static uint8_t plenty[1 << 20];

static int64_t limited(int64_t context, int32_t limit, int64_t n)
{
    ck_assert_ok(tlsshim_context_set_limit(context, limit, n));
    return context;
}

static const struct range {
    int32_t limit;
    int64_t least, most;
} ranges[] = {
    {TLSSHIM_LIMIT_SEND_FRAGMENT, 512, 16384},
    {TLSSHIM_LIMIT_PEER_CHAIN, 1024, 16777216},
    {TLSSHIM_LIMIT_INPUT, 65536, 16777216},
    {TLSSHIM_LIMIT_OUTPUT, 65536, 16777216},
};

START_TEST(each_limit_has_a_range)
{
    const struct range *range = &ranges[_i];
    int64_t context = client_context(0, certs()->trust, 0);
    const int64_t bad[] = {
        0, -1, range->least - 1, range->most + 1, INT64_MAX, INT64_MIN, (INT64_C(1) << 32) + range->least};

    ck_assert_ok(tlsshim_context_set_limit(context, range->limit, range->least));
    ck_assert_ok(tlsshim_context_set_limit(context, range->limit, range->most));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_result(tlsshim_context_set_limit(context, range->limit, bad[i]), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_limit(context, 0, 65536), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_context_set_limit(context, 5, 65536), TLSSHIM_E_ARGUMENT);
}
END_TEST

/* The largest record among bytes that begin with one, header aside. */
static int32_t largest_record(const uint8_t *wire, int32_t len)
{
    int32_t largest = 0;

    for (int32_t at = 0; at < len;) {
        int32_t size = wire[at + 3] << 8 | wire[at + 4];

        largest = size > largest ? size : largest;
        at += 5 + size;
    }
    return largest;
}

enum { SEALING = 64 }; /* more than what any cipher adds */

/* By write and drain, and by seal. */
START_TEST(no_record_that_is_sent_holds_more_than_the_limit)
{
    static const int64_t sizes[] = {512, 1000, 4096, 16384};
    static uint8_t wire[200000], back[40000];
    int64_t n = sizes[_i % 4];
    int32_t version = _i % 8 < 4 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3, len = 0, taken = 0, some;
    struct pair *pair =
        pair_new(limited(client_context(version, certs()->trust, 0), TLSSHIM_LIMIT_SEND_FRAGMENT, n),
                 limited(server_context(version, certs()->server, 0, 0), TLSSHIM_LIMIT_SEND_FRAGMENT, n), PIPE_MOST);

    pair_connect(pair);
    pair_settle(pair);
    if (_i < 8) {
        must_be(tlsshim_conn_write(pair->client, plenty, 40000), 40000);
        while ((some = tlsshim_conn_drain(pair->client, wire + len, (int32_t)sizeof wire - len)) > 0)
            len += some;
    } else {
        len = tlsshim_conn_seal(pair->client, plenty, 40000, wire, sizeof wire, &taken);
        must_be(taken, 40000);
    }
    ck_assert_int_gt(largest_record(wire, len), (int)n);
    ck_assert_int_le(largest_record(wire, len), (int)n + SEALING);
    must_be(tlsshim_conn_feed(pair->server, wire, len), len);
    for (int32_t got = 0; got < 40000; got += some)
        ck_assert_int_gt(some = tlsshim_conn_read(pair->server, back, 40000 - got), 0);
}
END_TEST

/* A leaf with some hundred names: 4 KiB and more. */
static int64_t a_fat_server(void)
{
    char names[8192] = "www.test";

    for (int i = 0; i < 250; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), ",host-%d.fat.test", i);
    return keep(certs_leaf(certs()->ca, "P-256", "CN=fat", names, -60, CERTS_DAY));
}

/* Those of the handshake, too. */
START_TEST(a_certificate_goes_out_in_small_records)
{
    static uint8_t wire[20000];
    int64_t server = limited(server_context(TLSSHIM_TLS_1_2, a_fat_server(), 0, 0), TLSSHIM_LIMIT_SEND_FRAGMENT, 512);
    struct pair *pair = pair_new(client_context(TLSSHIM_TLS_1_2, certs()->trust, 0), server, PIPE_MOST);
    int32_t len;

    tlsshim_conn_handshake(pair->client);
    len = tlsshim_conn_drain(pair->client, wire, sizeof wire);
    must_be(tlsshim_conn_feed(pair->server, wire, len), len);
    tlsshim_conn_handshake(pair->server);
    len = tlsshim_conn_drain(pair->server, wire, sizeof wire);
    ck_assert_int_gt(len, 4096);
    ck_assert_int_le(largest_record(wire, len), 512);
    must_be(tlsshim_conn_feed(pair->client, wire, len), len);
    pair_connect(pair);
}
END_TEST

START_TEST(a_chain_beyond_the_limit_is_refused_and_one_within_it_is_not)
{
    int32_t version = _i == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t server = server_context(version, a_fat_server(), 0, 0);
    struct pair *good = pair_new(limited(client_context(version, certs()->trust, 0), TLSSHIM_LIMIT_PEER_CHAIN, 16384),
                                 server, PIPE_MOST);
    struct pair *bad = pair_new(limited(client_context(version, certs()->trust, 0), TLSSHIM_LIMIT_PEER_CHAIN, 4096),
                                server, PIPE_MOST);

    pair_connect(good);
    pair_handshake(bad);
    ck_assert_result(bad->client_result, TLSSHIM_E_PROTOCOL);
    ck_assert_msg(strstr(error_text_of(bad->client_result), "PEER_CHAIN") != NULL, "%s",
                  error_text_of(bad->client_result));
    ck_assert(bad->server_result < TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(feed_takes_as_much_as_the_limit_says)
{
    static const int64_t sizes[] = {65536, 131072, 500000};
    struct pair *pair =
        pair_new(client_context(0, certs()->trust, 0), server_context(0, certs()->server, 0, 0), PIPE_MOST);
    int64_t server = keep(
        tlsshim_conn_new(limited(server_context(0, certs()->server, 0, 0), TLSSHIM_LIMIT_INPUT, sizes[_i]), "", 0));

    ck_assert_int_eq(tlsshim_conn_feed(pair->server, plenty, sizeof plenty), 131072);
    ck_assert_int_eq(tlsshim_conn_feed(server, plenty, sizeof plenty), (int32_t)sizes[_i]);
    ck_assert_int_eq(tlsshim_conn_feed(server, plenty, 1), 0);
}
END_TEST

START_TEST(write_takes_as_much_as_the_limit_says)
{
    static const int64_t sizes[] = {65536, 100000, 1000000};
    static uint8_t wire[100000];
    int64_t client = limited(client_context(0, certs()->trust, 0), TLSSHIM_LIMIT_OUTPUT, sizes[_i]);
    struct pair *pair = pair_new(client, server_context(0, certs()->server, 0, 0), PIPE_MOST);

    pair_connect(pair);
    pair_settle(pair);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plenty, sizeof plenty), (int32_t)sizes[_i]);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plenty, 1), TLSSHIM_WANT_DRAIN);
    ck_assert_int_gt(tlsshim_conn_pending_out(pair->client), (int32_t)sizes[_i]);
    /* that it is sealed makes no room: else whoever counts would fill the memory */
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plenty, 1), TLSSHIM_WANT_DRAIN);
    while (tlsshim_conn_drain(pair->client, wire, sizeof wire) > 0)
        continue;
    ck_assert_int_eq(tlsshim_conn_write(pair->client, plenty, sizeof plenty), (int32_t)sizes[_i]);
}
END_TEST

/* The least limits are enough for everything to arrive. */
START_TEST(everything_arrives_under_the_least_limits)
{
    static uint8_t data[300000];
    struct way way = ways[_i];
    int64_t client = client_context(way.version, certs()->trust, 0);
    int64_t server = server_context(way.version, certs()->server, 0, 0);
    struct pair *pair;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        limited(client, ranges[i].limit, ranges[i].least), limited(server, ranges[i].limit, ranges[i].least);
    pair = pair_new(client, server, way.room);
    pair_connect(pair);
    pair_send(pair, true, data, way.room == 1 ? 2000 : (int32_t)sizeof data);
    pair_send(pair, false, data, way.room == 1 ? 2000 : (int32_t)sizeof data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("limit");
    TCase *tests = tcase_create("limit");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, each_limit_has_a_range, 0, 4);
    tcase_add_loop_test(tests, no_record_that_is_sent_holds_more_than_the_limit, 0, 16);
    tcase_add_test(tests, a_certificate_goes_out_in_small_records);
    tcase_add_loop_test(tests, a_chain_beyond_the_limit_is_refused_and_one_within_it_is_not, 0, 2);
    tcase_add_loop_test(tests, feed_takes_as_much_as_the_limit_says, 0, 3);
    tcase_add_loop_test(tests, write_takes_as_much_as_the_limit_says, 0, 3);
    tcase_add_loop_test(tests, everything_arrives_under_the_least_limits, 0, WAYS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
