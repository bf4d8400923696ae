#include "answers.h"

#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <time.h>

#include "support.h"

enum { ROOM = 16384 };

X509 *answers_cert(int64_t identity)
{
    uint8_t der[ROOM];
    const uint8_t *at = der;
    int64_t cert = a_handle(tlsshim_identity_cert(identity));
    int32_t len = tlsshim_cert_export(cert, TLSSHIM_FORMAT_DER, der, ROOM);
    X509 *made = X509_new_ex(support_context(), NULL);

    ck_assert_ok(len);
    ck_assert_ok(tlsshim_close(cert));
    ck_assert_ptr_nonnull(d2i_X509(&made, &at, len));
    return made;
}

EVP_PKEY *answers_key(int64_t identity)
{
    uint8_t der[ROOM];
    const uint8_t *at = der;
    int64_t key = a_handle(tlsshim_identity_key(identity));
    int32_t len = tlsshim_key_export(key, TLSSHIM_FORMAT_DER, "", 0, der, ROOM);
    EVP_PKEY *made;

    ck_assert_ok(len);
    ck_assert_ok(tlsshim_close(key));
    made = d2i_AutoPrivateKey_ex(NULL, &at, len, support_context(), NULL);
    ck_assert_ptr_nonnull(made);
    return made;
}

struct answer answer_of(int64_t about, int64_t ca)
{
    return (struct answer){
        .about = about, .issuer = ca, .signer = ca, .status = TLSSHIM_OCSP_GOOD, .from = -10, .until = 3600};
}

static ASN1_TIME *seconds_from_now(int64_t seconds)
{
    return seconds == INT64_MIN ? NULL : ASN1_GENERALIZEDTIME_set(NULL, time(NULL) + seconds);
}

static void add_status(OCSP_BASICRESP *basic, const struct answer *answer)
{
    static const int statuses[] = {0, V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN};
    X509 *about = answers_cert(answer->about), *issuer = answers_cert(answer->issuer);
    EVP_MD *hash = EVP_MD_fetch(support_context(), answer->hash != NULL ? answer->hash : "SHA1", NULL);
    OCSP_CERTID *id = OCSP_cert_to_id(hash, about, issuer);
    ASN1_TIME *from = seconds_from_now(answer->from), *until = seconds_from_now(answer->until);
    ASN1_TIME *revoked_at = answer->status == TLSSHIM_OCSP_REVOKED ? seconds_from_now(-1000) : NULL;

    ck_assert_ptr_nonnull(OCSP_basic_add1_status(basic, id, statuses[answer->status], OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                                 revoked_at, from, until));
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    ASN1_TIME_free(revoked_at);
    OCSP_CERTID_free(id);
    EVP_MD_free(hash);
    X509_free(about);
    X509_free(issuer);
}

static OCSP_RESPONSE *response_of(const struct answer *answer)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    X509 *signer = answers_cert(answer->signer);
    EVP_PKEY *key = answers_key(answer->signer);
    EVP_MD *digest = EVP_MD_fetch(support_context(), answer->digest != NULL ? answer->digest : "SHA256", NULL);
    OCSP_RESPONSE *response;

    add_status(basic, answer);
    ck_assert_int_eq(OCSP_basic_sign(basic, signer, key, digest, NULL, answer->brings_signer ? 0 : OCSP_NOCERTS), 1);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    ck_assert_ptr_nonnull(response);
    EVP_MD_free(digest);
    EVP_PKEY_free(key);
    X509_free(signer);
    OCSP_BASICRESP_free(basic);
    return response;
}

int32_t answer_der(const struct answer *answer, uint8_t *out, int32_t cap)
{
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(support_context());
    OCSP_RESPONSE *response = response_of(answer);
    int len = i2d_OCSP_RESPONSE(response, NULL);

    ck_assert_int_le(len, cap);
    i2d_OCSP_RESPONSE(response, &out);
    OCSP_RESPONSE_free(response);
    OSSL_LIB_CTX_set0_default(before);
    return len;
}
