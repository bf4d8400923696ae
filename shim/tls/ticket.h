/* Ticket keys of a context: given or automatic, changed while it serves. */
#ifndef SHIM_TLS_TICKET_H
#define SHIM_TLS_TICKET_H

#include <openssl/types.h>
#include <pthread.h>

#include "../base/bytes.h"

enum { TICKET_KEY_SIZE = 80, TICKET_KEYS_MOST = 16 };

struct ticket_key {
    uint8_t name[16];
    uint8_t mac[32];
    uint8_t cipher[32];
};

/* The first key seals, all open. */
struct ticket_ring {
    pthread_mutex_t lock;
    struct ticket_key keys[TICKET_KEYS_MOST];
    int count;
    bool given;        /* by the host: never rotated here */
    int64_t rotated;   /* milliseconds, monotonic */
    int64_t period_ms; /* of the automatic keys */
};

void ticket_ring_init(struct ticket_ring *ring);
void ticket_ring_free(struct ticket_ring *ring);
/* Makes the first automatic key, unless there are keys. */
int32_t ticket_ring_start(struct ticket_ring *ring);
/* Replaces all keys. */
void ticket_ring_give(struct ticket_ring *ring, struct bytes keys);
bool ticket_ring_given(struct ticket_ring *ring);
/* Of the automatic keys. */
void ticket_ring_rotate_every(struct ticket_ring *ring, int64_t seconds);
/* Sets the callback that seals and opens tickets with the ring of the connection's context. */
void ticket_install(SSL_CTX *ctx);

#endif
