/* A peer that sends messages without end: others who use the connection wait for a step of it and no more, and what
 * the connection holds does not grow. */
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/alone.h"
#include "support/pair.h"
#include "support/socket.h"

/* What the engine reads ahead holds thousands of messages: with all of them in one step others would wait for longer.
 */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { WAIT_US = 1000000 };
#else
enum { WAIT_US = 100000 };
#endif
enum { FLOOD_MS = 1000 };

static struct alone alone;
static int64_t stream, conn;
static atomic_bool over;
static atomic_long messages;
static int64_t longest_read; /* in microseconds */

/* What found no room goes out first. */
static bool in_between(void)
{
    return SSL_do_handshake(alone.ssl) == 1;
}

static bool one_key_update(void)
{
    return in_between() && SSL_key_update(alone.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(alone.ssl) == 1;
}

static bool one_ticket(void)
{
    return in_between() && SSL_new_session_ticket(alone.ssl) == 1 && SSL_do_handshake(alone.ssl) == 1;
}

static bool one_hello_request(void)
{
    return SSL_renegotiate(alone.ssl) == 1 && SSL_do_handshake(alone.ssl) == 1;
}

static bool one_byte(void)
{
    return SSL_write(alone.ssl, "x", 1) == 1;
}

static const struct flood {
    const char *of;
    bool (*one)(void);
    bool client; /* the other end */
    int32_t version;
    bool answered; /* so that it stands still when nobody takes the answers */
} floods[] = {
    {"key updates", one_key_update, true, TLSSHIM_TLS_1_3, true},
    {"key updates", one_key_update, false, TLSSHIM_TLS_1_3, true},
    {"tickets", one_ticket, false, TLSSHIM_TLS_1_3, false},
    {"requests for a handshake", one_hello_request, false, TLSSHIM_TLS_1_2, true},
    {"small records", one_byte, true, TLSSHIM_TLS_1_3, false},
};
enum { FLOODS = sizeof floods / sizeof floods[0] };

static void *flood(void *argument)
{
    const struct flood *f = argument;
    char away[65536];

    OSSL_LIB_CTX_set0_default(support_context());
    while (!atomic_load(&over)) {
        for (int i = 0; i < 64; i++)
            atomic_fetch_add(&messages, f->one());
        ERR_clear_error();
        while (f->answered && recv(alone.fd, away, sizeof away, 0) > 0) /* answers are not even looked at */
            continue;
    }
    return NULL;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *read_all(void *argument)
{
    static char room[65536];
    int32_t got = 0;

    (void)argument;
    while (!atomic_load(&over) && got > TLSSHIM_E_HANDLE) {
        int64_t began = now_us();

        got = tlsshim_stream_read(stream, room, sizeof room, 50);
        longest_read = now_us() - began > longest_read ? now_us() - began : longest_read;
    }
    return (void *)(intptr_t)got;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

START_TEST(a_flood_holds_nobody_and_fills_nothing)
{
    static int64_t waits[100000];
    const struct flood *f = &floods[_i];
    int count = 0;
    int64_t most = 0, until;
    pthread_t flooding, reading;
    void *result;
    int fds[2];

    tcp_pair(fds);
    alone_begin(&alone, f->client, f->version, fds[1]);
    if (f->client)
        stream =
            tlsshim_stream_adopt(fds[0], server_context(f->version, certs()->server, 0, 0), "", 0, TLSSHIM_FD_TAKE);
    else
        stream =
            tlsshim_stream_adopt(fds[0], client_context(f->version, certs()->trust, 0), "www.test", 8, TLSSHIM_FD_TAKE);
    alone_shake(&alone, keep(stream));
    conn = keep(tlsshim_stream_conn(stream));
    atomic_store(&over, false);
    pthread_create(&flooding, NULL, flood, (void *)(uintptr_t)f);
    pthread_create(&reading, NULL, read_all, NULL);
    until = now_ms() + FLOOD_MS;
    while (now_ms() < until && count < 100000) {
        int64_t began = now_us(), memory;

        ck_assert_int_ge(tlsshim_conn_state(conn), 0);
        waits[count++] = now_us() - began;
        memory = tlsshim_memory(stream);
        most = memory > most ? memory : most;
        usleep(200);
    }
    atomic_store(&over, true);
    pthread_join(flooding, NULL);
    pthread_join(reading, &result);
    ck_assert_msg((intptr_t)result > TLSSHIM_E_HANDLE, "%s", support_text((intptr_t)result));
    qsort(waits, (size_t)count, sizeof waits[0], by_size);
    printf("%ld %s: median wait %lld us, p99 %lld us, most %lld us; longest read %lld us; at most %lld bytes held\n",
           atomic_load(&messages), f->of, (long long)waits[count / 2], (long long)waits[count * 99 / 100],
           (long long)waits[count - 1], (long long)longest_read, (long long)most);
    ck_assert_int_gt(atomic_load(&messages), 1000);
    ck_assert_int_lt(waits[count * 99 / 100], WAIT_US);
    ck_assert_int_lt(most, 1 << 20);
    ck_assert_int_lt(longest_read, 50000 + 10 * WAIT_US); /* asked for 50 ms */
    alone_end(&alone);
}
END_TEST

static void own_algorithms(void)
{
    signal(SIGPIPE, SIG_IGN); /* the other end's */
    OSSL_LIB_CTX_set0_default(support_context());
    atomic_store(&messages, 0);
    longest_read = 0;
}

int main(void)
{
    Suite *suite = suite_create("flood");
    TCase *tests = tcase_create("flood");

    certs();
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, own_algorithms, NULL);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, a_flood_holds_nobody_and_fills_nothing, 0, FLOODS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
