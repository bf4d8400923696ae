#include "cert_fields.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert.h"
#include "dn.h"
#include "instant.h"
#include "key.h"
#include "usage.h"

void printed_text(BIO *printed, struct buffer *out)
{
    char *data = NULL;
    long len = BIO_get_mem_data(printed, &data);
    const uint8_t *s = (const uint8_t *)data;

    for (long at = 0; at < len;) {
        size_t step = bytes_utf8_step(s + at, (size_t)(len - at));

        if (step == 0 || (s[at] < 0x20 && s[at] != '\n') || s[at] == 0x7f) {
            buffer_format(out, "\\x%02x", s[at]);
            step = 1;
        } else {
            buffer_add(out, s + at, step);
        }
        at += (long)step;
    }
}

static int32_t full_text(X509 *cert, struct buffer *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int32_t result = TLSSHIM_OK;

    if (bio == NULL)
        return TLSSHIM_E_MEMORY;
    if (X509_print_ex(bio, cert, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB, 0) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "the certificate cannot be printed");
    else
        printed_text(bio, out);
    BIO_free(bio);
    return result;
}

static int32_t digest_text(const void *data, size_t len, struct buffer *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t digest_len = 0;

    if (EVP_Q_digest(backend_context(), "SHA256", NULL, data, len, digest, &digest_len) != 1)
        return error_backend(TLSSHIM_E_INTERNAL, "the digest cannot be made");
    buffer_hex(out, digest, digest_len);
    return TLSSHIM_OK;
}

static int32_t digest_of_der(unsigned char *der, int len, struct buffer *out)
{
    int32_t result = len <= 0 ? error_backend(TLSSHIM_E_INTERNAL, "the certificate cannot be encoded")
                              : digest_text(der, (size_t)len, out);

    OPENSSL_free(der);
    return result;
}

static int32_t common_name(X509 *cert, struct buffer *out)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int last = -1;

    for (int at; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0;)
        last = at;
    if (last < 0)
        return TLSSHIM_NONE;
    dn_value(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)), out);
    return TLSSHIM_OK;
}

static int32_t octets(const ASN1_OCTET_STRING *value, struct buffer *out)
{
    if (value == NULL)
        return TLSSHIM_NONE;
    buffer_hex(out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    return TLSSHIM_OK;
}

/* Numbers are shown with their sign: some serial numbers are negative against all rules. */
static int32_t serial(const ASN1_INTEGER *value, struct buffer *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(value, NULL);
    unsigned char *digits = number == NULL ? NULL : OPENSSL_zalloc((size_t)BN_num_bytes(number) + 1);
    int len;

    if (digits == NULL) {
        BN_free(number);
        return TLSSHIM_E_MEMORY;
    }
    len = BN_bn2bin(number, digits);
    if (BN_is_negative(number))
        buffer_text(out, "-");
    buffer_hex(out, digits, len > 0 ? (size_t)len : 1);
    BN_free(number);
    OPENSSL_free(digits);
    return TLSSHIM_OK;
}

static int32_t key_algorithm(X509 *cert, struct buffer *out)
{
    EVP_PKEY *pkey = X509_get0_pubkey(cert);
    ASN1_OBJECT *algorithm = NULL;

    if (pkey != NULL) {
        key_algorithm_text(pkey, out);
        return TLSSHIM_OK;
    }
    error_forget_backend();
    X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
    dn_type(algorithm, out);
    return TLSSHIM_OK;
}

static int32_t signature_algorithm(X509 *cert, struct buffer *out)
{
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    char text[128];

    X509_get0_signature(NULL, &algorithm, cert);
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    OBJ_obj2txt(text, sizeof text, object, 0);
    buffer_text(out, text);
    return TLSSHIM_OK;
}

static int32_t instant(const ASN1_TIME *time, struct buffer *out)
{
    char text[INSTANT_TEXT_CAP];
    int64_t seconds;

    if (!instant_from_asn1(time, &seconds)) {
        error_forget_backend();
        return TLSSHIM_NONE;
    }
    instant_text(seconds, text);
    buffer_text(out, text);
    return TLSSHIM_OK;
}

int32_t cert_field_text(X509 *cert, int32_t field, struct buffer *out)
{
    unsigned char *der = NULL;
    int len;

    switch (field) {
    case TLSSHIM_CERT_SUBJECT:
        dn_text(X509_get_subject_name(cert), out);
        return TLSSHIM_OK;
    case TLSSHIM_CERT_ISSUER:
        dn_text(X509_get_issuer_name(cert), out);
        return TLSSHIM_OK;
    case TLSSHIM_CERT_COMMON_NAME:
        return common_name(cert, out);
    case TLSSHIM_CERT_SERIAL:
        return serial(X509_get0_serialNumber(cert), out);
    case TLSSHIM_CERT_FINGERPRINT:
        len = i2d_X509(cert, &der);
        return digest_of_der(der, len, out);
    case TLSSHIM_CERT_SPKI_SHA256:
        len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
        return digest_of_der(der, len, out);
    case TLSSHIM_CERT_KEY_ALGORITHM:
        return key_algorithm(cert, out);
    case TLSSHIM_CERT_SIGNATURE_ALGORITHM:
        return signature_algorithm(cert, out);
    case TLSSHIM_CERT_SUBJECT_KEY_ID:
        return octets(X509_get0_subject_key_id(cert), out);
    case TLSSHIM_CERT_AUTHORITY_KEY_ID:
        return octets(X509_get0_authority_key_id(cert), out);
    case TLSSHIM_CERT_FULL:
        return full_text(cert, out);
    case TLSSHIM_CERT_NOT_BEFORE:
        return instant(X509_get0_notBefore(cert), out);
    case TLSSHIM_CERT_NOT_AFTER:
        return instant(X509_get0_notAfter(cert), out);
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no field of a certificate that is text", field);
    }
}

static int32_t given(bool there)
{
    error_forget_backend();
    return there ? TLSSHIM_OK : TLSSHIM_NONE;
}

int32_t cert_field_number(X509 *cert, int32_t field, int64_t *n)
{
    int32_t mask = 0;
    bool there = true;
    EVP_PKEY *pkey;

    switch (field) {
    case TLSSHIM_CERT_NOT_BEFORE:
        return given(instant_from_asn1(X509_get0_notBefore(cert), n));
    case TLSSHIM_CERT_NOT_AFTER:
        return given(instant_from_asn1(X509_get0_notAfter(cert), n));
    case TLSSHIM_CERT_IS_CA:
        *n = (X509_get_extension_flags(cert) & EXFLAG_CA) != 0;
        break;
    case TLSSHIM_CERT_PATH_LENGTH:
        *n = X509_get_pathlen(cert);
        there = *n >= 0;
        break;
    case TLSSHIM_CERT_VERSION:
        *n = X509_get_version(cert) + 1;
        break;
    case TLSSHIM_CERT_KEY_USAGE:
        there = key_usage_of(cert, &mask);
        *n = mask;
        break;
    case TLSSHIM_CERT_USAGE:
        there = usage_of(cert, &mask);
        *n = mask;
        break;
    case TLSSHIM_CERT_KEY_BITS:
        pkey = X509_get0_pubkey(cert);
        there = pkey != NULL;
        *n = there ? EVP_PKEY_get_bits(pkey) : 0;
        break;
    case TLSSHIM_CERT_SELF_SIGNED:
        *n = X509_self_signed(cert, 1) == 1;
        break;
    case TLSSHIM_CERT_MUST_STAPLE:
        *n = usage_must_staple(X509_get0_extensions(cert));
        break;
    default:
        return error_new(TLSSHIM_E_ARGUMENT, "%d is no field of a certificate that is a number", field);
    }
    return given(there);
}

int32_t tlsshim_cert_text(int64_t cert, int32_t field, void *text, int32_t text_cap)
{
    struct visit visit;
    struct buffer out = {0};
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = cert_field_text(c->at[0], field, &out);
        if (result == TLSSHIM_OK)
            result = buffer_out(&out, text, text_cap);
        else
            buffer_free(&out);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

int32_t tlsshim_cert_number(int64_t cert, int32_t field, int64_t *n)
{
    struct visit visit;
    struct cert *c;
    int64_t found = 0;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = n == NULL ? error_new(TLSSHIM_E_ARGUMENT, "the output n is NULL")
                           : cert_field_number(c->at[0], field, &found);
        if (result == TLSSHIM_OK)
            *n = found;
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

static int32_t cert_digest(X509 *cert, struct bytes name, void *digest, int32_t cap)
{
    char *text = bytes_dup_text(name);
    EVP_MD *md = NULL;
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int32_t result;

    if (text == NULL)
        return TLSSHIM_E_MEMORY;
    md = EVP_MD_fetch(backend_context(), name.len > 0 ? text : "SHA256", NULL);
    free(text);
    if (md == NULL)
        return error_backend(TLSSHIM_E_UNSUPPORTED, "the backend has no such digest");
    if (X509_digest(cert, md, made, &len) != 1)
        result = error_backend(TLSSHIM_E_UNSUPPORTED, "the digest cannot be made");
    else
        result = bytes_out(digest, cap, made, len);
    EVP_MD_free(md);
    return result;
}

int32_t tlsshim_cert_digest(int64_t cert, const void *digest_name, int32_t digest_name_len, void *digest,
                            int32_t digest_cap)
{
    struct visit visit;
    struct bytes name;
    struct cert *c;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = text_in(digest_name, digest_name_len, 64, "digest_name", &name);
        if (result == TLSSHIM_OK)
            result = cert_digest(c->at[0], name, digest, digest_cap);
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}
