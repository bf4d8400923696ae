#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#include "base/backend.h"
#include "pki/pem.h"

static struct visit visit;

static void enter(void)
{
    ck_assert_ok(visit_enter(&visit));
}

static void leave(void)
{
    visit_leave(&visit);
}

static int counted;

#define COUNTER(name, type)                                                                                            \
    static void count_##name(type *algorithm, void *arg)                                                               \
    {                                                                                                                  \
        (void)algorithm;                                                                                               \
        (void)arg;                                                                                                     \
        counted++;                                                                                                     \
    }
COUNTER(md, EVP_MD)
COUNTER(cipher, EVP_CIPHER)
COUNTER(mac, EVP_MAC)
COUNTER(kdf, EVP_KDF)
COUNTER(rand, EVP_RAND)
COUNTER(keymgmt, EVP_KEYMGMT)
COUNTER(keyexch, EVP_KEYEXCH)
COUNTER(signature, EVP_SIGNATURE)
COUNTER(encoder, OSSL_ENCODER)
COUNTER(decoder, OSSL_DECODER)

enum { OPERATIONS = 9 };

static void count_all(OSSL_LIB_CTX *context, int counts[OPERATIONS])
{
#define COUNT(at, all, name) (counted = 0, all(context, count_##name, NULL), counts[at] = counted)
    COUNT(0, EVP_MD_do_all_provided, md);
    COUNT(1, EVP_CIPHER_do_all_provided, cipher);
    COUNT(2, EVP_MAC_do_all_provided, mac);
    COUNT(3, EVP_KDF_do_all_provided, kdf);
    COUNT(4, EVP_RAND_do_all_provided, rand);
    COUNT(5, EVP_KEYMGMT_do_all_provided, keymgmt);
    COUNT(6, EVP_KEYEXCH_do_all_provided, keyexch);
    COUNT(7, EVP_SIGNATURE_do_all_provided, signature);
    COUNT(8, OSSL_ENCODER_do_all_provided, encoder);
}

START_TEST(the_narrow_context_offers_all_operations_but_decoders)
{
    int narrow[OPERATIONS], whole[OPERATIONS], decoders;

    count_all(backend_context(), narrow);
    count_all(backend_whole(), whole);
    for (int i = 0; i < OPERATIONS; i++) {
        ck_assert_int_gt(whole[i], 0);
        ck_assert_int_eq(narrow[i], whole[i]);
    }
    counted = 0, OSSL_DECODER_do_all_provided(backend_whole(), count_decoder, NULL), decoders = counted;
    counted = 0, OSSL_DECODER_do_all_provided(backend_context(), count_decoder, NULL);
    ck_assert_int_eq(counted, 5);
    ck_assert_int_gt(decoders, 20);
}
END_TEST

static EVP_PKEY *key_of(const char *type, const char *group)
{
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(backend_whole(), type, NULL);
    EVP_PKEY *key = NULL;

    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(EVP_PKEY_keygen_init(ctx), 1);
    if (group != NULL)
        ck_assert_int_eq(EVP_PKEY_CTX_set_params(ctx, params), 1);
    ck_assert_int_eq(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* A certificate for the key, signed by another that can sign. */
static struct bytes certificate_for(EVP_PKEY *key, unsigned char **der)
{
    EVP_PKEY *signer = key_of("EC", "P-256");
    X509 *cert = X509_new_ex(backend_whole(), NULL);
    int len;

    ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    ck_assert_int_eq(X509_set_pubkey(cert, key), 1);
    ck_assert_int_gt(X509_sign(cert, signer, EVP_sha256()), 0);
    len = i2d_X509(cert, der);
    ck_assert_int_gt(len, 0);
    X509_free(cert);
    EVP_PKEY_free(signer);
    return (struct bytes){*der, (size_t)len};
}

static const struct {
    const char *type, *group;
} keys[] = {
    {"EC", "P-256"}, {"EC", "P-521"},   {"EC", "brainpoolP256r1"}, {"ED25519", NULL}, {"ED448", NULL},
    {"RSA", NULL},   {"RSA-PSS", NULL}, {"X25519", NULL},          {"X448", NULL},    {"DH", "ffdhe2048"},
    {"SM2", "SM2"},
};

START_TEST(certificates_with_every_kind_of_key_give_it)
{
    EVP_PKEY *key = key_of(keys[_i].type, keys[_i].group);
    unsigned char *der = NULL;
    struct bytes bytes = certificate_for(key, &der);
    X509 *read = NULL;

    ck_assert_ok(der_certificate(bytes, false, "the data", 1, &read));
    ck_assert_ptr_nonnull(X509_get0_pubkey(read));
    ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(read), key), 1);
    X509_free(read);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}
END_TEST

/* A private key is read in the whole context and used in the narrow one, a certificate's key the other way round. */
START_TEST(keys_of_both_contexts_work_together)
{
    static const unsigned char data[] = "some data";
    EVP_PKEY *key = key_of(keys[_i].type, keys[_i].group);
    bool digest = strncmp(keys[_i].type, "ED", 2) != 0;
    unsigned char *der = NULL, signature[1024];
    size_t len = sizeof signature;
    struct bytes bytes = certificate_for(key, &der);
    EVP_MD_CTX *signing = EVP_MD_CTX_new(), *verifying = EVP_MD_CTX_new();
    X509 *read = NULL;

    ck_assert_ok(der_certificate(bytes, false, "the data", 1, &read));
    ck_assert_int_eq(X509_check_private_key(read, key), 1);
    ck_assert_int_eq(EVP_DigestSignInit_ex(signing, NULL, digest ? "SHA256" : NULL, backend_context(), NULL, key, NULL),
                     1);
    ck_assert_int_eq(EVP_DigestSign(signing, signature, &len, data, sizeof data), 1);
    ck_assert_int_eq(EVP_DigestVerifyInit_ex(verifying, NULL, digest ? "SHA256" : NULL, backend_whole(), NULL,
                                             X509_get0_pubkey(read), NULL),
                     1);
    ck_assert_int_eq(EVP_DigestVerify(verifying, signature, len, data, sizeof data), 1);
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    X509_free(read);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backend_narrow");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, enter, leave);
    tcase_add_test(all, the_narrow_context_offers_all_operations_but_decoders);
    tcase_add_loop_test(all, certificates_with_every_kind_of_key_give_it, 0, sizeof keys / sizeof keys[0]);
    tcase_add_loop_test(all, keys_of_both_contexts_work_together, 0, 7);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
