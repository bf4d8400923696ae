#include "pki/level.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/backend.h"
#include "support/support.h"

static EVP_PKEY *key_of(const char *algorithm)
{
    OSSL_LIB_CTX *context = support_context();

    if (strncmp(algorithm, "RSA-", 4) == 0)
        return EVP_PKEY_Q_keygen(context, NULL, "RSA", (size_t)atoi(algorithm + 4));
    if (strncmp(algorithm, "P-", 2) == 0)
        return EVP_PKEY_Q_keygen(context, NULL, "EC", algorithm);
    return EVP_PKEY_Q_keygen(context, NULL, algorithm);
}

/* Signed by a key of its own kind; as if by itself, or not. */
static X509 *cert_of(const char *algorithm, const char *digest, bool by_itself)
{
    EVP_PKEY *key = key_of(algorithm), *signer = by_itself ? key : key_of(algorithm);
    X509 *cert = X509_new_ex(support_context(), NULL);
    X509_NAME *name = X509_NAME_new();
    EVP_MD_CTX *sign = EVP_MD_CTX_new();

    ck_assert(key != NULL && signer != NULL && cert != NULL && name != NULL && sign != NULL);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"x", 1, -1, 0);
    X509_set_version(cert, X509_VERSION_3);
    X509_set_subject_name(cert, name);
    if (!by_itself)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"CA", 2, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 1000);
    X509_set_pubkey(cert, key);
    ck_assert_int_eq(EVP_DigestSignInit_ex(sign, NULL, digest, support_context(), NULL, signer, NULL), 1);
    ck_assert_int_gt(X509_sign_ctx(cert, sign), 0);
    EVP_MD_CTX_free(sign);
    X509_NAME_free(name);
    if (!by_itself)
        EVP_PKEY_free(signer);
    EVP_PKEY_free(key);
    return cert;
}

static const struct grade {
    const char *algorithm, *digest;
    int highest; /* the level that it still reaches */
    const char *says;
} grades[] = {
    {"RSA-1024", "SHA256", 1, "the key of CN=x has 1024 bits, security level 2 asks for 2048"},
    {"RSA-2048", "SHA256", 2, "the key of CN=x has 2048 bits, security level 3 asks for 3072"},
    {"P-256", "SHA256", 3, "the key of CN=x has 256 bits, security level 4 asks for 384"},
    {"P-384", "SHA256", 3,
     "the signature on CN=x is by ecdsa-with-SHA256 (128 bits of security), security level 4 asks for 192"},
    {"P-521", "SHA512", 5, NULL},
    {"P-521", "SHA384", 4,
     "the signature on CN=x is by ecdsa-with-SHA384 (192 bits of security), security level 5 asks for 256"},
    {"P-256", "SHA1", 0,
     "the signature on CN=x is by ecdsa-with-SHA1 (63 bits of security), security level 1 asks for 80"},
    {"ED25519", NULL, 3, "security level 4 asks for 384"},
};
enum { GRADES = sizeof grades / sizeof grades[0] };

START_TEST(what_falls_short_of_a_level_is_named_with_the_limit)
{
    const struct grade *grade = &grades[_i];
    X509 *cert = cert_of(grade->algorithm, grade->digest, false);
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    for (int level = 0; level <= LEVEL_MOST; level++) {
        int32_t result = level_check_chain(&cert, 1, level);

        ck_assert_result(result, level > grade->highest ? TLSSHIM_E_WEAK : TLSSHIM_OK);
        if (level == grade->highest + 1)
            ck_assert_msg(strstr(support_text(result), grade->says) != NULL, "%s", support_text(result));
    }
    visit_leave(&visit);
    X509_free(cert);
}
END_TEST

/* Whoever trusts it trusts its key, not its signature. */
START_TEST(the_signature_on_a_self_signed_certificate_does_not_count)
{
    X509 *cert = cert_of("P-256", "SHA1", true);
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(level_check_chain(&cert, 1, 3));
    ck_assert_result(level_check_chain(&cert, 1, 4), TLSSHIM_E_WEAK);
    visit_leave(&visit);
    X509_free(cert);
}
END_TEST

START_TEST(the_first_weak_link_of_a_chain_is_the_one_that_is_named)
{
    X509 *chain[] = {cert_of("P-521", "SHA512", false), cert_of("RSA-1024", "SHA512", false)};
    struct visit visit;

    ck_assert_ok(visit_enter(&visit));
    ck_assert_ok(level_check_chain(chain, 1, 2));
    ck_assert_result(level_check_chain(chain, 2, 2), TLSSHIM_E_WEAK);
    visit_leave(&visit);
    X509_free(chain[0]);
    X509_free(chain[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("level");
    TCase *tests = tcase_create("level");

    tcase_add_loop_test(tests, what_falls_short_of_a_level_is_named_with_the_limit, 0, GRADES);
    tcase_add_test(tests, the_signature_on_a_self_signed_certificate_does_not_count);
    tcase_add_test(tests, the_first_weak_link_of_a_chain_is_the_one_that_is_named);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
