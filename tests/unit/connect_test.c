/* Connecting: refusals, silence, deadlines, and going on in later calls. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/socket.h"
#include "support/support.h"

START_TEST(a_refused_connection_names_host_port_and_reason)
{
    int32_t port = dead_port();
    char wanted[128];
    int64_t n = 0, before = tlsshim_live(TLSSHIM_KIND_STREAM);
    int64_t result = connect_to("127.0.0.1", port, 0, SOON);

    ck_assert_result(result, TLSSHIM_E_CONNECT);
    snprintf(wanted, sizeof wanted, "cannot connect to 127.0.0.1 port %d: Connection refused", port);
    ck_assert_ptr_nonnull(strstr(support_text(result), wanted));
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n));
    ck_assert_int_eq(n, ECONNREFUSED);
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_SIDE, &n));
    ck_assert_int_eq(n, TLSSHIM_SIDE_TRANSPORT);
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), before);

    result = connect_to("localhost", port, 0, SOON);
    ck_assert_result(result, TLSSHIM_E_CONNECT);
    ck_assert_ptr_nonnull(strstr(support_text(result), "127.0.0.1: Connection refused"));
}
END_TEST

START_TEST(a_name_that_does_not_resolve_is_told)
{
    int64_t result = connect_to("a..b", 80, 0, SOON);

    ck_assert_result(result, TLSSHIM_E_RESOLVE);
    ck_assert_ptr_nonnull(strstr(support_text(result), "a..b"));
    result = a_handle(connect_to("a..b", 80, 0, 0));
    ck_assert_result(tlsshim_stream_handshake(result, SOON), TLSSHIM_E_RESOLVE);
    ck_assert_result(tlsshim_stream_write(result, "x", 1, SOON), TLSSHIM_E_RESOLVE);
    ck_assert_ok(tlsshim_close(result));
}
END_TEST

START_TEST(a_silent_address_is_a_timeout_and_leaves_no_handle)
{
    int32_t port = silent_port();
    int descriptors = count_descriptors();
    int64_t live = tlsshim_live(TLSSHIM_KIND_STREAM), began = now_ms();

    ck_assert_int_eq(connect_to("127.0.0.1", port, 0, 60), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 60);
    ck_assert_int_lt(now_ms() - began, SOON);
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), live);
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

START_TEST(without_time_a_stream_connects_in_its_later_calls)
{
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t client = a_handle(connect_to(_i == 0 ? "127.0.0.1" : "localhost", tlsshim_listener_port(listener), 0, 0));
    int64_t server;
    int32_t result;

    while ((result = tlsshim_stream_handshake(client, 0)) == TLSSHIM_WANT_READ) {
        struct pollfd ready = {.fd = (int)tlsshim_stream_fd(client), .events = POLLIN};

        ck_assert_int_eq(tlsshim_stream_wants(client), TLSSHIM_READY_READ);
        ck_assert_int_eq(poll(&ready, 1, SOON), 1);
    }
    ck_assert_int_eq(result, TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_wants(client), 0);
    server = a_handle(tlsshim_listener_accept(listener, 0, SOON));
    send_text(client, "late");
    expect_text(server, "late");
    close_both(client, server);
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(a_stream_that_connects_answers_and_closes)
{
    int32_t port = silent_port();
    int descriptors = count_descriptors();
    int64_t stream = a_handle(connect_to("127.0.0.1", port, 0, 0));
    int64_t n;
    char byte;

    ck_assert_int_eq(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_write(stream, "x", 1, 30), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(tlsshim_stream_text(stream, TLSSHIM_STREAM_PEER_ADDRESS, &byte, 0), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_stream_number(stream, TLSSHIM_STREAM_LOCAL_PORT, &n), TLSSHIM_NONE);
    ck_assert_int_ge(tlsshim_memory(stream), 100);
    ck_assert_ok(tlsshim_close(stream));
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

START_TEST(a_refusal_without_time_is_told_by_every_later_call)
{
    int64_t stream = a_handle(connect_to("127.0.0.1", dead_port(), 0, 0));
    char byte;

    for (int i = 0; i < 3; i++) {
        ck_assert_result(tlsshim_stream_handshake(stream, SOON), TLSSHIM_E_CONNECT);
        ck_assert_result(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_E_CONNECT);
    }
    ck_assert_ok(tlsshim_close(stream));
}
END_TEST

static void *read_one(void *argument)
{
    char byte;

    return (void *)(intptr_t)tlsshim_stream_read(*(int64_t *)argument, &byte, 1, SOON);
}

/* Until the thread is about to wait, the stream does not say that it waits for input. */
static void await_reader(int64_t stream)
{
    while (tlsshim_stream_wants(stream) == 0)
        usleep(100);
    usleep(2000);
}

START_TEST(close_wakes_who_waits_for_a_connection)
{
    int64_t stream = a_handle(connect_to("127.0.0.1", silent_port(), 0, 0));
    pthread_t reader;
    void *result;

    pthread_create(&reader, NULL, read_one, &stream);
    await_reader(stream);
    ck_assert_ok(tlsshim_close(stream));
    pthread_join(reader, &result);
    ck_assert_result((intptr_t)result, TLSSHIM_E_CLOSED);
}
END_TEST

static int32_t the_silent_port;

static void *connect_in_vain(void *argument)
{
    (void)argument;
    return (void *)(intptr_t)connect_to("127.0.0.1", the_silent_port, 0, SOON);
}

START_TEST(a_thread_cancelled_while_connecting_leaves_nothing_behind)
{
    pthread_t thread;
    void *result;
    int descriptors;

    the_silent_port = silent_port();
    descriptors = count_descriptors();
    pthread_create(&thread, NULL, connect_in_vain, NULL);
    while (tlsshim_live(TLSSHIM_KIND_STREAM) == 0)
        usleep(100);
    usleep(2000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 0);
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connect");
    TCase *all = tcase_create("all");

    tcase_add_test(all, a_refused_connection_names_host_port_and_reason);
    tcase_add_test(all, a_name_that_does_not_resolve_is_told);
    tcase_add_test(all, a_silent_address_is_a_timeout_and_leaves_no_handle);
    tcase_add_loop_test(all, without_time_a_stream_connects_in_its_later_calls, 0, 2);
    tcase_add_test(all, a_stream_that_connects_answers_and_closes);
    tcase_add_test(all, a_refusal_without_time_is_told_by_every_later_call);
    tcase_add_test(all, close_wakes_who_waits_for_a_connection);
    tcase_add_test(all, a_thread_cancelled_while_connecting_leaves_nothing_behind);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
