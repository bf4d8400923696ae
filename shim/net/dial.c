#include "dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "../base/error.h"
#include "address.h"
#include "call.h"
#include "lookup.h"

struct dial {
    char host[HOST_LIMIT + 1];
    int32_t port;
    int ready; /* an epoll of all that a step may wait for */
    int timer;
    struct lookup *lookup;
    struct address addresses[LOOKUP_ADDRESSES];
    int sockets[LOOKUP_ADDRESSES]; /* -1 = not tried yet, or failed */
    int count;
    int next;         /* the address to try next */
    int trying;       /* open sockets */
    int64_t next_at;  /* when, in nanoseconds */
    int last_failure; /* errno */
    struct buffer said;
};

static const int64_t STAGGER_NS = 250 * INT64_C(1000000);
static const int64_t CROWDED_NS = 20 * INT64_C(1000000);

static int32_t ready_add(struct dial *dial, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    if (epoll_ctl(dial->ready, EPOLL_CTL_ADD, fd, &event) == 0)
        return TLSSHIM_OK;
    return error_system(errno, "cannot wait for a connection to %s port %d", dial->host, dial->port);
}

static int32_t dial_open(struct dial *dial)
{
    dial->ready = epoll_create1(EPOLL_CLOEXEC);
    dial->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (dial->ready < 0 || dial->timer < 0)
        return error_system(errno, "no descriptor to connect to %s port %d", dial->host, dial->port);
    return ready_add(dial, dial->timer, EPOLLIN);
}

int32_t dial_new(struct bytes host, int32_t port, struct dial **dial)
{
    struct dial *made = calloc(1, sizeof *made);
    int32_t result;

    if (made == NULL)
        return TLSSHIM_E_MEMORY;
    memcpy(made->host, host.data, host.len);
    made->port = port;
    for (int i = 0; i < LOOKUP_ADDRESSES; i++)
        made->sockets[i] = -1;
    if (address_parse(made->host, port, &made->addresses[0]))
        made->count = 1;
    result = dial_open(made);
    if (result < 0)
        dial_free(made);
    else
        *dial = made;
    return result;
}

void dial_free(struct dial *dial)
{
    if (dial == NULL)
        return;
    for (int i = 0; i < dial->count; i++) {
        if (dial->sockets[i] >= 0)
            close(dial->sockets[i]);
    }
    if (dial->timer >= 0)
        close(dial->timer);
    if (dial->ready >= 0)
        close(dial->ready);
    lookup_drop(dial->lookup);
    buffer_free(&dial->said);
    free(dial);
}

int dial_fd(const struct dial *dial)
{
    return dial->ready;
}

int64_t dial_memory(const struct dial *dial)
{
    return (int64_t)(sizeof *dial + dial->said.cap);
}

/* Makes the timer, and so dial_fd, readable at a time. */
static void timer_set(struct dial *dial, int64_t at_ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(at_ns / 1000000000), .tv_nsec = (long)(at_ns % 1000000000)}};

    timerfd_settime(dial->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void note_failure(struct dial *dial, int at, int errno_value)
{
    char text[ADDRESS_TEXT_CAP] = "?";
    const char *reason = strerrordesc_np(errno_value);

    address_text(&dial->addresses[at], text);
    dial->last_failure = errno_value;
    if (strcmp(text, dial->host) != 0)
        buffer_format(&dial->said, "%s%s: %s", dial->said.len > 0 ? "; " : "", text, reason ? reason : "?");
    else
        buffer_text(&dial->said, reason ? reason : "?");
}

/* A socket bound to a port of the ephemeral range that nobody listens on can reach itself. */
static bool reaches_itself(int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;

    return getsockname(fd, (struct sockaddr *)&own, &own_len) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 && own_len == peer_len &&
           memcmp(&own, &peer, own_len) == 0;
}

/* OK: connected. WANT_READ: under way. Else it failed, the reason is noted. */
static int32_t socket_result(struct dial *dial, int at)
{
    struct pollfd state = {.fd = dial->sockets[at], .events = POLLOUT};
    int failure = 0;
    socklen_t len = sizeof failure;

    if (poll(&state, 1, 0) <= 0)
        return TLSSHIM_WANT_READ;
    getsockopt(dial->sockets[at], SOL_SOCKET, SO_ERROR, &failure, &len);
    if (failure == 0 && reaches_itself(dial->sockets[at]))
        failure = ECONNREFUSED;
    if (failure == 0)
        return TLSSHIM_OK;
    note_failure(dial, at, failure);
    close(dial->sockets[at]);
    dial->sockets[at] = -1;
    dial->trying--;
    return TLSSHIM_E_CONNECT;
}

/* Begins to connect to the next address; a failure is noted. Running out of descriptors is an error of its own. */
static int32_t try_next(struct dial *dial)
{
    int at = dial->next++;
    const struct address *to = &dial->addresses[at];
    int fd = socket(to->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    const int on = 1;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            return error_system(errno, "no socket to connect to %s port %d", dial->host, dial->port);
        note_failure(dial, at, errno);
        return TLSSHIM_OK;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&to->at, to->len) < 0 && errno != EINPROGRESS && errno != EINTR) {
        note_failure(dial, at, errno);
        close(fd);
        return TLSSHIM_OK;
    }
    dial->sockets[at] = fd;
    dial->trying++;
    dial->next_at = clock_ns() + STAGGER_NS;
    return ready_add(dial, fd, EPOLLOUT);
}

static int32_t all_failed(struct dial *dial)
{
    struct error_detail detail = error_detail_none();

    if (dial->said.failed)
        return TLSSHIM_E_MEMORY;
    error_say(&detail, "cannot connect to %s port %d: %.*s", dial->host, dial->port, (int)dial->said.len,
              (const char *)dial->said.data);
    detail.errno_value = dial->last_failure;
    detail.side = TLSSHIM_SIDE_TRANSPORT;
    return error_publish(TLSSHIM_E_CONNECT, &detail);
}

/* OK once the addresses are known. */
static int32_t resolve_step(struct dial *dial)
{
    int32_t result = TLSSHIM_OK;

    if (dial->count > 0)
        return TLSSHIM_OK;
    if (dial->lookup == NULL) {
        result = lookup_start(dial->host, dial->port, &dial->lookup);
        if (result == TLSSHIM_WANT_READ)
            timer_set(dial, clock_ns() + CROWDED_NS);
        if (result == TLSSHIM_OK)
            result = ready_add(dial, lookup_fd(dial->lookup), EPOLLIN);
        if (result < 0)
            return result;
    }
    result = lookup_result(dial->lookup, dial->addresses);
    if (result <= 0)
        return result == 0 ? error_new(TLSSHIM_E_RESOLVE, "host name %s has no address", dial->host) : result;
    dial->count = result;
    epoll_ctl(dial->ready, EPOLL_CTL_DEL, lookup_fd(dial->lookup), NULL);
    lookup_drop(dial->lookup);
    dial->lookup = NULL;
    return TLSSHIM_OK;
}

static int32_t race_step(struct dial *dial, int *fd)
{
    int32_t result;

    for (;;) {
        for (int i = 0; i < dial->next; i++) {
            if (dial->sockets[i] >= 0 && socket_result(dial, i) == TLSSHIM_OK) {
                *fd = dial->sockets[i];
                epoll_ctl(dial->ready, EPOLL_CTL_DEL, *fd, NULL);
                dial->sockets[i] = -1;
                return TLSSHIM_OK;
            }
        }
        if (dial->next == dial->count)
            return dial->trying > 0 ? TLSSHIM_WANT_READ : all_failed(dial);
        if (dial->trying > 0 && clock_ns() < dial->next_at) {
            timer_set(dial, dial->next_at);
            return TLSSHIM_WANT_READ;
        }
        result = try_next(dial);
        if (result < 0)
            return result;
    }
}

int32_t dial_step(struct dial *dial, int *fd)
{
    uint64_t expired;
    int32_t result;

    if (read(dial->timer, &expired, sizeof expired) < 0 && errno != EAGAIN && errno != EINTR)
        return error_system(errno, "cannot wait for a connection to %s port %d", dial->host, dial->port);
    result = resolve_step(dial);
    return result == TLSSHIM_OK ? race_step(dial, fd) : result;
}
