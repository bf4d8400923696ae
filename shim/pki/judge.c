#include "judge.h"

#include <openssl/x509v3.h>

#include "../base/backend.h"
#include "../base/handle.h"
#include "cert.h"
#include "instant.h"
#include "judge_text.h"
#include "name.h"
#include "usage.h"

enum { VERIFY_ALL = 31 };

struct court {
    const struct judge_rules *rules;
    struct verdict *verdict;
    int anchors;
    STACK_OF(X509_CRL) * crls;
    bool refused; /* by a fault that no switch lets pass */
};

static int32_t code_for(int verify_code)
{
    switch (verify_code) {
    case X509_V_OK:
        return TLSSHIM_OK;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLSSHIM_E_EXPIRED;
    case X509_V_ERR_CERT_REVOKED:
        return TLSSHIM_E_REVOKED;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return TLSSHIM_E_WEAK;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
    case X509_V_ERR_EMAIL_MISMATCH:
        return TLSSHIM_E_NAME;
    default:
        return TLSSHIM_E_VERIFY;
    }
}

/* The switch that lets a fault pass; 0 if none does. */
static uint32_t switch_for(int verify_code)
{
    if (verify_code == X509_V_ERR_INVALID_PURPOSE)
        return JUDGE_SKIP_PURPOSE;
    switch (code_for(verify_code)) {
    case TLSSHIM_E_EXPIRED:
        return JUDGE_SKIP_TIME;
    case TLSSHIM_E_NAME:
        return JUDGE_SKIP_NAME;
    case TLSSHIM_E_VERIFY:
        return JUDGE_SKIP_CHAIN;
    default:
        return 0;
    }
}

/* True if this fault is to be recorded: the first, but one that refuses goes before those that were let pass. */
static bool note(struct court *court, int verify_code, bool *passes)
{
    bool first = court->verdict->code == TLSSHIM_OK;

    *passes = (switch_for(verify_code) & court->rules->insecure) != 0;
    if (court->refused || (!first && *passes))
        return false;
    court->refused = !*passes;
    court->verdict->code = code_for(verify_code);
    court->verdict->verify_code = verify_code;
    return true;
}

static bool is_soft(int verify_code)
{
    return verify_code == X509_V_ERR_UNABLE_TO_GET_CRL || verify_code == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER ||
           verify_code == X509_V_ERR_DIFFERENT_CRL_SCOPE || verify_code == X509_V_ERR_CRL_HAS_EXPIRED ||
           verify_code == X509_V_ERR_CRL_NOT_YET_VALID;
}

/* CRLs are about what an anchor has issued, not about the anchor. */
static bool is_about_anchor(X509_STORE_CTX *context, int verify_code, int depth)
{
    return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1 &&
           (is_soft(verify_code) || verify_code == X509_V_ERR_CERT_REVOKED);
}

/* The chains of those who signed CRLs are judged in contexts of their own, which know but their parent. */
static struct court *court_of(X509_STORE_CTX *context)
{
    X509_STORE_CTX *parent;

    while ((parent = X509_STORE_CTX_get0_parent_ctx(context)) != NULL)
        context = parent;
    return X509_STORE_CTX_get_app_data(context);
}

/* A certificate that the backend cannot read to its end has, for the backend, no issuer. */
static int fault_of(X509_STORE_CTX *context)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(context);
    int code = X509_STORE_CTX_get_error(context);
    bool no_issuer =
        code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;

    if (no_issuer && cert != NULL && (X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0)
        return X509_V_ERR_INVALID_EXTENSION;
    return code;
}

static int at_fault(int good, X509_STORE_CTX *context)
{
    struct court *court = court_of(context);
    int code = fault_of(context);
    int depth = X509_STORE_CTX_get_error_depth(context);
    bool passes;

    if (good)
        return 1;
    if (((court->rules->verify_flags & TLSSHIM_VERIFY_CRL_SOFT) != 0 && is_soft(code)) ||
        is_about_anchor(context, code, depth)) {
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    if (X509_STORE_CTX_get0_parent_ctx(context) != NULL)
        return 0; /* the signer of a CRL; the fault comes back as that of the CRL */
    if (note(court, code, &passes))
        judge_explain(&court->verdict->detail, context, code, depth, X509_STORE_CTX_get_current_cert(context),
                      court->rules, court->anchors);
    return passes;
}

static bool wants_crls(const struct judge_rules *rules)
{
    return (rules->verify_flags & (TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_CRL_CHAIN)) != 0;
}

static int backend_purpose(int32_t purpose)
{
    switch (purpose) {
    case TLSSHIM_USAGE_SERVER:
        return X509_PURPOSE_SSL_SERVER;
    case TLSSHIM_USAGE_CLIENT:
        return X509_PURPOSE_SSL_CLIENT;
    case TLSSHIM_USAGE_EMAIL:
        return X509_PURPOSE_SMIME_SIGN;
    case TLSSHIM_USAGE_TIMESTAMP:
        return X509_PURPOSE_TIMESTAMP_SIGN;
    default:
        return 0;
    }
}

static bool prepare(X509_STORE_CTX *context, const struct judge_rules *rules)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    int purpose = backend_purpose(rules->purpose);
    /* What may end a chain is settled by what the store holds. Without this flag the backend takes for an impostor any
     * certificate that is signed by itself while another of its name and key is in the store too, as after a renewal.
     */
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;

    if ((rules->verify_flags & TLSSHIM_VERIFY_STRICT) != 0)
        flags |= X509_V_FLAG_X509_STRICT;
    if (wants_crls(rules))
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
    if ((rules->verify_flags & TLSSHIM_VERIFY_CRL_CHAIN) != 0)
        flags |= X509_V_FLAG_CRL_CHECK_ALL;
    if (X509_VERIFY_PARAM_set_flags(param, flags | X509_V_FLAG_TRUSTED_FIRST) != 1)
        return false;
    /* A common name is no host name: constraints on host names do not judge it either. */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_auth_level(param, rules->security_level < 0 ? 1 : rules->security_level);
    if (rules->depth >= 0)
        X509_VERIFY_PARAM_set_depth(param, rules->depth);
    if (rules->at_time != JUDGE_NOW)
        X509_VERIFY_PARAM_set_time(param, (time_t)rules->at_time);
    return purpose == 0 || X509_STORE_CTX_set_purpose(context, purpose) == 1;
}

/* What the backend lets pass. A key that may not sign is of no use to TLS servers and clients, where all that a
 * certificate's key does is to sign; and for the purposes that the backend does not know a certificate must be meant in
 * so many words. */
static bool lacks_purpose(X509 *leaf, int32_t purpose)
{
    int32_t mask = 0;

    if (purpose == TLSSHIM_USAGE_SERVER || purpose == TLSSHIM_USAGE_CLIENT)
        return (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0;
    if (purpose == 0 || backend_purpose(purpose) != 0)
        return false;
    return !usage_of(leaf, &mask) || (mask & purpose) == 0 ||
           (X509_get_key_usage(leaf) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0;
}

/* A fault that the backend tells without asking us first. */
static int32_t untold(struct court *court, X509_STORE_CTX *context)
{
    int code = X509_STORE_CTX_get_error(context);
    bool passes;

    if (code == X509_V_ERR_OUT_OF_MEM)
        return TLSSHIM_E_MEMORY;
    if (code == X509_V_OK)
        code = X509_V_ERR_UNSPECIFIED;
    if (note(court, code, &passes))
        judge_explain(&court->verdict->detail, context, code, X509_STORE_CTX_get_error_depth(context),
                      X509_STORE_CTX_get_current_cert(context), court->rules, court->anchors);
    return TLSSHIM_OK;
}

static void judge_rest(struct court *court, X509 *leaf, bool named)
{
    bool passes;

    if (lacks_purpose(leaf, court->rules->purpose) && note(court, X509_V_ERR_INVALID_PURPOSE, &passes))
        judge_explain_purpose(&court->verdict->detail, leaf, 0, court->rules->purpose);
    if (!named && note(court, X509_V_ERR_HOSTNAME_MISMATCH, &passes)) {
        judge_explain_name(&court->verdict->detail, leaf, court->rules->name);
        court->verdict->verify_code = court->verdict->detail.verify_code;
    }
}

static void narrow(struct verdict *verdict, const ASN1_TIME *from, const ASN1_TIME *until)
{
    int64_t instant;

    if (from != NULL && instant_from_asn1(from, &instant) && instant > verdict->from)
        verdict->from = instant;
    if (until != NULL && instant_from_asn1(until, &instant) && instant < verdict->until)
        verdict->until = instant;
}

/* From when until when the judgement would be the same: certificates, and the CRLs that speak of them. */
static void limit_in_time(const struct court *court, STACK_OF(X509) * chain)
{
    const struct judge_rules *rules = court->rules;
    int64_t at = rules->at_time == JUDGE_NOW ? instant_now() : rules->at_time;

    for (int i = 0; i < sk_X509_num(chain); i++)
        narrow(court->verdict, X509_get0_notBefore(sk_X509_value(chain, i)),
               X509_get0_notAfter(sk_X509_value(chain, i)));
    for (int i = 0; i < sk_X509_CRL_num(court->crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(court->crls, i);
        bool ours = false;
        int64_t next;

        for (int j = 0; j < sk_X509_num(chain) && !ours; j++)
            ours = X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(sk_X509_value(chain, j))) == 0;
        /* One that is outdated already was not what the judgement rests on. */
        if (ours && instant_from_asn1(X509_CRL_get0_nextUpdate(crl), &next) && next >= at)
            narrow(court->verdict, X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl));
    }
}

static int32_t hear(struct court *court, X509_STORE_CTX *context, X509 *leaf, bool named, STACK_OF(X509) * *verified)
{
    int32_t result = TLSSHIM_OK;

    if (X509_STORE_CTX_set_app_data(context, court) != 1)
        return TLSSHIM_E_MEMORY;
    X509_STORE_CTX_set_verify_cb(context, at_fault);
    if (X509_verify_cert(context) != 1 && !court->refused)
        result = untold(court, context);
    error_forget_backend();
    if (result < 0)
        return result;
    if (!court->refused)
        judge_rest(court, leaf, named);
    court->verdict->accepted = !court->refused;
    if (court->verdict->accepted && X509_STORE_CTX_get0_chain(context) != NULL)
        limit_in_time(court, X509_STORE_CTX_get0_chain(context));
    if (result == TLSSHIM_OK && verified != NULL && court->verdict->code == TLSSHIM_OK) {
        *verified = X509_STORE_CTX_get1_chain(context);
        if (*verified == NULL)
            result = TLSSHIM_E_MEMORY;
    }
    return result;
}

/* The peer's certificates, and behind them those of the trust that are no anchors: they help to build the chain, and
 * may have signed CRLs for others, whom the backend looks for nowhere else. References of its own. */
static STACK_OF(X509) * witnesses(struct trust *trust, STACK_OF(X509) * untrusted)
{
    STACK_OF(X509) *all = untrusted == NULL ? sk_X509_new_null() : X509_chain_up_ref(untrusted);
    STACK_OF(X509) *more = all == NULL ? NULL : trust_intermediates(trust);

    if (all == NULL || more == NULL || X509_add_certs(all, more, X509_ADD_FLAG_UP_REF) != 1) {
        sk_X509_pop_free(all, X509_free);
        all = NULL;
    }
    sk_X509_pop_free(more, X509_free);
    return all;
}

int32_t judge(struct trust *trust, X509 *leaf, STACK_OF(X509) * untrusted, const struct judge_rules *rules,
              struct verdict *verdict, STACK_OF(X509) * *verified)
{
    struct court court = {rules, verdict, trust_anchors(trust), NULL, false};
    X509_STORE_CTX *context = NULL;
    X509_STORE *store = NULL;
    STACK_OF(X509) *all = NULL;
    STACK_OF(X509_CRL) *crls = NULL;
    int32_t named = 1;
    int32_t result;

    *verdict = (struct verdict){.code = TLSSHIM_OK, .from = INSTANT_MIN, .until = INSTANT_MAX};
    verdict->detail = error_detail_none();
    if (verified != NULL)
        *verified = NULL;
    if (rules->name.len > 0)
        named = name_matches(leaf, rules->name);
    if (named < 0)
        return named;
    context = X509_STORE_CTX_new_ex(backend_context(), NULL);
    store = trust_store(trust, (rules->verify_flags & TLSSHIM_VERIFY_PARTIAL_CHAIN) != 0);
    all = witnesses(trust, untrusted);
    crls = wants_crls(rules) ? trust_crls(trust) : sk_X509_CRL_new_null();
    if (context == NULL || store == NULL || all == NULL || crls == NULL ||
        X509_STORE_CTX_init(context, store, leaf, all) != 1 || !prepare(context, rules))
        result = error_backend(TLSSHIM_E_MEMORY, "the judgement cannot be prepared");
    else {
        /* In the store the backend finds only the CRLs of a certificate's own issuer. */
        X509_STORE_CTX_set0_crls(context, crls);
        court.crls = crls;
        result = hear(&court, context, leaf, named == 1, verified);
    }
    X509_STORE_CTX_free(context);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    X509_STORE_free(store);
    sk_X509_pop_free(all, X509_free);
    return result;
}

int32_t judge_flags_check(int32_t verify_flags)
{
    if ((verify_flags & ~VERIFY_ALL) != 0)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no verify mask", verify_flags);
    if ((verify_flags & TLSSHIM_VERIFY_CRL_SOFT) != 0 &&
        (verify_flags & (TLSSHIM_VERIFY_CRL_LEAF | TLSSHIM_VERIFY_CRL_CHAIN)) == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "CRL_SOFT goes with CRL_LEAF or CRL_CHAIN");
    return TLSSHIM_OK;
}

/* --- public --- */

static int32_t trust_verify(struct trust *trust, const struct cert *chain, const struct judge_rules *rules)
{
    STACK_OF(X509) * untrusted;
    struct verdict verdict;
    int32_t result = judge_flags_check(rules->verify_flags);

    if (result < 0)
        return result;
    if (!usage_is_purpose(rules->purpose))
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no purpose: one usage, or 0 for any", rules->purpose);
    if (rules->at_time != JUDGE_NOW && (rules->at_time < INSTANT_MIN || rules->at_time > INSTANT_MAX))
        return error_new(TLSSHIM_E_ARGUMENT, "at_time is outside the years 0 to 9999");
    if (trust_anchors(trust) == 0)
        return error_new(TLSSHIM_E_EMPTY, "the trust is empty: add an anchor");
    untrusted = cert_chain_stack(chain);
    if (untrusted == NULL)
        return TLSSHIM_E_MEMORY;
    result = judge(trust, chain->at[0], untrusted, rules, &verdict, NULL);
    sk_X509_free(untrusted);
    if (result < 0 || verdict.accepted)
        return result;
    return error_publish(verdict.code, &verdict.detail);
}

int32_t tlsshim_trust_verify(int64_t trust, int64_t chain, int32_t purpose, const void *name, int32_t name_len,
                             int64_t at_time, int32_t verify_flags)
{
    struct judge_rules rules = {
        .purpose = purpose, .at_time = at_time, .verify_flags = verify_flags, .depth = -1, .security_level = -1};
    struct visit visit;
    struct trust *t;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = trust_pin(trust, &t);
    if (result == TLSSHIM_OK) {
        result = cert_pin(chain, &c);
        if (result == TLSSHIM_OK) {
            result = text_in(name, name_len, NAME_LIMIT, "name", &rules.name);
            if (result == TLSSHIM_OK)
                result = trust_verify(t, c, &rules);
            handle_unpin(chain);
        }
        handle_unpin(trust);
    }
    visit_leave(&visit);
    return result;
}
