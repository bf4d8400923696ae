#include "hello.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/code.h"
#include "../base/error.h"
#include "alpn.h"
#include "certificate.h"
#include "conn.h"
#include "conn_settings.h"
#include "event.h"
#include "policy.h"

/* The host name of the server_name extension (RFC 6066 section 3); length 0 = none, NULL = malformed. */
static struct bytes server_name(SSL *ssl)
{
    struct bytes name = {(const uint8_t *)"", 0};
    const uint8_t *ext;
    size_t len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) != 1)
        return name;
    if (len < 5 || ((size_t)ext[0] << 8 | ext[1]) != len - 2 || ext[2] != TLSEXT_NAMETYPE_host_name ||
        ((size_t)ext[3] << 8 | ext[4]) != len - 5 || len - 5 > 255 || memchr(ext + 5, 0, len - 5) != NULL)
        return (struct bytes){NULL, 0};
    return (struct bytes){ext + 5, len - 5};
}

static int refuse(struct conn *conn, int *alert, int alert_number, int32_t result)
{
    *alert = alert_number;
    conn_fail(conn, result);
    return SSL_CLIENT_HELLO_ERROR;
}

static bool remember_name(struct conn *conn, struct bytes name)
{
    if (name.len == 0 || conn->server_name != NULL)
        return true;
    conn->server_name = bytes_dup_text(name);
    return conn->server_name != NULL;
}

static int32_t remember(struct conn *conn, SSL *ssl, struct bytes name)
{
    const uint8_t *ext;
    size_t len;

    if (!remember_name(conn, name))
        return TLSSHIM_E_MEMORY;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext, &len) != 1)
        len = 0;
    if (len > 2 && conn->offered.len == 0)
        buffer_add(&conn->offered, ext + 2, len - 2);
    return conn->offered.failed ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
}

/* The host looks at the first hello alone. */
static enum answer ask_host(struct conn *conn, SSL *ssl)
{
    enum answer answer;

    if (!event_on(conn, TLSSHIM_EVENT_HELLO) || conn->events->hello_over)
        return ANSWER_GO;
    if (conn->events->open != TLSSHIM_EVENT_HELLO)
        event_read_hello(conn, ssl);
    answer = event_ask(conn, TLSSHIM_EVENT_HELLO);
    if (answer != ANSWER_NONE) {
        conn->events->hello_over = true;
        transport_stop_recording(&conn->transport);
    }
    return answer;
}

/* Which identity, and with it which rules. They come before the session is looked up: here both versions of the
 * protocol see them in time. Where the host chooses the identity later, the name that was asked for stands in for it.
 */
static int32_t choose(struct conn *conn, SSL *ssl, struct bytes name)
{
    const struct sni_entry *entry = sni_find(&conn->setup->settings.identities, name);
    const char *asked = conn->server_name != NULL ? conn->server_name : "";
    struct sni_entry own = {.pattern = (char *)asked};
    int32_t result = TLSSHIM_OK;

    if (conn->identity != NULL) {
        result = sni_entry_of(conn->identity, asked, &own);
        if (result == TLSSHIM_OK)
            result = certificate_use_chosen(conn);
    } else if (entry != NULL && entry->pattern[0] != 0) {
        result = setup_use_entry(ssl, entry);
    } else if (entry == NULL && conn->setup->settings.psks.count == 0 && !event_on(conn, TLSSHIM_EVENT_CERTIFICATE)) {
        return error_new(TLSSHIM_E_NEGOTIATION, "no identity for the client's server name \"%s\", and no default",
                         asked);
    }
    if (result == TLSSHIM_OK)
        result = policy_conn_rules(conn, conn->identity != NULL || entry == NULL ? &own : entry, conn->rules);
    if (result == TLSSHIM_OK && SSL_set_session_id_context(ssl, conn->rules, DIGEST_SIZE) != 1)
        result = TLSSHIM_E_MEMORY;
    return result;
}

static int on_hello(SSL *ssl, int *alert, void *arg)
{
    struct conn *conn = conn_of(ssl);
    struct bytes name = server_name(ssl);
    int32_t mode, result;

    (void)arg;
    if (name.data == NULL)
        return refuse(conn, alert, SSL_AD_DECODE_ERROR,
                      error_new(TLSSHIM_E_PROTOCOL, "the client's server name is malformed"));
    /* Else the identity would be that of one name, and the rules those of the other (RFC 8446 section 4.1.2). */
    if (conn->hello_retry && !bytes_equal_text(name, conn->server_name != NULL ? conn->server_name : ""))
        return refuse(conn, alert, SSL_AD_ILLEGAL_PARAMETER,
                      error_new(TLSSHIM_E_PROTOCOL, "the client's second hello names another server than its first"));
    result = remember(conn, ssl, name);
    if (result < 0)
        return refuse(conn, alert, SSL_AD_INTERNAL_ERROR, result);
    switch (ask_host(conn, ssl)) {
    case ANSWER_NONE:
        return SSL_CLIENT_HELLO_RETRY;
    case ANSWER_REFUSE:
        return refuse(conn, alert, conn->events->refusal, event_refused(conn, "the client's hello"));
    default:
        break;
    }
    if (conn->offered.len == 0 && conn_alpn(conn, &mode).len > 0 && mode == TLSSHIM_ALPN_REQUIRE)
        return refuse(conn, alert, SSL_AD_NO_APPLICATION_PROTOCOL,
                      error_new(TLSSHIM_E_ALPN, "the client offers no application protocol (ALPN), one is required"));
    result = choose(conn, ssl, name);
    if (result < 0)
        return refuse(conn, alert,
                      code_bare(result) == TLSSHIM_E_NEGOTIATION ? SSL_AD_UNRECOGNIZED_NAME : SSL_AD_INTERNAL_ERROR,
                      result);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len, const uint8_t *in, unsigned in_len, void *arg)
{
    struct conn *conn = conn_of(ssl);
    int32_t mode;
    struct bytes mine = conn_alpn(conn, &mode);
    struct bytes chosen;

    (void)arg;
    if (mine.len == 0)
        return SSL_TLSEXT_ERR_NOACK;
    if (alpn_select(mine, (struct bytes){in, in_len}, &chosen)) {
        *out = chosen.data;
        *out_len = (uint8_t)chosen.len;
        return SSL_TLSEXT_ERR_OK;
    }
    if (mode == TLSSHIM_ALPN_CONTINUE)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void hello_install(struct setup *setup)
{
    if (!settings_server(&setup->settings))
        return;
    SSL_CTX_set_client_hello_cb(setup->ctx, on_hello, NULL);
    SSL_CTX_set_alpn_select_cb(setup->ctx, on_alpn, NULL);
}
