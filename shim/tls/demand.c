/* What a context demands of a peer, and what it shows of itself: trust, identities, verification. */
#include <openssl/ssl.h>
#include <string.h>

#include "../base/error.h"
#include "../base/handle.h"
#include "../pki/judge.h"
#include "../pki/key.h"
#include "context.h"

enum { PATTERN_LIMIT = 255, DEPTH_MOST = 100, CHAIN_CACHE_MOST = 300 };

int32_t tlsshim_context_set_trust(int64_t context, int64_t trust)
{
    struct change change;
    struct trust *set = NULL;
    int32_t result = change_begin(context, "context_set_trust", &change);

    if (result < 0)
        return result;
    result = trust_pin(trust, &set);
    if (result == TLSSHIM_OK) {
        trust_drop(change.settings->trust);
        change.settings->trust = trust_ref(set);
        handle_unpin(trust);
    }
    return change_end(&change, result);
}

static int32_t add_identity(struct settings *s, struct identity *identity, struct bytes pattern)
{
    SSL_CTX *probe;
    int32_t result;

    if (!settings_server(s) && pattern.len > 0)
        return error_new(TLSSHIM_E_ARGUMENT, "a client's identity has no pattern");
    result = identity->key->signer != NULL ? TLSSHIM_OK : key_needs_private(identity->key);
    if (result == TLSSHIM_OK)
        result = setup_ctx_new(s, &probe);
    if (result < 0)
        return result;
    result = setup_use_identity(probe, NULL, identity);
    SSL_CTX_free(probe);
    return result < 0 ? result : sni_add(&s->identities, identity, pattern);
}

int32_t tlsshim_context_add_identity(int64_t context, int64_t identity, const void *pattern, int32_t pattern_len)
{
    struct change change;
    struct identity *own = NULL;
    struct bytes in;
    int32_t result = change_begin(context, "context_add_identity", &change);

    if (result < 0)
        return result;
    result = text_in(pattern, pattern_len, PATTERN_LIMIT, "pattern", &in);
    if (result == TLSSHIM_OK)
        result = identity_pin(identity, &own);
    if (result == TLSSHIM_OK) {
        result = add_identity(change.settings, own, in);
        handle_unpin(identity);
    }
    return change_end(&change, result);
}

int32_t tlsshim_context_set_client_certificate(int64_t context, int32_t mode)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_client_certificate", &change);

    if (result < 0)
        return result;
    if (mode < TLSSHIM_CLIENT_CERTIFICATE_NONE || mode > TLSSHIM_CLIENT_CERTIFICATE_REQUIRE)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no client certificate mode", mode);
    else if (!settings_server(change.settings))
        result = error_new(TLSSHIM_E_STATE, "only a server asks for client certificates");
    else
        change.settings->client_certificate = mode;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_post_handshake(int64_t context, int32_t on)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_post_handshake", &change);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    else
        change.settings->post_handshake = on == 1;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_verify_flags(int64_t context, int32_t mask)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_verify_flags", &change);

    if (result < 0)
        return result;
    result = judge_flags_check(mask);
    if (result == TLSSHIM_OK)
        change.settings->verify_flags = mask;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_verify_depth(int64_t context, int32_t depth)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_verify_depth", &change);

    if (result < 0)
        return result;
    if (depth < 0 || depth > DEPTH_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a depth of %d is not within 0..%d", depth, DEPTH_MOST);
    else
        change.settings->verify_depth = depth;
    return change_end(&change, result);
}

static int32_t set_insecure(int64_t context, const char *setter, uint32_t what, int32_t on)
{
    struct change change;
    int32_t result = change_begin(context, setter, &change);

    if (result < 0)
        return result;
    if (on != 0 && on != 1)
        result = error_new(TLSSHIM_E_ARGUMENT, "on is 0 or 1, not %d", on);
    else
        change.settings->insecure = on == 1 ? change.settings->insecure | what : change.settings->insecure & ~what;
    return change_end(&change, result);
}

int32_t tlsshim_context_insecure_skip_chain(int64_t context, int32_t on)
{
    return set_insecure(context, "context_insecure_skip_chain", TLSSHIM_INSECURE_CHAIN, on);
}

int32_t tlsshim_context_insecure_skip_name(int64_t context, int32_t on)
{
    return set_insecure(context, "context_insecure_skip_name", TLSSHIM_INSECURE_NAME, on);
}

int32_t tlsshim_context_insecure_skip_time(int64_t context, int32_t on)
{
    return set_insecure(context, "context_insecure_skip_time", TLSSHIM_INSECURE_TIME, on);
}

int32_t tlsshim_context_insecure_skip_purpose(int64_t context, int32_t on)
{
    return set_insecure(context, "context_insecure_skip_purpose", TLSSHIM_INSECURE_PURPOSE, on);
}

int32_t tlsshim_context_set_events(int64_t context, int32_t mask)
{
    const int32_t of_server = TLSSHIM_EVENT_HELLO, of_client = TLSSHIM_EVENT_SESSION;
    const int32_t of_both =
        TLSSHIM_EVENT_VERIFY | TLSSHIM_EVENT_CERTIFICATE | TLSSHIM_EVENT_KEYLOG | TLSSHIM_EVENT_SIGN;
    struct change change;
    int32_t result = change_begin(context, "context_set_events", &change);

    if (result < 0)
        return result;
    if ((mask & ~(of_both | of_server | of_client)) != 0)
        result = error_new(TLSSHIM_E_ARGUMENT, "%#x is no mask of events", (unsigned)mask);
    else if ((mask & (settings_server(change.settings) ? of_client : of_server)) != 0)
        result = error_new(TLSSHIM_E_STATE, "only a server sees hellos, and only a client is given sessions");
    else
        change.settings->events = mask;
    return change_end(&change, result);
}

int32_t tlsshim_context_add_pin(int64_t context, const void *spki_sha256, int32_t spki_sha256_len, int32_t mode)
{
    struct change change;
    struct bytes digest;
    struct pins *pins;
    int32_t result = change_begin(context, "context_add_pin", &change);

    if (result < 0)
        return result;
    pins = &change.settings->pins;
    result = bytes_in(spki_sha256, spki_sha256_len, PIN_SIZE, "spki_sha256", &digest);
    if (result == TLSSHIM_OK && digest.len != PIN_SIZE)
        result = error_new(TLSSHIM_E_ARGUMENT, "a pin is a SHA-256 digest of %d bytes, not %zu", PIN_SIZE, digest.len);
    else if (result == TLSSHIM_OK && mode != TLSSHIM_PIN_AND && mode != TLSSHIM_PIN_INSTEAD)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no pin mode", mode);
    else if (result == TLSSHIM_OK && pins->count == PINS_MOST)
        result = error_new(TLSSHIM_E_LIMIT, "a context holds at most %d pins", PINS_MOST);
    if (result == TLSSHIM_OK) {
        pins->at[pins->count].mode = mode;
        memcpy(pins->at[pins->count++].spki, digest.data, PIN_SIZE);
    }
    return change_end(&change, result);
}

int32_t tlsshim_context_set_staple_mode(int64_t context, int32_t mode)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_staple_mode", &change);

    if (result < 0)
        return result;
    if (mode < TLSSHIM_STAPLE_OFF || mode > TLSSHIM_STAPLE_REQUIRE)
        result = error_new(TLSSHIM_E_ARGUMENT, "%d is no staple mode", mode);
    else if (settings_server(change.settings))
        result = error_new(TLSSHIM_E_STATE, "only a client asks for stapled OCSP answers");
    else
        change.settings->staple_mode = mode;
    return change_end(&change, result);
}

int32_t tlsshim_context_set_chain_cache(int64_t context, int64_t seconds)
{
    struct change change;
    int32_t result = change_begin(context, "context_set_chain_cache", &change);

    if (result < 0)
        return result;
    if (seconds < 0 || seconds > CHAIN_CACHE_MOST)
        result = error_new(TLSSHIM_E_ARGUMENT, "a chain cache of %lld s is not within 0..%d", (long long)seconds,
                           CHAIN_CACHE_MOST);
    else
        change.settings->chain_cache = seconds;
    return change_end(&change, result);
}
