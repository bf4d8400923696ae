#include "resume.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conn.h"
#include "event.h"

enum { CLOCK_SLACK = 60, TICKET_DATA = 16 };

bool resume_alive(struct session_span span, int64_t now)
{
    return now <= span.end && now >= span.full_at - CLOCK_SLACK;
}

struct session_span resume_span(const struct conn *conn, const SSL_SESSION *session)
{
    struct session_span span = conn_span(conn);
    int64_t lifetime = conn->setup->settings.session_lifetime;
    int64_t hint = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(session);

    if (hint > 0 && hint < lifetime)
        lifetime = hint;
    if (span.full_at + lifetime < span.end)
        span.end = span.full_at + lifetime;
    return span;
}

static struct cache *cache_of(const struct conn *conn)
{
    return &conn->context->store->sessions;
}

static bool caching(const struct conn *conn)
{
    return conn_server(conn) ? conn->setup->stateful : conn->setup->settings.session_cache > 0;
}

static void count_miss(struct conn *conn, _Atomic int64_t *why)
{
    atomic_fetch_add(&conn->context->counters.misses, 1);
    atomic_fetch_add(why, 1);
}

/* What a server finds: under the rules in force, and in its time. */
static bool acceptable(struct conn *conn, SSL_SESSION *session, struct session_span span)
{
    struct counters *counters = &conn->context->counters;
    unsigned len;
    const uint8_t *rules = SSL_SESSION_get0_id_context(session, &len);

    if (len != DIGEST_SIZE || memcmp(rules, conn->rules, DIGEST_SIZE) != 0) {
        count_miss(conn, &counters->rules);
        return false;
    }
    if (!resume_alive(span, time(NULL)) || time(NULL) - span.full_at > conn->setup->settings.session_lifetime) {
        count_miss(conn, &counters->expired);
        return false;
    }
    atomic_fetch_add(&counters->hits, 1);
    conn->taken_up = span;
    return true;
}

/* --- tickets carry their span: when the full handshake was, and when all that rests on it ends --- */

static void put_number(uint8_t *out, uint64_t number)
{
    for (int i = 7; i >= 0; i--, number >>= 8)
        out[i] = (uint8_t)number;
}

static int64_t number_at(const uint8_t *data)
{
    uint64_t number = 0;

    for (int i = 0; i < 8; i++)
        number = number << 8 | data[i];
    return (int64_t)number;
}

static int on_ticket_made(SSL *ssl, void *arg)
{
    struct session_span span = conn_span(conn_of(ssl));
    uint8_t data[TICKET_DATA];

    (void)arg;
    put_number(data, (uint64_t)span.full_at);
    put_number(data + 8, (uint64_t)span.end);
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, sizeof data);
}

static bool ticket_acceptable(struct conn *conn, SSL_SESSION *session)
{
    void *data;
    size_t len;

    if (session == NULL || SSL_SESSION_get0_ticket_appdata(session, &data, &len) != 1 || len != TICKET_DATA) {
        count_miss(conn, &conn->context->counters.damaged);
        return false;
    }
    return acceptable(conn, session, (struct session_span){number_at(data), number_at((const uint8_t *)data + 8)});
}

static SSL_TICKET_RETURN on_ticket_seen(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_len,
                                        SSL_TICKET_STATUS status, void *arg)
{
    struct conn *conn = conn_of(ssl);

    (void)name;
    (void)name_len;
    (void)arg;
    switch (status) {
    case SSL_TICKET_SUCCESS:
        return ticket_acceptable(conn, session) ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW:
        return ticket_acceptable(conn, session) ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_NO_DECRYPT:
        count_miss(conn, conn->ticket_key_known ? &conn->context->counters.damaged : &conn->context->counters.unknown);
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    default:
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
}

/* --- a server's cache, by session id --- */

static struct bytes id_of(const SSL_SESSION *session)
{
    unsigned len;
    const uint8_t *id = SSL_SESSION_get_id(session, &len);

    return (struct bytes){id, len};
}

static SSL_SESSION *on_session_wanted(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    struct conn *conn = conn_of(ssl);
    struct session_span span;
    SSL_SESSION *session = cache_get(cache_of(conn), (struct bytes){id, (size_t)len}, NULL, &span);

    *copy = 0;
    if (session != NULL &&
        SSL_SESSION_is_resumable(session) != 1) { /* spoilt by a fatal alert, RFC 5246 section 7.2.2 */
        cache_remove(cache_of(conn), (struct bytes){id, (size_t)len}, session);
        SSL_SESSION_free(session);
        session = NULL;
    }
    if (session == NULL) {
        count_miss(conn, &conn->context->counters.unknown);
    } else if (!acceptable(conn, session, span)) {
        SSL_SESSION_free(session);
        session = NULL;
    }
    return session;
}

/* --- a client's cache, by rules and peer --- */

static void client_key(const struct conn *conn, struct buffer *key)
{
    buffer_add(key, conn->rules, DIGEST_SIZE);
    if (conn->session_key.len > 0)
        buffer_add(key, conn->session_key.data, conn->session_key.len);
    else if (conn->verify_name != NULL)
        buffer_text(key, conn->verify_name);
}

static struct bytes key_bytes(const struct buffer *key)
{
    return (struct bytes){key->data, key->len};
}

static void file(struct conn *conn, SSL_SESSION *session)
{
    struct buffer key = {0};

    client_key(conn, &key);
    if (!key.failed)
        cache_put(cache_of(conn), key_bytes(&key), session, resume_span(conn, session));
    buffer_free(&key);
}

static bool used_once(const void *session)
{
    return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

void resume_offer(struct conn *conn)
{
    struct counters *counters = &conn->context->counters;
    struct buffer key = {0};
    struct session_span span;
    SSL_SESSION *session = NULL;

    if (!caching(conn))
        return;
    client_key(conn, &key);
    if (!key.failed)
        session = cache_get(cache_of(conn), key_bytes(&key), used_once, &span);
    buffer_free(&key);
    if (session == NULL) {
        count_miss(conn, &counters->unknown);
    } else if (!resume_alive(span, time(NULL)) || SSL_SESSION_is_resumable(session) != 1) {
        count_miss(conn, &counters->expired);
    } else if (SSL_set_session(conn->ssl, session) == 1) {
        atomic_fetch_add(&counters->hits, 1);
        conn->taken_up = span;
        conn->session_offered = session;
    }
    SSL_SESSION_free(session);
}

void resume_renewed(struct conn *conn)
{
    SSL_SESSION *session;

    if (conn_server(conn) || SSL_version(conn->ssl) >= TLS1_3_VERSION || SSL_session_reused(conn->ssl) != 1 ||
        SSL_get0_session(conn->ssl) == conn->session_offered)
        return;
    session = SSL_get1_session(conn->ssl);
    if (session != NULL && SSL_SESSION_is_resumable(session) == 1) {
        if (caching(conn))
            file(conn, session);
        event_note(conn, TLSSHIM_EVENT_SESSION, "");
    }
    SSL_SESSION_free(session);
}

void resume_uncache(const struct conn *conn, const SSL_SESSION *session)
{
    struct buffer key = {0};

    if (!caching(conn))
        return;
    client_key(conn, &key);
    if (!key.failed)
        cache_remove(cache_of(conn), key_bytes(&key), session);
    buffer_free(&key);
}

static int keep_offered(struct conn *conn, SSL_SESSION *session)
{
    SSL_SESSION **more;

    if (conn->session_count < SESSIONS_MOST) { /* most connections are given one or two, a server's none */
        more = realloc(conn->sessions, (size_t)(conn->session_count + 1) * sizeof *more);
        if (more == NULL)
            return 0;
        conn->sessions = more;
    } else {
        SSL_SESSION_free(conn->sessions[0]);
        memmove(conn->sessions, conn->sessions + 1, (SESSIONS_MOST - 1) * sizeof conn->sessions[0]);
        conn->session_count--;
    }
    conn->sessions[conn->session_count++] = session;
    return 1; /* the reference is kept */
}

static int on_session_made(SSL *ssl, SSL_SESSION *session)
{
    struct conn *conn = conn_of(ssl);
    int kept;

    if (!conn_server(conn)) {
        if (caching(conn))
            file(conn, session);
        kept = keep_offered(conn, session);
        if (kept)
            event_note(conn, TLSSHIM_EVENT_SESSION, "");
        return kept;
    }
    if (caching(conn))
        cache_put(cache_of(conn), id_of(session), session, conn_span(conn));
    return 0;
}

void resume_install(const struct setup *setup)
{
    SSL_CTX *ctx = setup->ctx;

    SSL_CTX_sess_set_new_cb(ctx, on_session_made);
    if (!settings_server(&setup->settings)) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    } else if (setup->stateful) {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_get_cb(ctx, on_session_wanted);
    } else {
        SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_session_ticket_cb(ctx, on_ticket_made, on_ticket_seen, NULL);
        ticket_install(ctx);
    }
}
