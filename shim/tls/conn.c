#include "conn.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "conn_settings.h"
#include "event.h"
#include "flow.h"
#include "watch.h"

int64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By way of the transport's BIO: application data of an SSL would be two more allocations of each connection. */
struct conn *conn_of(const SSL *ssl)
{
    char *transport = BIO_get_data(SSL_get_rbio(ssl));

    return (struct conn *)(void *)(transport - offsetof(struct conn, transport));
}

static void free_conn(void *object)
{
    struct conn *conn = object;

    if (!refs_drop(&conn->refs))
        return;
    events_free(conn->events); /* first, since a step may be parked inside the SSL */
    if (conn->ssl != NULL) {
        /* Else SSL_free would spoil the session, exported references included. */
        SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(conn->ssl);
    }
    for (int i = 0; i < conn->session_count; i++)
        SSL_SESSION_free(conn->sessions[i]);
    free(conn->sessions);
    if (conn->kept)
        error_release(conn->failure);
    transport_free(&conn->transport);
    queue_free(&conn->pile);
    setup_drop(conn->setup);
    context_drop(conn->context);
    psk_drop(conn->psk);
    buffer_free(&conn->offered);
    buffer_free(&conn->session_key);
    sk_X509_pop_free(conn->presented, X509_free);
    sk_X509_pop_free(conn->verified, X509_free);
    identity_drop(conn->identity);
    free(conn->verdict);
    free(conn->staple_fault);
    if (conn->server_name != conn->verify_name)
        free(conn->server_name);
    free(conn->verify_name);
    free(conn->alpn);
    turn_free(&conn->turn);
    bytes_wipe(conn, sizeof *conn);
    free(conn);
}

static int64_t memory_of(void *object)
{
    struct conn *conn = object;
    int64_t bytes = (int64_t)sizeof *conn + 12 * 1024; /* an SSL with its keys, as measured */

    if (!turn_take(&conn->turn))
        return bytes;
    bytes += (int64_t)(conn->transport.held.cap + conn->transport.left.cap + conn->pile.cap);
    turn_give(&conn->turn);
    return bytes;
}

const struct handle_kind conn_kind = {
    .number = TLSSHIM_KIND_CONN, .one_process = true, .free = free_conn, .memory = memory_of};

static int32_t busy_here(void)
{
    return error_new(TLSSHIM_E_STATE, "this thread is inside the connection already");
}

/* Where a fork or an exit stands before the gate, that is waited for without the turn, so that who is inside gets on.
 */
static int32_t enter_slowly(struct conn_call *call)
{
    int32_t result = visit_enter(&call->visit);

    if (result == TLSSHIM_OK && !turn_take(&call->conn->turn)) {
        visit_leave(&call->visit);
        result = busy_here();
    }
    return result;
}

/* Only application data is under way, and under TLS 1.3 no random numbers are drawn for it either. */
static enum visit_depth depth_of(const struct conn *conn)
{
    if (!conn->done || conn->failure != 0 || conn->tickets_due > 0 || event_parked(conn) || flow_midway(conn))
        return VISIT_DEEP;
    return conn->transport.fd < 0 && SSL_version(conn->ssl) == TLS1_3_VERSION ? VISIT_QUICK : VISIT_LIGHT;
}

static int32_t enter(int64_t handle, struct conn_call *call, bool flow)
{
    void *object;
    int32_t result = handle_pin(handle, &conn_kind, &object);

    if (result < 0)
        return result;
    call->handle = handle;
    call->conn = object;
    if (!turn_take(&call->conn->turn)) {
        result = busy_here();
    } else if (!visit_try(&call->visit, flow ? call->conn->depth : VISIT_DEEP)) {
        turn_give(&call->conn->turn);
        result = enter_slowly(call);
    }
    if (result < 0)
        handle_unpin(handle);
    else
        call->conn->visit = &call->visit;
    return result;
}

int32_t conn_enter(int64_t handle, struct conn_call *call)
{
    return enter(handle, call, false);
}

int32_t conn_enter_flow(int64_t handle, struct conn_call *call)
{
    return enter(handle, call, true);
}

static bool at_rest(const struct conn *conn)
{
    return conn->depth != VISIT_DEEP && conn->transport.fd < 0 && conn->transport.write_errno == 0 &&
           !conn->we_closed && !flow_key_worn(conn);
}

bool conn_enter_quickly(int64_t handle, struct conn_call *call)
{
    void *object;

    if (backend_exiting() || handle_pin(handle, &conn_kind, &object) < 0)
        return false;
    call->handle = handle;
    call->conn = object;
    if (turn_take(&call->conn->turn)) {
        if (at_rest(call->conn))
            return true;
        turn_give(&call->conn->turn);
    }
    handle_unpin(handle);
    return false;
}

void conn_leave_quickly(struct conn_call *call)
{
    turn_give(&call->conn->turn);
    handle_unpin(call->handle);
}

void conn_deepen(struct conn *conn)
{
    if (conn->visit != NULL) /* else it ends while a step was parked: closing is a whole visit */
        visit_deepen(conn->visit);
}

static void trim(struct conn *conn)
{
    if (conn->transport.held.len == 0 && conn->transport.held.cap > 0)
        queue_free(&conn->transport.held);
    if (conn->transport.left.len == 0 && conn->transport.left.cap > 0)
        queue_free(&conn->transport.left);
    if (conn->pile.len == 0 && conn->pile.cap > 0)
        queue_free(&conn->pile);
    if (conn->visit->deep)
        sealer_rest(&conn->transport.sealer);
    /* Data gives its buffer back by itself; a handshake message has made the backend set up those of both directions.
     */
    if (conn->done && conn->visit->deep && !event_parked(conn) && SSL_has_pending(conn->ssl) == 0)
        (void)SSL_free_buffers(conn->ssl);
}

void conn_leave(struct conn_call *call)
{
    request_settle(call->conn);
    if (call->conn->setup->settings.memory == TLSSHIM_POLICY_IDLE_SMALL)
        trim(call->conn);
    if (call->visit.deep)
        call->conn->depth = depth_of(call->conn);
    call->conn->visit = NULL;
    turn_give(&call->conn->turn);
    visit_leave(&call->visit);
    handle_unpin(call->handle);
}

int32_t conn_early(const struct conn *conn)
{
    if (conn->failure != 0)
        return conn->failure;
    return conn->begun ? error_new(TLSSHIM_E_STATE, "the handshake has begun, which is too late for this") : TLSSHIM_OK;
}

int32_t conn_enter_early(int64_t handle, struct conn_call *call)
{
    int32_t result = conn_enter(handle, call);

    if (result < 0)
        return result;
    result = conn_early(call->conn);
    if (result < 0)
        conn_leave(call);
    return result;
}

int32_t conn_yield(struct conn_call *call)
{
    struct transport *t = &call->conn->transport;
    struct transport mine = *t;

    /* Who enters meanwhile has buffers of its own. */
    t->in = NULL, t->in_len = 0, t->out = NULL, t->out_cap = 0, t->out_len = 0;
    turn_yield(&call->conn->turn);
    call->conn->visit = &call->visit;
    t->in = mine.in, t->in_len = mine.in_len, t->out = mine.out, t->out_cap = mine.out_cap, t->out_len = mine.out_len;
    return handle_closing(call->handle) ? error_new(TLSSHIM_E_CLOSED, "the connection was closed meanwhile")
                                        : TLSSHIM_OK;
}

bool conn_resumed(const struct conn *conn)
{
    return SSL_session_reused(conn->ssl) == 1 && !conn->first_by_psk;
}

struct session_span conn_span(const struct conn *conn)
{
    return conn_resumed(conn) ? conn->taken_up : conn->fresh;
}

int32_t conn_fail(struct conn *conn, int32_t result)
{
    if (conn->failure == 0) {
        conn->failure = result;
        conn->kept = error_keep(result);
        queue_free(&conn->pile);
    }
    return conn->failure;
}

int32_t conn_attach_ssl(struct conn *conn)
{
    SSL *ssl = SSL_new(conn->setup->ctx);
    BIO *bio = ssl == NULL ? NULL : transport_bio(&conn->transport, ssl);

    if (bio == NULL) {
        SSL_free(ssl);
        return error_backend(TLSSHIM_E_MEMORY, "no memory for a connection");
    }
    SSL_set_bio(ssl, bio, bio);
    conn->ssl = ssl;
    watch_install(conn);
    if (conn_server(conn))
        SSL_set_accept_state(conn->ssl);
    else
        SSL_set_connect_state(conn->ssl);
    return TLSSHIM_OK;
}

static int32_t prepare_events(struct conn *conn)
{
    int32_t events = conn->setup->settings.events;

    if (events == 0)
        return TLSSHIM_OK;
    if ((events & TLSSHIM_EVENT_HELLO) != 0 && !transport_record(&conn->transport))
        return TLSSHIM_E_MEMORY;
    conn->events = events_new();
    return conn->events != NULL ? TLSSHIM_OK : TLSSHIM_E_MEMORY;
}

static int64_t conn_new(struct context *context, struct bytes peer_name)
{
    struct conn *conn = calloc(1, sizeof *conn);
    int64_t result;

    if (conn == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&conn->refs);
    turn_init(&conn->turn);
    conn->depth = VISIT_DEEP;
    transport_init(&conn->transport);
    conn->pile.secret = true;
    conn->fresh.end = INT64_MAX;
    conn->context = context_ref(context);
    result = context_setup(context, &conn->setup);
    if (result == TLSSHIM_OK)
        result = prepare_events(conn);
    if (result == TLSSHIM_OK)
        result = conn_attach_ssl(conn);
    if (result == TLSSHIM_OK)
        result = conn_settings_init(conn, peer_name);
    if (result == TLSSHIM_OK)
        result = handle_new(&conn_kind, conn);
    if (result < 0)
        free_conn(conn);
    return result;
}

int64_t tlsshim_conn_new(int64_t context, const void *peer_name, int32_t peer_name_len)
{
    struct context *c;
    struct visit visit;
    struct bytes name;
    int64_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    result = visit_enter(&visit);
    if (result == TLSSHIM_OK) {
        result = text_in(peer_name, peer_name_len, NAME_MOST, "peer_name", &name);
        if (result == TLSSHIM_OK)
            result = conn_new(c, name);
        visit_leave(&visit);
    }
    handle_unpin(context);
    return result;
}
