/* Whatever way bytes go, nobody between the two ends reads them: all that passes is kept and searched. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/pair.h"
#include "support/parties.h"
#include "support/socket.h"
#include "support/support.h"

enum { PAYLOAD = 100000, CAPTURE = 4 << 20 };

static const char line[] = "this is what nobody on the way may read\n";
static const char clue[] = "nobody on"; /* in every 49 bytes of the payload */

static uint8_t payload[PAYLOAD], back[PAYLOAD];
static uint8_t capture[CAPTURE];
static size_t captured;

static void begin_capture(void)
{
    for (int i = 0; i < PAYLOAD; i++)
        payload[i] = (uint8_t)line[(size_t)i % (sizeof line - 1)];
    captured = 0;
}

static void keep_bytes(const void *data, size_t len)
{
    ck_assert_msg(captured + len <= CAPTURE, "more passes than can be kept");
    memcpy(capture + captured, data, len);
    captured += len;
}

static bool was_seen(const char *text)
{
    return memmem(capture, captured, text, strlen(text)) != NULL;
}

/* As much has passed as was sent, and not a piece of it in the clear. */
static void expect_nothing_seen(int64_t least)
{
    ck_assert_int_ge((int64_t)captured, least);
    ck_assert(!was_seen(clue));
}

/* --- in memory --- */

struct ends {
    int64_t from, to;
};

static void carry(struct ends e)
{
    static uint8_t data[PIPE_MOST];
    int32_t len;

    while ((len = tlsshim_conn_drain(e.from, data, sizeof data)) > 0) {
        keep_bytes(data, (size_t)len);
        must_be(tlsshim_conn_feed(e.to, data, len), len);
    }
    must_be(len, 0);
}

/* Reads what has come. */
static int32_t take(int64_t conn, int32_t at)
{
    int32_t got;

    while (at < PAYLOAD && (got = tlsshim_conn_read(conn, back + at, PAYLOAD - at)) > 0)
        at += got;
    return at;
}

static void by_write(struct ends e)
{
    int32_t at = 0;

    for (int32_t sent = 0; sent < PAYLOAD;) {
        int32_t taken = tlsshim_conn_write(e.from, payload + sent, PAYLOAD - sent);

        sent += taken > 0 ? taken : 0;
        carry(e);
        at = take(e.to, at);
    }
    ck_assert_int_eq(at, PAYLOAD);
}

static void by_seal(struct ends e)
{
    static uint8_t data[PIPE_MOST];
    int32_t at = 0;

    for (int32_t sent = 0; sent < PAYLOAD || tlsshim_conn_pending_out(e.from) > 0;) {
        int32_t taken = 0, len = tlsshim_conn_seal(e.from, payload + sent, PAYLOAD - sent, data, sizeof data, &taken);

        ck_assert_int_gt(len, 0);
        keep_bytes(data, (size_t)len);
        sent += taken;
        for (int32_t used = 0, got = 0; used < len; used += taken) {
            got = tlsshim_conn_open(e.to, data + used, len - used, back + at, PAYLOAD - at, &taken);
            at += got > 0 ? got : 0;
        }
    }
    ck_assert_int_eq(take(e.to, at), PAYLOAD);
}

static void gathered(struct ends e)
{
    int32_t at = 0;

    for (int32_t sent = 0; sent < PAYLOAD;) {
        for (int i = 0; i < 50 && sent < PAYLOAD; i++) {
            must_be(tlsshim_conn_write(e.from, payload + sent, 50), 50);
            sent += 50;
        }
        carry(e);
        at = take(e.to, at);
    }
    ck_assert_int_eq(at, PAYLOAD);
}

static void corked(struct ends e)
{
    ck_assert_ok(tlsshim_conn_cork(e.from, 1));
    for (int32_t sent = 0, at = 0; sent < PAYLOAD; sent += 1000) {
        must_be(tlsshim_conn_write(e.from, payload + sent, 1000), 1000);
        carry(e);
        at = take(e.to, at);
        if (sent == PAYLOAD - 1000) {
            ck_assert_ok(tlsshim_conn_cork(e.from, 0));
            carry(e);
            ck_assert_int_eq(take(e.to, at), PAYLOAD);
        }
    }
}

static void under_new_keys(struct ends e)
{
    int32_t at = 0;
    char none;

    for (int32_t sent = 0; sent < PAYLOAD; sent += 5000) {
        int32_t changed = tlsshim_conn_key_update(e.from, sent / 5000 % 2);

        ck_assert(changed == TLSSHIM_OK || support_has_code(changed, TLSSHIM_E_UNSUPPORTED)); /* TLS 1.2 */
        must_be(tlsshim_conn_write(e.from, payload + sent, 5000), 5000);
        carry(e);
        at = take(e.to, at);
        carry((struct ends){e.to, e.from});
        must_be(tlsshim_conn_read(e.from, &none, 1), TLSSHIM_WANT_FEED);
    }
    ck_assert_int_eq(at, PAYLOAD);
}

static void (*const memory_modes[])(struct ends) = {by_write, by_seal, gathered, corked, under_new_keys};
enum { MEMORY_MODES = 5 };

/* Tried before, amid and after the handshake. */
static void handshake_while_writing(struct ends up)
{
    int32_t taken = 0, sent = 0;
    struct ends down = {up.to, up.from};

    for (int i = 0; i < 20 && taken != (int32_t)sizeof line; i++) {
        taken = tlsshim_conn_write(up.from, line, sizeof line);
        carry(up);
        (void)tlsshim_conn_handshake(up.to);
        if (sent != (int32_t)sizeof line)
            sent = tlsshim_conn_write(down.from, line, sizeof line);
        carry(down);
    }
    ck_assert_int_eq(taken, (int)sizeof line);
    carry(up);
    ck_assert_int_eq(tlsshim_conn_read(up.to, back, sizeof back), (int)sizeof line);
    if (sent != (int32_t)sizeof line)
        ck_assert_int_eq(tlsshim_conn_write(down.from, line, sizeof line), (int)sizeof line);
    carry(down);
    ck_assert_int_eq(tlsshim_conn_read(down.to, back, sizeof back), (int)sizeof line);
}

START_TEST(nothing_is_read_between_two_engines)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool resumed = _i / 2 % 2 == 1;
    int64_t client_side = client_context(version, certs()->trust, 0);
    int64_t server_side = server_context(version, certs()->server, 0, 0);
    struct ends up;

    ck_assert_ok(tlsshim_context_set_session_cache(client_side, 10));
    for (int round = 0; round <= (resumed ? 1 : 0); round++) {
        begin_capture();
        up.from = keep(tlsshim_conn_new(client_side, "www.test", 8));
        up.to = keep(tlsshim_conn_new(server_side, "", 0));
        handshake_while_writing(up);
        ck_assert_int_eq(number_of(up.from, TLSSHIM_CONN_RESUMED), round);
        memory_modes[_i / 4](up);
        ck_assert_mem_eq(back, payload, PAYLOAD);
        memory_modes[_i / 4]((struct ends){up.to, up.from});
        ck_assert_mem_eq(back, payload, PAYLOAD);
        expect_nothing_seen(2 * PAYLOAD);
    }
}
END_TEST

/* What a failed connection had taken goes nowhere, least of all in the clear. */
START_TEST(a_failed_engine_lets_nothing_out)
{
    struct pair *pair = pair_connected(ways[_i * 4 + 2]);
    static const uint8_t nonsense[64] = {23, 3, 3, 0, 59};

    begin_capture();
    ck_assert_int_gt(tlsshim_conn_write(pair->client, payload, PAYLOAD), 0);
    ck_assert_int_eq(tlsshim_conn_feed(pair->client, nonsense, sizeof nonsense), (int)sizeof nonsense);
    ck_assert_int_lt(tlsshim_conn_read(pair->client, back, PAYLOAD), TLSSHIM_NONE);
    for (int32_t len; (len = tlsshim_conn_drain(pair->client, back, PAYLOAD)) > 0;)
        keep_bytes(back, (size_t)len);
    expect_nothing_seen(1);
}
END_TEST

/* --- streams, with this test between them --- */

struct relay {
    pthread_t thread;
    int left, right;
    int listening; /* or -1 */
    int32_t onward;
};

static int loopback(int32_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)port);
    if (port == 0 ? bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0
                  : connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        ck_abort_msg("no socket on loopback");
    return fd;
}

/* False at the end of this direction. */
static bool pass(int from, int to)
{
    static uint8_t data[65536];
    ssize_t len = recv(from, data, sizeof data, 0);

    if (len <= 0) {
        shutdown(to, SHUT_WR);
        return false;
    }
    keep_bytes(data, (size_t)len);
    (void)!send(to, data, (size_t)len, MSG_NOSIGNAL); /* who has said and heard all may be gone */
    return true;
}

static void *run_relay(void *argument)
{
    struct relay *r = argument;
    struct pollfd fds[2];

    if (r->listening >= 0) {
        r->left = accept(r->listening, NULL, NULL);
        r->right = loopback(r->onward);
        close(r->listening);
    }
    fds[0] = (struct pollfd){.fd = r->left, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = r->right, .events = POLLIN};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        poll(fds, 2, -1);
        if (fds[0].revents != 0 && !pass(r->left, r->right))
            fds[0].fd = -1, fds[0].revents = 0;
        if (fds[1].revents != 0 && !pass(r->right, r->left))
            fds[1].fd = -1, fds[1].revents = 0;
    }
    close(r->left);
    close(r->right);
    return NULL;
}

static void connect_locally(struct relay *r, int64_t client_side, int64_t server_side, int64_t ends[2])
{
    int left[2], right[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, left), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, right), 0);
    *r = (struct relay){.left = left[1], .right = right[1], .listening = -1};
    ends[0] =
        a_handle(tlsshim_stream_adopt(left[0], client_side, "localhost", client_side != 0 ? 9 : 0, TLSSHIM_FD_TAKE));
    ends[1] = a_handle(tlsshim_stream_adopt(right[0], server_side, "", 0, TLSSHIM_FD_TAKE));
    ck_assert_int_eq(pthread_create(&r->thread, NULL, run_relay, r), 0);
}

static void connect_by_tcp(struct relay *r, int64_t client_side, int64_t server_side, int64_t ends[2])
{
    int64_t listener = listener_at("127.0.0.1", 0);
    struct sockaddr_in at;
    socklen_t len = sizeof at;

    *r = (struct relay){.listening = loopback(0), .onward = tlsshim_listener_port(listener)};
    ck_assert_int_eq(getsockname(r->listening, (struct sockaddr *)&at, &len), 0);
    ck_assert_int_eq(pthread_create(&r->thread, NULL, run_relay, r), 0);
    ends[0] = a_handle(connect_to("localhost", ntohs(at.sin_port), client_side, SOON));
    ends[1] = a_handle(tlsshim_listener_accept(listener, server_side, SOON));
    ck_assert_ok(tlsshim_close(listener));
}

struct sending {
    pthread_t thread;
    int64_t stream;
    void (*how)(int64_t stream);
};

static void all_at_once(int64_t stream)
{
    must_be(tlsshim_stream_write(stream, payload, PAYLOAD, SOON), PAYLOAD);
}

static void in_small_pieces(int64_t stream)
{
    for (int32_t at = 0; at < PAYLOAD; at += 500)
        must_be(tlsshim_stream_write(stream, payload + at, 500, SOON), 500);
}

static void with_a_cork(int64_t stream)
{
    int64_t conn = tlsshim_stream_conn(stream);

    must_be(conn > 0, 1);
    must_be(tlsshim_conn_cork(conn, 1), TLSSHIM_OK);
    in_small_pieces(stream);
    must_be(tlsshim_conn_cork(conn, 0), TLSSHIM_OK);
    must_be(tlsshim_close(conn), TLSSHIM_OK);
}

static void from_a_file(int64_t stream)
{
    int fd = memfd_create("payload", MFD_CLOEXEC);

    must_be(write(fd, payload, PAYLOAD), PAYLOAD);
    must_be(tlsshim_stream_sendfile(stream, fd, 0, PAYLOAD, SOON), PAYLOAD);
    close(fd);
}

static void without_waiting(int64_t stream)
{
    for (int32_t at = 0; at < PAYLOAD;) {
        struct pollfd ready = {.fd = (int)tlsshim_stream_fd(stream)};
        int32_t taken = tlsshim_stream_write(stream, payload + at, PAYLOAD - at, 0);
        int32_t wants = tlsshim_stream_wants(stream);

        at += taken > 0 ? taken : 0;
        ready.events = (short)(((wants & TLSSHIM_READY_READ) != 0 ? POLLIN : 0) |
                               ((wants & TLSSHIM_READY_WRITE) != 0 ? POLLOUT : 0));
        if (taken < TLSSHIM_NONE)
            ck_abort_msg("%s", support_text(taken));
        if (taken < 0)
            poll(&ready, 1, SOON);
    }
}

static void (*const stream_modes[])(int64_t) = {all_at_once, in_small_pieces, with_a_cork, from_a_file,
                                                without_waiting};
enum { STREAM_MODES = 5 };

static void *send_payload(void *argument)
{
    struct sending *s = argument;

    s->how(s->stream);
    must_be(tlsshim_stream_flush(s->stream, SOON), TLSSHIM_OK);
    return NULL;
}

/* The first of them meets no handshake yet, and drives it. */
static void exchange(int64_t from, int64_t to, void (*how)(int64_t))
{
    struct sending s = {.stream = from, .how = how};
    int32_t at = 0;

    ck_assert_int_eq(pthread_create(&s.thread, NULL, send_payload, &s), 0);
    while (at < PAYLOAD) {
        int32_t got = tlsshim_stream_read(to, back + at, PAYLOAD - at, SOON);

        ck_assert_msg(got > 0, "%s", support_text(got));
        at += got;
    }
    pthread_join(s.thread, NULL);
    ck_assert_mem_eq(back, payload, PAYLOAD);
}

static void say_goodbye(struct relay *r, const int64_t ends[2])
{
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tlsshim_stream_shutdown(ends[i], SOON), TLSSHIM_OK);
    close_both(ends[0], ends[1]);
    pthread_join(r->thread, NULL);
}

static bool is_resumed(int64_t stream)
{
    int64_t conn = a_handle(tlsshim_stream_conn(stream)), resumed = number_of(conn, TLSSHIM_CONN_RESUMED);

    ck_assert_ok(tlsshim_close(conn));
    return resumed == 1;
}

static void cross(bool tcp, const struct parties *p, void (*how)(int64_t), bool resumed)
{
    struct relay relay;
    int64_t ends[2];

    begin_capture();
    (tcp ? connect_by_tcp : connect_locally)(&relay, p->client, p->server, ends);
    exchange(ends[0], ends[1], how);
    exchange(ends[1], ends[0], how);
    ck_assert_int_eq(is_resumed(ends[0]), resumed);
    say_goodbye(&relay, ends);
    expect_nothing_seen(2 * PAYLOAD);
}

START_TEST(nothing_is_read_between_two_streams)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    bool tcp = _i / 2 % 2 == 1;
    struct parties p = mutual_parties(version, version);

    ck_assert_ok(tlsshim_context_set_session_cache(p.client, 10));
    cross(tcp, &p, stream_modes[_i / 4], false);
    if (!tcp) /* a local one is filed under its name alone, one that was connected under a port that is new each time */
        cross(tcp, &p, stream_modes[_i / 4], true);
    parties_close(&p);
}
END_TEST

START_TEST(nothing_is_read_after_a_stream_has_begun_tls)
{
    int32_t version = _i % 2 == 0 ? TLSSHIM_TLS_1_2 : TLSSHIM_TLS_1_3;
    struct parties p = mutual_parties(version, version);
    struct relay relay;
    int64_t ends[2];

    begin_capture();
    (_i / 2 == 0 ? connect_locally : connect_by_tcp)(&relay, 0, 0, ends);
    send_text(ends[0], "STARTTLS");
    expect_text(ends[1], "STARTTLS");
    ck_assert_ok(tlsshim_stream_start_tls(ends[0], p.client, "localhost", 9, "", 0));
    ck_assert_ok(tlsshim_stream_start_tls(ends[1], p.server, "", 0, "", 0));
    exchange(ends[0], ends[1], all_at_once);
    exchange(ends[1], ends[0], from_a_file);
    say_goodbye(&relay, ends);
    ck_assert(was_seen("STARTTLS"));
    expect_nothing_seen(2 * PAYLOAD);
    parties_close(&p);
}
END_TEST

/* The search finds what can be found. */
START_TEST(a_plain_stream_is_read_by_everybody)
{
    struct relay relay;
    int64_t ends[2];

    begin_capture();
    (_i % 2 == 0 ? connect_locally : connect_by_tcp)(&relay, 0, 0, ends);
    exchange(ends[0], ends[1], _i / 2 == 0 ? all_at_once : from_a_file);
    say_goodbye(&relay, ends);
    ck_assert_int_eq((int)captured, PAYLOAD);
    ck_assert(was_seen(clue));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("capture");
    TCase *tests = tcase_create("capture");

    certs();
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, keep_begin, keep_end);
    tcase_add_loop_test(tests, nothing_is_read_between_two_engines, 0, 4 * MEMORY_MODES);
    tcase_add_loop_test(tests, a_failed_engine_lets_nothing_out, 0, 2);
    tcase_add_loop_test(tests, nothing_is_read_between_two_streams, 0, 4 * STREAM_MODES);
    tcase_add_loop_test(tests, nothing_is_read_after_a_stream_has_begun_tls, 0, 4);
    tcase_add_loop_test(tests, a_plain_stream_is_read_by_everybody, 0, 4);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
