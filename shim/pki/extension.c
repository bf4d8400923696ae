#include "extension.h"

#include <openssl/evp.h>
#include <string.h>

#include "../base/backend.h"
#include "tlsshim.h"
#include "usage.h"

static bool add(STACK_OF(X509_EXTENSION) * *to, int nid, void *value, bool critical)
{
    return value != NULL && X509V3_add1_i2d(to, nid, value, critical, X509V3_ADD_APPEND) == 1;
}

bool extension_basic(STACK_OF(X509_EXTENSION) * *to, bool ca, int32_t path_length)
{
    BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();
    bool good = basic != NULL;

    if (good)
        basic->ca = ca ? 0xff : 0;
    if (good && ca && path_length >= 0) {
        basic->pathlen = ASN1_INTEGER_new();
        good = basic->pathlen != NULL && ASN1_INTEGER_set_int64(basic->pathlen, path_length) == 1;
    }
    good = good && add(to, NID_basic_constraints, basic, true);
    BASIC_CONSTRAINTS_free(basic);
    return good;
}

bool extension_key_usage(STACK_OF(X509_EXTENSION) * *to, int bits)
{
    ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
    bool good = value != NULL;

    for (int bit = 0; good && bit < 8; bit++)
        if ((bits & 0x80 >> bit) != 0)
            good = ASN1_BIT_STRING_set_bit(value, bit, 1) == 1;
    good = good && add(to, NID_key_usage, value, true);
    ASN1_BIT_STRING_free(value);
    return good;
}

bool extension_usages(STACK_OF(X509_EXTENSION) * *to, int32_t mask, const STACK_OF(ASN1_OBJECT) * more)
{
    EXTENDED_KEY_USAGE *usages = sk_ASN1_OBJECT_new_null();
    bool good = usages != NULL;

    for (int32_t bit = 1; good && bit <= USAGE_ALL; bit <<= 1)
        if ((mask & bit) != 0)
            good = sk_ASN1_OBJECT_push(usages, OBJ_nid2obj(usage_nid(bit))) > 0;
    for (int i = 0; good && i < sk_ASN1_OBJECT_num(more); i++)
        good = sk_ASN1_OBJECT_push(usages, sk_ASN1_OBJECT_value(more, i)) > 0;
    if (good && sk_ASN1_OBJECT_num(usages) > 0)
        good = add(to, NID_ext_key_usage, usages, (mask & TLSSHIM_USAGE_TIMESTAMP) != 0);
    sk_ASN1_OBJECT_free(usages);
    return good;
}

/* The first 160 bits of the SHA-256 of the public key (RFC 7093 section 2, method 1). */
static ASN1_OCTET_STRING *key_id(X509 *cert)
{
    enum { ID = 20 };
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
    unsigned char digest[32];

    if (id != NULL &&
        EVP_Q_digest(backend_context(), "SHA256", NULL, ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits),
                     digest, NULL) == 1 &&
        ASN1_OCTET_STRING_set(id, digest, ID) == 1)
        return id;
    ASN1_OCTET_STRING_free(id);
    return NULL;
}

bool extension_key_ids(STACK_OF(X509_EXTENSION) * *to, X509 *cert, X509 *issuer)
{
    const ASN1_OCTET_STRING *known = issuer == NULL ? NULL : X509_get0_subject_key_id(issuer);
    ASN1_OCTET_STRING *own = key_id(cert);
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool good = own != NULL && authority != NULL && add(to, NID_subject_key_identifier, own, false);

    if (good) {
        authority->keyid = known != NULL    ? ASN1_OCTET_STRING_dup(known)
                           : issuer != NULL ? key_id(issuer)
                                            : ASN1_OCTET_STRING_dup(own);
        good = authority->keyid != NULL && add(to, NID_authority_key_identifier, authority, false);
    }
    ASN1_OCTET_STRING_free(own);
    AUTHORITY_KEYID_free(authority);
    return good;
}

bool extension_names(STACK_OF(X509_EXTENSION) * *to, GENERAL_NAMES *names, bool critical)
{
    return sk_GENERAL_NAME_num(names) == 0 || add(to, NID_subject_alt_name, names, critical);
}

bool extension_constraints(STACK_OF(X509_EXTENSION) * *to, NAME_CONSTRAINTS *constraints)
{
    return constraints == NULL || add(to, NID_name_constraints, constraints, true);
}

static bool push_point(CRL_DIST_POINTS *points, const GENERAL_NAME *url)
{
    DIST_POINT *point = DIST_POINT_new();
    GENERAL_NAME *copy = GENERAL_NAME_dup(url);
    bool good = false;

    if (point != NULL && copy != NULL && (point->distpoint = DIST_POINT_NAME_new()) != NULL) {
        point->distpoint->type = 0;
        point->distpoint->name.fullname = GENERAL_NAMES_new();
        good =
            point->distpoint->name.fullname != NULL && sk_GENERAL_NAME_push(point->distpoint->name.fullname, copy) > 0;
    }
    if (!good)
        GENERAL_NAME_free(copy);
    if (!good || sk_DIST_POINT_push(points, point) == 0) {
        DIST_POINT_free(point);
        return false;
    }
    return true;
}

bool extension_crl_urls(STACK_OF(X509_EXTENSION) * *to, const GENERAL_NAMES *urls)
{
    CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
    bool good = points != NULL;

    for (int i = 0; good && i < sk_GENERAL_NAME_num(urls); i++)
        good = push_point(points, sk_GENERAL_NAME_value(urls, i));
    if (good && sk_DIST_POINT_num(points) > 0)
        good = add(to, NID_crl_distribution_points, points, false);
    sk_DIST_POINT_pop_free(points, DIST_POINT_free);
    return good;
}

static bool push_access(AUTHORITY_INFO_ACCESS *access, const GENERAL_NAME *url)
{
    ACCESS_DESCRIPTION *one = ACCESS_DESCRIPTION_new();
    GENERAL_NAME *copy = GENERAL_NAME_dup(url);

    if (one == NULL || copy == NULL || sk_ACCESS_DESCRIPTION_push(access, one) == 0) {
        ACCESS_DESCRIPTION_free(one);
        GENERAL_NAME_free(copy);
        return false;
    }
    ASN1_OBJECT_free(one->method);
    one->method = OBJ_nid2obj(NID_ad_OCSP);
    GENERAL_NAME_free(one->location);
    one->location = copy;
    return true;
}

bool extension_ocsp_urls(STACK_OF(X509_EXTENSION) * *to, const GENERAL_NAMES *urls)
{
    AUTHORITY_INFO_ACCESS *access = sk_ACCESS_DESCRIPTION_new_null();
    bool good = access != NULL;

    for (int i = 0; good && i < sk_GENERAL_NAME_num(urls); i++)
        good = push_access(access, sk_GENERAL_NAME_value(urls, i));
    if (good && sk_ACCESS_DESCRIPTION_num(access) > 0)
        good = add(to, NID_info_access, access, false);
    AUTHORITY_INFO_ACCESS_free(access);
    return good;
}

bool extension_must_staple(STACK_OF(X509_EXTENSION) * *to)
{
    enum { STATUS_REQUEST = 5 };
    TLS_FEATURE *features = sk_ASN1_INTEGER_new_null();
    ASN1_INTEGER *feature = ASN1_INTEGER_new();
    bool good = features != NULL && feature != NULL && ASN1_INTEGER_set(feature, STATUS_REQUEST) == 1 &&
                sk_ASN1_INTEGER_push(features, feature) > 0;

    if (!good)
        ASN1_INTEGER_free(feature);
    good = good && add(to, NID_tlsfeature, features, false);
    sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
    return good;
}
