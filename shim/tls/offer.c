/* What a context offers beside words: protocols, preference, tickets, and its limits. */
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "alpn.h"
#include "context.h"

enum { TICKETS_MOST = 16, CACHE_MOST = 10000000, ROTATION_LEAST = 60 };
static const int64_t LIFETIME_MOST = 604800; /* RFC 8446 section 4.6.1 */
static const int64_t HANDSHAKE_MS_MOST = 3600000;

static int32_t set_alpn(struct settings *s, struct bytes list, int32_t mode)
{
    uint8_t *copy = NULL;

    if (list.len > 0) {
        copy = malloc(list.len);
        if (copy == NULL)
            return TLSSHIM_E_MEMORY;
        memcpy(copy, list.data, list.len);
    }
    free(s->alpn);
    s->alpn = copy;
    s->alpn_len = list.len;
    s->alpn_mode = mode;
    return TLSSHIM_OK;
}

int32_t tlsshim_context_set_alpn(int64_t context, const void *wire, int32_t wire_len, int32_t mode)
{
    struct change change;
    struct bytes list;
    int32_t result = change_begin(context, "context_set_alpn", &change);

    if (result < 0)
        return result;
    result = alpn_in(wire, wire_len, "wire", &list);
    if (result == TLSSHIM_OK && (mode < TLSSHIM_ALPN_CONTINUE || mode > TLSSHIM_ALPN_REQUIRE))
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no ALPN mode", mode);
    if (result == TLSSHIM_OK)
        result = set_alpn(change.settings, list, mode);
    return change_end(&change, result);
}

int32_t tlsshim_context_set_tickets(int64_t context, int32_t count)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_tickets", &change);

    if (result < 0)
        return result;
    if (count < 0 || count > TICKETS_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d tickets are not within 0..%d", count, TICKETS_MOST);
    else if (!settings_server(change.settings))
        result = error_new(TLSSHIM_E_STATE, "only a server gives tickets");
    else
        change.settings->tickets = count;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_session_cache(int64_t context, int32_t entries)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_session_cache", &change);

    if (result < 0)
        return result;
    if (entries < 0 || entries > CACHE_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a cache of %d sessions is not within 0..%d", entries, CACHE_MOST);
    else
        change.settings->session_cache = entries;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_server_preference(int64_t context, int32_t on)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_server_preference", &change);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    else if (!settings_server(change.settings))
        result =
            error_new(TLSSHIM_E_STATE, "only a server chooses by preference; a client's order is that of its lists");
    else
        change.settings->server_preference = on == 1;
    return change_end(&change, result);
}

static int32_t needs_server(const struct context *context)
{
    return settings_server(&context->settings) ? TLSSHIM_OK : error_new(TLSSHIM_E_STATE, "only a server seals tickets");
}

int32_t tlsshim_context_set_ticket_keys(int64_t context, const void *keys, int32_t keys_len)
{
    struct context *c = NULL;
    struct bytes in;
    int32_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    result = bytes_in(keys, keys_len, TICKET_KEYS_MOST * TICKET_KEY_SIZE, "keys", &in);
    if (result == TLSSHIM_OK && (in.len == 0 || in.len % TICKET_KEY_SIZE != 0))
        result = error_new(TLSSHIM_E_FORMAT, "ticket keys are %d bytes each; %zu bytes are no whole number of them",
                           TICKET_KEY_SIZE, in.len);
    if (result == TLSSHIM_OK)
        result = needs_server(c);
    if (result == TLSSHIM_OK)
        ticket_ring_give(&c->store->ring, in);
    handle_unpin(context);
    return result;
}

int32_t tlsshim_context_set_ticket_rotation(int64_t context, int64_t period)
{
    struct context *c = NULL;
    int32_t result = context_pin(context, &c);

    if (result < 0)
        return result;
    if (period < ROTATION_LEAST || period > LIFETIME_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a period of %lld s is not within %d..%lld", (long long)period,
                           ROTATION_LEAST, (long long)LIFETIME_MOST);
    else
        result = needs_server(c);
    if (result == TLSSHIM_OK)
        ticket_ring_rotate_every(&c->store->ring, period);
    handle_unpin(context);
    return result;
}

int32_t tlsshim_context_set_early_data(int64_t context, int32_t on)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_early_data", &change);

    if (result < 0)
        return result;
    if (on == 1)
        result = error_new(TLSSHIM_E_UNSUPPORTED, "early data (0-RTT) can be replayed by anybody on the path, and is "
                                                  "therefore not offered (RFC 8446 section 8)");
    else if (on != 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    return change_end(&change, result);
}

int32_t tlsshim_context_set_session_lifetime(int64_t context, int64_t lifetime)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_session_lifetime", &change);

    if (result < 0)
        return result;
    if (lifetime < 1 || lifetime > LIFETIME_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a lifetime of %lld s is not within 1..%lld", (long long)lifetime,
                           (long long)LIFETIME_MOST);
    else
        change.settings->session_lifetime = lifetime;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_memory(int64_t context, int32_t policy)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_memory", &change);

    if (result < 0)
        return result;
    if (policy != TLSSHIM_POLICY_IDLE_SMALL && policy != TLSSHIM_POLICY_BUSY_FAST)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no memory policy", policy);
    else
        change.settings->memory = policy;
    return change_end(&change, result);
}

static const struct range {
    const char *name;
    int32_t least, most;
} ranges[] = {
    [TLSSHIM_LIMIT_SEND_FRAGMENT] = {"plaintext of a record", 512, 16384},
    [TLSSHIM_LIMIT_PEER_CHAIN] = {"chain of the peer", 1024, 16 * 1024 * 1024},
    [TLSSHIM_LIMIT_INPUT] = {"bytes fed and not yet read", 64 * 1024, 16 * 1024 * 1024},
    [TLSSHIM_LIMIT_OUTPUT] = {"bytes written and not yet sealed", 64 * 1024, 16 * 1024 * 1024},
};

static int32_t set_limit(struct settings *s, int32_t limit, int64_t n)
{
    const struct range *range;

    if (limit < TLSSHIM_LIMIT_SEND_FRAGMENT || limit > TLSSHIM_LIMIT_OUTPUT)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no limit of a context", limit);
    range = &ranges[limit];
    if (n < range->least || n > range->most)
        return error_new(TLSSHIM_E_ARGUMENT, "a limit of %lld bytes (%s) is not within %d..%d", (long long)n,
                         range->name, range->least, range->most);
    s->limits[limit] = (int32_t)n;
    return TLSSHIM_OK;
}

int32_t tlsshim_context_set_limit(int64_t context, int32_t limit, int64_t n)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_limit", &change);

    if (result < 0)
        return result;
    return change_end(&change, set_limit(change.settings, limit, n));
}

int32_t tlsshim_context_set_handshake_timeout(int64_t context, int64_t ms)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_handshake_timeout", &change);

    if (result < 0)
        return result;
    if (ms < 1 || ms > HANDSHAKE_MS_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a handshake time of %lld ms is not within 1..%lld", (long long)ms,
                           (long long)HANDSHAKE_MS_MOST);
    else
        change.settings->handshake_timeout = ms;
    return change_end(&change, result);
}
