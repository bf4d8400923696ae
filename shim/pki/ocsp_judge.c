#include "ocsp_judge.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "../base/backend.h"
#include "crl_reason.h"
#include "dn.h"
#include "instant.h"

/* Clocks differ by minutes; who gives no time of the next answer may be asked again after a day. */
enum { CLOCK_SLACK = 300, WITHOUT_NEXT = 86400 };

struct hearing {
    const struct ocsp_case *of;
    struct ocsp_verdict *verdict;
    OCSP_BASICRESP *basic;
    OCSP_SINGLERESP *single; /* the one about the leaf */
};

static void begin_detail(struct error_detail *detail, X509 *leaf, int verify_code)
{
    *detail = error_detail_none();
    detail->side = TLSSHIM_SIDE_LOCAL;
    detail->verify_code = verify_code;
    detail->depth = 0;
    snprintf(detail->verify_text, sizeof detail->verify_text, "%s", X509_verify_cert_error_string(verify_code));
    dn_copy(X509_get_subject_name(leaf), detail->subject, sizeof detail->subject);
    dn_copy(X509_get_issuer_name(leaf), detail->issuer, sizeof detail->issuer);
}

static int verify_code_of(enum ocsp_fault fault)
{
    switch (fault) {
    case OCSP_OF_REVOKED:
        return X509_V_ERR_CERT_REVOKED;
    case OCSP_OF_UNKNOWN:
        return X509_V_ERR_OCSP_CERT_UNKNOWN;
    default:
        return X509_V_ERR_OCSP_VERIFY_FAILED;
    }
}

/* Records a fault, unless it is memory that is wanting. */
static int32_t found(struct hearing *h, enum ocsp_fault fault, const char *format, ...) FORMAT_LIKE_PRINTF(3, 4);
static int32_t found(struct hearing *h, enum ocsp_fault fault, const char *format, ...)
{
    struct error_detail unused = error_detail_none();
    va_list args;

    if (error_from_backend(&unused))
        return TLSSHIM_E_MEMORY;
    h->verdict->fault = fault;
    begin_detail(&h->verdict->detail, h->of->leaf, verify_code_of(fault));
    va_start(args, format);
    error_sentence(h->verdict->detail.text, sizeof h->verdict->detail.text, format, args);
    va_end(args);
    return TLSSHIM_OK;
}

static int32_t read_answer(struct hearing *h)
{
    const unsigned char *at = h->of->answer.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)h->of->answer.len);
    int32_t result = TLSSHIM_OK;

    if (response == NULL || at != h->of->answer.data + h->of->answer.len)
        result = found(h, OCSP_DAMAGED, "the OCSP answer cannot be read: it is damaged, or no such thing");
    else if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        result = found(h, OCSP_DAMAGED, "the OCSP answer holds nothing but the responder's excuse: %s",
                       OCSP_response_status_str(OCSP_response_status(response)));
    else if ((h->basic = OCSP_response_get1_basic(response)) == NULL)
        result = found(h, OCSP_DAMAGED, "the OCSP answer is not of the basic kind, or damaged");
    OCSP_RESPONSE_free(response);
    return result;
}

static bool same(const ASN1_OCTET_STRING *have, const uint8_t *digest, unsigned len)
{
    return ASN1_STRING_length(have) == (int)len && memcmp(ASN1_STRING_get0_data(have), digest, len) == 0;
}

/* By serial number, issuer's name and, where that is known, issuer's key (RFC 6960 section 4.1.1). */
static bool is_about(OCSP_CERTID *id, X509 *leaf, X509 *issuer)
{
    ASN1_OCTET_STRING *name = NULL, *key = NULL;
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    uint8_t digest[EVP_MAX_MD_SIZE];
    const EVP_MD *md;
    unsigned len;

    if (OCSP_id_get0_info(&name, &algorithm, &key, &serial, id) != 1 ||
        ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0)
        return false;
    switch (OBJ_obj2nid(algorithm)) {
    case NID_sha1:
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
        md = EVP_get_digestbynid(OBJ_obj2nid(algorithm));
        break;
    default:
        return false;
    }
    if (X509_NAME_digest(X509_get_issuer_name(leaf), md, digest, &len) != 1 || !same(name, digest, len))
        return false;
    return issuer == NULL || (X509_pubkey_digest(issuer, md, digest, &len) == 1 && same(key, digest, len));
}

static int32_t find_single(struct hearing *h)
{
    for (int i = 0; i < OCSP_resp_count(h->basic) && h->single == NULL; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(h->basic, i);

        if (is_about((OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), h->of->leaf, h->of->issuer))
            h->single = single;
    }
    if (h->single == NULL)
        return found(h, OCSP_FOREIGN, "the OCSP answer is about other certificates");
    if (OCSP_BASICRESP_get_ext_by_critical(h->basic, 1, -1) >= 0 ||
        OCSP_SINGLERESP_get_ext_by_critical(h->single, 1, -1) >= 0)
        return found(h, OCSP_DAMAGED, "the OCSP answer has a critical extension that nobody here knows");
    return TLSSHIM_OK;
}

/* One whom the issuer itself has certified for this very task (RFC 6960 section 4.2.2.2). */
static bool may_answer(X509 *responder, X509 *issuer)
{
    uint32_t usages = X509_get_extended_key_usage(responder);

    return X509_check_issued(issuer, responder) == X509_V_OK && X509_verify(responder, X509_get0_pubkey(issuer)) == 1 &&
           usages != UINT32_MAX && (usages & XKU_OCSP_SIGN) != 0;
}

/* The responder's chain is judged like any other, under the rules of the leaf's. */
static int32_t judge_responder(struct hearing *h, X509 *responder)
{
    const struct ocsp_case *of = h->of;
    struct judge_rules rules = *of->rules;
    struct verdict verdict;
    int32_t result;

    if (!may_answer(responder, of->issuer))
        return found(h, OCSP_UNSIGNED, "the OCSP answer is signed by one whom \"%.150s\" did not let answer for it",
                     h->verdict->detail.issuer);
    if (of->trust == NULL)
        return TLSSHIM_OK;
    rules.purpose = TLSSHIM_USAGE_OCSP;
    rules.name.len = 0;
    if (X509_get_ext_by_NID(responder, NID_id_pkix_OCSP_noCheck, -1) >= 0)
        rules.verify_flags &= ~(TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_CRL_CHAIN | TLSSHIM_VERIFY_CRL_SOFT);
    result = judge(of->trust, responder, of->untrusted, &rules, &verdict, NULL);
    if (result < 0)
        return result;
    if (!verdict.accepted)
        return found(h, OCSP_UNSIGNED, "the OCSP responder is not to be believed: %.400s", verdict.detail.text);
    h->verdict->until = verdict.until;
    return TLSSHIM_OK;
}

/* Digests that give no signature its worth any more. */
static bool is_weak(const OCSP_BASICRESP *basic, const struct judge_rules *rules)
{
    const ASN1_OBJECT *algorithm;
    int digest = NID_undef;

    X509_ALGOR_get0(&algorithm, NULL, NULL, OCSP_resp_get0_tbs_sigalg(basic));
    if (rules->security_level == 0 || OBJ_find_sigid_algs(OBJ_obj2nid(algorithm), &digest, NULL) != 1)
        return false;
    return digest == NID_sha1 || digest == NID_md5 || digest == NID_md5_sha1 || digest == NID_md4 || digest == NID_md2;
}

static int32_t check_signer(struct hearing *h, STACK_OF(X509) * candidates)
{
    X509 *signer = NULL;
    int32_t result = TLSSHIM_OK;

    if (OCSP_resp_get0_signer(h->basic, &signer, candidates) != 1)
        return found(h, OCSP_UNSIGNED,
                     "the OCSP answer is signed by nobody known: neither by \"%.150s\" nor by one it "
                     "brings along",
                     h->verdict->detail.issuer);
    if (X509_cmp(signer, h->of->issuer) != 0)
        result = judge_responder(h, signer);
    if (result < 0 || h->verdict->fault != OCSP_SOUND)
        return result;
    sk_X509_set(candidates, 0, signer);
    if (is_weak(h->basic, h->of->rules))
        return found(h, OCSP_UNSIGNED, "the signature on the OCSP answer is too weak");
    if (OCSP_basic_verify(h->basic, candidates, NULL, OCSP_NOVERIFY | OCSP_NOINTERN) != 1)
        return found(h, OCSP_UNSIGNED,
                     "the signature on the OCSP answer is not by the key of who is said to have "
                     "signed it: one of the two was damaged or forged");
    return TLSSHIM_OK;
}

static int32_t check_signature(struct hearing *h)
{
    STACK_OF(X509) * candidates;
    int32_t result;

    if (h->of->issuer == NULL && h->of->trust == NULL)
        return TLSSHIM_OK;
    if (h->of->issuer == NULL)
        return found(h, OCSP_UNSIGNED,
                     "nobody can tell who signed the OCSP answer: the issuer's certificate is neither "
                     "sent along nor in the trust");
    candidates = sk_X509_new_null();
    if (candidates == NULL || sk_X509_push(candidates, h->of->issuer) <= 0)
        result = TLSSHIM_E_MEMORY;
    else
        result = check_signer(h, candidates);
    sk_X509_free(candidates);
    return result;
}

static int32_t check_status(struct hearing *h, int status, int reason, const ASN1_GENERALIZEDTIME *revoked_at)
{
    char when[INSTANT_TEXT_CAP] = "an unknown date";
    int64_t instant;

    if (status == V_OCSP_CERTSTATUS_GOOD)
        return TLSSHIM_OK;
    if (status != V_OCSP_CERTSTATUS_REVOKED)
        return found(h, OCSP_OF_UNKNOWN, "the OCSP responder does not know the certificate (depth 0, %.150s)",
                     h->verdict->detail.subject);
    if (revoked_at != NULL && instant_from_asn1(revoked_at, &instant))
        instant_text(instant, when);
    return found(h, OCSP_OF_REVOKED,
                 "certificate was revoked on %s (%s) (depth 0, %.150s), says the OCSP answer: it must "
                 "not be used any more",
                 when, reason < 0 ? "no reason given" : crl_reason_name(reason), h->verdict->detail.subject);
}

static int32_t check_time(struct hearing *h, const ASN1_GENERALIZEDTIME *this_update,
                          const ASN1_GENERALIZEDTIME *next_update)
{
    int64_t now = h->of->rules->at_time == JUDGE_NOW ? instant_now() : h->of->rules->at_time;
    char limit[INSTANT_TEXT_CAP], at[INSTANT_TEXT_CAP];
    int64_t until;

    if (!instant_from_asn1(this_update, &h->verdict->from) ||
        (next_update != NULL && !instant_from_asn1(next_update, &until)))
        return found(h, OCSP_DAMAGED, "the times of the OCSP answer cannot be read");
    if (next_update == NULL)
        until = h->verdict->from + WITHOUT_NEXT;
    if (until < h->verdict->until)
        h->verdict->until = until;
    instant_text(now, at);
    if (now < h->verdict->from - CLOCK_SLACK) {
        instant_text(h->verdict->from, limit);
        return found(h, OCSP_UNTIMELY, "the OCSP answer is not valid before %s; judged at %s: is the clock right?",
                     limit, at);
    }
    if (now > until + CLOCK_SLACK) {
        instant_text(until, limit);
        return found(h, OCSP_UNTIMELY,
                     "the OCSP answer expired on %s; judged at %s: a newer one must be stapled, if the "
                     "clock is right",
                     limit, at);
    }
    return TLSSHIM_OK;
}

static int32_t check_word(struct hearing *h)
{
    ASN1_GENERALIZEDTIME *revoked_at = NULL, *this_update = NULL, *next_update = NULL;
    int reason = CRL_REASON_UNKNOWN;
    int status = OCSP_single_get0_status(h->single, &reason, &revoked_at, &this_update, &next_update);
    int32_t result = check_status(h, status, reason, revoked_at);

    /* That one was revoked stays true when the answer has grown old. */
    if (result < 0 || h->verdict->fault == OCSP_OF_REVOKED)
        return result;
    if (h->verdict->fault == OCSP_SOUND)
        result = check_time(h, this_update, next_update);
    return result;
}

int32_t ocsp_judge(const struct ocsp_case *of, struct ocsp_verdict *verdict)
{
    static int32_t (*const steps[])(struct hearing *) = {read_answer, find_single, check_signature, check_word};
    struct hearing h = {.of = of, .verdict = verdict};
    int32_t result = TLSSHIM_OK;

    verdict->fault = OCSP_SOUND;
    verdict->from = INSTANT_MIN;
    verdict->until = INSTANT_MAX;
    begin_detail(&verdict->detail, of->leaf, X509_V_OK);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && result == TLSSHIM_OK && verdict->fault == OCSP_SOUND; i++)
        result = steps[i](&h);
    OCSP_BASICRESP_free(h.basic);
    error_forget_backend();
    return result;
}

void ocsp_explain_missing(struct error_detail *detail, X509 *leaf, bool demanded_by_certificate)
{
    begin_detail(detail, leaf, X509_V_ERR_OCSP_VERIFY_NEEDED);
    error_say(detail, "the peer stapled no OCSP answer, and %s (depth 0, %.150s)",
              demanded_by_certificate ? "its certificate demands one (must-staple)" : "one is required",
              detail->subject);
}
