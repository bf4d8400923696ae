/* Streams that are closed while several threads use them and wait on them. time limit: 400 s */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/guest.h"
#include "support/support.h"

enum { PATIENCE_MS = 60000, SOON_MS = 20000 };

static union guest guest;

static int soak(int usual, int long_run)
{
    return getenv("SOAK") != NULL ? long_run : usual;
}

static int descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void setup(void)
{
    ck_assert_ok(guest_make(&guest));
}

static void teardown(void)
{
    ck_assert_ok(guest_close(&guest));
    ck_assert_int_eq(tlsshim_live(0), 0);
}

struct pair {
    int64_t client, server;
};

static struct pair a_pair(bool tls)
{
    struct pair pair;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    pair.client =
        a_handle(tlsshim_stream_adopt(fds[0], tls ? guest.client : 0, "localhost", tls ? 9 : 0, TLSSHIM_FD_TAKE));
    pair.server = a_handle(tlsshim_stream_adopt(fds[1], tls ? guest.server : 0, "", 0, TLSSHIM_FD_TAKE));
    return pair;
}

static struct pair shared;
static atomic_int entered;

/* Waits for a byte that never comes. */
static void *wait_for_ever(void *number)
{
    int64_t stream = (uintptr_t)number % 2 == 0 ? shared.client : shared.server;
    char byte;
    int32_t result;

    atomic_fetch_add(&entered, 1);
    result = tlsshim_stream_read(stream, &byte, 1, PATIENCE_MS);
    return (void *)(intptr_t)result;
}

START_TEST(closing_wakes_all_who_wait_inside)
{
    enum { THREADS = 6 };
    int before = descriptors();

    for (int round = soak(20, 1000); round > 0; round--) {
        pthread_t threads[THREADS];
        int64_t began;

        shared = a_pair(_i == 1);
        atomic_store(&entered, 0);
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, wait_for_ever, (void *)(uintptr_t)i);
        while (round % 4 != 0 && atomic_load(&entered) < THREADS)
            usleep(200);
        usleep(2000); /* in every fourth round some come too late, and find no handle */
        began = now_ms();
        must_be(tlsshim_close(shared.client), TLSSHIM_OK);
        must_be(tlsshim_close(shared.server), TLSSHIM_OK);
        for (int i = 0; i < THREADS; i++) {
            void *result;
            int32_t code;

            pthread_join(threads[i], &result);
            code = tlsshim_error_code((intptr_t)result);
            /* Who was on the other end may see the end of the descriptor first, a hard one amid a slow handshake. */
            if (code != TLSSHIM_E_CLOSED && code != TLSSHIM_E_HANDLE && code != TLSSHIM_E_TRUNCATED &&
                code != TLSSHIM_E_RESET && code != 0)
                ck_abort_msg("a waiter got %s", support_text((intptr_t)result));
        }
        must_be(now_ms() - began < SOON_MS, 1);
    }
    ck_assert_int_eq(descriptors(), before);
}
END_TEST

static void *use_until_closed(void *number)
{
    int64_t stream = (uintptr_t)number % 2 == 0 ? shared.client : shared.server;
    char data[4000] = "";
    int32_t result = 0;

    atomic_fetch_add(&entered, 1);
    for (int turn = (int)(uintptr_t)number / 2; result != TLSSHIM_E_HANDLE; turn++) {
        result = turn % 2 == 0 ? tlsshim_stream_write(stream, data, sizeof data, 1)
                               : tlsshim_stream_read(stream, data, sizeof data, 1);
        if (tlsshim_error_code(result) == TLSSHIM_E_INTERNAL || tlsshim_error_code(result) == TLSSHIM_E_PROTOCOL)
            ck_abort_msg("call %d: %s", turn % 2, support_text(result));
    }
    return NULL;
}

START_TEST(closing_amid_traffic_leaks_neither_handle_nor_descriptor)
{
    enum { THREADS = 4 };
    int before = descriptors();

    for (int round = soak(25, 1500); round > 0; round--) {
        pthread_t threads[THREADS];
        int64_t live = tlsshim_live(0);

        shared = a_pair(_i == 1);
        atomic_store(&entered, 0);
        for (int i = 0; i < THREADS; i++)
            pthread_create(&threads[i], NULL, use_until_closed, (void *)(uintptr_t)i);
        while (atomic_load(&entered) < THREADS)
            usleep(100);
        usleep((useconds_t)(round * 137 % 4000));
        must_be(tlsshim_close(round % 2 == 0 ? shared.client : shared.server), TLSSHIM_OK);
        usleep((useconds_t)(round * 71 % 1000));
        must_be(tlsshim_close(round % 2 == 0 ? shared.server : shared.client), TLSSHIM_OK);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        must_be(tlsshim_live(0), live);
    }
    ck_assert_int_eq(descriptors(), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_storm");
    TCase *tcase = tcase_create("stream_storm");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, soak(90, 1800));
    tcase_add_loop_test(tcase, closing_wakes_all_who_wait_inside, 0, 2);
    tcase_add_loop_test(tcase, closing_amid_traffic_leaks_neither_handle_nor_descriptor, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
