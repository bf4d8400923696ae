/* What a certificate lists: names, usages, URLs, extensions, as structure. */
#include <openssl/x509v3.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert.h"
#include "cert_fields.h"
#include "dn.h"
#include "general_name.h"

/* One question: entry `index` of a list, of which one part; without `out` the entries are counted. */
struct question {
    int32_t index;
    int32_t part;
    struct buffer *out;
};

enum { COUNTING = -1 };

/* The answers to a question: NONE past the end, or a part that such entries have not. */
static int32_t part_is_text(const struct question *question, const char *text)
{
    if (text == NULL)
        return TLSSHIM_NONE;
    buffer_text(question->out, text);
    return TLSSHIM_OK;
}

static int32_t part_is_type(const struct question *question, const ASN1_OBJECT *type)
{
    int nid = OBJ_obj2nid(type);
    char text[128];

    if (question->part == TLSSHIM_PART_OID) {
        OBJ_obj2txt(text, sizeof text, type, 1);
        return part_is_text(question, text);
    }
    if (question->part == TLSSHIM_PART_NAME)
        return part_is_text(question, nid == NID_undef ? NULL : OBJ_nid2ln(nid));
    dn_type(type, question->out);
    return TLSSHIM_OK;
}

static int32_t in_name(const X509_NAME *name, const struct question *question)
{
    const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, question->index);

    if (question->out == NULL)
        return X509_NAME_entry_count(name);
    if (entry == NULL)
        return TLSSHIM_NONE;
    switch (question->part) {
    case TLSSHIM_PART_VALUE:
        dn_value(X509_NAME_ENTRY_get_data(entry), question->out);
        return TLSSHIM_OK;
    case TLSSHIM_PART_SET:
        buffer_format(question->out, "%d", X509_NAME_ENTRY_set(entry));
        return TLSSHIM_OK;
    default:
        return part_is_type(question, X509_NAME_ENTRY_get_object(entry));
    }
}

static int32_t of_general_name(const GENERAL_NAME *name, const struct question *question)
{
    switch (question->part) {
    case TLSSHIM_PART_VALUE:
        general_name_value(name, question->out);
        return TLSSHIM_OK;
    case TLSSHIM_PART_KIND:
        return part_is_text(question, general_name_kind(name));
    case TLSSHIM_PART_OID:
        return name->type == GEN_OTHERNAME ? part_is_type(question, name->d.otherName->type_id)
               : name->type == GEN_RID     ? part_is_type(question, name->d.registeredID)
                                           : TLSSHIM_NONE;
    default:
        return TLSSHIM_NONE;
    }
}

static int32_t in_names(X509 *cert, const struct question *question)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
    int32_t result = TLSSHIM_NONE;

    if (question->out == NULL)
        result = count;
    else if (question->index < count)
        result = of_general_name(sk_GENERAL_NAME_value(names, question->index), question);
    GENERAL_NAMES_free(names);
    return result;
}

static int32_t in_usages(X509 *cert, const struct question *question)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    int count = usages == NULL ? 0 : sk_ASN1_OBJECT_num(usages);
    int32_t result = TLSSHIM_NONE;

    if (question->out == NULL)
        result = count;
    else if (question->index < count && question->part != TLSSHIM_PART_SET && question->part != TLSSHIM_PART_KIND)
        result = part_is_type(question, sk_ASN1_OBJECT_value(usages, question->index));
    sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
    return result;
}

/* Counts URLs down; true when the wanted one is reached. */
static bool reached(const GENERAL_NAME *name, const struct question *question, int32_t *at)
{
    return name->type == GEN_URI && (*at)++ == question->index;
}

static int32_t in_access(X509 *cert, int method, const struct question *question)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
    int count = access == NULL ? 0 : sk_ACCESS_DESCRIPTION_num(access);
    int32_t result = TLSSHIM_NONE;
    int32_t at = 0;

    for (int i = 0; i < count; i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);

        if (OBJ_obj2nid(one->method) == method && reached(one->location, question, &at))
            result = of_general_name(one->location, question);
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return question->out == NULL ? at : result;
}

static int32_t in_crl_points(X509 *cert, const struct question *question)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    int count = points == NULL ? 0 : sk_DIST_POINT_num(points);
    int32_t result = TLSSHIM_NONE;
    int32_t at = 0;

    for (int i = 0; i < count; i++) {
        const DIST_POINT_NAME *name = sk_DIST_POINT_value(points, i)->distpoint;
        const GENERAL_NAMES *names = name != NULL && name->type == 0 ? name->name.fullname : NULL;

        for (int j = 0; names != NULL && j < sk_GENERAL_NAME_num(names); j++)
            if (reached(sk_GENERAL_NAME_value(names, j), question, &at))
                result = of_general_name(sk_GENERAL_NAME_value(names, j), question);
    }
    CRL_DIST_POINTS_free(points);
    return question->out == NULL ? at : result;
}

static int32_t in_policies(X509 *cert, const struct question *question)
{
    CERTIFICATEPOLICIES *policies = X509_get_ext_d2i(cert, NID_certificate_policies, NULL, NULL);
    int count = policies == NULL ? 0 : sk_POLICYINFO_num(policies);
    struct question dotted = *question;
    int32_t result = TLSSHIM_NONE;

    /* Policies are known by their number. */
    if (dotted.part == TLSSHIM_PART_VALUE)
        dotted.part = TLSSHIM_PART_OID;
    if (question->out == NULL)
        result = count;
    else if (question->index < count && (dotted.part == TLSSHIM_PART_OID || dotted.part == TLSSHIM_PART_NAME))
        result = part_is_type(&dotted, sk_POLICYINFO_value(policies, question->index)->policyid);
    CERTIFICATEPOLICIES_free(policies);
    return result;
}

static int32_t extension_value(X509_EXTENSION *extension, struct buffer *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL)
        return TLSSHIM_E_MEMORY;
    if (X509V3_EXT_print(bio, extension, 0, 0) == 1)
        printed_text(bio, out);
    else {
        const ASN1_OCTET_STRING *raw = X509_EXTENSION_get_data(extension);

        buffer_text(out, "#");
        buffer_hex(out, ASN1_STRING_get0_data(raw), (size_t)ASN1_STRING_length(raw));
    }
    BIO_free(bio);
    return TLSSHIM_OK;
}

static int32_t in_extensions(X509 *cert, const struct question *question)
{
    X509_EXTENSION *extension = X509_get_ext(cert, question->index);

    if (question->out == NULL)
        return X509_get_ext_count(cert);
    if (extension == NULL)
        return TLSSHIM_NONE;
    switch (question->part) {
    case TLSSHIM_PART_VALUE:
        return extension_value(extension, question->out);
    case TLSSHIM_PART_KIND:
        return part_is_text(question, X509_EXTENSION_get_critical(extension) ? "critical" : NULL);
    case TLSSHIM_PART_SET:
        return TLSSHIM_NONE;
    default:
        return part_is_type(question, X509_EXTENSION_get_object(extension));
    }
}

static int32_t ask(X509 *cert, int32_t list, const struct question *question)
{
    switch (list) {
    case TLSSHIM_CERT_LIST_SUBJECT:
        return in_name(X509_get_subject_name(cert), question);
    case TLSSHIM_CERT_LIST_ISSUER:
        return in_name(X509_get_issuer_name(cert), question);
    case TLSSHIM_CERT_LIST_NAMES:
        return in_names(cert, question);
    case TLSSHIM_CERT_LIST_USAGES:
        return in_usages(cert, question);
    case TLSSHIM_CERT_LIST_OCSP_URLS:
        return in_access(cert, NID_ad_OCSP, question);
    case TLSSHIM_CERT_LIST_CA_ISSUER_URLS:
        return in_access(cert, NID_ad_ca_issuers, question);
    case TLSSHIM_CERT_LIST_CRL_URLS:
        return in_crl_points(cert, question);
    case TLSSHIM_CERT_LIST_POLICIES:
        return in_policies(cert, question);
    case TLSSHIM_CERT_LIST_EXTENSIONS:
        return in_extensions(cert, question);
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no list of a certificate", list);
    }
}

int32_t tlsshim_cert_list_count(int64_t cert, int32_t list)
{
    const struct question question = {COUNTING, TLSSHIM_PART_VALUE, NULL};
    struct visit visit;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = ask(c->at[0], list, &question);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

static int32_t list_at(X509 *cert, int32_t list, int32_t index, int32_t part, void *text, int32_t cap)
{
    struct buffer out = {0};
    const struct question question = {index, part, &out};
    int32_t result;

    if (index < 0)
        return error_new(TLSSHIM_E_ARGUMENT, "the index is %d; it begins at 0", index);
    if (part < TLSSHIM_PART_VALUE || part > TLSSHIM_PART_SET)
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no part of a list's entry", part);
    result = ask(cert, list, &question);
    if (result == TLSSHIM_OK)
        return buffer_out(&out, text, cap);
    buffer_free(&out);
    return result;
}

int32_t tlsshim_cert_list_at(int64_t cert, int32_t list, int32_t index, int32_t part, void *text, int32_t text_cap)
{
    struct visit visit;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = list_at(c->at[0], list, index, part, text, text_cap);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}
