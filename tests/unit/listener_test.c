/* Listeners: addresses, deadlines, closing, forked children. */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/socket.h"
#include "support/support.h"

static int64_t listen_on(const char *host, int32_t port, int32_t backlog)
{
    return tlsshim_listener_new(host, (int32_t)strlen(host), port, backlog);
}

START_TEST(port_0_is_one_that_is_free)
{
    int64_t one = listener_at("127.0.0.1", 0), other = listener_at("127.0.0.1", 0);

    ck_assert_int_gt(tlsshim_listener_port(one), 0);
    ck_assert_int_gt(tlsshim_listener_port(other), 0);
    ck_assert_int_ne(tlsshim_listener_port(one), tlsshim_listener_port(other));
    ck_assert_ok(tlsshim_close(one));
    ck_assert_ok(tlsshim_close(other));
}
END_TEST

START_TEST(a_port_in_use_is_refused_and_usable_after_close)
{
    int64_t one = listener_at("127.0.0.1", 0);
    int32_t port = tlsshim_listener_port(one);
    int64_t result = listen_on("127.0.0.1", port, 1);

    ck_assert_result(result, TLSSHIM_E_SYSTEM);
    ck_assert_ptr_nonnull(strstr(support_text(result), "Address already in use"));
    ck_assert_ptr_nonnull(strstr(support_text(result), "127.0.0.1"));
    ck_assert_ok(tlsshim_close(one));
    one = listener_at("127.0.0.1", port);
    ck_assert_int_eq(tlsshim_listener_port(one), port);
    ck_assert_ok(tlsshim_close(one));
}
END_TEST

START_TEST(arguments_are_checked)
{
    int64_t listener;
    char long_host[256];

    memset(long_host, 'a', sizeof long_host);
    ck_assert_result(listen_on("example.test", 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(listen_on("127.1", 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(listen_on("127.0.0.1", -1, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(listen_on("127.0.0.1", 65536, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(listen_on("127.0.0.1", 0, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_listener_new(long_host, 256, 0, 0), TLSSHIM_E_LIMIT);
    ck_assert_result(listen_on("192.0.2.1", 0, 0), TLSSHIM_E_SYSTEM);
    listener = listener_at("localhost", 0);
    ck_assert_result(tlsshim_listener_accept(listener, 0, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_listener_accept(listener, 12345, 0), TLSSHIM_E_HANDLE);
    ck_assert_ok(tlsshim_close(listener));
    ck_assert_result(tlsshim_listener_accept(listener, 0, 0), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_listener_port(listener), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_stream_fd(listener), TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(an_empty_host_is_every_address_of_both_families)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    int64_t listener = listener_at("", 0);

    for (int i = 0; i < 2; i++) {
        int64_t client = a_handle(connect_to(hosts[i], tlsshim_listener_port(listener), 0, SOON));
        int64_t server = a_handle(tlsshim_listener_accept(listener, 0, SOON));
        char text[80];
        int32_t len = tlsshim_stream_text(server, TLSSHIM_STREAM_PEER_ADDRESS, text, sizeof text);

        ck_assert_int_eq(len, (int)strlen(hosts[i]));
        ck_assert_mem_eq(text, hosts[i], strlen(hosts[i]));
        ck_assert_ok(tlsshim_close(client));
        ck_assert_ok(tlsshim_close(server));
    }
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(accepting_waits_no_longer_than_its_deadline)
{
    int64_t listener = listener_at("127.0.0.1", 0), began, client;
    struct pollfd ready = {.fd = (int)tlsshim_stream_fd(listener), .events = POLLIN};

    ck_assert_int_eq(tlsshim_listener_accept(listener, 0, 0), TLSSHIM_WANT_READ);
    began = now_ms();
    ck_assert_int_eq(tlsshim_listener_accept(listener, 0, 40), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 40);
    client = a_handle(connect_to("127.0.0.1", tlsshim_listener_port(listener), 0, SOON));
    ck_assert_int_eq(poll(&ready, 1, SOON), 1);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_listener_accept(listener, 0, 0))));
    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(a_connection_is_not_lost_to_a_wrong_context)
{
    int64_t listener = listener_at("127.0.0.1", 0);
    int64_t client = a_handle(connect_to("127.0.0.1", tlsshim_listener_port(listener), 0, SOON));

    ck_assert_result(tlsshim_listener_accept(listener, client, SOON), TLSSHIM_E_HANDLE);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_listener_accept(listener, 0, SOON))));
    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

START_TEST(accepted_descriptors_are_fit_for_servers)
{
    int64_t client, server;
    int fd, on = 0;
    socklen_t len = sizeof on;

    connected_streams(0, 0, &client, &server);
    for (int i = 0; i < 2; i++) {
        fd = (int)tlsshim_stream_fd(i == 0 ? client : server);
        ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
        ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
        ck_assert_int_ne(on, 0);
    }
    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_close(server));
}
END_TEST

static void *accept_one(void *argument)
{
    return (void *)(intptr_t)tlsshim_listener_accept(*(int64_t *)argument, 0, SOON);
}

START_TEST(close_wakes_who_accepts)
{
    int descriptors = count_descriptors();
    int64_t listener = listener_at("127.0.0.1", 0);
    pthread_t threads[3];
    void *result;

    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, accept_one, &listener);
    let_others_wait();
    ck_assert_ok(tlsshim_close(listener));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], &result);
        ck_assert_result((intptr_t)result, TLSSHIM_E_CLOSED);
    }
    ck_assert_int_eq(count_descriptors(), descriptors);
}
END_TEST

START_TEST(a_cancelled_accept_leaves_nothing_behind)
{
    int descriptors = count_descriptors();
    int64_t listener = listener_at("127.0.0.1", 0);
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, accept_one, &listener);
    usleep(5000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    ck_assert_ok(tlsshim_close(listener));
    ck_assert_int_eq(count_descriptors(), descriptors);
}
END_TEST

/* In the child: takes a connection, then is woken by its own close. */
static bool child_serves(int64_t listener)
{
    int64_t server = tlsshim_listener_accept(listener, 0, SOON);
    pthread_t thread;
    void *result;

    if (server < 0 || tlsshim_stream_write(server, "from the child", 14, SOON) != 14)
        return false;
    pthread_create(&thread, NULL, accept_one, &listener);
    let_others_wait();
    if (tlsshim_close(listener) != TLSSHIM_OK)
        return false;
    pthread_join(thread, &result);
    return support_has_code((intptr_t)result, TLSSHIM_E_CLOSED);
}

START_TEST(a_forked_child_may_accept)
{
    int64_t listener = listener_at("127.0.0.1", 0), client;
    char text[20];
    int status;
    pid_t child;

    ck_assert_int_eq(tlsshim_listener_accept(listener, 0, 1), TLSSHIM_TIMEOUT); /* leaves an idle waiter to inherit */
    child = fork();
    if (child == 0)
        _exit(child_serves(listener) ? 0 : 1);
    client = a_handle(connect_to("127.0.0.1", tlsshim_listener_port(listener), 0, SOON));
    ck_assert_int_eq(tlsshim_stream_read(client, text, sizeof text, SOON), 14);
    ck_assert_int_eq(tlsshim_listener_accept(listener, 0, 50), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_ok(tlsshim_close(client));
    ck_assert_ok(tlsshim_close(listener));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *all = tcase_create("all");

    tcase_add_test(all, port_0_is_one_that_is_free);
    tcase_add_test(all, a_port_in_use_is_refused_and_usable_after_close);
    tcase_add_test(all, arguments_are_checked);
    tcase_add_test(all, an_empty_host_is_every_address_of_both_families);
    tcase_add_test(all, accepting_waits_no_longer_than_its_deadline);
    tcase_add_test(all, a_connection_is_not_lost_to_a_wrong_context);
    tcase_add_test(all, accepted_descriptors_are_fit_for_servers);
    tcase_add_test(all, close_wakes_who_accepts);
    tcase_add_test(all, a_cancelled_accept_leaves_nothing_behind);
    tcase_add_test(all, a_forked_child_may_accept);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
