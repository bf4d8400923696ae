/* Files over streams, plain and TLS: every size, slow readers, files that change, connections that end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

static const int64_t ALL = INT64_C(1) << 53;

/* Over TCP: plain, plain with the sender's socket in blocking mode, TLS 1.2, TLS 1.3. */
enum { PLAIN, PLAIN_BLOCKING, TLS_1_2, TLS_1_3, KINDS };

static struct parties parties;
static int64_t client, server;

static void begin(int kind)
{
    int32_t version = kind == TLS_1_2 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;

    if (kind >= TLS_1_2) {
        parties = one_sided_parties(version, version);
        connected_streams(parties.client, parties.server, &client, &server);
        shake(client, server);
    } else {
        connected_streams(0, 0, &client, &server);
    }
    if (kind == PLAIN_BLOCKING)
        ck_assert_int_eq(fcntl((int)tlsshim_stream_fd(client), F_SETFL, 0), 0);
}

static void end(int kind)
{
    tlsshim_close(client); /* some tests have done so */
    tlsshim_close(server);
    if (kind >= TLS_1_2)
        parties_close(&parties);
    ck_assert_int_eq(tlsshim_live(0), 0);
}

static uint8_t byte_at(int64_t position)
{
    return (uint8_t)((uint64_t)position * 2654435761U >> 21);
}

static int a_file(int64_t size)
{
    int fd = memfd_create("sent", MFD_CLOEXEC);
    uint8_t piece[65536];

    ck_assert_int_ge(fd, 0);
    for (int64_t at = 0; at < size;) {
        int64_t len = size - at < (int64_t)sizeof piece ? size - at : (int64_t)sizeof piece;

        for (int64_t i = 0; i < len; i++)
            piece[i] = byte_at(at + i);
        must_be(write(fd, piece, (size_t)len), len);
        at += len;
    }
    return fd;
}

/* Reads to the peer's goodbye, in pieces of any size, and looks at each byte. */
struct reading {
    pthread_t thread;
    int32_t piece;
    int64_t from; /* where in the file the first byte must be */
    int64_t got;
    int32_t result;
    bool wrong;
};

static void *read_to_the_end(void *argument)
{
    struct reading *r = argument;
    uint8_t *room = malloc((size_t)r->piece);

    while ((r->result = tlsshim_stream_read(server, room, r->piece, SOON)) > 0) {
        for (int32_t i = 0; i < r->result; i++)
            r->wrong = r->wrong || room[i] != byte_at(r->from + r->got + i);
        r->got += r->result;
    }
    free(room);
    return NULL;
}

static void start_reading(struct reading *r, int32_t piece, int64_t from)
{
    *r = (struct reading){.piece = piece, .from = from};
    ck_assert_int_eq(pthread_create(&r->thread, NULL, read_to_the_end, r), 0);
}

static void expect_read(struct reading *r, int64_t count)
{
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    pthread_join(r->thread, NULL);
    ck_assert_result(r->result, TLSSHIM_OK);
    ck_assert_int_eq(r->got, count);
    ck_assert(!r->wrong);
}

/* --- files --- */

static const int64_t sizes[] = {0, 1, 16383, 16384, 16385, 65537, 10 << 20};
enum { SIZES = 7 };

START_TEST(a_file_of_any_size_arrives_whole)
{
    int64_t size = sizes[_i / KINDS];
    struct reading reading;
    int fd = a_file(size);

    begin(_i % KINDS);
    start_reading(&reading, 100000, 0);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), size);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, size, ALL, SOON), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), size); /* as its maker left it */
    expect_read(&reading, size);
    close(fd);
    end(_i % KINDS);
}
END_TEST

START_TEST(a_part_of_a_file_is_sent_between_other_writes)
{
    static const char before[] = {(char)0xee};
    struct reading reading;
    uint8_t byte;
    int fd = a_file(100000);

    begin(_i);
    ck_assert_int_eq(tlsshim_stream_write(client, before, 1, SOON), 1);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 777, 50000, SOON), 50000);
    byte = byte_at(50777);
    ck_assert_int_eq(tlsshim_stream_write(client, &byte, 1, SOON), 1);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 1, 0, SOON), 0);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 50778, 1, SOON), 1);
    ck_assert_int_eq(tlsshim_stream_read(server, &byte, 1, SOON), 1);
    ck_assert_int_eq(byte, 0xee);
    start_reading(&reading, 5000, 777);
    expect_read(&reading, 50002);
    close(fd);
    end(_i);
}
END_TEST

/* Without time, a loop of the host's own, and a reader who takes little at a time. */
START_TEST(a_slow_reader_gets_everything_and_holds_nobody)
{
    const int64_t size = 3 << 20;
    const int32_t little = 65536;
    struct reading reading;
    int fd = a_file(size), waits = 0;
    int64_t sent = 0, last;

    begin(_i);
    ck_assert_int_eq(setsockopt((int)tlsshim_stream_fd(server), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
    ck_assert_int_eq(setsockopt((int)tlsshim_stream_fd(client), SOL_SOCKET, SO_SNDBUF, &little, sizeof little), 0);
    while (waits == 0) { /* nobody reads yet: there must come a point where nothing goes */
        int64_t taken = tlsshim_stream_sendfile(client, fd, sent, size - sent, 0);

        ck_assert_int_le(taken, 1 << 18);
        if (taken == TLSSHIM_WANT_WRITE)
            waits++;
        else
            ck_assert_int_gt(taken, 0);
        sent += taken > 0 ? taken : 0;
        ck_assert_msg(sent < size || waits > 0, "the ways took all of it");
    }
    ck_assert_int_eq(tlsshim_stream_wants(client), TLSSHIM_READY_WRITE);
    while ((last = tlsshim_stream_sendfile(client, fd, sent, size - sent, 20)) > 0 && sent + last < size)
        sent += last; /* the kernel may find a little more room meanwhile */
    ck_assert_int_eq(last, TLSSHIM_TIMEOUT);
    start_reading(&reading, 1000, 0);
    while (sent < size) {
        struct pollfd ready = {.fd = (int)tlsshim_stream_fd(client), .events = POLLOUT};
        int64_t taken = tlsshim_stream_sendfile(client, fd, sent, size - sent, 0);

        if (taken == TLSSHIM_WANT_WRITE)
            ck_assert_int_eq(poll(&ready, 1, SOON), 1);
        else
            ck_assert_int_gt(taken, 0);
        sent += taken > 0 ? taken : 0;
    }
    expect_read(&reading, size);
    close(fd);
    end(_i);
}
END_TEST

START_TEST(a_file_cut_short_meanwhile_ends_where_it_was_cut)
{
    const int64_t size = 64 << 20;
    struct reading reading;
    int64_t sent = 0, taken;
    int fd = a_file(size);

    begin(_i);
    while ((taken = tlsshim_stream_sendfile(client, fd, sent, ALL, 0)) > 0)
        sent += taken;
    ck_assert_int_eq(taken, TLSSHIM_WANT_WRITE);
    ck_assert_int_lt(sent, size - 100000);
    ck_assert_int_eq(ftruncate(fd, sent + 100000), 0);
    start_reading(&reading, 65536, 0);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, sent, ALL, SOON), 100000);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, sent + 100000, ALL, SOON), 0);
    ck_assert_int_eq(ftruncate(fd, 0), 0);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, sent, ALL, SOON), 0);
    expect_read(&reading, sent + 100000);
    close(fd);
    end(_i);
}
END_TEST

START_TEST(far_beyond_four_gibibytes_the_right_bytes_are_sent)
{
    const int64_t far = (INT64_C(5) << 30) + 12345;
    char text[64] = "";
    int fd = memfd_create("sparse", MFD_CLOEXEC);

    begin(_i);
    ck_assert_int_eq(pwrite(fd, "far away", 8, far), 8);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, far, ALL, SOON), 8);
    ck_assert_int_eq(tlsshim_stream_read(server, text, sizeof text, SOON), 8);
    ck_assert_str_eq(text, "far away");
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, INT64_MAX, INT64_MAX, SOON), 0);
    close(fd);
    end(_i);
}
END_TEST

/* What the kernel cannot send by itself is read and written; its size is 0 until it is read. */
START_TEST(files_that_are_made_while_they_are_read_are_sent_too)
{
    static char text[100000], wanted[100000];
    int fd = open("/proc/self/limits", O_RDONLY);
    int64_t len = pread(fd, wanted, sizeof wanted, 0), got = 0;

    begin(_i);
    ck_assert_int_gt(len, 100);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), len);
    while (got < len) {
        int32_t some = tlsshim_stream_read(server, text + got, (int32_t)(sizeof text - (size_t)got), SOON);

        ck_assert_int_gt(some, 0);
        got += some;
    }
    ck_assert_mem_eq(text, wanted, (size_t)len);
    close(fd);
    end(_i);
}
END_TEST

/* Some kernels keep the last segment back, as if more were to follow, for 200 ms. */
START_TEST(the_end_of_a_file_is_not_held_back)
{
    const int rounds = 10;
    int fd = a_file(16385);
    int64_t began;

    begin(_i);
    began = now_ms();
    for (int round = 0; round < rounds; round++) {
        uint8_t room[20000];
        int32_t got = 0;

        ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), 16385);
        while (got < 16385) {
            int32_t some = tlsshim_stream_read(server, room, sizeof room, SOON);

            ck_assert_int_gt(some, 0);
            got += some;
        }
    }
    ck_assert_int_lt(now_ms() - began, rounds * 200);
    close(fd);
    end(_i);
}
END_TEST

/* --- what is refused --- */

static void refused_with(int fd, int32_t code, int error)
{
    int64_t result = tlsshim_stream_sendfile(client, fd, 0, 10, SOON), n = 0;

    ck_assert_result(result, code);
    ck_assert_int_eq(tlsshim_error_number(result, TLSSHIM_ERROR_ERRNO, &n), TLSSHIM_OK);
    ck_assert_int_eq(n, error);
}

START_TEST(what_is_no_file_to_read_is_refused_with_the_reason)
{
    int ends[2], fd = a_file(100), folder = open("/", O_RDONLY | O_DIRECTORY);
    int write_only = open("/dev/null", O_WRONLY);

    begin(_i);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_result(tlsshim_stream_sendfile(client, -1, 0, 1, SOON), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_sendfile(client, INT64_C(1) << 32, 0, 1, SOON), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, -1, 1, SOON), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, -1, SOON), TLSSHIM_E_ARGUMENT);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, 1, -1), TLSSHIM_E_ARGUMENT);
    refused_with(ends[0], TLSSHIM_E_ARGUMENT, ESPIPE);
    refused_with((int)tlsshim_stream_fd(server), TLSSHIM_E_ARGUMENT, ESPIPE);
    refused_with(folder, TLSSHIM_E_SYSTEM, EISDIR);
    refused_with(write_only, TLSSHIM_E_SYSTEM, EBADF);
    refused_with(100000, TLSSHIM_E_SYSTEM, EBADF);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), 100); /* nothing was hurt by it */
    end(_i);
}
END_TEST

START_TEST(a_stream_that_sends_no_more_says_so)
{
    int fd = a_file(100);

    begin(_i);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), TLSSHIM_E_STATE);
    ck_assert_ok(tlsshim_close(client));
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), TLSSHIM_E_HANDLE);
    close(fd);
    end(_i);
}
END_TEST

START_TEST(a_forked_child_sends_nothing)
{
    int fd = a_file(100), status;
    pid_t child;

    begin(_i);
    child = fork();
    if (child == 0)
        _exit(support_has_code(tlsshim_stream_sendfile(client, fd, 0, ALL, 0), TLSSHIM_E_FORKED) ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(fd);
    end(_i);
}
END_TEST

/* --- connections that end --- */

static bool pipe_signal_waits(void)
{
    sigset_t waiting;

    ck_assert_int_eq(sigpending(&waiting), 0);
    return sigismember(&waiting, SIGPIPE) == 1;
}

/* The signal would end this process. One that the host keeps waiting stays its own. */
START_TEST(a_reset_is_an_error_and_no_signal)
{
    const struct linger now = {.l_onoff = 1};
    int fd = a_file(100000);
    sigset_t broken, mask;

    begin(_i);
    setsockopt((int)tlsshim_stream_fd(server), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ck_assert_ok(tlsshim_close(server));
    if (_i >= TLS_1_2) /* takes what it cannot send any more, and finds that out by it */
        ck_assert_int_gt(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), TLSSHIM_E_RESET);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    ck_assert_int_eq(sigismember(&mask, SIGPIPE), 0);

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &broken, &mask), 0);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), TLSSHIM_E_RESET);
    ck_assert(!pipe_signal_waits());
    ck_assert_int_eq(raise(SIGPIPE), 0);
    ck_assert_result(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), TLSSHIM_E_RESET);
    ck_assert(pipe_signal_waits());
    ck_assert_int_eq(sigwaitinfo(&broken, NULL), SIGPIPE);
    ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &mask, NULL), 0);
    close(fd);
    end(_i);
}
END_TEST

struct sender {
    pthread_t thread;
    int fd;
    int64_t timeout;
    int64_t result;
};

static void *send_all(void *argument)
{
    struct sender *s = argument;

    s->result = tlsshim_stream_sendfile(client, s->fd, 0, ALL, s->timeout);
    return NULL;
}

START_TEST(close_wakes_who_sends_a_file)
{
    struct sender sender = {.fd = a_file(64 << 20), .timeout = 10 * SOON};

    begin(_i);
    pthread_create(&sender.thread, NULL, send_all, &sender);
    while (tlsshim_stream_wants(client) == 0)
        usleep(100);
    let_others_wait();
    ck_assert_ok(tlsshim_close(client));
    pthread_join(sender.thread, NULL);
    ck_assert_result(sender.result, TLSSHIM_E_CLOSED);
    close(sender.fd);
    end(_i);
}
END_TEST

START_TEST(a_cancelled_sender_leaves_nothing_behind)
{
    struct sender sender = {.fd = a_file(64 << 20), .timeout = 10 * SOON};
    void *result;

    begin(_i);
    pthread_create(&sender.thread, NULL, send_all, &sender);
    while (tlsshim_stream_wants(client) == 0)
        usleep(100);
    let_others_wait();
    pthread_cancel(sender.thread);
    pthread_join(sender.thread, &result);
    ck_assert_ptr_eq(result, PTHREAD_CANCELED);
    close(sender.fd);
    end(_i);
}
END_TEST

/* The reader keeps up, so that the sender never has to wait; the file has no end. */
static void *swallow(void *argument)
{
    static char room[1 << 20];

    (void)argument;
    while (tlsshim_stream_read(server, room, sizeof room, SOON) > 0)
        continue;
    return NULL;
}

START_TEST(a_call_ends_in_time_though_the_peer_takes_everything)
{
    int64_t limit = INT64_C(1) << 40, began, took, sent;
    int fd = memfd_create("endless", MFD_CLOEXEC);
    pthread_t reader;

    ck_assert_int_eq(ftruncate(fd, limit), 0);
    begin(_i);
    pthread_create(&reader, NULL, swallow, NULL);
    began = now_ms();
    sent = tlsshim_stream_sendfile(client, fd, 0, ALL, 200);
    took = now_ms() - began;
    ck_assert_int_gt(sent, 0);
    ck_assert_int_lt(sent, limit);
    ck_assert_int_ge(took, 200);
    ck_assert_int_lt(took, SOON / 2);
    ck_assert_ok(tlsshim_close(client));
    pthread_join(reader, NULL);
    close(fd);
    end(_i);
}
END_TEST

START_TEST(sending_a_file_connects_and_shakes_hands_itself)
{
    int32_t version = _i == TLS_1_2 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int64_t listener = listener_at("127.0.0.1", 0);
    struct reading reading;
    int fd = a_file(16385);

    parties = one_sided_parties(version, version);
    client = a_handle(connect_to("127.0.0.1", tlsshim_listener_port(listener), _i >= TLS_1_2 ? parties.client : 0, 0));
    server = a_handle(tlsshim_listener_accept(listener, _i >= TLS_1_2 ? parties.server : 0, SOON));
    start_reading(&reading, 100000, 0);
    ck_assert_int_eq(tlsshim_stream_sendfile(client, fd, 0, ALL, SOON), 16385);
    expect_read(&reading, 16385);
    ck_assert_ok(tlsshim_close(listener));
    parties_close(&parties);
    close(fd);
    close_both(client, server);
    ck_assert_int_eq(tlsshim_live(0), 0);
}
END_TEST

START_TEST(the_feature_is_told)
{
    ck_assert_int_eq(tlsshim_has("sendfile", 8), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sendfile");
    TCase *all = tcase_create("all");

    tcase_add_loop_test(all, a_file_of_any_size_arrives_whole, 0, SIZES * KINDS);
    tcase_add_loop_test(all, a_part_of_a_file_is_sent_between_other_writes, 0, KINDS);
    tcase_add_loop_test(all, a_slow_reader_gets_everything_and_holds_nobody, 0, KINDS);
    tcase_add_loop_test(all, a_file_cut_short_meanwhile_ends_where_it_was_cut, 0, KINDS);
    tcase_add_loop_test(all, far_beyond_four_gibibytes_the_right_bytes_are_sent, 0, KINDS);
    tcase_add_loop_test(all, files_that_are_made_while_they_are_read_are_sent_too, 0, KINDS);
    tcase_add_loop_test(all, the_end_of_a_file_is_not_held_back, 0, KINDS);
    tcase_add_loop_test(all, what_is_no_file_to_read_is_refused_with_the_reason, 0, KINDS);
    tcase_add_loop_test(all, a_stream_that_sends_no_more_says_so, 0, KINDS);
    tcase_add_loop_test(all, a_forked_child_sends_nothing, 0, KINDS);
    tcase_add_loop_test(all, a_reset_is_an_error_and_no_signal, 0, KINDS);
    tcase_add_loop_test(all, close_wakes_who_sends_a_file, 0, KINDS);
    tcase_add_loop_test(all, a_cancelled_sender_leaves_nothing_behind, 0, KINDS);
    tcase_add_loop_test(all, a_call_ends_in_time_though_the_peer_takes_everything, 0, KINDS);
    tcase_add_loop_test(all, sending_a_file_connects_and_shakes_hands_itself, 0, KINDS);
    tcase_add_test(all, the_feature_is_told);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
