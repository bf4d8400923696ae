#include "../base/code.h"
#include "../base/error.h"
#include "event.h"
#include "failure.h"
#include "flow.h"

/* Records that carry no plaintext and are processed before others get their turn. */
enum { RECORDS_A_TURN = 32 };

static bool more_inside(const struct conn *conn)
{
    const struct transport *t = &conn->transport;

    return SSL_pending(conn->ssl) > 0 || t->held.len > 0 || t->in_len > 0 || t->framing.records > conn->records_read;
}

/* Tells of the call, not of the connection, which may be asked again. */
static bool passes(int32_t result)
{
    return code_bare(result) == TLSSHIM_E_CLOSED || code_bare(result) == TLSSHIM_E_LIMIT;
}

static int32_t look(void *argument)
{
    struct conn *conn = argument;
    char byte;
    int answer = SSL_peek(conn->ssl, &byte, 1);

    return answer > 0 ? TLSSHIM_OK : failure_of(conn, answer);
}

/* Looks at what comes next where that may be a request for a certificate, or its answer, and the host may have to be
 * asked within: OK where SSL_read may go on. */
static int32_t attend(struct conn *conn)
{
    int32_t begun, result = TLSSHIM_OK;

    if (!request_may_park(conn))
        return TLSSHIM_OK;
    conn_deepen(conn); /* not by the helper, whose thread is another */
    begun = event_step(conn, look, &result);
    return begun < 0 ? begun : result;
}

static bool turn_is_over(const struct conn *conn, uint64_t *began)
{
    if (conn->records_read - *began < RECORDS_A_TURN)
        return false;
    *began = conn->records_read;
    return true;
}

/* Reads until the buffer is full or nothing more is there. */
static int32_t read_records(struct conn_call *call, uint8_t *plain, size_t cap)
{
    struct conn *conn = call->conn;
    uint64_t turn = conn->records_read;
    size_t total = 0;
    int32_t result = TLSSHIM_WANT_FEED;

    while (total < cap && total < PLAIN_A_TURN) {
        size_t got;
        int answer;

        if (conn->transport.left.len > LEFT_BOUND)
            return total > 0 ? (int32_t)total : TLSSHIM_WANT_DRAIN;
        result = attend(conn);
        answer = result == TLSSHIM_OK ? SSL_read_ex(conn->ssl, plain + total, cap - total, &got) : 0;
        if (answer == 1) {
            total += got;
            conn->app_data_in = true;
            if (total == cap || !more_inside(conn))
                break;
            continue;
        }
        if (result == TLSSHIM_OK)
            result = failure_of(conn, answer);
        if (result != TLSSHIM_WANT_FEED || conn->transport.starved || total > 0)
            break;
        if (turn_is_over(conn, &turn) && (result = conn_yield(call)) < 0)
            break;
    }
    if (total > 0) {
        if (result < TLSSHIM_NONE && !conn->truncated && !passes(result))
            conn_fail(conn, result); /* for the next call: what came before it is given first */
        return (int32_t)total;
    }
    return result == TLSSHIM_WANT_FEED ? flow_want(conn) : result;
}

int32_t flow_settle(struct conn *conn)
{
    while (flow_midway(conn) && event_waiting(conn) == 0) {
        int32_t result = attend(conn);

        if (result == TLSSHIM_OK)
            result = look(conn);
        if (passes(result))
            return result;
        if (result < TLSSHIM_NONE)
            return conn->truncated ? result : conn_fail(conn, result);
        if (result == TLSSHIM_OK && conn->peer_closed)
            return error_new(TLSSHIM_E_PROTOCOL,
                             "the peer said goodbye within a message; nothing can be sent after it");
        if (result == TLSSHIM_OK || conn->transport.starved)
            break;
    }
    return TLSSHIM_OK;
}

static int32_t settle_read(struct conn *conn, int32_t result)
{
    flow_end(conn);
    if (result == TLSSHIM_WANT_FEED || result == TLSSHIM_WANT_DRAIN)
        return flow_want(conn);
    if (result >= TLSSHIM_NONE || conn->truncated) /* an end of the input alone: what is written may still go out */
        return result;
    return conn_fail(conn, result);
}

/* What a failed connection had decrypted before; else its first error. */
static int32_t rest(struct conn *conn, void *plain, int32_t plain_cap, bool take)
{
    int left = conn->done && !SSL_in_init(conn->ssl) ? SSL_pending(conn->ssl) : 0;
    int len = left < plain_cap ? left : plain_cap;

    if (len > 0)
        len = take ? SSL_read(conn->ssl, plain, len) : SSL_peek(conn->ssl, plain, len);
    return len > 0 ? len : conn->failure;
}

static int32_t flow_read(struct conn_call *call, void *plain, int32_t plain_cap)
{
    struct conn *conn = call->conn;
    int32_t result;

    if (conn->failure != 0)
        return rest(conn, plain, plain_cap, true);
    result = flow_handshake(conn);
    if (result == TLSSHIM_OK && event_waiting(conn) != 0)
        result = TLSSHIM_WANT_EVENT;
    if (result != TLSSHIM_OK)
        return result;
    result = read_records(call, plain, (size_t)plain_cap);
    if (passes(result))
        return result;
    return settle_read(conn, result);
}

static int32_t plain_out(const void *plain, int32_t plain_cap)
{
    if (bytes_room(plain, plain_cap, 1))
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_ARGUMENT, "reading needs room for at least one byte");
}

int32_t tlsshim_conn_read(int64_t conn, void *plain, int32_t plain_cap)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = plain_out(plain, plain_cap);
    if (result == TLSSHIM_OK) {
        flow_begin(call.conn);
        result = flow_read(&call, plain, plain_cap);
        flow_end(call.conn); /* the alert of a handshake that failed */
    }
    conn_leave(&call);
    return result;
}

static int32_t flow_peek(struct conn_call *call, void *plain, int32_t plain_cap)
{
    struct conn *conn = call->conn;
    uint64_t turn = conn->records_read;
    int32_t result;
    int answer;

    if (conn->failure != 0)
        return rest(conn, plain, plain_cap, false);
    result = flow_handshake(conn);
    if (result == TLSSHIM_OK && event_waiting(conn) != 0)
        result = TLSSHIM_WANT_EVENT;
    if (result != TLSSHIM_OK)
        return result;
    for (;;) {
        if (conn->transport.left.len > LEFT_BOUND)
            return TLSSHIM_WANT_DRAIN;
        result = attend(conn);
        if (result == TLSSHIM_OK) {
            answer = SSL_peek(conn->ssl, plain, plain_cap);
            if (answer > 0)
                return answer;
            result = failure_of(conn, answer);
        }
        if (passes(result))
            return result;
        if (result != TLSSHIM_WANT_FEED || conn->transport.starved)
            return settle_read(conn, result);
        if (turn_is_over(conn, &turn) && (result = conn_yield(call)) < 0)
            return result;
    }
}

int32_t tlsshim_conn_peek(int64_t conn, void *plain, int32_t plain_cap)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = plain_out(plain, plain_cap);
    if (result == TLSSHIM_OK) {
        flow_begin(call.conn);
        result = flow_peek(&call, plain, plain_cap);
        flow_end(call.conn);
    }
    conn_leave(&call);
    return result;
}

static int32_t flow_open(struct conn_call *call, struct bytes bytes, void *plain, int32_t plain_cap, int32_t *taken)
{
    struct conn *conn = call->conn;
    int32_t result = flow_not_on_fd(conn);

    if (result < 0)
        return result;
    transport_call(&conn->transport);
    conn->transport.in = bytes.data;
    conn->transport.in_len = (uint32_t)bytes.len;
    result = flow_read(call, plain, plain_cap);
    if (result >= 0 || result > TLSSHIM_E_HANDLE)
        *taken = (int32_t)(bytes.len - conn->transport.in_len);
    conn->transport.in = NULL;
    conn->transport.in_len = 0;
    return result;
}

int32_t tlsshim_conn_open(int64_t conn, const void *bytes, int32_t bytes_len, void *plain, int32_t plain_cap,
                          int32_t *taken)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = bytes_in(bytes, bytes_len, INT32_MAX, "bytes", &in);
    if (result == TLSSHIM_OK)
        result = plain_out(plain, plain_cap);
    if (result == TLSSHIM_OK && taken == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "the output taken is NULL");
    if (result == TLSSHIM_OK && in.len > 0 && call.conn->transport.ended && call.conn->failure == 0)
        result = error_new(TLSSHIM_E_STATE, "bytes after feed_end");
    if (result == TLSSHIM_OK)
        result = flow_open(&call, in, plain, plain_cap, taken);
    conn_leave(&call);
    return result;
}

static int32_t flow_feed(struct conn *conn, struct bytes bytes)
{
    struct transport *t = &conn->transport;
    size_t room = conn_limit(conn, TLSSHIM_LIMIT_INPUT) - t->held.len;
    size_t len = bytes.len < room ? bytes.len : room;
    int32_t result = flow_not_on_fd(conn);

    if (result < 0)
        return result;
    if (conn->failure != 0)
        return conn->failure;
    if (t->ended)
        return error_new(TLSSHIM_E_STATE, "bytes after feed_end");
    if (!queue_add(&t->held, bytes.data, len))
        return TLSSHIM_E_MEMORY;
    return (int32_t)len;
}

int32_t tlsshim_conn_feed(int64_t conn, const void *bytes, int32_t bytes_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = bytes_in(bytes, bytes_len, INT32_MAX, "bytes", &in);
    if (result == TLSSHIM_OK)
        result = flow_feed(call.conn, in);
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_feed_end(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = flow_not_on_fd(call.conn);
    if (result == TLSSHIM_OK && call.conn->failure != 0)
        result = call.conn->failure;
    if (result == TLSSHIM_OK)
        call.conn->transport.ended = true;
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_pending(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = SSL_pending(call.conn->ssl);
    conn_leave(&call);
    return result;
}

static bool readable(const struct conn *conn)
{
    const struct transport *t = &conn->transport;

    return SSL_pending(conn->ssl) > 0 || t->framing.records > conn->records_read || transport_has_record(t) ||
           t->ended || conn->peer_closed || conn->failure != 0;
}

int32_t tlsshim_conn_state(int64_t conn)
{
    struct conn_call call;
    const struct conn *c;
    int32_t state = 0;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    c = call.conn;
    state |= c->done ? TLSSHIM_STATE_HANDSHAKE_DONE : 0;
    state |= readable(c) ? TLSSHIM_STATE_READABLE : 0;
    state |= flow_pending(c) ? TLSSHIM_STATE_OUTPUT_PENDING : 0;
    state |= event_waiting(c) != 0 ? TLSSHIM_STATE_EVENT_PENDING : 0;
    state |= c->peer_closed ? TLSSHIM_STATE_PEER_CLOSED : 0;
    state |= c->we_closed ? TLSSHIM_STATE_WE_CLOSED : 0;
    state |= c->failure != 0 ? TLSSHIM_STATE_FAILED : 0;
    state |= c->transport.ended ? TLSSHIM_STATE_INPUT_ENDED : 0;
    conn_leave(&call);
    return state;
}
