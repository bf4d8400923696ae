#include "support/pki.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/backend.h"
#include "pki/pbe.h"

static struct visit visit;

static void enter(void)
{
    ck_assert_ok(visit_enter(&visit));
}

static void leave(void)
{
    visit_leave(&visit);
}

START_TEST(ciphers_are_told_as_modern_or_not)
{
    const struct {
        X509_ALGOR *algorithm;
        bool modern;
        const char *name;
    } cases[] = {
        {PKCS5_pbe2_set(EVP_aes_256_cbc(), 1000, NULL, 8), true, "aes-256-cbc"},
        {PKCS5_pbe2_set(EVP_aes_128_cbc(), 1000, NULL, 8), true, "aes-128-cbc"},
        {PKCS5_pbe2_set(EVP_des_ede3_cbc(), 1000, NULL, 8), false, "des-ede3-cbc"},
        {PKCS5_pbe_set(NID_pbe_WithSHA1And40BitRC2_CBC, 1000, NULL, 8), false, "pbeWithSHA1And40BitRC2-CBC"},
    };
    struct pbe pbe;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(cases[i].algorithm != NULL);
        ck_assert_result(pbe_of(cases[i].algorithm, "it", &pbe), TLSSHIM_OK);
        ck_assert_int_eq(pbe.modern, cases[i].modern);
        ck_assert_str_eq(pbe.name, cases[i].name);
        X509_ALGOR_free(cases[i].algorithm);
    }
}
END_TEST

START_TEST(endless_work_is_refused_before_it_begins)
{
    X509_ALGOR *const algorithms[] = {
        PKCS5_pbe2_set(EVP_aes_256_cbc(), PBE_ROUNDS_MOST, NULL, 8),
        PKCS5_pbe2_set(EVP_aes_256_cbc(), PBE_ROUNDS_MOST + 1, NULL, 8),
        PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, PBE_ROUNDS_MOST, NULL, 8),
        PKCS5_pbe_set(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 0x7fffffff, NULL, 8),
    };
    struct pbe pbe;

    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        int32_t result = pbe_of(algorithms[i], "it", &pbe);

        ck_assert_result(result, i % 2 == 0 ? TLSSHIM_OK : TLSSHIM_E_LIMIT);
        X509_ALGOR_free(algorithms[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pbe");
    TCase *tcase = tcase_create("pbe");

    tcase_add_checked_fixture(tcase, enter, leave);
    tcase_add_test(tcase, ciphers_are_told_as_modern_or_not);
    tcase_add_test(tcase, endless_work_is_refused_before_it_begins);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
