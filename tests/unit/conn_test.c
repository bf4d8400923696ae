#include "tls/conn.h"

#include <string.h>

#include "support/certs.h"
#include "support/pair.h"

static int64_t a_client(const char *name)
{
    return tlsshim_conn_new(client_context(0, certs()->trust, 0), name, (int32_t)strlen(name));
}

static int64_t a_server(void)
{
    return keep(tlsshim_conn_new(server_context(0, certs()->server, 0, 0), "", 0));
}

static const struct name {
    const char *given;
    int32_t error;
    const char *sent, *verified;
} names[] = {
    {"www.test", 0, "www.test", "www.test"},
    {"WWW.Test.", 0, "www.test", "www.test"},
    {"b\xc3\xbc"
     "cher.test",
     0, "xn--bcher-kva.test", "xn--bcher-kva.test"},
    {"under_score.test", 0, "under_score.test", "under_score.test"},
    {"10.0.0.1", 0, "", "10.0.0.1"},
    {"::1", 0, "", "::1"},
    {"[::1]", 0, "", "[::1]"},
    {"", 0, "", ""},
    {"a..b", TLSSHIM_E_ARGUMENT, "", ""},
    {"-a.test", TLSSHIM_E_ARGUMENT, "", ""},
    {"1.2.3", TLSSHIM_E_ARGUMENT, "", ""},
    {"999.1.1.1", TLSSHIM_E_ARGUMENT, "", ""},
    {"a b.test", TLSSHIM_E_ARGUMENT, "", ""},
    {"*.test", TLSSHIM_E_ARGUMENT, "", ""},
    {"https://www.test", TLSSHIM_E_ARGUMENT, "", ""},
    {"www.test:443", TLSSHIM_E_ARGUMENT, "", ""},
};
enum { NAMES = sizeof names / sizeof names[0] };

START_TEST(a_peer_name_is_put_in_the_form_of_certificates_or_refused)
{
    const struct name *n = &names[_i];
    int64_t conn = a_client(n->given);

    if (n->error != 0) {
        ck_assert_result(conn, n->error);
        return;
    }
    keep(conn);
    ck_assert_str_eq(text_of(conn, TLSSHIM_CONN_SERVER_NAME), n->sent);
    ck_assert_str_eq(text_of(conn, TLSSHIM_CONN_VERIFY_NAME), n->verified);
}
END_TEST

START_TEST(names_have_a_limit_and_no_end_mark)
{
    char name[300];
    int64_t context = client_context(0, certs()->trust, 0);

    memset(name, 'a', sizeof name);
    ck_assert_result(tlsshim_conn_new(context, name, 256), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_conn_new(context, name, 255), TLSSHIM_E_ARGUMENT); /* one label */
    ck_assert_result(tlsshim_conn_new(context, "www.test\0.else", 14), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_new(context, "\xff.test", 6), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_new(context, NULL, 1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_new(context, "x", -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_new(certs()->trust, "www.test", 8), TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(setters_are_of_one_role_and_come_before_the_first_step)
{
    int64_t client = keep(a_client("www.test")), server = a_server();

    ck_assert_result(tlsshim_conn_set_server_name(server, "www.test", 8), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_fallback(server, 1), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_session_key(server, "x", 1), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_fallback(client, 2), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_set_alpn(client, "\2h2", 3, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_set_alpn(client, "\2h2", 3, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_set_alpn(client, "\2h", 2, 1), TLSSHIM_E_FORMAT);
    ck_assert_result(tlsshim_conn_set_verify_name(client, "", 0), TLSSHIM_E_ARGUMENT);
    ck_assert_ok(tlsshim_conn_set_verify_name(server, "", 0));
    ck_assert_ok(tlsshim_conn_set_server_name(client, "", 0));
    ck_assert_str_eq(text_of(client, TLSSHIM_CONN_SERVER_NAME), "");
    ck_assert_int_eq(tlsshim_conn_handshake(client), TLSSHIM_WANT_DRAIN);
    ck_assert_int_eq(tlsshim_conn_handshake(server), TLSSHIM_WANT_FEED);
    ck_assert_result(tlsshim_conn_set_server_name(client, "www.test", 8), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_verify_name(client, "www.test", 8), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_verify_name(server, "www.test", 8), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_alpn(server, "\2h2", 3, 1), TLSSHIM_E_STATE);
    ck_assert_result(tlsshim_conn_set_fallback(client, 1), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_conn_state(client) & TLSSHIM_STATE_FAILED, 0);
}
END_TEST

START_TEST(buffers_that_are_none_are_refused_and_nothing_is_written)
{
    struct pair *pair = pair_connected(ways[6]);
    char room[4] = "abc";
    int32_t taken = -7;

    ck_assert_result(tlsshim_conn_read(pair->client, room, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_read(pair->client, room, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_read(pair->client, NULL, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_peek(pair->client, NULL, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_drain(pair->client, room, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_drain(pair->client, NULL, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_write(pair->client, NULL, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_write(pair->client, room, -4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_feed(pair->client, NULL, 4), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_open(pair->client, NULL, 4, room, 4, &taken), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_open(pair->client, "", 0, NULL, 4, &taken), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_open(pair->client, "", 0, room, 4, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_seal(pair->client, NULL, 4, room, 4, &taken), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_seal(pair->client, "x", 1, NULL, 4, &taken), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_conn_seal(pair->client, "x", 1, room, 4, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(taken, -7);
    ck_assert_mem_eq(room, "abc", 4);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, NULL, 0), 0);
    ck_assert_int_eq(tlsshim_conn_feed(pair->client, NULL, 0), 0);
    pair_send(pair, true, "still", 5); /* mistakes of the caller's end nothing */
}
END_TEST

START_TEST(memory_is_given_back_where_idle_should_be_small)
{
    int64_t client = client_context(0, certs()->trust, 0);
    static uint8_t data[65536];
    struct pair *pair;
    int64_t idle;

    ck_assert_ok(tlsshim_context_set_memory(client, _i));
    pair = pair_new(client, server_context(0, certs()->server, 0, 0), PIPE_MOST);
    pair_connect(pair);
    idle = tlsshim_memory(pair->client);
    ck_assert_int_eq(tlsshim_conn_write(pair->client, data, sizeof data), (int32_t)sizeof data);
    ck_assert_int_ge(tlsshim_memory(pair->client), idle + (int32_t)sizeof data);
    while (tlsshim_conn_drain(pair->client, data, sizeof data) > 0)
        continue;
    if (_i == TLSSHIM_POLICY_IDLE_SMALL)
        ck_assert_int_eq(tlsshim_memory(pair->client), idle);
    else
        ck_assert_int_gt(tlsshim_memory(pair->client), idle);
}
END_TEST

START_TEST(a_connection_outlives_the_handles_it_was_made_from)
{
    int64_t client = client_context(0, certs()->trust, 0), server = server_context(0, certs()->server, 0, 0);
    struct pair *pair = pair_new(client, server, 512);

    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_close(server));
    pair_connect(pair);
    pair_send(pair, true, "x", 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conn");
    TCase *tests = tcase_create("conn");

    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_peer_name_is_put_in_the_form_of_certificates_or_refused, 0, NAMES);
    tcase_add_test(tests, names_have_a_limit_and_no_end_mark);
    tcase_add_test(tests, setters_are_of_one_role_and_come_before_the_first_step);
    tcase_add_test(tests, buffers_that_are_none_are_refused_and_nothing_is_written);
    tcase_add_loop_test(tests, memory_is_given_back_where_idle_should_be_small, TLSSHIM_POLICY_IDLE_SMALL,
                        TLSSHIM_POLICY_BUSY_FAST + 1);
    tcase_add_test(tests, a_connection_outlives_the_handles_it_was_made_from);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
