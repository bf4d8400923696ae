#include "../base/error.h"
#include "address.h"
#include "listener.h"
#include "stream.h"

int64_t tlsshim_stream_fd(int64_t stream)
{
    struct stream *s;
    struct call call;
    int64_t result;

    if (handle_kind_of(stream) == TLSSHIM_KIND_LISTENER)
        return listener_fd(stream);
    result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);
    if (result < 0)
        return result;
    result = stream_poll_fd(s);
    call_leave(&call);
    return result;
}

int32_t tlsshim_stream_wants(int64_t stream)
{
    struct stream *s;
    struct call call;
    int32_t result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);

    if (result < 0)
        return result;
    result = s->wants[STREAM_IN] | s->wants[STREAM_OUT];
    call_leave(&call);
    return result;
}

/* False while connecting, and once the peer's address is no longer known. */
static bool end_of(const struct stream *s, bool peer, struct address *address)
{
    struct sockaddr *at = (struct sockaddr *)&address->at;

    address->len = sizeof address->at;
    return s->fd >= 0 && (peer ? getpeername(s->fd, at, &address->len) : getsockname(s->fd, at, &address->len)) == 0;
}

static int32_t field_check(int32_t field)
{
    if (field >= TLSSHIM_STREAM_PEER_ADDRESS && field <= TLSSHIM_STREAM_TLS)
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_ARGUMENT, "%d is no field of a stream", field);
}

static int32_t stream_text(struct stream *s, int32_t field, void *text, int32_t text_cap)
{
    struct address address;
    char said[ADDRESS_TEXT_CAP];
    bool peer = field == TLSSHIM_STREAM_PEER_ADDRESS;

    if ((!peer && field != TLSSHIM_STREAM_LOCAL_ADDRESS) || !end_of(s, peer, &address) || !address_text(&address, said))
        return TLSSHIM_NONE;
    return text_out(text, text_cap, said);
}

int32_t tlsshim_stream_text(int64_t stream, int32_t field, void *text, int32_t text_cap)
{
    struct stream *s;
    struct call call;
    int32_t result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);

    if (result < 0)
        return result;
    result = field_check(field);
    if (result == TLSSHIM_OK && !bytes_room(text, text_cap, 0))
        result = error_new(TLSSHIM_E_ARGUMENT, "text is no room of %d bytes", text_cap);
    if (result == TLSSHIM_OK)
        result = stream_text(s, field, text, text_cap);
    call_leave(&call);
    return result;
}

static int32_t stream_number(struct stream *s, int32_t field, int64_t *n)
{
    struct address address;
    bool peer = field == TLSSHIM_STREAM_PEER_PORT;

    if (field == TLSSHIM_STREAM_TLS) {
        *n = s->conn != 0;
        return TLSSHIM_OK;
    }
    if ((!peer && field != TLSSHIM_STREAM_LOCAL_PORT) || !end_of(s, peer, &address) || address_port(&address) == 0)
        return TLSSHIM_NONE;
    *n = address_port(&address);
    return TLSSHIM_OK;
}

int32_t tlsshim_stream_number(int64_t stream, int32_t field, int64_t *n)
{
    struct stream *s;
    struct call call;
    int32_t result = call_enter(&call, stream, &stream_kind, 0, (void **)&s);

    if (result < 0)
        return result;
    result = field_check(field);
    if (result == TLSSHIM_OK && n == NULL)
        result = error_new(TLSSHIM_E_ARGUMENT, "there is no place for the number");
    if (result == TLSSHIM_OK)
        result = stream_number(s, field, n);
    call_leave(&call);
    return result;
}
