/* A context's frozen configuration: what connections share. Immutable once made. */
#ifndef SHIM_TLS_SETUP_H
#define SHIM_TLS_SETUP_H

#include <openssl/types.h>

#include "../base/refs.h"
#include "settings.h"
#include "store.h"

enum { DIGEST_SIZE = 32 };

struct setup {
    struct refs refs;
    struct settings settings;
    struct trust *trust; /* the one in force, the system's included; NULL = nobody is asked for a certificate */
    SSL_CTX *ctx;
    EVP_MD *sha256;
    EVP_CIPHER *ticket_cipher;
    bool helped;                /* steps of the handshake may have to park: they run on helpers */
    bool stateful;              /* of a server: sessions stay in its cache, tickets only name them */
    uint8_t rules[DIGEST_SIZE]; /* digest over what every connection of this setup demands; see policy.h */
};

/* Freezes the parts and builds the rest. E_EMPTY: a server without an identity, or one that asks for certificates
 * without trust; no system anchors. */
int32_t setup_new(const struct settings *settings, struct store *store, struct setup **setup);
struct setup *setup_ref(struct setup *setup);
/* NULL is allowed. */
void setup_drop(struct setup *setup);

/* An SSL_CTX with every machine-wide default overridden by these settings, without identities: also to try words on. */
int32_t setup_ctx_new(const struct settings *settings, SSL_CTX **ctx);
/* E_WEAK, naming the offender, if what would be sent of an identity falls short of a security level. */
int32_t setup_check_identity(const struct identity *identity, int level) MUST_USE;
/* Installs one identity on an SSL_CTX or, with ctx NULL, on an SSL: E_WEAK, E_FORMAT, E_UNSUPPORTED. */
int32_t setup_use_identity(SSL_CTX *ctx, SSL *ssl, const struct identity *identity);
/* All identities of an entry on a connection. */
int32_t setup_use_entry(SSL *ssl, const struct sni_entry *entry);

#endif
