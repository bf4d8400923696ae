/* What a template says so far. */
#include <openssl/x509.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "dn.h"
#include "general_name.h"
#include "instant.h"
#include "template.h"
#include "usage.h"

static int32_t subject_text(const struct template *tmpl, int32_t field, struct buffer *out)
{
    X509_NAME *subject = NULL;
    int at;
    int32_t result = TLSSHIM_OK;

    if (tmpl->subject == NULL && sk_GENERAL_NAME_num(tmpl->names) == 0)
        return TLSSHIM_NONE;
    result = template_subject(tmpl, &subject);
    if (result < 0)
        return result;
    at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (field == TLSSHIM_CERT_SUBJECT)
        dn_text(subject, out);
    else if (at < 0)
        result = TLSSHIM_NONE;
    else
        dn_value(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out);
    X509_NAME_free(subject);
    return result;
}

static void line_of_names(const char *title, const GENERAL_NAMES *names, struct buffer *out)
{
    if (sk_GENERAL_NAME_num(names) == 0)
        return;
    buffer_format(out, "%s:", title);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        buffer_format(out, "%s %s:", i > 0 ? "," : "", general_name_kind(name));
        general_name_value(name, out);
    }
    buffer_text(out, "\n");
}

static void line_of_usages(const struct template *tmpl, struct buffer *out)
{
    int32_t mask = template_usage(tmpl);
    const char *between = " ";

    if (mask == 0 && sk_ASN1_OBJECT_num(tmpl->more_usages) == 0)
        return;
    buffer_text(out, "usages:");
    for (int32_t bit = 1; bit <= USAGE_ALL; bit <<= 1)
        if ((mask & bit) != 0) {
            buffer_format(out, "%s%s", between, usage_name(bit));
            between = ", ";
        }
    for (int i = 0; i < sk_ASN1_OBJECT_num(tmpl->more_usages); i++) {
        buffer_text(out, between);
        dn_type(sk_ASN1_OBJECT_value(tmpl->more_usages, i), out);
        between = ", ";
    }
    buffer_text(out, "\n");
}

static void line_of_constraints(const char *title, const STACK_OF(GENERAL_SUBTREE) * trees, struct buffer *out)
{
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(trees, i)->base;

        buffer_format(out, "%s: %s:", title, general_name_kind(base));
        general_name_value(base, out);
        buffer_text(out, "\n");
    }
}

static void full_text(const struct template *tmpl, struct buffer *out)
{
    struct buffer subject = {0};
    char from[INSTANT_TEXT_CAP];
    char until[INSTANT_TEXT_CAP];

    if (subject_text(tmpl, TLSSHIM_CERT_SUBJECT, &subject) == TLSSHIM_OK) {
        buffer_text(out, "subject: ");
        buffer_add(out, subject.data, subject.len);
        buffer_text(out, "\n");
    }
    buffer_free(&subject);
    line_of_names("names", tmpl->names, out);
    line_of_usages(tmpl, out);
    if (tmpl->ca && tmpl->path_length >= 0)
        buffer_format(out, "CA, path length %d\n", tmpl->path_length);
    else if (tmpl->ca)
        buffer_text(out, "CA\n");
    if (tmpl->constraints != NULL) {
        line_of_constraints("permitted", tmpl->constraints->permittedSubtrees, out);
        line_of_constraints("excluded", tmpl->constraints->excludedSubtrees, out);
    }
    if (tmpl->has_validity) {
        instant_text(tmpl->not_before, from);
        instant_text(tmpl->not_after, until);
        buffer_format(out, "valid: %s to %s\n", from, until);
    }
    if (tmpl->must_staple)
        buffer_text(out, "must staple\n");
    line_of_names("CRLs", tmpl->crl_urls, out);
    line_of_names("OCSP", tmpl->ocsp_urls, out);
    if (tmpl->requester != NULL) {
        buffer_text(out, "key: ");
        key_algorithm_text(tmpl->requester, out);
        buffer_text(out, "\n");
    }
}

static int32_t instant(const struct template *tmpl, int64_t seconds, struct buffer *out)
{
    char text[INSTANT_TEXT_CAP];

    if (!tmpl->has_validity)
        return TLSSHIM_NONE;
    instant_text(seconds, text);
    buffer_text(out, text);
    return TLSSHIM_OK;
}

static int32_t key_digest(EVP_PKEY *pkey, struct buffer *out)
{
    unsigned char *der = NULL;
    unsigned char digest[32];
    int len = i2d_PUBKEY(pkey, &der);
    bool good = len > 0 && EVP_Q_digest(backend_context(), "SHA256", NULL, der, (size_t)len, digest, NULL) == 1;

    OPENSSL_free(der);
    if (!good)
        return error_backend(TLSSHIM_E_INTERNAL, "the digest cannot be made");
    buffer_hex(out, digest, sizeof digest);
    return TLSSHIM_OK;
}

static int32_t field_text(const struct template *tmpl, int32_t field, struct buffer *out)
{
    switch (field) {
    case TLSSHIM_CERT_SUBJECT:
    case TLSSHIM_CERT_COMMON_NAME:
        return subject_text(tmpl, field, out);
    case TLSSHIM_CERT_SERIAL:
        buffer_hex(out, tmpl->serial, tmpl->serial_len);
        return tmpl->serial_len > 0 ? TLSSHIM_OK : TLSSHIM_NONE;
    case TLSSHIM_CERT_SPKI_SHA256:
        return tmpl->requester == NULL ? TLSSHIM_NONE : key_digest(tmpl->requester, out);
    case TLSSHIM_CERT_KEY_ALGORITHM:
        if (tmpl->requester == NULL)
            return TLSSHIM_NONE;
        key_algorithm_text(tmpl->requester, out);
        return TLSSHIM_OK;
    case TLSSHIM_CERT_FULL:
        full_text(tmpl, out);
        return TLSSHIM_OK;
    case TLSSHIM_CERT_NOT_BEFORE:
        return instant(tmpl, tmpl->not_before, out);
    case TLSSHIM_CERT_NOT_AFTER:
        return instant(tmpl, tmpl->not_after, out);
    case TLSSHIM_CERT_ISSUER:
    case TLSSHIM_CERT_FINGERPRINT:
    case TLSSHIM_CERT_SIGNATURE_ALGORITHM:
    case TLSSHIM_CERT_SUBJECT_KEY_ID:
    case TLSSHIM_CERT_AUTHORITY_KEY_ID:
        return TLSSHIM_NONE;
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no field of a template that is text", field);
    }
}

static int32_t field_number(const struct template *tmpl, int32_t field, int64_t *n)
{
    bool there = true;

    switch (field) {
    case TLSSHIM_CERT_NOT_BEFORE:
        *n = tmpl->not_before;
        there = tmpl->has_validity;
        break;
    case TLSSHIM_CERT_NOT_AFTER:
        *n = tmpl->not_after;
        there = tmpl->has_validity;
        break;
    case TLSSHIM_CERT_IS_CA:
        *n = tmpl->ca;
        break;
    case TLSSHIM_CERT_PATH_LENGTH:
        *n = tmpl->path_length;
        there = tmpl->ca && tmpl->path_length >= 0;
        break;
    case TLSSHIM_CERT_VERSION:
        *n = X509_VERSION_3 + 1;
        break;
    case TLSSHIM_CERT_USAGE:
        *n = template_usage(tmpl);
        there = *n != 0;
        break;
    case TLSSHIM_CERT_KEY_BITS:
        there = tmpl->requester != NULL;
        *n = there ? EVP_PKEY_get_bits(tmpl->requester) : 0;
        break;
    case TLSSHIM_CERT_MUST_STAPLE:
        *n = tmpl->must_staple;
        break;
    case TLSSHIM_CERT_KEY_USAGE:
    case TLSSHIM_CERT_SELF_SIGNED:
        there = false;
        break;
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no field of a template that is a number", field);
    }
    return there ? TLSSHIM_OK : TLSSHIM_NONE;
}

int32_t tlsshim_template_text(int64_t tmpl, int32_t field, void *text, int32_t text_cap)
{
    struct visit visit;
    struct buffer out = {0};
    struct template *t;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        pthread_mutex_lock(&t->lock);
        result = field_text(t, field, &out);
        pthread_mutex_unlock(&t->lock);
        if (result == TLSSHIM_OK)
            result = buffer_out(&out, text, text_cap);
        else
            buffer_free(&out);
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_template_number(int64_t tmpl, int32_t field, int64_t *n)
{
    struct visit visit;
    struct template *t;
    int64_t found = 0;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        pthread_mutex_lock(&t->lock);
        result = n == NULL ? error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL") : field_number(t, field, &found);
        pthread_mutex_unlock(&t->lock);
        if (result == TLSSHIM_OK)
            *n = found;
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}

int64_t tlsshim_template_key(int64_t tmpl)
{
    struct visit visit;
    struct template *t;
    EVP_PKEY *pkey = NULL;
    int64_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = template_pin(tmpl, &t);
    if (result == TLSSHIM_OK) {
        pthread_mutex_lock(&t->lock);
        if (t->requester != NULL && EVP_PKEY_up_ref(t->requester) == 1)
            pkey = t->requester;
        pthread_mutex_unlock(&t->lock);
        result = pkey == NULL ? TLSSHIM_NONE : key_handle_new(key_from_pkey(pkey, false));
        handle_unpin(tmpl);
    }
    visit_leave(&visit);
    return result;
}
