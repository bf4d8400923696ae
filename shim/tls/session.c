#include "session.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "alpn.h"
#include "conn.h"
#include "resume.h"

enum { EXPORT_LIMIT = 1 << 20, FIXED = 4 + DIGEST_SIZE + 8 + 8 + 2 };

static const uint8_t magic[4] = {'T', 'S', 'S', 1}; /* the last byte is the version of the layout */

static void free_session(void *object)
{
    struct session *session = object;

    if (!refs_drop(&session->refs))
        return;
    SSL_SESSION_free(session->ssl_session);
    free(session->peer_name);
    bytes_wipe(session, sizeof *session);
    free(session);
}

static int64_t memory_of(void *object)
{
    (void)object;
    return (int64_t)sizeof(struct session) + 4096; /* tickets and a peer certificate, as measured */
}

static const struct handle_kind session_kind = {
    .number = TLSSHIM_KIND_SESSION, .free = free_session, .memory = memory_of};

int32_t session_pin(int64_t handle, struct session **session)
{
    void *object;
    int32_t result = handle_pin(handle, &session_kind, &object);

    if (result == TLSSHIM_OK)
        *session = object;
    return result;
}

bool session_usable(const struct session *session, int64_t now)
{
    return resume_alive(session->span, now) && SSL_SESSION_is_resumable(session->ssl_session) == 1;
}

static int64_t handle_of(struct session *session)
{
    int64_t handle = handle_new(&session_kind, session);

    if (handle < 0)
        free_session(session);
    return handle;
}

int64_t session_handle(const struct conn *conn, SSL_SESSION *ssl_session)
{
    struct session *session = calloc(1, sizeof *session);

    if (session != NULL) {
        refs_start(&session->refs);
        session->ssl_session = ssl_session;
        memcpy(session->rules, conn->rules, DIGEST_SIZE);
        session->span = resume_span(conn, ssl_session);
        session->peer_name = strdup(conn->verify_name != NULL ? conn->verify_name : "");
        if (session->peer_name != NULL)
            return handle_of(session);
        free_session(session);
    } else {
        SSL_SESSION_free(ssl_session);
    }
    return TLSSHIM_E_MEMORY;
}

/* --- bytes: magic, rules, times, peer name, the backend's DER, SHA-256 over all that --- */

static void add_number(struct buffer *out, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        uint8_t byte = (uint8_t)(number >> (8 * i));

        buffer_add(out, &byte, 1);
    }
}

static uint64_t number_at(const uint8_t *data, int bytes)
{
    uint64_t number = 0;

    for (int i = 0; i < bytes; i++)
        number = number << 8 | data[i];
    return number;
}

static int32_t checksum(const uint8_t *data, size_t len, uint8_t out[DIGEST_SIZE])
{
    size_t out_len;

    if (EVP_Q_digest(backend_context(), "SHA256", NULL, data, len, out, &out_len) != 1)
        return error_backend(TLSSHIM_E_INTERNAL, "the session cannot be digested");
    return TLSSHIM_OK;
}

static int32_t session_export(const struct session *session, void *bytes, int32_t bytes_cap)
{
    struct buffer out = {0};
    uint8_t sum[DIGEST_SIZE];
    uint8_t *der = NULL;
    int der_len = i2d_SSL_SESSION(session->ssl_session, &der);
    int32_t result;

    if (der_len <= 0)
        return error_backend(TLSSHIM_E_INTERNAL, "the session cannot be encoded");
    buffer_add(&out, magic, sizeof magic);
    buffer_add(&out, session->rules, DIGEST_SIZE);
    add_number(&out, (uint64_t)session->span.full_at, 8);
    add_number(&out, (uint64_t)session->span.end, 8);
    add_number(&out, strlen(session->peer_name), 2);
    buffer_text(&out, session->peer_name);
    buffer_add(&out, der, (size_t)der_len);
    bytes_wipe(der, (size_t)der_len);
    OPENSSL_free(der);
    result = out.failed ? TLSSHIM_E_MEMORY : checksum(out.data, out.len, sum);
    if (result < 0) {
        buffer_free(&out);
        return result;
    }
    buffer_add(&out, sum, sizeof sum);
    return buffer_out(&out, bytes, bytes_cap);
}

int32_t tlsshim_session_export(int64_t session, void *bytes, int32_t bytes_cap)
{
    struct session *s = NULL;
    struct visit visit;
    int32_t result = session_pin(session, &s);

    if (result < 0)
        return result;
    result = visit_enter(&visit);
    if (result == TLSSHIM_OK) {
        result = session_export(s, bytes, bytes_cap);
        visit_leave(&visit);
    }
    handle_unpin(session);
    return result;
}

/* Certificates speak of years up to 9999; sums and differences of such times cannot overflow. */
static bool is_time(int64_t seconds)
{
    const int64_t most = INT64_C(1) << 40;

    return seconds >= -most && seconds <= most;
}

static int64_t session_load(struct bytes in)
{
    struct session *session;
    uint8_t sum[DIGEST_SIZE];
    const uint8_t *der;
    size_t name_len, len;
    int32_t result;

    if (in.len < FIXED + DIGEST_SIZE || memcmp(in.data, magic, 3) != 0)
        return error_new(TLSSHIM_E_FORMAT, "these %zu bytes are no exported session", in.len);
    if (in.data[3] != magic[3])
        return error_new(TLSSHIM_E_FORMAT, "the session was exported in layout %d, this version reads %d", in.data[3],
                         magic[3]);
    len = in.len - DIGEST_SIZE;
    result = checksum(in.data, len, sum);
    if (result < 0)
        return result;
    name_len = (size_t)number_at(in.data + FIXED - 2, 2);
    if (memcmp(sum, in.data + len, DIGEST_SIZE) != 0 || FIXED + name_len > len)
        return error_new(TLSSHIM_E_FORMAT, "the exported session is damaged or cut short");
    session = calloc(1, sizeof *session);
    if (session == NULL)
        return TLSSHIM_E_MEMORY;
    refs_start(&session->refs);
    memcpy(session->rules, in.data + 4, DIGEST_SIZE);
    session->span.full_at = (int64_t)number_at(in.data + 4 + DIGEST_SIZE, 8);
    session->span.end = (int64_t)number_at(in.data + 4 + DIGEST_SIZE + 8, 8);
    session->peer_name = bytes_dup_text((struct bytes){in.data + FIXED, name_len});
    der = in.data + FIXED + name_len;
    session->ssl_session = d2i_SSL_SESSION(NULL, &der, (long)(len - FIXED - name_len));
    if (session->peer_name != NULL && session->ssl_session != NULL && der == in.data + len &&
        is_time(session->span.full_at) && is_time(session->span.end))
        return handle_of(session);
    result = session->peer_name == NULL ? TLSSHIM_E_MEMORY
                                        : error_backend(TLSSHIM_E_FORMAT, "the exported session cannot be decoded");
    free_session(session);
    return result;
}

int64_t tlsshim_session_load(const void *bytes, int32_t bytes_len)
{
    struct visit visit;
    struct bytes in;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(bytes, bytes_len, EXPORT_LIMIT, "bytes", &in);
    if (result == TLSSHIM_OK)
        result = session_load(in);
    visit_leave(&visit);
    return result;
}

static int64_t session_number(const struct session *s, int32_t field)
{
    switch (field) {
    case TLSSHIM_SESSION_CREATED:
        return s->span.full_at;
    case TLSSHIM_SESSION_LIFETIME:
        return s->span.end - s->span.full_at;
    case TLSSHIM_SESSION_VERSION:
        return SSL_SESSION_get_protocol_version(s->ssl_session);
    case TLSSHIM_SESSION_USABLE:
        return session_usable(s, time(NULL));
    case TLSSHIM_SESSION_HAS_TICKET:
        return SSL_SESSION_has_ticket(s->ssl_session);
    case TLSSHIM_SESSION_TICKET_LIFETIME:
        return (int64_t)SSL_SESSION_get_ticket_lifetime_hint(s->ssl_session);
    default:
        return TLSSHIM_NONE;
    }
}

int32_t tlsshim_session_number(int64_t session, int32_t field, int64_t *n)
{
    struct session *s = NULL;
    struct visit visit;
    int64_t number;
    int32_t result = session_pin(session, &s);

    if (result < 0)
        return result;
    result = visit_enter(&visit);
    if (result == TLSSHIM_OK) {
        number = session_number(s, field);
        if (field < TLSSHIM_SESSION_CREATED || field > TLSSHIM_SESSION_ALPN)
            result = error_new(TLSSHIM_E_ARGUMENT, "%d is no session field", field);
        else if (n == NULL)
            result = error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL");
        else if (number == TLSSHIM_NONE)
            result = TLSSHIM_NONE;
        else
            *n = number;
        visit_leave(&visit);
    }
    handle_unpin(session);
    return result;
}

static int32_t session_text(const struct session *s, int32_t field, void *text, int32_t text_cap)
{
    struct buffer out = {0};
    struct bytes name;
    const uint8_t *id;
    unsigned len;

    switch (field) {
    case TLSSHIM_SESSION_ID:
        id = SSL_SESSION_get_id(s->ssl_session, &len);
        buffer_hex(&out, id, len);
        break;
    case TLSSHIM_SESSION_PEER_NAME:
        buffer_text(&out, s->peer_name);
        break;
    case TLSSHIM_SESSION_ALPN:
        SSL_SESSION_get0_alpn_selected(s->ssl_session, &name.data, &name.len);
        if (name.len > 0)
            alpn_name_text(name, &out);
        break;
    default:
        if (field < TLSSHIM_SESSION_CREATED || field > TLSSHIM_SESSION_ALPN)
            return error_new(TLSSHIM_E_ARGUMENT, "%d is no session field", field);
    }
    return out.len == 0 && !out.failed ? TLSSHIM_NONE : buffer_out(&out, text, text_cap);
}

int32_t tlsshim_session_text(int64_t session, int32_t field, void *text, int32_t text_cap)
{
    struct session *s = NULL;
    struct visit visit;
    int32_t result = session_pin(session, &s);

    if (result < 0)
        return result;
    result = visit_enter(&visit);
    if (result == TLSSHIM_OK) {
        result = session_text(s, field, text, text_cap);
        visit_leave(&visit);
    }
    handle_unpin(session);
    return result;
}
