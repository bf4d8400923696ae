/* Where records are sealed by the shim itself, where by OpenSSL, and how one takes over from the other. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/pair.h"
#include "tls/conn.h"

static uint8_t plain[100000];

static int64_t fast(int64_t context, int policy)
{
    ck_assert_ok(tlsshim_context_set_memory(context, policy));
    return context;
}

static struct pair *joined(int32_t version, int policy)
{
    struct pair *pair = pair_new(fast(client_context(version, certs()->trust, 0), policy),
                                 fast(server_context(version, certs()->server, 0, 0), policy), PIPE_MOST);

    pair_connect(pair);
    pair_settle(pair);
    return pair;
}

static bool seals_itself(int64_t handle)
{
    struct conn_call call;
    bool on;

    ck_assert_ok(conn_enter(handle, &call));
    on = call.conn->transport.sealer.on;
    conn_leave(&call);
    return on;
}

static bool gives_buffers_back(int64_t handle)
{
    struct conn_call call;
    bool on;

    ck_assert_ok(conn_enter(handle, &call));
    on = (SSL_get_mode(call.conn->ssl) & SSL_MODE_RELEASE_BUFFERS) != 0;
    conn_leave(&call);
    return on;
}

static void talk(struct pair *pair)
{
    static const int32_t lens[] = {1, 100, 16384, 16385, 100000};

    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * 11 + (i >> 8));
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        pair_send(pair, true, plain, lens[i]);
        pair_send(pair, false, plain, lens[i]);
    }
}

static const struct suite {
    const char *name;
    bool offered;
} suites[] = {
    {"TLS_AES_128_GCM_SHA256", true},
    {"TLS_AES_256_GCM_SHA384", true},
    {"TLS_CHACHA20_POLY1305_SHA256", true},
    {"TLS_AES_128_CCM_SHA256", false},
};
enum { SUITES = sizeof suites / sizeof suites[0] };

START_TEST(each_suite_carries_data_whoever_seals_it)
{
    const char *name = suites[_i].name;
    int64_t client = client_context(TLSSHIM_TLS_1_3, certs()->trust, 0);
    int64_t server = server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0);
    struct pair *pair;

    ck_assert_ok(tlsshim_context_set_ciphersuites(client, name, (int32_t)strlen(name)));
    ck_assert_ok(tlsshim_context_set_ciphersuites(server, name, (int32_t)strlen(name)));
    pair = pair_new(client, server, PIPE_MOST);
    pair_connect(pair);
    ck_assert_str_eq(text_of(pair->client, TLSSHIM_CONN_CIPHER), name);
    talk(pair);
    ck_assert_int_eq(seals_itself(pair->client), suites[_i].offered);
    ck_assert_int_eq(seals_itself(pair->server), suites[_i].offered);
}
END_TEST

START_TEST(openssl_seals_tls_1_2_and_records_of_another_bound)
{
    int64_t client = client_context(TLSSHIM_TLS_1_3, certs()->trust, 0);
    struct pair *pair = joined(TLSSHIM_TLS_1_2, TLSSHIM_POLICY_IDLE_SMALL);

    talk(pair);
    ck_assert(!seals_itself(pair->client));
    ck_assert(!seals_itself(pair->server));
    ck_assert_ok(tlsshim_context_set_limit(client, TLSSHIM_LIMIT_SEND_FRAGMENT, 512));
    pair = pair_new(client, server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0), PIPE_MOST);
    pair_connect(pair);
    talk(pair);
    ck_assert(!seals_itself(pair->client));
    ck_assert(seals_itself(pair->server));
}
END_TEST

/* Which has had the backend keep the place of each control message as if it were its buffer. */
START_TEST(after_a_key_update_openssl_goes_on_where_the_shim_ended)
{
    int policy = _i % 2 == 0 ? TLSSHIM_POLICY_IDLE_SMALL : TLSSHIM_POLICY_BUSY_FAST;
    struct pair *pair = joined(TLSSHIM_TLS_1_3, policy);
    bool by_client = _i / 2 % 2 == 0, both = _i / 4 == 1;
    int64_t one = by_client ? pair->client : pair->server, other = by_client ? pair->server : pair->client;

    if (_i / 8 == 1)
        talk(pair);
    ck_assert(seals_itself(one));
    ck_assert_int_eq(tlsshim_conn_key_update(one, both), TLSSHIM_OK);
    ck_assert(!seals_itself(one));
    talk(pair);
    ck_assert_int_eq(seals_itself(other), !both);
    ck_assert_int_eq(tlsshim_conn_key_update(other, both), TLSSHIM_OK);
    talk(pair);
    ck_assert_int_eq(tlsshim_conn_key_update(one, both), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_conn_shutdown(one), TLSSHIM_WANT_DRAIN);
    pair_settle(pair);
    ck_assert_int_eq(pair_read(pair, !by_client, plain, sizeof plain), 0);
}
END_TEST

/* Tickets, key updates and goodbyes make the backend give up its buffers for a moment. */
START_TEST(who_keeps_buffers_keeps_them_after_each_message)
{
    int policy = _i == 0 ? TLSSHIM_POLICY_IDLE_SMALL : TLSSHIM_POLICY_BUSY_FAST;
    struct pair *pair = joined(TLSSHIM_TLS_1_3, policy);
    bool small = _i == 0;

    ck_assert_int_eq(gives_buffers_back(pair->client), small);
    ck_assert_int_eq(gives_buffers_back(pair->server), small);
    pair_send(pair, false, "with tickets", 12);
    ck_assert_int_eq(gives_buffers_back(pair->server), small);
    ck_assert_int_eq(tlsshim_conn_key_update(pair->client, 1), TLSSHIM_OK);
    talk(pair);
    ck_assert_int_eq(gives_buffers_back(pair->client), small);
    ck_assert_int_eq(gives_buffers_back(pair->server), small);
    ck_assert_int_eq(tlsshim_conn_shutdown(pair->client), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(gives_buffers_back(pair->client), small);
}
END_TEST

/* What the peer asked for is answered before anything else goes out. */
START_TEST(a_write_right_behind_the_peers_update_goes_under_the_new_key)
{
    struct pair *pair = joined(TLSSHIM_TLS_1_3, TLSSHIM_POLICY_IDLE_SMALL);
    int64_t records;

    pair_send(pair, false, "tickets first", 13);
    records = number_of(pair->server, TLSSHIM_CONN_RECORDS_OUT);
    ck_assert_int_eq(tlsshim_conn_key_update(pair->client, 1), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "ask", 3), 3);
    ck_assert_int_eq(pair_read(pair, false, plain, sizeof plain), 3);
    pair_send(pair, false, "answer", 6);
    ck_assert_int_eq(number_of(pair->server, TLSSHIM_CONN_RECORDS_OUT), records + 2);
    ck_assert(!seals_itself(pair->server));
    talk(pair);
}
END_TEST

/* Record and plaintext in one buffer, in every position to each other. */
START_TEST(a_record_may_be_sealed_over_its_plaintext)
{
    enum { LEN = 200, ROOM = LEN + 100, AROUND = 300 };
    struct pair *pair = joined(_i == 0 ? TLSSHIM_TLS_1_3 : TLSSHIM_TLS_1_2, TLSSHIM_POLICY_IDLE_SMALL);
    uint8_t buffer[AROUND + ROOM + AROUND], back[LEN];

    for (int shift = -AROUND; shift <= AROUND; shift++) {
        uint8_t *at = buffer + AROUND;
        int32_t taken, len;

        memset(at + shift, shift, LEN);
        if (shift + LEN > ROOM + AROUND)
            break;
        len = tlsshim_conn_seal(pair->client, at + shift, LEN, at, ROOM, &taken);
        must_be(taken, LEN);
        must_be(tlsshim_conn_open(pair->server, at, len, back, sizeof back, &taken), LEN);
        for (int i = 0; i < LEN; i++)
            must_be(back[i], (uint8_t)shift);
    }
}
END_TEST

/* The same where tickets go first, and where each of several records would come over the plaintext of the next. */
START_TEST(records_may_be_sealed_over_all_of_their_plaintext)
{
    enum { MUCH = 40000 };
    static uint8_t buffer[MUCH + 1000], back[MUCH];
    struct pair *pair = joined(TLSSHIM_TLS_1_3, TLSSHIM_POLICY_IDLE_SMALL);
    int64_t from = _i == 0 ? pair->server : pair->client, to = _i == 0 ? pair->client : pair->server;
    int32_t taken, len, got = 0;

    memset(buffer, 'p', MUCH);
    len = tlsshim_conn_seal(from, buffer, MUCH, buffer, sizeof buffer, &taken);
    must_be(taken, MUCH);
    for (int32_t at = 0, used; at < len; at += used) {
        int32_t some = tlsshim_conn_open(to, buffer + at, len - at, back + got, MUCH - got, &used);

        ck_assert_int_gt(some, 0);
        got += some;
    }
    must_be(got, MUCH);
    for (int32_t i = 0; i < MUCH; i++)
        must_be(back[i], 'p');
}
END_TEST

static void say_part(int64_t from, int fd, const char *part, size_t len)
{
    uint8_t record[64];
    struct conn_call call;

    ck_assert_ok(conn_enter(from, &call));
    ck_assert(sealer_seal(&call.conn->transport.sealer, SSL3_RT_HANDSHAKE, (const uint8_t *)part, len, record));
    conn_leave(&call);
    must_be(write(fd, record, len + SEALER_OVERHEAD), (int64_t)(len + SEALER_OVERHEAD));
}

/* The peer has begun a message: what was held back waits until it is whole, whoever seals. */
START_TEST(taking_the_cork_out_seals_nothing_amid_a_message)
{
    struct pair *pair = joined(TLSSHIM_TLS_1_3, TLSSHIM_POLICY_IDLE_SMALL);
    uint8_t wire[200], back[64];
    int32_t taken;
    int fds[2];

    if (_i == 1)
        ck_assert_int_eq(tlsshim_conn_key_update(pair->client, 0), TLSSHIM_OK);
    talk(pair);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ck_assert_ok(conn_attach_fd(pair->client, fds[0]));
    say_part(pair->server, fds[1], "\x18\0\0\x01", 4);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, back, sizeof back), TLSSHIM_WANT_FEED);
    ck_assert_ok(tlsshim_conn_cork(pair->client, 1));
    ck_assert_int_eq(tlsshim_conn_write(pair->client, "hello", 5), 5);
    ck_assert_ok(tlsshim_conn_cork(pair->client, 0));
    must_be(read(fds[1], wire, sizeof wire), -1);
    say_part(pair->server, fds[1], "\0", 1);
    ck_assert_int_eq(tlsshim_conn_read(pair->client, back, sizeof back), TLSSHIM_WANT_FEED);
    must_be(read(fds[1], wire, sizeof wire), 5 + SEALER_OVERHEAD);
    ck_assert_int_eq(tlsshim_conn_open(pair->server, wire, 5 + SEALER_OVERHEAD, back, sizeof back, &taken), 5);
    conn_detach_fd(pair->client);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sealer");
    TCase *all = tcase_create("sealer");

    certs();
    tcase_add_checked_fixture(all, keep_begin, keep_end);
    tcase_add_loop_test(all, each_suite_carries_data_whoever_seals_it, 0, SUITES);
    tcase_add_test(all, openssl_seals_tls_1_2_and_records_of_another_bound);
    tcase_add_loop_test(all, after_a_key_update_openssl_goes_on_where_the_shim_ended, 0, 16);
    tcase_add_loop_test(all, who_keeps_buffers_keeps_them_after_each_message, 0, 2);
    tcase_add_test(all, a_write_right_behind_the_peers_update_goes_under_the_new_key);
    tcase_add_loop_test(all, a_record_may_be_sealed_over_its_plaintext, 0, 2);
    tcase_add_loop_test(all, records_may_be_sealed_over_all_of_their_plaintext, 0, 2);
    tcase_add_loop_test(all, taking_the_cork_out_seals_nothing_amid_a_message, 0, 2);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
