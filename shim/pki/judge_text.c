#include "judge_text.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "../base/backend.h"
#include "crl_reason.h"
#include "dn.h"
#include "instant.h"
#include "level.h"
#include "name.h"
#include "usage.h"

enum { WHO_CAP = 160, ABOUT_CAP = WHO_CAP + 32 };

static void keep(struct buffer *text, char *out, size_t cap)
{
    size_t len = text->len < cap ? text->len : cap - 1;

    while (len < text->len && len > 0 && (text->data[len] & 0xc0) == 0x80)
        len--;
    if (len > 0)
        memcpy(out, text->data, len);
    out[len] = 0;
    buffer_free(text);
}

/* A name of a certificate: its subject, or its alternative names where that is empty. */
static void who(X509 *cert, char out[WHO_CAP])
{
    struct buffer text = {0};

    if (X509_NAME_entry_count(X509_get_subject_name(cert)) > 0) {
        dn_copy(X509_get_subject_name(cert), out, WHO_CAP);
        return;
    }
    name_list(cert, &text);
    keep(&text, out, WHO_CAP);
}

static void about(X509 *cert, int depth, char out[ABOUT_CAP])
{
    char name[WHO_CAP];

    who(cert, name);
    snprintf(out, ABOUT_CAP, "(depth %d, %s)", depth, name);
}

static void instant_of(const ASN1_TIME *time, char text[INSTANT_TEXT_CAP])
{
    int64_t seconds;

    if (instant_from_asn1(time, &seconds))
        instant_text(seconds, text);
    else
        strcpy(text, "an unreadable date");
    error_forget_backend();
}

static int64_t judged_at(const struct judge_rules *rules)
{
    return rules->at_time == JUDGE_NOW ? instant_now() : rules->at_time;
}

static void say_time(struct error_detail *detail, int code, X509 *cert, const char *about_cert,
                     const struct judge_rules *rules)
{
    bool expired = code == X509_V_ERR_CERT_HAS_EXPIRED;
    char limit[INSTANT_TEXT_CAP];
    char at[INSTANT_TEXT_CAP];

    instant_of(expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert), limit);
    instant_text(judged_at(rules), at);
    if (expired)
        error_say(detail, "certificate expired on %s %s; judged at %s: it must be renewed, if the clock is right",
                  limit, about_cert, at);
    else
        error_say(detail, "certificate is not valid before %s %s; judged at %s: is the clock right?", limit, about_cert,
                  at);
}

static void say_no_issuer(struct error_detail *detail, int depth, const char *about_cert, int anchors)
{
    if (anchors == 0)
        error_say(detail, "no anchor to rest on: the trust is empty; add the authority \"%s\" of the certificate %s",
                  detail->issuer, about_cert);
    else
        error_say(
            detail,
            "the issuer \"%s\" of the certificate %s is neither sent along nor among the %d anchors: %s, or trust "
            "that authority",
            detail->issuer, about_cert, anchors,
            depth == 0 ? "send the intermediate certificate after the leaf" : "send the missing intermediate");
}

static void say_weak(struct error_detail *detail, int code, X509 *cert, const char *about_cert,
                     const struct judge_rules *rules)
{
    int level = rules->security_level < 0 ? 1 : rules->security_level;
    char by[LEVEL_TEXT_CAP];

    if (code != X509_V_ERR_CA_MD_TOO_WEAK && level_key_short(cert, level, by))
        error_say(detail, "the key of the certificate %s %s: make a new key and certificate", about_cert, by);
    else if (code == X509_V_ERR_CA_MD_TOO_WEAK && level_signature_short(cert, level, by))
        error_say(detail, "the signature on the certificate %s %s: have it issued anew", about_cert, by);
    else
        error_say(detail, "the certificate %s is below security level %d: %s", about_cert, level, detail->verify_text);
}

static void say_revoked(struct error_detail *detail, X509_STORE_CTX *context, X509 *cert, const char *about_cert)
{
    X509_CRL *crl = X509_STORE_CTX_get0_current_crl(context);
    X509_REVOKED *entry = NULL;
    char when[INSTANT_TEXT_CAP] = "an unknown date";
    const char *why = "no reason given";

    if (crl != NULL && X509_CRL_get0_by_cert(crl, &entry, cert) != 0 && entry != NULL) {
        ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

        instant_of(X509_REVOKED_get0_revocationDate(entry), when);
        if (reason != NULL)
            why = crl_reason_name(ASN1_ENUMERATED_get(reason));
        ASN1_ENUMERATED_free(reason);
    }
    error_say(detail, "certificate was revoked on %s (%s) %s: it must not be used any more", when, why, about_cert);
}

static void say_path(struct error_detail *detail, X509_STORE_CTX *context, int depth, const char *about_cert)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);

    for (int i = depth; chain != NULL && i < sk_X509_num(chain); i++) {
        X509 *ca = sk_X509_value(chain, i);
        long most = X509_get_pathlen(ca);

        if (most >= 0 && most < i - 1) {
            char name[WHO_CAP];

            who(ca, name);
            error_say(detail, "the chain is too long: %s allows %ld intermediate certificates below it, there are %d",
                      name, most, i - 1);
            return;
        }
    }
    error_say(detail, "the chain is longer than the path length in the certificate %s allows", about_cert);
}

static void say_rule(struct error_detail *detail, int code, const char *about_cert, const struct judge_rules *rules)
{
    switch (code) {
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        error_say(detail,
                  "the certificate %s has issued another, but is no authority: have the other one issued by a CA",
                  about_cert);
        break;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        error_say(detail, "the chain is longer than the limit of %d intermediate certificates %s", rules->depth,
                  about_cert);
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        error_say(detail,
                  "the signature on the certificate %s is not by the key of \"%s\": one of the two is not what it "
                  "claims to be, or was damaged",
                  about_cert, detail->issuer);
        break;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
        error_say(detail, "no CRL in the trust covers the certificate %s: add a CRL of \"%s\", or judge CRLs softly",
                  about_cert, detail->issuer);
        break;
    case X509_V_ERR_CRL_HAS_EXPIRED:
        error_say(detail,
                  "the CRL of \"%s\" is outdated, which the certificate %s is judged by: add a newer one, or judge "
                  "CRLs softly",
                  detail->issuer, about_cert);
        break;
    case X509_V_ERR_CRL_NOT_YET_VALID:
        error_say(detail,
                  "the CRL of \"%s\", which the certificate %s is judged by, is not valid yet: is the clock right?",
                  detail->issuer, about_cert);
        break;
    case X509_V_ERR_INVALID_EXTENSION:
        error_say(detail, "an extension of the certificate %s cannot be read: it was made wrongly, or damaged",
                  about_cert);
        break;
    case X509_V_ERR_PERMITTED_VIOLATION:
        error_say(detail, "the certificate %s holds a name that an authority above it is not permitted to certify: %s",
                  about_cert, detail->names);
        break;
    case X509_V_ERR_EXCLUDED_VIOLATION:
        error_say(detail, "the certificate %s holds a name that an authority above it is forbidden to certify: %s",
                  about_cert, detail->names);
        break;
    default:
        error_say(detail, "the certificate %s breaks a rule: %s", about_cert, detail->verify_text);
    }
}

static void fill(struct error_detail *detail, int code, int depth, X509 *cert)
{
    struct buffer names = {0};

    *detail = error_detail_none();
    detail->side = TLSSHIM_SIDE_LOCAL;
    detail->verify_code = code;
    snprintf(detail->verify_text, sizeof detail->verify_text, "%s", X509_verify_cert_error_string(code));
    if (cert == NULL)
        return;
    detail->depth = depth;
    dn_copy(X509_get_subject_name(cert), detail->subject, sizeof detail->subject);
    dn_copy(X509_get_issuer_name(cert), detail->issuer, sizeof detail->issuer);
    name_list(cert, &names);
    keep(&names, detail->names, sizeof detail->names);
}

void judge_explain_name(struct error_detail *detail, X509 *leaf, struct bytes name)
{
    struct buffer wanted = {0};

    fill(detail, name_is_ip(name) ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH, 0, leaf);
    buffer_escaped(&wanted, name.data, name.len, sizeof detail->wanted_name - 1);
    keep(&wanted, detail->wanted_name, sizeof detail->wanted_name);
    error_say(detail, "name \"%s\" is not in the certificate: %s", detail->wanted_name,
              strcmp(detail->names, "none") == 0 ? "it holds no names (a common name does not count)" : detail->names);
}

void judge_explain_purpose(struct error_detail *detail, X509 *cert, int depth, int32_t purpose)
{
    char about_cert[ABOUT_CAP];
    char allowed[128] = "";
    int32_t mask = 0;

    fill(detail, X509_V_ERR_INVALID_PURPOSE, depth, cert);
    about(cert, depth, about_cert);
    if (!usage_of(cert, &mask) || (mask & purpose) != 0) {
        error_say(detail, "the certificate %s is not for %s use: its key usage or kind forbids it", about_cert,
                  usage_name(purpose));
        return;
    }
    for (int32_t bit = 1; bit <= USAGE_ALL; bit <<= 1)
        if ((mask & bit) != 0)
            snprintf(allowed + strlen(allowed), sizeof allowed - strlen(allowed), "%s%s", allowed[0] != 0 ? ", " : "",
                     usage_name(bit));
    error_say(detail, "the certificate %s is not for %s use, only for: %s; have it issued with that usage", about_cert,
              usage_name(purpose), allowed[0] != 0 ? allowed : "others");
}

void judge_explain(struct error_detail *detail, X509_STORE_CTX *context, int verify_code, int depth, X509 *cert,
                   const struct judge_rules *rules, int anchors)
{
    char about_cert[ABOUT_CAP] = "";

    fill(detail, verify_code, depth, cert);
    if (cert == NULL) {
        error_say(detail, "the chain does not verify: %s", detail->verify_text);
        return;
    }
    about(cert, depth, about_cert);
    switch (verify_code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        say_time(detail, verify_code, cert, about_cert, rules);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        say_no_issuer(detail, depth, about_cert, anchors);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        error_say(detail,
                  "the certificate %s is signed by itself and not among the %d anchors: trust it, if it is the "
                  "right one",
                  about_cert, anchors);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        error_say(detail,
                  "the chain ends in an authority that is not among the %d anchors %s: trust it, if it is the right "
                  "one",
                  anchors, about_cert);
        break;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        say_weak(detail, verify_code, cert, about_cert, rules);
        break;
    case X509_V_ERR_CERT_REVOKED:
        say_revoked(detail, context, cert, about_cert);
        break;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        say_path(detail, context, depth, about_cert);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        judge_explain_purpose(detail, cert, depth, rules->purpose);
        break;
    default:
        say_rule(detail, verify_code, about_cert, rules);
    }
}
