#include "base/algorithm.h"

#include "support/support.h"

static bool named(const char *names, const char *name)
{
    const OSSL_ALGORITHM algorithm = {.algorithm_names = names};

    return algorithm_named(&algorithm, name);
}

START_TEST(each_of_the_names_counts_whole_and_in_any_case)
{
    static const char names[] = "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6";

    ck_assert(named(names, "AES-128-GCM"));
    ck_assert(named(names, "aes-128-gcm"));
    ck_assert(named(names, "id-aes128-GCM"));
    ck_assert(named(names, "2.16.840.1.101.3.4.1.6"));
    ck_assert(!named(names, "AES-128"));
    ck_assert(!named(names, "128-GCM"));
    ck_assert(!named(names, "2.16.840.1.101.3.4.1.66"));
    ck_assert(!named(names, "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6:more"));
    ck_assert(named("RSA", "RSA"));
    ck_assert(!named("RSA-PSS:RSASSA-PSS", "RSA"));
    ck_assert(!named("", "RSA"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("algorithm");
    TCase *tcase = tcase_create("algorithm");

    tcase_add_test(tcase, each_of_the_names_counts_whole_and_in_any_case);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
