/* For hosts that use the public functions alone: a server and a client that trust each other, and a handshake in
 * memory. A host that loads the library by hand defines TLSSHIM(name) before it includes this. */
#ifndef TESTS_SUPPORT_GUEST_H
#define TESTS_SUPPORT_GUEST_H

#include <stdint.h>
#include <string.h>

#include "tlsshim.h"

#ifndef TLSSHIM
#define TLSSHIM(name) tlsshim_##name
#endif

enum { GUEST_HANDLES = 6 };

union guest {
    struct {
        int64_t key, cert, identity, trust, server, client;
    };
    int64_t handle[GUEST_HANDLES];
};

static inline int64_t guest_close(union guest *guest)
{
    int64_t result = TLSSHIM_OK;

    for (int i = 0; i < GUEST_HANDLES; i++) {
        if (guest->handle[i] > 0 && TLSSHIM(close)(guest->handle[i]) != TLSSHIM_OK)
            result = TLSSHIM_E_HANDLE;
        guest->handle[i] = 0;
    }
    return result;
}

/* OK or the first error; what was made until then is for guest_close. */
static inline int64_t guest_make(union guest *guest)
{
    int64_t result;

    *guest = (union guest){0};
    if ((result = guest->key = TLSSHIM(key_generate)("P-256", 5)) < 0)
        return result;
    if ((result = guest->cert = TLSSHIM(cert_self_signed)(guest->key, "localhost", 9, 30)) < 0)
        return result;
    if ((result = guest->identity = TLSSHIM(identity_new)(guest->cert, guest->key)) < 0)
        return result;
    if ((result = guest->trust = TLSSHIM(trust_new)()) < 0)
        return result;
    if ((result = TLSSHIM(trust_add_cert)(guest->trust, guest->cert)) < 0)
        return result;
    if ((result = guest->server = TLSSHIM(context_new)(TLSSHIM_ROLE_SERVER)) < 0)
        return result;
    if ((result = TLSSHIM(context_add_identity)(guest->server, guest->identity, "", 0)) < 0)
        return result;
    if ((result = guest->client = TLSSHIM(context_new)(TLSSHIM_ROLE_CLIENT)) < 0)
        return result;
    result = TLSSHIM(context_set_trust)(guest->client, guest->trust);
    return result < 0 ? result : TLSSHIM_OK;
}

static inline int64_t guest_move(int64_t from, int64_t to)
{
    char bytes[20000];
    int32_t count = TLSSHIM(conn_drain)(from, bytes, (int32_t)sizeof bytes);

    for (int32_t at = 0, step = 1; count > 0 && at < count && step > 0; at += step) {
        step = TLSSHIM(conn_feed)(to, bytes + at, count - at);
        if (step < 0)
            return step;
    }
    return count < 0 ? count : TLSSHIM_OK;
}

/* OK, WANT_FEED, or an error. */
static inline int64_t guest_step(int64_t mine, int64_t other)
{
    int64_t result = TLSSHIM(conn_handshake)(mine);
    int64_t moved = guest_move(mine, other);

    return result == TLSSHIM_WANT_FEED || result == TLSSHIM_WANT_DRAIN || result >= 0 ? (moved < 0 ? moved : result)
                                                                                      : result;
}

static inline int64_t guest_talk(int64_t client, int64_t server)
{
    char plain[16] = "";
    int64_t ours = -1, theirs = -1, result;

    for (int turn = 0; turn < 20 && (ours != TLSSHIM_OK || theirs != TLSSHIM_OK); turn++) {
        ours = guest_step(client, server);
        theirs = guest_step(server, client);
        if (ours != TLSSHIM_OK && TLSSHIM(error_code)(ours) < -15)
            return ours;
        if (theirs != TLSSHIM_OK && TLSSHIM(error_code)(theirs) < -15)
            return theirs;
    }
    if (ours != TLSSHIM_OK || theirs != TLSSHIM_OK)
        return TLSSHIM_E_PROTOCOL;
    if ((result = TLSSHIM(conn_write)(client, "ping", 4)) < 0 || (result = guest_move(client, server)) < 0)
        return result;
    if ((result = TLSSHIM(conn_read)(server, plain, sizeof plain)) < 0)
        return result;
    return result == 4 && memcmp(plain, "ping", 4) == 0 ? TLSSHIM_OK : TLSSHIM_E_PROTOCOL;
}

/* A whole connection in memory: OK or the error of either side. */
static inline int64_t guest_connect(const union guest *guest)
{
    int64_t client = TLSSHIM(conn_new)(guest->client, "localhost", 9);
    int64_t server = TLSSHIM(conn_new)(guest->server, "", 0);
    int64_t result = client < 0 ? client : server < 0 ? server : guest_talk(client, server);

    if (client > 0)
        TLSSHIM(close)(client);
    if (server > 0)
        TLSSHIM(close)(server);
    return result;
}

#endif
