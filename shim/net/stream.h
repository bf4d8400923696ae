/* A socket and, when it speaks TLS, the engine that uses it. */
#ifndef SHIM_NET_STREAM_H
#define SHIM_NET_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "../base/handle.h"
#include "call.h"
#include "dial.h"

/* What waits for the descriptor: reading (and the handshake) and writing, since one thread may do each. */
enum { STREAM_IN, STREAM_OUT, STREAM_SIDES };

struct stream {
    struct waiting waiting; /* first: see call_enter */
    pthread_mutex_t lock;   /* of dial, failure, and becoming TLS; never held across a wait */
    struct dial *dial;      /* until connected */
    atomic_int fd;          /* -1 until connected */
    _Atomic int64_t conn;   /* its engine; 0 = plain */
    atomic_int wants[STREAM_SIDES];
    atomic_bool shaken; /* the handshake was seen to be complete */
    atomic_bool ended;  /* plain: sending was shut down */
    bool owns_fd;
    int32_t failure; /* why connecting failed; its record is kept if `kept` */
    bool kept;
};

extern const struct handle_kind stream_kind;

/* A stream without descriptor, and its handle, which owns it. Context 0 = plain. */
int64_t stream_make(int64_t context, struct bytes peer_name, struct stream **stream);
/* Gives it its connected descriptor. */
int32_t stream_set_fd(struct stream *stream, int fd, bool owns_fd) MUST_USE;
/* OK when connected, else one step of connecting: WANT_READ (poll stream_fd), E_RESOLVE, E_CONNECT. */
int32_t stream_connect_step(struct stream *stream);
/* The descriptor to poll now. */
int stream_poll_fd(struct stream *stream);
/* Waits until connected: OK, TIMEOUT, E_CLOSED, E_RESOLVE, E_CONNECT. */
int32_t stream_finish_connecting(int64_t stream, int64_t timeout_ms) MUST_USE;

#endif
