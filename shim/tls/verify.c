#include "verify.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "../base/error.h"
#include "../base/helper.h"
#include "../pki/name.h"
#include "alpn.h"
#include "conn.h"
#include "conn_settings.h"
#include "event.h"
#include "psk.h"
#include "stapled.h"
#include "verified.h"

struct judge_rules verify_rules(const struct conn *conn)
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

/* On a certificate that comes after the handshake the session rests as well as on all before. */
static void limit_session(struct conn *conn, int64_t until)
{
    if (!conn->done || until < conn->fresh.end)
        conn->fresh.end = until;
    if (conn->done && until < conn->taken_up.end)
        conn->taken_up.end = until;
}

/* A judgement that was not good is kept whole for the error and the report. */
static bool keep(struct conn *conn, const struct verdict *verdict)
{
    conn->judged = true;
    limit_session(conn, verdict->until);
    if (verdict->code == TLSSHIM_OK) {
        free(conn->verdict);
        conn->verdict = NULL;
        return true;
    }
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

static void pin_missing(const struct conn *conn, X509 *leaf, struct verdict *verdict)
{
    struct buffer hex = {0};
    uint8_t digest[DIGEST_SIZE];
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

    if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, conn->setup->sha256, NULL) == 1)
        buffer_hex(&hex, digest, sizeof digest);
    OPENSSL_free(der);
    verdict->code = TLSSHIM_E_PIN;
    verdict->accepted = false;
    verdict->verify_code = X509_V_ERR_CERT_REJECTED;
    verdict->detail.depth = 0;
    verdict->detail.verify_code = X509_V_ERR_CERT_REJECTED;
    error_say(&verdict->detail, "none of the %d pins is in the peer's chain; its own key has the digest %.*s",
              conn->setup->settings.pins.count, (int)hex.len, hex.data != NULL ? (const char *)hex.data : "");
    buffer_free(&hex);
}

/* Where a switch let the chain pass there is no verified one, and the leaf's key alone is proven. */
static bool any_pinned(const struct conn *conn, X509 *leaf, STACK_OF(X509) * chain)
{
    if (chain == NULL)
        return pins_match(&conn->setup->settings.pins, TLSSHIM_PIN_AND, leaf, conn->setup->sha256);
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (pins_match(&conn->setup->settings.pins, TLSSHIM_PIN_AND, sk_X509_value(chain, i), conn->setup->sha256))
            return true;
    return false;
}

/* Good without a judgement, if an equal chain was found good lately and the name is right this time too. */
static bool known_good(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, const struct judge_rules *rules,
                       struct verdict *verdict, STACK_OF(X509) * *verified)
{
    if (rules->name.len > 0 && name_matches(leaf, rules->name) != 1)
        return false;
    *verdict = (struct verdict){.code = TLSSHIM_OK, .accepted = true, .verify_code = X509_V_OK};
    *verified = verified_find(conn, leaf, presented, &verdict->until);
    return *verified != NULL;
}

static int32_t judge_chain(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, struct verdict *verdict,
                           STACK_OF(X509) * *verified)
{
    struct judge_rules rules = verify_rules(conn);
    int32_t result;

    if (known_good(conn, leaf, presented, &rules, verdict, verified))
        return TLSSHIM_OK;
    result = judge(conn->setup->trust, leaf, presented, &rules, verdict, verified);
    if (result == TLSSHIM_OK && verdict->code == TLSSHIM_OK)
        verified_keep(conn, leaf, presented, *verified, verdict->from, verdict->until);
    return result;
}

/* A pinned key stands for the chain: only the name is still judged. */
static int32_t judge_pinned(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, struct verdict *verdict,
                            STACK_OF(X509) * *verified)
{
    struct judge_rules rules = verify_rules(conn);
    bool pinned = pins_match(&conn->setup->settings.pins, TLSSHIM_PIN_INSTEAD, leaf, conn->setup->sha256);
    int32_t result;

    rules.insecure |= pinned ? TLSSHIM_INSECURE_CHAIN | TLSSHIM_INSECURE_TIME | TLSSHIM_INSECURE_PURPOSE : 0;
    result = judge(conn->setup->trust, leaf, presented, &rules, verdict, verified);
    if (result < 0)
        return result;
    if (!pinned) {
        pin_missing(conn, leaf, verdict);
    } else if (verdict->accepted && verdict->code != TLSSHIM_E_NAME) {
        verdict->code = TLSSHIM_OK;
        verdict->verify_code = X509_V_OK;
    }
    return TLSSHIM_OK;
}

static int32_t judge_peer(const struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, struct verdict *verdict,
                          STACK_OF(X509) * *verified)
{
    const struct pins *pins = &conn->setup->settings.pins;
    int32_t result;

    *verified = NULL;
    if (pins_have(pins, TLSSHIM_PIN_INSTEAD))
        return judge_pinned(conn, leaf, presented, verdict, verified);
    result = judge_chain(conn, leaf, presented, verdict, verified);
    if (result == TLSSHIM_OK && verdict->accepted && pins_have(pins, TLSSHIM_PIN_AND) &&
        !any_pinned(conn, leaf, *verified))
        pin_missing(conn, leaf, verdict);
    return result;
}

/* The judgement itself; the peer's chain stays at hand while the host looks at it, and where it is refused. */
static int32_t judge_and_keep(struct conn *conn, X509_STORE_CTX *store_ctx)
{
    STACK_OF(X509) *presented = X509_STORE_CTX_get0_untrusted(store_ctx);
    struct verdict verdict;
    int32_t result = judge_peer(conn, X509_STORE_CTX_get0_cert(store_ctx), presented, &verdict, &conn->verified);

    if (result < 0)
        return result;
    conn->presented = X509_chain_up_ref(presented);
    if (!keep(conn, &verdict) || conn->presented == NULL)
        return TLSSHIM_E_MEMORY;
    return verdict.accepted ? stapled_with_certificate(conn, X509_STORE_CTX_get0_cert(store_ctx)) : TLSSHIM_OK;
}

/* What the backend makes that alert of (RFC 8446 section 6.2). */
static int32_t code_for_alert(int32_t alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
        return X509_V_ERR_CERT_REJECTED;
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        return X509_V_ERR_INVALID_PURPOSE;
    case SSL_AD_CERTIFICATE_REVOKED:
        return X509_V_ERR_CERT_REVOKED;
    case SSL_AD_CERTIFICATE_EXPIRED:
        return X509_V_ERR_CERT_HAS_EXPIRED;
    case SSL_AD_CERTIFICATE_UNKNOWN:
        return X509_V_ERR_OCSP_CERT_UNKNOWN;
    case SSL_AD_UNKNOWN_CA:
        return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
    case SSL_AD_DECRYPT_ERROR:
        return X509_V_ERR_CERT_SIGNATURE_FAILURE;
    case SSL_AD_INTERNAL_ERROR:
        return X509_V_ERR_UNSPECIFIED;
    default:
        return X509_V_ERR_APPLICATION_VERIFICATION;
    }
}

/* The backend chooses its alert by the fault that it is told. Where that alert would say something else than RFC 8446
 * section 6.2 means by it, the backend is told of another. */
static int32_t fault_to_tell(int32_t fault)
{
    switch (fault) {
    case X509_V_ERR_CERT_NOT_YET_VALID: /* the alert means: outside its time */
        return code_for_alert(SSL_AD_CERTIFICATE_EXPIRED);
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* of the certificate, not of the handshake */
    case X509_V_ERR_INVALID_EXTENSION:
        return code_for_alert(SSL_AD_BAD_CERTIFICATE);
    case X509_V_ERR_UNABLE_TO_GET_CRL: /* the certificate itself may be good */
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
        return code_for_alert(SSL_AD_CERTIFICATE_UNKNOWN);
    default:
        return fault;
    }
}

/* OK, WANT_EVENT where the backend is to ask again, or an error. A server cannot ask again: its step parks. */
static int32_t ask_host(struct conn *conn)
{
    enum answer answer;

    if (!event_on(conn, TLSSHIM_EVENT_VERIFY))
        return TLSSHIM_OK;
    while ((answer = event_ask(conn, TLSSHIM_EVENT_VERIFY)) == ANSWER_NONE) {
        if (!conn_server(conn))
            return TLSSHIM_WANT_EVENT;
        if (!helper_park(NULL))
            return error_new(TLSSHIM_E_CLOSED, "the connection was closed before the host had judged its peer");
    }
    return answer == ANSWER_GO ? TLSSHIM_OK : event_refused(conn, "the peer");
}

static void put_verdict(const struct conn *conn, X509_STORE_CTX *store_ctx)
{
    X509_STORE_CTX_set_error(store_ctx, verify_code(conn));
    if (conn->verified != NULL)
        X509_STORE_CTX_set0_verified_chain(store_ctx, X509_chain_up_ref(conn->verified));
}

/* After the host's turn. */
static int conclude(struct conn *conn, X509_STORE_CTX *store_ctx)
{
    int32_t result;

    put_verdict(conn, store_ctx);
    sk_X509_pop_free(conn->verified, X509_free);
    conn->verified = NULL;
    if (conn->verdict != NULL && !conn->verdict->accepted) {
        X509_STORE_CTX_set_error(store_ctx, fault_to_tell(verify_code(conn)));
        return 0; /* what was presented stays: the backend forgets whom it refused */
    }
    if (stapled_revoked(conn)) {
        conn_fail(conn, stapled_failure(conn));
        return 0;
    }
    sk_X509_pop_free(conn->presented, X509_free);
    conn->presented = NULL;
    /* The last moment at which a client's refusal of the protocol can still be an alert. */
    result = conn_server(conn) ? TLSSHIM_OK : verify_protocol(conn);
    if (result == TLSSHIM_OK)
        return 1;
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_APPLICATION_VERIFICATION);
    conn_fail(conn, result);
    return 0;
}

int verify_peer(X509_STORE_CTX *store_ctx, void *setup)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct conn *conn = conn_of(ssl);
    bool asking = conn->events != NULL && conn->events->open == TLSSHIM_EVENT_VERIFY;
    int32_t result = asking ? TLSSHIM_OK : judge_and_keep(conn, store_ctx);
    bool judged = result == TLSSHIM_OK;

    (void)setup;
    if (judged)
        result = ask_host(conn);
    if (result == TLSSHIM_OK)
        return conclude(conn, store_ctx);
    if (result == TLSSHIM_WANT_EVENT) {
        put_verdict(conn, store_ctx);
        SSL_set_retry_verify(conn->ssl);
        return 1;
    }
    sk_X509_pop_free(conn->verified, X509_free);
    conn->verified = NULL;
    X509_STORE_CTX_set_error(store_ctx, judged ? code_for_alert(conn->events->refusal) : X509_V_ERR_OUT_OF_MEM);
    conn_fail(conn, result);
    return 0;
}

int32_t verify_code(const struct conn *conn)
{
    if (conn->judged)
        return conn->verdict != NULL ? conn->verdict->verify_code : stapled_code(conn);
    return (int32_t)SSL_get_verify_result(conn->ssl);
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
    if (request_unproven(conn) && conn->presented == NULL) {
        buffer_text(text, "the answer to the request for a certificate is not complete");
        return;
    }
    if (conn->verdict != NULL)
        buffer_format(text, "%s%s", conn->verdict->detail.text,
                      conn->verdict->accepted ? "; let pass by an insecure switch" : "");
    else if (conn->judged)
        buffer_text(text, "the peer's certificate was judged good");
    else if (SSL_get0_peer_certificate(conn->ssl) != NULL)
        buffer_text(text, SSL_get_verify_result(conn->ssl) == X509_V_OK
                              ? "resumed: the peer's certificate was judged good in the full handshake"
                              : "resumed: an insecure switch let the peer's certificate pass in the full handshake");
    else if (conn->by_psk)
        buffer_format(text, "%sthe peer proved that it has the pre-shared key \"%s\"",
                      conn_resumed(conn) ? "resumed: in the full handshake " : "", psk_identity(conn));
    else
        buffer_text(text, "the peer has no certificate");
    stapled_report(conn, text);
    if (conn->verify_name != NULL)
        buffer_format(text, " (name \"%s\")", conn->verify_name);
    if ((conn->setup->settings.insecure & TLSSHIM_INSECURE_LEGACY) != 0)
        buffer_text(text, "; weak versions, keys and signatures may be allowed (context_insecure_legacy)");
}
