#include "listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/error.h"
#include "address.h"
#include "stream.h"

struct listener {
    struct waiting waiting; /* first: see call_enter */
    int fd;
    int32_t port;
};

static void listener_closing(void *object)
{
    struct listener *l = object;

    waiting_kick(&l->waiting);
}

static void listener_free(void *object)
{
    struct listener *l = object;

    if (l->fd >= 0)
        close(l->fd);
    waiting_end(&l->waiting);
    free(l);
}

static int64_t listener_memory(void *object)
{
    (void)object;
    return (int64_t)sizeof(struct listener);
}

static const struct handle_kind listener_kind = {
    .number = TLSSHIM_KIND_LISTENER,
    .closing = listener_closing,
    .free = listener_free,
    .forget = listener_free,
    .memory = listener_memory,
};

static int listen_at(const struct address *address, int32_t backlog)
{
    const int on = 1, off = 0;
    int failure;
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    bool all = address->at.ss_family == AF_INET6 &&
               IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)&address->at)->sin6_addr);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!all || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        bind(fd, (const struct sockaddr *)&address->at, address->len) == 0 && listen(fd, backlog) == 0)
        return fd;
    failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

/* Where there is no IPv6, all addresses are those of IPv4. */
static int listen_everywhere(int32_t port, int32_t backlog)
{
    struct address address;
    int fd = -1;

    if (address_parse("::", port, &address))
        fd = listen_at(&address, backlog);
    if (fd < 0 && errno != EADDRINUSE && errno != EACCES && address_parse("0.0.0.0", port, &address))
        fd = listen_at(&address, backlog);
    return fd;
}

static int32_t listener_open(struct listener *l, const char *host, int32_t port, int32_t backlog)
{
    struct address address = {.len = sizeof address.at};

    if (host[0] == 0)
        l->fd = listen_everywhere(port, backlog);
    else if (!address_parse(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, port, &address))
        return error_new(TLSSHIM_E_ARGUMENT, "%s is no address to listen on: names are not looked up here", host);
    else
        l->fd = listen_at(&address, backlog);
    address.len = sizeof address.at;
    if (l->fd < 0 || getsockname(l->fd, (struct sockaddr *)&address.at, &address.len) < 0)
        return error_system(errno, "cannot listen on %s port %d", host[0] == 0 ? "all addresses" : host, port);
    l->port = address_port(&address);
    return TLSSHIM_OK;
}

static int64_t listener_make(struct bytes host, int32_t port, int32_t backlog)
{
    char text[HOST_LIMIT + 1] = "";
    struct listener *l = calloc(1, sizeof *l);
    int64_t result;

    if (l == NULL)
        return TLSSHIM_E_MEMORY;
    memcpy(text, host.data, host.len);
    l->fd = -1;
    result = listener_open(l, text, port, backlog == 0 ? SOMAXCONN : backlog);
    waiting_start(&l->waiting);
    if (result == TLSSHIM_OK)
        result = handle_new(&listener_kind, l);
    if (result < 0)
        listener_free(l);
    return result;
}

int64_t tlsshim_listener_new(const void *host, int32_t host_len, int32_t port, int32_t backlog)
{
    struct bytes in;
    int32_t result = text_in(host, host_len, HOST_LIMIT, "host", &in);

    if (result == TLSSHIM_OK && (port < 0 || port > 65535))
        result = error_new(TLSSHIM_E_ARGUMENT, "port is %d: ports are 1 to 65535, 0 is any", port);
    if (result == TLSSHIM_OK && backlog < 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "backlog is %d: it is 1 or more, 0 is the system's most", backlog);
    return result < 0 ? result : listener_make(in, port, backlog);
}

int32_t tlsshim_listener_port(int64_t listener)
{
    struct listener *l;
    struct call call;
    int32_t result = call_enter(&call, listener, &listener_kind, 0, (void **)&l);

    if (result < 0)
        return result;
    result = l->port;
    call_leave(&call);
    return result;
}

int64_t listener_fd(int64_t listener)
{
    struct listener *l;
    struct call call;
    int64_t result = call_enter(&call, listener, &listener_kind, 0, (void **)&l);

    if (result < 0)
        return result;
    result = l->fd;
    call_leave(&call);
    return result;
}

/* WANT_READ when there is none. A connection that broke while it waited is passed over, and so is what the network
 * has to tell of it (accept(2)). */
static int32_t accept_one(struct listener *l, int *fd)
{
    const int on = 1;

    for (;;) {
        *fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (*fd >= 0) {
            setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return TLSSHIM_OK;
        }
        switch (errno) {
        case EAGAIN:
            return TLSSHIM_WANT_READ;
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ENETUNREACH:
            continue;
        default:
            return error_system(errno, "accepting on port %d fails", l->port);
        }
    }
}

/* The stream is made first, so that nothing can fail once a connection was taken. */
static int64_t accept_stream(struct listener *l, int64_t context)
{
    struct pollfd ready = {.fd = l->fd, .events = POLLIN};
    struct stream *s;
    int64_t stream;
    int32_t result;
    int fd;

    if (poll(&ready, 1, 0) == 0)
        return TLSSHIM_WANT_READ;
    stream = stream_make(context, (struct bytes){(const uint8_t *)"", 0}, &s);
    if (stream < 0)
        return stream;
    result = accept_one(l, &fd);
    if (result == TLSSHIM_OK) {
        result = stream_set_fd(s, fd, true);
        if (result < 0)
            close(fd);
    }
    if (result == TLSSHIM_OK)
        return stream;
    (void)tlsshim_close(stream);
    return result;
}

int64_t tlsshim_listener_accept(int64_t listener, int64_t context, int64_t timeout_ms)
{
    struct listener *l;
    struct call call;
    short seen;
    int64_t result = call_enter(&call, listener, &listener_kind, timeout_ms, (void **)&l);

    if (result < 0)
        return result;
    if (context != 0 && handle_kind_of(context) != TLSSHIM_KIND_CONTEXT)
        result = TLSSHIM_E_HANDLE;
    while (result == TLSSHIM_OK) {
        call_try(&call);
        result = accept_stream(l, context);
        if (result == TLSSHIM_WANT_READ && call.patient)
            result = call_wait(&call, l->fd, POLLIN, INT64_MAX, &seen);
    }
    call_leave(&call);
    return result;
}
