#include "transport.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    RECORDS_A_CALL = 1024, /* then the call receives no more: its time may be up, and small messages take much of it */
    RECEIVE_COST = 16,     /* in records */
    HEADER = 5,
    RECORDS_AT_ONCE = 8,
};

/* How many bytes the record under way still wants, as far as its header tells, whose next bytes these may be; more than
 * there are if they do not tell. */
static size_t framing_left(const struct framing *framing, const uint8_t *next, size_t len)
{
    uint8_t header[HEADER];

    if (framing->have == 0 && len >= HEADER)
        return HEADER + ((size_t)next[3] << 8 | next[4]);
    if (framing->have >= HEADER)
        return HEADER + ((size_t)framing->header[3] << 8 | framing->header[4]) - framing->have;
    if (framing->have + len < HEADER)
        return len + 1;
    memcpy(header, framing->header, framing->have);
    memcpy(header + framing->have, next, HEADER - framing->have);
    return HEADER - framing->have + ((size_t)header[3] << 8 | header[4]);
}

/* Passes some whole records at the front, or all if there is none, and tells how many bytes that are. The backend moves
 * all that it has read ahead to the front of its buffer before each record, and may process all of it in one step,
 * while nobody else gets a turn: so it is given few at a time. */
static size_t framing_pass(struct framing *framing, const uint8_t *data, size_t len)
{
    size_t at = 0;

    for (int i = 0; i < RECORDS_AT_ONCE; i++) {
        size_t left = framing_left(framing, data + at, len - at);

        if (left > len - at)
            break;
        at += left;
        framing->have = 0;
        framing->records++;
    }
    if (at > 0)
        return at;
    if (framing->have < HEADER)
        memcpy(framing->header + framing->have, data, len < HEADER - framing->have ? len : HEADER - framing->have);
    framing->have += (uint32_t)len;
    return len;
}

bool transport_has_record(const struct transport *t)
{
    return t->held.len > 0 && framing_left(&t->framing, queue_front(&t->held), t->held.len) <= t->held.len;
}

bool transport_record(struct transport *t)
{
    t->recorded = calloc(1, sizeof *t->recorded);
    return t->recorded != NULL;
}

void transport_stop_recording(struct transport *t)
{
    if (t->recorded != NULL)
        queue_free(t->recorded);
    free(t->recorded);
    t->recorded = NULL;
}

bool transport_rewind(struct transport *t)
{
    if (t->recorded == NULL || !queue_add(t->recorded, queue_front(&t->held), t->held.len))
        return false;
    t->bytes_in -= (int64_t)(t->recorded->len - t->held.len);
    queue_free(&t->held);
    t->held = *t->recorded;
    free(t->recorded);
    t->recorded = NULL;
    t->framing = (struct framing){0};
    t->first_len = 0;
    return true;
}

/* So many of the bytes that wait go to the backend now. */
static size_t hand_on(struct transport *t, const uint8_t *data, size_t len)
{
    size_t first = FIRST_BYTES - (size_t)t->first_len;
    uint64_t records = t->framing.records;

    len = framing_pass(&t->framing, data, len);
    t->budget -= (int)(t->framing.records - records);
    t->bytes_in += (int64_t)len;
    if (t->recorded != NULL && !queue_add(t->recorded, data, len))
        transport_stop_recording(t);
    if (first > 0) {
        first = len < first ? len : first;
        memcpy(t->first + t->first_len, data, first);
        t->first_len = (uint8_t)(t->first_len + first);
    }
    return len;
}

/* Some of what was received is laid aside for later; without memory the backend gets it all. */
static size_t hand_on_received(struct transport *t, const uint8_t *data, size_t len)
{
    size_t now = hand_on(t, data, len);

    if (now < len && !queue_add(&t->held, data + now, len - now))
        while (now < len)
            now += hand_on(t, data + now, len - now);
    return now;
}

static int receive(struct transport *t, void *data, size_t len)
{
    ssize_t got;

    if (t->budget <= 0)
        return 0;
    t->budget -= RECEIVE_COST;
    do
        got = recv(t->fd, data, len, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return (int)got;
    if (got == 0)
        t->ended = true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        t->read_errno = errno;
    return 0;
}

static int transport_read(BIO *bio, char *data, int cap)
{
    struct transport *t = BIO_get_data(bio);
    size_t len = 0, most = cap > 0 ? (size_t)cap : 0;

    BIO_clear_retry_flags(bio);
    if (most == 0)
        return 0;
    if (t->held.len > 0) {
        len = hand_on(t, queue_front(&t->held), t->held.len < most ? t->held.len : most);
        memcpy(data, queue_front(&t->held), len);
        queue_skip(&t->held, len);
    } else if (t->in_len > 0) {
        len = hand_on(t, t->in, t->in_len < most ? t->in_len : most);
        memcpy(data, t->in, len);
        t->in += len;
        t->in_len -= (uint32_t)len;
    } else if (t->fd >= 0 && !t->ended && t->read_errno == 0) {
        len = hand_on_received(t, (const uint8_t *)data, (size_t)receive(t, data, most));
    }
    if (len > 0)
        return (int)len;
    if (t->ended)
        return 0;
    if (t->read_errno != 0)
        return -1;
    t->starved = true;
    BIO_set_retry_read(bio);
    return -1;
}

static void fill_out(struct transport *t)
{
    if (t->out_len < t->out_cap)
        t->out_len += (uint32_t)queue_take(&t->left, t->out + t->out_len, t->out_cap - t->out_len);
}

static bool seal(struct transport *t, int content_type, const uint8_t *plain, size_t len)
{
    size_t record = len + SEALER_OVERHEAD;
    bool direct = t->left.len == 0 && t->out_cap - t->out_len >= record;
    uint8_t *room = direct ? t->out + t->out_len : queue_room(&t->left, record);

    if (room == NULL || !sealer_seal(&t->sealer, content_type, plain, len, room)) {
        t->out_of_memory = room == NULL || t->sealer.keyed == NULL;
        return false;
    }
    t->bytes_out += (int64_t)record;
    t->records_out++, t->records_keyed++;
    if (direct) {
        t->out_len += (uint32_t)record;
    } else {
        t->left.len += (uint32_t)record;
        fill_out(t);
    }
    return true;
}

bool transport_seal(struct transport *t, const void *plain, size_t len)
{
    if (!seal(t, SSL3_RT_APPLICATION_DATA, plain, len))
        t->broken = true;
    return !t->broken;
}

static int refuse_write(struct transport *t)
{
    t->broken = true;
    return -1;
}

/* A record's plaintext from the backend. After a key update it seals itself. */
static int write_plain(struct transport *t, const char *data, int len)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(t->ssl);

    if (!seal(t, t->content_type, (const uint8_t *)data, (size_t)len))
        return refuse_write(t);
    if (t->content_type == SSL3_RT_HANDSHAKE && (state == TLS_ST_CW_KEY_UPDATE || state == TLS_ST_SW_KEY_UPDATE)) {
        sealer_end(&t->sealer);
        t->unasked = true;
    }
    t->content_type = SSL3_RT_APPLICATION_DATA;
    return len;
}

static int transport_write(BIO *bio, const char *data, int len)
{
    struct transport *t = BIO_get_data(bio);
    size_t direct = 0;

    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    if (t->broken || t->unasked)
        return refuse_write(t);
    if (t->sealer.on)
        return write_plain(t, data, len);
    if (t->left.len == 0 && t->out_len < t->out_cap) {
        direct = t->out_cap - t->out_len;
        if (direct > (size_t)len)
            direct = (size_t)len;
        memcpy(t->out + t->out_len, data, direct);
        t->out_len += (uint32_t)direct;
    }
    if (direct < (size_t)len && !queue_add(&t->left, data + direct, (size_t)len - direct)) {
        t->out_of_memory = true;
        return refuse_write(t);
    }
    t->bytes_out += len;
    return len;
}

/* The backend tells the content type of the next record. It keeps the place of that plaintext as if it were its buffer,
 * and must not, since it may seal the record after next itself. */
static long next_content_type(struct transport *t, long content_type)
{
    if (!t->sealer.on)
        return 0;
    t->content_type = (uint8_t)content_type;
    SSL_set_mode(t->ssl, SSL_MODE_RELEASE_BUFFERS);
    return 1;
}

static long transport_control(BIO *bio, int command, long number, void *pointer)
{
    struct transport *t = BIO_get_data(bio);

    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return t->ended && t->held.len == 0 && t->in_len == 0;
    case SEALER_OFFER:
        return number != 0 && sealer_take(&t->sealer, pointer);
    case BIO_CTRL_GET_KTLS_SEND:
        t->unasked = false;
        return t->sealer.on;
    case SEALER_CONTENT_TYPE:
        return next_content_type(t, number);
    default:
        return 0;
    }
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void method_make(void)
{
    int type = BIO_get_new_index();
    BIO_METHOD *made = type < 0 ? NULL : BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "tlsshim");

    if (made != NULL && BIO_meth_set_read(made, transport_read) == 1 &&
        BIO_meth_set_write(made, transport_write) == 1 && BIO_meth_set_ctrl(made, transport_control) == 1)
        method = made;
}

BIO *transport_bio(struct transport *transport, SSL *ssl)
{
    BIO *bio;

    pthread_once(&method_once, method_make);
    bio = method == NULL ? NULL : BIO_new(method);
    if (bio == NULL)
        return NULL;
    sealer_end(&transport->sealer);
    transport->ssl = ssl;
    transport->content_type = SSL3_RT_APPLICATION_DATA;
    BIO_set_data(bio, transport);
    BIO_set_init(bio, 1);
    return bio;
}

void transport_init(struct transport *transport)
{
    *transport = (struct transport){.fd = -1};
}

void transport_free(struct transport *transport)
{
    queue_free(&transport->held);
    queue_free(&transport->left);
    sealer_end(&transport->sealer);
    transport_stop_recording(transport);
}

void transport_call(struct transport *transport)
{
    transport->budget = RECORDS_A_CALL;
    transport->starved = false;
}

bool transport_flush(struct transport *t)
{
    while (t->fd >= 0 && t->left.len > 0 && t->write_errno == 0) {
        ssize_t sent = send(t->fd, queue_front(&t->left), t->left.len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent > 0)
            queue_skip(&t->left, (size_t)sent);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            t->write_errno = errno;
    }
    return t->left.len == 0;
}
