/* Lack of memory amid the messages of a connection: what was kept, and who can still be asked. */
#include <stdio.h>

#include "support/pair.h"
#include "support/scarce.h"

/* A message that OpenSSL has kept to write it again is nobody's data, though the rest of a record is read after it. */
START_TEST(a_key_update_that_fails_reaches_nobody_as_data)
{
    int policy = _i == 0 ? TLSSHIM_POLICY_IDLE_SMALL : TLSSHIM_POLICY_BUSY_FAST;
    int64_t at = 0;
    bool failed = true;

    while (failed) {
        int64_t ends[] = {client_context(TLSSHIM_TLS_1_3, certs()->trust, 0),
                          server_context(TLSSHIM_TLS_1_3, certs()->server, 0, 0)};
        struct pair *pair;
        char data[64];

        ck_assert_ok(tlsshim_context_set_memory(ends[0], policy));
        pair = pair_new(ends[0], ends[1], PIPE_MOST);
        pair_connect(pair);
        pair_send(pair, false, "tickets", 7);
        ck_assert_int_eq(tlsshim_conn_write(pair->server, "0123456789", 10), 10);
        ck_assert_int_eq(pair_read(pair, true, data, 3), 3);
        scarce_count = 0;
        scarce_at = ++at;
        failed = tlsshim_conn_key_update(pair->client, 0) < 0;
        scarce_at = 0;
        (void)tlsshim_conn_read(pair->client, data, sizeof data);
        ck_assert_int_lt(pair_read(pair, false, data, sizeof data), TLSSHIM_OK);
        ck_assert_int_lt(at, 100);
    }
    ck_assert_int_gt(at, 1); /* some allocations there were to lose */
}
END_TEST

/* The connection has failed, and is still there to be asked. */
START_TEST(a_context_that_finds_no_memory_leaves_a_connection_that_answers)
{
    int64_t client = client_context(0, certs()->trust, 0), other = server_context(0, certs()->server, 0, 0);
    int64_t server = server_context(0, certs()->server, 0, 0), failures = 0;
    bool failed = true;

    ck_assert_ok(tlsshim_context_set_events(server, TLSSHIM_EVENT_HELLO));
    keep(tlsshim_conn_new(other, NULL, 0)); /* what contexts make once is made */
    for (int64_t at = 1; failed && at < 20; at++) {
        struct pair *pair = pair_new(client, server, PIPE_MOST);

        pair_handshake(pair);
        ck_assert_int_eq(pair->server_result, TLSSHIM_WANT_EVENT);
        ck_assert_ok(tlsshim_conn_use_context(pair->server, other));
        ck_assert_ok(tlsshim_conn_event_done(pair->server));
        scarce_count = 0;
        scarce_at = at;
        failed = tlsshim_conn_handshake(pair->server) < TLSSHIM_NONE;
        scarce_at = 0;
        failures += failed;
        (void)tlsshim_conn_pending(pair->server);
        ck_assert_int_eq((tlsshim_conn_state(pair->server) & TLSSHIM_STATE_FAILED) != 0, failed);
    }
    ck_assert_int_gt(failures, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *tests = tcase_create("control");

    if (!scarce_install()) {
        fprintf(stderr, "the backend has allocated before main\n");
        return EXIT_FAILURE;
    }
    certs();
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_key_update_that_fails_reaches_nobody_as_data, 0, 2);
    tcase_add_test(tests, a_context_that_finds_no_memory_leaves_a_connection_that_answers);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
