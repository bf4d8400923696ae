/* How streams end: what was taken arrives when the goodbye is out, whatever lies in the way, and why a connection broke
 * is told by whoever asks. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

enum { PLAIN, TLS_1_2, TLS_1_3, KINDS };

static char bulk[BULK], back[BULK + 1];
static struct parties parties;
static int64_t client, server;

static void begin(int kind)
{
    int32_t version = kind == TLS_1_2 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;

    fill_bulk(bulk);
    parties = one_sided_parties(version, version);
    connected_streams(kind == PLAIN ? 0 : parties.client, kind == PLAIN ? 0 : parties.server, &client, &server);
    shake(client, server);
}

/* Over local sockets, which never take more than they have room for. */
static void begin_local(int kind)
{
    int32_t version = kind == TLS_1_2 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int fds[2];

    parties = one_sided_parties(version, version);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    client = a_handle(tlsshim_stream_adopt(fds[0], kind == PLAIN ? 0 : parties.client, "localhost",
                                           kind == PLAIN ? 0 : 9, TLSSHIM_FD_TAKE));
    server = a_handle(tlsshim_stream_adopt(fds[1], kind == PLAIN ? 0 : parties.server, "", 0, TLSSHIM_FD_TAKE));
    shake(client, server);
}

static void end(void)
{
    tlsshim_close(client); /* some tests have done so */
    tlsshim_close(server);
    parties_close(&parties);
    ck_assert_int_eq(tlsshim_live(0), 0);
}

static void room(int64_t stream, int option, int size)
{
    ck_assert_int_eq(setsockopt((int)tlsshim_stream_fd(stream), SOL_SOCKET, option, &size, sizeof size), 0);
}

/* Until nothing more is taken; how much was. */
static int64_t write_until_full(int64_t stream)
{
    int64_t sent = 0;
    int32_t taken;

    while ((taken = tlsshim_stream_write(stream, bulk + sent % 1000, 1000, 0)) > 0)
        sent += taken;
    ck_assert_int_eq(taken, TLSSHIM_WANT_WRITE);
    return sent;
}

/* All that comes, to the clean end. */
static void *count_to_the_end(void *argument)
{
    struct worker *w = argument;
    static char some[1 << 16];
    int32_t got;

    w->len = 0;
    while ((got = tlsshim_stream_read(w->stream, some, sizeof some, SOON)) > 0)
        w->len += got;
    w->result = got;
    return NULL;
}

START_TEST(a_goodbye_that_is_out_means_that_all_that_was_taken_is)
{
    struct worker reading;
    int64_t sent;

    begin_local(_i);
    sent = write_until_full(client);
    if (_i != PLAIN) {
        ck_assert_int_eq(tlsshim_stream_shutdown(client, 0), TLSSHIM_WANT_WRITE);
        ck_assert_int_eq(tlsshim_stream_shutdown(client, 30), TLSSHIM_TIMEOUT);
        ck_assert_result(tlsshim_stream_write(client, "x", 1, 0), TLSSHIM_E_STATE);
    }
    start(&reading, count_to_the_end, server, NULL, 0);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_ok(tlsshim_close(client));
    ck_assert_result(finish(&reading), TLSSHIM_OK);
    ck_assert_int_eq(reading.len, sent);
    end();
}
END_TEST

START_TEST(a_goodbye_takes_along_what_a_cork_held)
{
    int64_t conn;

    begin(_i);
    conn = a_handle(tlsshim_stream_conn(client));
    ck_assert_ok(tlsshim_conn_cork(conn, 1));
    send_text(client, "held");
    ck_assert_int_eq(tlsshim_stream_flush(client, SOON), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_read(server, back, 10, 0), TLSSHIM_WANT_READ);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    close_both(conn, client);
    expect_text(server, "held");
    ck_assert_int_eq(tlsshim_stream_read(server, back, 10, SOON), 0);
    end();
}
END_TEST

/* A server answers, says goodbye and closes; what the client said meanwhile lies unread. A kernel that closes a socket
 * with input in it resets the connection, and with it goes what the client has not yet got. */
START_TEST(unread_input_does_not_cost_the_peer_what_was_sent_to_it)
{
    struct worker reading;

    begin(_i);
    room(server, SO_SNDBUF, BULK);
    room(client, SO_RCVBUF, 16384);
    ck_assert_int_eq(tlsshim_stream_write(server, bulk, BULK / 2, SOON), BULK / 2);
    send_text(client, "thanks, and this nobody will read");
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_shutdown(server, SOON), TLSSHIM_OK);
    ck_assert_ok(tlsshim_close(server));
    start(&reading, read_all, client, back, 0);
    ck_assert_result(finish(&reading), TLSSHIM_OK);
    ck_assert_int_eq(reading.len, BULK / 2);
    ck_assert_mem_eq(back, bulk, BULK / 2);
    end();
}
END_TEST

/* It never reads, and closes: had the server sent anything, tickets say, the kernel would reset the connection. */
START_TEST(a_peer_that_only_sends_loses_nothing)
{
    struct worker reading;

    for (int round = 0; round < 20; round++) {
        begin(_i);
        start(&reading, read_all, server, back, 0);
        ck_assert_int_eq(tlsshim_stream_write(client, bulk, BULK, SOON), BULK);
        ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
        ck_assert_ok(tlsshim_close(client));
        ck_assert_result(finish(&reading), TLSSHIM_OK);
        ck_assert_int_eq(reading.len, BULK);
        ck_assert_mem_eq(back, bulk, BULK);
        end();
    }
}
END_TEST

/* The server gets nonsense, says so, and closes with more of it unread, which resets the connection. */
START_TEST(an_alert_is_told_though_the_connection_was_reset_behind_it)
{
    static const uint8_t nonsense[64] = {23, 3, 3, 0, 59};
    int32_t result;
    int64_t n = 0;

    begin(_i);
    ck_assert_int_eq(send((int)tlsshim_stream_fd(client), nonsense, sizeof nonsense, MSG_NOSIGNAL),
                     (int)sizeof nonsense);
    result = tlsshim_stream_read(server, back, 10, SOON);
    ck_assert_result(result, TLSSHIM_E_PROTOCOL);
    ck_assert_int_eq(send((int)tlsshim_stream_fd(client), nonsense, sizeof nonsense, MSG_NOSIGNAL),
                     (int)sizeof nonsense);
    ck_assert_ok(tlsshim_close(server));
    while ((result = tlsshim_stream_write(client, "x", 1, SOON)) > 0)
        continue;
    ck_assert_result(result, TLSSHIM_E_ALERT);
    ck_assert_ok(tlsshim_error_number(result, TLSSHIM_ERROR_ALERT, &n));
    ck_assert_int_eq(n, 20);
    ck_assert_result(tlsshim_stream_read(client, back, 10, SOON), TLSSHIM_E_ALERT);
    ck_assert_result(tlsshim_stream_shutdown(client, SOON), TLSSHIM_E_ALERT);
    end();
}
END_TEST

START_TEST(what_could_not_be_sent_is_no_success_of_a_flush_or_goodbye)
{
    begin_local(_i);
    ck_assert_int_gt(write_until_full(client), 0);
    ck_assert_ok(tlsshim_close(server));
    for (int again = 0; again < 2; again++) {
        ck_assert_result(tlsshim_stream_flush(client, SOON), TLSSHIM_E_RESET);
        ck_assert_result(tlsshim_stream_shutdown(client, SOON), TLSSHIM_E_RESET);
    }
    end();
}
END_TEST

/* Each end in turn is the one that has said all it wants to say. */
START_TEST(either_end_may_go_on_after_the_others_goodbye)
{
    int64_t first, second;
    struct worker reading;

    begin(_i / 2);
    first = _i % 2 == 0 ? client : server;
    second = _i % 2 == 0 ? server : client;
    ck_assert_int_eq(tlsshim_stream_shutdown(first, SOON), TLSSHIM_OK);
    ck_assert_result(tlsshim_stream_write(first, "x", 1, SOON), TLSSHIM_E_STATE);
    ck_assert_int_eq(tlsshim_stream_read(second, back, 10, SOON), 0);
    start(&reading, read_all, first, back, 0);
    ck_assert_int_eq(tlsshim_stream_write(second, bulk, BULK, SOON), BULK);
    ck_assert_int_eq(tlsshim_stream_shutdown(second, SOON), TLSSHIM_OK);
    ck_assert_result(finish(&reading), TLSSHIM_OK);
    ck_assert_int_eq(reading.len, BULK);
    ck_assert_mem_eq(back, bulk, BULK);
    end();
}
END_TEST

/* --- time --- */

START_TEST(a_goodbye_does_not_wait_for_the_peers)
{
    int64_t began;

    begin(_i);
    began = now_ms();
    ck_assert_int_eq(tlsshim_stream_shutdown(client, 0), TLSSHIM_OK);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_int_lt(now_ms() - began, SOON / 2);
    end();
}
END_TEST

static void *swallow(void *argument)
{
    static char some[1 << 20];

    (void)argument;
    while (tlsshim_stream_read(server, some, sizeof some, SOON) > 0)
        continue;
    return NULL;
}

/* Two gibibytes, and a reader who keeps up, so that the writer never has to wait. */
START_TEST(a_write_ends_in_time_though_the_peer_takes_everything)
{
    void *endless = mmap(NULL, INT32_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int64_t began, took;
    pthread_t reader;
    int32_t taken;

    ck_assert_ptr_ne(endless, MAP_FAILED);
    begin(_i);
    pthread_create(&reader, NULL, swallow, NULL);
    began = now_ms();
    taken = tlsshim_stream_write(client, endless, INT32_MAX, 100);
    took = now_ms() - began;
    ck_assert_int_gt(taken, 0);
    ck_assert_int_lt(taken, INT32_MAX);
    ck_assert_int_ge(took, 100);
    ck_assert_int_lt(took, SOON / 2);
    ck_assert_ok(tlsshim_close(client));
    pthread_join(reader, NULL);
    munmap(endless, INT32_MAX);
    end();
}
END_TEST

/* --- closing --- */

static void *write_once(void *argument)
{
    struct worker *w = argument;

    w->result = tlsshim_stream_write(w->stream, bulk, BULK, SOON);
    return NULL;
}

static void *flush_once(void *argument)
{
    struct worker *w = argument;

    w->result = tlsshim_stream_flush(w->stream, SOON);
    return NULL;
}

static void *shutdown_once(void *argument)
{
    struct worker *w = argument;

    w->result = tlsshim_stream_shutdown(w->stream, SOON);
    return NULL;
}

START_TEST(close_wakes_who_writes_flushes_or_says_goodbye)
{
    static void *(*const jobs[])(void *) = {write_once, flush_once, shutdown_once};
    struct worker waiting;

    begin_local(_i % KINDS);
    if (_i % KINDS == PLAIN && _i / KINDS > 0) {
        end(); /* plain streams never wait for these */
        return;
    }
    write_until_full(client);
    start(&waiting, jobs[_i / KINDS], client, NULL, 0);
    let_others_wait();
    ck_assert_ok(tlsshim_close(client));
    ck_assert_result(finish(&waiting), TLSSHIM_E_CLOSED);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("goodbye");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 100);
    tcase_add_loop_test(all, a_goodbye_that_is_out_means_that_all_that_was_taken_is, 0, KINDS);
    tcase_add_loop_test(all, a_goodbye_takes_along_what_a_cork_held, TLS_1_2, KINDS);
    tcase_add_loop_test(all, unread_input_does_not_cost_the_peer_what_was_sent_to_it, 0, KINDS);
    tcase_add_loop_test(all, a_peer_that_only_sends_loses_nothing, 0, KINDS);
    tcase_add_loop_test(all, an_alert_is_told_though_the_connection_was_reset_behind_it, TLS_1_2, KINDS);
    tcase_add_loop_test(all, what_could_not_be_sent_is_no_success_of_a_flush_or_goodbye, TLS_1_2, KINDS);
    tcase_add_loop_test(all, either_end_may_go_on_after_the_others_goodbye, 0, 2 * KINDS);
    tcase_add_loop_test(all, a_goodbye_does_not_wait_for_the_peers, 0, KINDS);
    tcase_add_loop_test(all, a_write_ends_in_time_though_the_peer_takes_everything, 0, KINDS);
    tcase_add_loop_test(all, close_wakes_who_writes_flushes_or_says_goodbye, 0, 3 * KINDS);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
