/* A host whose threads are busy in the library while it exits, forks or cancels them.
 *
 * busy_host exit THREADS MICROSECONDS WHO HOW  WHO: shim or host starts the backend; HOW: return, exit, thread
 * busy_host fork THREADS COUNT                 says how many children could not work
 * busy_host cancel THREADS COUNT
 */
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/guest.h"

enum {
    HANG_SECONDS = 30,
    FORK_WAIT = 250, /* ms that a fork waits for who is inside */
};

static atomic_bool exit_expected; /* from then on E_STATE is a good answer */
static atomic_bool enough;
static atomic_int begun, rounds;
static bool may_be_forked; /* this is a child: E_FORKED is a good answer */

static void give_up(const char *what, int64_t result)
{
    char text[600];
    int32_t len = tlsshim_error_text(result, text, (int32_t)sizeof text);

    fprintf(stderr, "%s: %lld %.*s\n", what, (long long)result, (int)(len > 0 && len <= 600 ? len : 0), text);
    _exit(3);
}

/* False if the call was refused for a good reason. */
static bool good(int64_t result, const char *what)
{
    int32_t code = tlsshim_error_code(result);

    if (result >= 0)
        return true;
    if (code == TLSSHIM_E_STATE && atomic_load(&exit_expected))
        return false;
    if (code == TLSSHIM_E_FORKED && may_be_forked)
        return false;
    give_up(what, result);
    return false;
}

static void close_one(void *handle)
{
    int64_t opened = *(int64_t *)handle;

    if (opened > 0 && tlsshim_close(opened) != TLSSHIM_OK)
        give_up("close", opened);
}

static union guest guest; /* contexts that all threads share */

/* A key, a certificate, a signature, a connection and two errors. False once the process exits. */
static bool work(void)
{
    char signature[200], text[600];
    int64_t key = tlsshim_key_generate("P-256", 5);
    int64_t cert = 0;
    bool went_well = false;
    int64_t refused;

    pthread_cleanup_push(close_one, &key);
    if (good(key, "key_generate")) {
        cert = tlsshim_cert_self_signed(key, "localhost", 9, 30);
        pthread_cleanup_push(close_one, &cert);
        went_well = good(cert, "cert_self_signed") &&
                    good(tlsshim_key_sign(key, "SHA256", 6, "data", 4, signature, sizeof signature), "key_sign") &&
                    good(tlsshim_random(signature, sizeof signature), "random") &&
                    good(guest_connect(&guest), "guest_connect");
        refused = tlsshim_key_load("nonsense", 8, "", 0);
        if (refused >= 0 || tlsshim_error_text(refused, text, sizeof text) <= 0)
            give_up("key_load", refused);
        tlsshim_kind(refused);
        pthread_testcancel();
        pthread_cleanup_pop(1);
    }
    pthread_cleanup_pop(1);
    return went_well;
}

static void *busy(void *unused)
{
    atomic_fetch_add(&begun, 1);
    while (!atomic_load(&enough)) {
        if (!work() && !atomic_load(&exit_expected))
            break;
        atomic_fetch_add(&rounds, 1);
    }
    return unused;
}

static void start(int threads, pthread_t *started)
{
    for (int i = 0; i < threads; i++)
        if (pthread_create(&started[i], NULL, busy, NULL) != 0)
            give_up("pthread_create", 0);
}

static void pause_us(long us)
{
    const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

    nanosleep(&pause, NULL);
}

static void *exit_elsewhere(void *unused)
{
    exit(EXIT_SUCCESS);
    return unused;
}

static int exit_amid(int threads, long us, const char *who, const char *how)
{
    pthread_t started[threads], other;
    uint8_t byte;

    alarm(HANG_SECONDS);
    if (strcmp(who, "host") == 0)
        OPENSSL_init_ssl(0, NULL);
    else
        good(tlsshim_random(&byte, 1), "random");
    good(guest_make(&guest), "guest_make");
    start(threads, started);
    pause_us(us);
    atomic_store(&exit_expected, true);
    if (strcmp(how, "exit") == 0)
        exit(EXIT_SUCCESS);
    if (strcmp(how, "thread") == 0) {
        pthread_create(&other, NULL, exit_elsewhere, NULL);
        pthread_join(other, NULL);
    }
    return EXIT_SUCCESS;
}

static int64_t streams[2]; /* a connection over a socket pair that children inherit */

static void *shake_the_other(void *unused)
{
    good(tlsshim_stream_handshake(streams[1], HANG_SECONDS * 1000), "handshake of the server");
    return unused;
}

static void connect_streams(void)
{
    pthread_t other;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        give_up("socketpair", 0);
    streams[0] = tlsshim_stream_adopt(fds[0], guest.client, "localhost", 9, TLSSHIM_FD_TAKE);
    streams[1] = tlsshim_stream_adopt(fds[1], guest.server, "", 0, TLSSHIM_FD_TAKE);
    good(streams[0], "stream_adopt");
    good(streams[1], "stream_adopt");
    pthread_create(&other, NULL, shake_the_other, NULL);
    good(tlsshim_stream_handshake(streams[0], HANG_SECONDS * 1000), "handshake of the client");
    pthread_join(other, NULL);
}

/* What children closed is as good as before. */
static void talk_over_streams(void)
{
    for (int i = 0; i < 2; i++) {
        char data[8];

        good(tlsshim_stream_write(streams[i], "ping", 4, HANG_SECONDS * 1000), "write after a fork");
        if (tlsshim_stream_read(streams[1 - i], data, 8, HANG_SECONDS * 1000) != 4)
            give_up("read after a fork", 0);
    }
}

static void inherited(int64_t handle, int32_t result)
{
    char data[8];

    if (result != TLSSHIM_E_FORKED || tlsshim_stream_read(handle, data, 8, 0) != TLSSHIM_E_FORKED)
        give_up("an inherited stream", result);
    if (tlsshim_close(handle) != TLSSHIM_OK || tlsshim_close(handle) != TLSSHIM_E_HANDLE)
        give_up("close of an inherited stream", handle);
}

/* In a child, with handles of the parent's. 0 or 10 (could not work, but said so). */
static int live_as_a_child(int64_t conn)
{
    int64_t key = guest.key, cert = guest.cert;
    char signature[200];
    bool worked;

    alarm(HANG_SECONDS);
    may_be_forked = true;
    if (tlsshim_conn_handshake(conn) != TLSSHIM_E_FORKED || tlsshim_conn_read(conn, signature, 9) != TLSSHIM_E_FORKED)
        give_up("an inherited connection", conn);
    if (tlsshim_close(conn) != TLSSHIM_OK || tlsshim_conn_handshake(conn) != TLSSHIM_E_HANDLE)
        give_up("close of an inherited connection", conn);
    for (int i = 0; i < 2; i++)
        inherited(streams[i], tlsshim_stream_write(streams[i], "stolen", 6, 0));
    good(tlsshim_key_bits(key), "key_bits of an inherited key");
    worked = good(tlsshim_key_sign(key, "SHA256", 6, "data", 4, signature, sizeof signature), "key_sign");
    if (tlsshim_close(key) != TLSSHIM_OK || tlsshim_close(key) != TLSSHIM_E_HANDLE)
        give_up("close in a child", key);
    if (tlsshim_close(cert) != TLSSHIM_OK)
        give_up("close in a child", cert);
    return worked && work() ? 0 : 10;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fork_amid(int threads, int count)
{
    pthread_t started[threads];
    int refused = 0;
    int64_t conn;

    good(guest_make(&guest), "guest_make");
    conn = tlsshim_conn_new(guest.client, "localhost", 9);
    good(conn, "conn_new");
    connect_streams();
    start(threads, started);
    while (atomic_load(&begun) < threads) /* a thread that begins is not yet at the gate (see gate_test.c) */
        pause_us(1000);
    for (int i = 0; i < count; i++) {
        int64_t began = now_ms(), waited;
        pid_t child = fork();
        int status;

        waited = now_ms() - began;
        if (child == 0) {
            status = live_as_a_child(conn);
            if (i % 2 == 0) /* half of them through all that runs at an exit */
                exit(status);
            _exit(status);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            give_up("fork", 0);
        if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 10)) {
            fprintf(stderr, "child %d ended with status %x\n", i, (unsigned)status);
            return EXIT_FAILURE;
        }
        if (WEXITSTATUS(status) == 10 && waited < FORK_WAIT - 1)
            give_up("fork, which waited too little,", waited);
        refused += WEXITSTATUS(status) == 10;
        talk_over_streams();
    }
    atomic_store(&enough, true);
    for (int i = 0; i < threads; i++)
        pthread_join(started[i], NULL);
    close_one(&conn);
    close_one(&streams[0]);
    close_one(&streams[1]);
    guest_close(&guest);
    printf("%d of %d children could not work\n", refused, count);
    return tlsshim_live(0) == 0 && atomic_load(&rounds) > threads ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int cancel_amid(int threads, int count)
{
    pthread_t started[threads];
    unsigned seed = 1;

    good(guest_make(&guest), "guest_make");
    for (int i = 0; i < count; i += threads) {
        alarm(HANG_SECONDS);
        start(threads, started);
        pause_us(rand_r(&seed) % 1500);
        for (int k = 0; k < threads; k++)
            pthread_cancel(started[k]);
        for (int k = 0; k < threads; k++) {
            void *result;

            if (pthread_join(started[k], &result) != 0 || result != PTHREAD_CANCELED)
                give_up("a cancelled thread went on", 0);
        }
        if (!work()) /* no lock was left behind */
            give_up("work", 0);
    }
    guest_close(&guest);
    if (tlsshim_live(0) != 0)
        give_up("handles are left", tlsshim_live(0));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc == 6 && strcmp(argv[1], "exit") == 0)
        return exit_amid(atoi(argv[2]), atol(argv[3]), argv[4], argv[5]);
    if (argc == 4 && strcmp(argv[1], "fork") == 0)
        return fork_amid(atoi(argv[2]), atoi(argv[3]));
    if (argc == 4 && strcmp(argv[1], "cancel") == 0)
        return cancel_amid(atoi(argv[2]), atoi(argv[3]));
    fprintf(stderr, "busy_host exit|fork|cancel ...\n");
    return EXIT_FAILURE;
}
