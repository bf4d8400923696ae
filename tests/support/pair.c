#include "pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct way ways[] = {
    {TLSSHIM_TLS_1_2, 1}, {TLSSHIM_TLS_1_2, 512}, {TLSSHIM_TLS_1_2, PIPE_MOST}, {TLSSHIM_TLS_1_2, 0},
    {TLSSHIM_TLS_1_3, 1}, {TLSSHIM_TLS_1_3, 512}, {TLSSHIM_TLS_1_3, PIPE_MOST}, {TLSSHIM_TLS_1_3, 0},
};

enum { STEPS_MOST = 200000, KEPT_MOST = 4096, PAIRS_MOST = 1024 };

static int64_t kept[KEPT_MOST];
static int kept_count;
static struct pair *pairs[PAIRS_MOST];
static int pair_count;
static int64_t live_before;

int64_t keep(int64_t handle)
{
    ck_assert_msg(handle > 0, "%s", support_text(handle));
    if (kept_count == KEPT_MOST)
        ck_abort_msg("too many handles are kept");
    kept[kept_count++] = handle;
    return handle;
}

void keep_begin(void)
{
    kept_count = 0;
    pair_count = 0;
    live_before = tlsshim_live(0);
}

void keep_end(void)
{
    while (kept_count > 0)
        tlsshim_close(kept[--kept_count]); /* a test may have closed it already */
    while (pair_count > 0) {
        struct pair *pair = pairs[--pair_count];

        if (pair->room == 0) {
            close(pair->up.in);
            close(pair->up.out);
        }
        free(pair);
    }
    ck_assert_int_eq(tlsshim_live(0), live_before);
}

static void limit_version(int64_t context, int32_t version)
{
    ck_assert_ok(tlsshim_context_set_versions(context, version, version));
}

int64_t client_context(int32_t version, int64_t trust, int64_t identity)
{
    int64_t context = keep(tlsshim_context_new(TLSSHIM_ROLE_CLIENT));

    limit_version(context, version);
    if (trust != 0)
        ck_assert_ok(tlsshim_context_set_trust(context, trust));
    if (identity != 0)
        ck_assert_ok(tlsshim_context_add_identity(context, identity, "", 0));
    return context;
}

int64_t server_context(int32_t version, int64_t identity, int64_t trust, int32_t mode)
{
    int64_t context = keep(tlsshim_context_new(TLSSHIM_ROLE_SERVER));

    limit_version(context, version);
    ck_assert_ok(tlsshim_context_add_identity(context, identity, "", 0));
    if (trust != 0) {
        ck_assert_ok(tlsshim_context_set_trust(context, trust));
        ck_assert_ok(tlsshim_context_set_client_certificate(context, mode));
    }
    return context;
}

void set_alpn(int64_t context, const char *list, int32_t mode)
{
    uint8_t wire[256];
    int32_t len = tlsshim_alpn_encode(list, (int32_t)strlen(list), wire, sizeof wire);

    ck_assert_ok(len);
    ck_assert_ok(tlsshim_context_set_alpn(context, wire, len, mode));
}

struct pair *pair_named(int64_t client_context, int64_t server_context, int32_t room, const char *name)
{
    struct pair *pair = calloc(1, sizeof *pair);
    int fds[2];

    if (pair == NULL || pair_count == PAIRS_MOST)
        ck_abort_msg("too many pairs");
    pair->room = room;
    pair->client_result = pair->server_result = TLSSHIM_WANT_FEED;
    pair->client = keep(tlsshim_conn_new(client_context, name, (int32_t)strlen(name)));
    pair->server = keep(tlsshim_conn_new(server_context, "", 0));
    if (room == 0) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        pair->up.in = pair->down.out = fds[0];
        pair->up.out = pair->down.in = fds[1];
    }
    pairs[pair_count++] = pair;
    return pair;
}

struct pair *pair_new(int64_t client_context, int64_t server_context, int32_t room)
{
    return pair_named(client_context, server_context, room, "www.test");
}

struct pair *pair_connected(struct way way)
{
    struct pair *pair = pair_new(client_context(way.version, certs()->trust, 0),
                                 server_context(way.version, certs()->server, 0, 0), way.room);

    pair_connect(pair);
    return pair;
}

static void gone(struct pipe *pipe, int32_t len)
{
    memmove(pipe->data, pipe->data + len, (size_t)(pipe->len - len));
    pipe->len -= len;
}

static bool drain_into(struct pipe *pipe, int64_t from, int32_t room)
{
    int32_t len = room > pipe->len ? tlsshim_conn_drain(from, pipe->data + pipe->len, room - pipe->len) : 0;

    if (len < 0)
        ck_abort_msg("drain: %s", support_text(len));
    pipe->len += len;
    pipe->passed += len;
    return len > 0;
}

/* A connection that has failed takes no more: what is for it is lost, as on a network. */
static int32_t feed_from(int64_t to, const void *data, int32_t len)
{
    int32_t taken = tlsshim_conn_feed(to, data, len);

    if (taken < 0 && (tlsshim_conn_state(to) & TLSSHIM_STATE_FAILED) == 0)
        ck_abort_msg("feed: %s", support_text(taken));
    return taken < 0 ? len : taken;
}

static bool move_by_pipe(struct pipe *pipe, int64_t from, int64_t to, int32_t room)
{
    bool moved = drain_into(pipe, from, room);
    int32_t taken = pipe->len > 0 ? feed_from(to, pipe->data, pipe->len) : 0;

    gone(pipe, taken);
    return moved || taken > 0;
}

static bool move_by_socket(struct pipe *pipe, int64_t from, int64_t to)
{
    uint8_t data[4096];
    bool moved = drain_into(pipe, from, PIPE_MOST);
    ssize_t sent = pipe->len > 0 ? send(pipe->in, pipe->data, (size_t)pipe->len, MSG_NOSIGNAL) : 0;
    ssize_t seen;
    int32_t taken;

    if (sent > 0)
        gone(pipe, (int32_t)sent);
    seen = recv(pipe->out, data, sizeof data, MSG_PEEK);
    if (seen <= 0)
        return moved || sent > 0;
    taken = feed_from(to, data, (int32_t)seen);
    if (taken > 0 && recv(pipe->out, data, (size_t)taken, 0) != taken)
        ck_abort_msg("the socket gives less than it showed");
    return moved || sent > 0 || taken > 0;
}

bool pair_move(struct pair *pair)
{
    bool up, down;

    if (pair->room == 0) {
        up = move_by_socket(&pair->up, pair->client, pair->server);
        down = move_by_socket(&pair->down, pair->server, pair->client);
    } else {
        up = move_by_pipe(&pair->up, pair->client, pair->server, pair->room);
        down = move_by_pipe(&pair->down, pair->server, pair->client, pair->room);
    }
    return up || down;
}

static int32_t step(int64_t conn, int32_t before)
{
    int32_t result = before;

    if (before > TLSSHIM_E_HANDLE)
        result = tlsshim_conn_handshake(conn);
    if ((result == TLSSHIM_OK || result == TLSSHIM_WANT_FEED) && tlsshim_conn_pending_out(conn) != 0)
        ck_abort_msg("handshake gives %d though %d bytes wait to be drained", result, tlsshim_conn_pending_out(conn));
    if (result == TLSSHIM_WANT_DRAIN && tlsshim_conn_pending_out(conn) <= 0)
        ck_abort_msg("handshake wants a drain though nothing waits");
    return result;
}

static bool answered(int64_t conn, int32_t result, void (*answer)(int64_t conn, int32_t event))
{
    if (result != TLSSHIM_WANT_EVENT || answer == NULL)
        return false;
    answer(conn, tlsshim_conn_event(conn));
    return true;
}

void pair_handshake_asked(struct pair *pair, void (*answer)(int64_t conn, int32_t event))
{
    for (int steps = 0; steps < STEPS_MOST; steps++) {
        bool again;

        pair->client_result = step(pair->client, pair->client_result);
        pair->server_result = step(pair->server, pair->server_result);
        again = answered(pair->client, pair->client_result, answer);
        again = answered(pair->server, pair->server_result, answer) || again;
        if (!pair_move(pair) && !again)
            return;
    }
    ck_abort_msg("the handshake does not end: client %s, server %s", support_text(pair->client_result),
                 support_text(pair->server_result));
}

void pair_handshake(struct pair *pair)
{
    pair_handshake_asked(pair, NULL);
}

void pair_connect(struct pair *pair)
{
    pair_handshake(pair);
    ck_assert_msg(pair->client_result == TLSSHIM_OK && pair->server_result == TLSSHIM_OK, "client %s, server %s",
                  support_text(pair->client_result), support_text(pair->server_result));
}

void pair_settle(struct pair *pair)
{
    int steps = 0;

    while (pair_move(pair))
        if (++steps == STEPS_MOST)
            ck_abort_msg("bytes move for ever");
}

int32_t pair_read(struct pair *pair, bool by_client, void *data, int32_t cap)
{
    int64_t conn = by_client ? pair->client : pair->server;
    int32_t result = TLSSHIM_WANT_FEED;

    for (int steps = 0; steps < STEPS_MOST; steps++) {
        bool moved = pair_move(pair);

        result = tlsshim_conn_read(conn, data, cap);
        if (result == TLSSHIM_WANT_FEED && tlsshim_conn_pending_out(conn) != 0)
            ck_abort_msg("read wants a feed though bytes wait to be drained");
        if ((result != TLSSHIM_WANT_FEED && result != TLSSHIM_WANT_DRAIN) || !moved)
            return result;
    }
    ck_abort_msg("reading does not end: %s", support_text(result));
}

void pair_send(struct pair *pair, bool from_client, const void *data, int32_t len)
{
    static uint8_t back[65536];
    int64_t from = from_client ? pair->client : pair->server;
    int32_t written = 0, got = 0;

    for (int steps = 0; got < len; steps++) {
        int32_t result = written < len ? tlsshim_conn_write(from, (const uint8_t *)data + written, len - written) : 0;

        if (result < 0 && result != TLSSHIM_WANT_DRAIN)
            ck_abort_msg("write: %s", support_text(result));
        written += result > 0 ? result : 0;
        result = pair_read(pair, !from_client, back, (int32_t)sizeof back);
        if (result < 0 && result != TLSSHIM_WANT_FEED)
            ck_abort_msg("read: %s", support_text(result));
        if (result > 0 && (result > len - got || memcmp(back, (const uint8_t *)data + got, (size_t)result) != 0))
            ck_abort_msg("other bytes came than were written, at %d", got);
        got += result > 0 ? result : 0;
        if (steps == STEPS_MOST)
            ck_abort_msg("only %d of %d bytes arrive", got, len);
    }
}

int64_t number_of(int64_t conn, int32_t field)
{
    int64_t n = -12345;
    int32_t result = tlsshim_conn_number(conn, field, &n);

    return result == TLSSHIM_OK ? n : result;
}

const char *text_of(int64_t conn, int32_t field)
{
    static char texts[4][1024];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    int32_t len = tlsshim_conn_text(conn, field, text, (int32_t)sizeof texts[0] - 1);

    text[len > 0 ? len : 0] = 0;
    return text;
}

const char *error_text_of(int64_t result)
{
    static char text[1024];
    int32_t len = tlsshim_error_text(result, text, (int32_t)sizeof text - 1);

    text[len > 0 ? len : 0] = 0;
    return text;
}

int64_t error_number_of(int64_t result, int32_t field)
{
    int64_t n = -12345;
    int32_t answer = tlsshim_error_number(result, field, &n);

    return answer == TLSSHIM_OK ? n : answer;
}
