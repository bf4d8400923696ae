/* The bare backend as the other end of a connection: it does what our own end would never do. */
#ifndef TESTS_SUPPORT_BARE_H
#define TESTS_SUPPORT_BARE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct bare {
    SSL_CTX *ctx;
    SSL *ssl; /* NULL until bare_begin */
    BIO *in, *out;
    int alert; /* the last that it was sent; -1 = none */
    uint8_t got[256];
    int got_len; /* of what it has read */
};

/* With an identity (0 = none) and one version; the caller may still change ctx. */
struct bare *bare_new(bool client, int32_t version, int64_t identity);
/* Whom it trusts. */
void bare_trust(struct bare *bare, int64_t ca);
void bare_begin(struct bare *bare);
/* Both step (handshakes, then reads) until nothing moves. Gives the result of our end's handshake. */
int32_t bare_meet(struct bare *bare, int64_t conn);
/* Moves bytes and lets the bare end read, without a step of ours. */
void bare_move(struct bare *bare, int64_t conn);
void bare_free(struct bare *bare);

#endif
