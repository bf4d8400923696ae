/* Certificates made of templates. */
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "dn.h"
#include "extension.h"
#include "instant.h"
#include "template.h"
#include "usage.h"

/* Lives of those that ask for none; a server's stays below what browsers and macOS accept. */
enum { LEAF_DAYS = 397, CA_DAYS = 3653, CLOCK_SLACK = 3600, DAY = 86400, SERIAL_RANDOM = 16 };

static bool set_serial(const struct template *tmpl, X509 *cert)
{
    uint8_t serial[SERIAL_MOST];
    size_t len = tmpl->serial_len;
    BIGNUM *number;
    bool good;

    if (len > 0)
        memcpy(serial, tmpl->serial, len);
    else {
        len = SERIAL_RANDOM;
        if (RAND_bytes_ex(backend_context(), serial, len, 0) != 1)
            return false;
        serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always of the same length */
    }
    number = BN_bin2bn(serial, (int)len, NULL);
    good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return good;
}

/* By default from an hour ago, for clocks that go wrong, and not beyond the issuer's own life. */
static bool set_validity(const struct template *tmpl, X509 *cert, X509 *issuer)
{
    int64_t from = tmpl->not_before;
    int64_t until = tmpl->not_after;
    int64_t limit;
    ASN1_TIME *before;
    ASN1_TIME *after;
    bool good;

    if (!tmpl->has_validity) {
        from = instant_now() - CLOCK_SLACK;
        if (issuer != NULL && instant_from_asn1(X509_get0_notBefore(issuer), &limit) && limit > from)
            from = limit;
        until = from + (int64_t)(tmpl->ca ? CA_DAYS : LEAF_DAYS) * DAY - 1;
        if (issuer != NULL && instant_from_asn1(X509_get0_notAfter(issuer), &limit) && limit < until)
            until = limit > from ? limit : from;
    }
    before = instant_to_asn1(from);
    after = instant_to_asn1(until);
    good = before != NULL && after != NULL && X509_set1_notBefore(cert, before) == 1 &&
           X509_set1_notAfter(cert, after) == 1;
    ASN1_TIME_free(before);
    ASN1_TIME_free(after);
    return good;
}

static int key_usage(const struct template *tmpl, EVP_PKEY *pkey)
{
    int bits = KU_DIGITAL_SIGNATURE;

    if (tmpl->ca)
        return KU_KEY_CERT_SIGN | KU_CRL_SIGN;
    if (EVP_PKEY_is_a(pkey, "X25519") || EVP_PKEY_is_a(pkey, "X448"))
        return KU_KEY_AGREEMENT;
    /* Only RSA keys move other keys by encrypting them. */
    if (EVP_PKEY_is_a(pkey, "RSA") && (template_usage(tmpl) & (TLSSHIM_USAGE_SERVER | TLSSHIM_USAGE_EMAIL)) != 0)
        bits |= KU_KEY_ENCIPHERMENT;
    return bits;
}

static bool add_extensions(const struct template *tmpl, X509 *cert, X509 *issuer, EVP_PKEY *pkey)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    bool no_subject = X509_NAME_entry_count(X509_get_subject_name(cert)) == 0;
    bool good = extensions != NULL && extension_basic(&extensions, tmpl->ca, tmpl->path_length) &&
                extension_key_usage(&extensions, key_usage(tmpl, pkey)) &&
                extension_usages(&extensions, template_usage(tmpl), tmpl->more_usages) &&
                extension_key_ids(&extensions, cert, issuer) && extension_names(&extensions, tmpl->names, no_subject) &&
                extension_constraints(&extensions, tmpl->constraints) &&
                extension_crl_urls(&extensions, tmpl->crl_urls) && extension_ocsp_urls(&extensions, tmpl->ocsp_urls) &&
                (!tmpl->must_staple || extension_must_staple(&extensions));

    for (int i = 0; good && i < sk_X509_EXTENSION_num(extensions); i++)
        good = X509_add_ext(cert, sk_X509_EXTENSION_value(extensions, i), -1) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return good;
}

static int32_t check_digest(const struct template *tmpl, EVP_PKEY *signer, const EVP_MD **md)
{
    *md = key_default_digest(signer);
    if (tmpl->digest == NULL)
        return TLSSHIM_OK;
    if (*md == NULL)
        return error_new(TLSSHIM_E_ARGUMENT, "the signing key has its own digest: set none in the template");
    *md = EVP_get_digestbyname(tmpl->digest);
    return *md == NULL ? error_new(TLSSHIM_E_INTERNAL, "the backend has no %s", tmpl->digest) : TLSSHIM_OK;
}

/* Fills and signs; `issuer` is NULL for a certificate that signs itself. */
static int32_t build(const struct template *tmpl, EVP_PKEY *pkey, X509 *issuer, EVP_PKEY *signer, X509 **made)
{
    X509_NAME *subject = NULL;
    X509 *cert = NULL;
    const EVP_MD *md;
    int32_t result = check_digest(tmpl, signer, &md);

    if (result < 0)
        return result;
    if (tmpl->constraints != NULL && !tmpl->ca)
        return error_new(TLSSHIM_E_ARGUMENT,
                         "name constraints are for CAs alone: call template_set_ca, or leave them out");
    result = template_subject(tmpl, &subject);
    if (result < 0)
        return result;
    if ((issuer == NULL || tmpl->ca) && X509_NAME_entry_count(subject) == 0) {
        X509_NAME_free(subject);
        return error_new(TLSSHIM_E_ARGUMENT,
                         "whoever signs needs a subject, and the first name is too long for one: set "
                         "the subject");
    }
    cert = X509_new_ex(backend_context(), NULL);
    if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(tmpl, cert) ||
        X509_set_subject_name(cert, subject) != 1 ||
        X509_set_issuer_name(cert, issuer == NULL ? subject : X509_get_subject_name(issuer)) != 1 ||
        !set_validity(tmpl, cert, issuer) || X509_set_pubkey(cert, pkey) != 1 ||
        !add_extensions(tmpl, cert, issuer, pkey))
        result = error_backend(TLSSHIM_E_INTERNAL, "the certificate cannot be made");
    else if (X509_sign(cert, signer, md) <= 0)
        result = error_backend(TLSSHIM_E_MISMATCH, "the key cannot sign certificates");
    X509_NAME_free(subject);
    if (result < 0)
        X509_free(cert);
    else
        *made = cert;
    return result;
}

int32_t template_sign_self(const struct template *tmpl, struct key *key, struct cert **cert)
{
    X509 *made = NULL;
    int32_t result = key_needs_private(key);

    if (result == TLSSHIM_OK)
        result = build(tmpl, key->pkey, NULL, key->pkey, &made);
    if (result < 0)
        return result;
    *cert = cert_from_leaf(made, NULL);
    X509_free(made);
    return *cert == NULL ? TLSSHIM_E_MEMORY : TLSSHIM_OK;
}

/* An issuer whose certificate forbids what is to be issued would only make trouble later. */
static int32_t check_issuer(const struct template *tmpl, const struct identity *ca)
{
    X509 *issuer = ca->cert->at[0];
    struct error_detail detail = error_detail_none();
    int32_t result = key_needs_private(ca->key);
    int32_t mask = 0;

    if (result < 0)
        return result;
    detail.side = TLSSHIM_SIDE_LOCAL;
    dn_copy(X509_get_subject_name(issuer), detail.subject, sizeof detail.subject);
    if ((X509_get_extension_flags(issuer) & EXFLAG_CA) == 0)
        error_say(&detail, "%s is no CA: nobody would accept what it issues; make it with template_set_ca",
                  detail.subject);
    else if (key_usage_of(issuer, &mask) && (mask & TLSSHIM_KEY_USAGE_KEY_CERT_SIGN) == 0)
        error_say(&detail, "%s may not sign certificates: its key usage lacks that", detail.subject);
    else if (tmpl->ca && X509_get_pathlen(issuer) == 0)
        error_say(&detail, "%s may not issue CAs: its path length is 0", detail.subject);
    else
        return TLSSHIM_OK;
    return error_publish(TLSSHIM_E_MISMATCH, &detail);
}

int32_t template_sign_as(const struct template *tmpl, EVP_PKEY *subject_key, const struct identity *ca,
                         struct cert **cert)
{
    struct cert *chain = NULL;
    X509 *made = NULL;
    int32_t result = check_issuer(tmpl, ca);

    if (result == TLSSHIM_OK)
        result = build(tmpl, subject_key, ca->cert->at[0], ca->key->pkey, &made);
    if (result < 0)
        return result;
    chain = cert_from_leaf(made, ca->cert);
    X509_free(made);
    if (chain == NULL)
        return TLSSHIM_E_MEMORY;
    /* Roots are had by those who trust them, and by nobody else. */
    while (chain->count > 1 && X509_self_signed(chain->at[chain->count - 1], 0) == 1)
        X509_free(chain->at[--chain->count]);
    *cert = chain;
    return TLSSHIM_OK;
}

/* --- public --- */

static int64_t self_sign(struct template *tmpl, struct key *key)
{
    struct cert *made = NULL;
    int32_t result;

    pthread_mutex_lock(&tmpl->lock);
    result = template_sign_self(tmpl, key, &made);
    pthread_mutex_unlock(&tmpl->lock);
    return result < 0 ? result : cert_handle_new(made);
}

int64_t tlsshim_template_self_sign(int64_t tmpl, int64_t key)
{
    struct visit visit;
    struct template *t;
    struct key *k;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        result = key_pin(key, &k);
        if (result == TLSSHIM_OK) {
            result = self_sign(t, k);
            handle_unpin(key);
        }
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}

static int64_t issue(struct template *tmpl, int64_t subject_key, const struct identity *ca)
{
    struct key *key = NULL;
    struct cert *made = NULL;
    int32_t result = subject_key == 0 ? TLSSHIM_OK : key_pin(subject_key, &key);

    if (result < 0)
        return result;
    pthread_mutex_lock(&tmpl->lock);
    if (key == NULL && tmpl->requester == NULL)
        result = error_new(TLSSHIM_E_EMPTY, "the template came from no request: give the key to certify");
    else
        result = template_sign_as(tmpl, key == NULL ? tmpl->requester : key->pkey, ca, &made);
    pthread_mutex_unlock(&tmpl->lock);
    if (key != NULL)
        handle_unpin(subject_key);
    return result < 0 ? result : cert_handle_new(made);
}

int64_t tlsshim_template_issue(int64_t tmpl, int64_t subject_key, int64_t ca)
{
    struct visit visit;
    struct template *t;
    struct identity *i;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        result = identity_pin(ca, &i);
        if (result == TLSSHIM_OK) {
            result = issue(t, subject_key, i);
            handle_unpin(ca);
        }
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}

/* --- the one call --- */

enum { NAMES_LIMIT = 65536, DAYS_MOST = 36500 };

static int32_t add_names(int64_t tmpl, struct bytes names)
{
    int32_t result = TLSSHIM_OK;

    for (size_t at = 0, end; result == TLSSHIM_OK && at < names.len; at = end + 1) {
        size_t from = at;
        size_t to;

        for (end = at; end < names.len && names.data[end] != ','; end++)
            ;
        while (from < end && names.data[from] == ' ')
            from++;
        for (to = end; to > from && names.data[to - 1] == ' '; to--)
            ;
        result = tlsshim_template_add_name(tmpl, names.data + from, (int32_t)(to - from));
    }
    return result;
}

static int64_t self_signed(int64_t key, struct bytes names, int32_t days)
{
    int64_t tmpl = tlsshim_template_new();
    int64_t from = instant_now() - CLOCK_SLACK;
    int64_t result = tmpl;

    if (result < 0)
        return result;
    result = add_names(tmpl, names);
    if (result == TLSSHIM_OK)
        result = tlsshim_template_set_usage(tmpl, TLSSHIM_USAGE_SERVER);
    if (result == TLSSHIM_OK)
        result = tlsshim_template_set_validity(tmpl, from, from + (int64_t)days * DAY - 1);
    if (result == TLSSHIM_OK)
        result = tlsshim_template_self_sign(tmpl, key);
    tlsshim_close(tmpl);
    return result;
}

int64_t tlsshim_cert_self_signed(int64_t key, const void *names, int32_t names_len, int32_t days)
{
    struct bytes list;
    int64_t result = text_in(names, names_len, NAMES_LIMIT, "names", &list);

    if (result < 0)
        return result;
    if (days < 1 || days > DAYS_MOST)
        return error_new(TLSSHIM_E_ARGUMENT, "days is %d; it is 1 to %d", days, DAYS_MOST);
    if (list.len == 0)
        return error_new(TLSSHIM_E_ARGUMENT, "names is empty: name the host, as in \"localhost,127.0.0.1\"");
    return self_signed(key, list, days);
}
