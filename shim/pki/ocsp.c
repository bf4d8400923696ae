/* OCSP answers. */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "../base/backend.h"
#include "../base/error.h"
#include "../base/handle.h"
#include "cert_fields.h"
#include "dn.h"
#include "identity.h"
#include "instant.h"

/* An answer about one certificate, but for its signature. */
enum { ANSWER_MOST = 512, RESPONSE_LIMIT = 1048576 };

struct answer {
    int status; /* V_OCSP_CERTSTATUS_ */
    ASN1_TIME *revoked_at;
    ASN1_TIME *this_update;
    ASN1_TIME *next_update;
};

static int32_t check_issuer(X509 *cert, const struct identity *ca)
{
    X509 *issuer = ca->cert->at[0];
    struct error_detail detail = error_detail_none();
    int32_t result = key_needs_private(ca->key);

    if (result < 0)
        return result;
    if (X509_check_issued(issuer, cert) == X509_V_OK)
        return TLSSHIM_OK;
    error_forget_backend();
    dn_copy(X509_get_subject_name(cert), detail.subject, sizeof detail.subject);
    dn_copy(X509_get_subject_name(issuer), detail.issuer, sizeof detail.issuer);
    detail.side = TLSSHIM_SIDE_LOCAL;
    error_say(&detail, "%.190s was not issued by %.190s: the issuer answers for what it issued", detail.subject,
              detail.issuer);
    return error_publish(TLSSHIM_E_MISMATCH, &detail);
}

/* The times that OCSP has are all of the kind with four digits for the year. */
static ASN1_TIME *generalized(int64_t instant)
{
    ASN1_TIME *time = instant_to_asn1(instant);
    ASN1_TIME *made = time == NULL ? NULL : ASN1_TIME_to_generalizedtime(time, NULL);

    ASN1_TIME_free(time);
    return made;
}

static OCSP_RESPONSE *sign(const struct answer *answer, X509 *cert, const struct identity *ca)
{
    X509 *issuer = ca->cert->at[0];
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, issuer);
    OCSP_RESPONSE *response = NULL;

    /* Whoever asks has the issuer's certificate, which need not be sent along. */
    if (basic != NULL && id != NULL &&
        OCSP_basic_add1_status(basic, id, answer->status, OCSP_REVOKED_STATUS_NOSTATUS, answer->revoked_at,
                               answer->this_update, answer->next_update) != NULL &&
        OCSP_basic_sign(basic, issuer, ca->key->pkey, key_default_digest(ca->key->pkey), NULL,
                        OCSP_NOCERTS | OCSP_RESPID_KEY) == 1)
        response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    OCSP_CERTID_free(id);
    OCSP_BASICRESP_free(basic);
    return response;
}

static int32_t give(const struct answer *answer, X509 *cert, const struct identity *ca, void *data, int32_t cap)
{
    OCSP_RESPONSE *response = sign(answer, cert, ca);
    unsigned char *der = NULL;
    int len = response == NULL ? 0 : i2d_OCSP_RESPONSE(response, &der);
    int32_t result;

    if (len <= 0)
        result = error_backend(TLSSHIM_E_MISMATCH, "the key cannot sign OCSP answers");
    else
        result = bytes_out(data, cap, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    return result;
}

static int32_t ocsp_issue(X509 *cert, const struct identity *ca, int32_t status, int64_t revoked_at,
                          int64_t this_update, int64_t next_update, void *data, int32_t cap)
{
    static const int statuses[] = {0, V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN};
    struct answer answer = {statuses[status], NULL, NULL, NULL};
    int32_t bound;
    int32_t result = check_issuer(cert, ca);

    if (result < 0)
        return result;
    bound = ANSWER_MOST + EVP_PKEY_get_size(ca->key->pkey);
    if (cap < bound)
        return bound;
    answer.this_update = generalized(this_update);
    answer.next_update = generalized(next_update);
    if (status == TLSSHIM_OCSP_REVOKED)
        answer.revoked_at = generalized(revoked_at);
    if (answer.this_update == NULL || answer.next_update == NULL ||
        (status == TLSSHIM_OCSP_REVOKED && answer.revoked_at == NULL))
        result = TLSSHIM_E_MEMORY;
    else
        result = give(&answer, cert, ca, data, cap);
    ASN1_TIME_free(answer.this_update);
    ASN1_TIME_free(answer.next_update);
    ASN1_TIME_free(answer.revoked_at);
    return result;
}

static int32_t check_arguments(int32_t status, int64_t revoked_at, int64_t this_update, int64_t next_update,
                               const void *data, int32_t cap)
{
    if (status < TLSSHIM_OCSP_GOOD || status > TLSSHIM_OCSP_UNKNOWN)
        return error_new(TLSSHIM_E_ARGUMENT, "status is none of GOOD, REVOKED, UNKNOWN");
    if (this_update < INSTANT_MIN || next_update > INSTANT_MAX ||
        (status == TLSSHIM_OCSP_REVOKED && (revoked_at < INSTANT_MIN || revoked_at > INSTANT_MAX)))
        return error_new(TLSSHIM_E_ARGUMENT, "a time is outside the years 0 to 9999");
    if (this_update > next_update)
        return error_new(TLSSHIM_E_ARGUMENT, "this_update is later than next_update");
    if (cap < 0 || (cap > 0 && data == NULL))
        return error_new(TLSSHIM_E_ARGUMENT, "response has a negative capacity, or no address");
    return TLSSHIM_OK;
}

int32_t tlsshim_ocsp_issue(int64_t cert, int64_t ca, int32_t status, int64_t revoked_at, int64_t this_update,
                           int64_t next_update, void *response, int32_t response_cap)
{
    struct visit visit;
    struct cert *c;
    struct identity *i;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = cert_pin(cert, &c);
    if (result == TLSSHIM_OK) {
        result = identity_pin(ca, &i);
        if (result == TLSSHIM_OK) {
            result = check_arguments(status, revoked_at, this_update, next_update, response, response_cap);
            if (result == TLSSHIM_OK)
                result = ocsp_issue(c->at[0], i, status, revoked_at, this_update, next_update, response, response_cap);
            handle_unpin(ca);
        }
        handle_unpin(cert);
    }
    visit_leave(&visit);
    return result;
}

static int32_t ocsp_text(struct bytes data, void *text, int32_t cap)
{
    const unsigned char *at = data.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)data.len);
    struct buffer out = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    int32_t result;

    if (bio == NULL)
        result = TLSSHIM_E_MEMORY;
    else if (response == NULL)
        result = error_backend(TLSSHIM_E_FORMAT, "the data is no OCSP answer");
    else if (OCSP_RESPONSE_print(bio, response, 0) != 1)
        result = error_backend(TLSSHIM_E_FORMAT, "the OCSP answer cannot be printed");
    else {
        printed_text(bio, &out);
        result = buffer_out(&out, text, cap);
    }
    BIO_free(bio);
    OCSP_RESPONSE_free(response);
    return result;
}

int32_t tlsshim_ocsp_text(const void *response, int32_t response_len, void *text, int32_t text_cap)
{
    struct visit visit;
    struct bytes in;
    int32_t result = visit_enter(&visit);

    if (result < 0)
        return result;
    result = bytes_in(response, response_len, RESPONSE_LIMIT, "response", &in);
    if (result == TLSSHIM_OK)
        result = ocsp_text(in, text, text_cap);
    visit_leave(&visit);
    return result;
}
