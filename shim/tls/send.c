#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "event.h"
#include "failure.h"
#include "flow.h"

/* A failure of this end, whatever the peer does. */
static int32_t sealing_failed(struct conn *conn, const char *what)
{
    int32_t stopped = backend_stopped();

    conn_deepen(conn); /* a light visit would leave the backend's errors to the host */
    if (stopped < 0)
        return conn_fail(conn, stopped);
    if (conn->transport.out_of_memory)
        return conn_fail(conn, TLSSHIM_E_MEMORY);
    return conn_fail(conn, error_backend(TLSSHIM_E_INTERNAL, "%s cannot be sealed", what));
}

/* Tickets go out right before the first bytes: a peer that only sends never has to read them. */
static int32_t send_tickets(struct conn *conn)
{
    int32_t result;

    if (conn->tickets_due == 0 || flow_midway(conn)) /* then they come another time */
        return TLSSHIM_OK;
    result = flow_fresh_key(conn);
    if (result < 0)
        return result;
    while (conn->tickets_due > 0) {
        conn->tickets_due--;
        if (SSL_new_session_ticket(conn->ssl) != 1) {
            conn->tickets_due = 0; /* a client that takes none */
            return TLSSHIM_OK;
        }
    }
    return SSL_do_handshake(conn->ssl) == 1 ? TLSSHIM_OK : sealing_failed(conn, "a session ticket");
}

/* Seals one record; what the caller's buffer does not hold waits in the transport. */
static int32_t seal_record(struct conn *conn, const void *plain, size_t len)
{
    size_t written;
    int answer;
    int32_t result = flow_fresh_key(conn);

    if (result < 0)
        return result;
    if (conn->transport.sealer.on)
        return transport_seal(&conn->transport, plain, len) ? TLSSHIM_OK : sealing_failed(conn, "a record");
    answer = SSL_write_ex(conn->ssl, plain, len, &written);
    return answer == 1 ? TLSSHIM_OK : conn_fail(conn, failure_of(conn, answer));
}

/* The plaintext of one record that is sent. */
static size_t record_most(const struct conn *conn)
{
    return conn_limit(conn, TLSSHIM_LIMIT_SEND_FRAGMENT);
}

static bool room_out(const struct transport *t)
{
    return t->left.len == 0 && t->out_len < t->out_cap;
}

/* How much of the gathered plaintext may be sealed now: whole records only while corked. */
static size_t sealable(const struct conn *conn)
{
    if (!conn->done || conn->failure != 0 || flow_midway(conn))
        return 0;
    return conn->corked ? conn->pile.len - conn->pile.len % record_most(conn) : conn->pile.len;
}

bool flow_pending(const struct conn *conn)
{
    return conn->transport.write_errno == 0 && (conn->transport.left.len > 0 || sealable(conn) > 0);
}

/* Seals so much of the gathered plaintext, or as long as the caller's buffer has room. */
static int32_t seal_pile(struct conn *conn, size_t len, bool while_room)
{
    int32_t result = TLSSHIM_OK;

    while (len > 0 && result == TLSSHIM_OK && (!while_room || room_out(&conn->transport))) {
        size_t step = len < record_most(conn) ? len : record_most(conn);

        result = seal_record(conn, queue_front(&conn->pile), step);
        if (result == TLSSHIM_OK) {
            queue_skip(&conn->pile, step);
            len -= step;
        }
    }
    return result;
}

void flow_seal_kept(struct conn *conn)
{
    if (conn->transport.left.len < conn_limit(conn, TLSSHIM_LIMIT_OUTPUT))
        (void)seal_pile(conn, sealable(conn), false); /* a failure is the connection's, and told by its next call */
}

/* How much of so much plaintext the bound of the output still allows, or what is wanted before there is room. */
static int32_t admitted(const struct conn *conn, size_t len)
{
    size_t most = conn_limit(conn, TLSSHIM_LIMIT_OUTPUT);
    size_t room = conn->transport.left.len < most ? most - conn->pile.len : 0;

    if (len > 0 && room == 0)
        return flow_midway(conn) ? flow_want_midway(conn) : flow_want(conn);
    return (int32_t)(len < room ? len : room);
}

static int32_t take_plain(struct conn *conn, struct bytes plain)
{
    int32_t len = admitted(conn, plain.len);

    if (len <= 0)
        return len;
    return queue_add(&conn->pile, plain.data, (size_t)len) ? len : TLSSHIM_E_MEMORY;
}

/* Seals from the caller's memory. */
static int32_t seal_at_once(struct conn *conn, struct bytes plain)
{
    int32_t result = admitted(conn, plain.len);
    size_t len = result > 0 ? (size_t)result : 0;

    for (size_t done = 0, step; done < len && result >= 0; done += step) {
        step = len - done < record_most(conn) ? len - done : record_most(conn);
        result = seal_record(conn, plain.data + done, step);
    }
    return result < 0 ? result : (int32_t)len;
}

/* A descriptor takes what it can at once; at most one pile of sealed bytes waits for it. */
static int32_t write_through(struct conn *conn, struct bytes plain)
{
    int32_t taken, result;

    if (conn->pile.len == 0 && !conn->corked && !flow_midway(conn))
        return seal_at_once(conn, plain);
    taken = take_plain(conn, plain);
    if (taken <= 0)
        return taken;
    result = seal_pile(conn, sealable(conn), false);
    return result < 0 ? result : taken;
}

int32_t flow_writable(struct conn *conn)
{
    int32_t result = flow_handshake(conn);

    if (result != TLSSHIM_OK)
        return result;
    if (conn->we_closed)
        return error_new(TLSSHIM_E_STATE, "writing after shutdown");
    if (flow_key_worn(conn))
        return error_new(TLSSHIM_E_LIMIT,
                         "the key of this connection has protected as much as is safe, and %s cannot "
                         "change it: connect anew, or use TLS 1.3",
                         SSL_get_version(conn->ssl));
    return flow_settle(conn);
}

static int32_t flow_write(struct conn *conn, struct bytes plain)
{
    int32_t result = flow_writable(conn);

    if (result == TLSSHIM_OK && conn->transport.write_errno != 0)
        return flow_sending_failed(conn);
    if (result == TLSSHIM_OK && plain.len > 0)
        result = send_tickets(conn);
    if (result != TLSSHIM_OK)
        return result;
    return conn->transport.fd >= 0 ? write_through(conn, plain) : take_plain(conn, plain);
}

int32_t tlsshim_conn_write(int64_t conn, const void *plain, int32_t plain_len)
{
    struct conn_call call;
    struct bytes in;
    int32_t result;

    if (bytes_room(plain, plain_len, 1) && conn_enter_quickly(conn, &call)) {
        result = take_plain(call.conn, (struct bytes){plain, (size_t)plain_len});
        conn_leave_quickly(&call);
        return result;
    }
    result = conn_enter_flow(conn, &call);
    if (result < 0)
        return result;
    result = bytes_in(plain, plain_len, INT32_MAX, "plain", &in);
    if (result == TLSSHIM_OK) {
        flow_begin(call.conn);
        result = flow_write(call.conn, in);
        flow_end(call.conn);
    }
    conn_leave(&call);
    return result;
}

static void out_begin(struct conn *conn, void *bytes, int32_t bytes_cap)
{
    struct transport *t = &conn->transport;

    t->out = bytes;
    t->out_cap = (uint32_t)bytes_cap;
    t->out_len = t->left.len > 0 ? (uint32_t)queue_take(&t->left, bytes, t->out_cap) : 0;
}

static int32_t out_end(struct conn *conn)
{
    struct transport *t = &conn->transport;
    size_t len = t->out_len;

    t->out = NULL;
    t->out_cap = t->out_len = 0;
    return (int32_t)len;
}

static int32_t flow_drain(struct conn *conn, void *bytes, int32_t bytes_cap)
{
    int32_t result = flow_not_on_fd(conn);

    if (result < 0)
        return result;
    out_begin(conn, bytes, bytes_cap);
    result = seal_pile(conn, sealable(conn), true);
    bytes_cap = out_end(conn);
    return bytes_cap > 0 || result == TLSSHIM_OK ? bytes_cap : result;
}

int32_t tlsshim_conn_drain(int64_t conn, void *bytes, int32_t bytes_cap)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    if (!bytes_room(bytes, bytes_cap, 1))
        result = error_new(TLSSHIM_E_ARGUMENT, "drain needs room for at least one byte");
    else
        result = flow_drain(call.conn, bytes, bytes_cap);
    conn_leave(&call);
    return result;
}

/* Seals from the caller's buffer into the caller's buffer, once nothing gathered stands before it. */
static int32_t seal_direct(struct conn *conn, struct bytes plain, size_t *taken)
{
    int32_t result = send_tickets(conn);

    if (result == TLSSHIM_OK && conn->pile.len > 0)
        result = seal_pile(conn, sealable(conn), true);
    while (result == TLSSHIM_OK && *taken < plain.len && *taken < PLAIN_A_TURN && conn->pile.len == 0 &&
           room_out(&conn->transport)) {
        size_t len = plain.len - *taken < record_most(conn) ? plain.len - *taken : record_most(conn);

        result = seal_record(conn, plain.data + *taken, len);
        *taken += result == TLSSHIM_OK ? len : 0;
    }
    return result;
}

static int32_t seal_plain(struct conn *conn, struct bytes plain, size_t *used)
{
    int32_t result = flow_writable(conn);

    if (result != TLSSHIM_OK)
        return result;
    if (flow_midway(conn))
        return event_waiting(conn) != 0 ? TLSSHIM_WANT_EVENT : TLSSHIM_WANT_FEED;
    if (!conn->corked)
        return seal_direct(conn, plain, used);
    result = send_tickets(conn);
    if (result == TLSSHIM_OK)
        result = take_plain(conn, plain);
    if (result < 0 && result != TLSSHIM_WANT_DRAIN)
        return result;
    *used = result > 0 ? (size_t)result : 0;
    return seal_pile(conn, sealable(conn), true);
}

static int32_t flow_seal_call(struct conn *conn, struct bytes plain, void *bytes, int32_t bytes_cap, int32_t *taken)
{
    int32_t result = flow_not_on_fd(conn);
    int32_t count;
    size_t used = 0;

    if (result < 0)
        return result;
    if (plain.len > 0 && conn->failure != 0)
        return conn->failure;
    out_begin(conn, bytes, bytes_cap);
    if (plain.len > 0)
        result = seal_plain(conn, plain, &used);
    else if (conn->done || conn->failure != 0)
        result = seal_pile(conn, sealable(conn), true);
    else
        result = flow_handshake(conn);
    count = out_end(conn);
    if (count > 0 || result == TLSSHIM_OK || result == TLSSHIM_WANT_DRAIN)
        result = count;
    if (result >= 0 || result > TLSSHIM_E_HANDLE)
        *taken = (int32_t)used;
    return result;
}

/* Plaintext that lies where its records will is moved out of the way, so much as one call takes. */
static int32_t move_away(struct bytes *plain, const uint8_t *bytes, int32_t bytes_cap, uint8_t **copy)
{
    *copy = NULL;
    if (plain->data >= bytes + bytes_cap || bytes >= plain->data + plain->len)
        return TLSSHIM_OK;
    if (plain->len > PLAIN_A_TURN)
        plain->len = PLAIN_A_TURN;
    *copy = malloc(plain->len);
    if (*copy == NULL)
        return TLSSHIM_E_MEMORY;
    memcpy(*copy, plain->data, plain->len);
    plain->data = *copy;
    return TLSSHIM_OK;
}

int32_t tlsshim_conn_seal(int64_t conn, const void *plain, int32_t plain_len, void *bytes, int32_t bytes_cap,
                          int32_t *taken)
{
    struct conn_call call;
    struct bytes in;
    uint8_t *copy;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = bytes_in(plain, plain_len, INT32_MAX, "plain", &in);
    if (result == TLSSHIM_OK && !bytes_room(bytes, bytes_cap, 1))
        result = error_new(TLSSHIM_E_ARGUMENT, "seal needs room for at least one byte");
    if (result == TLSSHIM_OK && taken == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "the output taken is NULL");
    if (result == TLSSHIM_OK)
        result = move_away(&in, bytes, bytes_cap, &copy);
    if (result == TLSSHIM_OK) {
        result = flow_seal_call(call.conn, in, bytes, bytes_cap, taken);
        if (copy != NULL)
            bytes_wipe(copy, in.len);
        free(copy);
    }
    conn_leave(&call);
    return result;
}

static int32_t flow_shutdown(struct conn *conn)
{
    int32_t result;

    if (conn->failure != 0)
        return conn->failure;
    if (!conn->done)
        return error_new(TLSSHIM_E_STATE, "there is no connection to shut down before the handshake is complete");
    result = conn->we_closed ? TLSSHIM_OK : flow_settle(conn);
    if (result < 0)
        return result;
    if (!conn->we_closed && flow_midway(conn))
        return flow_want_midway(conn);
    if (!conn->we_closed) {
        result = seal_pile(conn, conn->pile.len, false);
        if (result < 0)
            return result;
        if (SSL_shutdown(conn->ssl) < 0)
            return conn_fail(conn, error_backend(TLSSHIM_E_INTERNAL, "the goodbye cannot be sealed"));
        conn->we_closed = true;
    }
    flow_end(conn);
    if (conn->transport.write_errno != 0)
        return flow_sending_failed(conn);
    return flow_pending(conn) ? TLSSHIM_WANT_DRAIN : TLSSHIM_OK;
}

int32_t tlsshim_conn_shutdown(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    flow_begin(call.conn);
    result = flow_shutdown(call.conn);
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_cork(int64_t conn, int32_t on)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    if (on != 0 && on != 1) {
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    } else if (call.conn->failure != 0) {
        result = call.conn->failure;
    } else {
        call.conn->corked = on == 1;
        if (on == 0 && call.conn->transport.fd >= 0) {
            result = seal_pile(call.conn, sealable(call.conn), false);
            flow_end(call.conn);
        }
    }
    conn_leave(&call);
    return result;
}

int32_t tlsshim_conn_pending_out(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter_flow(conn, &call);

    if (result < 0)
        return result;
    result = seal_pile(call.conn, sealable(call.conn), false);
    if (call.conn->transport.left.len > 0 || result == TLSSHIM_OK)
        result = (int32_t)call.conn->transport.left.len; /* bounded, far below the type */
    conn_leave(&call);
    return result;
}
