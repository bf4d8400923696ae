#include "stapled.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "../base/error.h"
#include "../pki/instant.h"
#include "../pki/ocsp_judge.h"
#include "../pki/usage.h"
#include "conn.h"
#include "verify.h"

/* The issuer as it was verified; where nothing was, one that was sent along and has indeed signed the leaf. */
static X509 *issuer_of(X509 *leaf, STACK_OF(X509) * presented, STACK_OF(X509) * verified)
{
    if (sk_X509_num(verified) > 1)
        return sk_X509_value(verified, 1);
    for (int i = 0; i < sk_X509_num(presented); i++) {
        X509 *candidate = sk_X509_value(presented, i);

        if (X509_check_issued(candidate, leaf) == X509_V_OK && X509_verify(leaf, X509_get0_pubkey(candidate)) == 1)
            return candidate;
    }
    return NULL;
}

static bool must_staple(X509 *leaf)
{
    return usage_must_staple(X509_get0_extensions(leaf));
}

static bool passes(const struct conn *conn, enum ocsp_fault fault)
{
    uint32_t insecure = conn->setup->settings.insecure;

    if (fault == OCSP_OF_REVOKED)
        return false;
    return (insecure & TLSSHIM_INSECURE_CHAIN) != 0 ||
           (fault == OCSP_UNTIMELY && (insecure & TLSSHIM_INSECURE_TIME) != 0);
}

static int32_t keep_fault(struct conn *conn, enum ocsp_fault fault, const struct error_detail *detail)
{
    conn->staple_fault = malloc(sizeof *conn->staple_fault);
    if (conn->staple_fault == NULL)
        return TLSSHIM_E_MEMORY;
    *conn->staple_fault = (struct verdict){.code = fault == OCSP_OF_REVOKED ? TLSSHIM_E_REVOKED : TLSSHIM_E_STAPLE,
                                           .accepted = passes(conn, fault),
                                           .verify_code = detail->verify_code,
                                           .detail = *detail};
    return TLSSHIM_OK;
}

static int32_t judge_missing(struct conn *conn, X509 *leaf)
{
    bool demanded = must_staple(leaf);
    struct error_detail detail;

    if (!demanded && conn->setup->settings.staple_mode != TLSSHIM_STAPLE_REQUIRE)
        return TLSSHIM_OK;
    ocsp_explain_missing(&detail, leaf, demanded);
    return keep_fault(conn, OCSP_UNSIGNED, &detail);
}

/* Where a pin stands for the chain, nobody asks for the responder's either: that the issuer certified it is enough. */
static struct judge_rules responder_rules(const struct conn *conn)
{
    struct judge_rules rules = verify_rules(conn);

    if (pins_have(&conn->setup->settings.pins, TLSSHIM_PIN_INSTEAD))
        rules.insecure |= TLSSHIM_INSECURE_CHAIN | TLSSHIM_INSECURE_TIME;
    return rules;
}

static int32_t judge_answer(struct conn *conn, struct bytes answer, X509 *leaf, STACK_OF(X509) * presented,
                            STACK_OF(X509) * verified)
{
    struct judge_rules rules = responder_rules(conn);
    const struct ocsp_case of = {.answer = answer,
                                 .leaf = leaf,
                                 .issuer = issuer_of(leaf, presented, verified),
                                 .trust = conn->setup->trust,
                                 .untrusted = presented,
                                 .rules = &rules};
    struct ocsp_verdict verdict;
    int32_t result = ocsp_judge(&of, &verdict);

    if (result < 0)
        return result;
    if (verdict.fault != OCSP_SOUND)
        return keep_fault(conn, verdict.fault, &verdict.detail);
    conn->staple_until = verdict.until;
    return TLSSHIM_OK;
}

/* A session lasts no longer than the answer that it rests on. What a switch let pass is not resumed at all: the backend
 * keeps no note of it with the session. */
static void limit_session(struct conn *conn)
{
    if (conn->staple_fault != NULL)
        conn->fresh.end = 0;
    else if (conn->staple_until != 0 && conn->staple_until < conn->fresh.end)
        conn->fresh.end = conn->staple_until;
}

/* At whichever moment it is first asked for: OK or E_MEMORY. */
static int32_t judge_once(struct conn *conn, X509 *leaf, STACK_OF(X509) * presented, STACK_OF(X509) * verified)
{
    struct bytes answer = {NULL, 0};
    long len = SSL_get_tlsext_status_ocsp_resp(conn->ssl, &answer.data);
    int32_t result;

    if (!conn->staple_judged) {
        answer.len = len > 0 && answer.data != NULL ? (size_t)len : 0;
        result = answer.len == 0 ? judge_missing(conn, leaf) : judge_answer(conn, answer, leaf, presented, verified);
        if (result < 0)
            return result;
        conn->staple_judged = true;
    }
    limit_session(conn);
    return TLSSHIM_OK;
}

static bool wanted(const struct conn *conn)
{
    return !conn_server(conn) && conn->setup->settings.staple_mode != TLSSHIM_STAPLE_OFF;
}

int32_t stapled_with_certificate(struct conn *conn, X509 *leaf)
{
    if (!wanted(conn) || SSL_version(conn->ssl) < TLS1_3_VERSION)
        return TLSSHIM_OK;
    return judge_once(conn, leaf, conn->presented, conn->verified);
}

bool stapled_revoked(const struct conn *conn)
{
    return conn->staple_fault != NULL && conn->staple_fault->code == TLSSHIM_E_REVOKED;
}

int32_t stapled_failure(const struct conn *conn)
{
    return error_publish(conn->staple_fault->code, &conn->staple_fault->detail);
}

int stapled_code(const struct conn *conn)
{
    return conn->staple_fault != NULL ? conn->staple_fault->verify_code : X509_V_OK;
}

/* The backend calls this once all of the server's flight is there, before the client answers it. */
static int on_status(SSL *ssl, void *arg)
{
    struct conn *conn = conn_of(ssl);
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    int32_t result;

    (void)arg;
    if (SSL_session_reused(ssl) == 1 || leaf == NULL) /* no certificate comes, and no answer about it */
        return 1;
    result = judge_once(conn, leaf, SSL_get_peer_cert_chain(ssl), SSL_get0_verified_chain(ssl));
    if (result < 0) {
        conn_fail(conn, result);
        return -1;
    }
    if (SSL_get_verify_result(ssl) == X509_V_OK)
        SSL_set_verify_result(ssl, stapled_code(conn));
    if (conn->staple_fault == NULL || conn->staple_fault->accepted)
        return 1;
    conn_fail(conn, stapled_failure(conn));
    return 0;
}

void stapled_install(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(ctx, on_status);
}

bool stapled_good(const struct conn *conn)
{
    return conn->staple_fault == NULL;
}

void stapled_report(const struct conn *conn, struct buffer *text)
{
    char until[INSTANT_TEXT_CAP];

    if (!conn->staple_judged)
        return;
    if (conn->staple_fault != NULL) {
        buffer_format(text, "; %s%s", conn->staple_fault->detail.text,
                      conn->staple_fault->accepted ? "; let pass by an insecure switch" : "");
    } else if (conn->staple_until != 0) {
        instant_text(conn->staple_until, until);
        buffer_format(text, "; its stapled OCSP answer is good until %s", until);
    } else {
        buffer_text(text, "; it stapled no OCSP answer");
    }
}
