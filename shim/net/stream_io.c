#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include "../base/bytes.h"
#include "../base/code.h"
#include "../base/error.h"
#include "../tls/transport.h"
#include "job.h"

/* So much is sent before a call looks at its clock: a peer that takes all of it would hold the call past its time. */
enum { PIECE_MOST = 1 << 20 };

static const int64_t LOOK_AGAIN_NS = 20000000;

int32_t plain_failure(int errno_value, const char *what)
{
    switch (errno_value) {
    case EINTR:
        return TLSSHIM_OK;
    case EAGAIN:
        return TLSSHIM_WANT_FEED;
    case EBADF:
    case ENOTSOCK:
    case EFAULT:
    case EINVAL:
    case ENOBUFS:
    case ENOMEM:
        return error_system(errno_value, "%s", what);
    default:
        return error_system_as(TLSSHIM_E_RESET, errno_value, "%s", what);
    }
}

static int32_t go_handshake(struct stream *s, struct job *job)
{
    (void)job;
    return s->conn != 0 ? tlsshim_conn_handshake(s->conn) : TLSSHIM_OK;
}

static int32_t go_connect(struct stream *s, struct job *job)
{
    (void)s;
    (void)job;
    return TLSSHIM_OK;
}

static int32_t go_read(struct stream *s, struct job *job)
{
    ssize_t got;
    int32_t result;

    if (s->conn != 0)
        return tlsshim_conn_read(s->conn, job->room, job->len);
    do {
        got = recv(s->fd, job->room, (size_t)job->len, MSG_DONTWAIT);
        if (got >= 0)
            return (int32_t)got;
        result = plain_failure(errno, "receiving fails");
    } while (result == TLSSHIM_OK);
    return result;
}

int32_t plain_write(struct stream *s, const void *data, int32_t len)
{
    ssize_t sent;
    int32_t result;

    if (s->ended)
        return error_new(TLSSHIM_E_STATE, "nothing can be written after stream_shutdown");
    do {
        sent = send(s->fd, data, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0)
            return (int32_t)sent;
        result = plain_failure(errno, "sending fails");
    } while (result == TLSSHIM_OK);
    return result == TLSSHIM_WANT_FEED ? TLSSHIM_WANT_DRAIN : result;
}

static int32_t go_write(struct stream *s, struct job *job)
{
    int32_t result;

    while (job->done < job->len) {
        const uint8_t *data = job->data + job->done;
        int32_t len = job->len - job->done < PIECE_MOST ? job->len - job->done : PIECE_MOST;

        result = s->conn != 0 ? tlsshim_conn_write(s->conn, data, len) : plain_write(s, data, len);
        if (result <= 0)
            return result;
        job->done += result;
        result = job->done < job->len ? call_goes_on(job->call) : TLSSHIM_OK;
        if (result < 0)
            return result;
    }
    return TLSSHIM_OK;
}

static int32_t go_flush(struct stream *s, struct job *job)
{
    int32_t state = s->conn != 0 ? tlsshim_conn_state(s->conn) : 0;
    int32_t result;

    (void)job;
    if (state < 0 || (state & (TLSSHIM_STATE_OUTPUT_PENDING | TLSSHIM_STATE_HANDSHAKE_DONE)) == 0)
        return state < 0 ? state : TLSSHIM_OK;
    result = tlsshim_conn_handshake(s->conn);
    if (result == TLSSHIM_WANT_FEED && (state & TLSSHIM_STATE_HANDSHAKE_DONE) == 0)
        return TLSSHIM_OK; /* the handshake waits, and nothing is left to send */
    return result;
}

static int32_t go_shutdown(struct stream *s, struct job *job)
{
    (void)job;
    if (s->conn != 0)
        return tlsshim_conn_shutdown(s->conn);
    atomic_store(&s->ended, true);
    if (shutdown(s->fd, SHUT_WR) == 0)
        return TLSSHIM_OK;
    return plain_failure(errno, "shutting down fails");
}

/* The engine's state has changed under others who wait for what this call has taken out of the descriptor. */
static bool others_must_know(struct stream *s, const struct job *job, int32_t result)
{
    int32_t state = tlsshim_conn_state(s->conn);

    if (state < 0)
        return true;
    if (!s->shaken && (state & TLSSHIM_STATE_HANDSHAKE_DONE) != 0) {
        atomic_store(&s->shaken, true);
        for (int side = 0; side < STREAM_SIDES; side++)
            atomic_store(&s->wants[side], 0);
        return true;
    }
    if (result == TLSSHIM_WANT_EVENT || result < TLSSHIM_NONE)
        return true;
    return job->side == STREAM_IN && result >= 0 && (state & TLSSHIM_STATE_READABLE) != 0;
}

static int32_t job_try(struct call *call, struct stream *s, struct job *job)
{
    int32_t result;

    call_try(call);
    result = stream_connect_step(s);
    if (result == TLSSHIM_OK)
        result = job->go(s, job);
    if (s->conn != 0 && s->fd >= 0 && (!s->shaken || call_has_company(call)) && others_must_know(s, job, result))
        waiting_kick(&s->waiting);
    return result;
}

/* Output that the peer does not take is in a reader's way; but the peer may not take it because it waits for us to
 * read. So it waits for both, unless input is there and the engine cannot take it either. */
static short drain_events(struct stream *s, struct job *job, short seen)
{
    int64_t bytes_in = 0;

    if (job->side != STREAM_IN || !s->shaken)
        return POLLOUT;
    (void)tlsshim_conn_number(s->conn, TLSSHIM_CONN_BYTES_IN, &bytes_in);
    if (seen == POLLIN && bytes_in == job->bytes_in)
        return POLLOUT;
    job->bytes_in = bytes_in;
    return POLLIN | POLLOUT;
}

/* What to poll for after a result; 0 = the call is over. */
static short events_after(struct stream *s, struct job *job, int32_t result, short seen)
{
    switch (result) {
    case TLSSHIM_WANT_READ: /* connecting */
    case TLSSHIM_WANT_FEED:
        return POLLIN;
    case TLSSHIM_WANT_DRAIN:
        return drain_events(s, job, seen);
    default:
        return 0;
    }
}

static int32_t ready_of(short events)
{
    return ((events & POLLIN) != 0 ? TLSSHIM_READY_READ : 0) | ((events & POLLOUT) != 0 ? TLSSHIM_READY_WRITE : 0);
}

/* The handshake's limit ends a wait too: the engine then says E_DEADLINE. And a reader who looks at output alone looks
 * at input again soon, since kernels are allowed to announce input that is not there yet. */
static int64_t longest_wait(struct stream *s, const struct job *job, short events)
{
    int64_t left = s->conn != 0 && s->fd >= 0 && !s->shaken ? conn_time_left(s->conn) : INT64_MAX;

    if (job->side == STREAM_IN && s->shaken && events == POLLOUT)
        return LOOK_AGAIN_NS;
    return left < INT64_MAX / 1000000 ? left * 1000000 : INT64_MAX;
}

static int32_t job_loop(struct call *call, struct stream *s, struct job *job)
{
    short seen = 0;

    for (;;) {
        int32_t result = job_try(call, s, job);
        short events = events_after(s, job, result, seen);

        atomic_store(&s->wants[job->side], result == TLSSHIM_WANT_EVENT ? TLSSHIM_READY_EVENT : ready_of(events));
        if (events == 0)
            return result;
        if (!call->patient)
            return (events & POLLOUT) != 0 ? TLSSHIM_WANT_WRITE : TLSSHIM_WANT_READ;
        result = call_wait(call, stream_poll_fd(s), events, longest_wait(s, job, events), &seen);
        if (result < 0)
            return result;
    }
}

int32_t job_run(int64_t stream, struct job *job, int64_t timeout_ms)
{
    struct stream *s;
    struct call call;
    int32_t result = call_enter(&call, stream, &stream_kind, timeout_ms, (void **)&s);

    if (result < 0)
        return result;
    job->call = &call;
    result = job_loop(&call, s, job);
    call_leave(&call);
    return result;
}

int64_t job_outcome(int64_t done, int32_t result)
{
    return done > 0 && (result >= TLSSHIM_NONE || code_bare(result) != TLSSHIM_E_CLOSED) ? done : result;
}

int32_t stream_finish_connecting(int64_t stream, int64_t timeout_ms)
{
    struct job job = {.go = go_connect, .side = STREAM_IN};

    return job_run(stream, &job, timeout_ms);
}

int32_t tlsshim_stream_handshake(int64_t stream, int64_t timeout_ms)
{
    struct job job = {.go = go_handshake, .side = STREAM_IN};

    return job_run(stream, &job, timeout_ms);
}

int32_t tlsshim_stream_read(int64_t stream, void *data, int32_t data_cap, int64_t timeout_ms)
{
    struct job job = {.go = go_read, .side = STREAM_IN, .room = data, .len = data_cap};

    if (!bytes_room(data, data_cap, 1))
        return error_new(TLSSHIM_E_ARGUMENT, "read needs room for at least one byte");
    return job_run(stream, &job, timeout_ms);
}

int32_t tlsshim_stream_write(int64_t stream, const void *data, int32_t data_len, int64_t timeout_ms)
{
    struct job job = {.go = go_write, .side = STREAM_OUT};
    struct bytes in;
    int32_t result = bytes_in(data, data_len, INT_MAX, "data", &in);

    if (result < 0)
        return result;
    job.data = in.data;
    job.len = data_len;
    result = job_run(stream, &job, timeout_ms);
    return (int32_t)job_outcome(job.done, result);
}

int32_t tlsshim_stream_flush(int64_t stream, int64_t timeout_ms)
{
    struct job job = {.go = go_flush, .side = STREAM_OUT};

    return job_run(stream, &job, timeout_ms);
}

int32_t tlsshim_stream_shutdown(int64_t stream, int64_t timeout_ms)
{
    struct job job = {.go = go_shutdown, .side = STREAM_OUT};

    return job_run(stream, &job, timeout_ms);
}
