#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/error.h"
#include "address.h"
#include "stream.h"

static int32_t host_in(const void *data, int32_t len, struct bytes *host)
{
    int32_t result = text_in(data, len, HOST_LIMIT, "host", host);

    if (result == TLSSHIM_OK && host->len == 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "host is empty");
    return result;
}

/* What a certificate for this host would say: no dot at the end, no zone of an address. A server that dials has no
 * name to expect of its client. */
static int32_t peer_name_of(struct bytes host, int64_t context, struct bytes *name)
{
    const uint8_t *zone = memchr(host.data, '%', host.len);
    int64_t role = TLSSHIM_ROLE_CLIENT;
    int32_t result = TLSSHIM_OK;

    *name = (struct bytes){(const uint8_t *)"", 0};
    if (context != 0)
        result = tlsshim_context_number(context, TLSSHIM_CONTEXT_ROLE, &role);
    if (result < 0 || context == 0 || role != TLSSHIM_ROLE_CLIENT)
        return result;
    *name = host;
    if (zone != NULL)
        name->len = (size_t)(zone - host.data);
    else if (host.data[host.len - 1] == '.')
        name->len--;
    return TLSSHIM_OK;
}

/* Servers on other ports of a host are other servers: each has sessions of its own. */
static int32_t name_sessions(int64_t conn, struct bytes name, int32_t port)
{
    char key[HOST_LIMIT + 16];
    int len = snprintf(key, sizeof key, "%.*s:%d", (int)name.len, (const char *)name.data, port);

    return name.len == 0 ? TLSSHIM_OK : tlsshim_conn_set_session_key(conn, key, len);
}

static void close_handle(void *handle)
{
    (void)tlsshim_close(*(int64_t *)handle);
}

/* A thread that is cancelled meanwhile leaves no handle. */
static int32_t finish_guarded(int64_t *stream, int64_t timeout_ms)
{
    int32_t result;

    pthread_cleanup_push(close_handle, stream);
    result = stream_finish_connecting(*stream, timeout_ms);
    pthread_cleanup_pop(0);
    return result;
}

static int64_t finish_or_close(int64_t stream, int64_t timeout_ms)
{
    int32_t result = finish_guarded(&stream, timeout_ms);

    if (result == TLSSHIM_OK)
        return stream;
    (void)tlsshim_close(stream);
    return result;
}

int64_t tlsshim_stream_connect(const void *host, int32_t host_len, int32_t port, int64_t context, int64_t timeout_ms)
{
    struct bytes host_bytes, name;
    struct dial *dial;
    struct stream *s;
    int64_t stream;
    int32_t result = host_in(host, host_len, &host_bytes);

    if (result == TLSSHIM_OK && (port < 1 || port > 65535))
        result = error_new(TLSSHIM_E_ARGUMENT, "port is %d: ports are 1 to 65535", port);
    if (result == TLSSHIM_OK && timeout_ms < 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "timeout_ms is %lld: a duration is 0 or more", (long long)timeout_ms);
    if (result == TLSSHIM_OK)
        result = peer_name_of(host_bytes, context, &name);
    if (result == TLSSHIM_OK)
        result = dial_new(host_bytes, port, &dial);
    if (result < 0)
        return result;
    stream = stream_make(context, name, &s);
    if (stream < 0) {
        dial_free(dial);
        return stream;
    }
    s->dial = dial;
    if (s->conn != 0)
        result = name_sessions(s->conn, name, port);
    if (result < 0) {
        (void)tlsshim_close(stream);
        return result;
    }
    if (timeout_ms > 0)
        return finish_or_close(stream, timeout_ms);
    (void)stream_connect_step(s); /* sets out; what comes of it is told by the next call */
    return stream;
}

static int32_t fd_in(int64_t fd)
{
    int type = 0, listening = 0;
    socklen_t len = sizeof type;

    if (fd < 0 || fd > INT_MAX)
        return error_new(TLSSHIM_E_ARGUMENT, "fd is %lld: no descriptor", (long long)fd);
    if (getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
        return error_system_as(TLSSHIM_E_ARGUMENT, errno, "descriptor %lld is no socket", (long long)fd);
    if (type != SOCK_STREAM)
        return error_new(TLSSHIM_E_ARGUMENT, "descriptor %lld is no stream socket", (long long)fd);
    len = sizeof listening;
    if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening != 0)
        return error_new(TLSSHIM_E_ARGUMENT, "descriptor %lld listens: adopt what accept(2) gives", (long long)fd);
    return TLSSHIM_OK;
}

int64_t tlsshim_stream_adopt(int64_t fd, int64_t context, const void *peer_name, int32_t peer_name_len, int32_t fd_rule)
{
    struct bytes name;
    struct stream *s;
    int64_t stream;
    int32_t result = fd_in(fd);

    if (result == TLSSHIM_OK)
        result = text_in(peer_name, peer_name_len, 255, "peer_name", &name);
    if (result == TLSSHIM_OK && fd_rule != TLSSHIM_FD_KEEP && fd_rule != TLSSHIM_FD_TAKE)
        result = error_new(TLSSHIM_E_ARGUMENT, "fd_rule is %d: KEEP is 1, TAKE 2", fd_rule);
    if (result == TLSSHIM_OK && context == 0 && name.len > 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "a plain stream verifies no peer name: give a context, or no name");
    if (result < 0)
        return result;
    stream = stream_make(context, name, &s);
    if (stream < 0)
        return stream;
    result = stream_set_fd(s, (int)fd, fd_rule == TLSSHIM_FD_TAKE);
    if (result < 0) {
        (void)tlsshim_close(stream);
        return result;
    }
    if (fd_rule == TLSSHIM_FD_TAKE)
        fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return stream;
}
