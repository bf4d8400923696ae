/* How streams use the kernel: how often, with which flags, and what they do when it interrupts, cuts short or fails. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"
#include "support/worker.h"

/* The program's own recv and send stand before libc's, for the library in it too. */
static atomic_int receives, sends, blocking, signalling;
static atomic_int trouble;   /* whether the kernel makes trouble at random */
static atomic_int fail_at;   /* the so many-th call from now on fails; 0 = none */
static atomic_int fail_with; /* errno */
static atomic_uint dice = 1;

static bool fails(void)
{
    if (fail_at > 0 && atomic_fetch_sub(&fail_at, 1) == 1) {
        errno = fail_with;
        return true;
    }
    switch (trouble ? (atomic_fetch_add(&dice, 1) * 2654435761U >> 16) % 4 : 3) {
    case 0:
        errno = EINTR;
        return true;
    case 1:
        errno = EAGAIN;
        return true;
    default:
        return false;
    }
}

static size_t cut(size_t len)
{
    return trouble && len > 1 ? 1 + (dice * 2654435761U >> 8) % (len < 3000 ? len : 3000) : len;
}

#pragma GCC visibility push(default)
ssize_t recv(int fd, void *data, size_t len, int flags)
{
    atomic_fetch_add(&receives, 1);
    atomic_fetch_add(&blocking, (flags & MSG_DONTWAIT) == 0);
    return fails() ? -1 : syscall(SYS_recvfrom, fd, data, cut(len), flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    atomic_fetch_add(&sends, 1);
    atomic_fetch_add(&blocking, (flags & MSG_DONTWAIT) == 0);
    atomic_fetch_add(&signalling, (flags & MSG_NOSIGNAL) == 0);
    return fails() ? -1 : syscall(SYS_sendto, fd, data, cut(len), flags, NULL, 0);
}
#pragma GCC visibility pop

static char bulk[BULK], back[BULK + 1];
static struct parties parties;
static int64_t client, server;

/* Plain, TLS 1.2, TLS 1.3. */
static void begin(int kind)
{
    int32_t version = kind == 1 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    int fds[2];

    parties = one_sided_parties(version, version);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    client = a_handle(
        tlsshim_stream_adopt(fds[0], kind > 0 ? parties.client : 0, "localhost", kind > 0 ? 9 : 0, TLSSHIM_FD_TAKE));
    server = a_handle(tlsshim_stream_adopt(fds[1], kind > 0 ? parties.server : 0, "", 0, TLSSHIM_FD_TAKE));
}

static void end(void)
{
    close_both(client, server);
    parties_close(&parties);
    ck_assert_int_eq(tlsshim_live(0), 0);
    ck_assert_int_eq(blocking, 0);
    ck_assert_int_eq(signalling, 0);
}

static void begin_shaken(int kind)
{
    begin(kind);
    shake(client, server);
    if (kind > 0) { /* the tickets, too, are over */
        send_text(server, "hello");
        expect_text(client, "hello");
    }
    receives = sends = 0;
}

START_TEST(many_records_come_by_one_system_call)
{
    begin_shaken(_i);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(tlsshim_stream_write(server, bulk, 64, SOON), 64);
    ck_assert_int_eq(sends, 100); /* none waits for the next: only a cork gathers them */
    ck_assert_int_eq(tlsshim_stream_read(client, back, BULK, SOON), 6400);
    ck_assert_int_le(receives, 2);
    end();
}
END_TEST

START_TEST(many_records_go_by_one_system_call)
{
    begin_shaken(_i);
    ck_assert_int_eq(tlsshim_stream_write(client, bulk, 65536, SOON), 65536);
    ck_assert_int_eq(sends, 1);
    end();
}
END_TEST

START_TEST(corked_writes_go_by_one_system_call)
{
    int64_t conn;

    begin_shaken(_i);
    conn = a_handle(tlsshim_stream_conn(client));
    ck_assert_ok(tlsshim_conn_cork(conn, 1));
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(tlsshim_stream_write(client, bulk, 64, SOON), 64);
    ck_assert_int_eq(sends, 0);
    ck_assert_int_eq(tlsshim_stream_read(server, back, BULK, 0), TLSSHIM_WANT_READ);
    ck_assert_ok(tlsshim_conn_cork(conn, 0));
    ck_assert_int_eq(sends, 1);
    ck_assert_int_eq(tlsshim_stream_read(server, back, BULK, SOON), 6400);
    ck_assert_ok(tlsshim_close(conn));
    end();
}
END_TEST

START_TEST(an_idle_stream_makes_no_system_call)
{
    begin_shaken(_i);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(tlsshim_stream_flush(client, 0), TLSSHIM_OK);
    ck_assert_int_eq(sends, 0);
    ck_assert_int_eq(receives, 0);
    end();
}
END_TEST

START_TEST(calls_that_are_interrupted_cut_short_or_come_too_early_lose_nothing)
{
    struct worker echoing, reading;

    fill_bulk(bulk);
    trouble = 1;
    begin(_i);
    start(&echoing, echo, server, NULL, 0);
    start(&reading, read_all, client, back, 0);
    ck_assert_int_eq(tlsshim_stream_write(client, bulk, BULK, SOON), BULK);
    ck_assert_int_eq(tlsshim_stream_shutdown(client, SOON), TLSSHIM_OK);
    ck_assert_result(finish(&reading), TLSSHIM_OK);
    ck_assert_result(finish(&echoing), TLSSHIM_OK);
    trouble = 0;
    ck_assert_int_eq(reading.len, BULK);
    ck_assert_mem_eq(back, bulk, BULK);
    end();
}
END_TEST

static bool foreseen(int64_t result)
{
    int32_t code = tlsshim_error_code(result);

    return code >= TLSSHIM_NONE || code == TLSSHIM_E_STATE || code == TLSSHIM_E_RESET || code == TLSSHIM_E_SYSTEM ||
           code == TLSSHIM_E_TRUNCATED;
}

static int32_t one_step(int64_t stream, int step, int32_t before)
{
    char data[64];

    if (before < TLSSHIM_NONE)
        return before;
    switch (step) {
    case 0:
        return tlsshim_stream_handshake(stream, 0);
    case 1:
        return tlsshim_stream_write(stream, "some words", 10, 0);
    case 2:
        return tlsshim_stream_read(stream, data, sizeof data, 0);
    default:
        return tlsshim_stream_shutdown(stream, 0);
    }
}

START_TEST(whichever_system_call_fails_it_is_an_error_of_its_stream_and_nothing_is_left_behind)
{
    static const int errors[] = {ECONNRESET, EPIPE, ENOBUFS, EIO};
    int descriptors = count_descriptors();
    int met = 0;

    for (int at = 1; at <= 24; at++) {
        int32_t mine = 0, theirs = 0;

        begin(_i / 4);
        fail_at = at;
        fail_with = errors[_i % 4];
        for (int step = 0; step < 4; step++)
            for (int again = 0; again < 4; again++) {
                mine = one_step(client, step, mine);
                theirs = one_step(server, step, theirs);
                if (!foreseen(mine) || !foreseen(theirs))
                    ck_abort_msg("call %d, step %d: %s, %s", at, step, support_text(mine), support_text(theirs));
            }
        met += mine < TLSSHIM_NONE || theirs < TLSSHIM_NONE;
        fail_at = 0;
        end();
    }
    ck_assert_int_gt(met, 5);
    ck_assert_int_le(count_descriptors(), descriptors);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("syscall");
    TCase *all = tcase_create("all");

    tcase_set_timeout(all, 100);
    tcase_add_loop_test(all, many_records_come_by_one_system_call, 1, 3);
    tcase_add_loop_test(all, many_records_go_by_one_system_call, 0, 3);
    tcase_add_loop_test(all, corked_writes_go_by_one_system_call, 1, 3);
    tcase_add_loop_test(all, an_idle_stream_makes_no_system_call, 0, 3);
    tcase_add_loop_test(all, calls_that_are_interrupted_cut_short_or_come_too_early_lose_nothing, 0, 3);
    tcase_add_loop_test(all, whichever_system_call_fails_it_is_an_error_of_its_stream_and_nothing_is_left_behind, 0,
                        12);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
