#include "stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/error.h"
#include "../tls/transport.h"

static void stream_closing(void *object)
{
    struct stream *s = object;

    waiting_kick(&s->waiting);
}

/* In a forked child, and at exit: the engine only forgets. */
static void stream_forget(void *object)
{
    struct stream *s = object;

    if (s->conn != 0)
        (void)tlsshim_close(s->conn);
    if (s->owns_fd && s->fd >= 0)
        close(s->fd);
    dial_free(s->dial);
    waiting_end(&s->waiting);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool said_goodbye(const struct stream *s)
{
    int32_t state = s->conn != 0 ? tlsshim_conn_state(s->conn) : 0;

    return s->ended || (state > 0 && (state & TLSSHIM_STATE_WE_CLOSED) != 0);
}

/* The kernel answers for a socket that is closed with input unread by a reset, which may cost the peer what it has not
 * yet got. After a goodbye that must not be; without one a reset says no more than the truth. */
static void discard_input(int fd)
{
    char some[16384];
    int most = 256; /* a peer that goes on sending holds nobody */

    while (most-- > 0 && recv(fd, some, sizeof some, MSG_DONTWAIT) > 0)
        continue;
}

static void stream_free(void *object)
{
    struct stream *s = object;

    if (s->owns_fd && s->fd >= 0 && said_goodbye(s))
        discard_input(s->fd);
    if (s->conn != 0 && s->fd >= 0)
        conn_detach_fd(s->conn); /* another handle of the engine may live on */
    if (s->kept)
        error_release(s->failure);
    stream_forget(s);
}

static int64_t stream_memory(void *object)
{
    struct stream *s = object;
    int64_t engine = s->conn != 0 ? tlsshim_memory(s->conn) : 0;
    int64_t bytes = (int64_t)sizeof *s + (engine > 0 ? engine : 0);

    if (pthread_mutex_trylock(&s->lock) == 0) { /* never waits: in a child the holder may be gone */
        if (s->dial != NULL)
            bytes += dial_memory(s->dial);
        pthread_mutex_unlock(&s->lock);
    }
    return bytes;
}

const struct handle_kind stream_kind = {
    .number = TLSSHIM_KIND_STREAM,
    .one_process = true,
    .closing = stream_closing,
    .free = stream_free,
    .forget = stream_forget,
    .memory = stream_memory,
};

int64_t stream_make(int64_t context, struct bytes peer_name, struct stream **stream)
{
    struct stream *s = calloc(1, sizeof *s);
    int64_t result = 0;

    if (s == NULL)
        return TLSSHIM_E_MEMORY;
    waiting_start(&s->waiting);
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->fd, -1);
    if (context != 0)
        result = tlsshim_conn_new(context, peer_name.data, (int32_t)peer_name.len);
    if (result >= 0) {
        atomic_init(&s->conn, result);
        result = handle_new(&stream_kind, s);
    }
    if (result < 0)
        stream_free(s);
    else
        *stream = s;
    return result;
}

int32_t stream_set_fd(struct stream *s, int fd, bool owns_fd)
{
    int32_t result = s->conn != 0 ? conn_attach_fd(s->conn, fd) : TLSSHIM_OK;

    if (result < 0)
        return result;
    s->owns_fd = owns_fd;
    atomic_store(&s->fd, fd);
    return TLSSHIM_OK;
}

/* s->lock is held. OK or an error: connecting is over. */
static int32_t connect_locked(struct stream *s)
{
    int fd = -1;
    int32_t result = dial_step(s->dial, &fd);

    if (result == TLSSHIM_WANT_READ)
        return result;
    if (result == TLSSHIM_OK) {
        result = stream_set_fd(s, fd, true);
        if (result < 0)
            close(fd);
    }
    if (result < 0) {
        s->failure = result;
        s->kept = error_keep(result);
    }
    for (int side = 0; side < STREAM_SIDES; side++)
        atomic_store(&s->wants[side], 0);
    waiting_kick(&s->waiting); /* others may poll the dial's descriptor */
    if (result == TLSSHIM_OK) {
        dial_free(s->dial);
        s->dial = NULL;
    }
    return result;
}

int32_t stream_connect_step(struct stream *s)
{
    int32_t result;

    if (atomic_load(&s->fd) >= 0)
        return TLSSHIM_OK;
    pthread_mutex_lock(&s->lock);
    if (s->fd >= 0)
        result = TLSSHIM_OK;
    else if (s->failure != 0)
        result = s->failure;
    else
        result = connect_locked(s);
    pthread_mutex_unlock(&s->lock);
    return result;
}

int stream_poll_fd(struct stream *s)
{
    int fd = atomic_load(&s->fd);

    if (fd >= 0)
        return fd;
    pthread_mutex_lock(&s->lock);
    fd = s->fd >= 0 ? s->fd : dial_fd(s->dial);
    pthread_mutex_unlock(&s->lock);
    return fd;
}

/* s->lock is held. */
static int32_t start_tls_locked(struct stream *s, int64_t context, struct bytes peer_name, struct bytes already_read)
{
    int64_t conn;
    int32_t result;

    if (s->conn != 0)
        return error_new(TLSSHIM_E_STATE, "the stream speaks TLS already");
    if (s->fd < 0)
        return error_new(TLSSHIM_E_STATE, "the stream still connects: finish that first (stream_handshake)");
    conn = tlsshim_conn_new(context, peer_name.data, (int32_t)peer_name.len);
    if (conn < 0)
        return (int32_t)conn;
    result = tlsshim_conn_feed(conn, already_read.data, (int32_t)already_read.len);
    if (result >= 0 && (size_t)result < already_read.len)
        result = error_new(TLSSHIM_E_LIMIT, "of the %zu bytes already read only %d fit", already_read.len, result);
    if (result >= 0)
        result = conn_attach_fd(conn, s->fd);
    if (result < 0)
        (void)tlsshim_close(conn);
    else
        atomic_store(&s->conn, conn);
    return result;
}

int32_t tlsshim_stream_start_tls(int64_t stream, int64_t context, const void *peer_name, int32_t peer_name_len,
                                 const void *already_read, int32_t already_read_len)
{
    struct stream *s;
    struct call call;
    struct bytes name, bytes;
    int32_t result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);

    if (result < 0)
        return result;
    result = handle_kind_of(context) == TLSSHIM_KIND_CONTEXT ? TLSSHIM_OK : TLSSHIM_E_HANDLE;
    if (result == TLSSHIM_OK)
        result = text_in(peer_name, peer_name_len, 255, "peer_name", &name);
    if (result == TLSSHIM_OK)
        result = bytes_in(already_read, already_read_len, 65536, "already_read", &bytes);
    if (result == TLSSHIM_OK) {
        pthread_mutex_lock(&s->lock);
        result = start_tls_locked(s, context, name, bytes);
        pthread_mutex_unlock(&s->lock);
    }
    call_leave(&call);
    return result;
}

int64_t tlsshim_stream_conn(int64_t stream)
{
    struct stream *s;
    struct call call;
    int64_t result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);

    if (result < 0)
        return result;
    result = s->conn != 0 ? conn_again(s->conn) : TLSSHIM_NONE;
    call_leave(&call);
    return result;
}
