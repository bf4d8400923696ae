/* What lies between OpenSSL and the caller's memory, or a descriptor: the BIO.
 *
 * Reads come straight from the caller's buffer (after what was fed before) or from the descriptor; writes go straight
 * into the caller's buffer while it has room. What does not fit waits in `left`. A write is never refused but for
 * want of memory, which ends all writing: who drives OpenSSL looks at how much is left first, so that no record is ever
 * cut and no alert lost. */
#ifndef SHIM_TLS_TRANSPORT_H
#define SHIM_TLS_TRANSPORT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/queue.h"
#include "sealer.h"

/* The framing of the records that went through (RFC 8446 section 5.1). */
struct framing {
    uint8_t header[5];
    uint32_t have;    /* bytes of the current record, header included */
    uint64_t records; /* complete ones */
};

enum { FIRST_BYTES = 16 };

struct transport {
    const uint8_t *in; /* the caller's, during a call */
    uint8_t *out;      /* the caller's, during a call */
    uint32_t in_len;
    uint32_t out_cap;
    uint32_t out_len;
    int fd;            /* or -1 */
    struct queue held; /* fed, not yet read */
    struct queue left; /* written, not yet drained */
    struct sealer sealer;
    SSL *ssl; /* whose BIO this is; looked at by the sealer's part alone */
    struct framing framing;
    int budget;   /* what one call may still receive from the descriptor, in records */
    bool starved; /* the last read found nothing */
    bool ended;   /* nothing more will come */
    bool out_of_memory;
    bool broken;          /* a write failed, and what OpenSSL would write again must not come after it */
    bool unasked;         /* since the sealer's end OpenSSL has not asked who seals */
    uint8_t content_type; /* of the plaintext that the backend writes next */
    int read_errno;       /* the descriptor's direction is dead of this */
    int write_errno;
    uint32_t records_keyed; /* since the last change of the sending key */
    uint8_t first_len;
    uint8_t first[FIRST_BYTES]; /* what the peer said first, to tell what it speaks */
    struct queue *recorded;     /* all that was read so far; NULL = it is not kept */
    int64_t bytes_in;
    int64_t bytes_out;
    uint64_t records_out;
};

/* The largest pile of pending output at which another step may be made. */
enum { LEFT_BOUND = 256 * 1024 };

void transport_init(struct transport *transport);
void transport_free(struct transport *transport);
/* A new BIO over it, for that connection; NULL without memory. */
BIO *transport_bio(struct transport *transport, SSL *ssl);
/* Seals application data as one record; only while sealer.on. False as sealer_seal, which is not to be gone on from. */
bool transport_seal(struct transport *transport, const void *plain, size_t len);
/* A call begins: it may receive so often from the descriptor, and has found nothing missing yet. */
void transport_call(struct transport *transport);
/* Keeps from now on what is read; false without memory. */
bool transport_record(struct transport *transport);
/* Makes all that was recorded the next to be read again, and stops recording; false if it was lost for memory. */
bool transport_rewind(struct transport *transport);
/* Forgets what was recorded. */
void transport_stop_recording(struct transport *transport);
/* True if the bytes that wait complete at least one record. */
bool transport_has_record(const struct transport *transport);
/* Descriptor only: sends what is left, without waiting. True if nothing is left. */
bool transport_flush(struct transport *transport);

/* For streams: from now on the engine receives from and sends to this descriptor itself, without waiting. WANT_FEED
 * then asks for readability and WANT_DRAIN for writability; feed and drain are E_STATE. What was fed comes first.
 * The descriptor stays the caller's, who calls conn_detach_fd before closing it: from then on the transport has ended.
 */
int32_t conn_attach_fd(int64_t conn, int fd);
void conn_detach_fd(int64_t conn);
/* Another handle of the same connection; closing either leaves the other as it is. */
int64_t conn_again(int64_t conn);
/* Milliseconds until the handshake's time is up; INT64_MAX before it has begun and once it is over. */
int64_t conn_time_left(int64_t conn);

#endif
