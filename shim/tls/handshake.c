#include <time.h>

#include "../base/error.h"
#include "event.h"
#include "failure.h"
#include "flow.h"
#include "policy.h"
#include "psk.h"
#include "replay.h"
#include "resume.h"

int32_t flow_want(const struct conn *conn)
{
    return flow_pending(conn) ? TLSSHIM_WANT_DRAIN : TLSSHIM_WANT_FEED;
}

int32_t flow_want_midway(const struct conn *conn)
{
    return event_waiting(conn) != 0 ? TLSSHIM_WANT_EVENT : flow_want(conn);
}

void flow_begin(struct conn *conn)
{
    transport_call(&conn->transport);
    if (conn->transport.fd >= 0)
        transport_flush(&conn->transport);
}

void flow_end(struct conn *conn)
{
    if (conn->transport.fd < 0)
        return;
    if (conn->pile.len > 0)
        flow_seal_kept(conn);
    transport_flush(&conn->transport);
}

/* The first error of a connection that sends in vain, unless the peer said before why. */
int32_t flow_sending_failed(struct conn *conn)
{
    char byte;
    int answer;

    if (conn->failure == 0 && !event_parked(conn) && !conn->truncated && conn->transport.read_errno == 0) {
        answer = conn->done ? SSL_peek(conn->ssl, &byte, 1) : SSL_do_handshake(conn->ssl);
        if (answer <= 0) {
            int32_t result = failure_of(conn, answer);

            if (result < 0 && result != TLSSHIM_WANT_FEED && !conn->truncated)
                return conn_fail(conn, result);
        }
    }
    if (conn->failure != 0)
        return conn->failure;
    return error_system_as(TLSSHIM_E_RESET, conn->transport.write_errno, "sending to the peer failed");
}

int32_t flow_on_fd(void)
{
    return error_new(TLSSHIM_E_STATE, "the connection belongs to a stream, which moves its bytes");
}

/* A server's rules follow when the hello tells the identity. */
static int32_t begin_client(struct conn *conn)
{
    int32_t result = policy_conn_rules(conn, NULL, conn->rules);

    if (result == TLSSHIM_OK && conn->session_offered == NULL)
        resume_offer(conn);
    return result;
}

static int32_t begin(struct conn *conn)
{
    const struct settings *s = &conn->setup->settings;

    if (!conn_server(conn) && conn->verify_name == NULL &&
        (s->insecure & (TLSSHIM_INSECURE_NAME | TLSSHIM_INSECURE_CHAIN)) == 0)
        return conn_fail(conn, error_new(TLSSHIM_E_ARGUMENT, "a client needs the name of its peer to verify (conn_new, "
                                                             "conn_set_verify_name)"));
    conn->begun = true;
    conn->begun_at = clock_ms();
    conn->fresh.full_at = time(NULL);
    return conn_server(conn) ? TLSSHIM_OK : begin_client(conn);
}

static int32_t complete(struct conn *conn)
{
    int32_t result = verify_protocol(conn);
    bool resumed;

    if (result < 0) {
        (void)SSL_shutdown(conn->ssl); /* it is too late for an alert of our own */
        return result;
    }
    psk_complete(conn);
    resumed = conn_resumed(conn);
    conn->done = true;
    conn->done_at = clock_ms();
    /* A key is as fast as a ticket, which would forget whose it was. */
    if (conn_server(conn) && SSL_version(conn->ssl) >= TLS1_3_VERSION && conn->setup->settings.tickets > 0 &&
        !conn->by_psk)
        conn->tickets_due = resumed ? 1 : (uint8_t)conn->setup->settings.tickets;
    resume_renewed(conn);
    atomic_fetch_add(resumed ? &conn->context->counters.resumptions : &conn->context->counters.handshakes, 1);
    return TLSSHIM_OK;
}

static int32_t steps(void *argument)
{
    struct conn *conn = argument;
    int32_t result;
    int answer;

    do {
        answer = SSL_do_handshake(conn->ssl);
        result = answer == 1 ? complete(conn) : failure_of(conn, answer);
    } while (result == TLSSHIM_WANT_FEED && !conn->transport.starved);
    return result;
}

/* E_DEADLINE: nobody answers any more, so what is parked gives up. */
static int32_t too_late(struct conn *conn)
{
    int32_t result = conn_fail(conn, error_new(TLSSHIM_E_DEADLINE, "the handshake took longer than %lld ms%s",
                                               (long long)conn->setup->settings.handshake_timeout,
                                               event_waiting(conn) != 0 ? "; it waited for the host to answer" : ""));

    event_abandon(conn);
    return result;
}

/* What must be before another step may be made. */
static int32_t ready_to_step(struct conn *conn)
{
    int32_t result = conn->begun ? TLSSHIM_OK : begin(conn);

    if (result < 0)
        return result;
    if (clock_ms() - conn->begun_at > conn->setup->settings.handshake_timeout)
        return too_late(conn);
    if (event_waiting(conn) != 0)
        return TLSSHIM_WANT_EVENT;
    if (conn->events != NULL && conn->events->context != NULL) {
        result = replay_hello(conn);
        if (result < 0)
            return conn_fail(conn, result);
    }
    if (conn->transport.left.len > LEFT_BOUND)
        return TLSSHIM_WANT_DRAIN;
    if (conn->transport.write_errno == 0)
        return TLSSHIM_OK;
    result = conn_fail(conn, flow_sending_failed(conn));
    event_abandon(conn);
    return result;
}

int32_t flow_handshake_step(struct conn *conn)
{
    int32_t begun;
    int32_t result = ready_to_step(conn);

    if (result < 0)
        return result;
    begun = event_step(conn, steps, &result);
    flow_end(conn); /* the alert of a failure, too */
    if (begun < 0)
        return begun;
    if (result < TLSSHIM_NONE)
        return conn_fail(conn, result);
    if (event_waiting(conn) != 0)
        return TLSSHIM_WANT_EVENT;
    return result == TLSSHIM_WANT_FEED ? flow_want(conn) : result;
}

/* What a connection wants whose handshake is complete. */
static int32_t still_wanted(struct conn *conn)
{
    if (event_waiting(conn) != 0)
        return TLSSHIM_WANT_EVENT;
    if (conn->transport.write_errno != 0 && conn->transport.left.len > 0)
        return flow_sending_failed(conn); /* of what was taken before */
    if (flow_pending(conn))
        return TLSSHIM_WANT_DRAIN;
    return flow_midway(conn) && conn->pile.len > 0 ? TLSSHIM_WANT_FEED : TLSSHIM_OK;
}

int32_t tlsshim_conn_handshake(int64_t conn)
{
    struct conn_call call;
    int32_t result = conn_enter(conn, &call);

    if (result < 0)
        return result;
    flow_begin(call.conn);
    result = flow_handshake(call.conn);
    if (result == TLSSHIM_OK)
        result = flow_settle(call.conn);
    flow_end(call.conn);
    if (result == TLSSHIM_OK)
        result = still_wanted(call.conn);
    conn_leave(&call);
    return result;
}
