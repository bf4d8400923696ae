/* Lists of revoked certificates. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert_fields.h"
#include "crl_reason.h"
#include "dn.h"
#include "identity.h"
#include "instant.h"
#include "pem.h"
#include "usage.h"

enum { ENTRIES_LIMIT = 16777216, LIST_OVERHEAD = 512, SERIAL_DIGITS = 40, FIELDS = 3, NUMBER_CAP = 24 };

struct list {
    X509_CRL *crl;
    int64_t this_update;
    int64_t number;
    int line; /* that is being read */
};

static int32_t bad_line(const struct list *list, const char *why)
{
    return error_new(TLSSHIM_E_ARGUMENT, "line %d of the entries: %s", list->line, why);
}

/* Splits at spaces: the number of fields, FIELDS + 1 if there are more. */
static int split(struct bytes line, struct bytes fields[FIELDS])
{
    int count = 0;

    for (size_t at = 0; at < line.len;) {
        size_t end = at;

        while (end < line.len && line.data[end] != ' ' && line.data[end] != '\t')
            end++;
        if (end > at) {
            if (count == FIELDS)
                return FIELDS + 1;
            fields[count++] = (struct bytes){line.data + at, end - at};
        }
        at = end + 1;
    }
    return count;
}

/* A whole number within the years that ASN.1 knows, which also bounds the number of a list. */
static bool whole_number(struct bytes text, int64_t *n)
{
    char digits[NUMBER_CAP];
    char *end;

    if (text.len == 0 || text.len >= sizeof digits)
        return false;
    memcpy(digits, text.data, text.len);
    digits[text.len] = 0;
    *n = strtoll(digits, &end, 10);
    return *end == 0 && (digits[0] == '-' || (digits[0] >= '0' && digits[0] <= '9')) && *n >= INSTANT_MIN &&
           *n <= INSTANT_MAX;
}

static ASN1_INTEGER *serial_number(struct bytes hex)
{
    char digits[SERIAL_DIGITS + 1];
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = NULL;

    if (hex.len == 0 || hex.len > SERIAL_DIGITS)
        return NULL;
    memcpy(digits, hex.data, hex.len);
    digits[hex.len] = 0;
    if (strspn(digits, "0123456789abcdefABCDEF") == hex.len && BN_hex2bn(&number, digits) > 0)
        serial = BN_to_ASN1_INTEGER(number, NULL);
    BN_free(number);
    return serial;
}

static bool set_entry(X509_REVOKED *entry, ASN1_INTEGER *serial, int64_t when, int reason)
{
    ASN1_TIME *time = instant_to_asn1(when);
    ASN1_ENUMERATED *value = reason <= 0 ? NULL : ASN1_ENUMERATED_new();
    bool good = time != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
                X509_REVOKED_set_revocationDate(entry, time) == 1;

    /* "unspecified" is said by saying nothing (RFC 5280 section 5.3.1). */
    if (good && reason > 0)
        good = value != NULL && ASN1_ENUMERATED_set(value, reason) == 1 &&
               X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) == 1;
    ASN1_TIME_free(time);
    ASN1_ENUMERATED_free(value);
    return good;
}

static int32_t add_entry(struct list *list, const struct bytes fields[FIELDS], int count)
{
    ASN1_INTEGER *serial = serial_number(fields[0]);
    X509_REVOKED *entry = NULL;
    int64_t when = list->this_update;
    int reason = count > 1 ? crl_reason_number(fields[1]) : 0;
    int32_t result = TLSSHIM_OK;

    if (serial == NULL)
        return bad_line(list, "it begins with no serial number in hex");
    if (count == 2 && reason == CRL_REASON_UNKNOWN && whole_number(fields[1], &when))
        reason = 0;
    if (reason == CRL_REASON_UNKNOWN)
        result = bad_line(list, "the reason is none of RFC 5280, such as keyCompromise or superseded");
    else if (count == 3 && !whole_number(fields[2], &when))
        result = bad_line(list, "the time is no number of seconds since 1970");
    if (result == TLSSHIM_OK) {
        entry = X509_REVOKED_new();
        if (entry == NULL || !set_entry(entry, serial, when, reason) || X509_CRL_add0_revoked(list->crl, entry) != 1) {
            X509_REVOKED_free(entry);
            result = TLSSHIM_E_MEMORY;
        }
    }
    ASN1_INTEGER_free(serial);
    return result;
}

static int32_t read_line(struct list *list, struct bytes line)
{
    struct bytes fields[FIELDS];
    int count = split(line, fields);

    if (count == 0)
        return TLSSHIM_OK;
    if (count > FIELDS)
        return bad_line(list, "it has more than a serial number, a reason and a time");
    if (bytes_equal_text(fields[0], "number")) {
        if (count != 2 || !whole_number(fields[1], &list->number) || list->number < 0)
            return bad_line(list, "\"number\" is followed by one whole number");
        return TLSSHIM_OK;
    }
    return add_entry(list, fields, count);
}

static int32_t read_entries(struct list *list, struct bytes entries)
{
    int32_t result = TLSSHIM_OK;

    for (size_t at = 0, end; result == TLSSHIM_OK && at < entries.len; at = end + 1) {
        struct bytes line;

        for (end = at; end < entries.len && entries.data[end] != '\n'; end++)
            ;
        line = (struct bytes){entries.data + at, end - at};
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line.len--;
        list->line++;
        result = read_line(list, line);
    }
    return result;
}

static int32_t check_doubles(X509_CRL *crl)
{
    STACK_OF(X509_REVOKED) * entries;

    X509_CRL_sort(crl);
    entries = X509_CRL_get_REVOKED(crl);
    for (int i = 1; i < sk_X509_REVOKED_num(entries); i++) {
        const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i));

        if (ASN1_INTEGER_cmp(serial, X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i - 1))) == 0) {
            struct buffer hex = {0};
            int32_t result;

            buffer_hex(&hex, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
            result = error_new(TLSSHIM_E_ARGUMENT, "the entries name the serial number %.*s twice", (int)hex.len,
                               (const char *)hex.data);
            buffer_free(&hex);
            return result;
        }
    }
    return TLSSHIM_OK;
}

static bool set_instant(X509_CRL *crl, int64_t instant, int (*set)(X509_CRL *crl, const ASN1_TIME *time))
{
    ASN1_TIME *time = instant_to_asn1(instant);
    bool good = time != NULL && set(crl, time) == 1;

    ASN1_TIME_free(time);
    return good;
}

static bool add_number_and_issuer(X509_CRL *crl, int64_t number, X509 *issuer)
{
    const ASN1_OCTET_STRING *known = X509_get0_subject_key_id(issuer);
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    bool good = value != NULL && authority != NULL && ASN1_INTEGER_set_int64(value, number) == 1 &&
                X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0) == 1;

    if (good && known != NULL) {
        authority->keyid = ASN1_OCTET_STRING_dup(known);
        good =
            authority->keyid != NULL && X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0, 0) == 1;
    }
    ASN1_INTEGER_free(value);
    AUTHORITY_KEYID_free(authority);
    return good;
}

static int32_t check_issuer(const struct identity *ca)
{
    int32_t mask = 0;
    struct error_detail detail = error_detail_none();
    int32_t result = key_needs_private(ca->key);

    if (result < 0)
        return result;
    if (!key_usage_of(ca->cert->at[0], &mask) || (mask & TLSSHIM_KEY_USAGE_CRL_SIGN) != 0)
        return TLSSHIM_OK;
    dn_copy(X509_get_subject_name(ca->cert->at[0]), detail.subject, sizeof detail.subject);
    detail.side = TLSSHIM_SIDE_LOCAL;
    error_say(&detail, "%s may not sign CRLs: its key usage lacks that", detail.subject);
    return error_publish(TLSSHIM_E_MISMATCH, &detail);
}

static int32_t fill(struct list *list, const struct identity *ca, struct bytes entries, int64_t next_update)
{
    X509 *issuer = ca->cert->at[0];
    int32_t result;

    if (X509_CRL_set_version(list->crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(list->crl, X509_get_subject_name(issuer)) != 1 ||
        !set_instant(list->crl, list->this_update, X509_CRL_set1_lastUpdate) ||
        !set_instant(list->crl, next_update, X509_CRL_set1_nextUpdate))
        return TLSSHIM_E_MEMORY;
    result = read_entries(list, entries);
    if (result == TLSSHIM_OK)
        result = check_doubles(list->crl);
    if (result == TLSSHIM_OK && !add_number_and_issuer(list->crl, list->number, issuer))
        result = TLSSHIM_E_MEMORY;
    return result;
}

static int32_t sign(X509_CRL *crl, EVP_PKEY *pkey, bool pem, void *data, int32_t cap)
{
    struct buffer out = {0};
    unsigned char *der = NULL;
    int len;

    if (X509_CRL_sign(crl, pkey, key_default_digest(pkey)) <= 0)
        return error_backend(TLSSHIM_E_MISMATCH, "the key cannot sign CRLs");
    len = i2d_X509_CRL(crl, &der);
    if (len <= 0)
        return TLSSHIM_E_MEMORY;
    if (pem)
        pem_write(&out, PEM_STRING_X509_CRL, (struct bytes){der, (size_t)len});
    else
        buffer_add(&out, der, (size_t)len);
    OPENSSL_free(der);
    return buffer_out(&out, data, cap);
}

/* What a list will at most take: its entries, its issuer, its signature, and what is the same in each. */
static size_t bound_of(X509_CRL *crl, EVP_PKEY *pkey)
{
    STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
    int name = i2d_X509_NAME(X509_CRL_get_issuer(crl), NULL);
    size_t bound = LIST_OVERHEAD + (size_t)EVP_PKEY_get_size(pkey) + (size_t)(name > 0 ? name : 0);

    for (int i = 0; i < sk_X509_REVOKED_num(entries); i++) {
        int len = i2d_X509_REVOKED(sk_X509_REVOKED_value(entries, i), NULL);

        bound += (size_t)(len > 0 ? len : 0);
    }
    return bound;
}

static int32_t crl_issue(const struct identity *ca, struct bytes entries, int64_t this_update, int64_t next_update,
                         int32_t format, void *data, int32_t cap)
{
    struct list list = {NULL, this_update, this_update < 0 ? 0 : this_update, 0};
    bool pem = format == TLSSHIM_FORMAT_PEM;
    int32_t result = check_issuer(ca);

    if (result < 0)
        return result;
    list.crl = X509_CRL_new_ex(backend_context(), NULL);
    result = list.crl == NULL ? TLSSHIM_E_MEMORY : fill(&list, ca, entries, next_update);
    if (result == TLSSHIM_OK) {
        size_t bound = bound_of(list.crl, ca->key->pkey);

        if (pem)
            bound = pem_length(PEM_STRING_X509_CRL, bound);
        result = (size_t)cap < bound ? (int32_t)bound : sign(list.crl, ca->key->pkey, pem, data, cap);
    }
    X509_CRL_free(list.crl);
    return result;
}

static int32_t check_arguments(int64_t this_update, int64_t next_update, int32_t format, const void *data, int32_t cap)
{
    if (format != TLSSHIM_FORMAT_PEM && format != TLSSHIM_FORMAT_DER)
        return error_new(TLSSHIM_E_ARGUMENT, "format is neither PEM nor DER");
    if (this_update < INSTANT_MIN || next_update > INSTANT_MAX)
        return error_new(TLSSHIM_E_ARGUMENT, "the updates are outside the years 0 to 9999");
    if (this_update > next_update)
        return error_new(TLSSHIM_E_ARGUMENT, "this_update is later than next_update");
    if (cap < 0 || (cap > 0 && data == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "crl has a negative capacity, or no address");
    return TLSSHIM_OK;
}

int32_t tlsshim_crl_issue(int64_t identity, const void *entries, int32_t entries_len, int64_t this_update,
                          int64_t next_update, int32_t format, void *crl, int32_t crl_cap)
{
    struct visit visit;
    struct bytes text;
    struct identity *i;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = identity_pin(identity, &i);
    if (result == TLSSHIM_OK) {
        result = text_in(entries, entries_len, ENTRIES_LIMIT, "entries", &text);
        if (result == TLSSHIM_OK)
            result = check_arguments(this_update, next_update, format, crl, crl_cap);
        if (result == TLSSHIM_OK)
            result = crl_issue(i, text, this_update, next_update, format, crl, crl_cap);
        handle_unpin(identity);
    }
    visit_leave(&visit);
    return result;
}

/* --- read --- */

static int32_t first_crl(struct source *source, X509_CRL **crl)
{
    struct pem_reader reader;
    struct pem_block block;
    bool found = false;
    int32_t more = 0;
    int32_t result;

    if (der_shaped(source->bytes))
        return der_crl(source->bytes, source->label, 1, crl);
    result = pem_start(&reader, source);
    while (result == TLSSHIM_OK && !found && (more = pem_next(&reader, &block)) > 0) {
        found = pem_is(&block, PEM_STRING_X509_CRL);
        if (found)
            result = der_crl((struct bytes){block.data, (size_t)block.len}, source->label, 1, crl);
        pem_block_end(&block);
    }
    pem_end(&reader);
    if (result < 0 || found)
        return result;
    if (more < 0)
        return more;
    if (reader.number > 0 || source->bytes.len == 0)
        return error_new(TLSSHIM_E_EMPTY, "%s holds no CRL", source->label);
    return error_new(TLSSHIM_E_FORMAT, "%s is neither PEM nor DER", source->label);
}

static int32_t crl_text(struct bytes data, void *text, int32_t cap)
{
    struct source source;
    struct buffer out = {0};
    X509_CRL *crl = NULL;
    BIO *bio;
    int32_t result;

    source_of(&source, data);
    result = first_crl(&source, &crl);
    if (result < 0)
        return result;
    bio = BIO_new(BIO_s_mem());
    if (bio == NULL)
        result = TLSSHIM_E_MEMORY;
    else if (X509_CRL_print_ex(bio, crl, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "the CRL cannot be printed");
    else {
        printed_text(bio, &out);
        result = buffer_out(&out, text, cap);
    }
    BIO_free(bio);
    X509_CRL_free(crl);
    return result;
}

int32_t tlsshim_crl_text(const void *crl, int32_t crl_len, void *text, int32_t text_cap)
{
    struct visit visit;
    struct bytes in;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(crl, crl_len, TRUST_LIMIT, "crl", &in);
    if (result == TLSSHIM_OK)
        result = crl_text(in, text, text_cap);
    visit_leave(&visit);
    return result;
}
