/* The settings of a context: plain values, copied whole when a context freezes or is copied. */
#ifndef SHIM_TLS_SETTINGS_H
#define SHIM_TLS_SETTINGS_H

#include "../pki/trust.h"
#include "keylog.h"
#include "pin.h"
#include "psk_table.h"
#include "sni.h"
#include "tlsshim.h"

enum { SESSION_CACHE_AUTO = -1, SESSION_CACHE_SIZE = 20480 };

struct settings {
    int32_t role;
    struct trust *trust; /* NULL = the system's, of a client */
    struct sni_table identities;
    int32_t client_certificate;
    int32_t verify_flags;
    int32_t verify_depth;
    uint32_t insecure;
    int64_t chain_cache; /* seconds, 0 = off */
    struct pins pins;
    struct psk_table psks;
    int32_t staple_mode;
    bool post_handshake;
    int32_t security_level;
    int32_t version_min;
    int32_t version_max;
    char *ciphers;
    char *ciphersuites;
    char *groups;
    char *signatures;     /* accepted from the peer */
    char *own_signatures; /* made by this end */
    bool server_preference;
    uint8_t *alpn;
    size_t alpn_len;
    int32_t alpn_mode;
    int32_t tickets;
    int32_t session_cache; /* entries; SESSION_CACHE_AUTO of a server */
    int64_t session_lifetime;
    int64_t handshake_timeout;
    int32_t memory;
    int32_t events;                           /* mask */
    struct keylog *keylog;                    /* NULL = none */
    int32_t limits[TLSSHIM_LIMIT_OUTPUT + 1]; /* by their numbers */
};

/* False without memory. */
bool settings_init(struct settings *settings, int32_t role);
bool settings_copy(const struct settings *from, struct settings *to);
void settings_free(struct settings *settings);

static inline bool settings_server(const struct settings *settings)
{
    return settings->role == TLSSHIM_ROLE_SERVER;
}

#endif
