#include "verify.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "alpn.h"
#include "conn.h"

static struct judge_rules rules_of(const struct conn *conn)
{
    const struct settings *s = &conn->setup->settings;
    const char *name = conn->verify_name != NULL ? conn->verify_name : "";

    return (struct judge_rules){
        .purpose = conn_server(conn) ? TLSSHIM_USAGE_CLIENT : TLSSHIM_USAGE_SERVER,
        .name = {(const uint8_t *)name, strlen(name)},
        .at_time = JUDGE_NOW,
        .verify_flags = s->verify_flags,
        .depth = s->verify_depth,
        .insecure = s->insecure,
        .security_level = s->security_level,
    };
}

/* A judgement that was not good is kept whole for the error and the report. */
static bool keep(struct conn *conn, const struct verdict *verdict)
{
    conn->judged = true;
    conn->fresh.end = verdict->until;
    if (verdict->code == TLSSHIM_OK)
        return true;
    if (conn->verdict == NULL)
        conn->verdict = malloc(sizeof *conn->verdict);
    if (conn->verdict == NULL)
        return false;
    *conn->verdict = *verdict;
    return true;
}

int32_t verify_protocol(const struct conn *conn)
{
    struct bytes chosen, same;
    uint8_t wire[256];
    int32_t mode;
    struct bytes mine = conn_alpn(conn, &mode);
    unsigned len;

    SSL_get0_alpn_selected(conn->ssl, &chosen.data, &len);
    if (len == 0 && mine.len > 0 && mode == TLSSHIM_ALPN_REQUIRE)
        return error_new(TLSSHIM_E_ALPN, "the peer agreed on no application protocol (ALPN), and one is required");
    if (len == 0 || len > 255)
        return TLSSHIM_OK;
    wire[0] = (uint8_t)len;
    memcpy(wire + 1, chosen.data, len);
    if (alpn_select((struct bytes){wire, len + 1U}, mine, &same))
        return TLSSHIM_OK;
    return error_new(TLSSHIM_E_PROTOCOL, "the peer chose an application protocol (ALPN) that was not offered");
}

int verify_peer(X509_STORE_CTX *store_ctx, void *setup)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct conn *conn = conn_of(ssl);
    struct judge_rules rules = rules_of(conn);
    STACK_OF(X509) *verified = NULL;
    struct verdict verdict;
    int32_t result;

    (void)setup;
    result = judge(conn->setup->trust, X509_STORE_CTX_get0_cert(store_ctx), X509_STORE_CTX_get0_untrusted(store_ctx),
                   &rules, &verdict, &verified);
    if (result < 0 || !keep(conn, &verdict)) {
        sk_X509_pop_free(verified, X509_free);
        X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_OUT_OF_MEM);
        conn_fail(conn, result < 0 ? result : TLSSHIM_E_MEMORY);
        return 0;
    }
    X509_STORE_CTX_set_error(store_ctx, verdict.verify_code);
    if (verified != NULL)
        X509_STORE_CTX_set0_verified_chain(store_ctx, verified);
    if (!verdict.accepted)
        return 0;
    /* The last moment at which a client's refusal of the protocol can still be an alert. */
    result = conn_server(conn) ? TLSSHIM_OK : verify_protocol(conn);
    if (result == TLSSHIM_OK)
        return 1;
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    conn_fail(conn, result);
    return 0;
}

int32_t verify_failure(struct conn *conn)
{
    if (conn->verdict == NULL)
        return error_new(TLSSHIM_E_VERIFY, "the peer's certificate was refused");
    conn->verdict->detail.side = TLSSHIM_SIDE_LOCAL;
    return error_publish(conn->verdict->code, &conn->verdict->detail);
}

void verify_report(const struct conn *conn, struct buffer *text)
{
    if (!conn->done && !conn->judged)
        return;
    if (conn->verdict != NULL)
        buffer_format(text, "%s%s", conn->verdict->detail.text,
                      conn->verdict->accepted ? "; let pass by an insecure switch" : "");
    else if (conn->judged)
        buffer_text(text, "the peer's certificate was judged good");
    else if (SSL_get0_peer_certificate(conn->ssl) != NULL)
        buffer_text(text, SSL_get_verify_result(conn->ssl) == X509_V_OK
                              ? "resumed: the peer's certificate was judged good in the full handshake"
                              : "resumed: an insecure switch let the peer's certificate pass in the full handshake");
    else
        buffer_text(text, "the peer has no certificate");
    if (conn->verify_name != NULL)
        buffer_format(text, " (name \"%s\")", conn->verify_name);
}
