/* Plain streams: connecting, deadlines, the ends of both directions, closing, descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/socket.h"
#include "support/support.h"

static char bulk[1 << 20];

START_TEST(a_stream_carries_bytes_both_ways_over_each_family)
{
    static const char *const hosts[] = {"127.0.0.1", "::1", "localhost"};
    int64_t client, server;

    connected_streams_at(hosts[_i], 0, 0, &client, &server);
    send_text(client, "there");
    expect_text(server, "there");
    send_text(server, "and back");
    expect_text(client, "and back");
    close_both(client, server);
}
END_TEST

START_TEST(arguments_are_checked)
{
    int64_t client, server, n;
    char byte;

    ck_assert_result(connect_to("", 80, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_connect("a\0b", 3, 80, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_connect(bulk, 256, 80, 0, 0), TLSSHIM_E_LIMIT);
    ck_assert_result(tlsshim_stream_connect(NULL, 3, 80, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(connect_to("127.0.0.1", 0, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(connect_to("127.0.0.1", 65536, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(connect_to("127.0.0.1", 80, 0, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(connect_to("127.0.0.1", 80, 12345, 0), TLSSHIM_E_HANDLE);
    connected_streams(0, 0, &client, &server);
    ck_assert_result(tlsshim_stream_read(client, &byte, 0, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_read(client, NULL, 1, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_read(client, &byte, 1, -1), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_write(client, "x", -1, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_write(client, NULL, 1, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_write(client, "x", 1, INT64_MIN), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(tlsshim_stream_write(client, NULL, 0, 0), 0);
    ck_assert_result(tlsshim_stream_text(client, 0, &byte, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_text(client, TLSSHIM_STREAM_TLS + 1, &byte, 0), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_number(client, TLSSHIM_STREAM_TLS, NULL), TLSSHIM_E_ARGUMENT);
    ck_assert_int_eq(tlsshim_stream_number(client, TLSSHIM_STREAM_PEER_ADDRESS, &n), TLSSHIM_NONE);
    ck_assert_int_eq(tlsshim_stream_conn(client), TLSSHIM_NONE);
    send_text(client, "still fine");
    ck_assert_int_eq(tlsshim_stream_read(server, &byte, 1, INT64_MAX), 1);
    close_both(client, server);
    ck_assert_result(tlsshim_stream_read(client, &byte, 1, 0), TLSSHIM_E_HANDLE);
    ck_assert_result(tlsshim_stream_fd(client), TLSSHIM_E_HANDLE);
}
END_TEST

START_TEST(a_read_waits_no_longer_than_its_deadline)
{
    int64_t client, server, began;
    char byte;

    connected_streams(0, 0, &client, &server);
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_wants(client), TLSSHIM_READY_READ);
    began = now_ms();
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, 50), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 50);
    send_text(server, "x");
    ck_assert_int_eq(tlsshim_stream_read(client, &byte, 1, SOON), 1);
    ck_assert_int_eq(tlsshim_stream_wants(client), 0);
    close_both(client, server);
}
END_TEST

START_TEST(a_write_tells_what_it_took_and_times_out_only_on_nothing)
{
    int64_t client, server, total = 0;
    int32_t taken;

    connected_streams(0, 0, &client, &server);
    while ((taken = tlsshim_stream_write(client, bulk, sizeof bulk, 0)) > 0)
        total += taken;
    ck_assert_int_eq(taken, TLSSHIM_WANT_WRITE);
    ck_assert_int_eq(tlsshim_stream_wants(client), TLSSHIM_READY_WRITE);
    while ((taken = tlsshim_stream_write(client, bulk, sizeof bulk, 30)) > 0)
        total += taken; /* the kernel may have moved some on */
    ck_assert_int_eq(taken, TLSSHIM_TIMEOUT);
    for (int64_t got = 0; got < total;) {
        int32_t some = tlsshim_stream_read(server, bulk, sizeof bulk, SOON);

        ck_assert_int_gt(some, 0);
        got += some;
    }
    taken = tlsshim_stream_write(client, bulk, sizeof bulk, 30);
    ck_assert_int_gt(taken, 0);
    close_both(client, server);
}
END_TEST

static void *echo_until_the_end(void *argument)
{
    static char room[50000];
    int64_t stream = *(int64_t *)argument;
    int32_t got;

    while ((got = tlsshim_stream_read(stream, room, sizeof room, SOON)) > 0)
        ck_assert_int_eq(tlsshim_stream_write(stream, room, got, SOON), got);
    return (void *)(intptr_t)(got == 0 && tlsshim_stream_shutdown(stream, SOON) == TLSSHIM_OK);
}

static void *write_bulk_and_end(void *argument)
{
    int64_t stream = *(int64_t *)argument;
    bool good = tlsshim_stream_write(stream, bulk, sizeof bulk, SOON) == (int32_t)sizeof bulk;

    return (void *)(intptr_t)(good && tlsshim_stream_shutdown(stream, SOON) == TLSSHIM_OK);
}

START_TEST(a_mebibyte_comes_back_while_another_thread_writes)
{
    static char back[sizeof bulk + 1];
    int64_t client, server;
    pthread_t echo, writer;
    int32_t have = 0, got;
    void *good;

    for (size_t i = 0; i < sizeof bulk; i++)
        bulk[i] = (char)(i * 31 + (i >> 9));
    connected_streams(0, 0, &client, &server);
    pthread_create(&echo, NULL, echo_until_the_end, &server);
    pthread_create(&writer, NULL, write_bulk_and_end, &client);
    while ((got = tlsshim_stream_read(client, back + have, (int32_t)sizeof back - have, SOON)) > 0)
        have += got;
    ck_assert_int_eq(got, 0);
    ck_assert_int_eq(have, (int)sizeof bulk);
    ck_assert_mem_eq(back, bulk, sizeof bulk);
    pthread_join(writer, &good);
    ck_assert_ptr_nonnull(good);
    pthread_join(echo, &good);
    ck_assert_ptr_nonnull(good);
    close_both(client, server);
}
END_TEST

START_TEST(shutdown_ends_one_direction)
{
    int64_t client, server;
    char byte;

    connected_streams(0, 0, &client, &server);
    send_text(client, "question");
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_STATE);
    expect_text(server, "question");
    ck_assert_int_eq(tlsshim_stream_read(server, &byte, 1, SOON), 0);
    ck_assert_int_eq(tlsshim_stream_flush(server, SOON), TLSSHIM_OK);
    send_text(server, "answer");
    expect_text(client, "answer");
    close_both(client, server);
}
END_TEST

static void reset(int64_t stream)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt((int)tlsshim_stream_fd(stream), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ck_assert_ok(tlsshim_close(stream));
}

START_TEST(a_reset_is_an_error_and_no_signal)
{
    int64_t client, server, n;
    int32_t result;
    char byte;

    connected_streams(0, 0, &client, &server);
    reset(server);
    result = tlsshim_stream_read(client, &byte, 1, SOON);
    ck_assert_result(result, TLSSHIM_E_RESET);
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n));
    ck_assert_int_eq(n, ECONNRESET);
    for (int i = 0; i < 3; i++)
        ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_RESET);
    ck_assert_ok(tlsshim_close(client));
}
END_TEST

START_TEST(what_arrived_before_a_failed_write_is_readable)
{
    int64_t client, server;
    char byte;

    connected_streams(0, 0, &client, &server);
    send_text(server, "last words");
    send_text(client, "unread, so that the close resets");
    ck_assert_ok(tlsshim_close(server));
    while (tlsshim_stream_write(client, "x", 1, SOON) > 0)
        continue;
    ck_assert_result(tlsshim_stream_write(client, "x", 1, SOON), TLSSHIM_E_RESET);
    expect_text(client, "last words");
    ck_assert_int_le(tlsshim_stream_read(client, &byte, 1, SOON), 0);
    ck_assert_ok(tlsshim_close(client));
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

START_TEST(close_wakes_who_reads)
{
    int descriptors = count_descriptors();
    int64_t client, server;
    pthread_t readers[3];
    void *result;

    connected_streams(0, 0, &client, &server);
    for (int i = 0; i < 3; i++)
        pthread_create(&readers[i], NULL, read_one, &client);
    await_reader(client);
    let_others_wait();
    ck_assert_ok(tlsshim_close(client));
    for (int i = 0; i < 3; i++) {
        pthread_join(readers[i], &result);
        ck_assert_result((intptr_t)result, TLSSHIM_E_CLOSED);
    }
    ck_assert_ok(tlsshim_close(server));
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

START_TEST(a_cancelled_thread_leaves_nothing_behind)
{
    int descriptors = count_descriptors();
    int64_t client, server;
    pthread_t reader;
    void *result;

    for (int i = 0; i < 20; i++) {
        connected_streams(0, 0, &client, &server);
        pthread_create(&reader, NULL, read_one, &client);
        if (i % 2 == 0)
            await_reader(client);
        pthread_cancel(reader);
        pthread_join(reader, &result);
        ck_assert_ptr_eq(result, PTHREAD_CANCELED);
        send_text(server, "x");
        expect_text(client, "x");
        close_both(client, server);
    }
    ck_assert_int_eq(tlsshim_live(TLSSHIM_KIND_STREAM), 0);
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

static void *read_for_a_while(void *argument)
{
    char byte;

    return (void *)(intptr_t)tlsshim_stream_read(*(int64_t *)argument, &byte, 1, 100);
}

START_TEST(signals_do_not_shorten_a_wait)
{
    const struct sigaction action = {.sa_handler = on_signal};
    int64_t client, server, began = now_ms();
    pthread_t reader;
    void *result;

    sigaction(SIGUSR1, &action, NULL);
    connected_streams(0, 0, &client, &server);
    pthread_create(&reader, NULL, read_for_a_while, &client);
    for (int i = 0; i < 50; i++) {
        pthread_kill(reader, SIGUSR1);
        usleep(1000);
    }
    pthread_join(reader, &result);
    ck_assert_int_eq((intptr_t)result, TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 100);
    close_both(client, server);
}
END_TEST

START_TEST(only_connected_stream_sockets_are_adopted)
{
    int ends[2], datagrams[2], file = open("/dev/null", O_RDWR), listening = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_result(tlsshim_stream_adopt(-1, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(INT64_C(1) << 32, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(INT64_MIN, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(1000000, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(ends[0], 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(file, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(datagrams[0], 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(listening, 0, "", 0, TLSSHIM_FD_KEEP), TLSSHIM_E_ARGUMENT);
}
END_TEST

START_TEST(the_rule_says_who_closes_the_descriptor)
{
    int ends[2];
    int64_t kept, taken;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_result(tlsshim_stream_adopt(ends[0], 0, "", 0, 3), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_adopt(ends[0], 0, "name", 4, TLSSHIM_FD_TAKE), TLSSHIM_E_ARGUMENT);
    kept = a_handle(tlsshim_stream_adopt(ends[0], 0, "", 0, TLSSHIM_FD_KEEP));
    taken = a_handle(tlsshim_stream_adopt(ends[1], 0, "", 0, TLSSHIM_FD_TAKE));
    ck_assert_int_eq(tlsshim_stream_fd(kept), ends[0]);
    send_text(kept, "local");
    expect_text(taken, "local");
    close_both(kept, taken);
    ck_assert_int_ge(fcntl(ends[0], F_GETFD), 0);
    ck_assert_int_eq(fcntl(ends[1], F_GETFD), -1);
    close(ends[0]);
}
END_TEST

START_TEST(a_blocking_descriptor_stays_so_and_never_blocks)
{
    int ends[2], flags;
    int64_t stream;
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | (_i == 0 ? 0 : SOCK_NONBLOCK), 0, ends), 0);
    flags = fcntl(ends[0], F_GETFL);
    stream = a_handle(tlsshim_stream_adopt(ends[0], 0, "", 0, TLSSHIM_FD_KEEP));
    ck_assert_int_eq(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_WANT_READ);
    while (tlsshim_stream_write(stream, bulk, sizeof bulk, 0) > 0)
        continue;
    ck_assert_int_eq(tlsshim_stream_write(stream, bulk, sizeof bulk, 0), TLSSHIM_WANT_WRITE);
    ck_assert_int_eq(tlsshim_stream_write(stream, bulk, sizeof bulk, 10), TLSSHIM_TIMEOUT);
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags);
    ck_assert_ok(tlsshim_close(stream));
    ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags);
}
END_TEST

static void expect_field(int64_t stream, int32_t field, const char *wanted)
{
    char text[80];
    int32_t len = tlsshim_stream_text(stream, field, text, sizeof text);

    ck_assert_ok(len);
    text[len] = 0;
    ck_assert_str_eq(text, wanted);
}

START_TEST(both_ends_know_their_addresses)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    int64_t client, server, mine, theirs;

    connected_streams_at(hosts[_i], 0, 0, &client, &server);
    expect_field(client, TLSSHIM_STREAM_PEER_ADDRESS, hosts[_i]);
    expect_field(client, TLSSHIM_STREAM_LOCAL_ADDRESS, hosts[_i]);
    expect_field(server, TLSSHIM_STREAM_PEER_ADDRESS, hosts[_i]);
    ck_assert_ok(tlsshim_stream_number(client, TLSSHIM_STREAM_PEER_PORT, &theirs));
    ck_assert_ok(tlsshim_stream_number(server, TLSSHIM_STREAM_LOCAL_PORT, &mine));
    ck_assert_int_eq(theirs, mine);
    ck_assert_ok(tlsshim_stream_number(client, TLSSHIM_STREAM_LOCAL_PORT, &mine));
    ck_assert_ok(tlsshim_stream_number(server, TLSSHIM_STREAM_PEER_PORT, &theirs));
    ck_assert_int_eq(theirs, mine);
    ck_assert_ok(tlsshim_stream_number(server, TLSSHIM_STREAM_TLS, &mine));
    ck_assert_int_eq(mine, 0);
    close_both(client, server);
}
END_TEST

static bool refused_in_child(int64_t stream)
{
    char byte;

    return support_has_code(tlsshim_stream_read(stream, &byte, 1, 0), TLSSHIM_E_FORKED) &&
           support_has_code(tlsshim_stream_write(stream, "x", 1, 0), TLSSHIM_E_FORKED) &&
           support_has_code(tlsshim_stream_shutdown(stream, 0), TLSSHIM_E_FORKED) &&
           support_has_code(tlsshim_stream_fd(stream), TLSSHIM_E_FORKED);
}

START_TEST(a_child_may_only_close_what_it_inherited)
{
    int64_t client, server;
    int status;
    pid_t child;

    connected_streams(0, 0, &client, &server);
    child = fork();
    if (child == 0)
        _exit(refused_in_child(client) && tlsshim_close(client) == TLSSHIM_OK && tlsshim_close(server) == TLSSHIM_OK
                  ? 0
                  : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    send_text(client, "the parent's goes on");
    expect_text(server, "the parent's goes on");
    close_both(client, server);
}
END_TEST

/* So few descriptors that not one more can be had; gives the limit that was. */
static struct rlimit no_more_descriptors(void)
{
    struct rlimit before, now;
    int spare = open("/dev/null", O_RDONLY);

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)spare;
    close(spare);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

START_TEST(without_a_descriptor_left_streams_go_on_and_others_wait)
{
    int64_t listener = listener_at("127.0.0.1", 0), client, server, waiting, began;
    struct rlimit before;
    pthread_t reader;
    void *result;

    connected_streams(0, 0, &client, &server);
    waiting = a_handle(connect_to("127.0.0.1", tlsshim_listener_port(listener), 0, SOON));
    before = no_more_descriptors();
    ck_assert_result(tlsshim_listener_accept(listener, 0, 10), TLSSHIM_E_SYSTEM);
    ck_assert_result(connect_to("127.0.0.1", 1, 0, SOON), TLSSHIM_E_SYSTEM);
    began = now_ms();
    ck_assert_int_eq((intptr_t)read_for_a_while(&client), TLSSHIM_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 100);
    pthread_create(&reader, NULL, read_one, &client);
    let_others_wait();
    ck_assert_ok(tlsshim_close(client));
    pthread_join(reader, &result);
    ck_assert_result((intptr_t)result, TLSSHIM_E_CLOSED);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ok(tlsshim_close(a_handle(tlsshim_listener_accept(listener, 0, SOON))));
    close_both(listener, waiting);
    ck_assert_ok(tlsshim_close(server));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream");
    TCase *all = tcase_create("plain");

    tcase_add_loop_test(all, a_stream_carries_bytes_both_ways_over_each_family, 0, 3);
    tcase_add_test(all, arguments_are_checked);
    tcase_add_test(all, a_read_waits_no_longer_than_its_deadline);
    tcase_add_test(all, a_write_tells_what_it_took_and_times_out_only_on_nothing);
    tcase_add_test(all, a_mebibyte_comes_back_while_another_thread_writes);
    tcase_add_test(all, shutdown_ends_one_direction);
    tcase_add_test(all, a_reset_is_an_error_and_no_signal);
    tcase_add_test(all, what_arrived_before_a_failed_write_is_readable);
    tcase_add_test(all, close_wakes_who_reads);
    tcase_add_test(all, a_cancelled_thread_leaves_nothing_behind);
    tcase_add_test(all, signals_do_not_shorten_a_wait);
    tcase_add_test(all, only_connected_stream_sockets_are_adopted);
    tcase_add_test(all, the_rule_says_who_closes_the_descriptor);
    tcase_add_loop_test(all, a_blocking_descriptor_stays_so_and_never_blocks, 0, 2);
    tcase_add_loop_test(all, both_ends_know_their_addresses, 0, 2);
    tcase_add_test(all, a_child_may_only_close_what_it_inherited);
    tcase_add_test(all, without_a_descriptor_left_streams_go_on_and_others_wait);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
