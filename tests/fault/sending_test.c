/* Sending while memory runs out: a file or bytes over a stream, and records sealed straight into the host's memory.
 * time limit: 300 s */
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/certs.h"
#include "support/scarce.h"
#include "support/socket.h"
#include "support/support.h"

enum { SIZE = 70000 }; /* more than one buffer of a file, and than four records */

static uint8_t plain[SIZE];
static int file;

/* One connection, plain where the version is 0: of two streams, or of two engines. */
struct line {
    int64_t sender, receiver;
    int32_t got;
    int32_t end; /* the receiver's last result */
};

/* What is sent, and how, from there on: how much was taken, or the result. */
struct way {
    const char *name;
    int64_t (*send)(struct line *line, int32_t at);
    bool by_engine;
};

static int64_t send_file(struct line *line, int32_t at)
{
    return tlsshim_stream_sendfile(line->sender, file, at, INT32_MAX, SOON);
}

static int64_t send_file_in_turns(struct line *line, int32_t at)
{
    return tlsshim_stream_sendfile(line->sender, file, at, INT32_MAX, 0);
}

static int64_t write_all(struct line *line, int32_t at)
{
    return tlsshim_stream_write(line->sender, plain + at, SIZE - at, SOON);
}

static void take_in(struct line *line, const uint8_t *data, int32_t len)
{
    if (len > SIZE - line->got || memcmp(plain + line->got, data, (size_t)len) != 0)
        ck_abort_msg("%d bytes behind the first %d are not those that were sent", len, line->got);
    line->got += len;
}

static void deliver(struct line *line, const uint8_t *wire, int32_t len)
{
    static uint8_t back[SIZE];

    must_be(tlsshim_conn_feed(line->receiver, wire, len), len);
    while ((line->end = tlsshim_conn_read(line->receiver, back, sizeof back)) > 0)
        take_in(line, back, line->end);
}

/* The receiver has the memory that it needs. */
static int64_t seal(struct line *line, int32_t at, int32_t cap)
{
    static uint8_t wire[2 * SIZE];
    int32_t taken = 0;
    int32_t len = tlsshim_conn_seal(line->sender, plain + at, SIZE - at, wire, cap, &taken);
    int64_t count = scarce_count, fails_at = scarce_at;

    scarce_at = 0;
    if (len > 0)
        deliver(line, wire, len);
    scarce_at = fails_at;
    scarce_count = count;
    return len < 0 ? len : taken;
}

static int64_t seal_with_room(struct line *line, int32_t at)
{
    return seal(line, at, 2 * SIZE);
}

static int64_t seal_in_little_room(struct line *line, int32_t at)
{
    return seal(line, at, 10000);
}

static const struct way ways[] = {
    {"a file", send_file, false},
    {"a file in turns", send_file_in_turns, false},
    {"bytes", write_all, false},
    {"records with room", seal_with_room, true},
    {"records in little room", seal_in_little_room, true},
};
enum { WAYS = sizeof ways / sizeof ways[0] };
static const int32_t versions[] = {0, TLSSHIM_TLS_1_2, TLSSHIM_TLS_1_3};
enum { VERSIONS = sizeof versions / sizeof versions[0], ENDS = 2, TRIALS = WAYS * VERSIONS * ENDS };

static struct {
    const struct way *way;
    bool by_server;
    bool tickets;           /* come before what is sent */
    int64_t client, server; /* contexts; 0 = plain */
} trial;

static void begin(int i)
{
    int32_t version = versions[i / ENDS % VERSIONS];

    trial.way = &ways[i / ENDS / VERSIONS];
    trial.by_server = i % ENDS == 1;
    trial.tickets = trial.by_server && version == TLSSHIM_TLS_1_3;
    trial.client = trial.server = 0;
    if (version == 0)
        return;
    trial.client = a_handle(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));
    trial.server = a_handle(tlsshim_context_new(TLSSHIM_ROLE_SERVER));
    must_be(tlsshim_context_set_versions(trial.client, version, version), TLSSHIM_OK);
    must_be(tlsshim_context_set_versions(trial.server, version, version), TLSSHIM_OK);
    must_be(tlsshim_context_set_trust(trial.client, certs()->trust), TLSSHIM_OK);
    must_be(tlsshim_context_add_identity(trial.server, certs()->server, "", 0), TLSSHIM_OK);
}

static void end(void)
{
    if (trial.client != 0) {
        must_be(tlsshim_close(trial.client), TLSSHIM_OK);
        must_be(tlsshim_close(trial.server), TLSSHIM_OK);
    }
}

static bool carry(int64_t from, int64_t to)
{
    static uint8_t wire[65536];
    int32_t len = tlsshim_conn_drain(from, wire, sizeof wire);

    if (len > 0)
        must_be(tlsshim_conn_feed(to, wire, len), len);
    return len > 0;
}

static void join_engines(int64_t *client, int64_t *server)
{
    bool up, down;

    *client = a_handle(tlsshim_conn_new(trial.client, "www.test", 8));
    *server = a_handle(tlsshim_conn_new(trial.server, "", 0));
    do {
        (void)tlsshim_conn_handshake(*client);
        (void)tlsshim_conn_handshake(*server);
        up = carry(*client, *server);
        down = carry(*server, *client);
    } while (up || down);
    must_be(tlsshim_conn_handshake(*client), TLSSHIM_OK);
    must_be(tlsshim_conn_handshake(*server), TLSSHIM_OK);
}

/* Over local sockets, which hold all that is sent and in blocking mode, so that files go through the buffer. */
static void join_streams(int64_t *client, int64_t *server)
{
    int fds[2], result;

    must_be(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    *client = a_handle(tlsshim_stream_adopt(fds[0], trial.client, trial.client != 0 ? "www.test" : "",
                                            trial.client != 0 ? 8 : 0, TLSSHIM_FD_TAKE));
    *server = a_handle(tlsshim_stream_adopt(fds[1], trial.server, "", 0, TLSSHIM_FD_TAKE));
    do {
        (void)tlsshim_stream_handshake(*client, 0);
        result = tlsshim_stream_handshake(*server, 0);
    } while (result == TLSSHIM_WANT_READ);
    must_be(result, TLSSHIM_OK);
    must_be(tlsshim_stream_handshake(*client, 0), TLSSHIM_OK);
}

static struct line joined(void)
{
    struct line line = {0};
    int64_t *client = trial.by_server ? &line.receiver : &line.sender;
    int64_t *server = trial.by_server ? &line.sender : &line.receiver;

    if (trial.way->by_engine)
        join_engines(client, server);
    else
        join_streams(client, server);
    return line;
}

/* The rest of what was taken arrives; the sender's connection ends with it. */
static void finish_engines(struct line *line)
{
    static uint8_t wire[SIZE];
    int32_t len;

    (void)tlsshim_conn_shutdown(line->sender);
    while ((len = tlsshim_conn_drain(line->sender, wire, sizeof wire)) > 0)
        deliver(line, wire, len);
    must_be(tlsshim_close(line->sender), TLSSHIM_OK);
}

static void finish_streams(struct line *line)
{
    static uint8_t back[SIZE];

    (void)tlsshim_stream_shutdown(line->sender, SOON);
    must_be(tlsshim_close(line->sender), TLSSHIM_OK);
    while ((line->end = tlsshim_stream_read(line->receiver, back, sizeof back, SOON)) > 0)
        take_in(line, back, line->end);
}

/* Where a ticket goes out first, the backend does not always say what it lacks. */
static bool clear(int64_t result)
{
    return support_has_code(result, TLSSHIM_E_MEMORY) ||
           (trial.tickets && support_has_code(result, TLSSHIM_E_INTERNAL) &&
            strstr(support_text(result), "a session ticket cannot be sealed") != NULL);
}

static struct outcome {
    bool told, dead; /* an error was told once, or from then on */
    int64_t count;   /* of allocations */
} send_all(struct line *line)
{
    struct outcome outcome = {0};
    int32_t sent = 0;

    while (sent < SIZE && !outcome.dead) {
        int64_t taken = trial.way->send(line, sent);

        if (taken < 0 && !clear(taken))
            ck_abort_msg("%s: after %d bytes %s", trial.way->name, sent, support_text(taken));
        outcome.dead = taken < 0 && outcome.told;
        outcome.told = outcome.told || taken < 0;
        sent += taken > 0 ? (int32_t)taken : 0;
    }
    return outcome;
}

/* Whole, unless the sender has learnt that it is dead; and then what has come is the front of it. */
static struct outcome once(int64_t at)
{
    struct line line = joined();
    struct outcome outcome;

    scarce_count = 0;
    scarce_at = at;
    outcome = send_all(&line);
    outcome.count = scarce_count;
    scarce_at = 0;
    if (trial.way->by_engine)
        finish_engines(&line);
    else
        finish_streams(&line);
    if (!outcome.dead) {
        must_be(line.end, 0);
        must_be(line.got, SIZE);
    }
    must_be(tlsshim_close(line.receiver), TLSSHIM_OK);
    must_be((int64_t)ERR_peek_error(), 0);
    ERR_clear_error(); /* forgets the texts of those before, too */
    return outcome;
}

START_TEST(what_is_sent_survives_the_loss_of_any_allocation_or_its_connection_says_so)
{
    int64_t own, backend, most = 0, retried = 0, dead = 0;
    bool tls;

    begin(_i);
    tls = trial.client != 0;
    if (!tls && trial.way->by_engine) {
        end();
        return;
    }
    for (int i = 0; i < 4; i++) /* caches get warm */
        most = once(0).count;
    for (int64_t at = 1; at <= most; at++) /* and the backend's memory of errors */
        once(at);
    own = scarce_own;
    backend = scarce_backend;
    for (int64_t at = 1; at <= most; at++) {
        struct outcome outcome = once(at);

        retried += outcome.told && !outcome.dead;
        dead += outcome.dead;
        if (scarce_own != own || scarce_backend != backend)
            ck_abort_msg("%s without allocation %lld: %lld blocks of the shim, %lld of the backend are left behind",
                         trial.way->name, (long long)at, (long long)(scarce_own - own),
                         (long long)(scarce_backend - backend));
    }
    if (tls)
        ck_assert_int_gt(dead, 0); /* what seals lacked memory */
    if (own != 0 && (trial.way->send == send_file || trial.way->send == send_file_in_turns))
        ck_assert_int_gt(retried, 0); /* the file's buffer */
    end();
}
END_TEST

static bool make_file(void)
{
    for (int i = 0; i < SIZE; i++)
        plain[i] = (uint8_t)((unsigned)i * 2654435761U >> 21);
    file = memfd_create("sent", MFD_CLOEXEC);
    return file >= 0 && write(file, plain, SIZE) == SIZE;
}

int main(void)
{
    Suite *suite = suite_create("sending");
    TCase *tests = tcase_create("sending");

    if (!scarce_install()) {
        fprintf(stderr, "the backend has allocated before main\n");
        return EXIT_FAILURE;
    }
    certs();
    if (!make_file())
        return EXIT_FAILURE;
    tcase_set_timeout(tests, 100);
    tcase_add_loop_test(tests, what_is_sent_survives_the_loss_of_any_allocation_or_its_connection_says_so, 0, TRIALS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
